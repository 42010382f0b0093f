//! The contracts on a local chain, deployed as operators deploy them.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use alloy::{
    hex,
    primitives::{Address, Bytes, U256},
    sol,
    sol_types::{SolCall as _, SolError as _},
};
use anyhow::{Context as _, Result, bail};
use greenlight_artifact::Schema;
use serde::Deserialize;
use tokio::{process::Command, time::sleep};

use crate::{
    chain::{ADMIN, Account, Blocks, Chain, DEPLOYER, GUARDIANS, OPERATIONS, PUBLISHERS, Rpc},
    process::{self, PATIENCE},
    scene::Setup,
    tools::Tools,
};

sol! {
    /// The parts of OpenZeppelin's AccessManager that drills need.
    #[derive(Debug)]
    interface Manager {
        function schedule(address target, bytes calldata data, uint48 when) external returns (bytes32 operationId, uint32 nonce);
        function execute(address target, bytes calldata data) external payable returns (uint32 nonce);
        error AccessManagerNotReady(bytes32 operationId);
        function grantRole(uint64 roleId, address account, uint32 executionDelay) external;
    }

    /// The parts of the registry that drills call without greenlightctl.
    #[derive(Debug)]
    interface Registry {
        function kill() external;
        function revive(uint64 sequence) external;
        function effective() external view returns (uint32);
        function addVerifier(address verifier) external;
        function promote(uint32 id, uint16 canaryBps, uint64 sequence) external;

        function stopByDefect(uint32 id, bytes calldata artifact) external;

        error VerifierKnown(address verifier, uint8 status);
    }
}

/// Role of the AccessManager that stages.
pub(crate) const PUBLISHER_ROLE: u64 = 1;
/// Role of the AccessManager that revives.
pub(crate) const OPERATIONS_ROLE: u64 = 4;

/// What the deployment script wrote.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deployment {
    pub(crate) registry: Address,
    pub(crate) manager: Address,
    pub(crate) verifier: Address,
    pub(crate) verifiers: Verifiers,
    pub(crate) emergency_stop: Address,
    pub(crate) holders: Holders,
    pub(crate) chain_id: u64,
}

/// The verifiers beside the first.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Verifiers {
    pub(crate) groth16: Address,
}

/// Who holds roles: Safes or accounts.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Holders {
    pub(crate) publisher: Address,
}

/// Seconds for which a staged artifact can be promoted.
pub(crate) const STAGING_PERIOD: u64 = 30 * 86_400;

/// Who publishes and who guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    /// Safes, each with three owners of whom two act.
    Safes,
    /// The first owner of each, alone, for drills that send calls by the thousand or in odd ways.
    Accounts,
}

/// Deploys as `setup` says and leaves the script's file at `file`.
pub(crate) async fn deploy(
    tools: &Tools,
    chain: &Chain,
    setup: &Setup,
    file: &Path,
) -> Result<Deployment> {
    let _turn = Turn::take(&tools.contracts()).await?;
    let written = Written::new(tools);
    let folder = tools.contracts().join("deployments");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    fs::write(&written.plan, plan(setup.holding, setup.delay, &written.name))
        .with_context(|| written.plan.display().to_string())?;
    let mut forge = Command::new(&tools.forge);
    forge
        .args(["script", "script/Deploy.s.sol", "--broadcast", "--unlocked"])
        .args(["--sig", "run(string)", &format!("{}.toml", written.name)])
        .args(["--sender", &DEPLOYER.address.to_string(), "--rpc-url", &chain.rpc.url]);
    if setup.blocks == Blocks::ByTransaction {
        // One after the other: anvil, mining at each, may forget the next of several at once.
        forge.arg("--slow");
    }
    run(tools, forge, "forge script").await?;
    let text =
        fs::read_to_string(&written.path).with_context(|| written.path.display().to_string())?;
    fs::write(file, &text).with_context(|| file.display().to_string())?;
    serde_json::from_str(&text).context("what the deployment script wrote")
}

/// The plan, as operators write it into `contracts/networks/`.
fn plan(holding: Holding, delay: u32, name: &str) -> String {
    let account = |account: Account| format!("address = \"{}\"", account.address);
    let holder = |owners: [Account; 3]| match holding {
        Holding::Safes => {
            let owners = owners.map(|owner| format!("\"{}\"", owner.address)).join(", ");
            format!("owners = [{owners}]\nthreshold = 2\nsalt = 1")
        }
        Holding::Accounts => account(owners[0]),
    };
    // Drills take a kill back within milliseconds, hence no cooling-off.
    format!(
        "chain_id = 31337\ndeployment = \"{name}.json\"\n\
         [holders.publisher]\n{}\n[holders.guardian]\n{}\n[holders.operations]\n{}\n[holders.admin]\n{}\n\
         [delays]\npromote = {delay}\noperations = {delay}\nadmin = {delay}\n\
         cooling_off = 0\nstaging_period = {STAGING_PERIOD}\n[verifiers.calldata]\nengine = 1\n[verifiers.groth16]\nengine = 1\n",
        holder(PUBLISHERS),
        holder(GUARDIANS),
        account(OPERATIONS),
        account(ADMIN)
    )
}

/// Deploys a contract of `contracts/drills/`, which no deployment of an operator ever builds.
pub(crate) async fn drill_contract(tools: &Tools, rpc: &Rpc, name: &str) -> Result<Address> {
    create(tools, rpc, &format!("drills/{name}.sol:{name}"), &[]).await
}

/// Deploys a verifier of bytes for an engine of this schema.
pub(crate) async fn calldata_verifier(
    tools: &Tools,
    rpc: &Rpc,
    schema: &Schema,
) -> Result<Address> {
    let Schema { engine, word, budget } = schema;
    let arguments = [engine.to_string(), hex::encode_prefixed(word), budget.to_string()];
    create(tools, rpc, "src/verifiers/CalldataVerifier.sol:CalldataVerifier", &arguments).await
}

/// Has operations add a verifier to the registry.
pub(crate) async fn add_verifier(
    rpc: &Rpc,
    deployment: &Deployment,
    verifier: Address,
) -> Result<()> {
    let add = Registry::addVerifierCall { verifier }.abi_encode();
    let Deployment { registry, manager, .. } = *deployment;
    through_timelock(rpc, manager, OPERATIONS.address, registry, add).await
}

/// Has the admin give an account a role, without a delay.
pub(crate) async fn grant(
    rpc: &Rpc,
    deployment: &Deployment,
    role: u64,
    account: Address,
) -> Result<()> {
    let grant = Manager::grantRoleCall { roleId: role, account, executionDelay: 0 }.abi_encode();
    let manager = deployment.manager;
    through_timelock(rpc, manager, ADMIN.address, manager, grant).await
}

async fn create(tools: &Tools, rpc: &Rpc, contract: &str, arguments: &[String]) -> Result<Address> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Created {
        deployed_to: Address,
    }
    let _turn = Turn::take(&tools.contracts()).await?;
    let mut forge = Command::new(&tools.forge);
    forge.args(["create", contract, "--broadcast", "--unlocked", "--json"]).args([
        "--from",
        &DEPLOYER.address.to_string(),
        "--rpc-url",
        &rpc.url,
    ]);
    if !arguments.is_empty() {
        forge.arg("--constructor-args").args(arguments);
    }
    let stdout = run(tools, forge, "forge create").await?;
    let json = stdout.find('{').and_then(|start| stdout.get(start..)).unwrap_or_default();
    let created: Created =
        serde_json::from_str(json).with_context(|| format!("forge create: {stdout}"))?;
    Ok(created.deployed_to)
}

/// Schedules a call of `target`, and gives the call of the AccessManager that executes it.
async fn schedule(
    rpc: &Rpc,
    manager: Address,
    from: Address,
    target: Address,
    data: Vec<u8>,
) -> Result<Vec<u8>> {
    let data = Bytes::from(data);
    let schedule = Manager::scheduleCall { target, data: data.clone(), when: U256::ZERO.to() };
    rpc.act(from, manager, schedule.abi_encode()).await.context("schedule")?;
    Ok(Manager::executeCall { target, data }.abi_encode())
}

/// Calls `target` through the AccessManager: schedules, waits for the delay, executes.
pub(crate) async fn through_timelock(
    rpc: &Rpc,
    manager: Address,
    from: Address,
    target: Address,
    data: Vec<u8>,
) -> Result<()> {
    let execute = schedule(rpc, manager, from, target, data).await?;
    for _ in 0..20 {
        let hash = rpc.send(from, manager, execute.clone()).await?;
        if rpc.mined(hash).await? {
            return Ok(());
        }
        // Too early; the next block may be late enough.
        sleep(Duration::from_millis(500)).await;
    }
    bail!("what {from} scheduled could not be executed")
}

/// Schedules a call of `target`, waits for the delay, and gives the revert data with which it is then refused.
pub(crate) async fn refused_through_timelock(
    rpc: &Rpc,
    manager: Address,
    from: Address,
    target: Address,
    data: Vec<u8>,
) -> Result<Bytes> {
    let execute = schedule(rpc, manager, from, target, data).await?;
    for _ in 0..20 {
        let refusal = rpc.refusal(from, manager, execute.clone()).await?;
        let refusal = refusal.with_context(|| format!("what {from} scheduled would be done"))?;
        if !refusal.starts_with(&Manager::AccessManagerNotReady::SELECTOR) {
            return Ok(refusal);
        }
        sleep(Duration::from_millis(500)).await;
    }
    bail!("what {from} scheduled is never ready")
}

async fn run(tools: &Tools, mut command: Command, name: &str) -> Result<String> {
    command.current_dir(tools.contracts());
    let output = process::run(name, command, PATIENCE).await?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    bail!(
        "{name} failed ({}):\n{stdout}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Forge writes into `cache/`, `out/` and `broadcast/` as if it were alone: whoever runs it holds this.
struct Turn {
    _locked: File,
}

impl Turn {
    async fn take(contracts: &Path) -> Result<Self> {
        let folder = contracts.join("cache");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let path = folder.join("harness.lock");
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        // Asked for again and again: a thread that waits for it could not be told to stop.
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _locked: file }),
                Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(20)).await,
                Err(TryLockError::Error(error)) => return Err(error).context("lock"),
            }
        }
    }
}

/// Where the deployment script reads the plan and writes: only below `contracts/deployments`.
struct Written {
    name: String,
    plan: PathBuf,
    path: PathBuf,
}

impl Written {
    fn new(tools: &Tools) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("deployments/31337-harness-{}-{count}", std::process::id());
        let file = |extension: &str| tools.contracts().join(format!("{name}.{extension}"));
        let (plan, path) = (file("toml"), file("json"));
        Self { name, plan, path }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.plan);
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests;

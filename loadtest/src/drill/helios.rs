//! Real Helios, and our own light client, follow the same beacon chain: mainnet, as far as either can tell, with its clock.
//! Both see the same heads, state roots and storage; edges on either adopt the same artifact and obey the same kill.

use std::{
    fs,
    time::{Duration, Instant},
};

use alloy::primitives::{Address, B256, U256};
use anyhow::{Context as _, Result, ensure};
use greenlight_watcher::registry::{self, AccountProof, HEAD_SLOT};
use serde_json::{Value, json};
use tokio::process::Command;

use super::Drill;
use crate::{
    chain::{GUARDIAN, Rpc},
    edge::{Edge, Heads, Settings},
    process::Process,
    scene::{Scene, Setup},
    tools::Tools,
};

/// Slots last 12 s here: some until a block is signed, one more until it is final, another until Helios asks, 4 s into it.
const SLOTS: Duration = Duration::from_secs(90);

/// Mainnet's.
const CHAIN_ID: u64 = 1;

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::MAINNET, &drill.journal).await?;
    let helios = Helios::start(&scene).await?;
    drill.findings.fact("first_head_ms", u64::try_from(helios.synced_in.as_millis())?);
    let staged = scene.publish("first").await?;

    let dir = scene.dir.path().join("helios");
    fs::create_dir(&dir)?;
    let by_helios = Settings {
        id: "helios".into(),
        heads: Heads::Helios { url: helios.rpc.url.clone(), chain_id: CHAIN_ID },
        state: dir.join("state"),
        dir,
        ..scene.settings()
    };
    let ours = scene.edge(&scene.settings()).await?;
    let theirs = scene.edge(&by_helios).await?;
    let loads = [scene.light_load(&ours), scene.light_load(&theirs)];
    tokio::try_join!(ours.keeps(&staged.digest, SLOTS), theirs.keeps(&staged.digest, SLOTS))?;
    drill.findings.equal(
        "source",
        (&ours.status().await?["source"]["kind"], &theirs.status().await?["source"]["kind"]),
        (&json!("light-client"), &json!("helios")),
    );
    agree(drill, &scene, &helios, [&ours, &theirs]).await.context("after the promotion")?;

    scene.ctl.run(GUARDIAN, ["kill"]).await?.done()?;
    let start = Instant::now();
    let killed = async |edge: &Edge| -> Result<u64> {
        edge.until("the kill", SLOTS, |status| status["reason"] == "kill").await?;
        Ok(u64::try_from(start.elapsed().as_millis())?)
    };
    let (ours_ms, theirs_ms) = tokio::try_join!(killed(&ours), killed(&theirs))?;
    drill.findings.fact("kill_ms", json!({ "light-client": ours_ms, "helios": theirs_ms }));
    agree(drill, &scene, &helios, [&ours, &theirs]).await.context("after the kill")?;

    for load in loads {
        load.stop().await;
    }
    for edge in [ours, theirs] {
        let status = edge.status().await?;
        drill.findings.equal("watcher restarts", &status["restarts"], &json!(0));
        let evidence = edge.evidence()?;
        drill.findings.recorded(&evidence, "adopted", Some(&staged.digest), "");
        drill.findings.recorded(&evidence, "allow-all", None, "kill");
        edge.end().await?;
    }
    drill.findings.fact("helios_rss_mib", helios.process.rss_mib()?);
    helios.end().await?;
    scene.end().await
}

/// Waits until both edges show the same heads, and expects of Helios, of the chain itself and of a proof under the light
/// client's state root that they say the same of the registry's head slot there.
async fn agree(
    drill: &mut Drill,
    scene: &Scene,
    helios: &Helios,
    [ours, theirs]: [&Edge; 2],
) -> Result<()> {
    let start = Instant::now();
    let (ours, theirs) = loop {
        let both = tokio::try_join!(ours.status(), theirs.status())?;
        let same = |head: &str| both.0["source"][head]["hash"] == both.1["source"][head]["hash"];
        // Heads and orders of one look: a status may fall between a new head and the proof under it.
        let whole = |status: &Value| {
            status["source"]["newest"]["hash"] == status["head"]["hash"]
                && status["source"]["newest"]["hash"].is_string()
        };
        if same("newest") && same("finalized") && whole(&both.0) && whole(&both.1) {
            break both;
        }
        ensure!(
            start.elapsed() < SLOTS,
            "expected the same heads; found {} and {}",
            both.0,
            both.1
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for key in ["sequence", "mode", "reason", "head"] {
        let without_times = |status: &Value| {
            let mut value = status[key].clone();
            if let Some(head) = value.as_object_mut() {
                head.remove("age_ms");
            }
            value
        };
        drill.findings.equal(key, without_times(&ours), without_times(&theirs));
    }
    for head in ["newest", "finalized"] {
        let (ours, theirs) = (&ours["source"][head], &theirs["source"][head]);
        for key in ["number", "timestamp", "state_root"] {
            drill.findings.equal(&format!("{head}: {key}"), &ours[key], &theirs[key]);
        }
        let root: B256 = serde_json::from_value(ours["state_root"].clone())?;
        let number = ours["number"].as_u64().context("a number")?;
        let registry = scene.deployment.registry;
        let found = helios.storage(registry, &ours["hash"], root).await?;
        let slot = format!("{HEAD_SLOT:#x}");
        let on_chain = scene
            .rpc()
            .call("eth_getStorageAt", json!([registry, slot, format!("{number:#x}")]))
            .await?;
        drill.findings.equal(
            &format!("{head}: the head slot, proven, by value and on the chain"),
            found,
            [serde_json::from_value(on_chain)?; 2],
        );
    }
    Ok(())
}

/// The sidecar of `config/helios`.
struct Helios {
    process: Process,
    rpc: Rpc,
    /// From the start of the process until the first verified head.
    synced_in: Duration,
}

impl Helios {
    async fn start(scene: &Scene) -> Result<Self> {
        let settings = json!({
            "network": "mainnet",
            "consensus_rpc": scene.endpoint.url,
            "execution_rpc": scene.rpc().url,
            "checkpoint": scene.beacon.checkpoint(),
            "port": 0,
        });
        let settings = scene.file("helios.json", settings.to_string().as_bytes())?;
        let mut command = Command::new("node");
        command.arg(sidecar(&scene.tools)?).arg(settings);
        let start = Instant::now();
        let mut process = Process::start("helios", command)?;
        let json = |line: &str| serde_json::from_str::<Value>(line).ok();
        let within = Duration::from_secs(60);
        let url =
            process.line(within, |line| json(line)?["url"].as_str().map(ToOwned::to_owned)).await?;
        process.line(within, |line| (json(line)?["event"] == "synced").then_some(())).await?;
        process.listen_no_more();
        Ok(Self { process, rpc: Rpc::new(&url)?, synced_in: start.elapsed() })
    }

    /// The registry's head slot at a block: as its proof says, checked here under `root`, and by its value.
    async fn storage(&self, registry: Address, block: &Value, root: B256) -> Result<[B256; 2]> {
        let (at, slot) = (json!({ "blockHash": block }), format!("{HEAD_SLOT:#066x}"));
        let proof = self.rpc.call("eth_getProof", json!([registry, [slot], at])).await?;
        let proof: AccountProof = serde_json::from_value(proof).context("eth_getProof")?;
        let proven: Vec<U256> = registry::verify_storage(root, registry, &[HEAD_SLOT], &proof)?;
        let proven = proven.first().context("one value")?.to_be_bytes().into();
        let value = self.rpc.call("eth_getStorageAt", json!([registry, slot, at])).await?;
        Ok([proven, serde_json::from_value(value).context("eth_getStorageAt")?])
    }

    async fn end(self) -> Result<()> {
        let status = self.process.end(Duration::from_secs(10)).await?;
        ensure!(status.success(), "expected Helios to end with exit code 0; found {status}");
        Ok(())
    }
}

fn sidecar(tools: &Tools) -> Result<std::path::PathBuf> {
    let folder = tools.root.join("config/helios");
    ensure!(
        folder.join("node_modules/@a16z/helios").is_dir(),
        "Helios is missing; install it with: cd config/helios && npm ci --ignore-scripts"
    );
    Ok(folder.join("serve.mjs"))
}

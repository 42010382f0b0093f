//! A local chain with the registry on it, deployed as operators deploy it, and the program run against it.
//!
//! Needs what `cd contracts && npm ci && npx forge build` makes.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, OnceLock},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The seconds that every timelock of the deployment takes.
pub(crate) const TIMELOCK: u64 = 3;

/// One of anvil's accounts, whose keys everybody knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) address: &'static str,
    pub(crate) key: &'static str,
}

pub(crate) const PUBLISHER: Account = Account {
    address: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    key: "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
};
pub(crate) const PROMOTER: Account = Account {
    address: "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    key: "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
};
pub(crate) const GUARDIAN: Account = Account {
    address: "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    key: "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
};
pub(crate) const OPERATIONS: Account = Account {
    address: "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    key: "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
};
/// Owners of the publisher's Safe.
pub(crate) const PUBLISHERS: [Account; 3] = [
    PUBLISHER,
    PROMOTER,
    Account {
        address: "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
        key: "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    },
];
/// Owners of the guardian's Safe.
pub(crate) const GUARDIANS: [Account; 3] = [
    GUARDIAN,
    Account {
        address: "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
        key: "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    },
    Account {
        address: "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
        key: "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
    },
];
/// Holds no role and owns no Safe.
pub(crate) const RELAYER: Account = Account {
    address: "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
    key: "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
};
const ADMIN: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const DEPLOYER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

pub(crate) fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts")
}

/// One of Foundry's programs. The npm packages' launchers would leave their child behind when killed, and forge's ends with
/// 0 however forge ends, so these are the binaries that they launch.
fn foundry(name: &str) -> PathBuf {
    let packages = contracts().join("node_modules/@foundry-rs");
    fs::read_dir(&packages)
        .unwrap_or_else(|error| {
            panic!("{}: {error}; make it with: cd contracts && npm ci", packages.display())
        })
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(&format!("{name}-")))
        .map(|path| path.join("bin").join(name))
        .find(|path| path.exists())
        .expect("the binary for this platform")
}

/// A running anvil; it ends with this value.
pub(crate) struct Anvil {
    child: Child,
    pub(crate) url: String,
}

impl Anvil {
    /// Starts one on a free port.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(foundry("anvil"))
            .args(["--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "anvil ended before it listened");
            if let Some(address) = line.trim().strip_prefix("Listening on ") {
                break address.to_owned();
            }
        };
        // Anvil writes on; nobody reading would block it.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Self { child, url: format!("http://{address}") }
    }

    /// One JSON-RPC call.
    pub(crate) fn rpc(&self, method: &str, params: Value) -> Value {
        let body = self.ask(method, params);
        assert!(body["error"].is_null(), "{method}: {body}");
        body["result"].clone()
    }

    /// The error of a JSON-RPC call that must fail.
    pub(crate) fn refusal(&self, method: &str, params: Value) -> Value {
        let body = self.ask(method, params);
        assert!(body["error"].is_object(), "{method}: {body}");
        body["error"].clone()
    }

    fn ask(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        Self::forward(&self.url, &body.to_string())
    }

    /// The whole answer of the anvil at `url`.
    pub(crate) fn forward(url: &str, body: &str) -> Value {
        let host = url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    /// Lets the chain's clock run ahead.
    pub(crate) fn pass(&self, seconds: u64) {
        self.rpc("evm_increaseTime", json!([seconds]));
        self.rpc("evm_mine", json!([]));
    }

    /// Lets a second pass with each block, and none without: a timelock lasts however slow the machine is.
    pub(crate) fn slow(&self) {
        self.rpc("anvil_setBlockTimestampInterval", json!([1]));
    }

    /// Makes the process hang, or go on.
    pub(crate) fn hang(&self, hang: bool) {
        let signal = if hang { "-STOP" } else { "-CONT" };
        assert!(
            Command::new("kill")
                .args([signal, &self.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }

    /// How many transactions an account has sent.
    pub(crate) fn sent(&self, account: Account) -> u64 {
        let count = self.rpc("eth_getTransactionCount", json!([account.address, "latest"]));
        u64::from_str_radix(count.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the deployment script leaves: the file that it writes, and the chain's state.
struct Deployed {
    file: String,
    /// What the proof of everybody's powers said.
    powers: String,
    state: Value,
}

/// Who holds the roles of a deployment.
#[derive(Clone, Copy, Debug)]
enum Holding {
    /// Accounts of one key each.
    Keys,
    /// Safes, two of three, as publisher, which promotes, and as guardian.
    Safes,
}

/// The plan of a deployment, as `networks/*.toml` are.
fn plan(holding: Holding, deployment: &str) -> String {
    let account = |account: Account| format!("address = {:?}", account.address);
    let safe = |owners: [Account; 3]| {
        let owners = owners.map(|owner| format!("{:?}", owner.address)).join(", ");
        format!("owners = [{owners}]\nthreshold = 2\nsalt = 1")
    };
    let (publisher, promoter, guardian) = match holding {
        Holding::Keys => (
            account(PUBLISHER),
            format!("[holders.promoter]\n{}\n", account(PROMOTER)),
            account(GUARDIAN),
        ),
        Holding::Safes => (safe(PUBLISHERS), String::new(), safe(GUARDIANS)),
    };
    format!(
        "chain_id = 31337\ndeployment = {deployment:?}\n\
         [holders.admin]\naddress = {ADMIN:?}\n[holders.publisher]\n{publisher}\n{promoter}\
         [holders.guardian]\n{guardian}\n[holders.operations]\n{}\n\
         [delays]\npromote = {TIMELOCK}\noperations = {TIMELOCK}\nadmin = {TIMELOCK}\n\
         cooling_off = {TIMELOCK}\nstaging_period = 2592000\n\
         [verifiers.calldata]\nengine = 1\n",
        account(OPERATIONS)
    )
}

/// Runs a script of forge; what it said.
pub(crate) fn forge(anvil: &Anvil, script: &str, plan: &str, arguments: &[&str]) -> Output {
    Command::new(foundry("forge"))
        .args(["script", script, "--sig", "run(string)", plan, "--rpc-url", &anvil.url])
        .args(arguments)
        .current_dir(contracts())
        .output()
        .unwrap()
}

/// Runs the deployment script once for all tests.
fn deployed(holding: Holding) -> &'static Deployed {
    static KEYS: OnceLock<Deployed> = OnceLock::new();
    static SAFES: OnceLock<Deployed> = OnceLock::new();
    let deployed = match holding {
        Holding::Keys => &KEYS,
        Holding::Safes => &SAFES,
    };
    deployed.get_or_init(|| {
        // Forge writes into its folders as if it were alone.
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock();
        let anvil = Anvil::start(&[]);
        let name = format!("deployments/31337-publisher-{}-{holding:?}", std::process::id());
        let (toml, json) = (format!("{name}.toml"), format!("{name}.json"));
        fs::create_dir_all(contracts().join("deployments")).unwrap();
        fs::write(contracts().join(&toml), plan(holding, &json)).unwrap();
        // One transaction after the other: anvil, mining at each, may forget the next of several at once.
        let unlocked = ["--broadcast", "--slow", "--unlocked", "--sender", DEPLOYER];
        let deployed = forge(&anvil, "script/Deploy.s.sol", &toml, &unlocked);
        let said = String::from_utf8_lossy(&deployed.stderr);
        assert!(deployed.status.success(), "forge script: {said}");
        // Nobody but the holders has any power, which the chain itself says.
        let powers = forge(&anvil, "script/Powers.s.sol", &toml, &[]);
        let said = String::from_utf8_lossy(&powers.stderr);
        assert!(powers.status.success(), "forge script: {said}");
        let file = fs::read_to_string(contracts().join(&json)).unwrap();
        for name in [toml, json] {
            fs::remove_file(contracts().join(name)).unwrap();
        }
        let powers = String::from_utf8(powers.stdout).unwrap();
        Deployed { file, powers, state: anvil.rpc("anvil_dumpState", json!([])) }
    })
}

/// A chain of one's own with the registry on it, and a directory for files.
pub(crate) struct World {
    pub(crate) anvil: Anvil,
    pub(crate) directory: TempDir,
}

impl World {
    /// One whose roles are held by accounts of one key.
    pub(crate) fn new() -> Self {
        Self::of(deployed(Holding::Keys))
    }

    /// One whose publisher, which promotes, and whose guardian are Safes.
    pub(crate) fn with_safes() -> Self {
        Self::of(deployed(Holding::Safes))
    }

    /// What the proof of everybody's powers says of the second.
    pub(crate) fn powers_with_safes() -> &'static str {
        &deployed(Holding::Safes).powers
    }

    fn of(deployed: &Deployed) -> Self {
        let anvil = Anvil::start(&[]);
        anvil.rpc("anvil_loadState", json!([deployed.state]));
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("deployment.json"), &deployed.file).unwrap();
        Self { anvil, directory }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().into()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn deployment(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path("deployment.json")).unwrap()).unwrap()
    }

    /// Builds an artifact that differs from another by its label.
    pub(crate) fn artifact(&self, label: &str) -> String {
        let source = self.write(&format!("{label}.json"), source(label));
        let file = self.path(&format!("{label}.glff"));
        run(&["build", &source, "--out", &file]).succeeded();
        file
    }

    /// The command line of the program against this chain, without a key.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = greenlightctl(arguments);
        command
            .env("GREENLIGHT_RPC", &self.anvil.url)
            .env("GREENLIGHT_DEPLOYMENT", self.path("deployment.json"));
        command
    }

    /// Runs the program against this chain, without a key.
    pub(crate) fn read(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().unwrap(), arguments)
    }

    /// Runs the program as `account`.
    pub(crate) fn run(&self, account: Account, arguments: &[&str]) -> Ended {
        let output =
            self.command(arguments).env("GREENLIGHT_PRIVATE_KEY", account.key).output().unwrap();
        Ended::of(output, arguments)
    }

    /// Builds, stages and promotes; the id.
    pub(crate) fn promoted(&self, label: &str) -> u64 {
        let id = self.staged(label);
        self.run(PROMOTER, &["promote", &id.to_string(), "--no-wait"]).succeeded();
        self.anvil.pass(TIMELOCK);
        let promoted = self.run(PROMOTER, &["promote", &id.to_string(), "--no-wait"]).succeeded();
        assert_eq!(promoted["outcome"], "executed", "{promoted}");
        id
    }

    /// Builds and stages; the id.
    pub(crate) fn staged(&self, label: &str) -> u64 {
        let staged = self.run(PUBLISHER, &["stage", &self.artifact(label)]).succeeded();
        staged["id"].as_u64().unwrap()
    }
}

/// A source of two rows.
pub(crate) fn source(label: &str) -> String {
    json!({
        "label": label, "intercept": -2000, "created_at": 1_763_700_000,
        "rows": [
            { "key": "ua.curl", "kind": "ua-contains", "arg": "curl/", "weight": 4000 },
            { "key": "h.lang", "kind": "header-absent", "arg": "accept-language", "weight": 1200 },
        ],
    })
    .to_string()
}

/// The program, with nothing of this process's environment that could lead it to a chain or a key.
pub(crate) fn greenlightctl(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenlightctl"));
    command.arg("--json").args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GREENLIGHT_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the program without a chain.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    Ended::of(greenlightctl(arguments).output().unwrap(), arguments)
}

/// The same with derived keys kept among the build's products.
pub(crate) fn run_with_keys(arguments: &[&str]) -> Ended {
    let mut command = greenlightctl(arguments);
    command.env("GREENLIGHT_CACHE", env!("CARGO_TARGET_TMPDIR"));
    Ended::of(command.output().unwrap(), arguments)
}

/// A run of the program that is over.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) stderr: String,
    arguments: Vec<String>,
}

impl Ended {
    /// Whatever happened, stdout is one JSON object on one line.
    pub(crate) fn of(output: Output, arguments: &[&str]) -> Self {
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let json = serde_json::from_str(&stdout).unwrap_or_else(|error| {
            panic!("{arguments:?}: {error}: {stdout:?}, stderr {stderr:?}")
        });
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { code: output.status.code().unwrap(), json, stderr, arguments }
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        assert_eq!(self.json["command"].as_str(), self.arguments.first().map(String::as_str));
        self.json
    }

    /// Asserts the exit code and the reason; the error.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, reason: &str) -> Value {
        let error = &self.json["error"];
        assert_eq!((self.code, error["reason"].as_str()), (code, Some(reason)), "{self:?}");
        assert_eq!(error["exit_code"], code, "{self:?}");
        let message = error["message"].as_str().unwrap();
        assert!(self.stderr.contains(message), "people are told the same: {self:?}");
        error.clone()
    }
}

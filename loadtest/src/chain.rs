//! A local chain: anvil on a free port, and raw JSON-RPC calls to it.

use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tokio::{process::Command, time::Instant};

use crate::{process::Process, tools::Tools};

/// One of the accounts of anvil's well-known mnemonic: everybody has these keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) address: Address,
    pub(crate) key: &'static str,
}

macro_rules! account {
    ($address:literal, $key:literal) => {
        Account { address: alloy::primitives::address!($address), key: $key }
    };
}

pub(crate) const DEPLOYER: Account = account!(
    "f39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
);
pub(crate) const ADMIN: Account = account!(
    "70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
);
/// Stages and promotes, or is the first owner of the Safe that does.
pub(crate) const PUBLISHER: Account = account!(
    "3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
);
/// Kills and the like, or is the first owner of the Safe that does.
pub(crate) const GUARDIAN: Account = account!(
    "90F79bf6EB2c4f870365E785982E1f101E93b906",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"
);
pub(crate) const OPERATIONS: Account = account!(
    "9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"
);
/// Owners of the publisher's Safe, two of whom act.
pub(crate) const PUBLISHERS: [Account; 3] = [
    PUBLISHER,
    account!(
        "15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
        "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
    ),
    account!(
        "14dC79964da2C08b23698B3D3cc7Ca32193d9955",
        "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"
    ),
];
/// Owners of the guardian's Safe, two of whom act.
pub(crate) const GUARDIANS: [Account; 3] = [
    GUARDIAN,
    account!(
        "23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
        "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"
    ),
    account!(
        "a0Ee7A142d267C1f36714E4a8F75612F20a79720",
        "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"
    ),
];
/// Holds no role from the start.
pub(crate) const SPARE: Account = account!(
    "976EA74026E726554dB657fA54763abd0C3a0aa9",
    "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"
);

/// JSON-RPC over HTTP, without retries.
#[derive(Clone, Debug)]
pub(crate) struct Rpc {
    http: reqwest::Client,
    pub(crate) url: String,
}

impl Rpc {
    pub(crate) fn new(url: &str) -> Result<Self> {
        // Loopback, where no proxy of the environment leads.
        let http =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { http, url: url.into() })
    }

    /// The whole answer to a request, be it a result or an error.
    pub(crate) async fn forward(&self, request: &Value) -> Result<Value> {
        let answer = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .body(request.to_string());
        let body = answer.send().await?.bytes().await?;
        serde_json::from_slice(&body).context("JSON-RPC answer")
    }

    /// The result of a call.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer = self.forward(&request).await.with_context(|| method.to_owned())?;
        if answer["error"].is_null() {
            Ok(answer["result"].take())
        } else {
            bail!("{method}: {}", answer["error"])
        }
    }

    pub(crate) async fn block_number(&self) -> Result<u64> {
        quantity(&self.call("eth_blockNumber", json!([])).await?)
    }

    /// Sends a call from an account that anvil signs for.
    pub(crate) async fn send(
        &self,
        from: Address,
        to: Address,
        data: impl Into<Bytes>,
    ) -> Result<B256> {
        let data: Bytes = data.into();
        // Enough for any call but a stage, which goes through greenlightctl.
        let call = json!([{ "from": from, "to": to, "data": data, "gas": "0x7a120" }]);
        serde_json::from_value(self.call("eth_sendTransaction", call).await?)
            .context("transaction hash")
    }

    /// Waits until a transaction is mined and says whether it succeeded.
    pub(crate) async fn mined(&self, hash: B256) -> Result<bool> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            let receipt = self.call("eth_getTransactionReceipt", json!([hash])).await?;
            if !receipt.is_null() {
                return Ok(receipt["status"] == "0x1");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("transaction {hash} was not mined within 30 s")
    }

    /// Sends a call and expects it to succeed.
    pub(crate) async fn act(
        &self,
        from: Address,
        to: Address,
        data: impl Into<Bytes>,
    ) -> Result<()> {
        let hash = self.send(from, to, data).await?;
        if self.mined(hash).await? {
            Ok(())
        } else {
            bail!("transaction {hash} from {from} to {to} reverted")
        }
    }

    /// What a call from an account would be refused with on the newest state; `None` where it would succeed.
    pub(crate) async fn refusal(
        &self,
        from: Address,
        to: Address,
        data: impl Into<Bytes>,
    ) -> Result<Option<Bytes>> {
        let data: Bytes = data.into();
        self.refusal_of(json!({ "from": from, "to": to, "data": data })).await
    }

    /// The same for a contract's creation.
    pub(crate) async fn refused_creation(&self, code: Bytes) -> Result<Option<Bytes>> {
        self.refusal_of(json!({ "data": code })).await
    }

    async fn refusal_of(&self, call: Value) -> Result<Option<Bytes>> {
        let params = json!([call, "latest"]);
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": params });
        let mut answer = self.forward(&request).await.context("eth_call")?;
        match answer["error"]["data"].take() {
            Value::Null if answer["error"].is_null() => Ok(None),
            Value::Null => bail!("eth_call: {}", answer["error"]),
            data => serde_json::from_value(data).context("revert data").map(Some),
        }
    }

    /// The result of a view.
    pub(crate) async fn view(&self, to: Address, data: impl Into<Bytes>) -> Result<Bytes> {
        let data: Bytes = data.into();
        let result = self.call("eth_call", json!([{ "to": to, "data": data }, "latest"])).await?;
        serde_json::from_value(result).context("eth_call")
    }
}

/// A JSON-RPC quantity.
pub(crate) fn quantity(value: &Value) -> Result<u64> {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
    digits
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .with_context(|| format!("not a quantity: {value}"))
}

/// When the chain makes a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// When the beacon chain asks for one, at each slot, as on a real chain.
    BySlot,
    /// At each transaction too.
    ByTransaction,
}

/// A running anvil.
#[derive(Debug)]
pub(crate) struct Chain {
    process: Process,
    pub(crate) rpc: Rpc,
}

impl Chain {
    /// Starts one on `port`; 0 takes a free one. Blocks come as [`Blocks`] says.
    pub(crate) async fn start(tools: &Tools, blocks: Blocks, port: u16) -> Result<Self> {
        Self::of(tools, blocks, port, 31_337).await
    }

    /// The same under another chain id.
    pub(crate) async fn of(
        tools: &Tools,
        blocks: Blocks,
        port: u16,
        chain_id: u64,
    ) -> Result<Self> {
        let mut command = Command::new(&tools.anvil);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--chain-id", &chain_id.to_string()]);
        if blocks == Blocks::BySlot {
            command.arg("--no-mining");
        }
        let mut process = Process::start("anvil", command)?;
        let listens = |line: &str| line.trim().strip_prefix("Listening on ").map(ToOwned::to_owned);
        let address = process.line(Duration::from_secs(30), listens).await?;
        process.listen_no_more();
        Ok(Self { process, rpc: Rpc::new(&format!("http://{address}"))? })
    }

    pub(crate) async fn end(self) -> Result<()> {
        self.process.end(Duration::from_secs(10)).await.map(drop)
    }
}

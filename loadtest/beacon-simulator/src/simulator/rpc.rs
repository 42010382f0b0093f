//! As much of the execution chain's JSON-RPC as payloads need.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::execution::{ExecutionBlock, quantity};

#[derive(Debug)]
pub(super) struct Rpc {
    http: reqwest::Client,
    url: String,
}

impl Rpc {
    pub(super) fn new(url: &str) -> Result<Self> {
        // Loopback, where no proxy of the environment leads.
        let http =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        Ok(Self { http, url: url.into() })
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .body(request.to_string());
        let answer = request.send().await.with_context(|| method.to_owned())?.bytes().await?;
        let mut answer: Value = serde_json::from_slice(&answer).context("JSON-RPC answer")?;
        if !answer["error"].is_null() {
            bail!("{method}: {}", answer["error"]);
        }
        Ok(answer["result"].take())
    }

    pub(super) async fn chain_id(&self) -> Result<u64> {
        Ok(quantity(&self.call("eth_chainId", json!([])).await?)?.try_into()?)
    }

    pub(super) async fn newest(&self) -> Result<ExecutionBlock> {
        let block = self.call("eth_getBlockByNumber", json!(["latest", false])).await?;
        ExecutionBlock::from_rpc(&block)
    }

    /// `None` where the chain is not, or no longer, so high.
    pub(super) async fn block(&self, number: u64) -> Result<Option<ExecutionBlock>> {
        let number = json!([format!("{number:#x}"), false]);
        let block = self.call("eth_getBlockByNumber", number).await?;
        if block.is_null() { Ok(None) } else { ExecutionBlock::from_rpc(&block).map(Some) }
    }

    pub(super) async fn mine(&self) -> Result<()> {
        self.call("evm_mine", json!([])).await.map(drop)
    }
}

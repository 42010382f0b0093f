//! The chain as this program sees it: calls, logs and blocks over JSON-RPC, with every failure sorted.

use std::{error::Error as StdError, future::IntoFuture, time::Duration};

use alloy::{
    consensus::BlockHeader as _,
    eips::BlockId,
    network::TransactionBuilder as _,
    primitives::{Address, B256, Bytes, hex},
    providers::{Provider as _, RootProvider},
    rpc::{
        client::ClientBuilder,
        types::{Block, BlockOverrides, Filter, Log, TransactionRequest, state::StateOverride},
    },
    sol_types::SolCall,
    transports::{RpcError, TransportError, TransportErrorKind, TransportResult, http::reqwest},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::{ChainError, Error, SetupError},
    refusal::Refusal,
};

/// One RPC.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) provider: RootProvider,
    /// Scheme, host and port: paths of RPC URLs hold API keys, which belong into no log.
    url: String,
}

/// A block that several reads are made at.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Pin {
    pub(crate) number: u64,
    pub(crate) hash: B256,
    pub(crate) timestamp: u64,
}

impl Pin {
    pub(crate) const fn id(&self) -> BlockId {
        BlockId::hash_canonical(self.hash)
    }
}

impl Chain {
    /// Prepares to talk to the RPC at `url`; `deadline` bounds each answer.
    pub(crate) fn new(url: &str, deadline: Duration) -> Result<Self, SetupError> {
        let problem = |problem: String| SetupError::RpcUrl { problem };
        let url: reqwest::Url = url.parse().map_err(|error| problem(format!("{error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(problem(format!("found {}://", url.scheme())));
        }
        let host = url.host_str().ok_or_else(|| problem("found no host".into()))?;
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        let shown = format!("{}://{host}{port}", url.scheme());
        let client = reqwest::Client::builder()
            .timeout(deadline)
            .connect_timeout(deadline)
            .build()
            .map_err(|error| problem(root_cause(&error)))?;
        Ok(Self {
            provider: RootProvider::new(ClientBuilder::default().http_with_client(client, url)),
            url: shown,
        })
    }

    /// Awaits an RPC call and sorts its failure.
    pub(crate) async fn ask<T>(
        &self,
        method: &'static str,
        call: impl IntoFuture<Output = TransportResult<T>>,
    ) -> Result<T, ChainError> {
        call.await.map_err(|error| self.sort(method, error))
    }

    pub(crate) async fn chain_id(&self) -> Result<u64, ChainError> {
        self.ask("eth_chainId", self.provider.get_chain_id()).await
    }

    /// The newest block.
    pub(crate) async fn latest(&self) -> Result<Pin, ChainError> {
        self.pin(BlockId::latest()).await
    }

    pub(crate) async fn pin(&self, id: BlockId) -> Result<Pin, ChainError> {
        let header = self.block(id).await?.header;
        Ok(Pin { number: header.number(), hash: header.hash, timestamp: header.timestamp() })
    }

    pub(crate) async fn block(&self, id: BlockId) -> Result<Block, ChainError> {
        self.ask("eth_getBlock", self.provider.get_block(id)).await?.ok_or_else(|| {
            ChainError::Answer {
                url: self.url.clone(),
                method: "eth_getBlock",
                problem: format!("found no block {id:?}"),
            }
        })
    }

    /// Reads from a contract.
    pub(crate) async fn view<C: SolCall>(
        &self,
        to: Address,
        call: &C,
        block: BlockId,
    ) -> Result<C::Return, ChainError> {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let answer = self.call(request, block, StateOverride::default(), None).await?;
        C::abi_decode_returns(&answer).map_err(|error| ChainError::Answer {
            url: self.url.clone(),
            method: "eth_call",
            problem: format!("{} of {to}: {error}", C::SIGNATURE),
        })
    }

    /// Runs a call without sending it, on a state and in a block other than the real ones where the overrides say so.
    pub(crate) async fn call(
        &self,
        request: TransactionRequest,
        block: BlockId,
        state: StateOverride,
        of_block: Option<BlockOverrides>,
    ) -> Result<Bytes, ChainError> {
        // Not every RPC takes the parameter.
        let state = (!state.is_empty()).then_some(state);
        let call = self.provider.call(request).block(block);
        self.ask("eth_call", call.overrides_opt(state).with_block_overrides_opt(of_block)).await
    }

    /// All logs of `filter` from a block to another. Providers bound the range that they search at once, each at
    /// another number: a refused range is halved.
    pub(crate) async fn logs(
        &self,
        filter: &Filter,
        from: u64,
        to: u64,
    ) -> Result<Vec<Log>, ChainError> {
        let mut logs = Vec::new();
        let mut ranges = vec![(from, to)];
        while let Some((from, to)) = ranges.pop() {
            let range = filter.clone().from_block(from).to_block(to);
            match self.ask("eth_getLogs", self.provider.get_logs(&range)).await {
                Ok(found) => logs.extend(found),
                Err(ChainError::Rpc { .. }) if from < to => {
                    let middle = from.midpoint(to);
                    ranges.push((middle.saturating_add(1), to));
                    ranges.push((from, middle));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(logs)
    }

    /// Makes sure that there is a contract at `address`.
    pub(crate) async fn expect_contract(
        &self,
        address: Address,
        chain_id: u64,
    ) -> Result<(), Error> {
        if self.ask("eth_getCode", self.provider.get_code_at(address)).await?.is_empty() {
            return Err(SetupError::NoContract { address, chain_id }.into());
        }
        Ok(())
    }

    fn sort(&self, method: &'static str, error: TransportError) -> ChainError {
        let url = self.url.clone();
        match error {
            RpcError::ErrorResp(payload) => {
                let data =
                    payload.data.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok());
                match data.as_ref().and_then(revert_data) {
                    Some(data) => {
                        ChainError::Refused { refusal: Refusal::decode(&data), transaction: None }
                    }
                    // EIP-1474 leaves the message open; clients agree on this word for a revert without data.
                    None if payload.message.contains("execution reverted") => ChainError::Refused {
                        refusal: Refusal::decode(&Bytes::new()),
                        transaction: None,
                    },
                    None => ChainError::Rpc {
                        url,
                        method,
                        code: payload.code,
                        message: excerpt(&payload.message),
                    },
                }
            }
            RpcError::Transport(TransportErrorKind::HttpError(error))
            | RpcError::Transport(TransportErrorKind::HttpErrorWithRetryAfter { error, .. }) => {
                let problem = format!("HTTP status {}: {}", error.status, excerpt(&error.body));
                ChainError::Unreachable { url, method, problem }
            }
            RpcError::Transport(TransportErrorKind::Custom(error)) => {
                ChainError::Unreachable { url, method, problem: root_cause(error.as_ref()) }
            }
            RpcError::DeserError { err, text } => ChainError::Answer {
                url,
                method,
                problem: format!("found {}: {err}", excerpt(&text)),
            },
            other => ChainError::Answer { url, method, problem: excerpt(&other.to_string()) },
        }
    }
}

/// Revert data, which clients put at different depths of the error's `data`.
fn revert_data(data: &Value) -> Option<Bytes> {
    match data {
        Value::String(text) => {
            let digits = text.strip_prefix("Reverted ").unwrap_or(text).strip_prefix("0x")?;
            hex::decode(digits).ok().map(Bytes::from)
        }
        Value::Object(fields) => fields.values().find_map(revert_data),
        _ => None,
    }
}

/// The innermost cause alone: the outer ones repeat the URL.
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    excerpt(&cause.to_string())
}

/// The beginning of foreign text, on one line.
fn excerpt(text: &str) -> String {
    const LIMIT: usize = 200;
    let mut short: String = text.chars().take(LIMIT).flat_map(char::escape_debug).collect();
    if text.chars().nth(LIMIT).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;

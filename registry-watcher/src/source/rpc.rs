use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::B256;
use async_trait::async_trait;
use serde::Deserialize;

use super::{BlockRef, HeadSource, Heads, VerifiedHead};
use crate::rpc::{Reason, RpcError, RpcPool};

/// Takes headers from an RPC on its word: for development, where the chain is one's own.
///
/// What it does check: that the header's fields hash to the block hash it is given under (so that the state root is
/// that block's), and that the chain is the configured one.
#[derive(Debug)]
pub struct RpcSource {
    rpcs: Arc<RpcPool>,
    chain_id: u64,
    adoption_depth: u64,
}

/// A header that is not what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The fields hash to something else.
    #[error("block hash: expected {expected}, the hash of the header's fields; found {found}")]
    Hash {
        /// Hash of the fields.
        expected: B256,
        /// Hash in the answer.
        found: B256,
    },
    /// Another block than was asked for.
    #[error("block number: expected {expected}; found {found}")]
    Number {
        /// Number asked for.
        expected: u64,
        /// Number in the answer.
        found: u64,
    },
    /// Another chain.
    #[error("chain id: expected {expected}; found {found}")]
    ChainId {
        /// The configured chain.
        expected: u64,
        /// The endpoint's chain.
        found: String,
    },
}

impl HeaderError {
    /// The stable name of the error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Hash { .. } => "header-hash",
            Self::Number { .. } => "header-number",
            Self::ChainId { .. } => "chain-id",
        }
    }
}

impl Reason for HeaderError {
    fn reason(&self) -> &'static str {
        self.reason()
    }
}

#[derive(Deserialize)]
struct Block {
    hash: B256,
    #[serde(flatten)]
    header: Header,
}

impl RpcSource {
    /// A source whose adoptable head is `adoption_depth` blocks below the newest.
    #[must_use]
    pub const fn new(rpcs: Arc<RpcPool>, chain_id: u64, adoption_depth: u64) -> Self {
        Self { rpcs, chain_id, adoption_depth }
    }

    async fn block(&self, number: Option<u64>) -> Result<VerifiedHead, RpcError> {
        let tag = number.map_or_else(|| "latest".into(), |number| format!("{number:#x}"));
        let params = serde_json::json!([tag, false]);
        self.rpcs
            .call_checked("eth_getBlockByNumber", &params, |block: Block| {
                let expected = block.header.hash_slow();
                if expected != block.hash {
                    return Err(HeaderError::Hash { expected, found: block.hash });
                }
                let found = block.header.number;
                match number {
                    Some(expected) if expected != found => {
                        Err(HeaderError::Number { expected, found })
                    }
                    _ => Ok(VerifiedHead {
                        block: BlockRef {
                            number: found,
                            hash: block.hash,
                            timestamp: block.header.timestamp,
                        },
                        state_root: block.header.state_root,
                    }),
                }
            })
            .await
    }
}

#[async_trait]
impl HeadSource for RpcSource {
    fn kind(&self) -> &'static str {
        "rpc"
    }

    async fn heads(&mut self) -> Result<Heads, RpcError> {
        let expected = self.chain_id;
        self.rpcs
            .call_checked("eth_chainId", &serde_json::json!([]), |found: String| {
                if found == format!("{expected:#x}") {
                    Ok(())
                } else {
                    Err(HeaderError::ChainId { expected, found })
                }
            })
            .await?;
        let newest = self.block(None).await?;
        let adoptable = match self.adoption_depth {
            0 => newest.clone(),
            // A chain younger than the depth has its genesis to adopt from.
            depth => self.block(Some(newest.block().number.saturating_sub(depth))).await?,
        };
        Ok(Heads { newest, adoptable })
    }
}

#![allow(clippy::disallowed_methods, reason = "measures how long the chain stands still")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_consensus::Header;
use alloy_primitives::B256;
use async_trait::async_trait;
use serde::Deserialize;

use super::{BlockRef, HeadSource, Heads, SourceError, VerifiedHead};
use crate::{
    machine::Ages,
    rpc::{Blame, CallError, Reason, RpcPool},
    status::SourceReport,
};

/// Takes headers from an RPC on its word: for development, where the chain is one's own.
///
/// What it does check: that the header's fields hash to the block hash it is given under (so that the state root is
/// that block's), and that the chain is the configured one.
///
/// An endpoint that answers and yet is behind, because its node hangs, syncs or was restored, must not hide a kill that
/// another one knows: others are preferred to one that shows a block below the highest so far, and asked where the
/// newest stands still.
#[derive(Debug)]
pub struct RpcSource {
    rpcs: Arc<RpcPool>,
    chain_id: u64,
    adoption_depth: u64,
    /// The highest number at which the registry was read.
    highest: u64,
    /// When that number was first read at.
    advanced: Instant,
    /// How long it may stand still before every endpoint is asked for a higher one.
    patience: Duration,
}

/// A slot of Ethereum and some: a chain that goes on shows a new block within it.
const PATIENCE: Duration = Duration::from_secs(15);

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
    /// A header that is not its child's parent.
    #[error("parent hash: expected {expected}; found a header that hashes to {found}")]
    Parent {
        /// What the child names.
        expected: B256,
        /// Hash of the fields.
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
    /// A block below one that an endpoint showed before.
    #[error("block number: expected at least {expected}; found {found}")]
    Behind {
        /// The least number that helps.
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
            Self::Parent { .. } => "header-parent",
            Self::Number { .. } => "header-number",
            Self::Behind { .. } => "header-behind",
            Self::ChainId { .. } => "chain-id",
        }
    }
}

impl Reason for HeaderError {
    fn blame(&self) -> Blame {
        if matches!(self, Self::Behind { .. }) { Blame::Behind } else { Blame::Lied }
    }

    fn reason(&self) -> &'static str {
        self.reason()
    }
}

/// Which block is asked for.
#[derive(Clone, Copy)]
enum Tag {
    /// The newest, if its number is at least that.
    Latest { least: u64 },
    /// The one of that number.
    Number(u64),
}

/// A header with the hash that it is given under.
#[derive(Deserialize)]
pub(super) struct Block {
    pub(super) hash: B256,
    #[serde(flatten)]
    pub(super) header: Header,
}

impl Block {
    /// The head that this is by its own word.
    pub(super) const fn head(&self) -> VerifiedHead {
        VerifiedHead {
            block: BlockRef {
                number: self.header.number,
                hash: self.hash,
                timestamp: self.header.timestamp,
            },
            state_root: self.header.state_root,
        }
    }

    /// The head that this is, if its fields hash to its hash.
    ///
    /// # Errors
    /// [`HeaderError::Hash`].
    pub(super) fn hashed(&self) -> Result<VerifiedHead, HeaderError> {
        let expected = self.header.hash_slow();
        if expected == self.hash {
            Ok(self.head())
        } else {
            Err(HeaderError::Hash { expected, found: self.hash })
        }
    }
}

/// Asks for the chain's id and expects this one.
///
/// # Errors
/// [`CallError`] of the last endpoint tried.
pub(super) async fn expect_chain(rpcs: &RpcPool, expected: u64) -> Result<(), CallError> {
    rpcs.call_checked("eth_chainId", &serde_json::json!([]), |found: String| {
        if found == format!("{expected:#x}") {
            Ok(())
        } else {
            Err(HeaderError::ChainId { expected, found })
        }
    })
    .await
}

impl RpcSource {
    /// A source whose adoptable head is `adoption_depth` blocks below the newest.
    #[must_use]
    pub fn new(rpcs: Arc<RpcPool>, chain_id: u64, adoption_depth: u64) -> Self {
        Self {
            rpcs,
            chain_id,
            adoption_depth,
            highest: 0,
            advanced: Instant::now(),
            patience: PATIENCE,
        }
    }

    /// Prefers endpoints whose newest block is at least `number`.
    #[must_use]
    pub const fn not_below(mut self, number: u64) -> Self {
        self.highest = number;
        self
    }

    /// The newest block of the first endpoint that is not behind; where that has stood still for too long, of one that
    /// is ahead.
    async fn newest(&self) -> Result<VerifiedHead, CallError> {
        let newest = match self.block(Tag::Latest { least: self.highest }).await {
            // All are. Whoever keeps the floor refuses what they say, and records it.
            Err(CallError::Behind { .. }) => self.block(Tag::Latest { least: 0 }).await?,
            answer => answer?,
        };
        if newest.block.number > self.highest || self.advanced.elapsed() <= self.patience {
            return Ok(newest);
        }
        let ahead = self.block(Tag::Latest { least: self.highest.saturating_add(1) }).await;
        // Where none is ahead, it is the chain that stands still.
        Ok(ahead.unwrap_or(newest))
    }

    async fn block(&self, wanted: Tag) -> Result<VerifiedHead, CallError> {
        let tag = match wanted {
            Tag::Latest { .. } => "latest".into(),
            Tag::Number(number) => format!("{number:#x}"),
        };
        let params = serde_json::json!([tag, false]);
        self.rpcs
            .call_checked("eth_getBlockByNumber", &params, |block: Block| {
                let head = block.hashed()?;
                let found = head.block.number;
                match wanted {
                    Tag::Number(expected) if expected != found => {
                        Err(HeaderError::Number { expected, found })
                    }
                    Tag::Latest { least } if found < least => {
                        Err(HeaderError::Behind { expected: least, found })
                    }
                    _ => Ok(head),
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

    async fn heads(&mut self) -> Result<Heads, SourceError> {
        expect_chain(&self.rpcs, self.chain_id).await?;
        let newest = self.newest().await?;
        let adoptable = match self.adoption_depth {
            0 => newest.clone(),
            // A chain younger than the depth has its genesis to adopt from.
            depth => self.block(Tag::Number(newest.block().number.saturating_sub(depth))).await?,
        };
        Ok(Heads { newest, adoptable, ages: Ages::default() })
    }

    /// Only now, since any number can be written into a header.
    fn held(&mut self, heads: &Heads) {
        if heads.newest.block.number > self.highest {
            self.highest = heads.newest.block.number;
            self.advanced = Instant::now();
        }
    }

    fn report(&self) -> SourceReport {
        SourceReport { endpoint: self.rpcs.preferred(), ..SourceReport::default() }
    }
}

#[cfg(test)]
mod tests;

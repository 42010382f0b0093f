//! Where verified heads come from.

mod rpc;

use alloy_primitives::B256;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use rpc::{HeaderError, RpcSource};

use crate::rpc::RpcError;

/// A block, as heads and evidence name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRef {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its Unix seconds.
    pub timestamp: u64,
}

/// A block whose state root this edge has reason to believe. Only a [`HeadSource`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHead {
    block: BlockRef,
    state_root: B256,
}

impl VerifiedHead {
    /// The block.
    #[must_use]
    pub const fn block(&self) -> BlockRef {
        self.block
    }

    /// The root that storage proofs are checked against.
    #[must_use]
    pub const fn state_root(&self) -> B256 {
        self.state_root
    }
}

/// The two heads that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    /// The newest: kill, rollback and pause are honoured here.
    pub newest: VerifiedHead,
    /// The one deep enough to adopt from; never newer than `newest`.
    pub adoptable: VerifiedHead,
}

/// Follows a chain's head and verifies it by its own rules.
#[async_trait]
pub trait HeadSource: Send {
    /// The name of this kind of source in configuration, status and metrics.
    fn kind(&self) -> &'static str;

    /// The heads as of now.
    ///
    /// # Errors
    /// [`RpcError`] where no endpoint gave a header that verifies.
    async fn heads(&mut self) -> Result<Heads, RpcError>;

    /// Learns that storage could be proven at both heads.
    fn held(&mut self, heads: &Heads) {
        let _ = heads;
    }
}

//! A beacon chain that follows a running execution chain.

use anyhow::Result;

use crate::{server::Endpoint, spec::Spec};

/// A running simulator; it ends with this value.
#[derive(Debug)]
pub struct Simulator {
    spec: Spec,
}

/// What becomes of a slot for which the execution chain has no new block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Idle {
    /// The slot is missed.
    #[default]
    Miss,
    /// The execution chain is told to make a block (`evm_mine`), as a proposer tells its own on a real chain.
    Mine,
}

#[allow(unused, clippy::todo, clippy::unused_async, missing_docs, reason = "to be written")]
impl Simulator {
    pub async fn start(spec: Spec, execution_rpc: &str) -> Result<Self> {
        todo!()
    }
    pub async fn endpoint(&self) -> Result<Endpoint> {
        todo!()
    }
    /// Root of the newest final block, 0x-hex.
    pub fn checkpoint(&self) -> String {
        todo!()
    }
    pub fn spec(&self) -> &Spec {
        &self.spec
    }
    pub fn head_slot(&self) -> u64 {
        todo!()
    }
    pub fn attested_slot(&self) -> u64 {
        todo!()
    }
    pub fn finalized_slot(&self) -> u64 {
        todo!()
    }
    /// No further block until [`Self::resume`].
    pub fn hold(&self) {
        todo!()
    }
    pub fn resume(&self) {
        todo!()
    }
    pub fn when_idle(&self, idle: Idle) {
        todo!()
    }
}

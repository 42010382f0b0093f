//! The chain.

use serde_json::Value;

use crate::{execution::ExecutionBlock, forge::Forgery, spec::Spec};

/// A beacon chain.
#[derive(Clone, Debug)]
pub struct BeaconChain {
    spec: Spec,
}

#[allow(unused, clippy::todo, reason = "to be written")]
#[allow(missing_docs, reason = "to be written")]
impl BeaconChain {
    pub fn new(spec: Spec) -> Self {
        Self { spec }
    }
    pub fn spec(&self) -> &Spec {
        &self.spec
    }
    /// Appends a block; the one before gets its signature thereby. `false` and nothing done where the slot is not above
    /// the head's.
    pub fn push(&mut self, slot: u64, block: ExecutionBlock) -> bool {
        todo!()
    }
    /// Drops the blocks above `slot`, as far as they are not final.
    pub fn rewind(&mut self, slot: u64) {
        todo!()
    }
    /// Of the newest block; 0 where there is none.
    pub fn head_slot(&self) -> u64 {
        todo!()
    }
    /// Of the newest block that is signed; 0 where there is none.
    pub fn attested_slot(&self) -> u64 {
        todo!()
    }
    /// Of the newest final block; 0 where there is none.
    pub fn finalized_slot(&self) -> u64 {
        todo!()
    }
    /// Of the newest final block; zeros where there is none.
    pub fn finalized_root(&self) -> [u8; 32] {
        todo!()
    }
    pub fn bootstrap(&self, root: [u8; 32]) -> Option<Value> {
        todo!()
    }
    pub fn updates(&self, start_period: u64, count: u64) -> Vec<Value> {
        todo!()
    }
    pub fn finality_update(&self) -> Option<Value> {
        todo!()
    }
    pub fn optimistic_update(&self) -> Option<Value> {
        todo!()
    }
    /// The signed block of a slot, as `/eth/v2/beacon/blocks/{slot}` gives it.
    pub fn block(&self, slot: u64) -> Option<Value> {
        todo!()
    }
    /// An update of synthetic blocks; nothing of it depends on the blocks of this chain.
    pub fn forge(&self, forgery: &Forgery) -> Value {
        todo!()
    }
    /// Root and bootstrap of a synthetic block at any slot.
    pub fn forge_bootstrap(&self, slot: u64, execution: ExecutionBlock) -> ([u8; 32], Value) {
        todo!()
    }
}

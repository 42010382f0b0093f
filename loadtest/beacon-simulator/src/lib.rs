//! A beacon chain over a local execution chain.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "judges others and serves no one: a panic here fails a test"
)]

mod block;
mod chain;
mod execution;
mod forge;
mod json;
mod keys;
mod server;
mod simulator;
mod spec;
mod ssz;

pub use chain::BeaconChain;
pub use execution::ExecutionBlock;
pub use forge::{Forgery, Signers, finality_update_of, optimistic_update_of};
pub use server::{Endpoint, Manner, SharedChain};
pub use simulator::{Idle, Simulator};
pub use spec::{Fork, Preset, Spec};

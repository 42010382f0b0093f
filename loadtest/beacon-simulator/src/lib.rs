//! A beacon chain over a local execution chain, for tests, demo and drills.
//!
//! - [`BeaconChain`]: the chain itself, without clock or socket. It gives what the light-client routes of the Beacon API
//!   give, and forges what a liar would ([`Forgery`]).
//! - [`Simulator`]: follows a running anvil by the wall clock, a slot at a time.
//! - [`Endpoint`]: serves a chain by HTTP, in any [`Manner`].
//!
//! Sources: consensus-specs `specs/{altair,capella,deneb,electra,fulu}/light-client/` (`full-node.md` is what is played here,
//! `sync-protocol.md` what it is played to), the Beacon API's `light_client` routes.
//!
//! Nothing here is shared with the client that it tests, and no program for operators links it. Its secret keys are those
//! of all test networks, which everybody has.

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

/// The examples of the readme compile and hold.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! The pure core of an Ethereum light client: the sync protocol of the Altair fork, through Fulu.
//!
//! ```text
//! trusted block root, Bootstrap ── bootstrap ──► Store ──► Header ──► ExecutionPayloadHeader::state_root
//!                                                 ▲  │
//!              Update, current_slot ── apply_update ◄┘
//! ```
//!
//! It follows consensus-specs, `specs/{altair,capella,deneb,electra,fulu}/light-client/{sync-protocol,fork}.md`, with the
//! rules in their order and each deviation marked. It is stricter than the specification in what it takes: two thirds of
//! the committee must have signed *every* header, also an optimistic one.
//!
//! Nothing here does IO, reads a clock or draws a random number: bytes and the current slot come in as arguments, a store
//! is never changed in place, and no input panics.
//!
//! # In use
//!
//! A driver finds out the fork of an answer by [`Fork::from_name`] of its `version` member, reads its `data` member by
//! `from_json` of [`Bootstrap`], [`Update`], [`FinalityUpdate`] or [`OptimisticUpdate`], and hands it to [`bootstrap`] or
//! [`apply_update`] with [`Network::slot_at`] of its clock. A store that is periods behind takes the updates of those
//! periods in their order. [`Store::to_json`] is what to keep.
//!
//! Whoever tests against the client needs no more than that: JSON or SSZ in, a [`Store`] or a [`LightClientError`] with
//! its `reason()` out.

mod committee;
mod data;
mod error;
mod header;
mod merkle;
mod network;
mod protocol;
mod store;
mod wire;

pub use data::{Bootstrap, FinalityUpdate, OptimisticUpdate, Participation, Update};
pub use error::{LightClientError, Which};
pub use header::{BeaconBlockHeader, ExecutionPayloadHeader, Header};
pub use network::{Epoch, Fork, ForkSchedule, Network, Preset, Slot};
pub use protocol::{apply_update, bootstrap, force_update};
pub use store::Store;

#[cfg(test)]
mod tests;

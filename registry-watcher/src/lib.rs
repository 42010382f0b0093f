//! Follows Greenlight's registry contract by proof and decides what an edge runs.
//!
//! ```text
//! source ──► VerifiedHead ──► registry (storage proofs) ──► Head, Release ──► fetch ──► CheckedArtifact
//!                                     │                                                      │
//!                                     ▼                                                      ▼
//!                          machine::step(&State, Event, now) ◄──── driver ────► Engine::compile, install
//!                                                                    │
//!                                                          store (last-good), evidence
//! ```
//!
//! The [`machine`] decides and does nothing else: no IO, no clock, no randomness. The driver, reached through
//! [`Watcher`], performs its commands and reports back. Nothing that a request touches waits for any of it.
//!
//! What later sources plug into: [`source::HeadSource`] for where headers come from, [`fetch::ArtifactSource`] for
//! where bytes come from, and [`Engine`] for what runs them. As pure as the machine is [`light_client`], which tells the
//! chain's headers from forged ones.

mod back_off;
mod beacon;
mod config;
mod driver;
mod endpoints;
mod engine;
pub mod evidence;
pub mod fetch;
pub mod light_client;
pub mod machine;
mod millis;
pub mod registry;
pub mod rpc;
pub mod source;
mod status;
pub mod store;
#[cfg(test)]
#[path = "../tests/hostile/trie.rs"]
mod trie;

pub use config::{Adoption, Config, SourceConfig, StaleMode};
pub use driver::Watcher;
pub use engine::{CompileRefused, Engine};
pub use status::{
    ApiReport, ArtifactStatus, EndpointReport, HeadReport, HeadStatus, Participation, SourceReport,
    SourceStatus, Status, StatusHandle,
};

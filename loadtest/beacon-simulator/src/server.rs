//! HTTP endpoints over a chain, each with a manner of its own.

use std::time::Duration;

/// How an endpoint behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Serves what the chain has.
    #[default]
    Honest,
    /// A node of a Merkle branch is altered.
    ForgedBranch,
    /// Signed by one seat fewer than two thirds: 341 of 512.
    OneShort,
    /// Signed under another fork version.
    WrongForkVersion,
    /// `"version": "gloas"`.
    UnknownFork,
    /// A second block of the attested slot with another execution state, proven and signed, but by one third of the
    /// committee only: so many may well be hostile.
    Equivocate,
    /// What there was when the manner was set, for ever.
    Frozen,
    /// The oldest finality update that there was when the manner was set; the rest is honest.
    OldFinalized,
    /// A body without end.
    Endless,
    /// HTTP 200 and no JSON.
    Garbage,
    /// This status and an error in JSON.
    Status(u16),
    /// A byte a second, for ever.
    Drip,
    /// Closes every connection at once.
    Down,
    /// Honest, but so much later.
    Slow(Duration),
    /// HTTP 500 for updates by period; the rest is honest.
    NoUpdates,
}

/// A running endpoint; it ends with this value.
#[derive(Debug)]
pub struct Endpoint {
    /// `http://127.0.0.1:…`, without a slash at the end.
    pub url: String,
}

#[allow(unused, clippy::todo, reason = "to be written")]
impl Endpoint {
    /// Sets the manner, from the next request on.
    pub fn be(&self, manner: Manner) {
        todo!()
    }

    /// How many requests came so far.
    pub fn requests(&self) -> u64 {
        todo!()
    }
}

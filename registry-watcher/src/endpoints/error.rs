//! What went wrong with a call, in words and by name.

use std::time::Duration;

use alloy_primitives::B256;

use super::Turn;

/// What endpoints speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Api {
    /// JSON-RPC 2.0 of an execution client.
    JsonRpc,
    /// REST API of a beacon node.
    Beacon,
}

/// Why a call had no usable answer. With several endpoints, what the last one tried did.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No connection, or one that broke.
    #[error("{endpoint}: {problem}")]
    Unreachable {
        /// What was spoken.
        api: Api,
        /// Host and port.
        endpoint: String,
        /// What the network said.
        problem: String,
    },
    /// Too slow.
    #[error("{endpoint}: expected an answer within {deadline:?}; found none")]
    Deadline {
        /// What was spoken.
        api: Api,
        /// Host and port.
        endpoint: String,
        /// The configured deadline.
        deadline: Duration,
    },
    /// Another HTTP status than 200.
    #[error("{endpoint}: {call}: expected HTTP 200; found {found}")]
    HttpStatus {
        /// What was spoken.
        api: Api,
        /// Host and port.
        endpoint: String,
        /// The method or route.
        call: &'static str,
        /// The status.
        found: u16,
    },
    /// Larger than any honest answer.
    #[error("{endpoint}: {call}: expected at most {max} bytes; found more")]
    TooLarge {
        /// What was spoken.
        api: Api,
        /// Host and port.
        endpoint: String,
        /// The method or route.
        call: &'static str,
        /// The cap.
        max: usize,
    },
    /// Not what the method or the route answers.
    #[error("{endpoint}: expected the result of {call}; {problem}")]
    Garbage {
        /// What was spoken.
        api: Api,
        /// Host and port.
        endpoint: String,
        /// The method or route.
        call: &'static str,
        /// What the parser said.
        problem: String,
    },
    /// The endpoint answered with an error of its own.
    #[error("{endpoint}: {call} answered error {code}: {message}")]
    Answer {
        /// Host and port.
        endpoint: String,
        /// The method.
        call: &'static str,
        /// JSON-RPC error code.
        code: i64,
        /// Its message, cut short.
        message: String,
    },
    /// An answer that does not verify.
    #[error("{endpoint}: {call} does not verify: {problem}")]
    Lie {
        /// Host and port.
        endpoint: String,
        /// The method or route.
        call: &'static str,
        /// The stable name of what failed.
        reason: &'static str,
        /// What failed.
        problem: String,
    },
    /// An answer that may be honest, from an endpoint that knows less than another did.
    #[error("{endpoint}: {call} is behind: {problem}")]
    Behind {
        /// Host and port.
        endpoint: String,
        /// The method or route.
        call: &'static str,
        /// The stable name of what is behind.
        reason: &'static str,
        /// Expected and found.
        problem: String,
    },
    /// An answer that may be honest, and that this edge cannot judge.
    #[error("{endpoint}: {call} cannot be judged here: {problem}")]
    Beyond {
        /// Host and port.
        endpoint: String,
        /// The method or route.
        call: &'static str,
        /// The stable name of what is missing here.
        reason: &'static str,
        /// Expected and found.
        problem: String,
    },
    /// The bytes are where this version does not look.
    #[error(
        "expected an artifact in event data; found one in blob {versioned_hash}, which this version does not fetch"
    )]
    BlobNotFetched {
        /// The blob's versioned hash (EIP-4844).
        versioned_hash: B256,
    },
    /// There is no endpoint to ask.
    #[error("expected at least one endpoint; found none")]
    NoEndpoint {
        /// What would be spoken.
        api: Api,
    },
}

impl CallError {
    /// The stable name of the error: `rpc-…` for JSON-RPC, `beacon-…` for the Beacon API, or what the answer broke.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable { api, .. } => api.pick("rpc-unreachable", "beacon-unreachable"),
            Self::Deadline { api, .. } => api.pick("rpc-deadline", "beacon-deadline"),
            Self::HttpStatus { api, .. } => api.pick("rpc-http-status", "beacon-http-status"),
            Self::TooLarge { api, .. } => api.pick("rpc-too-large", "beacon-too-large"),
            Self::Garbage { api, .. } => api.pick("rpc-garbage", "beacon-garbage"),
            Self::Answer { .. } => "rpc-error",
            Self::Lie { reason, .. }
            | Self::Behind { reason, .. }
            | Self::Beyond { reason, .. } => reason,
            Self::BlobNotFetched { .. } => "blob-not-fetched",
            Self::NoEndpoint { api } => api.pick("rpc-none", "beacon-none"),
        }
    }
}

impl Api {
    const fn pick(self, rpc: &'static str, beacon: &'static str) -> &'static str {
        match self {
            Self::JsonRpc => rpc,
            Self::Beacon => beacon,
        }
    }
}

/// A check of an answer, whose failure has a stable name.
pub trait Reason: std::fmt::Display {
    /// The stable name.
    fn reason(&self) -> &'static str;

    /// What it says about the endpoint.
    fn blame(&self) -> Blame {
        Blame::Lied
    }
}

/// What a failed check says about the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// No honest endpoint gives such an answer.
    Lied,
    /// An honest one can, because it is behind the others.
    Behind,
    /// An honest one can, because this edge is: its version, or its clock.
    Beyond,
}

/// The error for an answer that a check refused.
pub(crate) fn refused(turn: &Turn, call: &'static str, why: &(impl Reason + ?Sized)) -> CallError {
    let (endpoint, reason) = (turn.label.clone(), why.reason());
    let problem = short(&why.to_string());
    match why.blame() {
        Blame::Lied => CallError::Lie { endpoint, call, reason, problem },
        Blame::Behind => CallError::Behind { endpoint, call, reason, problem },
        Blame::Beyond => CallError::Beyond { endpoint, call, reason, problem },
    }
}

/// The most characters of an error that repeats what an endpoint sent: it ends up in logs, status and evidence.
const MAX_SAID: usize = 500;

/// As much of what an endpoint said as can be shown.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(MAX_SAID).flat_map(escaped).collect()
}

/// A control character could forge or garble a line of a log or a terminal.
fn escaped(char: char) -> impl Iterator<Item = char> {
    let (plain, escape) =
        if char.is_control() { (None, Some(char.escape_default())) } else { (Some(char), None) };
    plain.into_iter().chain(escape.into_iter().flatten())
}

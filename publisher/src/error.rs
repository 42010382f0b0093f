//! Everything that can go wrong, each with a stable name and the exit code of its class.

use std::{io, path::PathBuf};

use alloy::primitives::{Address, B256};
use greenlight_artifact::{Defect, Digest, source::SourceError};
use serde::Serialize;

use crate::{
    proof::ProofError, refusal::Refusal, safe::error::SafeError, train::TrainError,
    transaction::Mined,
};

/// The exit codes, which scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Exit {
    /// It is done.
    Ok = 0,
    /// Something else failed.
    Failed = 1,
    /// Wrong usage or bad input: nothing was sent.
    BadInput = 2,
    /// A contract refused.
    Refused = 3,
    /// The chain could not be reached, or what answered was not a usable RPC.
    Unreachable = 4,
    /// Waited in vain: it may still happen, and the same command goes on from where this one stopped.
    Timeout = 5,
    /// What was scheduled or signed is void: cancelled, not executed in time, or the head or the Safe's nonce moved under it.
    Vetoed = 6,
}

/// Whatever ends a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Timelock(#[from] TimelockError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Safe(#[from] SafeError),
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{}: expected at most {max} bytes; found more", path.display())]
    TooLarge { path: PathBuf, max: u64 },
    #[error("{}: expected {expected}; found {found}", path.display())]
    Format { path: PathBuf, expected: &'static str, found: String },
    #[error("{}: {error}", path.display())]
    Source { path: PathBuf, error: SourceError },
    #[error("{}: {defect}", path.display())]
    Artifact { path: PathBuf, defect: Defect },
    #[error("{}: expected {expected}, as its inputs give; found {found}", path.display())]
    Differs { path: PathBuf, expected: Digest, found: Digest },
}

/// What is wrong with how the program was told to reach the chain or to sign.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error("no RPC: give --rpc URL or GREENLIGHT_RPC")]
    NoRpc,
    #[error("RPC: expected an http:// or https:// URL; {problem}")]
    RpcUrl { problem: String },
    #[error("no registry: give --registry ADDRESS, GREENLIGHT_REGISTRY or --deployment FILE")]
    NoRegistry,
    #[error("{}: {problem}", path.display())]
    Deployment { path: PathBuf, problem: String },
    #[error("no key: give --keystore FILE or GREENLIGHT_PRIVATE_KEY")]
    NoKey,
    #[error("GREENLIGHT_PRIVATE_KEY: expected 32 bytes in hex that are a secp256k1 key")]
    PrivateKey,
    #[error("{}: no password: give GREENLIGHT_KEYSTORE_PASSWORD or --password-file FILE", path.display())]
    NoPassword { path: PathBuf },
    #[error("{}: {problem}", path.display())]
    Keystore { path: PathBuf, problem: String },
    #[error("the transaction cannot be signed: {problem}")]
    Signing { problem: String },
    #[error("chain id: expected {expected}, as the deployment file says; found {found}")]
    ChainId { expected: u64, found: u64 },
    #[error("{address}: expected the registry; found no contract on chain {chain_id}")]
    NoContract { address: Address, chain_id: u64 },
    #[error(
        "verifier: expected one active verifier, or --verifier ADDRESS to choose; found {found:?}"
    )]
    Verifier { found: Vec<Address> },
    #[error("digest {digest}: never staged")]
    UnknownDigest { digest: Digest },
    #[error("{what}: nothing of it is scheduled")]
    NothingScheduled { what: String },
}

/// What went wrong between here and the chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChainError {
    #[error("{url}: {method}: unreachable: {problem}")]
    Unreachable { url: String, method: &'static str, problem: String },
    #[error("{url}: {method}: expected a JSON-RPC answer of its type; {problem}")]
    Answer { url: String, method: &'static str, problem: String },
    #[error("{url}: {method}: error {code}: {message}")]
    Rpc { url: String, method: &'static str, code: i64, message: String },
    #[error("{}", refusal.message)]
    Refused { refusal: Refusal, transaction: Option<Box<Mined>> },
    #[error("transaction {}: ran out of its {limit} gas", transaction.hash)]
    OutOfGas { transaction: Box<Mined>, limit: u64 },
    #[error("transaction {hash}: expected event {event} in its receipt; found none")]
    NoEvent { event: &'static str, hash: B256 },
    #[error("transaction {hash}: not mined within {seconds} s; it may still be")]
    NotMined { hash: B256, seconds: u64 },
}

/// Why a scheduled operation did not come to its execution.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TimelockError {
    #[error(
        "operation {operation}: cancelled in block {block} by transaction {transaction}; --again schedules it anew"
    )]
    Cancelled { operation: B256, block: u64, transaction: B256 },
    #[error(
        "operation {operation}: not executed before it expired at {}; --again schedules it anew",
        crate::report::time(*expired_at)
    )]
    Expired { operation: B256, expired_at: u64 },
    #[error(
        "operation {operation}: executable from {}, which is more than --max-wait {max_wait} s; run this again then",
        crate::report::time(*ready_at)
    )]
    TooLong { operation: B256, ready_at: u64, max_wait: u64 },
    #[error(
        "operation {operation}: void, because the head moved: expected sequence {expected}; found {found}; run this again to schedule it anew"
    )]
    HeadMoved { operation: B256, expected: u64, found: u64, transaction: Option<Box<Mined>> },
}

/// Where the registry's events and its storage part. One of the two that the RPC gives is not the chain's, or it was asked
/// for events from too late a block on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    #[error(
        "event {event} of block {block}: expected {counted} {expected}; found {found}: an event before it is missing"
    )]
    Gap { event: &'static str, block: u64, counted: &'static str, expected: u64, found: u64 },
    #[error(
        "event {event} of block {block}: expected verifier {verifier} to be {expected} before; found {found}: an event before it is missing"
    )]
    Verifier { event: &'static str, block: u64, verifier: Address, expected: String, found: String },
    #[error("{what}: expected {expected}, as the events say; storage at block {block} has {found}")]
    Differs { what: String, block: u64, expected: String, found: String },
}

impl Error {
    /// The stable name of the problem.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::File(error) => match error {
                FileError::Io { .. } => "io",
                FileError::TooLarge { .. } => "size",
                FileError::Format { .. } => "file-format",
                FileError::Source { error, .. } => error.reason(),
                FileError::Artifact { defect, .. } => defect.reason(),
                FileError::Differs { .. } => "differs",
            },
            Self::Train(error) => error.reason(),
            Self::Proof(error) => error.reason(),
            Self::Safe(error) => error.reason(),
            Self::Setup(error) => match error {
                SetupError::NoRpc => "no-rpc",
                SetupError::RpcUrl { .. } => "rpc-url",
                SetupError::NoRegistry => "no-registry",
                SetupError::Deployment { .. } => "deployment",
                SetupError::NoKey => "no-key",
                SetupError::PrivateKey => "private-key",
                SetupError::NoPassword { .. } => "no-password",
                SetupError::Keystore { .. } => "keystore",
                SetupError::Signing { .. } => "signing",
                SetupError::ChainId { .. } => "chain-id",
                SetupError::NoContract { .. } => "no-contract",
                SetupError::Verifier { .. } => "verifier",
                SetupError::UnknownDigest { .. } => "unknown-digest",
                SetupError::NothingScheduled { .. } => "nothing-scheduled",
            },
            Self::Chain(error) => match error {
                ChainError::Unreachable { .. } => "unreachable",
                ChainError::Answer { .. } => "rpc-answer",
                ChainError::Rpc { .. } => "rpc-error",
                ChainError::Refused { refusal, .. } => refusal.reason,
                ChainError::OutOfGas { .. } => "out-of-gas",
                ChainError::NoEvent { .. } => "no-event",
                ChainError::NotMined { .. } => "not-mined",
            },
            Self::Timelock(error) => match error {
                TimelockError::Cancelled { .. } => "cancelled",
                TimelockError::Expired { .. } => "expired",
                TimelockError::TooLong { .. } => "timelock",
                TimelockError::HeadMoved { .. } => "head-moved",
            },
            Self::History(error) => match error {
                HistoryError::Gap { .. } | HistoryError::Verifier { .. } => "history-gap",
                HistoryError::Differs { .. } => "history-differs",
            },
        }
    }

    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::File(FileError::Differs { .. }) | Self::History(_) => Exit::Failed,
            Self::Safe(error) => error.exit(),
            Self::File(_) | Self::Train(_) | Self::Proof(_) | Self::Setup(_) => Exit::BadInput,
            Self::Chain(ChainError::Refused { .. }) => Exit::Refused,
            Self::Chain(ChainError::Unreachable { .. } | ChainError::Answer { .. }) => {
                Exit::Unreachable
            }
            Self::Chain(ChainError::NotMined { .. })
            | Self::Timelock(TimelockError::TooLong { .. }) => Exit::Timeout,
            Self::Chain(
                ChainError::Rpc { .. } | ChainError::NoEvent { .. } | ChainError::OutOfGas { .. },
            ) => Exit::Failed,
            Self::Timelock(
                TimelockError::Cancelled { .. }
                | TimelockError::Expired { .. }
                | TimelockError::HeadMoved { .. },
            ) => Exit::Vetoed,
        }
    }

    /// The defect of the artifact that the error is about, whoever found it: code and row.
    pub(crate) fn defect(&self) -> Option<(u8, Option<u64>)> {
        use greenlight_artifact::source::SourceProblem;
        let of =
            |defect: &Defect| (defect.code(), defect.row().and_then(|row| u64::try_from(row).ok()));
        match self {
            Self::File(FileError::Artifact { defect, .. }) => Some(of(defect)),
            Self::File(FileError::Source { error, .. }) => match &error.problem {
                SourceProblem::Defect(defect) => Some(of(defect)),
                _ => None,
            },
            Self::Chain(ChainError::Refused { refusal, .. }) => {
                refusal.defect.map(|code| (code, refusal.row))
            }
            _ => None,
        }
    }

    /// The artifact that a refusal of the registry is about.
    pub(crate) fn artifact(&self) -> Option<u32> {
        match self {
            Self::Chain(ChainError::Refused { refusal, .. }) => refusal.artifact,
            _ => None,
        }
    }

    /// The transaction that was mined and failed.
    pub(crate) fn transaction(&self) -> Option<&Mined> {
        match self {
            Self::Chain(ChainError::Refused { transaction, .. })
            | Self::Timelock(TimelockError::HeadMoved { transaction, .. }) => {
                transaction.as_deref()
            }
            Self::Chain(ChainError::OutOfGas { transaction, .. }) => Some(transaction),
            _ => None,
        }
    }
}

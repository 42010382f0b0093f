//! What can be wrong with a proposal to a Safe.

use std::path::PathBuf;

use alloy::primitives::{Address, B256};

use crate::error::Exit;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SafeError {
    #[error("{}: expected a proposal, as `propose` writes it; {problem}", path.display())]
    Proposal { path: PathBuf, problem: String },
    #[error("the proposal: {problem}")]
    Shape { problem: String },
    #[error("the proposal: expected a transaction; found none")]
    Empty,
    #[error("nonce {nonce}: unusual: {field}: expected {expected}; found {found}")]
    Unusual { nonce: u64, field: &'static str, expected: &'static str, found: String },
    #[error("nonce {nonce}: the call cannot be decoded: {problem}")]
    UnknownCall { nonce: u64, problem: String },
    #[error(
        "nonce {nonce}: the text says {found:?}, and the calldata does another thing: {expected:?}"
    )]
    Meaning { nonce: u64, expected: String, found: String },
    #[error("nonce {nonce}: safeTxHash: expected {expected}, as its fields give; found {found}")]
    Hash { nonce: u64, expected: B256, found: B256 },
    #[error("{what}: expected {expected}, as the deployment says; found {found} in the proposal")]
    OtherDeployment { what: &'static str, expected: String, found: String },
    #[error(
        "--safe: expected an address, or a holder that the deployment file names; found {name:?}"
    )]
    UnknownHolder { name: String },
    #[error("{address}: expected a Safe of version 1.4.1 or 1.5.0; {problem}")]
    NotASafe { address: Address, problem: String },
    #[error("signature: expected 65 bytes in hex whose last is 27, 28, 31 or 32; {problem}")]
    Signature { problem: String },
    #[error("nonce {nonce}: the signature under {owner} is not that account's")]
    ForeignSignature { nonce: u64, owner: Address },
    #[error("{account}: expected an owner of the Safe; found none: {}", list(owners))]
    NotAnOwner { account: String, owners: Vec<Address> },
    #[error("{}: expected the same proposal as in the first file; found another", path.display())]
    OtherProposal { path: PathBuf },
    #[error("nonce {nonce}: expected {expected} signatures, found {found}{}", not_yet(missing))]
    Signatures { nonce: u64, expected: u64, found: u64, missing: Vec<Address> },
    #[error(
        "nonce {nonce}: used by another transaction of the Safe, whose next nonce is {next}: the signatures are void; propose anew"
    )]
    NonceUsed { nonce: u64, next: u64 },
    #[error(
        "nonce {nonce}: expected the Safe's next nonce, {next}: execute what comes before first"
    )]
    NonceAhead { nonce: u64, next: u64 },
    #[error("--nonce: expected the Safe's next nonce, {next}, or a later one; found {found}")]
    NonceBehind { found: u64, next: u64 },
    #[error("nonce {nonce}: executed already, in transaction {transaction}")]
    Executed { nonce: u64, transaction: B256 },
    #[error("blob: expected {}; {}", wanted(*expected), given(*found))]
    Blob { expected: Option<B256>, found: Option<B256> },
    #[error("the proposal has no transaction for what has to be done next ({what}): propose anew")]
    NotProposed { what: String },
}

impl SafeError {
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Proposal { .. } | Self::Shape { .. } | Self::Empty => "proposal",
            Self::Unusual { .. } => "unusual",
            Self::UnknownCall { .. } => "unknown-call",
            Self::Meaning { .. } => "meaning",
            Self::Hash { .. } => "safe-tx-hash",
            Self::OtherDeployment { .. } => "other-deployment",
            Self::UnknownHolder { .. } => "unknown-holder",
            Self::NotASafe { .. } => "not-a-safe",
            Self::Signature { .. } | Self::ForeignSignature { .. } => "signature",
            Self::NotAnOwner { .. } => "not-an-owner",
            Self::OtherProposal { .. } => "other-proposal",
            Self::Signatures { .. } => "signatures",
            Self::NonceUsed { .. } => "nonce-used",
            Self::NonceAhead { .. } | Self::NonceBehind { .. } => "nonce",
            Self::Executed { .. } => "already-executed",
            Self::Blob { .. } => "other-blob",
            Self::NotProposed { .. } => "not-proposed",
        }
    }

    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::NonceUsed { .. } | Self::NotProposed { .. } => Exit::Vetoed,
            _ => Exit::BadInput,
        }
    }
}

fn list(accounts: &[Address]) -> String {
    accounts.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
}

fn wanted(blob: Option<B256>) -> String {
    blob.map_or_else(
        || "no --blob, for the proposal stages none".into(),
        |hash| format!("--blob with the artifact of {hash}, which was signed"),
    )
}

fn given(blob: Option<B256>) -> String {
    blob.map_or_else(|| "found none".into(), |hash| format!("found that of {hash}"))
}

fn not_yet(owners: &[Address]) -> String {
    if owners.is_empty() { String::new() } else { format!("; not yet signed: {}", list(owners)) }
}

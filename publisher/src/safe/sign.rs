//! `greenlightctl sign`: an owner looks at a proposal and signs it, without a chain.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use alloy::{
    primitives::{Address, Bytes, hex},
    signers::SignerSync as _,
};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{
    error::SafeError,
    proposal::{Checked, Proposal},
    propose::Written,
    signature::OwnerSignature,
};
use crate::{
    error::{Error, SetupError},
    registry::Deployment,
    report::Report,
    signer::SignerArgs,
};

#[derive(Args, Clone, Debug)]
pub(crate) struct SignArgs {
    /// The proposal.
    file: PathBuf,
    /// Where to write the signed proposal; without it, the same file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show what would be signed, and sign nothing.
    #[arg(long, conflicts_with_all = ["out", "typed_data", "signature"])]
    show: bool,
    /// Print EIP-712 typed data for other wallets (eth_signTypedData_v4), a line for each transaction, and sign nothing.
    #[arg(long, conflicts_with_all = ["out", "signature"])]
    typed_data: bool,
    /// Add a signature that another wallet made, instead of signing; once for each transaction.
    #[arg(long, value_name = "HEX")]
    signature: Vec<Bytes>,
    /// The artifact that is to be staged in a blob: make sure that the blob is the one that is signed.
    #[arg(long, value_name = "ARTIFACT")]
    blob: Option<PathBuf>,
    /// What the deployment script wrote: refuse a proposal for another chain, registry or AccessManager.
    #[arg(long, value_name = "FILE", env = "GREENLIGHT_DEPLOYMENT")]
    deployment: Option<PathBuf>,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Recomputes what the file says, shows it, and adds an owner's signatures.
pub(crate) fn run(args: &SignArgs) -> Result<Report, Error> {
    let proposal = Proposal::read(&args.file)?;
    if let Some(path) = &args.deployment {
        let Deployment { chain_id, registry, manager, .. } = Deployment::read(path)?;
        proposal.expect(chain_id, registry, manager)?;
    }
    let checked = proposal.check()?;
    if let Some(path) = &args.blob {
        checked.work.blob(Some(path))?;
    }
    if args.typed_data {
        return Ok(Report::of(&TypedData { typed_data: checked.typed_data() }));
    }
    if args.show {
        return Ok(Report::of(&Shown { json: checked.json(), checked }));
    }
    let signed = if args.signature.is_empty() {
        sign(checked, &args.signer)?
    } else {
        add(checked, &args.signature)?
    };
    let out: &Path = args.out.as_deref().unwrap_or(&args.file);
    signed.proposal.write(out)?;
    Ok(Report::of(&Written::new(out, signed)))
}

/// Signs every transaction with a key of this machine.
fn sign(checked: Checked, signer: &SignerArgs) -> Result<Checked, Error> {
    let signer = signer.signer()?;
    let owner = signer.address();
    checked.expect_owner(owner)?;
    let mut proposal = checked.proposal;
    for (transaction, step) in proposal.transactions.iter_mut().zip(&checked.steps) {
        let signature = signer
            .sign_hash_sync(&step.hashes.safe_tx_hash)
            .map_err(|error| SetupError::Signing { problem: error.to_string() })?;
        transaction.signatures.insert(owner, OwnerSignature::of(&signature).bytes().clone());
    }
    Ok(proposal.check()?)
}

/// Adds signatures, each to the transaction that it is an owner's of.
fn add(checked: Checked, signatures: &[Bytes]) -> Result<Checked, Error> {
    let mut proposal = checked.proposal.clone();
    for bytes in signatures {
        let signature = OwnerSignature::new(bytes.clone())?;
        let mut steps = checked.steps.iter().zip(&mut proposal.transactions);
        let found = steps.find_map(|(step, transaction)| {
            let signer = signature.signer(step.hashes.safe_tx_hash)?;
            checked.proposal.owners.contains(&signer).then_some((transaction, signer))
        });
        let Some((transaction, signer)) = found else {
            return Err(SafeError::NotAnOwner {
                account: format!("the signer of {}", hex::encode_prefixed(bytes)),
                owners: checked.proposal.owners,
            }
            .into());
        };
        transaction.signatures.insert(signer, signature.bytes().clone());
    }
    Ok(proposal.check()?)
}

impl Checked {
    fn expect_owner(&self, account: Address) -> Result<(), SafeError> {
        if self.proposal.owners.contains(&account) {
            return Ok(());
        }
        let (account, owners) = (account.to_string(), self.proposal.owners.clone());
        Err(SafeError::NotAnOwner { account, owners })
    }
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    json: Value,
    #[serde(skip)]
    checked: Checked,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checked.fmt(f)
    }
}

#[derive(Serialize)]
struct TypedData {
    typed_data: Vec<Value>,
}

impl fmt::Display for TypedData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, typed_data) in self.typed_data.iter().enumerate() {
            write!(f, "{}{typed_data}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

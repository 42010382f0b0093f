//! `greenlightctl execute`: what enough owners signed is done.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use alloy::{
    primitives::{Address, Bytes},
    sol_types::{SolCall as _, SolInterface as _},
};
use clap::Args;
use serde::Serialize;

use super::{
    ISafe, Safe,
    error::SafeError,
    proposal::{Checked, Proposal, Step, Work},
    words::Meaning,
};
use crate::{
    abi::IConfigRegistry::IConfigRegistryCalls as Calls,
    change::{self, Cancelled},
    error::Error,
    operation::{Performed, TimelockArgs, WaitArgs},
    registry::Registry,
    report::Report,
    schedule::Action,
    stage::{self, Blob},
    transaction::{Mined, Rehearsal, Sender, SenderArgs},
};

#[derive(Args, Clone, Debug)]
pub(crate) struct ExecuteArgs {
    /// The proposal; several copies of it, each with other signatures, are put together.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The artifact whose blob the owners signed (`propose stage --blob`): it goes into the transaction's blob.
    #[arg(long, value_name = "ARTIFACT")]
    blob: Option<PathBuf>,
    #[command(flatten)]
    wait: WaitArgs,
    /// For drills: send the next transaction with the signatures there are, neither counted nor rehearsed, so that the
    /// contracts themselves refuse it.
    #[arg(long, conflicts_with_all = ["no_wait", "max_wait"])]
    unchecked: bool,
    #[command(flatten)]
    sender: SenderArgs,
}

/// Puts signatures together, makes sure that they suffice, and executes what is still to be done.
pub(crate) async fn run(args: &ExecuteArgs) -> Result<Report, Error> {
    let checked = merge(&args.files)?;
    let mut sender = args.sender.connect().await?;
    let Registry { chain_id, address, manager, .. } = sender.registry;
    checked.proposal.expect(Some(chain_id), Some(address), Some(manager))?;
    let safe = Safe::read(&sender.registry, checked.proposal.safe).await?;
    let signed = Signed::new(&checked, &safe);
    if args.unchecked {
        return unchecked(&sender, &checked, &signed, safe.nonce).await;
    }
    let next = signed.next(&sender.registry, safe.nonce).await?;
    let schedules = matches!(next.words.meaning, Meaning::Schedule { .. });
    signed.expect_enough(&safe)?;
    if let Some(blob) = carried(&sender.registry, args.blob.as_deref(), &checked.work).await? {
        sender = sender.carrying(blob.sidecar);
    }
    let sender = sender.through(signed);
    match checked.work {
        Work::Cancel => cancel(&sender, &checked.steps, safe.nonce).await,
        Work::Act { action: Action::Stage { .. } | Action::StageBlob { .. }, data } => {
            stage::send(&sender, data, Rehearsal::First).await
        }
        Work::Act { action, data } => {
            // Whoever signed a schedule that is still to come knew what came before.
            let timelock = TimelockArgs { wait: args.wait, again: schedules, unchecked: false };
            let performed = sender.perform(data, &action, timelock).await?;
            change::finish(&sender, performed, action).await
        }
    }
}

/// The blob that was signed, made of the artifact at `path`, if that is the one that the evidence is of.
async fn carried(
    registry: &Registry,
    path: Option<&Path>,
    work: &Work,
) -> Result<Option<Blob>, Error> {
    let blob = work.blob(path)?;
    if let (Some(blob), Some(path), Work::Act { data, .. }) = (&blob, path, work)
        && let Ok(Calls::stageBlob(call)) = Calls::abi_decode(data)
    {
        blob.expect_vouched_for(registry, call.verifier, &call.evidence, path).await?;
    }
    Ok(blob)
}

/// Sends the transaction whose turn it is, or else the last one.
async fn unchecked(
    sender: &Sender,
    checked: &Checked,
    signed: &Signed,
    next: u64,
) -> Result<Report, Error> {
    let step = signed.steps.iter().find(|step| step.nonce == next).or(signed.steps.last());
    let Some(step) = step else { return Err(SafeError::Empty.into()) };
    let execution = step.execution(signed.threshold);
    let transaction = sender.send(checked.proposal.safe, execution, Rehearsal::None).await?;
    match &step.words.meaning {
        Meaning::Act(Action::Stage { .. } | Action::StageBlob { .. }) => {
            stage::report(&sender.registry, transaction)
        }
        Meaning::Act(action) => {
            change::finish(sender, Performed::at_once(transaction), action.clone()).await
        }
        Meaning::Schedule { .. } | Meaning::Cancel { .. } => Ok(Report::of(&Sent { transaction })),
    }
}

/// An unchecked schedule or cancellation that succeeded all the same.
#[derive(Serialize)]
struct Sent {
    transaction: Mined,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transaction  {}", self.transaction)
    }
}

async fn cancel(sender: &Sender, steps: &[Step], next: u64) -> Result<Report, Error> {
    let mut cancelled = Vec::new();
    for step in steps.iter().filter(|step| step.nonce >= next) {
        let Meaning::Cancel { caller, action, data } = &step.words.meaning else { continue };
        let operation = sender.registry.operation_id(*caller, data).await?;
        let transaction = sender.cancel(*caller, data.clone()).await?;
        cancelled.push(Cancelled { operation, action: action.clone(), transaction });
    }
    Ok(change::cancellation(cancelled))
}

/// The proposal of all files, with the signatures of each.
fn merge(files: &[PathBuf]) -> Result<Checked, Error> {
    let mut merged: Option<Checked> = None;
    for path in files {
        let copy = Proposal::read(path)?.check()?;
        let Some(merged) = &mut merged else {
            merged = Some(copy);
            continue;
        };
        if merged.proposal.unsigned() != copy.proposal.unsigned() {
            return Err(SafeError::OtherProposal { path: path.clone() }.into());
        }
        for (step, copy) in merged.steps.iter_mut().zip(copy.steps) {
            step.signatures.extend(copy.signatures);
        }
    }
    merged.ok_or_else(|| SafeError::Empty.into())
}

/// Transactions of a Safe with the signatures of its owners.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    safe: Address,
    steps: Vec<Step>,
    threshold: u64,
}

impl Signed {
    /// Of the signatures, those of whom the chain has as owners.
    fn new(checked: &Checked, safe: &Safe) -> Self {
        let mut steps = checked.steps.clone();
        for step in &mut steps {
            step.signatures.retain(|signer, _| safe.owners.contains(signer));
        }
        Self { safe: safe.address, steps, threshold: safe.threshold }
    }

    pub(crate) const fn safe(&self) -> Address {
        self.safe
    }

    /// The step that the Safe's nonce is at, or says why there is none.
    async fn next(&self, registry: &Registry, next: u64) -> Result<&Step, Error> {
        let (Some(first), Some(last)) = (self.steps.first(), self.steps.last()) else {
            return Err(SafeError::Empty.into());
        };
        if first.nonce > next {
            return Err(SafeError::NonceAhead { nonce: first.nonce, next }.into());
        }
        if let Some(step) = self.steps.iter().find(|step| step.nonce == next) {
            return Ok(step);
        }
        let hash = last.hashes.safe_tx_hash;
        Err(match Safe::executed(registry, self.safe, hash).await? {
            Some(transaction) => SafeError::Executed { nonce: last.nonce, transaction },
            None => SafeError::NonceUsed { nonce: last.nonce, next },
        }
        .into())
    }

    fn expect_enough(&self, safe: &Safe) -> Result<(), SafeError> {
        for step in self.steps.iter().filter(|step| step.nonce >= safe.nonce) {
            let found = u64::try_from(step.signatures.len()).unwrap_or(u64::MAX);
            if found < safe.threshold {
                let mut missing = safe.owners.clone();
                missing.retain(|owner| !step.signatures.contains_key(owner));
                let (nonce, expected) = (step.nonce, safe.threshold);
                return Err(SafeError::Signatures { nonce, expected, found, missing });
            }
        }
        Ok(())
    }

    /// Calldata of `execTransaction` that makes this call, if its turn has come.
    pub(crate) async fn execution(
        &self,
        registry: &Registry,
        to: Address,
        data: &Bytes,
    ) -> Result<Bytes, Error> {
        let same = |step: &&Step| step.transaction.to == to && step.transaction.data == *data;
        let Some(step) = self.steps.iter().find(same) else {
            let what = if to == registry.manager { "schedule" } else { "execute" };
            return Err(SafeError::NotProposed { what: what.into() }.into());
        };
        let next = Safe::nonce(registry, self.safe).await?;
        if next > step.nonce {
            return Err(SafeError::NonceUsed { nonce: step.nonce, next }.into());
        }
        if next < step.nonce {
            return Err(SafeError::NonceAhead { nonce: step.nonce, next }.into());
        }
        Ok(step.execution(self.threshold))
    }
}

impl Step {
    /// A Safe takes the signatures in the order of their owners, and looks at no more than it needs.
    fn execution(&self, threshold: u64) -> Bytes {
        let enough = usize::try_from(threshold).unwrap_or(usize::MAX);
        let signatures: Vec<u8> = self
            .signatures
            .values()
            .take(enough)
            .flat_map(|signature| signature.bytes().iter().copied())
            .collect();
        let transaction = &self.transaction;
        ISafe::execTransactionCall {
            to: transaction.to,
            value: transaction.value,
            data: transaction.data.clone(),
            operation: transaction.operation,
            safeTxGas: transaction.safeTxGas,
            baseGas: transaction.baseGas,
            gasPrice: transaction.gasPrice,
            gasToken: transaction.gasToken,
            refundReceiver: transaction.refundReceiver,
            signatures: signatures.into(),
        }
        .abi_encode()
        .into()
    }
}

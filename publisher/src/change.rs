//! The commands that change what edges obey.

use std::fmt;

use alloy::{eips::BlockId, primitives::B256, sol_types::SolCall};
use greenlight_artifact::Digest;
use serde::Serialize;

use crate::{
    abi::IConfigRegistry as Abi,
    cli::{Act, Scheduled, Target},
    error::{Error, SetupError},
    operation::{Operation, Outcome, Performed},
    registry::HeadView,
    report::{Report, time},
    schedule::Action,
    transaction::{Mined, Sender, SenderArgs},
};

pub(crate) async fn promote(target: Target, canary_bps: u16, act: &Act) -> Result<Report, Error> {
    let (sender, sequence) = decide(act).await?;
    on_artifact(&sender, target, act, |id| {
        (
            Abi::promoteCall { id, canaryBps: canary_bps, sequence },
            Action::Promote { id, canary_bps, expected_sequence: sequence },
        )
    })
    .await
}

pub(crate) async fn rollback(target: Target, act: &Act) -> Result<Report, Error> {
    let sender = act.sender.connect().await?;
    on_artifact(&sender, target, act, |id| (Abi::rollbackCall { id }, Action::Rollback { id }))
        .await
}

pub(crate) async fn revoke(target: Target, act: &Act) -> Result<Report, Error> {
    let sender = act.sender.connect().await?;
    on_artifact(&sender, target, act, |id| (Abi::revokeCall { id }, Action::Revoke { id })).await
}

pub(crate) async fn kill(act: &Act) -> Result<Report, Error> {
    on_head(&act.sender.connect().await?, act, &Abi::killCall {}, Action::Kill).await
}

pub(crate) async fn revive(act: &Act) -> Result<Report, Error> {
    let (sender, sequence) = decide(act).await?;
    let action = Action::Revive { expected_sequence: sequence };
    on_head(&sender, act, &Abi::reviveCall { sequence }, action).await
}

pub(crate) async fn pause(act: &Act) -> Result<Report, Error> {
    on_head(&act.sender.connect().await?, act, &Abi::pauseCall {}, Action::Pause).await
}

pub(crate) async fn resume(act: &Act) -> Result<Report, Error> {
    let (sender, sequence) = decide(act).await?;
    let action = Action::Resume { expected_sequence: sequence };
    on_head(&sender, act, &Abi::resumeCall { sequence }, action).await
}

/// Cancels what is scheduled, as whoever scheduled it or as a guardian.
pub(crate) async fn cancel(target: Scheduled, sender: &SenderArgs) -> Result<Report, Error> {
    let sender = sender.connect().await?;
    let block = sender.registry.chain.latest().await?;
    let mut pending = sender.registry.pending(block).await?;
    pending.retain(|pending| match target {
        Scheduled::Artifact(wanted) => {
            matches!(pending.action, Action::Promote { id, .. } if id == wanted)
        }
        Scheduled::Operation(operation) => pending.operation == operation,
    });
    if pending.is_empty() {
        let what = match target {
            Scheduled::Artifact(id) => format!("artifact {id}"),
            Scheduled::Operation(operation) => format!("operation {operation}"),
        };
        return Err(SetupError::NothingScheduled { what }.into());
    }
    let mut cancelled = Vec::new();
    for pending in pending {
        let transaction = sender.cancel(pending.caller, pending.data).await?;
        cancelled.push(Cancelled {
            operation: pending.operation,
            action: pending.action,
            transaction,
        });
    }
    Ok(Report::of(&Cancellation { cancelled }))
}

/// The sender, and the sequence of the head that the act is decided on. What may have to wait is bound to it: a change of
/// the head meanwhile, a guardian's above all, is not undone by what was decided before it.
async fn decide(act: &Act) -> Result<(Sender, u64), Error> {
    let sender = act.sender.connect().await?;
    let sequence = sender.registry.head(BlockId::latest()).await?.sequence;
    Ok((sender, sequence))
}

async fn on_artifact<C: SolCall>(
    sender: &Sender,
    target: Target,
    act: &Act,
    call: impl Fn(u32) -> (C, Action),
) -> Result<Report, Error> {
    let id = sender.registry.resolve(target).await?;
    let (call, action) = call(id);
    let performed = sender.perform(&call, &action, act.timelock).await?;
    let digest = sender.registry.record(id, BlockId::latest()).await?.map(|record| record.digest);
    finish(sender, performed, action, digest).await
}

async fn on_head(
    sender: &Sender,
    act: &Act,
    call: &impl SolCall,
    action: Action,
) -> Result<Report, Error> {
    let performed = sender.perform(call, &action, act.timelock).await?;
    finish(sender, performed, action, None).await
}

async fn finish(
    sender: &Sender,
    performed: Performed,
    action: Action,
    digest: Option<Digest>,
) -> Result<Report, Error> {
    let Performed { outcome, operation, transaction } = performed;
    let sequence = transaction.as_ref().and_then(|mined| mined.sequence(sender.registry.address));
    // As of the change itself, not of whatever came after it.
    let block =
        transaction.as_ref().map_or_else(BlockId::latest, |mined| BlockId::number(mined.block));
    let head = sender.registry.head(block).await?;
    Ok(Report::of(&Change { outcome, action, digest, sequence, head, operation, transaction }))
}

#[derive(Serialize)]
struct Change {
    outcome: Outcome,
    #[serde(flatten)]
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    /// The head's after the change; absent while it is only scheduled.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    head: HeadView,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Mined>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            Outcome::Executed => write!(f, "done         {}", self.action)?,
            Outcome::Scheduled => write!(f, "scheduled    {}", self.action)?,
        }
        if let Some(digest) = self.digest {
            write!(f, "\ndigest       {digest}")?;
        }
        if let Some(sequence) = self.sequence {
            write!(f, "\nsequence     {sequence}")?;
        }
        if let Some(transaction) = &self.transaction {
            write!(f, "\ntransaction  {transaction}")?;
        } else if let Some(operation) = &self.operation {
            write!(f, "\noperation    {}", operation.id)?;
            write!(
                f,
                "\nexecutable   from {} to {}",
                time(operation.ready_at),
                time(operation.expires_at)
            )?;
        }
        write!(f, "\nedges        {}", self.head)
    }
}

#[derive(Serialize)]
struct Cancellation {
    cancelled: Vec<Cancelled>,
}

#[derive(Serialize)]
struct Cancelled {
    operation: B256,
    #[serde(flatten)]
    action: Action,
    transaction: Mined,
}

impl fmt::Display for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, cancelled) in self.cancelled.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(
                f,
                "{line}cancelled    {}\noperation    {}",
                cancelled.action, cancelled.operation
            )?;
            write!(f, "\ntransaction  {}", cancelled.transaction)?;
        }
        Ok(())
    }
}

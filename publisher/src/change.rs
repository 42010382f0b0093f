//! The commands that change what edges obey.

use std::fmt;

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, Bytes},
    sol_types::SolCall as _,
};
use clap::Args;
use greenlight_artifact::Digest;
use serde::Serialize;

use crate::{
    abi::IConfigRegistry as Abi,
    cli::{Act, Acts, Scheduled, Target},
    error::Error,
    operation::{Operation, Outcome, Performed},
    registry::{HeadView, Registry},
    report::{Report, time},
    schedule::Action,
    transaction::{Mined, Sender, SenderArgs},
};

/// What is asked of the registry, by names that the chain may have to resolve.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    Promote { target: Target, canary_bps: u16 },
    Rollback(Target),
    Revoke(Target),
    Kill,
    Revive,
    Pause,
    Resume,
    AddVerifier(Address),
    StopVerifier(Address),
}

impl Ask {
    /// What a command line asks, and the arguments beside it.
    pub(crate) fn of<T: Args>(act: Acts<T>) -> (Self, T) {
        match act {
            Acts::Promote { target, canary_bps, with } => {
                (Self::Promote { target, canary_bps }, with)
            }
            Acts::Rollback { target, with } => (Self::Rollback(target), with),
            Acts::Revoke { target, with } => (Self::Revoke(target), with),
            Acts::Kill(with) => (Self::Kill, with),
            Acts::Revive(with) => (Self::Revive, with),
            Acts::Pause(with) => (Self::Pause, with),
            Acts::Resume(with) => (Self::Resume, with),
            Acts::AddVerifier { verifier, with } => (Self::AddVerifier(verifier), with),
            Acts::StopVerifier { verifier, with } => (Self::StopVerifier(verifier), with),
        }
    }

    /// The call of the registry. What may have to wait is bound to the head that it is decided on, this one: a change of
    /// the head meanwhile, a guardian's above all, is not undone by what was decided before it.
    pub(crate) async fn call(self, registry: &Registry) -> Result<(Bytes, Action), Error> {
        let sequence = async || registry.head(BlockId::latest()).await.map(|head| head.sequence);
        let data = match self {
            Self::Promote { target, canary_bps } => {
                let sequence = sequence().await?;
                let id = registry.resolve(target).await?;
                Abi::promoteCall { id, canaryBps: canary_bps, sequence }.abi_encode()
            }
            Self::Rollback(target) => {
                Abi::rollbackCall { id: registry.resolve(target).await? }.abi_encode()
            }
            Self::Revoke(target) => {
                Abi::revokeCall { id: registry.resolve(target).await? }.abi_encode()
            }
            Self::Kill => Abi::killCall {}.abi_encode(),
            Self::Revive => Abi::reviveCall { sequence: sequence().await? }.abi_encode(),
            Self::Pause => Abi::pauseCall {}.abi_encode(),
            Self::Resume => Abi::resumeCall { sequence: sequence().await? }.abi_encode(),
            Self::AddVerifier(verifier) => Abi::addVerifierCall { verifier }.abi_encode(),
            Self::StopVerifier(verifier) => Abi::stopVerifierCall { verifier }.abi_encode(),
        };
        let data = Bytes::from(data);
        let action = Action::decode(&data);
        Ok((data, action))
    }
}

/// Does it, as the account of a key.
pub(crate) async fn run(act: Acts<Act>) -> Result<Report, Error> {
    let (ask, act) = Ask::of(act);
    let sender = act.sender.connect().await?;
    let (data, action) = ask.call(&sender.registry).await?;
    let performed = sender.perform(data, &action, act.timelock).await?;
    finish(&sender, performed, action).await
}

/// Cancels what is scheduled, as whoever scheduled it or as a guardian.
pub(crate) async fn cancel(target: Scheduled, sender: &SenderArgs) -> Result<Report, Error> {
    let sender = sender.connect().await?;
    let pending = sender.registry.scheduled(target).await?;
    let mut cancelled = Vec::new();
    for pending in pending {
        let transaction = sender.cancel(pending.caller, pending.data).await?;
        cancelled.push(Cancelled {
            operation: pending.operation,
            action: pending.action,
            transaction,
        });
    }
    Ok(cancellation(cancelled))
}

pub(crate) fn cancellation(cancelled: Vec<Cancelled>) -> Report {
    Report::of(&Cancellation { cancelled })
}

/// Reports on what became of an act.
pub(crate) async fn finish(
    sender: &Sender,
    performed: Performed,
    action: Action,
) -> Result<Report, Error> {
    let digest = match action.artifact() {
        Some(id) => {
            sender.registry.record(id, BlockId::latest()).await?.map(|record| record.digest)
        }
        None => None,
    };
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
pub(crate) struct Cancelled {
    pub(crate) operation: B256,
    #[serde(flatten)]
    pub(crate) action: Action,
    pub(crate) transaction: Mined,
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

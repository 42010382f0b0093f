//! What the AccessManager holds for the registry: scheduled calls that wait or are ready.

use std::fmt;

use alloy::{
    primitives::{Address, B256, Bytes},
    rpc::types::Filter,
    sol_types::{SolEvent as _, SolInterface as _},
};
use serde::Serialize;

use crate::{
    abi::{
        IAccessManager as Manager,
        IConfigRegistry::{self, IConfigRegistryCalls as Calls},
    },
    chain::Pin,
    cli::Scheduled,
    error::{ChainError, Error, SetupError},
    registry::Registry,
    report::time,
};

/// A scheduled call.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Pending {
    pub(crate) operation: B256,
    #[serde(flatten)]
    pub(crate) action: Action,
    /// Who scheduled it, and alone can execute it.
    pub(crate) caller: Address,
    pub(crate) ready_at: u64,
    pub(crate) expires_at: u64,
    /// Its timelock has passed, and nothing else keeps it from being executed that is known here.
    pub(crate) ready: bool,
    /// The head moved since it was scheduled: the registry refuses it for ever.
    pub(crate) void: bool,
    #[serde(skip)]
    pub(crate) data: Bytes,
}

/// A call of the registry that can be scheduled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub(crate) enum Action {
    Promote { id: u32, canary_bps: u16, expected_sequence: u64 },
    Rollback { id: u32 },
    Revoke { id: u32 },
    Kill,
    Revive { expected_sequence: u64 },
    Pause,
    Resume { expected_sequence: u64 },
    AddVerifier { verifier: Address },
    StopVerifier { verifier: Address },
    Stage { verifier: Address },
    StageBlob { verifier: Address, versioned_hash: B256 },
    Other { selector: Bytes },
}

impl Action {
    /// What `data` would do.
    pub(crate) fn decode(data: &Bytes) -> Self {
        let other = || Self::Other { selector: data.slice(..data.len().min(4)) };
        match Calls::abi_decode(data) {
            Ok(Calls::promote(IConfigRegistry::promoteCall { id, canaryBps, sequence })) => {
                Self::Promote { id, canary_bps: canaryBps, expected_sequence: sequence }
            }
            Ok(Calls::rollback(call)) => Self::Rollback { id: call.id },
            Ok(Calls::revoke(call)) => Self::Revoke { id: call.id },
            Ok(Calls::kill(_)) => Self::Kill,
            Ok(Calls::revive(call)) => Self::Revive { expected_sequence: call.sequence },
            Ok(Calls::pause(_)) => Self::Pause,
            Ok(Calls::resume(call)) => Self::Resume { expected_sequence: call.sequence },
            Ok(Calls::addVerifier(call)) => Self::AddVerifier { verifier: call.verifier },
            Ok(Calls::stopVerifier(call)) => Self::StopVerifier { verifier: call.verifier },
            Ok(Calls::stage(call)) => Self::Stage { verifier: call.verifier },
            Ok(Calls::stageBlob(call)) => {
                Self::StageBlob { verifier: call.verifier, versioned_hash: call.versionedHash }
            }
            _ => other(),
        }
    }

    /// The sequence of the head that it was decided on; the registry refuses it on any other.
    pub(crate) const fn expected_sequence(&self) -> Option<u64> {
        match self {
            Self::Promote { expected_sequence, .. }
            | Self::Revive { expected_sequence }
            | Self::Resume { expected_sequence } => Some(*expected_sequence),
            _ => None,
        }
    }

    /// The artifact that it is about.
    pub(crate) const fn artifact(&self) -> Option<u32> {
        match self {
            Self::Promote { id, .. } | Self::Rollback { id } | Self::Revoke { id } => Some(*id),
            _ => None,
        }
    }

    /// Whether it would do the same as another, whichever heads the two were decided on.
    pub(crate) fn same_act(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Promote { id, canary_bps, .. },
                Self::Promote { id: other_id, canary_bps: other_bps, .. },
            ) => (id, canary_bps) == (other_id, other_bps),
            (Self::Revive { .. }, Self::Revive { .. })
            | (Self::Resume { .. }, Self::Resume { .. }) => true,
            _ => self == other,
        }
    }
}

impl Registry {
    /// What is scheduled by this name.
    pub(crate) async fn scheduled(&self, target: Scheduled) -> Result<Vec<Pending>, Error> {
        let mut pending = self.pending(self.chain.latest().await?).await?;
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
        Ok(pending)
    }

    /// Everything that is scheduled for the registry at `block`, in the order of scheduling.
    pub(crate) async fn pending(&self, block: Pin) -> Result<Vec<Pending>, ChainError> {
        let filter = Filter::new()
            .address(self.manager)
            .event_signature(Manager::OperationScheduled::SIGNATURE_HASH);
        let expiration =
            self.chain.view(self.manager, &Manager::expirationCall {}, block.id()).await?;
        let sequence = self.head(block.id()).await?.sequence;
        let mut pending: Vec<Pending> = Vec::new();
        for log in self.chain.logs(&filter, self.from_block, block.number).await? {
            let Ok(scheduled) = Manager::OperationScheduled::decode_log_data(log.data()) else {
                continue;
            };
            if scheduled.target != self.address {
                continue;
            }
            let operation = scheduled.operationId;
            // One operation can be scheduled again and again; its schedule is one.
            pending.retain(|known| known.operation != operation);
            let schedule = Manager::getScheduleCall { id: operation };
            let ready_at = self.chain.view(self.manager, &schedule, block.id()).await?.to::<u64>();
            if ready_at == 0 {
                continue;
            }
            let action = Action::decode(&scheduled.data);
            let void = action.expected_sequence().is_some_and(|expected| expected != sequence);
            pending.push(Pending {
                operation,
                action,
                caller: scheduled.caller,
                ready_at,
                expires_at: ready_at.saturating_add(u64::from(expiration)),
                ready: ready_at <= block.timestamp && !void,
                void,
                data: scheduled.data,
            });
        }
        Ok(pending)
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  ", self.action)?;
        match (self.void, self.ready) {
            (true, _) => write!(f, "void because the head moved")?,
            (false, true) => write!(f, "ready since {}", time(self.ready_at))?,
            (false, false) => write!(f, "waits until {}", time(self.ready_at))?,
        }
        write!(f, ", by {}, expires {}", self.caller, time(self.expires_at))?;
        write!(f, "\n    operation {}", self.operation)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promote { id, canary_bps: 10_000, .. } => write!(f, "promote {id}")?,
            Self::Promote { id, canary_bps, .. } => {
                write!(f, "promote {id} to {canary_bps} basis points")?;
            }
            Self::Rollback { id } => write!(f, "rollback to {id}")?,
            Self::Revoke { id } => write!(f, "revoke {id}")?,
            Self::Kill => write!(f, "kill")?,
            Self::Revive { .. } => write!(f, "revive")?,
            Self::Pause => write!(f, "pause")?,
            Self::Resume { .. } => write!(f, "resume")?,
            Self::AddVerifier { verifier } => write!(f, "add verifier {verifier}")?,
            Self::StopVerifier { verifier } => write!(f, "stop verifier {verifier}")?,
            Self::Stage { verifier } => write!(f, "stage through {verifier}")?,
            Self::StageBlob { verifier, versioned_hash } => {
                write!(f, "stage blob {versioned_hash} through {verifier}")?;
            }
            Self::Other { selector } => write!(f, "call {selector}")?,
        }
        match self.expected_sequence() {
            Some(expected) => write!(f, ", decided on sequence {expected}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::SolCall as _;

    use super::*;

    #[test]
    fn scheduled_calls_are_read_back() {
        let promote = IConfigRegistry::promoteCall { id: 3, canaryBps: 500, sequence: 7 };
        let promote = promote.abi_encode().into();
        assert_eq!(
            Action::decode(&promote),
            Action::Promote { id: 3, canary_bps: 500, expected_sequence: 7 }
        );
        assert_eq!(
            Action::decode(&promote).to_string(),
            "promote 3 to 500 basis points, decided on sequence 7"
        );
        assert_eq!(
            Action::decode(&IConfigRegistry::reviveCall { sequence: 8 }.abi_encode().into()),
            Action::Revive { expected_sequence: 8 }
        );
        // Truncated, foreign, empty.
        let cut = promote.slice(..20);
        assert_eq!(Action::decode(&cut), Action::Other { selector: promote.slice(..4) });
        assert_eq!(Action::decode(&Bytes::new()), Action::Other { selector: Bytes::new() });
    }
    #[test]
    fn the_same_act_is_the_same_on_another_head() {
        let promote = |id, canary_bps, expected_sequence| Action::Promote {
            id,
            canary_bps,
            expected_sequence,
        };
        assert!(promote(3, 500, 7).same_act(&promote(3, 500, 8)));
        assert!(!promote(3, 500, 7).same_act(&promote(3, 501, 7)));
        assert!(!promote(3, 500, 7).same_act(&promote(4, 500, 7)));
        let (revive, resume) =
            (Action::Revive { expected_sequence: 7 }, Action::Resume { expected_sequence: 7 });
        assert!(revive.same_act(&Action::Revive { expected_sequence: 8 }));
        assert!(!revive.same_act(&resume) && !resume.same_act(&promote(3, 500, 7)));
        assert!(!Action::Rollback { id: 1 }.same_act(&Action::Rollback { id: 2 }));
        assert_eq!((revive.expected_sequence(), Action::Kill.expected_sequence()), (Some(7), None));
    }
}

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
    error::ChainError,
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
    pub(crate) ready: bool,
    #[serde(skip)]
    pub(crate) data: Bytes,
}

/// A call of the registry that can be scheduled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub(crate) enum Action {
    Promote { id: u32, canary_bps: u16 },
    Rollback { id: u32 },
    Revoke { id: u32 },
    Kill,
    Revive,
    Pause,
    Resume,
    AddVerifier { verifier: Address },
    StopVerifier { verifier: Address },
    Stage { verifier: Address },
    Other { selector: Bytes },
}

impl Action {
    /// What `data` would do.
    pub(crate) fn decode(data: &Bytes) -> Self {
        let other = || Self::Other { selector: data.slice(..data.len().min(4)) };
        match Calls::abi_decode(data) {
            Ok(Calls::promote(IConfigRegistry::promoteCall { id, canaryBps })) => {
                Self::Promote { id, canary_bps: canaryBps }
            }
            Ok(Calls::rollback(call)) => Self::Rollback { id: call.id },
            Ok(Calls::revoke(call)) => Self::Revoke { id: call.id },
            Ok(Calls::kill(_)) => Self::Kill,
            Ok(Calls::revive(_)) => Self::Revive,
            Ok(Calls::pause(_)) => Self::Pause,
            Ok(Calls::resume(_)) => Self::Resume,
            Ok(Calls::addVerifier(call)) => Self::AddVerifier { verifier: call.verifier },
            Ok(Calls::stopVerifier(call)) => Self::StopVerifier { verifier: call.verifier },
            Ok(Calls::stage(call)) => Self::Stage { verifier: call.verifier },
            _ => other(),
        }
    }
}

impl Registry {
    /// Everything that is scheduled for the registry at `block`, in the order of scheduling.
    pub(crate) async fn pending(&self, block: Pin) -> Result<Vec<Pending>, ChainError> {
        let filter = Filter::new()
            .address(self.manager)
            .event_signature(Manager::OperationScheduled::SIGNATURE_HASH);
        let expiration =
            self.chain.view(self.manager, &Manager::expirationCall {}, block.id()).await?;
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
            pending.push(Pending {
                operation,
                action: Action::decode(&scheduled.data),
                caller: scheduled.caller,
                ready_at,
                expires_at: ready_at.saturating_add(u64::from(expiration)),
                ready: ready_at <= block.timestamp,
                data: scheduled.data,
            });
        }
        Ok(pending)
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if self.ready { "ready since" } else { "waits until" };
        write!(f, "{}  {from} {}, by {}", self.action, time(self.ready_at), self.caller)?;
        write!(f, ", expires {}\n    operation {}", time(self.expires_at), self.operation)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promote { id, canary_bps: 10_000 } => write!(f, "promote {id}"),
            Self::Promote { id, canary_bps } => {
                write!(f, "promote {id} to {canary_bps} basis points")
            }
            Self::Rollback { id } => write!(f, "rollback to {id}"),
            Self::Revoke { id } => write!(f, "revoke {id}"),
            Self::Kill => write!(f, "kill"),
            Self::Revive => write!(f, "revive"),
            Self::Pause => write!(f, "pause"),
            Self::Resume => write!(f, "resume"),
            Self::AddVerifier { verifier } => write!(f, "add verifier {verifier}"),
            Self::StopVerifier { verifier } => write!(f, "stop verifier {verifier}"),
            Self::Stage { verifier } => write!(f, "stage through {verifier}"),
            Self::Other { selector } => write!(f, "call {selector}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::SolCall as _;

    use super::*;

    #[test]
    fn scheduled_calls_are_read_back() {
        let promote = IConfigRegistry::promoteCall { id: 3, canaryBps: 500 }.abi_encode().into();
        assert_eq!(Action::decode(&promote), Action::Promote { id: 3, canary_bps: 500 });
        assert_eq!(Action::decode(&promote).to_string(), "promote 3 to 500 basis points");
        assert_eq!(
            Action::decode(&IConfigRegistry::reviveCall {}.abi_encode().into()),
            Action::Revive
        );
        // Truncated, foreign, empty.
        let cut = promote.slice(..20);
        assert_eq!(Action::decode(&cut), Action::Other { selector: promote.slice(..4) });
        assert_eq!(Action::decode(&Bytes::new()), Action::Other { selector: Bytes::new() });
    }
}

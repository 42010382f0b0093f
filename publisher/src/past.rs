//! What became of what an account scheduled before.

use alloy::{
    primitives::{Address, B256},
    rpc::types::Filter,
    sol_types::{SolEvent as _, SolEventInterface as _},
};

use crate::{
    abi::IAccessManager::{self as Manager, IAccessManagerEvents as Operations},
    error::ChainError,
    registry::Registry,
    schedule::Action,
};

/// The last thing that happened to an act, on whichever head it was decided.
pub(crate) enum Past {
    /// Never scheduled, or executed: a new round may begin.
    Free,
    /// Scheduled and neither executed nor cancelled: it stands, has expired, or is void.
    Scheduled { operation: B256, ready_at: u64, expected: Option<u64> },
    /// Its last schedule was cancelled.
    Cancelled { operation: B256, block: u64, transaction: B256 },
}

impl Past {
    /// Whether this was scheduled last.
    pub(crate) fn is_of(&self, id: B256) -> bool {
        matches!(self, Self::Scheduled { operation, .. } if *operation == id)
    }
}

impl Registry {
    /// What became of the last schedule of the same act by `account`.
    pub(crate) async fn past(&self, account: Address, action: &Action) -> Result<Past, ChainError> {
        let filter = Filter::new().address(self.manager).event_signature(vec![
            Manager::OperationScheduled::SIGNATURE_HASH,
            Manager::OperationExecuted::SIGNATURE_HASH,
            Manager::OperationCanceled::SIGNATURE_HASH,
        ]);
        let latest = self.chain.latest().await?.number;
        let mut past = Past::Free;
        for log in self.chain.logs(&filter, self.from_block, latest).await? {
            let Ok(event) = Operations::decode_log(&log.inner) else { continue };
            match event.data {
                Operations::OperationScheduled(scheduled)
                    if (scheduled.target, scheduled.caller) == (self.address, account) =>
                {
                    let other = Action::decode(&scheduled.data);
                    if other.same_act(action) {
                        past = Past::Scheduled {
                            operation: scheduled.operationId,
                            ready_at: scheduled.schedule.to::<u64>(),
                            expected: other.expected_sequence(),
                        };
                    }
                }
                Operations::OperationExecuted(event) if past.is_of(event.operationId) => {
                    past = Past::Free;
                }
                // That something older and void was swept away is no veto.
                Operations::OperationCanceled(event) if past.is_of(event.operationId) => {
                    past = Past::Cancelled {
                        operation: event.operationId,
                        block: log.block_number.unwrap_or_default(),
                        transaction: log.transaction_hash.unwrap_or_default(),
                    };
                }
                _ => {}
            }
        }
        Ok(past)
    }
}

//! A call of the registry as the AccessManager lets an account make it: at once, or scheduled, waited for and executed.
//!
//! Nothing is kept on this side. What was scheduled, cancelled or executed is read from the chain each time, so the same
//! command run again goes on from wherever an earlier one stopped, on whichever machine.

use std::time::{Duration, Instant};

use alloy::{
    eips::BlockId,
    network::TransactionBuilder as _,
    primitives::{Address, B256, Bytes, U256, bytes},
    rpc::types::{
        BlockOverrides, Filter, TransactionRequest,
        state::{AccountOverride, StateOverride},
    },
    sol_types::{SolCall, SolError as _, SolEvent as _},
};
use clap::Args;
use serde::Serialize;

use crate::{
    abi::{
        IAccessManager as Manager,
        IConfigRegistry::{HeadMoved, IConfigRegistryCalls as Calls},
    },
    error::{ChainError, Error, TimelockError},
    past::Past,
    registry::Registry,
    report::{progress, time},
    schedule::Action,
    transaction::{Mined, Rehearsal, Sender},
};

/// Runtime code that answers every call with the two words 1 and 0, `canCall`'s "yes, at once".
/// PUSH1 1 · PUSH0 · MSTORE · PUSH1 64 · PUSH0 · RETURN; memory beyond what was written is zero.
const YES_AT_ONCE: Bytes = bytes!("60015f5260405ff3");

/// An RPC may be away for this long while a timelock is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long to wait for a timelock.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Timelock")]
pub(crate) struct WaitArgs {
    /// Schedule and return; the same command goes on later.
    #[arg(long)]
    no_wait: bool,
    /// Give up where the timelock would take longer than this.
    #[arg(long, value_name = "SECONDS", conflicts_with = "no_wait")]
    max_wait: Option<u64>,
}

/// What commands take whose call may have to wait.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Timelock")]
pub(crate) struct TimelockArgs {
    #[command(flatten)]
    pub(crate) wait: WaitArgs,
    /// Schedule anew what was cancelled or has expired.
    #[arg(long)]
    pub(crate) again: bool,
    /// For drills: send the call as it is, neither scheduled nor rehearsed, so that the contract itself refuses it.
    #[arg(long, conflicts_with_all = ["no_wait", "max_wait", "again"])]
    pub(crate) unchecked: bool,
}

/// How far a call came.
#[derive(Debug, Serialize)]
pub(crate) struct Performed {
    /// Whether it is done or waits for its timelock.
    pub(crate) outcome: Outcome,
    /// The scheduled operation, if the account needed one.
    pub(crate) operation: Option<Operation>,
    /// The transaction that did it.
    pub(crate) transaction: Option<Mined>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Executed,
    Scheduled,
}

/// An operation that the AccessManager holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Operation {
    pub(crate) id: B256,
    /// From when it may be executed, Unix seconds.
    pub(crate) ready_at: u64,
    /// Until when, Unix seconds.
    pub(crate) expires_at: u64,
    /// The transaction that scheduled it, if this run sent it.
    pub(crate) schedule_transaction: Option<Mined>,
}

impl Registry {
    /// The seconds that `account` has to schedule the call `data` ahead; `None` if it need not, or may not at all.
    pub(crate) async fn delay(
        &self,
        account: Address,
        data: &Bytes,
    ) -> Result<Option<u32>, ChainError> {
        let question = Manager::canCallCall {
            caller: account,
            target: self.address,
            selector: selector(data).into(),
        };
        let access = self.chain.view(self.manager, &question, BlockId::latest()).await?;
        Ok((!access.allowed && access.delay > 0).then_some(access.delay))
    }

    /// Adds to a refusal for want of a role which role that is.
    pub(crate) async fn explain(&self, error: Error, data: &Bytes) -> Error {
        match error {
            Error::Chain(ChainError::Refused { mut refusal, transaction })
                if refusal.reason == "unauthorized" =>
            {
                // What cannot be found out must not hide the refusal itself.
                if let Ok(role) = self.role(selector(data)).await {
                    let signature =
                        Calls::signature_by_selector(selector(data)).unwrap_or_default();
                    refusal.message = format!("{} {signature}, role {role}", refusal.message);
                }
                ChainError::Refused { refusal, transaction }.into()
            }
            other => other,
        }
    }

    /// The role that may call a function of the registry, with the label that the deployment gave it.
    async fn role(&self, selector: [u8; 4]) -> Result<String, ChainError> {
        let block = self.chain.latest().await?;
        let question =
            Manager::getTargetFunctionRoleCall { target: self.address, selector: selector.into() };
        let role = self.chain.view(self.manager, &question, block.id()).await?;
        let filter = Filter::new()
            .address(self.manager)
            .event_signature(Manager::RoleLabel::SIGNATURE_HASH)
            .topic1(U256::from(role));
        let labels = self.chain.logs(&filter, self.from_block, block.number).await?;
        let label =
            labels.last().and_then(|log| Manager::RoleLabel::decode_log_data(log.data()).ok());
        Ok(label.map_or_else(
            || role.to_string(),
            |label| format!("{role} ({})", label.label.escape_debug()),
        ))
    }

    /// Asks the registry's own rules before the timelock begins rather than after it ended: the call is run with an
    /// authority that says yes, at the time when it may be executed, which is that of its schedule if it has one. An RPC
    /// without overrides cannot tell, and then the execution will.
    pub(crate) async fn rehearse(
        &self,
        account: Address,
        data: &Bytes,
        delay: u32,
        standing: Option<&Operation>,
    ) -> Result<(), ChainError> {
        let now = self.chain.latest().await?.timestamp;
        let due = standing.map_or_else(
            || now.saturating_add(delay.into()),
            |operation| operation.ready_at.max(now),
        );
        let yes = AccountOverride::default().with_code(YES_AT_ONCE);
        let (call, mut state) = self.call_from(account, data);
        state.insert(self.manager, yes);
        let then = BlockOverrides::default().with_time(due);
        match self.chain.call(call, BlockId::latest(), state, Some(then)).await {
            Ok(_) | Err(ChainError::Rpc { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether `to`, registry or manager, would let `account` make the call `data` now.
    pub(crate) async fn attempt(
        &self,
        account: Address,
        to: Address,
        data: &Bytes,
    ) -> Result<(), ChainError> {
        let (call, state) = self.call_from(account, data);
        let (call, block) = (call.with_to(to), BlockId::pending());
        let answer = match self.chain.call(call.clone(), block, state.clone(), None).await {
            // An RPC without overrides.
            Err(ChainError::Rpc { .. }) if !state.is_empty() => {
                self.chain.call(call, block, StateOverride::default(), None).await
            }
            answer => answer,
        };
        answer.map(drop)
    }

    /// The AccessManager's id of the call `data`, scheduled by `caller`.
    pub(crate) async fn operation_id(
        &self,
        caller: Address,
        data: &Bytes,
    ) -> Result<B256, ChainError> {
        let hash = Manager::hashOperationCall { caller, target: self.address, data: data.clone() };
        self.chain.view(self.manager, &hash, BlockId::latest()).await
    }

    /// Its schedule; `None` if it was never scheduled, or was cancelled or executed.
    pub(crate) async fn operation(&self, id: B256) -> Result<Option<Operation>, ChainError> {
        let schedule = Manager::getScheduleCall { id };
        let ready_at =
            self.chain.view(self.manager, &schedule, BlockId::latest()).await?.to::<u64>();
        if ready_at == 0 {
            return Ok(None);
        }
        let expires_at = ready_at.saturating_add(u64::from(self.expiration().await?));
        Ok(Some(Operation { id, ready_at, expires_at, schedule_transaction: None }))
    }

    /// Seconds from a schedule's time until it expires.
    pub(crate) async fn expiration(&self) -> Result<u32, ChainError> {
        self.chain.view(self.manager, &Manager::expirationCall {}, BlockId::latest()).await
    }

    /// What a guardian cancelled, or was left to expire, is not scheduled anew unless somebody says so. Operation `id` does not
    /// stand.
    pub(crate) async fn refuse_vetoed(&self, past: &Past, id: B256) -> Result<(), Error> {
        match *past {
            Past::Cancelled { operation, block, transaction } => {
                Err(TimelockError::Cancelled { operation, block, transaction }.into())
            }
            Past::Scheduled { operation, ready_at, .. } if operation == id => {
                let expired_at = ready_at.saturating_add(u64::from(self.expiration().await?));
                Err(TimelockError::Expired { operation, expired_at }.into())
            }
            Past::Scheduled { .. } | Past::Free => Ok(()),
        }
    }

    /// Calldata of the manager that schedules the call `data`, as soon as the delay allows.
    pub(crate) fn schedule_call(&self, data: Bytes) -> Bytes {
        let call = Manager::scheduleCall { target: self.address, data, when: Default::default() };
        call.abi_encode().into()
    }

    /// Calldata of the manager that takes back what `caller` scheduled.
    pub(crate) fn cancel_call(&self, caller: Address, data: Bytes) -> Bytes {
        Manager::cancelCall { caller, target: self.address, data }.abi_encode().into()
    }

    /// The call `data` of the registry by `account`, and the state to try it on. It carries the blob that it is about, for which
    /// whoever sends the transaction pays: the account has the means.
    fn call_from(&self, account: Address, data: &Bytes) -> (TransactionRequest, StateOverride) {
        let mut call = TransactionRequest::default()
            .with_from(account)
            .with_to(self.address)
            .with_input(data.clone());
        let mut state = StateOverride::default();
        if let Action::StageBlob { versioned_hash, .. } = Action::decode(data) {
            call.blob_versioned_hashes = Some(vec![versioned_hash]);
            state.insert(account, AccountOverride::default().with_balance(U256::from(u128::MAX)));
        }
        (call, state)
    }
}

impl Sender {
    /// Makes the call `data` on the registry, which does `action`, through a schedule if this account needs one.
    pub(crate) async fn perform(
        &self,
        data: Bytes,
        action: &Action,
        timelock: TimelockArgs,
    ) -> Result<Performed, Error> {
        let registry = &self.registry;
        if timelock.unchecked {
            return self
                .send(registry.address, data, Rehearsal::None)
                .await
                .map(Performed::at_once);
        }
        let Some(delay) = registry.delay(self.account, &data).await? else {
            // No role at all has no delay either: the registry says so itself.
            return match self.send(registry.address, data.clone(), Rehearsal::First).await {
                Ok(mined) => Ok(Performed::at_once(mined)),
                Err(error) => Err(registry.explain(error, &data).await),
            };
        };
        let id = registry.operation_id(self.account, &data).await?;
        let standing = registry.operation(id).await?;
        registry.rehearse(self.account, &data, delay, standing.as_ref()).await?;
        let operation = match standing {
            Some(operation) => {
                progress(&format!(
                    "operation {id} is scheduled already, executable from {}",
                    time(operation.ready_at)
                ));
                operation
            }
            None => self.schedule(id, &data, action, timelock.again).await?,
        };
        let left = operation.ready_at.saturating_sub(registry.chain.latest().await?.timestamp);
        if left > 0 && timelock.wait.no_wait {
            return Ok(Performed {
                outcome: Outcome::Scheduled,
                operation: Some(operation),
                transaction: None,
            });
        }
        if let Some(max_wait) = timelock.wait.max_wait.filter(|max_wait| left > *max_wait) {
            let Operation { id, ready_at, .. } = operation;
            return Err(TimelockError::TooLong { operation: id, ready_at, max_wait }.into());
        }
        self.ripen(&data, action, &operation).await?;
        let transaction = self
            .send(registry.address, data, Rehearsal::First)
            .await
            .map_err(|error| void_if_moved(error, operation.id))?;
        Ok(Performed {
            outcome: Outcome::Executed,
            operation: Some(operation),
            transaction: Some(transaction),
        })
    }

    /// Schedules `data`, operation `id`. What was scheduled on another head is void and in nobody's way; what was cancelled is
    /// a veto on whichever head.
    async fn schedule(
        &self,
        id: B256,
        data: &Bytes,
        action: &Action,
        again: bool,
    ) -> Result<Operation, Error> {
        let registry = &self.registry;
        let past = registry.past(self.account, action).await?;
        if !again {
            registry.refuse_vetoed(&past, id).await?;
        }
        if let Past::Scheduled { operation, expected: Some(expected), .. } = past
            && operation != id
        {
            progress(&format!(
                "operation {operation} is void: it was decided on sequence {expected}, and the head moved"
            ));
        }
        let schedule = registry.schedule_call(data.clone());
        let mined = self.send(registry.manager, schedule, Rehearsal::First).await?;
        match registry.operation(id).await? {
            Some(operation) => {
                let operation = Operation { schedule_transaction: Some(mined), ..operation };
                progress(&format!(
                    "operation {id} scheduled, executable from {}",
                    time(operation.ready_at)
                ));
                Ok(operation)
            }
            // Scheduled in one block and gone in the next: a guardian was quick.
            None => Err(TimelockError::Cancelled {
                operation: id,
                block: mined.block,
                transaction: mined.hash,
            }
            .into()),
        }
    }

    /// Waits until the call would succeed in the next block. That, and no clock of this machine, decides.
    async fn ripen(
        &self,
        data: &Bytes,
        action: &Action,
        operation: &Operation,
    ) -> Result<(), Error> {
        let chain = &self.registry.chain;
        let mut waiting = Waiting::new(operation.ready_at);
        // An RPC that never gave an answer of use will not begin to; one that did may have a bad hour.
        let (mut useful, mut last_answer) = (false, Instant::now());
        loop {
            match self.registry.attempt(self.account, self.registry.address, data).await {
                Ok(()) => return Ok(()),
                Err(ChainError::Refused { refusal, .. }) if refusal.reason == "not-ready" => {
                    (useful, last_answer) = (true, Instant::now());
                    self.expect_head(action, operation.id).await?;
                    waiting.report(chain.latest().await.ok().map(|block| block.timestamp));
                }
                Err(ChainError::Refused { refusal, .. }) if refusal.reason == "not-scheduled" => {
                    return match self.registry.past(self.account, action).await? {
                        Past::Cancelled { operation, block, transaction } => {
                            Err(TimelockError::Cancelled { operation, block, transaction }.into())
                        }
                        _ => Err(ChainError::Refused { refusal, transaction: None }.into()),
                    };
                }
                Err(ChainError::Refused { refusal, .. }) if refusal.reason == "expired" => {
                    let Operation { id, expires_at, .. } = *operation;
                    return Err(
                        TimelockError::Expired { operation: id, expired_at: expires_at }.into()
                    );
                }
                Err(
                    error @ (ChainError::Unreachable { .. }
                    | ChainError::Answer { .. }
                    | ChainError::Rpc { .. }),
                ) if useful && last_answer.elapsed() < PATIENCE => {
                    progress(&format!("still waiting: {error}"));
                }
                Err(error) => return Err(void_if_moved(error.into(), operation.id)),
            }
            tokio::time::sleep(waiting.pause()).await;
        }
    }

    /// Ends a wait that has become one for nothing: the manager looks at the time first and would say so only at its end.
    async fn expect_head(&self, action: &Action, operation: B256) -> Result<(), TimelockError> {
        let Some(expected) = action.expected_sequence() else { return Ok(()) };
        match self.registry.head(BlockId::latest()).await {
            // Not a lower one: that is an RPC which is behind.
            Ok(head) if head.sequence > expected => Err(TimelockError::HeadMoved {
                operation,
                expected,
                found: head.sequence,
                transaction: None,
            }),
            _ => Ok(()),
        }
    }

    /// Takes back what `caller` scheduled.
    pub(crate) async fn cancel(&self, caller: Address, data: Bytes) -> Result<Mined, Error> {
        let registry = &self.registry;
        self.send(registry.manager, registry.cancel_call(caller, data), Rehearsal::First).await
    }
}

/// What calldata begins with; its zeros, where it is shorter, are no function's.
fn selector(data: &Bytes) -> [u8; 4] {
    data.first_chunk().copied().unwrap_or_default()
}

impl Performed {
    pub(crate) const fn at_once(transaction: Mined) -> Self {
        Self { outcome: Outcome::Executed, operation: None, transaction: Some(transaction) }
    }
}

/// The registry's refusal of an operation that was decided on another head.
fn void_if_moved(error: Error, operation: B256) -> Error {
    match error {
        Error::Chain(ChainError::Refused { refusal, transaction }) => {
            match HeadMoved::abi_decode(&refusal.data) {
                Ok(HeadMoved { expected, found }) => {
                    TimelockError::HeadMoved { operation, expected, found, transaction }.into()
                }
                Err(_) => ChainError::Refused { refusal, transaction }.into(),
            }
        }
        other => other,
    }
}

/// The pace of waiting, and of saying so: often near the end, seldom far from it.
struct Waiting {
    ready_at: u64,
    left: u64,
    said: Option<u64>,
}

impl Waiting {
    const fn new(ready_at: u64) -> Self {
        Self { ready_at, left: 0, said: None }
    }

    /// Takes note of the chain's time.
    fn report(&mut self, now: Option<u64>) {
        let Some(now) = now else { return };
        self.left = self.ready_at.saturating_sub(now);
        let step = if self.left > 120 { 60 } else { 10 };
        if self.said.is_none_or(|said| said.saturating_sub(self.left) >= step) {
            progress(&format!(
                "waiting for the timelock: {} s left, until {}",
                self.left,
                time(self.ready_at)
            ));
            self.said = Some(self.left);
        }
    }

    const fn pause(&self) -> Duration {
        match self.left {
            0..=15 => Duration::from_millis(500),
            16..=120 => Duration::from_secs(2),
            _ => Duration::from_secs(12),
        }
    }
}

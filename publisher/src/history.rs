//! `greenlightctl history`: every change, out of the events of the registry and its AccessManager.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use alloy::{
    consensus::Transaction as _,
    eips::BlockId,
    primitives::{Address, B256},
    providers::Provider as _,
    rpc::types::{Filter, Log},
    sol_types::{SolEvent as _, SolEventInterface as _},
};
use greenlight_artifact::Digest;
use serde::Serialize;

use crate::{
    abi::{
        IAccessManager::{self as Manager, IAccessManagerEvents as Operations},
        IConfigRegistry::{self as Abi, IConfigRegistryEvents as Changes},
    },
    error::{ChainError, Error},
    registry::{Registry, RegistryArgs},
    report::{Report, time},
    schedule::Action,
};

/// Reads the newest `limit` events, or all.
pub(crate) async fn run(limit: Option<usize>, registry: &RegistryArgs) -> Result<Report, Error> {
    let registry = registry.connect().await?;
    let entries = registry.events().await?;
    let skipped = limit.map_or(0, |limit| entries.len().saturating_sub(limit));
    let mut facts = Facts::default();
    let mut events = Vec::new();
    for (log, event) in entries.into_iter().skip(skipped) {
        let hash = log.transaction_hash.unwrap_or_default();
        events.push(Entry {
            block: log.block_number.unwrap_or_default(),
            timestamp: facts.timestamp(&registry, &log).await?,
            transaction: hash,
            actor: facts.actor(&registry, hash).await?,
            event,
        });
    }
    Ok(Report::of(&History {
        chain_id: registry.chain_id,
        registry: registry.address,
        skipped,
        events,
    }))
}

#[derive(Serialize)]
struct History {
    chain_id: u64,
    registry: Address,
    /// Older events that a limit left out.
    skipped: usize,
    events: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    block: u64,
    timestamp: u64,
    transaction: B256,
    /// The account that called the registry or its manager; where that went through a contract, the contract.
    actor: Address,
    #[serde(flatten)]
    event: Event,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event {
    Staged { id: u32, digest: Digest, verifier: Address, size: u16, rows: u8 },
    Promoted { id: u32, canary_bps: u16, sequence: u64 },
    RolledBack { from: u32, to: u32, sequence: u64 },
    Killed { sequence: u64 },
    Revived { effective: u32, sequence: u64 },
    Paused { sequence: u64 },
    Resumed { sequence: u64 },
    Revoked { id: u32, digest: Digest, sequence: u64 },
    VerifierAdded { verifier: Address },
    VerifierStopped { verifier: Address },
    Scheduled { operation: B256, caller: Address, ready_at: u64, scheduled: Box<Action> },
    Executed { operation: B256 },
    Cancelled { operation: B256 },
}

impl Event {
    /// `None` for the artifacts themselves, which `Staged` tells of.
    fn of_change(change: Changes) -> Option<Self> {
        Some(match change {
            Changes::ArtifactBytes(_) => return None,
            Changes::Staged(Abi::Staged { id, digest, verifier, size, rows, .. }) => {
                Self::Staged { id, digest: Digest(digest.0), verifier, size, rows }
            }
            Changes::Promoted(Abi::Promoted { id, canaryBps: canary_bps, sequence }) => {
                Self::Promoted { id, canary_bps, sequence }
            }
            Changes::RolledBack(Abi::RolledBack { from, to, sequence }) => {
                Self::RolledBack { from, to, sequence }
            }
            Changes::Killed(event) => Self::Killed { sequence: event.sequence },
            Changes::Revived(Abi::Revived { effective, sequence }) => {
                Self::Revived { effective, sequence }
            }
            Changes::Paused(event) => Self::Paused { sequence: event.sequence },
            Changes::Resumed(event) => Self::Resumed { sequence: event.sequence },
            Changes::Revoked(Abi::Revoked { id, digest, sequence }) => {
                Self::Revoked { id, digest: Digest(digest.0), sequence }
            }
            Changes::VerifierAdded(event) => Self::VerifierAdded { verifier: event.verifier },
            Changes::VerifierStopped(event) => Self::VerifierStopped { verifier: event.verifier },
        })
    }
}

impl Registry {
    /// All events, in the order in which they happened.
    async fn events(&self) -> Result<Vec<(Log, Event)>, ChainError> {
        let latest = self.chain.latest().await?.number;
        // Not the artifacts' bytes, 12 KiB each.
        let changes: Vec<B256> = Changes::SELECTORS
            .iter()
            .map(B256::from)
            .filter(|topic| *topic != Abi::ArtifactBytes::SIGNATURE_HASH)
            .collect();
        let filter = Filter::new().address(self.address).event_signature(changes);
        let mut events = Vec::new();
        for log in self.chain.logs(&filter, self.from_block, latest).await? {
            if let Some(event) =
                Changes::decode_log(&log.inner).ok().and_then(|log| Event::of_change(log.data))
            {
                events.push((log, event));
            }
        }
        let operations: Vec<B256> = Operations::SELECTORS.iter().map(B256::from).collect();
        let filter = Filter::new().address(self.manager).event_signature(operations);
        // A manager may serve other contracts too.
        let mut ours = HashSet::new();
        for log in self.chain.logs(&filter, self.from_block, latest).await? {
            let Ok(operation) = Operations::decode_log(&log.inner) else { continue };
            let event = match operation.data {
                Operations::OperationScheduled(Manager::OperationScheduled {
                    operationId: operation,
                    caller,
                    target,
                    schedule,
                    data,
                    ..
                }) => {
                    if target != self.address {
                        continue;
                    }
                    ours.insert(operation);
                    let scheduled = Box::new(Action::decode(&data));
                    Event::Scheduled {
                        operation,
                        caller,
                        ready_at: schedule.to::<u64>(),
                        scheduled,
                    }
                }
                Operations::OperationExecuted(event) if ours.contains(&event.operationId) => {
                    Event::Executed { operation: event.operationId }
                }
                Operations::OperationCanceled(event) if ours.contains(&event.operationId) => {
                    Event::Cancelled { operation: event.operationId }
                }
                _ => continue,
            };
            events.push((log, event));
        }
        events.sort_by_key(|(log, _)| (log.block_number, log.log_index));
        Ok(events)
    }
}

/// Blocks and transactions asked for once each.
#[derive(Default)]
struct Facts {
    timestamps: HashMap<u64, u64>,
    actors: HashMap<B256, Address>,
}

impl Facts {
    async fn timestamp(&mut self, registry: &Registry, log: &Log) -> Result<u64, ChainError> {
        if let Some(timestamp) = log.block_timestamp {
            return Ok(timestamp);
        }
        let number = log.block_number.unwrap_or_default();
        if let Some(timestamp) = self.timestamps.get(&number) {
            return Ok(*timestamp);
        }
        let timestamp = registry.chain.pin(BlockId::number(number)).await?.timestamp;
        self.timestamps.insert(number, timestamp);
        Ok(timestamp)
    }

    async fn actor(&mut self, registry: &Registry, hash: B256) -> Result<Address, ChainError> {
        use alloy::network::TransactionResponse as _;
        if let Some(actor) = self.actors.get(&hash) {
            return Ok(*actor);
        }
        let asked = registry.chain.provider.get_transaction_by_hash(hash);
        let transaction = registry.chain.ask("eth_getTransactionByHash", asked).await?;
        let actor = transaction.map_or(Address::ZERO, |transaction| match transaction.to() {
            // A Safe calls on behalf of its owners; whoever relayed that is nobody.
            Some(to) if to != registry.address && to != registry.manager => to,
            _ => transaction.from(),
        });
        self.actors.insert(hash, actor);
        Ok(actor)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "registry {} on chain {}", self.registry, self.chain_id)?;
        if self.skipped > 0 {
            write!(f, "\n({} older events)", self.skipped)?;
        }
        for entry in &self.events {
            write!(f, "\n{}  block {}  {}", time(entry.timestamp), entry.block, entry.event)?;
            write!(f, "\n    by {} in {}", entry.actor, entry.transaction)?;
        }
        Ok(())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staged { id, digest, rows, size, .. } => {
                write!(f, "staged {id}: {rows} rows, {size} bytes, {digest}")
            }
            Self::Promoted { id, canary_bps: 10_000, sequence } => {
                write!(f, "#{sequence} promoted {id}")
            }
            Self::Promoted { id, canary_bps, sequence } => {
                write!(f, "#{sequence} promoted {id} to {canary_bps} basis points")
            }
            Self::RolledBack { from, to, sequence } => {
                write!(f, "#{sequence} rolled back from {from} to {to}")
            }
            Self::Killed { sequence } => write!(f, "#{sequence} killed"),
            Self::Revived { effective: 0, sequence } => {
                write!(f, "#{sequence} revived: nothing to run yet")
            }
            Self::Revived { effective, sequence } => {
                write!(f, "#{sequence} revived: runs {effective}")
            }
            Self::Paused { sequence } => write!(f, "#{sequence} paused"),
            Self::Resumed { sequence } => write!(f, "#{sequence} resumed"),
            Self::Revoked { id, digest, sequence } => {
                write!(f, "#{sequence} revoked {id}, {digest}")
            }
            Self::VerifierAdded { verifier } => write!(f, "verifier {verifier} added"),
            Self::VerifierStopped { verifier } => write!(f, "verifier {verifier} stopped"),
            Self::Scheduled { operation, ready_at, scheduled, .. } => {
                write!(f, "scheduled: {scheduled}, from {}, operation {operation}", time(*ready_at))
            }
            Self::Executed { operation } => write!(f, "executed operation {operation}"),
            Self::Cancelled { operation } => write!(f, "cancelled operation {operation}"),
        }
    }
}

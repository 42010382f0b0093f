//! `greenlightctl history`: every change, out of the events of the registry and its AccessManager. What the registry's add
//! up to is compared with its storage.

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
        IAccessManaged::AuthorityUpdated,
        IAccessManager::{self as Manager, IAccessManagerEvents as Operations},
        IConfigRegistry::{self as Abi, IConfigRegistryEvents as Changes},
    },
    error::{ChainError, Error},
    rebuilt::{At, Rebuilt},
    registry::{Location, Registry, RegistryArgs},
    report::{Report, time},
    schedule::Action,
};

/// Reads all events, holds storage to them, and shows the newest `limit`, or all.
pub(crate) async fn run(limit: Option<usize>, registry: &RegistryArgs) -> Result<Report, Error> {
    let registry = registry.connect().await?;
    let block = registry.chain.latest().await?;
    let told = registry.events(block.number).await?;
    let skipped = limit.map_or(0, |limit| told.len().saturating_sub(limit));
    let mut facts = Facts::default();
    let mut rebuilt = Rebuilt::default();
    let mut events = Vec::new();
    for (index, Told { log, event, change }) in told.into_iter().enumerate() {
        let number = log.block_number.unwrap_or_default();
        if let Some(change) = change {
            let timestamp = facts.timestamp(&registry, &log).await?;
            rebuilt.take(&change, &At { number, timestamp })?;
        }
        match &event {
            Event::AuthorityUpdated { authority } => rebuilt.obey(*authority),
            Event::Scheduled { scheduled, .. } => {
                if let Action::AddVerifier { verifier } = **scheduled {
                    rebuilt.hear_of(verifier);
                }
            }
            _ => {}
        }
        if index < skipped {
            continue;
        }
        let timestamp = facts.timestamp(&registry, &log).await?;
        let transaction = log.transaction_hash.unwrap_or_default();
        let actor = facts.actor(&registry, transaction).await?;
        events.push(Entry { block: number, timestamp, transaction, actor, event });
    }
    rebuilt.compare(&registry, &block).await?;
    Ok(Report::of(&History {
        chain_id: registry.chain_id,
        registry: registry.address,
        agrees_at_block: block.number,
        skipped,
        events,
    }))
}

#[derive(Serialize)]
struct History {
    chain_id: u64,
    registry: Address,
    /// Where storage was found to be what the events add up to.
    agrees_at_block: u64,
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
    Staged {
        id: u32,
        digest: Digest,
        verifier: Address,
        engine: u32,
        size: u16,
        rows: u8,
        commitment: B256,
        location: Location,
    },
    Promoted {
        id: u32,
        canary_bps: u16,
        sequence: u64,
    },
    RolledBack {
        from: u32,
        to: u32,
        sequence: u64,
    },
    Killed {
        sequence: u64,
    },
    Revived {
        effective: u32,
        sequence: u64,
    },
    Paused {
        sequence: u64,
    },
    Resumed {
        sequence: u64,
    },
    Revoked {
        id: u32,
        digest: Digest,
        sequence: u64,
    },
    VerifierAdded {
        verifier: Address,
    },
    VerifierStopped {
        verifier: Address,
    },
    AuthorityUpdated {
        authority: Address,
    },
    Scheduled {
        operation: B256,
        caller: Address,
        ready_at: u64,
        scheduled: Box<Action>,
    },
    Executed {
        operation: B256,
    },
    Cancelled {
        operation: B256,
    },
}

impl Event {
    /// `None` for the artifacts themselves, which `Staged` tells of.
    fn of_change(change: &Changes) -> Option<Self> {
        Some(match change {
            Changes::ArtifactBytes(_) => return None,
            Changes::Staged(staged) => Self::Staged {
                id: staged.id,
                digest: Digest(staged.digest.0),
                verifier: staged.verifier,
                engine: staged.engine,
                size: staged.size,
                rows: staged.rows,
                commitment: staged.commitment,
                location: Location::new(staged.locationKind, staged.location),
            },
            Changes::Promoted(Abi::Promoted { id, canaryBps, sequence }) => {
                Self::Promoted { id: *id, canary_bps: *canaryBps, sequence: *sequence }
            }
            Changes::RolledBack(Abi::RolledBack { from, to, sequence }) => {
                Self::RolledBack { from: *from, to: *to, sequence: *sequence }
            }
            Changes::Killed(event) => Self::Killed { sequence: event.sequence },
            Changes::Revived(Abi::Revived { effective, sequence }) => {
                Self::Revived { effective: *effective, sequence: *sequence }
            }
            Changes::Paused(event) => Self::Paused { sequence: event.sequence },
            Changes::Resumed(event) => Self::Resumed { sequence: event.sequence },
            Changes::Revoked(Abi::Revoked { id, digest, sequence }) => {
                Self::Revoked { id: *id, digest: Digest(digest.0), sequence: *sequence }
            }
            Changes::VerifierAdded(event) => Self::VerifierAdded { verifier: event.verifier },
            Changes::VerifierStopped(event) => Self::VerifierStopped { verifier: event.verifier },
        })
    }
}

/// An event as it was decoded.
struct Told {
    log: Log,
    event: Event,
    /// Of the registry's own, as the ABI has it.
    change: Option<Changes>,
}

impl Registry {
    /// All events until a block, in the order in which they happened.
    async fn events(&self, until: u64) -> Result<Vec<Told>, ChainError> {
        // Not the artifacts' bytes, 12 KiB each.
        let changes: Vec<B256> = Changes::SELECTORS
            .iter()
            .map(B256::from)
            .filter(|topic| *topic != Abi::ArtifactBytes::SIGNATURE_HASH)
            .chain([AuthorityUpdated::SIGNATURE_HASH])
            .collect();
        let filter = Filter::new().address(self.address).event_signature(changes);
        let mut told = Vec::new();
        for log in self.chain.logs(&filter, self.from_block, until).await? {
            if let Ok(change) = Changes::decode_log(&log.inner) {
                let change = change.data;
                let Some(event) = Event::of_change(&change) else { continue };
                told.push(Told { log, event, change: Some(change) });
            } else if let Ok(updated) = AuthorityUpdated::decode_log(&log.inner) {
                let event = Event::AuthorityUpdated { authority: updated.authority };
                told.push(Told { log, event, change: None });
            }
        }
        let operations: Vec<B256> = Operations::SELECTORS.iter().map(B256::from).collect();
        let filter = Filter::new().address(self.manager).event_signature(operations);
        // A manager may serve other contracts too.
        let mut ours = HashSet::new();
        for log in self.chain.logs(&filter, self.from_block, until).await? {
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
            told.push(Told { log, event, change: None });
        }
        told.sort_by_key(|Told { log, .. }| (log.block_number, log.log_index));
        Ok(told)
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
        write!(f, "\nhistory agrees with storage at block {}", self.agrees_at_block)
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
            Self::AuthorityUpdated { authority } => write!(f, "authority is {authority}"),
            Self::Scheduled { operation, ready_at, scheduled, .. } => {
                write!(f, "scheduled: {scheduled}, from {}, operation {operation}", time(*ready_at))
            }
            Self::Executed { operation } => write!(f, "executed operation {operation}"),
            Self::Cancelled { operation } => write!(f, "cancelled operation {operation}"),
        }
    }
}

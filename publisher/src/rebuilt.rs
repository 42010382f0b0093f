//! What the registry's events alone add up to, and whether its storage says the same.
//!
//! The events say all: head, records, ids and verifiers are rebuilt from them, and the authority. Each is then asked of the
//! registry at one block. A mapping cannot be listed, so that verifiers are asked for which an event, an artifact or something
//! scheduled names.

use std::{collections::BTreeMap, fmt};

use alloy::primitives::{Address, B256, aliases::U40};
use greenlight_artifact::Digest;

use crate::{
    abi::{
        Head,
        IAccessManaged::authorityCall,
        IConfigRegistry::{self as Abi, IConfigRegistryEvents as Changes},
        Record, Status, VerifierStatus, flags,
    },
    chain::Pin,
    error::{Error, HistoryError},
    registry::Registry,
};

/// A promotion of this many basis points is one in full.
const ALL_EDGES: u16 = 10_000;

/// What the events up to a block add up to; before the first, nothing.
#[derive(Default)]
pub(crate) struct Rebuilt {
    authority: Address,
    head: Head,
    records: BTreeMap<u32, Record>,
    verifiers: BTreeMap<Address, VerifierStatus>,
}

impl Rebuilt {
    /// There is a verifier of this address, or will be.
    pub(crate) fn hear_of(&mut self, verifier: Address) {
        self.verifiers.entry(verifier).or_insert(VerifierStatus::None);
    }

    /// Another AccessManager decides.
    pub(crate) const fn obey(&mut self, authority: Address) {
        self.authority = authority;
    }

    /// Takes in the next event; `at` is its block, by number and time.
    ///
    /// # Errors
    /// [`HistoryError`] where an event before it is missing.
    pub(crate) fn take(&mut self, change: &Changes, at: &At) -> Result<(), HistoryError> {
        match change {
            Changes::ArtifactBytes(_) => {}
            Changes::Staged(event) => self.staged(event, at)?,
            Changes::Promoted(Abi::Promoted { id, canaryBps, sequence }) => {
                self.advance("promoted", *sequence, at)?;
                if *canaryBps == ALL_EDGES {
                    self.set_status(*id, Status::Promoted);
                    self.head.current = *id;
                    self.head.flags &= !flags::ROLLBACK;
                    self.head.rollbackTo = 0;
                    self.end_canary();
                } else {
                    self.head.candidate = *id;
                    self.head.canaryBps = *canaryBps;
                }
            }
            Changes::RolledBack(Abi::RolledBack { to, sequence, .. }) => {
                self.advance("rolled-back", *sequence, at)?;
                self.head.flags |= flags::ROLLBACK;
                self.head.rollbackTo = *to;
                self.end_canary();
            }
            Changes::Killed(event) => {
                self.advance("killed", event.sequence, at)?;
                self.head.flags |= flags::KILL;
            }
            Changes::Revived(event) => {
                self.advance("revived", event.sequence, at)?;
                self.head.flags &= !flags::KILL;
            }
            Changes::Paused(event) => {
                self.advance("paused", event.sequence, at)?;
                self.head.flags |= flags::PAUSED;
            }
            Changes::Resumed(event) => {
                self.advance("resumed", event.sequence, at)?;
                self.head.flags &= !flags::PAUSED;
            }
            Changes::Revoked(Abi::Revoked { id, sequence, .. }) => {
                self.advance("revoked", *sequence, at)?;
                self.set_status(*id, Status::Revoked);
                if self.head.candidate == *id {
                    self.end_canary();
                }
            }
            Changes::VerifierAdded(event) => {
                let (before, after) = (VerifierStatus::None, VerifierStatus::Active);
                self.set_verifier("verifier-added", event.verifier, before, after, at)?;
            }
            Changes::VerifierStopped(event) => {
                let (before, after) = (VerifierStatus::Active, VerifierStatus::Stopped);
                self.set_verifier("verifier-stopped", event.verifier, before, after, at)?;
            }
        }
        Ok(())
    }

    fn staged(&mut self, event: &Abi::Staged, at: &At) -> Result<(), HistoryError> {
        let (expected, found) = (self.last_id().saturating_add(1), event.id);
        if found != expected {
            let (event, counted) = ("staged", "id");
            let (expected, found) = (expected.into(), found.into());
            return Err(HistoryError::Gap { event, block: at.number, counted, expected, found });
        }
        self.hear_of(event.verifier);
        let record = Record {
            digest: event.digest,
            commitment: event.commitment,
            verifier: event.verifier,
            size: event.size,
            rows: event.rows,
            status: Status::Staged,
            stagedAt: at.time(),
            locationKind: event.locationKind,
            location: event.location,
        };
        self.records.insert(event.id, record);
        Ok(())
    }

    fn advance(&mut self, event: &'static str, sequence: u64, at: &At) -> Result<(), HistoryError> {
        let expected = self.head.sequence.saturating_add(1);
        if sequence != expected {
            let (block, counted, found) = (at.number, "sequence", sequence);
            return Err(HistoryError::Gap { event, block, counted, expected, found });
        }
        self.head.sequence = sequence;
        self.head.changedAt = at.time();
        Ok(())
    }

    fn set_verifier(
        &mut self,
        event: &'static str,
        verifier: Address,
        expected: VerifierStatus,
        after: VerifierStatus,
        at: &At,
    ) -> Result<(), HistoryError> {
        let found = self.verifiers.insert(verifier, after).unwrap_or(VerifierStatus::None);
        if found != expected {
            let (expected, found) = (Word(expected).to_string(), Word(found).to_string());
            return Err(HistoryError::Verifier {
                event,
                block: at.number,
                verifier,
                expected,
                found,
            });
        }
        Ok(())
    }

    fn set_status(&mut self, id: u32, status: Status) {
        if let Some(record) = self.records.get_mut(&id) {
            record.status = status;
        }
    }

    const fn end_canary(&mut self) {
        self.head.candidate = 0;
        self.head.canaryBps = 0;
    }

    fn last_id(&self) -> u32 {
        self.records.last_key_value().map_or(0, |(id, _)| *id)
    }

    /// Compares with storage at `block`.
    ///
    /// # Errors
    /// [`HistoryError`] naming the first difference; what the RPC did wrong.
    pub(crate) async fn compare(&self, registry: &Registry, block: &Pin) -> Result<(), Error> {
        let at = block.number;
        let head = registry.view(&Abi::headCall {}, block.id()).await?;
        same("head, flags", at, self.head.flags, head.flags)?;
        same("head, sequence", at, self.head.sequence, head.sequence)?;
        same("head, current", at, self.head.current, head.current)?;
        same("head, rollbackTo", at, self.head.rollbackTo, head.rollbackTo)?;
        same("head, candidate", at, self.head.candidate, head.candidate)?;
        same("head, canaryBps", at, self.head.canaryBps, head.canaryBps)?;
        same("head, changedAt", at, self.head.changedAt, head.changedAt)?;
        let last_id = registry.view(&Abi::lastIdCall {}, block.id()).await?;
        same("lastId", at, self.last_id(), last_id)?;
        for (id, record) in &self.records {
            let found = registry.view(&Abi::recordCall { id: *id }, block.id()).await?;
            let name = |field: &str| format!("record {id}, {field}");
            let digest = |digest: B256| Digest(digest.0);
            same(name("digest"), at, digest(record.digest), digest(found.digest))?;
            same(name("commitment"), at, record.commitment, found.commitment)?;
            same(name("verifier"), at, record.verifier, found.verifier)?;
            same(name("size"), at, record.size, found.size)?;
            same(name("rows"), at, record.rows, found.rows)?;
            same(name("status"), at, Word(record.status), Word(found.status))?;
            same(name("stagedAt"), at, record.stagedAt, found.stagedAt)?;
            let kind = Word(record.locationKind);
            same(name("locationKind"), at, kind, Word(found.locationKind))?;
            same(name("location"), at, record.location, found.location)?;
        }
        // Of a digest that was staged anew, the last.
        let ids: BTreeMap<B256, u32> =
            self.records.iter().map(|(id, record)| (record.digest, *id)).collect();
        for (digest, id) in &ids {
            let found = registry.view(&Abi::idOfCall { digest: *digest }, block.id()).await?;
            same(format!("id of {digest}"), at, *id, found)?;
        }
        for (verifier, expected) in &self.verifiers {
            let call = Abi::verifierStatusCall { verifier: *verifier };
            let found = registry.view(&call, block.id()).await?;
            same(format!("verifier {verifier}"), at, Word(*expected), Word(found))?;
        }
        let authority =
            registry.chain.view(registry.address, &authorityCall {}, block.id()).await?;
        same("authority", at, self.authority, authority)?;
        Ok(())
    }
}

/// The block of an event.
pub(crate) struct At {
    pub(crate) number: u64,
    /// Unix seconds.
    pub(crate) timestamp: u64,
}

impl At {
    fn time(&self) -> U40 {
        U40::saturating_from(self.timestamp)
    }
}

fn same<T: PartialEq + fmt::Display>(
    what: impl Into<String>,
    block: u64,
    expected: T,
    found: T,
) -> Result<(), HistoryError> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(HistoryError::Differs { what: what.into(), block, expected, found })
}

/// An enumeration as its variant's name.
#[derive(PartialEq)]
struct Word<T>(T);

impl<T: fmt::Debug> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

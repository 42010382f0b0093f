//! Heads that a sync committee signed.
//!
//! ```text
//! kept store, or checkpoint and its bootstrap ──► Store
//!                                                   │ each look
//!          updates of the periods that are missing ─┤
//!          finality update, optimistic update ──────┤ of one endpoint; of all, where the newest of one is not new
//!                                                   ▼
//!                          optimistic header ──► newest        finalized header, or an ancestor ──► adoptable
//! ```
//!
//! What is believed is decided in [`crate::light_client`]; here it is only fetched. See light-client/light-client.md
//! (altair) for the steps, and [`crate::beacon`] for the routes.

mod ancestry;
mod begin;
mod follow;

use std::{sync::Arc, time::Duration};

use alloy_primitives::B256;
use async_trait::async_trait;

use super::{
    BlockRef, HeadSource, Heads, HostTime, News, Note, SourceError, Time, VerifiedHead,
    clock::SlotClock,
};
use crate::{
    beacon::BeaconApi,
    config::Adoption,
    light_client::{Header, Network, Slot, Store},
    machine::Ages,
    rpc::{CallError, RpcPool},
    status::{HeadReport, SourceReport},
};
use ancestry::{Ancestor, Ancestry};

/// What an operator chose for a light client.
#[derive(Clone, Debug)]
pub struct LightClientSettings {
    /// The chain.
    pub network: Arc<Network>,
    /// Root of a finalized block that the operator vouches for.
    pub checkpoint: B256,
    /// The age beyond which neither the checkpoint nor a kept store is started from.
    pub max_checkpoint_age: Duration,
    /// From which head an artifact may be adopted. A depth beyond 128 counts as 128.
    pub adoption: Adoption,
}

/// Follows a chain by its sync committees.
#[derive(Debug)]
pub struct LightClientSource {
    settings: LightClientSettings,
    beacon: Arc<BeaconApi>,
    rpcs: Arc<RpcPool>,
    clock: SlotClock,
    /// What an earlier run left.
    kept: Option<Store>,
    /// The checkpoint's, once it was fetched.
    checkpoint: Option<Store>,
    /// `None` until one of the two is young enough.
    store: Option<Store>,
    /// Whether a header was verified in this run.
    has_verified: bool,
    ancestry: Ancestry,
    /// Who gave the newest header.
    endpoint: Option<String>,
    /// When updates of the clock's own period were last asked for.
    asked_at: Option<Slot>,
    /// The failure of a walk that is on record.
    walk_failed: Option<&'static str>,
    notes: Vec<Note>,
    /// Whether the store is to be kept, as it now is.
    is_to_keep: bool,
}

impl LightClientSource {
    /// A client that asks `beacon` for headers and `rpcs` for ancestors. It begins with `kept`, which an earlier one handed
    /// out as [`News::keep`], if that is whole and young enough; else with the checkpoint.
    #[must_use]
    pub fn new(
        settings: LightClientSettings,
        beacon: Arc<BeaconApi>,
        rpcs: Arc<RpcPool>,
        kept: Option<&str>,
    ) -> Self {
        let mut source = Self {
            settings,
            beacon,
            rpcs,
            clock: SlotClock::new(Box::new(HostTime::default())),
            kept: None,
            checkpoint: None,
            store: None,
            has_verified: false,
            ancestry: Ancestry::default(),
            endpoint: None,
            asked_at: None,
            walk_failed: None,
            notes: Vec::new(),
            is_to_keep: false,
        };
        source.kept = kept.and_then(|json| source.read_back(json));
        source
    }

    /// Tells the time by other clocks than the host's.
    #[must_use]
    pub fn with_time(mut self, time: Box<dyn Time>) -> Self {
        self.clock = SlotClock::new(time);
        self
    }

    fn network(&self) -> &Network {
        &self.settings.network
    }

    fn note(&mut self, event: &'static str, detail: String) {
        self.notes.push(Note { event, detail });
    }

    /// What to adopt from, as far as it is known: the finalized header, or the ancestor of the newest that is as deep as the
    /// operator chose, whichever is newer.
    async fn adoptable(&mut self, newest: Ancestor, finalized: VerifiedHead) -> VerifiedHead {
        let Adoption::Depth(depth) = self.settings.adoption else { return finalized };
        let number = newest.head.block.number.saturating_sub(depth.min(ancestry::MAX_DEPTH));
        if number <= finalized.block.number {
            self.ancestry.remember(newest);
            return finalized;
        }
        // As long as one call, and on from there at the next look: what the newest head orders waits for it.
        let walk = self.ancestry.ancestor(&self.rpcs, &newest, number);
        let walked = tokio::time::timeout(self.rpcs.deadline(), walk).await.unwrap_or(Ok(None));
        let failure = walked.as_ref().err();
        if let Some(error) = failure
            && self.walk_failed != Some(error.reason())
        {
            tracing::warn!(%error, reason = error.reason(), "no ancestor, adopting from the finalized head");
        }
        self.walk_failed = failure.map(CallError::reason);
        // An RPC that fails must not hide the newest head, where a kill may be.
        walked.ok().flatten().unwrap_or(finalized)
    }

    /// A failure that comes of wrong settings rather than of the endpoints, as such.
    fn explained(&self, store: &Store, error: CallError) -> SourceError {
        let is_first = store.participation().is_none();
        if is_first && error.reason() == "signature" {
            let network = self.network().name.clone();
            return SourceError::FirstSignature { network, said: Box::new(error) };
        }
        error.into()
    }

    fn ages(&self, store: &Store) -> Ages {
        let age = |header: &Header| Some(self.clock.age_ms(self.network(), header.slot()));
        Ages { newest: age(store.optimistic()), finalized: age(store.finalized()) }
    }

    fn head_report(&self, header: &Header) -> Option<HeadReport> {
        let Ancestor { head, .. } = execution(header).ok()?;
        Some(HeadReport {
            slot: Some(header.slot()),
            block: head.block,
            state_root: head.state_root,
            age_ms: self.clock.age_ms(self.network(), header.slot()),
        })
    }
}

/// A header's execution block.
fn execution(header: &Header) -> Result<Ancestor, SourceError> {
    let execution = header.execution().ok_or(SourceError::NoExecution { slot: header.slot() })?;
    let block = BlockRef {
        number: execution.block_number,
        hash: execution.block_hash,
        timestamp: execution.timestamp,
    };
    let head = VerifiedHead { block, state_root: execution.state_root };
    Ok(Ancestor { head, parent: execution.parent_hash })
}

#[async_trait]
impl HeadSource for LightClientSource {
    fn kind(&self) -> &'static str {
        "light-client"
    }

    async fn heads(&mut self) -> Result<Heads, SourceError> {
        let mut store = match self.store.take() {
            Some(store) if self.is_usable(store.finalized()) => store,
            // Cut off for so long that its committee may have left: what holds for a start holds here.
            cut_off => {
                self.kept = cut_off.or(self.kept.take());
                self.begin().await?
            }
        };
        let followed = self.follow(&mut store).await;
        self.store = Some(store.clone());
        followed.map_err(|error| self.explained(&store, error))?;
        let newest = execution(store.optimistic())?;
        let finalized = execution(store.finalized())?.head;
        let ages = self.ages(&store);
        let adoptable = self.adoptable(newest.clone(), finalized).await;
        Ok(Heads { newest: newest.head, adoptable, ages })
    }

    fn report(&self) -> SourceReport {
        let store = self.store.as_ref();
        let head = |header: fn(&Store) -> &Header| self.head_report(header(store?));
        SourceReport {
            endpoint: self.endpoint.clone().or_else(|| self.beacon.preferred()),
            network: Some(self.network().name.clone()),
            newest: head(Store::optimistic),
            finalized: head(Store::finalized),
            participation: store.and_then(Store::participation),
            period: store.map(Store::period),
            apis: vec![self.beacon.report()],
        }
    }

    fn news(&mut self) -> News {
        let is_to_keep = std::mem::take(&mut self.is_to_keep);
        let keep = self.store.as_ref().filter(|_| is_to_keep).map(Store::to_json);
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.beacon.take_lies().into_iter().map(Note::of_lie));
        News { notes, keep }
    }
}

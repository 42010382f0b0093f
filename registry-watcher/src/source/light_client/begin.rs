//! Where a client begins: from what it kept, or from the operator's checkpoint.

use std::{sync::Arc, time::Duration};

use super::LightClientSource;
use crate::{
    beacon::BOOTSTRAP,
    light_client::{Header, Store, bootstrap},
    rpc::{Api, CallError},
    source::SourceError,
};

impl LightClientSource {
    /// A kept store, if it is whole and of this network.
    pub(super) fn read_back(&mut self, json: &str) -> Option<Store> {
        match Store::from_json(Arc::clone(&self.settings.network), json) {
            Ok(store) => Some(store),
            Err(error) => {
                self.note("state-refused", format!("{}: light client: {error}", error.reason()));
                None
            }
        }
    }

    /// The store to begin with.
    ///
    /// Both the kept one and the checkpoint must be younger than `max_checkpoint_age`: the committee of an older one may have
    /// withdrawn its stake, and then signs whatever it is paid for. 14 days is within mainnet's weak subjectivity period,
    /// 3,532 epochs or 15.7 days with 8 million ether at stake or more (electra, weak-subjectivity.md). Neither may be of a
    /// slot that has not come: nothing would ever be newer, nor it old.
    ///
    /// # Errors
    /// What is wrong with the checkpoint, where there is no kept store to begin with.
    pub(super) async fn begin(&mut self) -> Result<Store, SourceError> {
        if !self.has_verified {
            // Nothing yet speaks for the anchor.
            self.clock.anchor();
        }
        let is_usable = self.kept.as_ref().is_some_and(|kept| self.is_usable(kept.finalized()));
        if let Some(store) = self.kept.take_if(|_| is_usable) {
            let header = store.finalized();
            let (slot, age, root) = (header.slot(), self.age_text(header), header.root());
            self.note("checkpoint", format!("kept store: slot {slot}, {age} old, root {root}"));
            return Ok(store);
        }
        let store = self.checkpoint().await?;
        if let Some(kept) = self.kept.take() {
            self.refused_store(kept.finalized());
        }
        self.begun_at_checkpoint(&store);
        Ok(store)
    }

    fn refused_store(&mut self, header: &Header) {
        let slot = header.slot();
        let detail = if self.is_of_future(header) {
            let now = self.clock.slot(self.network());
            format!(
                "kept-store-from-future: light client: expected a store of slot {now} or before; found slot {slot}"
            )
        } else {
            let (age, max) = (self.age_text(header), text(self.settings.max_checkpoint_age));
            format!(
                "kept-store-too-old: light client: expected a store of the last {max}; found slot {slot}, {age} old"
            )
        };
        self.note("state-refused", detail);
    }

    /// The checkpoint's store in place of one whose period nobody can lead out of, where the operator has set a newer one.
    /// Whether there was one.
    pub(super) async fn begin_anew(&mut self, store: &mut Store) -> bool {
        match self.checkpoint().await {
            Ok(newer) if newer.finalized().slot() > store.finalized().slot() => {
                self.begun_at_checkpoint(&newer);
                *store = newer;
                true
            }
            _ => false,
        }
    }

    fn begun_at_checkpoint(&mut self, store: &Store) {
        let header = store.finalized();
        let (slot, age, root) = (header.slot(), self.age_text(header), header.root());
        self.note("checkpoint", format!("source.checkpoint: slot {slot}, {age} old, root {root}"));
        self.is_to_keep = true;
    }

    /// The checkpoint's store, if it is young enough.
    async fn checkpoint(&mut self) -> Result<Store, SourceError> {
        let store = match &self.checkpoint {
            Some(store) => store.clone(),
            None => self.bootstrap().await?,
        };
        self.checkpoint = Some(store.clone());
        let header = store.finalized();
        let (checkpoint, slot) = (header.root(), header.slot());
        if self.is_of_future(header) {
            let now = self.clock.slot(self.network());
            return Err(SourceError::CheckpointFromFuture { checkpoint, slot, now });
        }
        if !self.is_usable(header) {
            let (age, max) = (self.age_text(header), text(self.settings.max_checkpoint_age));
            return Err(SourceError::CheckpointTooOld { checkpoint, slot, age, max });
        }
        Ok(store)
    }

    async fn bootstrap(&mut self) -> Result<Store, SourceError> {
        let root = self.settings.checkpoint;
        let mut last = CallError::NoEndpoint { api: Api::Beacon };
        let turns = self.beacon.in_turn();
        let mut is_unknown = !turns.is_empty();
        for turn in turns {
            let answer = self.beacon.bootstrap(&turn, root).await.and_then(|answer| {
                bootstrap(Arc::clone(&self.settings.network), root, &answer)
                    .map_err(|error| self.beacon.refuse(&turn, BOOTSTRAP, &error))
            });
            match answer {
                Ok(store) => {
                    self.beacon.accept(&turn);
                    self.endpoint = Some(turn.label);
                    return Ok(store);
                }
                Err(error) => {
                    is_unknown &= matches!(error, CallError::HttpStatus { found: 400 | 404, .. });
                    last = error;
                }
            }
        }
        if !is_unknown {
            return Err(last.into());
        }
        let network = self.network().name.clone();
        Err(SourceError::CheckpointUnknown { checkpoint: root, network, said: Box::new(last) })
    }

    fn age(&self, header: &Header) -> Duration {
        Duration::from_millis(self.clock.age_ms(self.network(), header.slot()))
    }

    fn age_text(&self, header: &Header) -> String {
        text(self.age(header))
    }

    fn is_of_future(&self, header: &Header) -> bool {
        header.slot() > self.clock.latest_slot(self.network())
    }

    pub(super) fn is_usable(&self, header: &Header) -> bool {
        !self.is_of_future(header) && self.age(header) <= self.settings.max_checkpoint_age
    }
}

/// For people: "13.9 days", "5.0 hours", "40 s".
fn text(age: Duration) -> String {
    let seconds = age.as_secs_f64();
    if seconds >= 86_400.0 {
        format!("{:.1} days", seconds / 86_400.0)
    } else if seconds >= 3_600.0 {
        format!("{:.1} hours", seconds / 3_600.0)
    } else {
        format!("{seconds:.0} s")
    }
}

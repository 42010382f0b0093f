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
    /// 3,532 epochs or 15.7 days with 8 million ether at stake or more (electra, weak-subjectivity.md).
    ///
    /// # Errors
    /// [`SourceError::CheckpointTooOld`], or [`SourceError::Call`] of the last endpoint tried.
    pub(super) async fn begin(&mut self) -> Result<Store, SourceError> {
        // Nothing is verified yet that could speak for the anchor.
        self.clock.anchor();
        if let Some(store) = &self.kept {
            let slot = store.finalized().slot();
            let store = self.is_young(store.finalized()).then(|| store.clone());
            if let Some(store) = store {
                let age = days(self.age(store.finalized()));
                let root = store.finalized().root();
                self.note("checkpoint", format!("kept store: slot {slot}, {age} old, root {root}"));
                self.kept = None;
                return Ok(store);
            }
        }
        let store = self.checkpoint().await?;
        if let Some(kept) = self.kept.take() {
            let (slot, age) = (kept.finalized().slot(), days(self.age(kept.finalized())));
            let max = days(self.settings.max_checkpoint_age);
            let detail = format!(
                "kept-store-too-old: light client: expected a store of the last {max}; found slot {slot}, {age} old"
            );
            self.note("state-refused", detail);
        }
        self.begun_at_checkpoint(&store);
        Ok(store)
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
        let slot = store.finalized().slot();
        let (age, root) = (days(self.age(store.finalized())), store.finalized().root());
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
        if !self.is_young(header) {
            return Err(SourceError::CheckpointTooOld {
                checkpoint: header.root(),
                slot: header.slot(),
                age: days(self.age(header)),
                max: days(self.settings.max_checkpoint_age),
            });
        }
        Ok(store)
    }

    async fn bootstrap(&mut self) -> Result<Store, CallError> {
        let root = self.settings.checkpoint;
        let mut last = CallError::NoEndpoint { api: Api::Beacon };
        for turn in self.beacon.in_turn() {
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
                    self.record_lie(&error);
                    last = error;
                }
            }
        }
        Err(last)
    }

    fn age(&self, header: &Header) -> Duration {
        Duration::from_millis(self.clock.age_ms(self.network(), header.slot()))
    }

    fn is_young(&self, header: &Header) -> bool {
        self.age(header) <= self.settings.max_checkpoint_age
    }
}

/// For people: "13.9 days".
fn days(age: Duration) -> String {
    format!("{:.1} days", age.as_secs_f64() / 86_400.0)
}

//! What is asked at each look: light-client/light-client.md (altair), "Light client sync process".

use super::LightClientSource;
use crate::{
    beacon::{FINALITY_UPDATE, MAX_UPDATES, OPTIMISTIC_UPDATE, UPDATES},
    endpoints::{Blame, Reason, Turn, refused},
    light_client::{LightClientError, Slot, Store, Update, apply_update},
    rpc::{Api, CallError},
};

/// Slots that the newest header may be behind the clock before every endpoint is asked for a newer one: a header is signed
/// in the next slot, and served when a third of that is over.
const LATE_SLOTS: Slot = 2;
/// Epochs that the finalized header may be behind before every endpoint is asked: from two, and three at an epoch's end, on a
/// chain that is well.
const LATE_EPOCHS: u64 = 4;
/// Slots between two requests for an update that leads out of the clock's own period: that one is not urgent, has 60 kB,
/// and is there only once a block of the period is final.
const PATIENCE_SLOTS: Slot = 8;

/// No update of a period that has to be passed.
#[derive(Debug, thiserror::Error)]
#[error("update of period {expected}: expected one that leads on; found {found}")]
struct NoUpdate {
    expected: u64,
    found: String,
}

impl Reason for NoUpdate {
    fn reason(&self) -> &'static str {
        "no-update"
    }

    fn blame(&self) -> Blame {
        Blame::Behind
    }
}

impl LightClientSource {
    /// Brings `store` up to what the endpoints know.
    ///
    /// # Errors
    /// [`CallError`] of the last endpoint tried, where none had a usable answer; or why a period cannot be passed.
    pub(super) async fn follow(&mut self, store: &mut Store) -> Result<(), CallError> {
        let before = (store.optimistic().slot(), store.period());
        let period = self.network().period_of(self.clock.slot(self.network()));
        let mut stuck = self.catch_up(store, period).await.err();
        if stuck.is_some() && self.begin_anew(store).await {
            stuck = self.catch_up(store, period).await.err();
        }
        let mut answered = false;
        let mut last = CallError::NoEndpoint { api: Api::Beacon };
        for turn in self.beacon.in_turn() {
            match self.ask(store, &turn).await {
                Ok(finalized) => {
                    answered = true;
                    if self.is_last_word(store, finalized) {
                        break;
                    }
                }
                Err(error) => last = error,
            }
        }
        // With it behind, old news say nothing.
        stuck.take_if(|_| (store.optimistic().slot(), store.period()) > before);
        match stuck {
            Some(error) => Err(error),
            None if answered => Ok(()),
            None => Err(last),
        }
    }

    /// Whether others are not asked after one whose finalized header is of slot `finalized`. One that lags, hangs or hides the
    /// present must not be the last word.
    fn is_last_word(&self, store: &Store, finalized: Slot) -> bool {
        let now = self.clock.slot(self.network());
        let late = LATE_EPOCHS.saturating_mul(self.network().preset.slots_per_epoch());
        store.optimistic().slot().saturating_add(LATE_SLOTS) >= now
            && finalized >= store.finalized().slot()
            && finalized.saturating_add(late) >= now
    }

    /// Takes an endpoint's newest headers; gives the slot of its finalized one, 0 where it has none.
    async fn ask(&mut self, store: &mut Store, turn: &Turn) -> Result<Slot, CallError> {
        let finalized = match self.beacon.finality_update(turn).await {
            Ok(update) => {
                self.take(store, turn, FINALITY_UPDATE, &update).await?;
                update.finalized().map_or(0, crate::light_client::Header::slot)
            }
            // There may be none yet.
            Err(CallError::HttpStatus { .. }) => 0,
            Err(error) => return Err(error),
        };
        let update = self.beacon.optimistic_update(turn).await?;
        self.take(store, turn, OPTIMISTIC_UPDATE, &update).await?;
        self.beacon.accept(turn);
        Ok(finalized)
    }

    async fn take(
        &mut self,
        store: &mut Store,
        turn: &Turn,
        call: &'static str,
        update: &Update,
    ) -> Result<(), CallError> {
        let mut taken = self.apply(store, turn, update);
        let period = self.network().period_of(update.signature_slot());
        if let Err(error) = &taken
            && error.is_ahead()
            && period > self.network().period_of(self.clock.slot(self.network()))
        {
            // Not further than the wall clock: it is what bounds signature slots.
            self.catch_up(store, period).await?;
            taken = self.apply(store, turn, update);
        }
        taken.map_err(|error| self.beacon.refuse(turn, call, &error))
    }

    /// Applies an update that has something new; one that has not costs next to nothing.
    fn apply(
        &mut self,
        store: &mut Store,
        turn: &Turn,
        update: &Update,
    ) -> Result<(), LightClientError> {
        if has_nothing_new(store, update) {
            return Ok(());
        }
        let next = match apply_update(store, update, self.clock.latest_slot(self.network())) {
            Ok(next) => next,
            Err(error) if error.is_behind() => return Ok(()),
            Err(error) => return Err(error),
        };
        self.has_verified = true;
        if next.optimistic().slot() > store.optimistic().slot() {
            self.endpoint = Some(turn.label.clone());
            let slot = update.signature_slot();
            if self.clock.witness(&self.settings.network, slot) {
                let detail = format!("a header signed in slot {slot} confirms the wall clock");
                self.note("clock-corrected", detail);
            }
        }
        // A finalized header comes with each epoch. Chains for tests are faster.
        let epoch = |store: &Store| self.network().epoch_of(store.finalized().slot());
        if epoch(&next) > epoch(store)
            || next.knows_next_sync_committee() != store.knows_next_sync_committee()
        {
            self.is_to_keep = true;
        }
        *store = next;
        Ok(())
    }

    // ------------------------------------------------------------------------------------------------------ periods

    /// Applies the updates of the periods before `target` that `store` lacks.
    ///
    /// # Errors
    /// [`CallError`] of the last endpoint tried for one that cannot be had.
    async fn catch_up(&mut self, store: &mut Store, target: u64) -> Result<(), CallError> {
        let mut most = MAX_UPDATES;
        while let Some(start) = lacks(store, target) {
            if start == target && !self.is_due() {
                return Ok(());
            }
            let count = target.saturating_sub(start).saturating_add(1).min(most);
            match self.updates(store, start, count).await {
                Ok(()) => {}
                // Some servers fail for a range when they lack one update in it.
                Err(_) if count > 1 => most = 1,
                // Finality updates carry on within a period.
                Err(_) if start == target => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether to ask for an update of the clock's own period.
    fn is_due(&mut self) -> bool {
        let now = self.clock.slot(self.network());
        let due =
            self.asked_at.is_none_or(|at| now < at || at.saturating_add(PATIENCE_SLOTS) <= now);
        if due {
            self.asked_at = Some(now);
        }
        due
    }

    /// Applies updates from period `start` on; the first endpoint that leads on is enough.
    async fn updates(
        &mut self,
        store: &mut Store,
        start: u64,
        count: u64,
    ) -> Result<(), CallError> {
        let progress = |store: &Store| (store.period(), store.knows_next_sync_committee());
        let before = progress(store);
        let mut last = CallError::NoEndpoint { api: Api::Beacon };
        for turn in self.beacon.in_turn() {
            let found = match self.beacon.updates(&turn, start, count).await {
                Ok(updates) => self.apply_all(store, &turn, &updates),
                Err(error) => Err(error),
            };
            if progress(store) != before {
                // Not where what follows is a lie.
                found.inspect(|_| self.beacon.accept(&turn)).ok();
                return Ok(());
            }
            last = match found {
                Ok(found) => refused(&turn, UPDATES, &NoUpdate { expected: start, found }),
                Err(error) => error,
            };
        }
        Err(last)
    }

    /// What there was, for people.
    fn apply_all(
        &mut self,
        store: &mut Store,
        turn: &Turn,
        updates: &[Update],
    ) -> Result<String, CallError> {
        for update in updates {
            self.apply(store, turn, update)
                .map_err(|error| self.beacon.refuse(turn, UPDATES, &error))?;
        }
        Ok(format!("{} that do not", updates.len()))
    }
}

/// The first period whose update is missing on the way to `target`: that of the store, while it does not know the next
/// committee; else the one after, unless that is the target. The target's own committee is all that it takes to follow it.
fn lacks(store: &Store, target: u64) -> Option<u64> {
    let period = store.period();
    if store.knows_next_sync_committee() {
        let next = period.saturating_add(1);
        (next < target).then_some(next)
    } else {
        (period <= target).then_some(period)
    }
}

/// Whether an update can be left alone without a look at its signature: nothing of it is newer. A header of the newest
/// slot with another root is looked at: two thirds of a committee do not sign twice.
fn has_nothing_new(store: &Store, update: &Update) -> bool {
    let attested = update.attested();
    let is_finalized_newer =
        update.finalized().is_some_and(|header| header.slot() > store.finalized().slot());
    let leads_on = update.has_next_sync_committee() && !store.knows_next_sync_committee();
    let is_attested_known =
        attested.slot() < store.optimistic().slot() || attested.root() == store.optimistic().root();
    !is_finalized_newer && !leads_on && is_attested_known
}

use greenlight_artifact::Digest;

use super::{
    Ages, Command, Event, Failure, HeadAt, Millis, Pursuit, Running, Stage, State, View, Why,
    state::{Durable, REVOKED, VERSION},
};
use crate::{
    config::StaleMode,
    registry::{ArtifactId, RecordStatus, Release},
};

/// The window in which scorer faults are counted: a rare one must not add up over months.
const FAULT_WINDOW: Millis = 600_000;
/// How many artifacts are kept to fall back to.
const GOOD_KEPT: usize = 2;

/// The next state and what to do, after `event` at `now`.
///
/// `now` never goes back between calls.
#[must_use]
pub fn step(state: &State, event: Event, now: Millis) -> (State, Vec<Command>) {
    let mut turn = Turn { state: state.clone(), now, commands: Vec::new() };
    turn.take(event);
    turn.settle();
    (turn.state, turn.commands)
}

pub(super) struct Turn {
    pub(super) state: State,
    pub(super) now: Millis,
    pub(super) commands: Vec<Command>,
}

/// What the view and the operator ask for.
enum Wish {
    /// Run nothing.
    AllowAll(Why),
    /// Go on as before; if nothing runs, run the last good.
    Keep,
    /// Run this.
    Run(ArtifactId),
}

impl Turn {
    fn take(&mut self, event: Event) {
        match event {
            Event::Seen(view, ages) => self.seen(view, ages),
            Event::SeenNewest(newest, ages) => self.seen_newest(newest, ages),
            Event::Resolved(release) => self.resolved(release),
            Event::ResolveFailed { id, why } => self.resolve_failed(id, &why),
            Event::Fetched(digest) => self.fetched(digest),
            Event::FetchFailed { digest, why } => self.fetch_failed(digest, &why),
            Event::Compiled(digest) => self.compiled(digest),
            Event::Refused { digest, reason, message } => self.refused(digest, reason, message),
            Event::KeepFailed(digest) => self.keep_failed(digest),
            Event::Faults(total) => self.faults(total),
            Event::Override(set) => self.overridden(set),
            Event::Tick => {}
        }
    }

    // ------------------------------------------------------------------------------------------------------- events

    fn seen(&mut self, view: View, ages: Ages) {
        let floor = self.state.view.or(self.state.durable.view);
        let counts = floor.map_or(Some(view), |floor| view.above(&floor));
        let behind = counts != Some(view);
        // Once, until a whole view counts again: an endpoint that lags says so at every poll.
        if let Some(floor) = floor.filter(|_| behind && !self.state.behind) {
            let detail = format!("expected at least {}; found {}", place(&floor), place(&view));
            self.record("head-behind", None, detail);
        }
        self.state.behind = behind;
        if let Some(view) = counts {
            self.accept(view, ages, floor);
        }
    }

    fn seen_newest(&mut self, newest: HeadAt, ages: Ages) {
        let floor = self.state.view.or(self.state.durable.view);
        let adoptable = floor.map(|floor| floor.adoptable).unwrap_or_default();
        self.seen(View { newest, adoptable }, ages);
    }

    fn accept(&mut self, view: View, ages: Ages, floor: Option<View>) {
        let advanced = self
            .state
            .view
            .is_none_or(|before| view.newest.block.number > before.newest.block.number);
        match ages.newest {
            Some(age) => self.state.newest_at = self.now.saturating_sub(age),
            None if advanced => self.state.newest_at = self.now,
            None => {}
        }
        self.state.finalized_at = ages.finalized.map(|age| self.now.saturating_sub(age));
        let changed = floor.is_none_or(|floor| {
            floor.newest.head != view.newest.head || floor.adoptable.head != view.adoptable.head
        });
        self.state.view = Some(view);
        let mut asked = std::mem::take(&mut self.state.unanswered);
        let at = view.newest.block;
        if changed {
            self.record("head-changed", None, orders(&view));
            // Any change may be a revocation, which counts at the newest head: what runs, what is about to and what
            // would be fallen back to is asked about there.
            asked.extend(self.state.good.iter().map(|good| good.id));
            if let Running::Artifact { release, .. } = &self.state.running {
                asked.push(release.id);
            }
            // One that the adoptable head wants is asked for there, which may be too old to know.
            asked.extend(self.wanted().filter(|_| view.adoptable.block != at));
        }
        asked.sort_unstable();
        asked.dedup();
        self.commands.extend(asked.into_iter().map(|id| Command::Resolve { id, at }));
    }

    fn resolved(&mut self, release: Release) {
        if release.status == RecordStatus::Revoked {
            let digest = release.digest;
            self.quarantine(release.id, digest, REVOKED, "the registry revoked it".into());
            self.give_up(digest, Why::Revoked);
            return;
        }
        let Some(pursuit) =
            self.state.pursuit.take_if(|pursuit| pursuit.is(release.id, &Stage::Resolving))
        else {
            return;
        };
        if !self.is_quarantined(release.id, release.digest) && !self.runs(release.digest) {
            self.pursue(release.id, Stage::Fetching(release), pursuit.failures);
        }
    }

    fn resolve_failed(&mut self, id: ArtifactId, why: &Failure) {
        if self.state.pursuit.as_ref().is_some_and(|pursuit| pursuit.is(id, &Stage::Resolving)) {
            self.failed("resolve-failed", None, why);
        } else if self.runs_id(id) || self.state.good.iter().any(|good| good.id == id) {
            self.state.unanswered.push(id);
        }
    }

    fn fetched(&mut self, digest: Digest) {
        let pursuit = self
            .state
            .pursuit
            .take_if(|p| matches!(&p.stage, Stage::Fetching(r) if r.digest == digest));
        if let Some(Pursuit { id, stage: Stage::Fetching(release), .. }) = pursuit {
            self.pursue(id, Stage::Compiling(release), 0);
        }
    }

    fn fetch_failed(&mut self, digest: Digest, why: &Failure) {
        let fetching =
            |p: &Pursuit| matches!(&p.stage, Stage::Fetching(release) if release.digest == digest);
        if self.state.pursuit.as_ref().is_some_and(fetching) {
            self.failed("fetch-failed", Some(digest), why);
        }
    }

    fn compiled(&mut self, digest: Digest) {
        let pursuit = self
            .state
            .pursuit
            .take_if(|p| matches!(&p.stage, Stage::Compiling(r) if r.digest == digest));
        if let Some(Pursuit { stage: Stage::Compiling(release), .. }) = pursuit {
            let good = self.state.good.iter().any(|good| good.digest == digest);
            self.commands.push(Command::Install(release.clone()));
            self.record("adopted", Some(digest), format!("artifact {}", release.id));
            self.state.running = Running::Artifact {
                release,
                since: self.now,
                faults_before: self.state.faults,
                faults_since: self.now,
                good,
            };
        }
    }

    fn refused(&mut self, digest: Digest, reason: &'static str, message: String) {
        let pursuit = self
            .state
            .pursuit
            .take_if(|p| matches!(&p.stage, Stage::Compiling(r) if r.digest == digest));
        if let Some(pursuit) = pursuit {
            self.quarantine(pursuit.id, digest, reason, message);
        }
    }

    fn keep_failed(&mut self, failed: Digest) {
        self.state.good.retain(|good| good.digest != failed);
        if let Running::Artifact { release, since, good, .. } = &mut self.state.running
            && release.digest == failed
        {
            // It soaks once more, and is then tried to be kept once more: not at once, however short the soak.
            *good = false;
            *since = self.now.saturating_add(self.state.settings.retry);
        }
    }

    fn faults(&mut self, total: u64) {
        let before = std::mem::replace(&mut self.state.faults, total);
        let Running::Artifact { release, faults_before, faults_since, .. } =
            &mut self.state.running
        else {
            return;
        };
        if self.now.saturating_sub(*faults_since) > FAULT_WINDOW {
            (*faults_before, *faults_since) = (before, self.now);
        }
        let faults = total.saturating_sub(*faults_before);
        if faults > self.state.settings.fault_bound {
            let (id, digest) = (release.id, release.digest);
            let bound = self.state.settings.fault_bound;
            let message =
                format!("expected at most {bound} scorer faults in ten minutes; found {faults}");
            self.quarantine(id, digest, "scorer-faults", message);
            self.give_up(digest, Why::Faults);
        }
    }

    fn overridden(&mut self, set: bool) {
        if self.state.overridden != set {
            self.state.overridden = set;
            self.record(if set { "override-set" } else { "override-cleared" }, None, String::new());
        }
    }

    // ---------------------------------------------------------------------------------------------------- decisions

    /// Brings what runs towards what is wished for.
    fn settle(&mut self) {
        self.watch_staleness();
        match self.wish() {
            Wish::AllowAll(why) => self.allow_all(why),
            Wish::Keep => self.keep(),
            Wish::Run(id) => self.run(id),
        }
        self.watch_soak();
        self.persist();
    }

    fn watch_staleness(&mut self) {
        let why = self.too_old();
        if self.state.stale == why.is_some() {
            return;
        }
        self.state.stale = why.is_some();
        match why {
            Some(why) => self.record("stale", None, why),
            None => self.record(
                "recovered",
                None,
                self.state.view.as_ref().map_or_else(String::new, place),
            ),
        }
    }

    /// Which head is older than it may be.
    fn too_old(&self) -> Option<String> {
        let State { settings, newest_at, finalized_at, .. } = &self.state;
        let heads = [
            ("newest", Some(*newest_at), settings.max_staleness),
            ("finalized", *finalized_at, settings.max_finality_age),
        ];
        heads.into_iter().find_map(|(name, since, most)| {
            let age = self.now.saturating_sub(since?);
            (age > most).then(|| {
                format!("{name} head: expected an age of at most {most} ms; found {age} ms")
            })
        })
    }

    fn wish(&self) -> Wish {
        let state = &self.state;
        if state.overridden {
            return Wish::AllowAll(Why::Override);
        }
        if state.view.or(state.durable.view).is_some_and(|view| view.killed()) {
            return Wish::AllowAll(Why::Kill);
        }
        if state.stale && state.settings.stale_mode == StaleMode::AllowAll {
            return Wish::AllowAll(Why::Stale);
        }
        let Some(view) = state.view else { return Wish::Keep };
        let head = match view.rolled_back() {
            Some(at) => return Wish::Run(at.head.rollback_to),
            // What an old view promotes may have been killed or revoked since.
            None if view.paused() || state.stale => return Wish::Keep,
            None => view.adoptable.head,
        };
        let candidate = head.candidate;
        if candidate != 0
            && !self.is_quarantined_id(candidate)
            && self.in_canary(candidate, head.canary_bps)
        {
            return Wish::Run(candidate);
        }
        if head.current == 0 { Wish::Keep } else { Wish::Run(head.current) }
    }

    pub(super) fn wanted(&self) -> Option<ArtifactId> {
        match self.wish() {
            Wish::Run(id) => Some(id),
            Wish::AllowAll(_) | Wish::Keep => None,
        }
    }

    fn allow_all(&mut self, why: Why) {
        self.state.pursuit = None;
        if self.state.running != (Running::AllowAll { why }) {
            self.stop(why);
        }
    }

    /// No new artifact. If nothing runs, the last good one comes back.
    fn keep(&mut self) {
        if self.is_running() {
            self.state.pursuit = None;
            return;
        }
        match &self.state.pursuit {
            Some(pursuit) if self.state.good.iter().any(|good| good.id == pursuit.id) => {
                self.retry()
            }
            _ => match self.state.good.first().cloned() {
                Some(good) => self.pursue(good.id, Stage::Fetching(good), 0),
                None => self.state.pursuit = None,
            },
        }
    }

    fn run(&mut self, id: ArtifactId) {
        let refused = self.rolled_back_from();
        if let Some(refused) = refused {
            self.state.good.retain(|good| good.id != refused);
        }
        if matches!(&self.state.running, Running::Artifact { release, .. } if release.id == id) {
            self.state.pursuit = None;
            return;
        }
        let failing = self.state.pursuit.as_ref().is_some_and(|pursuit| pursuit.failures > 0);
        let cannot_be_had = failing || self.is_quarantined_id(id);
        if cannot_be_had && refused.is_some_and(|refused| self.runs_id(refused)) {
            // The rollback's target is out of reach; what was rolled back must still not go on.
            self.stop(Why::RolledBack);
        }
        if self.is_quarantined_id(id) {
            return self.keep();
        }
        match &self.state.pursuit {
            Some(pursuit) if pursuit.id == id => self.retry(),
            // Falling back to a good one on the way.
            Some(pursuit)
                if !self.is_running()
                    && self.state.good.iter().any(|good| good.id == pursuit.id) =>
            {
                self.retry();
            }
            _ => self.pursue(id, Stage::Resolving, 0),
        }
    }

    fn watch_soak(&mut self) {
        let soak = self.state.settings.soak;
        let Running::Artifact { release, since, good, .. } = &mut self.state.running else {
            return;
        };
        if *good || self.now < since.saturating_add(soak) {
            return;
        }
        *good = true;
        let release = release.clone();
        self.state.good.retain(|good| good.digest != release.digest);
        self.state.good.insert(0, release.clone());
        self.state.good.truncate(GOOD_KEPT);
        self.record(
            "good",
            Some(release.digest),
            format!("artifact {} ran for {soak} ms", release.id),
        );
        self.commands.push(Command::Keep(release));
    }

    fn persist(&mut self) {
        let view = self.state.view.or(self.state.durable.view);
        let orders_changed = match (view, self.state.durable.view) {
            (Some(now), Some(then)) => {
                now.newest.head != then.newest.head || now.adoptable.head != then.adoptable.head
            }
            (now, then) => now.is_some() != then.is_some(),
        };
        let durable = Durable {
            view: if orders_changed { view } else { self.state.durable.view },
            good: self.state.good.clone(),
            quarantine: self.state.quarantine.clone(),
            version: VERSION.into(),
        };
        if durable != self.state.durable {
            self.state.durable = durable.clone();
            self.commands.push(Command::Persist(durable));
        }
    }
}

fn place(view: &View) -> String {
    let View { newest, adoptable } = view;
    format!(
        "block {} sequence {} (adoptable: block {} sequence {})",
        newest.block.number, newest.head.sequence, adoptable.block.number, adoptable.head.sequence
    )
}

fn orders(view: &View) -> String {
    let head = view.newest.head;
    format!(
        "{}: kill {}, rollback {} to {}, paused {}, current {}, candidate {} at {} bps",
        place(view),
        head.kill,
        head.rollback,
        head.rollback_to,
        head.paused,
        head.current,
        head.candidate,
        head.canary_bps
    )
}

//! The machine against a small world that answers its commands.

#![allow(clippy::arithmetic_side_effects, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use greenlight_artifact::Digest;
use proptest::prelude::*;

use super::*;
use crate::{
    config::StaleMode,
    registry::{ArtifactId, Head, Location, RecordStatus, Release},
    source::BlockRef,
};

fn release(id: ArtifactId) -> Release {
    Release {
        id,
        digest: Digest::of(&id.to_be_bytes()),
        commitment: B256::ZERO,
        size: 128,
        rows: 1,
        status: RecordStatus::Promoted,
        verifier: Address::ZERO,
        staged_at: 0,
        location: Location::Log { block: 1 },
    }
}

fn settings() -> Settings {
    Settings {
        max_staleness: 60_000,
        max_finality_age: 600_000,
        stale_mode: StaleMode::LastGood,
        soak: 5_000,
        fault_bound: 3,
        retry: 1_000,
        edge_id: "edge".into(),
    }
}

/// What a world does with an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Fine,
    Unresolvable,
    Unfetchable,
    Invalid,
    Revoked,
}

/// A chain, its artifacts' fates, and what the machine's commands have led to.
struct World {
    state: State,
    now: Millis,
    block: u64,
    head: Head,
    fates: BTreeMap<ArtifactId, Fate>,
    /// What the commands put on the engine.
    engine: Option<ArtifactId>,
    compiled: BTreeSet<Digest>,
    kept: BTreeSet<ArtifactId>,
    /// Must not be put on the engine.
    forbidden: Option<ArtifactId>,
    persisted: Durable,
    log: Vec<String>,
}

impl World {
    fn new(settings: Settings) -> Self {
        Self::booted(settings, Durable::default(), None)
    }

    fn booted(settings: Settings, durable: Durable, loaded: Option<Release>) -> Self {
        let engine = loaded.as_ref().map(|release| release.id);
        Self {
            state: State::boot(settings, durable.clone(), loaded, 0, 0),
            now: 0,
            block: 100,
            head: Head { sequence: 1, ..Head::default() },
            fates: BTreeMap::new(),
            engine,
            compiled: BTreeSet::new(),
            kept: BTreeSet::new(),
            forbidden: None,
            persisted: durable,
            log: Vec::new(),
        }
    }

    fn fate(&self, id: ArtifactId) -> Fate {
        self.fates.get(&id).copied().unwrap_or(Fate::Fine)
    }

    /// Steps the machine and answers its commands until it has none.
    fn send(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let (next, commands) = step(&self.state, event, self.now);
            self.state = next;
            for command in commands {
                events.extend(self.answer(command));
            }
            self.check();
        }
    }

    fn answer(&mut self, command: Command) -> Option<Event> {
        let why = Failure { reason: "test", message: "as told".into(), jitter: 0 };
        match command {
            Command::Resolve { id, .. } => Some(match self.fate(id) {
                Fate::Unresolvable => Event::ResolveFailed { id, why },
                Fate::Revoked => {
                    Event::Resolved(Release { status: RecordStatus::Revoked, ..release(id) })
                }
                _ => Event::Resolved(release(id)),
            }),
            Command::Fetch(release) => Some(match self.fate(release.id) {
                Fate::Unfetchable => Event::FetchFailed { digest: release.digest, why },
                _ => Event::Fetched(release.digest),
            }),
            Command::Compile(release) => Some(match self.fate(release.id) {
                Fate::Invalid => Event::Refused {
                    digest: release.digest,
                    reason: "key-duplicate",
                    message: "row 1, key: once".into(),
                },
                _ => {
                    self.compiled.insert(release.digest);
                    Event::Compiled(release.digest)
                }
            }),
            Command::Install(release) => {
                assert!(self.compiled.contains(&release.digest), "only what compiled is installed");
                assert_ne!(
                    self.forbidden,
                    Some(release.id),
                    "what was rolled back is not installed"
                );
                self.engine = Some(release.id);
                None
            }
            Command::AllowAll(_) => {
                self.engine = None;
                None
            }
            Command::Keep(release) => {
                self.kept.insert(release.id);
                None
            }
            Command::Persist(durable) => {
                self.persisted = durable;
                None
            }
            Command::Record { event, detail, .. } => {
                self.log.push(format!("{event} {detail}"));
                None
            }
        }
    }

    /// What must hold after every step, whatever happened.
    fn check(&self) {
        let state = &self.state;
        let runs = match &state.running {
            Running::Artifact { release, .. } => Some(release.id),
            Running::AllowAll { .. } => None,
        };
        // A command that is still to be answered may be between the two.
        assert!(state.good.len() <= 2);
        assert!(state.quarantine.len() <= 64);
        for q in &state.quarantine {
            assert!(state.good.iter().all(|good| good.digest != q.digest), "good and quarantined");
            assert!(runs != Some(q.id), "quarantined {} runs", q.id);
        }
        if state.overridden || state.view.is_some_and(|view| view.killed()) {
            assert_eq!(runs, None, "killed or overridden");
        }
    }

    fn look(&mut self) {
        self.see(Ages::default());
    }

    fn see(&mut self, ages: Ages) {
        self.block += 1;
        let at = HeadAt {
            block: BlockRef { number: self.block, hash: B256::ZERO, timestamp: self.block },
            head: self.head,
        };
        self.send(Event::Seen(View { newest: at, adoptable: at }, ages));
        assert_eq!(self.runs(), self.engine, "the engine does what the state says");
    }

    fn order(&mut self, change: impl FnOnce(&mut Head)) {
        change(&mut self.head);
        self.head.sequence += 1;
        self.look();
    }

    fn promote(&mut self, id: ArtifactId) {
        self.order(|head| (head.current, head.rollback, head.rollback_to) = (id, false, 0));
    }

    fn roll_back(&mut self, id: ArtifactId) {
        self.order(|head| (head.rollback, head.rollback_to) = (true, id));
    }

    fn wait(&mut self, ms: Millis) {
        for _ in 0..ms / 500 {
            self.now += 500;
            self.send(Event::Tick);
        }
    }

    fn soak(&mut self) {
        self.wait(6_000);
    }

    fn runs(&self) -> Option<ArtifactId> {
        match &self.state.running {
            Running::Artifact { release, .. } => Some(release.id),
            Running::AllowAll { .. } => None,
        }
    }

    fn good(&self) -> Vec<ArtifactId> {
        self.state.good.iter().map(|good| good.id).collect()
    }

    fn logged(&self, event: &str) -> usize {
        self.log.iter().filter(|line| line.starts_with(&format!("{event} "))).count()
    }

    fn why(&self) -> &'static str {
        match self.state.running {
            Running::AllowAll { why } => why.reason(),
            Running::Artifact { .. } => "active",
        }
    }
}

#[test]
fn a_promoted_artifact_is_adopted_soaks_and_is_kept() {
    let mut world = World::new(settings());
    world.look();
    assert_eq!((world.runs(), world.why()), (None, "no-last-good"));
    world.promote(1);
    assert_eq!((world.runs(), world.good()), (Some(1), vec![]));
    world.soak();
    assert_eq!((world.good(), world.kept.contains(&1)), (vec![1], true));
    world.promote(2);
    world.soak();
    world.promote(3);
    world.soak();
    assert_eq!((world.good(), world.persisted.good.len()), (vec![3, 2], 2));
}

#[test]
fn a_kill_allows_all_and_its_end_brings_the_artifact_back() {
    let mut world = World::new(settings());
    world.promote(1);
    world.order(|head| head.kill = true);
    assert_eq!((world.runs(), world.why()), (None, "kill"));
    world.promote(2);
    assert_eq!(world.runs(), None, "promotions while killed run nothing");
    world.order(|head| head.kill = false);
    assert_eq!(world.runs(), Some(2));
}

#[test]
fn a_kill_counts_at_the_newest_head_and_its_end_only_at_the_adoptable() {
    let mut world = World::new(settings());
    world.promote(1);
    let view = |world: &World, newest_kill: bool, adoptable_kill: bool| {
        let at = |kill: bool, back: u64| HeadAt {
            block: BlockRef { number: world.block + 10 - back, ..BlockRef::default() },
            head: Head { kill, ..world.head },
        };
        View { newest: at(newest_kill, 0), adoptable: at(adoptable_kill, 5) }
    };
    for (newest, adoptable, runs) in
        [(true, false, None), (true, true, None), (false, true, None), (false, false, Some(1))]
    {
        let seen = view(&world, newest, adoptable);
        world.send(Event::Seen(seen, Ages::default()));
        assert_eq!(world.runs(), runs, "kill at newest {newest}, at adoptable {adoptable}");
    }
}

#[test]
fn a_promotion_is_adopted_only_at_the_adoptable_head() {
    let mut world = World::new(settings());
    world.promote(1);
    let newest = HeadAt {
        block: BlockRef { number: world.block + 5, ..BlockRef::default() },
        head: Head { current: 2, sequence: world.head.sequence + 1, ..world.head },
    };
    let adoptable = HeadAt {
        block: BlockRef { number: world.block + 1, ..BlockRef::default() },
        head: world.head,
    };
    world.send(Event::Seen(View { newest, adoptable }, Ages::default()));
    assert_eq!(world.runs(), Some(1));
    let adoptable = HeadAt { block: newest.block, ..newest };
    world.send(Event::Seen(View { newest, adoptable }, Ages::default()));
    assert_eq!(world.runs(), Some(2));
}

#[test]
fn a_rollback_runs_its_target_and_never_again_what_it_took_out() {
    let mut world = World::new(settings());
    world.promote(1);
    world.soak();
    world.promote(2);
    world.soak();
    world.roll_back(1);
    assert_eq!((world.runs(), world.good()), (Some(1), vec![1]));
    let state = State::boot(settings(), world.persisted.clone(), None, 0, 0);
    assert!(state.good.iter().all(|good| good.id != 2), "not after a restart either");
}

#[test]
fn a_rollback_whose_target_cannot_be_had_falls_to_another_good_one_or_to_allow_all() {
    for (fate, others) in
        [(Fate::Unfetchable, true), (Fate::Unresolvable, true), (Fate::Invalid, false)]
    {
        let mut world = World::new(settings());
        if others {
            world.promote(3);
            world.soak();
        }
        world.promote(2);
        world.soak();
        world.fates.insert(1, fate);
        world.roll_back(1);
        world.wait(2_000);
        assert_eq!(world.runs(), others.then_some(3), "{fate:?}");
        world.fates.insert(1, Fate::Fine);
        world.wait(120_000);
        let reached = if fate == Fate::Invalid { None } else { Some(1) };
        assert_eq!(world.runs(), reached, "{fate:?} mended");
    }
}

#[test]
fn flapping_between_good_and_bad_is_one_alert_and_no_change() {
    let mut world = World::new(settings());
    world.promote(1);
    world.soak();
    world.fates.insert(2, Fate::Invalid);
    let adopted = world.logged("adopted");
    for _ in 0..20 {
        world.promote(2);
        assert_eq!(world.runs(), Some(1));
        world.wait(5_000);
        world.promote(1);
        world.wait(5_000);
    }
    assert_eq!((world.logged("quarantined"), world.logged("adopted")), (1, adopted));
}

#[test]
fn a_view_below_the_floor_changes_nothing_and_is_recorded_once() {
    let mut world = World::new(settings());
    world.promote(1);
    let old = world.state.view.unwrap();
    world.promote(2);
    for _ in 0..5 {
        world.send(Event::Seen(old, Ages::default()));
        assert_eq!(world.runs(), Some(2));
    }
    assert_eq!(world.logged("head-behind"), 1);
    let view = world.state.view.unwrap();
    let mut forged = view;
    forged.newest.block.number += 10;
    forged.adoptable.block.number += 10;
    (forged.newest.head.sequence, forged.adoptable.head.sequence) = (1, 1);
    forged.adoptable.head.current = 1;
    world.send(Event::Seen(forged, Ages::default()));
    assert_eq!(world.runs(), Some(2), "a higher block with a lower sequence");
    assert_eq!(world.state.view, Some(view), "nothing of it is taken over");
    let durable = world.persisted.clone();
    let mut restarted = World::booted(settings(), durable, None);
    restarted.send(Event::Seen(old, Ages::default()));
    assert_eq!(
        (restarted.state.view, restarted.logged("head-behind")),
        (None, 1),
        "across restarts too"
    );
}

#[test]
fn a_kill_at_the_newest_head_does_not_end_with_one_of_a_sequence_below_the_adoptable() {
    let mut world = World::new(settings());
    world.promote(1);
    let mut view = world.state.view.unwrap();
    view.newest.block.number += 1;
    view.newest.head.sequence += 1;
    view.newest.head.kill = true;
    world.send(Event::Seen(view, Ages::default()));
    assert_eq!(world.why(), "kill");
    let mut newest = view.newest;
    newest.block.number += 1;
    newest.head.sequence = view.adoptable.head.sequence - 1;
    newest.head.kill = false;
    let mut adoptable = view.adoptable;
    adoptable.block.number += 1;
    for forged in [
        Event::SeenNewest(newest, Ages::default()),
        Event::Seen(View { newest, adoptable }, Ages::default()),
        Event::Seen(View { newest, adoptable: newest }, Ages::default()),
    ] {
        world.send(forged.clone());
        assert_eq!((world.runs(), world.why()), (None, "kill"), "{forged:?}");
        assert_eq!(world.state.view, Some(view), "{forged:?}");
    }
    // At the adoptable's own it does: the kill was reorganized away.
    newest.head.sequence += 1;
    world.send(Event::SeenNewest(newest, Ages::default()));
    assert_eq!(world.runs(), Some(1));
}

#[test]
fn a_kill_is_obeyed_though_the_adoptable_head_cannot_be_read_or_lies_deeper_than_before() {
    for deeper in [true, false] {
        let mut world = World::new(settings());
        world.promote(1);
        let floor = world.state.view.unwrap().adoptable;
        let newest = HeadAt {
            block: BlockRef { number: world.block + 1, ..BlockRef::default() },
            head: Head { kill: true, sequence: world.head.sequence + 1, ..world.head },
        };
        let mut adoptable = floor;
        adoptable.block.number -= 50;
        adoptable.head.sequence = 0;
        world.send(if deeper {
            Event::Seen(View { newest, adoptable }, Ages::default())
        } else {
            Event::SeenNewest(newest, Ages::default())
        });
        assert_eq!(world.why(), "kill", "deeper {deeper}");
        assert_eq!(world.state.view.unwrap().adoptable, floor);
        assert_eq!(world.logged("head-behind"), usize::from(deeper));
    }
    let mut fresh = World::new(settings());
    let head = Head { kill: true, sequence: 4, ..Head::default() };
    fresh.send(Event::SeenNewest(HeadAt { head, ..HeadAt::default() }, Ages::default()));
    assert_eq!(fresh.why(), "kill");
}

#[test]
fn a_revocation_that_could_not_be_read_is_asked_for_again() {
    let mut world = World::new(settings());
    world.promote(1);
    world.soak();
    world.fates.insert(1, Fate::Unresolvable);
    world.promote(2);
    world.soak();
    assert_eq!(world.good(), vec![2, 1]);
    world.fates.insert(1, Fate::Revoked);
    world.look();
    assert_eq!(world.good(), vec![2]);
}

#[test]
fn rare_scorer_faults_do_not_add_up_over_time() {
    let mut world = World::new(settings());
    world.promote(1);
    for total in 1..=20 {
        world.wait(601_000);
        world.look();
        world.send(Event::Faults(total));
    }
    assert_eq!(world.runs(), Some(1));
    world.send(Event::Faults(24));
    assert_eq!(world.why(), "scorer-faults");
}

#[test]
fn a_killed_edge_stays_killed_across_a_restart_without_a_chain() {
    let mut world = World::new(settings());
    world.promote(1);
    world.soak();
    world.order(|head| head.kill = true);
    let mut restarted = World::booted(settings(), world.persisted.clone(), None);
    restarted.wait(10_000);
    assert_eq!((restarted.runs(), restarted.why()), (None, "kill"));
}

#[test]
fn while_paused_nothing_new_is_adopted_but_a_rollback_is_obeyed() {
    let mut world = World::new(settings());
    world.promote(1);
    world.soak();
    world.promote(2);
    world.order(|head| head.paused = true);
    world.promote(3);
    assert_eq!(world.runs(), Some(2));
    world.roll_back(1);
    assert_eq!(world.runs(), Some(1));
    world.order(|head| (head.rollback, head.rollback_to, head.paused) = (false, 0, false));
    assert_eq!(world.runs(), Some(3));
}

#[test]
fn a_kill_lifted_while_paused_brings_back_the_last_good() {
    let mut world = World::new(settings());
    world.promote(1);
    world.soak();
    world.order(|head| head.kill = true);
    world.order(|head| (head.kill, head.paused, head.current) = (false, true, 2));
    assert_eq!(world.runs(), Some(1));
}

#[test]
fn scorer_faults_beyond_the_bound_go_back_to_the_last_good() {
    let mut world = World::new(settings());
    world.promote(1);
    world.soak();
    world.promote(2);
    world.send(Event::Faults(3));
    assert_eq!(world.runs(), Some(2));
    world.send(Event::Faults(4));
    assert_eq!((world.runs(), world.logged("quarantined")), (Some(1), 1));
    world.send(Event::Faults(8));
    assert_eq!((world.runs(), world.why()), (None, "scorer-faults"));
}

#[test]
fn a_revoked_good_artifact_is_let_go_at_the_next_change() {
    let mut world = World::new(settings());
    world.promote(1);
    world.soak();
    world.promote(2);
    world.soak();
    world.fates.insert(1, Fate::Revoked);
    world.promote(3);
    world.soak();
    assert_eq!(world.good(), vec![3, 2]);
    assert!(world.state.quarantine.iter().any(|q| q.id == 1 && q.reason == "revoked"));
}

#[test]
fn a_revocation_counts_at_the_newest_head_also_for_what_runs_or_is_on_its_way() {
    for adopted in [true, false] {
        let mut world = World::new(settings());
        world.promote(1);
        world.soak();
        if adopted {
            world.order(|head| (head.candidate, head.canary_bps) = (2, 9_999));
            assert_eq!(world.runs(), Some(2));
        }
        // The candidate is revoked before the adoptable head can show it.
        world.fates.insert(2, Fate::Revoked);
        let at = |back: u64, candidate: ArtifactId, canary_bps: u16| HeadAt {
            block: BlockRef { number: world.block + 10 - back, ..BlockRef::default() },
            head: Head { candidate, canary_bps, ..world.head },
        };
        let mut newest = at(0, 0, 0);
        newest.head.sequence += 1;
        let seen = View { newest, adoptable: at(5, 2, 9_999) };
        world.send(Event::Seen(seen, Ages::default()));
        assert_eq!(world.runs(), Some(1), "adopted {adopted}");
        assert!(world.state.quarantine.iter().any(|q| q.id == 2 && q.reason == "revoked"));
    }
}

#[test]
fn a_head_that_stands_still_is_stale_and_the_operator_s_mode_applies() {
    for (mode, runs) in [(StaleMode::LastGood, Some(1)), (StaleMode::AllowAll, None)] {
        let mut world = World::new(Settings { stale_mode: mode, ..settings() });
        world.promote(1);
        world.soak();
        world.wait(61_000);
        assert_eq!((world.state.stale, world.runs(), world.logged("stale")), (true, runs, 1));
        world.look();
        assert_eq!(
            (world.state.stale, world.runs(), world.logged("recovered")),
            (false, Some(1), 1)
        );
    }
}

/// A source that was frozen before the start, or is fed old headers one by one: every head is new here, and too old.
#[test]
fn an_old_head_is_stale_however_often_it_advances_and_nothing_is_adopted_from_it() {
    let old = |newest, finalized| Ages { newest: Some(newest), finalized: Some(finalized) };
    for ages in [old(60_001, 0), old(0, 600_001)] {
        let mut world = World::new(settings());
        world.now = 1 << 40;
        world.promote(1);
        world.soak();
        world.head.current = 2;
        for _ in 0..3 {
            world.head.sequence += 1;
            world.see(ages);
            assert_eq!((world.state.stale, world.runs()), (true, Some(1)), "{ages:?}");
        }
        assert_eq!(world.logged("stale"), 1);
        world.head.kill = true;
        world.head.sequence += 1;
        world.see(ages);
        assert_eq!(world.why(), "kill", "an old head's kill counts all the same");
        world.head.kill = false;
        world.head.sequence += 1;
        world.see(old(60_000, 600_000));
        assert_eq!(
            (world.state.stale, world.runs(), world.logged("recovered")),
            (false, Some(2), 1)
        );
        world.wait(500);
        assert!(world.state.stale, "a head grows older by itself");
    }
}

#[test]
fn the_operator_s_override_wins_and_its_end_restores() {
    let mut world = World::new(settings());
    world.promote(1);
    world.soak();
    world.send(Event::Override(true));
    assert_eq!(world.why(), "override");
    world.promote(2);
    assert_eq!(world.runs(), None);
    world.send(Event::Override(false));
    assert_eq!(world.runs(), Some(2));
}

#[test]
fn a_failed_fetch_is_tried_again_with_growing_waits() {
    let mut world = World::new(settings());
    world.fates.insert(1, Fate::Unfetchable);
    world.promote(1);
    world.wait(30_000);
    assert_eq!((world.runs(), world.logged("fetch-failed")), (None, 1), "recorded once");
    assert!(world.state.pursuit.as_ref().unwrap().failures >= 4);
    world.fates.insert(1, Fate::Fine);
    world.wait(60_000);
    assert_eq!(world.runs(), Some(1));
}

#[test]
fn an_artifact_that_cannot_be_kept_does_not_count_as_good() {
    let mut world = World::new(settings());
    world.promote(1);
    world.soak();
    world.send(Event::KeepFailed(release(1).digest));
    assert_eq!((world.runs(), world.good()), (Some(1), vec![]));
    world.soak();
    assert_eq!(world.good(), vec![1], "tried again after another soak");
}

#[test]
fn an_artifact_that_cannot_be_kept_is_not_tried_again_at_once_however_short_the_soak() {
    let mut world = World::new(Settings { soak: 0, ..settings() });
    world.promote(1);
    assert_eq!(world.good(), vec![1]);
    world.send(Event::KeepFailed(release(1).digest));
    assert!(world.good().is_empty(), "a disk that is full would be asked without end");
    world.wait(2_000);
    assert_eq!(world.good(), vec![1]);
}

#[test]
fn a_canary_runs_on_its_slice_only_and_its_end_brings_current_back() {
    let mut in_slice = 0;
    for edge in 0..200 {
        let mut world = World::new(Settings { edge_id: format!("edge-{edge}"), ..settings() });
        world.promote(1);
        world.order(|head| (head.candidate, head.canary_bps) = (2, 2_500));
        in_slice += usize::from(world.runs() == Some(2));
        world.order(|head| (head.candidate, head.canary_bps) = (0, 0));
        assert_eq!(world.runs(), Some(1));
    }
    assert!((30..70).contains(&in_slice), "{in_slice} of 200 edges at 25 %");
}

#[test]
fn another_version_tries_what_this_one_refused_but_not_what_was_revoked() {
    let mut world = World::new(settings());
    world.fates.insert(1, Fate::Invalid);
    world.fates.insert(2, Fate::Revoked);
    world.promote(1);
    world.promote(2);
    let same = State::boot(settings(), world.persisted.clone(), None, 0, 0);
    assert_eq!(same.quarantine.len(), 2);
    let durable = Durable { version: "0.0.0-other".into(), ..world.persisted.clone() };
    let other = State::boot(settings(), durable, None, 0, 0);
    assert_eq!(other.quarantine.iter().map(|q| q.id).collect::<Vec<_>>(), vec![2]);
}

/// One thing that happens to a world.
#[derive(Clone, Debug)]
enum Happening {
    Promote(ArtifactId),
    Canary(ArtifactId, u16),
    RollBack(ArtifactId),
    Kill(bool),
    Pause(bool),
    Fate(ArtifactId, Fate),
    Override(bool),
    Faults(u64),
    KeepFailed(ArtifactId),
    OldView(u64),
    Stray(ArtifactId, u8),
    Wait(u64),
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    let id = 1..6_u32;
    let fate = prop_oneof![
        4 => Just(Fate::Fine),
        1 => Just(Fate::Unresolvable),
        1 => Just(Fate::Unfetchable),
        1 => Just(Fate::Invalid),
        1 => Just(Fate::Revoked)
    ];
    prop_oneof![
        4 => id.clone().prop_map(Happening::Promote),
        1 => (id.clone(), 0..=10_000_u16).prop_map(|(id, bps)| Happening::Canary(id, bps)),
        2 => (0..6_u32).prop_map(Happening::RollBack),
        2 => any::<bool>().prop_map(Happening::Kill),
        1 => any::<bool>().prop_map(Happening::Pause),
        3 => (id.clone(), fate).prop_map(|(id, fate)| Happening::Fate(id, fate)),
        1 => any::<bool>().prop_map(Happening::Override),
        1 => (0..6_u64).prop_map(Happening::Faults),
        1 => id.clone().prop_map(Happening::KeepFailed),
        1 => (1..20_u64).prop_map(Happening::OldView),
        1 => (id, 0..6_u8).prop_map(|(id, which)| Happening::Stray(id, which)),
        4 => (0..90_000_u64).prop_map(Happening::Wait),
        1 => Just(Happening::Restart),
    ]
}

impl World {
    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Promote(id) => self.promote(id),
            Happening::Canary(id, bps) => {
                self.order(|head| (head.candidate, head.canary_bps) = (id, bps))
            }
            Happening::RollBack(id) => self.roll_back(id),
            Happening::Kill(kill) => self.order(|head| head.kill = kill),
            Happening::Pause(paused) => self.order(|head| head.paused = paused),
            Happening::Fate(id, fate) => {
                self.fates.insert(id, fate);
            }
            Happening::Override(set) => self.send(Event::Override(set)),
            Happening::Faults(more) => self.send(Event::Faults(self.state.faults + more)),
            Happening::KeepFailed(id) => self.send(Event::KeepFailed(release(id).digest)),
            Happening::OldView(back) => {
                if let Some(mut view) = self.state.view {
                    view.newest.block.number = view.newest.block.number.saturating_sub(back);
                    view.adoptable.block.number = view.adoptable.block.number.saturating_sub(back);
                    view.adoptable.head.current = 5;
                    self.send(Event::Seen(view, Ages::default()));
                }
            }
            // Answers to questions that nobody asked, or no longer asks.
            Happening::Stray(id, which) => {
                let why = Failure { reason: "test", message: String::new(), jitter: 9 };
                let digest = release(id).digest;
                self.send(match which {
                    0 => Event::Resolved(release(id)),
                    1 => Event::ResolveFailed { id, why },
                    2 => Event::Fetched(digest),
                    3 => Event::FetchFailed { digest, why },
                    4 => Event::Compiled(digest),
                    _ => Event::Refused { digest, reason: "size", message: String::new() },
                });
            }
            Happening::Wait(ms) => self.wait(ms),
            Happening::Restart => {
                let loaded =
                    self.persisted.boot_order().ok().and_then(|good| good.first().cloned());
                let mut next = Self::booted(settings(), self.persisted.clone(), loaded);
                (next.block, next.head, next.fates) = (self.block, self.head, self.fates.clone());
                next.compiled.clone_from(&self.compiled);
                *self = next;
            }
        }
        assert_eq!(self.runs(), self.engine, "the engine does what the state says");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever happened before, once all goes well the edge does what the registry says.
    #[test]
    fn all_roads_lead_to_what_the_registry_says(happenings in proptest::collection::vec(happening(), 0..60)) {
        let mut world = World::new(settings());
        for happening in happenings {
            world.happen(happening);
        }
        world.send(Event::Override(false));
        world.fates.retain(|_, fate| *fate == Fate::Revoked);
        world.order(|head| *head = Head { current: 20, sequence: head.sequence, ..Head::default() });
        world.wait(130_000);
        prop_assert_eq!(world.runs(), Some(20));
        world.look();
        prop_assert!(world.good().contains(&20));
    }

    /// While a rollback is in force, what it took out is never put on the engine again, whatever fails.
    #[test]
    fn what_was_rolled_back_is_not_installed(
        before in proptest::collection::vec(happening(), 0..30),
        after in proptest::collection::vec((1..6_u32, any::<u8>()), 0..20),
    ) {
        let mut world = World::new(settings());
        for happening in before {
            world.happen(happening);
        }
        world.promote(7);
        world.roll_back(1);
        world.forbidden = Some(7);
        for (id, fate) in after {
            world.fates.insert(id, [Fate::Fine, Fate::Unfetchable, Fate::Unresolvable][usize::from(fate) % 3]);
            world.wait(20_000);
            world.look();
        }
    }

    /// The same state, event and time give the same answer.
    #[test]
    fn steps_are_a_function(happenings in proptest::collection::vec(happening(), 0..20)) {
        let mut world = World::new(settings());
        for happening in happenings {
            world.happen(happening);
        }
        let once = step(&world.state, Event::Tick, world.now + 1);
        prop_assert_eq!(once, step(&world.state, Event::Tick, world.now + 1));
    }
}

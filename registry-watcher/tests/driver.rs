//! The driver as its users meet it: boot from disk, a dead chain, faults of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test may panic, wait and write files"
)]

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_primitives::{Address, B256};
use greenlight_artifact::{Digest, Draft, Feature, Key, Row, Schema, ValidArtifact};
use greenlight_watcher::{
    Adoption, CompileRefused, Config, Engine, SourceConfig, StaleMode, StatusHandle, Watcher,
    evidence,
    fetch::CheckedArtifact,
    machine::{Durable, HeadAt, View},
    registry::{Head, Location, RecordStatus, Release},
    source::BlockRef,
    store::Store,
};
use tokio::sync::oneshot;

#[derive(Default)]
struct Recorder {
    runs: Mutex<Option<Digest>>,
    /// How many more times `faults` panics.
    panics: AtomicU64,
}

impl Engine for Recorder {
    type Model = Digest;

    fn schemas(&self) -> &[Schema] {
        &[Schema::ENGINE_1]
    }

    fn compile(&self, artifact: &ValidArtifact) -> Result<Digest, CompileRefused> {
        Ok(artifact.digest())
    }

    fn install(&self, model: Digest) {
        *self.runs.lock().unwrap() = Some(model);
    }

    fn allow_all(&self) {
        *self.runs.lock().unwrap() = None;
    }

    fn faults(&self) -> u64 {
        let left = self
            .panics
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "as told");
        0
    }
}

impl Recorder {
    fn runs(&self) -> Option<Digest> {
        *self.runs.lock().unwrap()
    }
}

fn artifact(label: &str) -> ValidArtifact {
    let rows = vec![Row::of(Key::from_text("ua.none", 0).unwrap(), &Feature::UserAgentEmpty, 9)];
    Draft { intercept: 0, engine: 1, created_at: 1, label: label.into(), rows }
        .encode(&[Schema::ENGINE_1])
        .unwrap()
}

fn release(id: u32, artifact: &ValidArtifact) -> Release {
    Release {
        id,
        digest: artifact.digest(),
        commitment: B256::ZERO,
        size: 128,
        rows: 1,
        status: RecordStatus::Promoted,
        verifier: Address::ZERO,
        staged_at: 0,
        location: Location::Log { block: 1 },
    }
}

fn config(dir: &Path) -> Config {
    Config {
        registry: Address::ZERO,
        source: SourceConfig::Rpc { chain_id: 1 },
        // A port that nothing can listen on.
        rpc_urls: vec!["http://127.0.0.1:1".into()],
        poll: Duration::from_millis(50),
        deadline: Duration::from_millis(200),
        adoption: Adoption::Depth(0),
        max_staleness: Duration::from_secs(600),
        max_finality_age: Duration::from_secs(600),
        stale_mode: StaleMode::LastGood,
        soak: Duration::ZERO,
        fault_bound: 3,
        edge_id: "edge".into(),
        state_dir: dir.into(),
    }
}

/// A state folder as an edge leaves it that had `two` before `three`, under `head`.
fn left_behind(dir: &Path, head: Head) -> (Digest, Digest) {
    left_behind_with(dir, head, B256::ZERO)
}

/// The same with a commitment in the record of `three`.
fn left_behind_with(dir: &Path, head: Head, commitment: B256) -> (Digest, Digest) {
    let (two, three) = (artifact("two"), artifact("three"));
    let good = vec![Release { commitment, ..release(3, &three) }, release(2, &two)];
    let store = Store::open(dir).unwrap();
    for (kept, artifact) in good.iter().zip([&three, &two]) {
        let checked = CheckedArtifact::new(artifact.bytes().to_vec(), artifact.digest()).unwrap();
        store.keep(&checked, kept, None, &good).unwrap();
    }
    let at = HeadAt { block: BlockRef { number: 9, hash: B256::ZERO, timestamp: 9 }, head };
    let view = Some(View { newest: at, adoptable: at });
    store.persist(&Durable { view, good, ..Durable::default() }).unwrap();
    (two.digest(), three.digest())
}

fn boot(dir: &Path) -> (Arc<Recorder>, Watcher<Recorder>, StatusHandle) {
    let engine = Arc::new(Recorder::default());
    let (watcher, status) = Watcher::open(config(dir), Arc::clone(&engine)).unwrap();
    (engine, watcher, status)
}

fn evidence_of(dir: &Path) -> String {
    let path = dir.join("evidence.ndjson");
    evidence::verify(&path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

/// Runs a watcher until `done` says so, for at most ten seconds.
async fn run_until(watcher: Watcher<Recorder>, done: impl Fn() -> bool) {
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(watcher.run(async move {
        let _ = stopped.await;
    }));
    for _ in 0..200 {
        if done() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let _ = stop.send(());
    running.await.unwrap();
    assert!(done(), "not within ten seconds");
}

#[test]
fn with_nothing_on_disk_everything_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, _watcher, status) = boot(dir.path());
    assert_eq!(
        (engine.runs(), status.snapshot().mode, status.snapshot().reason),
        (None, "allow-all", Some("no-last-good"))
    );
}

#[test]
fn the_last_good_runs_before_the_chain_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let (_, three) = left_behind(dir.path(), Head { current: 3, ..Head::default() });
    let (engine, _watcher, status) = boot(dir.path());
    assert_eq!(engine.runs(), Some(three));
    assert_eq!(status.snapshot().artifact.as_ref().unwrap().digest, three.to_string());
    assert!(evidence_of(dir.path()).contains("\"resumed\""));
}

#[test]
fn a_torn_last_good_gives_way_to_the_one_before_and_then_to_allow_all() {
    let dir = tempfile::tempdir().unwrap();
    let (two, three) = left_behind(dir.path(), Head::default());
    let file = |digest: Digest| dir.path().join(format!("artifacts/{digest}.glff"));
    std::fs::write(file(three), b"GLFF torn").unwrap();
    let (engine, watcher, _) = boot(dir.path());
    assert_eq!(engine.runs(), Some(two));
    drop(watcher);
    std::fs::write(file(two), b"").unwrap();
    let (engine, _watcher, _) = boot(dir.path());
    assert_eq!(engine.runs(), None);
    let evidence = evidence_of(dir.path());
    assert!(evidence.contains("cache-refused") && evidence.contains("cache-digest"), "{evidence}");
}

#[test]
fn a_last_good_is_held_to_its_commitment_at_every_start() {
    let head = Head { current: 3, ..Head::default() };
    let dir = tempfile::tempdir().unwrap();
    let (_, three) = left_behind_with(dir.path(), head, artifact("three").commitment().0.into());
    assert_eq!(boot(dir.path()).0.runs(), Some(three));

    let dir = tempfile::tempdir().unwrap();
    let (two, _) = left_behind_with(dir.path(), head, artifact("two").commitment().0.into());
    assert_eq!(boot(dir.path()).0.runs(), Some(two));
    let evidence = evidence_of(dir.path());
    assert!(evidence.contains("cache-refused") && evidence.contains("commitment: expected"));
}

#[test]
fn a_killed_edge_comes_back_killed() {
    let dir = tempfile::tempdir().unwrap();
    left_behind(dir.path(), Head { kill: true, current: 3, ..Head::default() });
    let (engine, _watcher, status) = boot(dir.path());
    assert_eq!((engine.runs(), status.snapshot().reason), (None, Some("kill")));
}

#[test]
fn a_state_folder_that_cannot_be_used_is_said_and_serving_goes_on() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (engine, _watcher, status) = boot(&file.path().join("state"));
    assert_eq!(engine.runs(), None);
    assert!(status.snapshot().store_error.as_ref().unwrap().contains("create"));
}

#[test]
fn evidence_with_a_broken_chain_is_set_aside_whole() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("evidence.ndjson"), "not evidence\n").unwrap();
    let (_, _watcher, _) = boot(dir.path());
    assert!(evidence_of(dir.path()).contains("evidence-set-aside"));
    let aside = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let aside = aside.into_iter().find(|path| path.to_string_lossy().contains("broken")).unwrap();
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "not evidence\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_chain_changes_nothing_and_is_recorded_once() {
    let dir = tempfile::tempdir().unwrap();
    let (_, three) = left_behind(dir.path(), Head { current: 3, ..Head::default() });
    let (engine, watcher, status) = boot(dir.path());
    run_until(watcher, || status.snapshot().source.failures >= 3).await;
    assert_eq!(engine.runs(), Some(three));
    assert_eq!(status.snapshot().source.last_reason, Some("rpc-unreachable"));
    assert_eq!(evidence_of(dir.path()).matches("source-failed").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_cache_without_a_chain_is_recorded_once_however_often_it_is_tried() {
    let dir = tempfile::tempdir().unwrap();
    let (two, three) = left_behind(dir.path(), Head { current: 3, ..Head::default() });
    for digest in [two, three] {
        std::fs::write(dir.path().join(format!("artifacts/{digest}.glff")), b"torn").unwrap();
    }
    let (_, watcher, status) = boot(dir.path());
    let recorded = |n: usize| evidence_of(dir.path()).matches("cache-refused").count() == n;
    assert!(recorded(2));
    run_until(watcher, || status.snapshot().source.failures >= 20).await;
    // The one that is tried again, once more: it is not what was shown last.
    assert!(recorded(3), "{}", evidence_of(dir.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_the_watcher_changes_nothing_and_it_is_started_again() {
    let dir = tempfile::tempdir().unwrap();
    let (_, three) = left_behind(dir.path(), Head { current: 3, ..Head::default() });
    let (engine, watcher, status) = boot(dir.path());
    engine.panics.store(2, Ordering::SeqCst);
    run_until(watcher, || {
        status.snapshot().restarts == 2 && status.snapshot().source.failures >= 2
    })
    .await;
    assert_eq!(engine.runs(), Some(three));
    assert_eq!(evidence_of(dir.path()).matches("watcher-restarted").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_break_glass_file_works_without_a_chain() {
    let dir = tempfile::tempdir().unwrap();
    let (_, three) = left_behind(dir.path(), Head { current: 3, ..Head::default() });
    let (engine, watcher, status) = boot(dir.path());
    let glass = dir.path().join("allow-all");
    std::fs::write(&glass, "").unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(watcher.run(async move {
        let _ = stopped.await;
    }));
    let until = async |runs: Option<Digest>| {
        for _ in 0..200 {
            if engine.runs() == runs {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("expected {runs:?}; found {:?}", engine.runs());
    };
    until(None).await;
    assert_eq!(status.snapshot().reason, Some("override"));
    std::fs::remove_file(&glass).unwrap();
    until(Some(three)).await;
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_folder_that_comes_late_is_used_and_the_break_glass_does_not_wait_for_it() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("state");
    std::fs::write(&dir, "not a folder").unwrap();
    let (_, watcher, status) = boot(&dir);
    assert!(status.snapshot().store_error.is_some() && status.snapshot().evidence_missed > 0);
    std::fs::remove_file(&dir).unwrap();
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("allow-all"), "").unwrap();
    run_until(watcher, || status.snapshot().overridden && status.snapshot().store_error.is_none())
        .await;
    assert_eq!(status.snapshot().evidence_missed, 0);
    let evidence = evidence_of(&dir);
    assert!(evidence.contains("lines could not be written"), "{evidence}");
    assert!(evidence.contains("state-reopened") && evidence.contains("override-set"), "{evidence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_folder_in_use_by_another_can_still_be_overridden() {
    let dir = tempfile::tempdir().unwrap();
    let _held = Store::open(dir.path()).unwrap();
    let (_, watcher, status) = boot(dir.path());
    assert!(status.snapshot().store_error.is_some());
    std::fs::write(dir.path().join("allow-all"), "").unwrap();
    run_until(watcher, || status.snapshot().overridden).await;
    assert!(!dir.path().join("evidence.ndjson").exists(), "the evidence is its holder's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_folder_that_is_removed_is_made_again_and_filled() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("state");
    let (two, three) = left_behind(&dir, Head { current: 3, ..Head::default() });
    let (engine, watcher, status) = boot(&dir);
    std::fs::remove_dir_all(&dir).unwrap();
    let kept = dir.join(format!("artifacts/{three}.glff"));
    let listed = || std::fs::read_to_string(dir.join("durable.json")).unwrap_or_default();
    run_until(watcher, || kept.exists() && listed().contains(&three.to_string())).await;
    assert_eq!(engine.runs(), Some(three));
    assert_eq!(status.snapshot().store_error, None);
    assert!(
        !dir.join(format!("artifacts/{two}.glff")).exists(),
        "whose bytes are nowhere any more"
    );
    assert!(evidence_of(&dir).contains("state-reopened"));
    assert!(!listed().contains(&two.to_string()));
}

#![allow(clippy::arithmetic_side_effects, reason = "a test may panic")]

use alloy_primitives::{Address, B256};

use super::*;
use crate::{
    machine::Quarantined,
    registry::{Location, RecordStatus},
};

fn release(bytes: &[u8]) -> Release {
    Release {
        id: 4,
        digest: Digest::of(bytes),
        commitment: B256::ZERO,
        size: 3,
        rows: 1,
        status: RecordStatus::Promoted,
        verifier: Address::ZERO,
        staged_at: 9,
        location: Location::Log { block: 8 },
    }
}

fn durable(bytes: &[u8]) -> Durable {
    let digest = Digest::of(b"bad");
    let bad =
        Quarantined { id: 9, digest, reason: "size".into(), message: "expected; found".into() };
    Durable {
        view: Some(View::default()),
        good: vec![release(bytes)],
        quarantine: [bad].into(),
        version: "1".into(),
    }
}

fn keep(store: &Store, bytes: &[u8], good: &[Release]) {
    let artifact = CheckedArtifact::new(bytes.to_vec(), Digest::of(bytes)).unwrap();
    store.keep(&artifact, &release(bytes), None, good).unwrap();
}

#[test]
fn what_is_written_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert!(store.durable().0.is_none());
    store.persist(&durable(b"one")).unwrap();
    store.persist(&durable(b"two")).unwrap();
    assert_eq!(store.durable().0.unwrap(), durable(b"two"));
    keep(&store, b"two", &[release(b"two")]);
    assert_eq!(store.load(Digest::of(b"two")).unwrap().bytes(), b"two");
    assert_eq!(store.load(Digest::of(b"three")).unwrap_err().reason(), "not-kept");
}

#[test]
fn a_torn_record_gives_way_to_the_one_before_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.persist(&durable(b"one")).unwrap();
    store.persist(&durable(b"two")).unwrap();
    let path = dir.path().join("durable.json");
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        let (found, problems) = store.durable();
        assert_eq!(found.unwrap(), durable(b"one"), "cut to {length}");
        assert_eq!(problems[0].reason(), "cache-torn");
    }
    // The same content, written by something that formats otherwise.
    let json = String::from_utf8(good).unwrap();
    fs::write(&path, json.replace("  ", "")).unwrap();
    assert_eq!(store.durable().1[0].reason(), "cache-torn");
    fs::write(&path, vec![b' '; 300_000]).unwrap();
    assert_eq!(store.durable().1[0].reason(), "cache-too-large");
}

#[test]
fn only_the_original_bytes_are_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    keep(&store, b"good", &[release(b"good")]);
    let path = store.artifact(Digest::of(b"good"), "glff");
    for (bytes, reason) in [
        (b"goo".to_vec(), "cache-digest"),
        (vec![], "cache-digest"),
        (vec![0; 20_000], "cache-too-large"),
    ] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(store.load(Digest::of(b"good")).unwrap_err().reason(), reason);
    }
}

#[test]
fn what_is_no_longer_good_is_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    keep(&store, b"a", &[release(b"a")]);
    keep(&store, b"b", &[release(b"b"), release(b"a")]);
    keep(&store, b"c", &[release(b"c"), release(b"b")]);
    assert!(store.load(Digest::of(b"a")).is_err());
    assert!(store.load(Digest::of(b"b")).is_ok() && store.load(Digest::of(b"c")).is_ok());
    assert_eq!(fs::read_dir(dir.path().join("artifacts")).unwrap().count(), 4);
}

#[test]
fn a_folder_serves_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let _store = Store::open(dir.path()).unwrap();
    assert_eq!(Store::open(dir.path()).unwrap_err().reason(), "state-locked");
}

#[test]
fn a_folder_that_cannot_be_made_says_so() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(Store::open(&file.path().join("state")).unwrap_err().reason(), "disk-io");
}

/// It has no end.
#[test]
fn only_regular_files_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.path().join(LIGHT_CLIENT)).unwrap();
    let error = store.light_client().unwrap_err();
    assert_eq!(error.reason(), "no-file", "{error}");
    assert!(crate::evidence::Evidence::open(Path::new("/dev/zero")).is_err());
}

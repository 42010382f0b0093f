//! A watcher on a light client: what it writes down.

use std::{
    path::Path,
    sync::{Arc, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy_primitives::{Address, B256};
use greenlight_artifact::{Digest, Schema, ValidArtifact};
use greenlight_beacon_simulator::{BeaconChain, Endpoint, ExecutionBlock};
use greenlight_watcher::{
    Adoption, CompileRefused, Config, Engine, SourceConfig, StaleMode, Status, StatusHandle,
    Watcher, evidence, store::Store,
};
use tokio::sync::oneshot;

use crate::scene::{DEADLINE, Scene};

struct Idle;

impl Engine for Idle {
    type Model = Digest;

    fn schemas(&self) -> &[Schema] {
        &[Schema::ENGINE_1]
    }

    fn compile(&self, artifact: &ValidArtifact) -> Result<Digest, CompileRefused> {
        Ok(artifact.digest())
    }

    fn install(&self, _: Digest) {}

    fn allow_all(&self) {}

    fn faults(&self) -> u64 {
        0
    }
}

/// A scene whose slot 100 is now, by the host's clock.
fn now() -> Scene {
    let mut scene = Scene::young();
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    scene.spec = scene.spec.with_slot_at(100, u64::try_from(unix.as_millis()).unwrap());
    let mut chain = BeaconChain::new(scene.spec.clone());
    for slot in 1..=100 {
        assert!(chain.push(slot, ExecutionBlock::synthetic(slot)));
    }
    scene.chain = Arc::new(RwLock::new(chain));
    scene
}

fn config(scene: &Scene, checkpoint: B256, endpoint: &Endpoint, dir: &Path) -> Config {
    Config {
        registry: Address::ZERO,
        source: SourceConfig::LightClient {
            network: scene.network(),
            checkpoint,
            beacon_urls: vec![endpoint.url.clone()],
            max_checkpoint_age: Duration::from_secs(86_400),
        },
        // A port that nothing can listen on.
        rpc_urls: vec!["http://127.0.0.1:1".into()],
        poll: Duration::from_millis(50),
        deadline: DEADLINE,
        adoption: Adoption::Finalized,
        max_staleness: Duration::from_secs(600),
        max_finality_age: Duration::from_secs(600),
        stale_mode: StaleMode::LastGood,
        soak: Duration::ZERO,
        fault_bound: 3,
        edge_id: "edge".into(),
        state_dir: dir.into(),
    }
}

/// Runs a watcher until it is done, for at most ten seconds; gives its evidence.
async fn run(config: Config, done: impl Fn(&Status) -> bool) -> String {
    let dir = config.state_dir.clone();
    let path = dir.join("evidence.ndjson");
    let (watcher, status): (_, StatusHandle) = Watcher::open(config, Arc::new(Idle)).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(watcher.run(async move { drop(stopped.await) }));
    for _ in 0..200 {
        if done(&status.snapshot()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.send(()).unwrap();
    running.await.unwrap();
    // Its tasks end soon after it.
    while Store::open(&dir).is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(done(&status.snapshot()), "{:?}", status.snapshot());
    evidence::verify(&path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_store_gives_way_to_the_checkpoint_and_a_whole_one_needs_none() {
    let scene = now();
    let endpoint = scene.endpoint().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("light-client.json");
    std::fs::write(&file, "{\"version\":1,").unwrap();

    let begun = |status: &Status| {
        status.source.report.newest.is_some() && file.metadata().unwrap().len() > 1_000
    };
    let evidence = run(config(&scene, scene.checkpoint(), &endpoint, dir.path()), begun).await;
    let at = |text: &str| evidence.find(text).unwrap_or_else(|| panic!("no {text} in {evidence}"));
    assert!(at("cache-torn") < at("source.checkpoint: slot 83"));
    // Heads are verified; the registry cannot be read.
    assert!(evidence.contains("source-failed") && evidence.contains("rpc-unreachable"));

    let nobodys = B256::repeat_byte(1);
    let evidence = run(config(&scene, nobodys, &endpoint, dir.path()), begun).await;
    assert!(evidence.contains("kept store: slot 83"), "{evidence}");

    // One flipped digit of a key.
    let kept = std::fs::read_to_string(&file).unwrap();
    let middle = kept.len() / 2;
    let digit = if &kept[middle..=middle] == "0" { "1" } else { "0" };
    std::fs::write(&file, format!("{}{digit}{}", &kept[..middle], &kept[middle + 1..])).unwrap();
    let refused = |status: &Status| status.source.failures > 0;
    let evidence = run(config(&scene, nobodys, &endpoint, dir.path()), refused).await;
    assert!(evidence.contains("checksum: expected"), "{evidence}");
    assert!(evidence.contains("checkpoint-unknown"), "{evidence}");
}

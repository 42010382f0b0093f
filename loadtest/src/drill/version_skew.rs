//! Drill 12: the control plane is ahead of edges. One edge is of this version, beside it runs one of the version before,
//! whose engine has fewer kinds, and artifacts and storage come that one of them, or both, cannot read: a kind of this
//! version, a kind and an engine of none, a place for bytes and a bit of the head of a later registry. Each edge refuses what
//! it cannot read and says why, keeps its own last-good, across a restart without a chain too, and adopts again what it can
//! read, without a restart.

use std::time::Duration;

use alloy::{
    primitives::{B256, U256},
    sol_types::SolCall as _,
};
use anyhow::{Context as _, Result};
use greenlight_artifact::{ArgumentClass, Schema};
use greenlight_watcher::registry::{HEAD_SLOT, Release};
use serde_json::json;
use tokio::time::Instant;

use super::Drill;
use crate::{
    artifacts,
    chain::PUBLISHER,
    deploy::{self, Holding, Registry},
    edge::{Edge, Settings},
    load::Load,
    scene::{SOON, Scene, Setup, Staged, evidence},
};

/// `http2-contains`: of this version, and not yet of the one before.
const LATEST: u8 = 30;
/// Of no version.
const UNKNOWN: u8 = 31;
/// A location kind of no version, as the registry keeps it: a byte of a record's third word.
const ELSEWHERE: U256 = U256::from_limbs([0, 0, 0, 0xff << 40]);
/// A flag of no version.
const FLAG: U256 = U256::from_limbs([0x80, 0, 0, 0]);

/// What a scene's two edges run with.
struct Versions {
    this: Settings,
    earlier: Settings,
}

struct Edges {
    this: Edge,
    earlier: Edge,
    loads: [Load; 2],
}

impl Edges {
    async fn start(scene: &Scene, versions: &Versions) -> Result<Self> {
        let this = scene.edge(&versions.this).await?;
        let earlier = scene.edge(&versions.earlier).await?;
        let loads = [scene.light_load(&this), scene.light_load(&earlier)];
        Ok(Self { this, earlier, loads })
    }

    async fn end(self) -> Result<()> {
        for load in self.loads {
            load.stop().await;
        }
        self.this.end().await?;
        self.earlier.end().await
    }

    /// Waits until each keeps its own.
    async fn keep(&self, this: &Staged, earlier: &Staged) -> Result<()> {
        self.this.keeps(&this.digest, SOON).await.context("this version")?;
        self.earlier.keeps(&earlier.digest, SOON).await.context("the version before")?;
        Ok(())
    }
}

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let setup = Setup { holding: Holding::Accounts, ..Setup::QUICK };
    let scene = Scene::start(&drill.tools, setup, &drill.journal).await?;
    let first = scene.publish("first").await?;
    let this = scene.settings();
    let earlier = Settings {
        binary: Some(drill.tools.earlier()?),
        id: "edge-0".into(),
        state: scene.dir.path().join("earlier"),
        ..this.clone()
    };
    let versions = Versions { this, earlier };
    let edges = Edges::start(&scene, &versions).await?;
    edges.keep(&first, &first).await?;
    let before = drill.journal.counter.read();

    // A kind of this version: the registry's verifier and this edge know it, the one before does not.
    let latest = artifacts::with_kind(&scene.sample, 1, LATEST, "of-another-version")?;
    let latest = scene.stage("latest", &latest).await?;
    scene.promote(&latest).await?;
    edges.this.keeps(&latest.digest, SOON).await?;
    edges.earlier.quarantines(&latest.digest, SOON).await.context("the version before")?;

    // What neither knows: verifiers vouch for a later version of engine 1, and for another engine.
    let mut word = Schema::ENGINE_1.word;
    word[usize::from(UNKNOWN)] = (ArgumentClass::None as u8) << 4 | 1;
    let mut unreadable = Vec::new();
    for engine in [1, 2] {
        let later = Schema { engine, word, ..Schema::ENGINE_1 };
        let staged = stage_for(&scene, &later).await?;
        scene.promote(&staged).await?;
        for edge in [&edges.this, &edges.earlier] {
            edge.quarantines(&staged.digest, SOON)
                .await
                .with_context(|| format!("engine {engine}"))?;
        }
        unreadable.push(staged);
    }
    edges.keep(&latest, &first).await?;

    // Each boots with its own, without a chain too.
    edges.end().await?;
    let offline = Versions {
        this: versions.this.clone().offline(),
        earlier: versions.earlier.clone().offline(),
    };
    let edges = Edges::start(&scene, &offline).await?;
    edges.keep(&latest, &first).await.context("without a chain")?;
    edges.end().await?;
    let edges = Edges::start(&scene, &versions).await?;
    edges.keep(&latest, &first).await?;

    later_registry(&scene, &edges, [&latest, &first]).await.context("a later registry")?;
    drill.none_let_through(&before);
    drill.findings.fact("rss_mib", edges.this.rss_mib()?);
    edges.end().await?;

    let own = evidence(&versions.this.state)?;
    let earlier = evidence(&versions.earlier.state)?;
    let unknown = ["kind: expected a kind of engine 1; found 31", "engine: expected 1; found 2"];
    for (staged, reason) in unreadable.iter().zip(unknown) {
        for lines in [&own, &earlier] {
            drill.findings.recorded(lines, "quarantined", Some(&staged.digest), reason);
        }
    }
    let reason = "kind: expected a kind of engine 1; found 30";
    drill.findings.recorded(&earlier, "quarantined", Some(&latest.digest), reason);
    let of_latest = own.iter().filter(|line| line.digest.as_deref() == Some(&latest.digest));
    let refused = of_latest.filter(|line| line.event == "quarantined").count();
    drill.findings.equal("refusals by this version of its own kind", refused, 0);
    scene.end().await
}

/// Stages an artifact that has the unknown kind, through a verifier of its own for this schema.
async fn stage_for(scene: &Scene, schema: &Schema) -> Result<Staged> {
    let (tools, rpc) = (&scene.tools, scene.rpc());
    let verifier = deploy::calldata_verifier(tools, rpc, schema).await?;
    deploy::add_verifier(rpc, &scene.deployment, verifier).await?;
    let bytes = artifacts::with_kind(&scene.sample, schema.engine, UNKNOWN, "")?;
    // Whoever stages it has tools of that version: ours would check it as this edge does.
    let by_it = ["--unchecked", "--verifier", &verifier.to_string()];
    scene.stage_with(&format!("engine-{}", schema.engine), &bytes, &by_it).await
}

/// The registry's storage says what only later versions of it could: where bytes are in a way that edges do not know, and
/// a bit of the head. Anvil writes it; what edges read is proven as ever. `runs` is what each runs before.
async fn later_registry(scene: &Scene, edges: &Edges, runs: [&Staged; 2]) -> Result<()> {
    let [this, earlier] = runs;
    let bytes = artifacts::labelled(&scene.sample, "elsewhere")?;
    let staged = scene.stage("elsewhere", bytes.bytes()).await?;
    let [_, _, meta, _] = Release::slots(u32::try_from(staged.id)?);
    let known = alter(scene, meta, ELSEWHERE).await?;
    let sequence = edges.this.status().await?["sequence"].as_u64().context("sequence")?;
    let promote =
        Registry::promoteCall { id: u32::try_from(staged.id)?, canaryBps: 10_000, sequence };
    let (registry, manager) = (scene.deployment.registry, scene.deployment.manager);
    let data = promote.abi_encode();
    deploy::through_timelock(scene.rpc(), manager, PUBLISHER.address, registry, data).await?;
    for edge in [&edges.this, &edges.earlier] {
        records(edge, "resolve-failed", "location-kind").await?;
    }
    edges.keep(this, earlier).await?;
    set(scene, meta, known).await?;
    edges.keep(&staged, &staged).await.context("once its place is known")?;

    let known = alter(scene, HEAD_SLOT, FLAG).await?;
    for edge in [&edges.this, &edges.earlier] {
        records(edge, "source-failed", "head-flags").await?;
        super::named(edge, &["head-flags"]).await?;
    }
    edges.keep(&staged, &staged).await?;
    set(scene, HEAD_SLOT, known).await?;
    for edge in [&edges.this, &edges.earlier] {
        super::recovers(edge).await?;
        records(edge, "source-recovered", "").await?;
    }
    edges.keep(&staged, &staged).await
}

/// Sets bits of a word of the registry's storage, and returns the word as it was.
async fn alter(scene: &Scene, slot: U256, bits: U256) -> Result<U256> {
    let position = json!([scene.deployment.registry, B256::from(slot), "latest"]);
    let word = scene.rpc().call("eth_getStorageAt", position).await?;
    let word: B256 = serde_json::from_value(word).context("a storage word")?;
    let word = U256::from_be_bytes(word.0);
    set(scene, slot, word | bits).await?;
    Ok(word)
}

async fn set(scene: &Scene, slot: U256, word: U256) -> Result<()> {
    let params = json!([scene.deployment.registry, B256::from(slot), B256::from(word)]);
    scene.rpc().call("anvil_setStorageAt", params).await.map(drop)
}

/// Waits until an edge has a line of evidence of this event whose detail contains `text`.
async fn records(edge: &Edge, event: &str, text: &str) -> Result<()> {
    let start = Instant::now();
    loop {
        let evidence = edge.evidence()?;
        if evidence.iter().any(|line| line.event == event && line.detail.contains(text)) {
            return Ok(());
        }
        anyhow::ensure!(
            start.elapsed() < SOON,
            "expected evidence {event:?} with {text:?}; found {evidence:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

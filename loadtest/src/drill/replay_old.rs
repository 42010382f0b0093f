//! Drill 15: an old approval is presented again: the block, the proofs and the record of a time when the artifact before
//! was current, all of them genuine. An RPC does it to an edge that takes headers on its word, a beacon endpoint to a light
//! client that lost its store and begins at an old checkpoint. The edge refuses that, across a restart too, and keeps what
//! it runs. The registry does not take the old bytes a second time. With the rollback bit, the same artifact comes back.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use greenlight_beacon_simulator::{Endpoint, Manner as Beacon};
use serde_json::json;
use tokio::time::Instant;

use super::{Drill, refused};
use crate::{
    chain::{GUARDIAN, PUBLISHER},
    edge::{Edge, Settings},
    liar::{Liar, Manner, Tape},
    load::{Route, Who},
    scene::{SOON, Scene, Setup, Staged},
};

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let liar = Liar::start(scene.rpc().clone()).await?;
    let first = scene.publish("first").await?;
    let settings = Settings { rpc_urls: vec![liar.url.clone()], ..scene.rpc_settings() };
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.keeps(&first.digest, SOON).await?;
    let old = a_whole_look(&liar).await?;
    let replayed = Settings { state: scene.dir.path().join("light-client"), ..scene.settings() };
    let beacon = scene.beacon.endpoint().await?;
    beacon.be(Beacon::Frozen);
    let second = scene.publish("second").await?;
    edge.keeps(&second.digest, SOON).await?;
    let before = drill.journal.counter.read();

    liar.be(Manner::Replay(Arc::clone(&old)));
    refuses(drill, &edge, 1).await?;
    drill.findings.equal(
        "what runs",
        &edge.status().await?["artifact"]["digest"],
        &json!(second.digest),
    );

    // What was seen is remembered across a restart.
    load.stop().await;
    edge.end().await?;
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.runs(&second.digest, SOON).await?;
    refuses(drill, &edge, 2).await?;
    drill.findings.equal(
        "what runs after a restart",
        &edge.status().await?["artifact"]["digest"],
        &json!(second.digest),
    );
    let window = drill.journal.counter.read().since(&before);
    let passed = |seen: &crate::load::Seen| {
        seen.artifact.as_deref().is_some_and(|ran| !second.digest.contains(ran))
    };
    drill.findings.equal("requests scored by the old artifact", window.count(passed), 0);
    drill.findings.equal(
        "bots let through meanwhile",
        window.count(|seen| (seen.who, seen.route, seen.status) == (Who::Bot, Route::Block, 200)),
        0,
    );

    // The registry does not take the same bytes twice either.
    let again =
        [Path::new("stage"), &scene.dir.path().join("first.glff"), Path::new("--unchecked")];
    refused(scene.ctl.run(PUBLISHER, again).await?.refusal(), 3, "already-promoted")
        .context("staged again")?;

    let light = light_client(drill, &scene, &replayed, &beacon, &second).await?;
    liar.be(Manner::Honest);
    scene.ctl.run(GUARDIAN, ["rollback", &first.id.to_string()]).await?.done()?;
    for edge in [&edge, &light] {
        edge.runs(&first.digest, SOON).await.context("the rollback bit")?;
    }
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;
    drill.findings.recorded(
        &edge.evidence()?,
        "head-changed",
        None,
        &format!("rollback true to {}", first.id),
    );
    edge.end().await?;
    light.end().await?;
    scene.end().await
}

/// A light client whose one endpoint serves the chain as it was before `runs` was promoted.
async fn light_client(
    drill: &mut Drill,
    scene: &Scene,
    settings: &Settings,
    beacon: &Endpoint,
    runs: &Staged,
) -> Result<Edge> {
    let edge = scene.edge(settings).await?;
    edge.keeps(&runs.digest, SOON).await.context("with an honest endpoint")?;
    edge.end().await?;
    // With its store it would not even look at older headers.
    let kept = settings.state.join("light-client.json");
    std::fs::remove_file(&kept).with_context(|| kept.display().to_string())?;
    let edge = scene.edge(&settings.clone().with_beacons([&beacon.url])).await?;
    refuses(drill, &edge, 1).await.context("a light client with an old endpoint")?;
    let status = edge.status().await?;
    drill.findings.equal(
        "what a light client runs with an old endpoint",
        &status["artifact"]["digest"],
        &json!(runs.digest),
    );
    drill.findings.expect(status["source"]["newest"]["slot"].is_u64(), || {
        format!("expected a verified head; found {}", status["source"])
    });
    beacon.be(Beacon::Honest);
    Ok(edge)
}

/// The honest answers, once they hold the proof at the block that they call the newest.
async fn a_whole_look(liar: &Liar) -> Result<Arc<Tape>> {
    let start = Instant::now();
    loop {
        let tape = liar.tape();
        let newest = tape
            .iter()
            .find(|(request, _)| request.contains("\"latest\",false"))
            .map(|(_, answer)| answer);
        let hash = newest.and_then(|answer| answer["result"]["hash"].as_str());
        if let Some(hash) = hash
            && tape.keys().any(|request| request.contains("eth_getProof") && request.contains(hash))
        {
            return Ok(tape);
        }
        anyhow::ensure!(start.elapsed() < SOON, "the edge never asked for a whole look");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the edge has refused an old head for the `times`th time.
async fn refuses(drill: &mut Drill, edge: &Edge, times: usize) -> Result<()> {
    let start = Instant::now();
    loop {
        let evidence = edge.evidence()?;
        if evidence.iter().filter(|line| line.event == "head-behind").count() >= times {
            drill.findings.recorded(&evidence, "head-behind", None, "expected at least block");
            return Ok(());
        }
        anyhow::ensure!(
            start.elapsed() < SOON,
            "expected evidence head-behind; found {evidence:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

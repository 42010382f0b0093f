//! Drill 21: a verifier turns out to be unsound and is stopped, between the staging of an artifact and its promotion. What
//! it vouched for cannot become current any more: neither by a promotion that was scheduled before, nor by a new one, nor
//! is anything staged through it, nor is it ever added again. Edges keep what they run, and adopt what another verifier
//! vouches for. First a guardian stops one, then anyone: by the emergency stop, with bytes that break an invariant.

use std::path::Path;

use alloy::{
    primitives::Bytes,
    sol_types::{SolCall as _, SolError as _},
};
use anyhow::{Context as _, Result};
use greenlight_artifact::Schema;
use serde_json::json;

use super::{Drill, refused};
use crate::{
    artifacts,
    chain::{GUARDIAN, OPERATIONS, PUBLISHER, SPARE},
    deploy::{self, Registry},
    scene::{SOON, Scene, Setup, Staged},
};

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let (edge, load, first) = scene.running("first").await?;
    let scheduled = stage(&scene, "scheduled").await?;
    let staged = stage(&scene, "staged").await?;
    let promote = ["promote", &scheduled.id.to_string(), "--no-wait"];
    scene.ctl.run(PUBLISHER, promote).await?.done()?;
    let before = edge.status().await?;
    let tally = drill.journal.counter.read();
    let lines = edge.evidence()?.len();

    let verifier = scene.deployment.verifier.to_string();
    scene.ctl.run(GUARDIAN, ["stop-verifier", &verifier]).await?.done()?;

    for (what, staged) in [("scheduled", &scheduled), ("staged", &staged)] {
        let id = staged.id.to_string();
        let ended = scene.ctl.run(PUBLISHER, ["promote", &id]).await?;
        refused(ended.refusal(), 3, "verifier-not-active").with_context(|| what.to_owned())?;
    }
    // Its timelock is over, so what refuses is the verifier's stop, in a transaction that is mined and fails.
    let unchecked = ["promote", &scheduled.id.to_string(), "--unchecked"];
    let ended = scene.ctl.run(PUBLISHER, unchecked).await?;
    refused(ended.refusal(), 3, "verifier-not-active").context("promote --unchecked")?;
    drill.findings.expect(ended.json["error"]["transaction"]["hash"].is_string(), || {
        format!("expected a mined refusal; found {}", ended.json)
    });
    let another = artifacts::labelled(&scene.sample, "after-the-stop")?;
    let file = scene.file("after-the-stop.glff", another.bytes())?;
    let ended = scene.ctl.run(PUBLISHER, [Path::new("stage"), &file]).await?;
    refused(ended.refusal(), 3, "verifier-not-active").context("stage")?;
    tombstone(drill, &scene).await?;

    // Long enough for a head after all of that to be adoptable.
    let block = scene.rpc().block_number().await?;
    let after = edge
        .until("an adoptable head after the refusals", SOON, |status| {
            status["head"]["adoptable"].as_u64() >= Some(block)
        })
        .await?;
    drill.findings.equal("sequence", &after["sequence"], &before["sequence"]);
    drill.findings.equal("what runs", &after["artifact"]["digest"], &json!(first.digest));
    drill.findings.equal("quarantine", &after["quarantine"], &json!([]));
    drill.findings.equal("lines of evidence meanwhile", edge.evidence()?.len(), lines);
    drill.none_let_through(&tally);

    // The same bytes through another verifier: what was staged through the stopped one stays out, whoever asks.
    let (tools, rpc) = (&drill.tools, scene.rpc());
    let sound = deploy::calldata_verifier(tools, rpc, &Schema::ENGINE_1).await?;
    deploy::add_verifier(rpc, &scene.deployment, sound).await?;
    let by_it = ["--verifier", &sound.to_string()];
    let staged = scene.stage_with("after-the-stop", another.bytes(), &by_it).await?;
    scene.promote(&staged).await?;
    edge.keeps(&staged.digest, SOON).await.context("through a sound verifier")?;
    by_anyone(&scene).await.context("a stop by anyone")?;
    edge.keeps(&staged.digest, SOON).await?;
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;
    drill.findings.recorded(&edge.evidence()?, "adopted", Some(&staged.digest), "");
    edge.end().await?;
    scene.end().await
}

async fn stage(scene: &Scene, label: &str) -> Result<Staged> {
    scene.stage(label, artifacts::labelled(&scene.sample, label)?.bytes()).await
}

/// A stopped verifier is never active again: operations are refused, once their timelock is over.
async fn tombstone(drill: &mut Drill, scene: &Scene) -> Result<()> {
    let verifier = scene.deployment.verifier;
    let add = Registry::addVerifierCall { verifier }.abi_encode();
    let data = deploy::refused_through_timelock(
        scene.rpc(),
        scene.deployment.manager,
        OPERATIONS.address,
        scene.deployment.registry,
        add,
    )
    .await?;
    let known = Registry::VerifierKnown::abi_decode(&data)
        .with_context(|| format!("expected VerifierKnown; found {data}"))?;
    // VerifierStatus.Stopped
    drill.findings.equal("the refusal of it", (known.verifier, known.status), (verifier, 2));
    Ok(())
}

/// Somebody without any role stops a verifier that vouches for anything, with the bytes that show it, before what it
/// vouched for is promoted.
async fn by_anyone(scene: &Scene) -> Result<()> {
    let rpc = scene.rpc();
    let verifier = deploy::drill_contract(&scene.tools, rpc, "PermissiveVerifier").await?;
    deploy::add_verifier(rpc, &scene.deployment, verifier).await?;
    let bytes = artifacts::doubled(&scene.sample, 75);
    let by_it = ["--unchecked", "--verifier", &verifier.to_string()];
    let Staged { id, .. } = scene.stage_with("twice", &bytes, &by_it).await?;
    let promote = ["promote", &id.to_string(), "--no-wait"];
    scene.ctl.run(PUBLISHER, promote).await?.done()?;

    let stop = Registry::stopByDefectCall { id: u32::try_from(id)?, artifact: bytes.into() };
    let data = Bytes::from(stop.abi_encode());
    let to = scene.deployment.emergency_stop;
    let call = json!([{ "from": SPARE.address, "to": to, "data": data }]);
    let hash = serde_json::from_value(rpc.call("eth_sendTransaction", call).await?)?;
    anyhow::ensure!(rpc.mined(hash).await?, "expected {to} to stop {verifier}; it reverted");

    let ended = scene.ctl.run(PUBLISHER, ["promote", &id.to_string()]).await?;
    refused(ended.refusal(), 3, "verifier-not-active")
}

//! Drill 1: every row of the feature file comes twice, over 200 rows in all, as in Cloudflare's outage of 2025-11-18. It
//! is put in at three places: through the publisher, straight into the registry, straight into the edge's cache.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{Drill, refused, repoint};
use crate::{
    artifacts,
    chain::PUBLISHER,
    scene::{SOON, Scene, Setup, evidence},
};

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let (edge, load, first) = scene.running("first").await?;
    let second = scene.publish("second").await?;
    edge.keeps(&second.digest, SOON).await?;
    let sequence = edge.status().await?["sequence"].clone();

    // Through the publisher: the source is not built, and bytes made by other means are not sent.
    let source = fs::read_to_string(drill.tools.root.join("config/sample.json"))?;
    let source = scene.file("doubled.json", artifacts::doubled_source(&source)?.as_bytes())?;
    let out = scene.dir.path().join("never.glff");
    let built =
        scene.ctl.run(PUBLISHER, [Path::new("build"), &source, Path::new("--out"), &out]).await?;
    refused(built.refusal(), 2, "key-duplicate").context("build")?;
    let doubled = artifacts::doubled(&scene.sample, scene.sample.rows().len());
    let file = scene.file("doubled.glff", &doubled)?;
    let staged = scene.ctl.run(PUBLISHER, [Path::new("stage"), &file]).await?;
    refused(staged.refusal(), 2, "size").context("stage")?;

    // Straight into the registry: the contract refuses, in a transaction that is mined and fails.
    let unchecked = [Path::new("stage"), &file, Path::new("--unchecked")];
    let staged = scene.ctl.run(PUBLISHER, unchecked).await?;
    refused(staged.refusal(), 3, "size").context("stage --unchecked")?;
    drill.findings.expect(staged.json["error"]["transaction"]["hash"].is_string(), || {
        format!("expected a mined refusal; found {}", staged.json)
    });
    let status = edge.status().await?;
    drill.findings.equal("sequence after the refusals", &status["sequence"], &sequence);
    drill.findings.equal(
        "what runs after the refusals",
        &status["artifact"]["digest"],
        &json!(second.digest),
    );

    // Straight into the edge's cache, while it is down: under the good artifact's name, as the operator's disk might be
    // tampered with, and with the edge's own list pointing at it, checksum and all.
    load.stop().await;
    edge.end().await?;
    let settings = scene.settings();
    let artifacts_dir = settings.state.join("artifacts");
    fs::write(artifacts_dir.join(format!("{}.glff", second.digest)), &doubled)?;
    let offline = settings.clone().offline();
    let edge = scene.edge(&offline).await?;
    let load = scene.load(&edge);
    edge.runs(&first.digest, SOON)
        .await
        .context("with doubled rows under the name of the newer artifact")?;
    load.stop().await;
    edge.end().await?;
    drill.findings.recorded(
        &evidence(&settings.state)?,
        "cache-refused",
        Some(&second.digest),
        "cache-too-large",
    );

    let small = artifacts::doubled(&scene.sample, 75);
    let evil = artifacts::digest(&small);
    fs::write(artifacts_dir.join(format!("{evil}.glff")), &small)?;
    repoint(&settings.state.join("durable.json"), &second.digest, &evil)?;
    let edge = scene.edge(&offline).await?;
    let load = scene.load(&edge);
    edge.runs(&first.digest, SOON)
        .await
        .context("with doubled rows in the list of good artifacts")?;
    load.stop().await;
    edge.end().await?;
    drill.findings.recorded(
        &evidence(&settings.state)?,
        "cache-refused",
        Some(&evil),
        "key-duplicate",
    );

    // With the chain back, the artifact that the registry names comes back, from the chain.
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.keeps(&second.digest, SOON).await?;
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;
    edge.end().await?;
    scene.end().await
}

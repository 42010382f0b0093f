//! Drill 7: rollbacks to 0, to an id that does not exist, to an artifact that was never current, to a revoked one, and to
//! the one that runs. The contract refuses each for its own reason, also when the publisher's program does not look
//! first, and the edge goes on. A rollback to somewhere then works.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{Drill, refused};
use crate::{
    artifacts,
    chain::GUARDIAN,
    load::{Route, Who},
    scene::{SOON, Scene, Setup},
};

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let (edge, load, first) = scene.running("first").await?;
    let revoked = scene.publish("to-be-revoked").await?;
    edge.keeps(&revoked.digest, SOON).await?;
    let current = scene.publish("current").await?;
    edge.keeps(&current.digest, SOON).await?;
    let never = scene
        .stage("never-current", artifacts::labelled(&scene.sample, "never-current")?.bytes())
        .await?;
    scene.ctl.run(GUARDIAN, ["revoke", &revoked.id.to_string()]).await?.done()?;
    // Whoever was good and is revoked is not fallen back to either.
    let is_revoked =
        |status: &serde_json::Value| status["quarantine"][0]["digest"] == revoked.digest.as_str();
    let status = edge.until("the revoked artifact in quarantine", SOON, is_revoked).await?;
    let sequence = status["sequence"].clone();

    let before = drill.journal.counter.read();
    let targets = [
        (0, "unknown-artifact"),
        (99, "unknown-artifact"),
        (never.id, "never-current"),
        (revoked.id, "artifact-revoked"),
        (current.id, "already-effective"),
    ];
    for (id, reason) in targets {
        let id = id.to_string();
        let looked = scene.ctl.run(GUARDIAN, ["rollback", &id]).await?;
        refused(looked.refusal(), 3, reason).with_context(|| format!("rollback {id}"))?;
        let sent = scene.ctl.run(GUARDIAN, ["rollback", &id, "--unchecked"]).await?;
        refused(sent.refusal(), 3, reason).with_context(|| format!("rollback {id} --unchecked"))?;
        drill.findings.expect(sent.json["error"]["transaction"]["hash"].is_string(), || {
            format!("rollback {id}: expected a mined refusal; found {}", sent.json)
        });
    }
    let status = edge.status().await?;
    let block = scene.rpc().block_number().await?;
    edge.until("a head after the refusals", SOON, |status| {
        status["head"]["number"].as_u64() >= Some(block)
    })
    .await?;
    drill.findings.equal("sequence after the refusals", &status["sequence"], &sequence);
    drill.findings.equal(
        "what runs after the refusals",
        &status["artifact"]["digest"],
        &json!(current.digest),
    );
    let window = drill.journal.counter.read().since(&before);
    let bots = |blocked: bool| {
        window.count(|seen| {
            (seen.who, seen.route) == (Who::Bot, Route::Block) && (seen.status == 403) == blocked
        })
    };
    drill.findings.equal("bots let through meanwhile", bots(false), 0);
    drill.findings.expect(bots(true) > 0, || "expected blocked bots meanwhile; found none".into());

    scene.ctl.run(GUARDIAN, ["rollback", &first.id.to_string()]).await?.done()?;
    edge.runs(&first.digest, SOON).await.context("the rollback that may be")?;
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;
    let evidence = edge.evidence()?;
    drill.findings.recorded(&evidence, "quarantined", Some(&revoked.digest), "revoked");
    drill.findings.recorded(
        &evidence,
        "head-changed",
        None,
        &format!("rollback true to {}", first.id),
    );
    drill.findings.recorded(&evidence, "adopted", Some(&first.digest), "");
    edge.end().await?;
    scene.end().await
}

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Demo, Ports, SETUP, say};
use crate::{
    artifacts,
    chain::{GUARDIAN, OPERATIONS, PUBLISHER},
    drill,
    load::{Load, Probe, Route, Seen, Who},
    process::limited,
    report::Report,
    scene::{Findings, Journal, SOON, Staged},
    tools::Tools,
};

/// Goes through everything, and judges it.
pub(super) async fn run(tools: &Tools, report: Report) -> Result<ExitCode> {
    let start = Instant::now();
    let (journal, mut findings) = (Journal::default(), Findings::default());
    let mut facts = json!({});
    let exercise = exercise(tools, &journal, &mut findings, &mut facts);
    if let Err(error) = limited(drill::LIMIT, exercise).await {
        findings.failures.push(format!("{error:#}"));
    }
    let load = journal.counter.read();
    findings.equal("responses of 5xx", load.fivexx, 0);
    findings.equal("broken exchanges", load.broken(), 0);
    findings.expect(load.requests > 1_000, || {
        format!("expected over 1000 requests; found {}", load.requests)
    });
    findings.equal("panics of the edge", journal.panics(), Vec::new());
    let pass = findings.failures.is_empty();
    facts["fivexx"] = json!(load.fivexx);
    facts["resets"] = json!(load.broken());
    facts["requests"] = json!(load.requests);
    facts["load"] = json!(load);
    facts["seconds"] = json!((start.elapsed().as_secs_f64() * 10.0).round() / 10.0);
    facts["failures"] = json!(findings.failures);
    if !pass {
        facts["edge_said"] = json!(journal.tail(60));
    }
    facts["pass"] = json!(pass);
    if !report.write(&facts)? {
        println!("{facts:#}");
    }
    for failure in &findings.failures {
        eprintln!("failed: {failure}");
    }
    println!(
        "demo {} requests={} fivexx={} resets={}",
        if pass { "pass" } else { "fail" },
        load.requests,
        load.fivexx,
        load.broken()
    );
    Ok(if pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn exercise(
    tools: &Tools,
    journal: &Journal,
    findings: &mut Findings,
    facts: &mut Value,
) -> Result<()> {
    let demo = Demo::start(tools, Ports::default(), journal).await?;
    let load = demo.scene.load(&demo.edge);
    let mut probe = demo.scene.probe(&demo.edge);
    let bot = probe.send(Who::Bot, Route::Block).await?;
    facts["before"] =
        json!({ "mode": demo.edge.status().await?["mode"], "bot": { "status": bot.status } });
    findings.equal("a bot before any artifact", bot.status, 200);

    let (first, adopted_in) = demo.publish_first().await?;
    let status = demo.edge.status().await?;
    verified(&status, findings, facts);
    facts["adoption"] = json!({
        "ms": millis(adopted_in)?, "slot_ms": millis(SETUP.slot)?, "finality_lag_slots": SETUP.finality_lag,
        "poll_ms": millis(demo.settings.poll)?,
    });
    let artifact = &status["artifact"];
    facts["artifact"] = json!({ "digest": artifact["digest"], "rows": artifact["rows"], "id": artifact["id"], "label": "sample" });
    findings.equal("artifact.digest", &artifact["digest"], &json!(first.digest));
    findings.expect(artifact["rows"].as_u64() >= Some(150), || {
        format!("expected at least 150 rows; found {artifact}")
    });
    scores(&mut probe, findings, facts).await?;
    refusal(&demo, findings, facts).await?;

    let second = demo.publish_second().await?;
    facts["second"] = json!({ "digest": second.digest });
    kill(&demo, &mut probe, findings, facts).await?;
    say("taking the kill back, after its timelock");
    demo.scene.ctl.run(OPERATIONS, ["revive"]).await?.done()?;
    demo.edge.runs(&second.digest, SOON).await.context("after the kill was taken back")?;
    rollback(&demo, &mut probe, &first, findings, facts).await?;
    end(demo, load, &first, findings, facts).await
}

/// Where the edge's heads come from, and how far it has followed the chain.
fn verified(status: &Value, findings: &mut Findings, facts: &mut Value) {
    let source = &status["source"];
    facts["source"] = source["kind"].clone();
    facts["verified"] = json!({
        "newest": source["newest"], "finalized": source["finalized"], "participation": source["participation"],
        "period": source["period"],
    });
    findings.equal("source", &source["kind"], &json!("light-client"));
    let slots =
        ["newest", "finalized"].map(|head| source[head]["slot"].as_u64().unwrap_or_default());
    findings.expect(slots[0] >= slots[1] && slots[1] > 0, || {
        format!("expected a finalized slot, and a newest one at or above it; found {slots:?}")
    });
}

/// A browser and a bot; the bot's score comes from a route in shadow, since a blocked request never reaches the origin.
async fn scores(probe: &mut Probe, findings: &mut Findings, facts: &mut Value) -> Result<()> {
    say("sending a browser's request and a bot's");
    let human = probe.send(Who::Human, Route::Block).await?;
    let bot = probe.send(Who::Bot, Route::Block).await?;
    let shadow = probe.send(Who::Bot, Route::Shadow).await?;
    facts["human"] =
        json!({ "status": human.status, "score": human.score, "verdict": human.verdict });
    facts["bot"] = json!({ "status": bot.status, "score": shadow.score, "verdict": shadow.verdict, "score_from": "the same request on a route in shadow" });
    findings.equal("human.status", human.status, 200);
    findings.expect(human.score >= Some(70), || {
        format!("human.score: expected at least 70; found {:?}", human.score)
    });
    findings.equal("bot.status", bot.status, 403);
    let is_low = shadow.score.is_some_and(|score| (1..=29).contains(&score));
    findings.expect(is_low, || format!("bot.score: expected 1 to 29; found {:?}", shadow.score));
    findings.equal(
        "the verdict in shadow",
        (shadow.status, shadow.verdict.as_deref()),
        (200, Some("block")),
    );
    Ok(())
}

/// The sample with a row twice, pushed past the publisher.
async fn refusal(demo: &Demo, findings: &mut Findings, facts: &mut Value) -> Result<()> {
    say("pushing an artifact with a duplicated row past the publisher, for the contract to refuse");
    let file =
        demo.scene.file("duplicate.glff", &artifacts::with_a_duplicate(&demo.scene.sample))?;
    let ended = demo
        .scene
        .ctl
        .run(PUBLISHER, [Path::new("stage"), &file, Path::new("--unchecked")])
        .await?;
    let error = &ended.json["error"];
    facts["refused"] = json!({
        "reason": error["reason"], "message": error["message"], "defect": error["defect"], "row": error["row"],
        "transaction": error["transaction"]["hash"],
    });
    findings.equal("refused.reason", ended.refusal(), (3, "key-duplicate"));
    Ok(())
}

/// Kills, and takes the time from the block that holds the transaction to the first bot that passes.
///
/// Both ends are watched as closely as polling allows: the chain with calls, the edge with requests.
async fn kill(
    demo: &Demo,
    probe: &mut Probe,
    findings: &mut Findings,
    facts: &mut Value,
) -> Result<()> {
    say("killing");
    let mined = demo.effective(0);
    let allowed = async {
        loop {
            let seen = probe.send(Who::Bot, Route::Block).await?;
            if seen.is_unscored() {
                return anyhow::Ok((Instant::now(), seen));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let command = async { demo.scene.ctl.run(GUARDIAN, ["kill"]).await?.done() };
    let all = async { tokio::try_join!(command, mined, allowed) };
    let (_, mined, (allowed, seen)) =
        tokio::time::timeout(SOON, all).await.context("the kill had no effect in time")??;
    let status = demo.edge.status().await?;
    facts["kill"] = json!({
        "ms": millis(allowed.saturating_duration_since(mined))?,
        "mode": status["mode"], "reason": status["reason"], "bot": { "status": seen.status, "score": seen.score, "verdict": seen.verdict },
        "poll_ms": millis(demo.settings.poll)?, "slot_ms": millis(SETUP.slot)?,
    });
    findings.equal("kill.mode", &status["mode"], &json!("allow-all"));
    findings.equal("kill: reason", &status["reason"], &json!("kill"));
    Ok(())
}

async fn rollback(
    demo: &Demo,
    probe: &mut Probe,
    first: &Staged,
    findings: &mut Findings,
    facts: &mut Value,
) -> Result<()> {
    say("rolling back to the first artifact");
    demo.scene.ctl.run(GUARDIAN, ["rollback", &first.id.to_string()]).await?.done()?;
    let status = demo.edge.runs(&first.digest, SOON).await.context("the rollback")?;
    let Seen { score, artifact, .. } = probe.send(Who::Human, Route::Block).await?;
    facts["rollback"] = json!({ "digest": status["artifact"]["digest"], "human": { "score": score, "artifact": artifact } });
    findings.equal("rollback.digest", &status["artifact"]["digest"], &facts["artifact"]["digest"]);
    let ran = artifact.is_some_and(|ran| first.digest.trim_start_matches("0x").starts_with(&ran));
    findings.expect(ran, || {
        "expected that the first artifact scores after the rollback; found another".into()
    });
    Ok(())
}

async fn end(
    demo: Demo,
    load: Load,
    first: &Staged,
    findings: &mut Findings,
    facts: &mut Value,
) -> Result<()> {
    facts["rss_mib"] = json!(demo.edge.rss_mib()?);
    load.stop().await;
    let evidence = demo.edge.evidence()?;
    findings.recorded(&evidence, "adopted", Some(&first.digest), "");
    findings.recorded(&evidence, "allow-all", None, "kill");
    findings.recorded(&evidence, "head-changed", None, &format!("rollback true to {}", first.id));
    facts["evidence_lines"] = json!(evidence.len());
    facts["origin_requests"] = json!(demo.scene.origin.requests());
    demo.end().await
}

fn millis(duration: Duration) -> Result<u64> {
    Ok(u64::try_from(duration.as_millis())?)
}

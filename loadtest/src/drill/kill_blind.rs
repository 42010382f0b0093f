//! Drill 6: every bot must be let through, and the chain, where the kill is, is out of reach: neither the beacon endpoint
//! nor the RPC answers. The operator's break-glass file works within a second. Once the chain is back, the kill in it
//! takes over: the file can go and nothing changes, until the kill is taken back there.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};
use greenlight_beacon_simulator::Manner as Beacon;
use serde_json::json;
use tokio::time::Instant;

use super::{Drill, failed_for, recovers};
use crate::{
    chain::{GUARDIAN, OPERATIONS},
    edge::Settings,
    liar::{Liar, Manner},
    load::{Route, Who},
    scene::{SOON, Scene, Setup},
};

/// From the file's creation to the first bot that passes.
const AT_MOST: Duration = Duration::from_secs(1);

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let rpc = Liar::start(scene.rpc().clone()).await?;
    let staged = scene.publish("first").await?;
    let settings = Settings { rpc_urls: vec![rpc.url.clone()], ..scene.settings() };
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.keeps(&staged.digest, SOON).await?;

    rpc.be(Manner::Down);
    scene.endpoint.be(Beacon::Down);
    edge.until("an unreachable chain", SOON, |status| failed_for(status, "beacon-unreachable"))
        .await?;
    let before = drill.journal.counter.read();
    scene.ctl.run(GUARDIAN, ["kill"]).await?.done()?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    drill.none_let_through(&before);
    let status = edge.status().await?;
    drill.findings.equal("what runs, blind", &status["artifact"]["digest"], &json!(staged.digest));

    let start = Instant::now();
    fs::write(edge.break_glass(), "").context("the break-glass file")?;
    let mut probe = scene.probe(&edge);
    while !probe.send(Who::Bot, Route::Block).await?.is_unscored() {
        anyhow::ensure!(start.elapsed() < SOON, "expected the break-glass file to work");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = start.elapsed();
    drill.findings.fact("break_glass_ms", u64::try_from(took.as_millis())?);
    drill.findings.expect(took <= AT_MOST, || {
        format!("the break-glass file: expected to work within {AT_MOST:?}; found {took:?}")
    });
    edge.until("the override", SOON, |status| {
        status["overridden"] == true && status["reason"] == "override"
    })
    .await?;
    let allowed = drill.journal.counter.read();

    rpc.be(Manner::Honest);
    scene.endpoint.be(Beacon::Honest);
    let back = Instant::now();
    recovers(&edge).await?;
    edge.until("the kill at the head", SOON, |status| status["head"]["kill"] == true).await?;
    drill.findings.fact("kill_seen_after_ms", u64::try_from(back.elapsed().as_millis())?);
    fs::remove_file(edge.break_glass()).context("the break-glass file")?;
    edge.until("the kill in place of the file", SOON, |status| {
        status["overridden"] == false && status["reason"] == "kill"
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let window = drill.journal.counter.read().since(&allowed);
    let blocked = window.count(|seen| seen.status == 403);
    drill.findings.equal("requests blocked under file or kill", blocked, 0);

    scene.ctl.run(OPERATIONS, ["revive"]).await?.done()?;
    edge.runs(&staged.digest, SOON).await.context("after the kill was taken back")?;
    let status = edge.status().await?;
    drill.findings.equal("watcher restarts", &status["restarts"], &json!(0));
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;
    let evidence = edge.evidence()?;
    for (event, text) in [
        ("source-failed", "beacon-unreachable"),
        ("override-set", ""),
        ("allow-all", "override"),
        ("source-recovered", ""),
        ("override-cleared", ""),
        ("allow-all", "kill"),
    ] {
        drill.findings.recorded(&evidence, event, None, text);
    }
    edge.end().await?;
    scene.end().await
}

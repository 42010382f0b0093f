//! Drill 9: a dozen edges restart at once, as after a power cut, and every endpoint is overloaded: first slower than the
//! edges' deadline, then merely slow. Each edge serves its last good artifact from disk before it has heard of the chain;
//! none allows everything for lack of it. What they ask for is bounded, and does not come in waves.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use greenlight_beacon_simulator::Manner as Beacon;
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{Drill, recovers};
use crate::{
    edge::{Edge, Settings},
    liar::{Liar, Manner},
    load::{Load, Route, Who},
    scene::{SOON, Scene, Setup},
};

const EDGES: usize = 12;
const POLL: Duration = Duration::from_secs(1);
/// How long endpoints are slower than the deadline.
const OVERLOADED: Duration = Duration::from_secs(12);
const TOO_SLOW: Duration = Duration::from_secs(3);
const SLOW: Duration = Duration::from_millis(500);
/// From an edge's start, with eleven others on the same cores, to its first request scored by what was on disk.
const SERVES_WITHIN: Duration = Duration::from_secs(5);
/// Requests are counted in so long windows.
const WINDOW: Duration = Duration::from_millis(100);
/// Edges in step would ask in a fourth of the windows: four requests, [`SLOW`] apart, in each look, and the poll after it.
const SPREAD_OVER: f64 = 0.5;

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let rpc = Liar::start(scene.rpc().clone()).await?;
    let staged = scene.publish("first").await?;
    let settings = Settings { rpc_urls: vec![rpc.url.clone()], poll: POLL, ..scene.settings() };
    let edge = scene.edge(&settings).await?;
    edge.keeps(&staged.digest, SOON).await?;
    edge.end().await?;
    // Each has what this one has on its disk.
    let herd = (0..EDGES)
        .map(|number| member(&settings, &scene, number))
        .collect::<Result<Vec<Settings>>>()?;

    rpc.be(Manner::Slow(TOO_SLOW));
    scene.endpoint.be(Beacon::Slow(TOO_SLOW));
    let start = Instant::now();
    let asked = (scene.endpoint.requests(), rpc.requests());
    let before = drill.journal.counter.read();
    let (edges, serves_in) = restart(&scene, herd).await?;
    let serves_in_ms = serves_in
        .iter()
        .map(|took| took.as_millis().try_into())
        .collect::<Result<Vec<u64>, _>>()?;
    drill.findings.fact("serves_in_ms", json!(serves_in_ms));
    let slowest = serves_in.into_iter().max().unwrap_or_default();
    drill.findings.expect(slowest <= SERVES_WITHIN, || {
        format!(
            "expected every edge to serve from disk within {SERVES_WITHIN:?}; found {slowest:?}"
        )
    });
    let loads: Vec<Load> = edges.iter().map(|edge| scene.light_load(edge)).collect();

    // Bounded: an edge has one look at the chain under way, and each ends in the deadline.
    let overloaded = by_window(&scene, &rpc, OVERLOADED.saturating_sub(start.elapsed())).await;
    let requests = scene.endpoint.requests() - asked.0 + rpc.requests() - asked.1;
    let looks = OVERLOADED.as_secs_f64() / Settings::DEADLINE.as_secs_f64() + 1.0;
    let per_edge = requests as f64 / EDGES as f64;
    drill.findings.fact("overloaded_requests_per_edge", (per_edge * 10.0).round() / 10.0);
    drill.findings.expect(per_edge > 1.0 && per_edge <= 2.0 * looks, || {
        format!(
            "requests of an edge while endpoints are too slow: expected 2 to {}; found {per_edge}",
            2.0 * looks
        )
    });
    for edge in &edges {
        let status = edge.status().await?;
        drill.findings.equal(
            "while endpoints are too slow",
            (&status["mode"], &status["source"]["last_reason"]),
            (&json!("active"), &json!("beacon-deadline")),
        );
    }
    drill.findings.fact("overloaded_by_100_ms", json!(overloaded));

    rpc.be(Manner::Slow(SLOW));
    scene.endpoint.be(Beacon::Slow(SLOW));
    for edge in &edges {
        recovers(edge).await.context("with endpoints that are merely slow")?;
    }
    let slow = by_window(&scene, &rpc, Duration::from_secs(8)).await;
    let asked_in = slow.iter().filter(|requests| **requests > 0).count();
    drill.findings.expect(asked_in as f64 >= SPREAD_OVER * slow.len() as f64, || {
        format!("expected requests spread out; found them in {asked_in} of {} windows", slow.len())
    });
    drill.findings.fact("slow_by_100_ms", json!(slow));
    let second = scene.publish("second").await?;
    for edge in &edges {
        edge.runs(&second.digest, SOON).await?;
    }

    for load in loads {
        load.stop().await;
    }
    drill.none_let_through(&before);
    let mut most = 0.0_f64;
    for edge in edges {
        most = most.max(edge.rss_mib()?);
        let evidence = edge.evidence()?;
        let after = evidence.iter().rposition(|line| line.event == "started").unwrap_or_default();
        let evidence = &evidence[after..];
        drill.findings.recorded(evidence, "resumed", Some(&staged.digest), "from disk");
        drill.findings.recorded(evidence, "source-failed", None, "beacon-deadline");
        drill.findings.recorded(evidence, "source-recovered", None, "");
        let allowed = evidence.iter().filter(|line| line.event == "allow-all").count();
        drill.findings.equal("times that an edge allowed everything", allowed, 0);
        edge.end().await?;
    }
    drill.findings.fact("rss_mib", most);
    scene.end().await
}

/// Settings of one of the herd, on a copy of the state folder.
fn member(settings: &Settings, scene: &Scene, number: usize) -> Result<Settings> {
    let id = format!("edge-{number}");
    let dir = scene.dir.path().join(&id);
    let state = dir.join("state");
    fs::create_dir_all(&dir)?;
    super::copy(&settings.state, Path::new(&state))?;
    Ok(Settings { id, dir, state, ..settings.clone() })
}

/// Starts them all, and takes the time until each has scored a request.
async fn restart(scene: &Scene, herd: Vec<Settings>) -> Result<(Vec<Edge>, Vec<Duration>)> {
    let mut starting = JoinSet::new();
    for settings in herd {
        let (tools, requests) = (scene.tools.clone(), std::sync::Arc::clone(&scene.requests));
        let journal = scene.journal.clone();
        starting.spawn(async move {
            let start = Instant::now();
            let edge = Edge::start(&tools, &settings).await?;
            journal.hear(edge.said());
            let mut probe = crate::load::Probe::new(edge.address, &requests, &journal.counter);
            let bot = probe.send(Who::Bot, Route::Block).await?;
            anyhow::ensure!(bot.status == 403, "{}: the first bot: {bot:?}", settings.id);
            anyhow::Ok((edge, start.elapsed()))
        });
    }
    starting
        .join_all()
        .await
        .into_iter()
        .collect::<Result<Vec<_>>>()
        .map(|all| all.into_iter().unzip())
}

/// Requests at both endpoints by window, watched for so long.
async fn by_window(scene: &Scene, rpc: &Liar, watched: Duration) -> Vec<u64> {
    let (end, mut tick) = (Instant::now() + watched, interval(WINDOW));
    // What comes late on a busy machine is one long window, and none that had no time to fill.
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let count = || scene.endpoint.requests() + rpc.requests();
    let (mut all, mut last) = (Vec::new(), count());
    while Instant::now() < end {
        tick.tick().await;
        let now = count();
        all.push(now - last);
        last = now;
    }
    all
}

//! Drill 16: an endpoint freezes (TUF's freeze attack): first the newest head stands still, then only the finalized one.
//!
//! Three edges look on. Two have that endpoint alone, and go by `stale_mode`: one keeps what it runs, one allows
//! everything. Both adopt nothing meanwhile, obey a kill as soon as they can know of it, and come back by themselves. The
//! third has a live endpoint beside the frozen one, and is never stale.

use std::time::Duration;

use anyhow::{Context as _, Result};
use greenlight_beacon_simulator::{Endpoint, Manner};
use serde_json::{Value, json};

use super::Drill;
use crate::{
    chain::{GUARDIAN, OPERATIONS},
    edge::{Edge, Settings},
    load::{Load, Route, Who},
    scene::{SOON, Scene, Setup, Staged},
};

/// Well above what heads of this scene have while nothing is wrong, some two and four slots, and while one of two endpoints
/// is frozen: an edge asks the other when heads are four slots late.
const MAX_STALENESS: Duration = Duration::from_secs(8);
const MAX_FINALITY_AGE: Duration = Duration::from_secs(11);

struct Edges {
    /// Goes on with what it runs when stale.
    keeps: Edge,
    /// Allows everything when stale. It adopts by depth, so that only staleness keeps it from what is not final.
    allows: Edge,
    /// Has a live endpoint too.
    live: Edge,
}

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let live = scene.beacon.endpoint().await?;
    let first = scene.publish("first").await?;
    let edges = start(&scene, &live).await?;
    let loads: Vec<Load> = edges.all().map(|edge| scene.light_load(edge)).into();
    for edge in edges.all() {
        edge.keeps(&first.digest, SOON).await?;
    }

    // The newest head stands still.
    scene.endpoint.be(Manner::Frozen);
    let (second, status) = tokio::try_join!(scene.publish("second"), stale(&edges, "newest"))?;
    drill.findings.fact("frozen_newest", status["source"].clone());
    look(drill, &scene, &edges, &first, "frozen newest").await?;
    edges.live.keeps(&second.digest, SOON).await.context("beside a frozen endpoint")?;
    drill.findings.equal(
        "frozen newest: what runs",
        &edges.keeps.status().await?["artifact"]["digest"],
        &json!(first.digest),
    );
    scene.ctl.run(GUARDIAN, ["kill"]).await?.done()?;
    edges.live.until("the kill beside a frozen endpoint", SOON, killed).await?;
    scene.endpoint.be(Manner::Honest);
    for edge in [&edges.keeps, &edges.allows] {
        edge.until("the kill at the thawed head", SOON, killed).await?;
    }
    scene.ctl.run(OPERATIONS, ["revive"]).await?.done()?;
    for edge in edges.all() {
        edge.keeps(&second.digest, SOON).await.context("thawed")?;
        edge.until("a fresh head", SOON, |status| status["stale"] == false).await?;
    }

    // The newest head advances, finality does not.
    scene.endpoint.be(Manner::OldFinalized);
    let (third, status) = tokio::try_join!(scene.publish("third"), stale(&edges, "finalized"))?;
    drill.findings.fact("frozen_finalized", status["source"].clone());
    edges.live.keeps(&third.digest, SOON).await.context("beside old finality")?;
    look(drill, &scene, &edges, &second, "frozen finalized").await?;
    scene.ctl.run(GUARDIAN, ["kill"]).await?.done()?;
    for edge in edges.all() {
        edge.until("the kill at the newest head, finality or not", SOON, killed).await?;
    }
    scene.endpoint.be(Manner::Honest);
    scene.ctl.run(OPERATIONS, ["revive"]).await?.done()?;
    for edge in edges.all() {
        edge.keeps(&third.digest, SOON).await.context("thawed again")?;
    }

    for load in loads {
        load.stop().await;
    }
    finish(drill, edges, &third).await?;
    scene.end().await
}

async fn start(scene: &Scene, live: &Endpoint) -> Result<Edges> {
    let of = |name: &str| {
        let dir = scene.dir.path().join(name);
        std::fs::create_dir_all(&dir).map(|()| Settings {
            id: name.into(),
            state: dir.join("state"),
            dir,
            max_staleness: Some(MAX_STALENESS),
            max_finality_age: Some(MAX_FINALITY_AGE),
            ..scene.settings()
        })
    };
    let allows =
        Settings { stale_mode: Some("allow-all"), adoption_depth: Some(1), ..of("allows")? };
    let urls = [scene.endpoint.url.clone(), live.url.clone()];
    let keeps = scene.edge(&of("keeps")?).await?;
    let allows = scene.edge(&allows).await?;
    let live = scene.edge(&of("live")?.with_beacons(urls)).await?;
    Ok(Edges { keeps, allows, live })
}

impl Edges {
    const fn all(&self) -> [&Edge; 3] {
        [&self.keeps, &self.allows, &self.live]
    }
}

fn killed(status: &Value) -> bool {
    status["reason"] == "kill"
}

/// Waits until both edges with the frozen endpoint alone are stale for this head.
async fn stale(edges: &Edges, head: &str) -> Result<Value> {
    let stale = |status: &Value| status["stale"] == true;
    edges.allows.until(&format!("a stale {head} head"), SOON, stale).await?;
    edges.keeps.until(&format!("a stale {head} head"), SOON, stale).await
}

/// While stale: the modes, the metric, and what requests meet.
async fn look(
    drill: &mut Drill,
    scene: &Scene,
    edges: &Edges,
    runs: &Staged,
    when: &str,
) -> Result<()> {
    for (edge, mode, stale) in [
        (&edges.keeps, "active", 1.0),
        (&edges.allows, "allow-all", 1.0),
        (&edges.live, "active", 0.0),
    ] {
        let status = edge.status().await?;
        drill.findings.equal(&format!("{when}: mode"), &status["mode"], &json!(mode));
        drill.findings.equal(
            &format!("{when}: greenlight_stale"),
            edge.metric("greenlight_stale").await?,
            stale,
        );
        let bot = scene.probe(edge).send(Who::Bot, Route::Block).await?;
        let expected = if mode == "active" { (403, None) } else { (200, Some(0)) };
        drill.findings.equal(&format!("{when}: a bot"), (bot.status, bot.score), expected);
    }
    let kept = edges.keeps.status().await?;
    drill.findings.equal(
        &format!("{when}: what is kept"),
        &kept["artifact"]["digest"],
        &json!(runs.digest),
    );
    let allows = edges.allows.status().await?;
    drill.findings.equal(&format!("{when}: why"), &allows["reason"], &json!("stale"));
    Ok(())
}

/// What the edges recorded.
async fn finish(drill: &mut Drill, edges: Edges, last: &Staged) -> Result<()> {
    let mut most = 0.0_f64;
    for edge in edges.all() {
        let status = edge.status().await?;
        drill.findings.equal("watcher restarts", &status["restarts"], &json!(0));
        most = most.max(edge.rss_mib()?);
    }
    drill.findings.fact("rss_mib", most);
    for edge in [&edges.keeps, &edges.allows] {
        let evidence = edge.evidence()?;
        drill.findings.recorded(&evidence, "stale", None, "newest head");
        drill.findings.recorded(&evidence, "stale", None, "finalized head");
        drill.findings.recorded(&evidence, "recovered", None, "");
        drill.findings.recorded(&evidence, "adopted", Some(&last.digest), "");
    }
    drill.findings.recorded(&edges.allows.evidence()?, "allow-all", None, "stale");
    let never = edges.live.evidence()?.iter().filter(|line| line.event == "stale").count();
    drill.findings.equal("times stale beside a live endpoint", never, 0);
    for edge in [edges.keeps, edges.allows, edges.live] {
        edge.end().await?;
    }
    Ok(())
}

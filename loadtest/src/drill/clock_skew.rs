//! Drill 28: the wall clock of the edge jumps by an hour, forth and back, while its monotonic clock goes on. Nothing is
//! stale for that, nothing is allowed for that, and adoption and kill go by the slots that have really come. An edge that
//! starts under a wrong clock runs what was good and adopts nothing; it says why, and comes back by itself once the clock
//! is right.
//!
//! The clock is libfaketime's, between the edge and the system: Debian package `faketime`.

use std::time::Duration;

use anyhow::{Context as _, Result};
use greenlight_watcher::evidence::Line;
use serde_json::{Value, json};

use super::{Drill, recovers};
use crate::{
    chain::{GUARDIAN, OPERATIONS},
    clock::WallClock,
    edge::{Edge, Settings},
    scene::{SOON, Scene, Setup, Staged},
};

const HOUR: i64 = 3_600;
/// A jump that counted would go far beyond these.
const MAX_STALENESS: Duration = Duration::from_secs(20);
const MAX_FINALITY_AGE: Duration = Duration::from_secs(30);

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let clock = WallClock::new(scene.dir.path()).await?;
    let settings = Settings {
        max_staleness: Some(MAX_STALENESS),
        max_finality_age: Some(MAX_FINALITY_AGE),
        stale_mode: Some("allow-all"),
        clock: Some(clock.clone()),
        ..scene.settings()
    };
    let first = scene.publish("first").await?;
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.keeps(&first.digest, SOON).await?;

    let before = drill.journal.counter.read();
    clock.set(HOUR)?;
    let second = scene.publish("an-hour-ahead").await?;
    edge.keeps(&second.digest, SOON).await.context("an hour ahead")?;
    clock.set(-HOUR)?;
    let third = scene.publish("an-hour-behind").await?;
    edge.keeps(&third.digest, SOON).await.context("an hour behind")?;
    drill.none_let_through(&before);
    scene.ctl.run(GUARDIAN, ["kill"]).await?.done()?;
    edge.until("the kill, an hour behind", SOON, |status| status["reason"] == "kill").await?;
    clock.set(HOUR)?;
    scene.ctl.run(OPERATIONS, ["revive"]).await?.done()?;
    edge.runs(&third.digest, SOON).await.context("revived, an hour ahead")?;
    let status = edge.status().await?;
    drill.findings.equal("watcher restarts", &status["restarts"], &json!(0));
    let evidence = edge.evidence()?;
    let stale = evidence.iter().filter(|line| line.event == "stale" || line.detail == "stale");
    drill.findings.equal("times stale for a jump", stale.count(), 0);
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;
    edge.end().await?;

    // Started under a clock that is wrong from the beginning.
    let fourth = scene.publish("while-it-was-down").await?;
    started(drill, &scene, &clock, &settings, -HOUR, Some(&third), &fourth).await?;
    let empty = Settings { state: scene.dir.path().join("empty"), ..settings };
    started(drill, &scene, &clock, &empty, HOUR, None, &fourth).await?;
    scene.end().await
}

/// Starts an edge under a clock that is off, looks at what it does, and puts the clock right.
async fn started(
    drill: &mut Drill,
    scene: &Scene,
    clock: &WallClock,
    settings: &Settings,
    off: i64,
    good: Option<&Staged>,
    promoted: &Staged,
) -> Result<()> {
    let when = if off < 0 { "started an hour behind" } else { "started an hour ahead" };
    clock.set(off)?;
    let edge = scene.edge(settings).await?;
    let load = scene.load(&edge);
    let why = wrong(&edge, off).await.context(when)?;
    drill.findings.fact(when, why);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let status = edge.status().await?;
    let expected = good.filter(|_| status["stale"] == false);
    drill.findings.equal(
        &format!("{when}: what runs"),
        &status["artifact"]["digest"],
        &expected.map_or(json!(null), |good| json!(good.digest)),
    );
    let adopted = |edge: &Edge| {
        let adopts = |line: &Line| {
            line.event == "adopted" && line.digest.as_deref() == Some(&promoted.digest)
        };
        edge.evidence().map(|evidence| evidence.iter().any(adopts))
    };
    drill.findings.equal(&format!("{when}: adopted"), adopted(&edge)?, false);
    clock.set(0)?;
    recovers(&edge).await.context(when)?;
    edge.keeps(&promoted.digest, SOON).await.context(when)?;
    let status = edge.status().await?;
    drill.findings.equal(
        &format!("{when}: restarts"),
        (&status["restarts"], &status["stale"]),
        (&json!(0), &json!(false)),
    );
    load.stop().await;
    let evidence = edge.evidence()?;
    if off < 0 {
        drill.findings.recorded(&evidence, "source-failed", None, "checkpoint-from-future");
        drill.findings.recorded(&evidence, "checkpoint", None, "kept store");
    } else {
        drill.findings.recorded(&evidence, "stale", None, "newest head");
        drill.findings.recorded(&evidence, "clock-corrected", None, "confirms the wall clock");
    }
    edge.end().await
}

/// Waits until the edge says what is wrong: behind, its own checkpoint has not come yet; ahead, every head is an hour old.
async fn wrong(edge: &Edge, off: i64) -> Result<Value> {
    let status = edge
        .until("a reason", SOON, |status| {
            if off < 0 {
                status["source"]["last_reason"] == "checkpoint-from-future"
            } else {
                status["stale"] == true
            }
        })
        .await?;
    let source = &status["source"];
    Ok(
        json!({ "last_reason": source["last_reason"], "last_error": source["last_error"], "stale": status["stale"] }),
    )
}

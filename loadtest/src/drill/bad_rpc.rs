//! An RPC that is down, lies, or answers garbage, 1 GiB or a byte a second. The edge names each in its status and its
//! evidence, keeps what it runs, holds its memory, and is back as soon as the RPC is. A second, honest RPC is enough.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::Drill;
use crate::{
    edge::{Edge, Settings},
    liar::{Liar, Manner},
    load::{Route, Who},
    scene::{SOON, Scene, Setup},
};

/// The bound of the design for a full edge.
const MAX_RSS_MIB: f64 = 64.0;

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let liar = Liar::start(scene.rpc().clone()).await?;
    let first = scene.publish("first").await?;
    let settings = Settings { rpc_urls: vec![liar.url.clone()], ..scene.settings() };
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.keeps(&first.digest, SOON).await?;
    let before = drill.journal.counter.read();

    let manners = [
        (Manner::Down, "rpc-unreachable"),
        (Manner::ForgedHeader, "header-hash"),
        (Manner::ForgedValue, "storage-proof"),
        (Manner::ForgedProof, "storage-proof"),
        (Manner::Garbage, "rpc-garbage"),
        (Manner::Gigabyte, "rpc-too-large"),
        (Manner::Drip, "rpc-deadline"),
    ];
    let mut most = edge.rss_mib()?;
    for (manner, reason) in manners {
        let name = format!("{manner:?}");
        liar.be(manner);
        most = most.max(named(&edge, reason).await.with_context(|| name.clone())?);
        let status = edge.status().await?;
        drill.findings.equal(
            &format!("{name}: what runs"),
            &status["artifact"]["digest"],
            &json!(first.digest),
        );
        drill.findings.recorded(&edge.evidence()?, "source-failed", None, reason);
        liar.be(Manner::Honest);
        edge.until("the source to recover", SOON, |status| {
            status["source"]["last_reason"].is_null()
        })
        .await
        .context(name)?;
    }
    drill.findings.recorded(&edge.evidence()?, "source-recovered", None, "");

    // An artifact whose bytes are altered on the way is not adopted until somebody serves the right ones.
    liar.be(Manner::ForgedBytes);
    let second = scene.publish("second").await?;
    edge.until("a pursuit", SOON, |status| status["pursuing"] == second.id).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    drill.findings.equal(
        "with forged bytes",
        &edge.status().await?["artifact"]["digest"],
        &json!(first.digest),
    );
    drill.findings.recorded(
        &edge.evidence()?,
        "fetch-failed",
        Some(&second.digest),
        "bytes-digest",
    );
    liar.be(Manner::Honest);
    edge.keeps(&second.digest, Duration::from_secs(60)).await.context("with honest bytes")?;

    // Beside a liar, one honest endpoint is enough, even where the liar is asked first.
    load.stop().await;
    edge.end().await?;
    let window = drill.journal.counter.read().since(&before);
    let through = |seen: &crate::load::Seen| {
        (seen.who, seen.route, seen.status) == (Who::Bot, Route::Block, 200)
    };
    drill.findings.equal("bots let through meanwhile", window.count(through), 0);
    liar.be(Manner::ForgedValue);
    let urls = vec![liar.url.clone(), scene.rpc().url.clone()];
    let edge = scene.edge(&Settings { rpc_urls: urls, ..settings }).await?;
    let load = scene.load(&edge);
    let third = scene.publish("third").await?;
    edge.keeps(&third.digest, SOON).await.context("beside a liar")?;
    most = most.max(edge.rss_mib()?);
    drill.findings.expect(most < MAX_RSS_MIB, || {
        format!("expected an RSS below {MAX_RSS_MIB} MiB; found {most}")
    });
    drill.findings.fact("rss_mib", most);
    load.stop().await;
    edge.end().await?;
    scene.end().await
}

/// Waits until the edge gives `reason` for its source, and returns the highest RSS meanwhile and for a while after.
async fn named(edge: &Edge, reason: &str) -> Result<f64> {
    let done = Arc::new(AtomicBool::new(false));
    let watch = async {
        let mut most = 0.0_f64;
        while !done.load(Ordering::Relaxed) {
            most = most.max(edge.rss_mib()?);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::Ok(most)
    };
    let wait = async {
        let found =
            edge.until(reason, SOON, |status| status["source"]["last_reason"] == reason).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        done.store(true, Ordering::Relaxed);
        found
    };
    let (found, most) = tokio::join!(wait, watch);
    found?;
    most
}

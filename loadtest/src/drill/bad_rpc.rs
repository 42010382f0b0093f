//! An RPC that is down, lies, or answers garbage, 1 GiB or a byte a second. The edge names each in its status and its
//! evidence, keeps what it runs, holds its memory, and is back as soon as the RPC is. A second, honest RPC is enough.
//!
//! Heads are the light client's, so that what is left to lie about are proofs and bytes; headers can be forged only for
//! an edge that takes them on an RPC's word.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{Drill, MAX_RSS_MIB, named, recovers};
use crate::{
    edge::{Edge, Settings},
    liar::{Liar, Manner},
    scene::{SOON, Scene, Setup, Staged},
};

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
        (Manner::ForgedValue, "storage-proof"),
        (Manner::ForgedProof, "storage-proof"),
        (Manner::Garbage, "rpc-garbage"),
        (Manner::Gigabyte, "rpc-too-large"),
        (Manner::Drip, "rpc-deadline"),
    ];
    let mut most = edge.rss_mib()?;
    for (manner, reason) in manners {
        most = most.max(misbehave(drill, &liar, &edge, &first, manner, reason).await?);
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
    drill.none_let_through(&before);
    liar.be(Manner::ForgedValue);
    let urls = vec![liar.url.clone(), scene.rpc().url.clone()];
    let edge = scene.edge(&Settings { rpc_urls: urls, ..settings.clone() }).await?;
    let load = scene.load(&edge);
    let third = scene.publish("third").await?;
    edge.keeps(&third.digest, SOON).await.context("beside a liar")?;
    most = most.max(edge.rss_mib()?);
    load.stop().await;
    edge.end().await?;

    // Who takes headers on an RPC's word still sees one that is altered under its old hash.
    liar.be(Manner::Honest);
    let settings = Settings {
        rpc_urls: settings.rpc_urls,
        state: scene.dir.path().join("on-its-word"),
        ..scene.rpc_settings()
    };
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.keeps(&third.digest, SOON).await?;
    misbehave(drill, &liar, &edge, &third, Manner::ForgedHeader, "header-hash").await?;
    drill.findings.expect(most < MAX_RSS_MIB, || {
        format!("expected an RSS below {MAX_RSS_MIB} MiB; found {most}")
    });
    drill.findings.fact("rss_mib", most);
    load.stop().await;
    edge.end().await?;
    scene.end().await
}

/// Has the endpoint misbehave until the edge gives its reason, and be honest again. The highest RSS meanwhile.
async fn misbehave(
    drill: &mut Drill,
    liar: &Liar,
    edge: &Edge,
    runs: &Staged,
    manner: Manner,
    reason: &'static str,
) -> Result<f64> {
    let name = format!("{manner:?}");
    liar.be(manner);
    let (_, most) = named(edge, &[reason]).await.with_context(|| name.clone())?;
    let status = edge.status().await?;
    drill.findings.equal(
        &format!("{name}: what runs"),
        &status["artifact"]["digest"],
        &json!(runs.digest),
    );
    drill.findings.recorded(&edge.evidence()?, "source-failed", None, reason);
    liar.be(Manner::Honest);
    recovers(edge).await.context(name)?;
    Ok(most)
}

//! A beacon endpoint that is down or slow, answers errors, garbage, without end, or a byte a second. The edge names each
//! in its status and its evidence, keeps what it runs, holds its memory, and is back as soon as the endpoint is. A second,
//! honest endpoint is enough. What an endpoint can forge is in the drill `reorg`.

use std::time::Duration;

use anyhow::{Context as _, Result};
use greenlight_beacon_simulator::Manner;
use serde_json::json;

use super::{Drill, MAX_RSS_MIB, named, recovers};
use crate::{
    edge::Settings,
    scene::{SOON, Scene, Setup},
};

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let first = scene.publish("first").await?;
    let edge = scene.edge(&scene.settings()).await?;
    let load = scene.load(&edge);
    edge.keeps(&first.digest, SOON).await?;
    let before = drill.journal.counter.read();

    let manners = [
        (Manner::Down, "beacon-unreachable"),
        (Manner::Garbage, "beacon-garbage"),
        (Manner::Endless, "beacon-too-large"),
        (Manner::Status(500), "beacon-http-status"),
        (Manner::Drip, "beacon-deadline"),
        (Manner::Slow(Settings::DEADLINE + Duration::from_secs(1)), "beacon-deadline"),
    ];
    let mut most = edge.rss_mib()?;
    for (manner, reason) in manners {
        let name = format!("{manner:?}");
        scene.endpoint.be(manner);
        let (_, rss) = named(&edge, &[reason]).await.with_context(|| name.clone())?;
        most = most.max(rss);
        let status = edge.status().await?;
        drill.findings.equal(
            &format!("{name}: what runs"),
            &status["artifact"]["digest"],
            &json!(first.digest),
        );
        drill.findings.recorded(&edge.evidence()?, "source-failed", None, reason);
        scene.endpoint.be(Manner::Honest);
        recovers(&edge).await.context(name)?;
    }
    drill.findings.recorded(&edge.evidence()?, "source-recovered", None, "");
    load.stop().await;
    edge.end().await?;

    // With an honest endpoint beside it, even one that is asked second, nothing is missed; nor where no updates of whole
    // periods are to be had, which some servers answer with HTTP 500.
    let honest = scene.beacon.endpoint().await?;
    let both = [scene.endpoint.url.clone(), honest.url.clone()];
    let edge = scene.edge(&scene.settings().with_beacons(both)).await?;
    let load = scene.load(&edge);
    scene.endpoint.be(Manner::Garbage);
    honest.be(Manner::NoUpdates);
    let second = scene.publish("second").await?;
    let status = edge.keeps(&second.digest, SOON).await.context("beside garbage")?;
    drill.findings.equal("beside garbage: stale", &status["stale"], &json!(false));
    most = most.max(edge.rss_mib()?);
    drill.findings.expect(most < MAX_RSS_MIB, || {
        format!("expected an RSS below {MAX_RSS_MIB} MiB; found {most}")
    });
    drill.findings.fact("rss_mib", most);
    load.stop().await;
    drill.none_let_through(&before);
    edge.end().await?;
    scene.end().await
}

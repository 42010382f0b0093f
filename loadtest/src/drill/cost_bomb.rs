//! Drill 14: tables that are as dear to evaluate as rows can make them, as the regular expression was that took every core
//! of Cloudflare's edge on 2019-07-02.
//!
//! One over the budget breaks no other rule, and is refused by the publisher, by the contract and by the edge. The dearest
//! one within it runs, under requests that are made to be slow to score: each is scored, or by its overrun unscored, and
//! none fails.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{Drill, refused, repoint};
use crate::{
    artifacts,
    chain::PUBLISHER,
    load::Raw,
    origin::Told,
    scene::{SOON, Scene, Setup, evidence},
};

/// How often each hostile request is sent.
const TIMES: u64 = 40;

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let (edge, load, first) = scene.running("first").await?;
    let (settings, counter) = (scene.settings(), drill.journal.counter.clone());

    let bomb = artifacts::too_dear(&scene.sample)?;
    let file = scene.file("bomb.glff", &bomb)?;
    let checked = scene.ctl.run(PUBLISHER, [Path::new("stage"), &file]).await?;
    refused(checked.refusal(), 2, "cost").context("the publisher")?;
    let unchecked =
        scene.ctl.run(PUBLISHER, [Path::new("stage"), &file, Path::new("--unchecked")]).await?;
    refused(unchecked.refusal(), 3, "cost").context("the registry")?;

    // The edge asks for itself, too, where the bytes are in its cache and its own record names them.
    load.stop().await;
    edge.end().await?;
    let digest = artifacts::digest(&bomb);
    fs::write(settings.state.join("artifacts").join(format!("{digest}.glff")), &bomb)?;
    repoint(&settings.state.join("durable.json"), &first.digest, &digest)?;
    let edge = scene.edge(&settings.clone().offline()).await?;
    let load = scene.load(&edge);
    let status = edge.status().await?;
    drill.findings.equal("the mode with nothing good", &status["mode"], &json!("allow-all"));
    load.stop().await;
    edge.end().await?;
    let recorded = evidence(&settings.state)?;
    drill.findings.recorded(&recorded, "cache-refused", Some(&digest), "cost");

    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    let dearest = artifacts::dearest(&scene.sample)?;
    let staged = scene.stage("dearest", dearest.bytes()).await?;
    scene.promote(&staged).await?;
    edge.keeps(&staged.digest, SOON).await.context("the dearest table")?;
    drill.findings.fact("cost", artifacts::cost(&dearest));

    let mut scored = 0_u64;
    let mut unscored = 0_u64;
    let requests = hostile();
    let mut client = Raw::new(edge.address, &counter);
    for request in (0..TIMES).flat_map(|_| &requests) {
        let Some(response) = client.send(request).await else { continue };
        drill.findings.equal("status of a hostile request", response.status, 200);
        let told: Told = serde_json::from_slice(&response.body).context("the origin's answer")?;
        match told.score {
            Some(0) => unscored += 1,
            Some(_) => scored += 1,
            None => drill.findings.failures.push("expected a score or 0; found none".into()),
        }
    }
    drill.findings.equal("hostile requests", scored + unscored, TIMES * requests.len() as u64);
    load.stop().await;
    let counters = edge.series().await?;
    let count = |kind| counters.get(&format!("greenlight_scorer_faults_total{{kind=\"{kind}\"}}"));
    drill.findings.equal("panics of scoring", count("panic"), Some(&0.0));
    let overruns = count("overrun").copied();
    drill.findings.expect(overruns >= Some(unscored as f64), || {
        format!("expected an overrun for each of {unscored} unscored requests; found {overruns:?}")
    });
    drill.findings.recorded(&edge.evidence()?, "adopted", Some(&staged.digest), "");
    drill.findings.fact("scored", scored);
    drill.findings.fact("unscored_by_overrun", unscored);
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    edge.end().await?;
    scene.end().await
}

/// Requests that keep every table busy to their last byte: long paths, user agents and values that nearly match again and
/// again, and as many fields as Pingora takes.
fn hostile() -> Vec<Vec<u8>> {
    let near = "a".repeat(23);
    let long = |bytes: usize, of: &str| of.repeat(bytes / of.len());
    let request = |path: &str, fields: &str| {
        format!("GET /shadow{path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").into_bytes()
    };
    let mut many = String::new();
    for number in 0..200 {
        // Writing to a String cannot fail.
        let _ = write!(many, "x-field-{number}: {}\r\n", long(300, "aaaaaaaaaaa12 "));
    }
    vec![
        request(&long(60 << 10, &format!("/{near}")), ""),
        request("/", &format!("User-Agent: {}\r\n", long(60 << 10, &format!("{near} ")))),
        request("/", &format!("x-field-1: {}\r\n", long(60 << 10, "aaaaaaaaaaa13"))),
        request("/", &many),
        request(
            &long(20 << 10, "/a/%61/../."),
            &format!(
                "User-Agent: {}\r\nx-field-7: {}\r\n",
                long(20 << 10, &near),
                long(20 << 10, &near)
            ),
        ),
    ]
}

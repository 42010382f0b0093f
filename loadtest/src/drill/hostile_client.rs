//! Drill 22: clients that flood, forge, lie and inject.
//!
//! Whatever they send: nothing panics, no exchange breaks that HTTP allows, nothing is answered with 5xx; memory and the
//! metric series stay as they were, and every line of the log stays one JSON object. No name, cookie or signature counts
//! that is not one's own, and no request waits until that is found out.

mod cookies;
mod flood;
mod impostors;
mod requests;
mod signatures;

use anyhow::{Context as _, Result};

use super::{Drill, MAX_RSS_MIB};
use crate::{
    dns::NameServer,
    edge::{Edge, Proofs, Settings},
    http::Response,
    load::{Raw, Route, Who},
    origin::Told,
    scene::{SOON, Scene, Setup},
};

/// Clients in the flood, each with an address, a user agent and a path of its own.
const CLIENTS: u32 = 100_000;
/// As many warm allocators and tables up, before memory is measured.
const WARM: u32 = 5_000;
/// By which the resident set may grow over the flood: threads' arenas, not clients.
const MAX_GROWTH_MIB: f64 = 8.0;

/// A request, with what is wrong with it.
type Named = (&'static str, Vec<u8>);

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let staged = scene.publish("first").await?;
    // Every request is logged, with whatever of it goes into a log.
    let names = NameServer::start(impostors::zone).await?;
    let proofs = Proofs {
        name_server: names.address,
        dns_timeout: impostors::PATIENCE,
        authority: signatures::AUTHORITY,
        signer: signatures::SIGNER,
        key: signatures::key(),
    };
    let settings =
        Settings { log_level: Some("trace"), crawlers: Some(proofs), ..scene.settings() };
    let edge = scene.edge(&settings).await?;
    edge.keeps(&staged.digest, SOON).await?;
    let load = scene.light_load(&edge);
    flood::send(drill, &edge, 0..WARM, flood::request, flood::is_blocked).await?;
    let series = edge.series().await?;

    oddities(drill, &edge).await?;
    impostors::judge(drill, &edge, &names).await?;
    cookies::judge(drill, &edge).await?;
    signatures::judge(drill, &edge).await?;
    // Once the edge knows the real Googlebot, whose address one of them names.
    forgeries(drill, &edge).await?;
    protocol_errors(&edge).await;

    let rss = edge.rss_mib()?;
    let clients = WARM..WARM + CLIENTS;
    flood::send(drill, &edge, clients, flood::request, flood::is_blocked).await?;
    let grown = edge.rss_mib()? - rss;
    load.stop().await;

    let findings = &mut drill.findings;
    findings.fact("clients", CLIENTS);
    findings.fact("rss_mib", edge.rss_mib()?);
    findings.fact("rss_growth_mib", (grown * 10.0).round() / 10.0);
    findings.expect(grown <= MAX_GROWTH_MIB, || {
        format!("growth by the flood: expected at most {MAX_GROWTH_MIB} MiB; found {grown}")
    });
    let rss = edge.rss_mib()?;
    findings.expect(rss <= MAX_RSS_MIB, || {
        format!("resident set: expected at most {MAX_RSS_MIB} MiB; found {rss}")
    });
    let after = edge.series().await?;
    findings.fact("series", after.len());
    let new: Vec<_> = after.keys().filter(|name| !series.contains_key(*name)).collect();
    findings.equal("metric series that came by hostile requests", new, Vec::new());
    let panics = after.get("greenlight_scorer_faults_total{kind=\"panic\"}");
    findings.equal("panics of scoring", panics, Some(&0.0));
    // After all that, a browser is a browser and a bot a bot.
    let mut probe = scene.probe(&edge);
    findings.equal("a browser", probe.send(Who::Human, Route::Block).await?.status, 200);
    findings.equal("a bot", probe.send(Who::Bot, Route::Block).await?.status, 403);
    findings.recorded(&edge.evidence()?, "adopted", Some(&staged.digest), "");

    let said = edge.said();
    edge.end().await?;
    let (lines, odd) = said.lines();
    drill.findings.equal("log lines that are not one JSON object", odd, Vec::new());
    drill.findings.fact("log_lines", lines);
    scene.end().await
}

/// What HTTP allows and nobody sends: every one is answered, and scored or refused by its score.
async fn oddities(drill: &mut Drill, edge: &Edge) -> Result<()> {
    let mut client = Raw::new(edge.address, &drill.journal.counter);
    for (name, request) in requests::oddities() {
        // Broken exchanges are counted for the drill.
        let Some(response) = client.send(&request).await else {
            drill.findings.failures.push(format!("{name}: no answer"));
            continue;
        };
        let found = response.status;
        drill.findings.expect(matches!(found, 200 | 400 | 403 | 414 | 429 | 431), || {
            format!("{name}: expected 200, or a refusal of the request; found {found}")
        });
    }
    Ok(())
}

/// What clients say in our name, or in a proxy's or a crawler's, does not reach the origin as ours.
async fn forgeries(drill: &mut Drill, edge: &Edge) -> Result<()> {
    let mut client = Raw::new(edge.address, &drill.journal.counter);
    for (name, request) in requests::forgeries() {
        let Some(response) = client.send(&request).await else { continue };
        drill.findings.equal(&format!("{name}: status"), response.status, 200);
        let told = told(&response).context(name)?;
        let forged = |(_, value): &&(String, String)| value.contains("forged");
        drill.findings.equal(name, told.fields.iter().find(forged), None);
        // The field comes once, from us: a second one, whatever it says, would have no score read.
        drill.findings.expect(told.score.is_some(), || format!("{name}: no single x-bot-score"));
        let verified = told.verdict.as_deref() == Some(VERIFIED);
        drill.findings.equal(&format!("{name}: verified"), verified, false);
    }
    Ok(())
}

/// What is no HTTP may be answered or not. What counts is that the edge goes on.
async fn protocol_errors(edge: &Edge) {
    for (_, request) in requests::protocol_errors() {
        // Not counted: a connection that speaks something else may end any way.
        let mut client = crate::http::Client::new(edge.address, std::time::Duration::from_secs(3));
        let _ = client.exchange(&request).await;
    }
}

/// What the origin is told of a crawler that proved to be one.
const VERIFIED: &str = "verified";

/// What the origin was told of a request.
fn told(response: &Response) -> Result<Told> {
    serde_json::from_slice(&response.body).context("expected the origin's answer")
}

fn is_verified(response: &Response) -> Result<bool> {
    Ok(told(response)?.verdict.as_deref() == Some(VERIFIED))
}

#[cfg(test)]
mod tests;

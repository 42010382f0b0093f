//! What real clients are taken for: each sends requests of its own making through the real proxy, which runs the sample,
//! and the proxy's log says score, verdict and reasons.
//!
//! Browsers go first, since all of them come from one address and what an address does is remembered. A browser that shows
//! itself as one must pass, and whatever is a tool must be told from it; both decide the exit code. A client that this
//! machine lacks is named and skipped.

mod programs;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    edge::{Edge, Settings},
    process::{self, PATIENCE},
    report::Report,
    scene::{Journal, SOON, Scene, Setup},
    signals,
    tools::Tools,
};
use programs::{Client, Site};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write what was found as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What a client must be taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Expected {
    /// Allowed.
    Browser,
    /// Below the threshold of a block.
    Tool,
}

/// What a client was taken for.
#[derive(Clone, Debug, Serialize)]
struct Found {
    client: &'static str,
    version: String,
    protocol: &'static str,
    score: u64,
    verdict: String,
    reasons: String,
    expected: Expected,
    pass: bool,
}

#[derive(Debug, Serialize)]
struct Outcome {
    found: Vec<Found>,
    skipped: Vec<&'static str>,
    failures: Vec<String>,
    pass: bool,
}

pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let report = Report::create(args.json.as_deref())?;
    let tools = Tools::find()?;
    let outcome = tokio::select! {
        outcome = judge(&tools) => outcome?,
        signal = signals::ended() => bail!("ended by {signal}"),
    };
    outcome.print();
    report.write(&outcome)?;
    Ok(if outcome.pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn judge(tools: &Tools) -> Result<Outcome> {
    let scene = Scene::start(tools, Setup::QUICK, &Journal::default()).await?;
    let (cert, key) = certificate(&scene)?;
    let settings = Settings {
        tls: Some((cert, key)),
        log_level: Some("trace"),
        is_behind_proxy: false,
        ..scene.settings()
    };
    let sample = scene.stage("sample", scene.sample.bytes()).await?;
    scene.promote(&sample).await?;
    let edge = scene.edge(&settings).await?;
    edge.keeps(&sample.digest, SOON).await?;
    let site = Site {
        http: edge.address,
        https: edge.https.context("no address of HTTPS")?,
        folder: scene.dir.path().to_owned(),
    };
    let mut outcome =
        Outcome { found: Vec::new(), skipped: Vec::new(), failures: Vec::new(), pass: false };
    let mut missing = Vec::new();
    for client in programs::all() {
        let Some(version) = client.version().await else {
            outcome.skipped.push(client.name);
            missing.push(client.package);
            continue;
        };
        eprintln!("  {} {version}", client.name);
        match answer(&client, &site, &edge).await {
            Ok(line) => outcome.found.push(client.found(version, &line)),
            Err(error) => outcome.failures.push(format!("{}: {error:#}", client.name)),
        }
    }
    if !missing.is_empty() {
        missing.sort_unstable();
        missing.dedup();
        eprintln!(
            "  not installed: {}; on Debian: {}",
            outcome.skipped.join(", "),
            programs::install(&missing)
        );
    }
    let wrong = outcome.found.iter().filter(|found| !found.pass);
    let wrong: Vec<_> = wrong.map(Found::complaint).collect();
    outcome.failures.extend(wrong);
    outcome.pass = outcome.failures.is_empty();
    edge.end().await?;
    scene.end().await?;
    Ok(outcome)
}

/// Lets a client send its requests. What the proxy logged of the last of them.
async fn answer(client: &Client, site: &Site, edge: &Edge) -> Result<Value> {
    let path = format!("/shadow/clients/{}", client.path());
    let output = process::run(client.name, client.command(site, &path)?, PATIENCE).await?;
    let start = Instant::now();
    loop {
        let of_it = |line: &str| line.contains("greenlight::access") && line.contains(&path);
        if let Some(line) = edge.said().last(of_it) {
            return serde_json::from_str(&line).context("the access log");
        }
        if start.elapsed() > Duration::from_secs(10) {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            bail!("no request came; it ended with {} and said: {}", output.status, said.trim());
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// A certificate that nobody vouches for, and its key.
fn certificate(scene: &Scene) -> Result<(PathBuf, PathBuf)> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names)?;
    Ok((
        scene.file("cert.pem", cert.pem().as_bytes())?,
        scene.file("key.pem", signing_key.serialize_pem().as_bytes())?,
    ))
}

impl Client {
    fn found(&self, version: String, line: &Value) -> Found {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let (score, verdict) = (line["score"].as_u64().unwrap_or_default(), text("verdict"));
        let pass = match self.expected {
            Expected::Browser => verdict == "allow",
            // The route is in shadow: what would have been done.
            Expected::Tool => verdict == "block",
        };
        Found {
            client: self.name,
            version,
            protocol: self.protocol,
            score,
            verdict,
            reasons: text("reasons"),
            expected: self.expected,
            pass,
        }
    }
}

impl Found {
    fn complaint(&self) -> String {
        let expected = match self.expected {
            Expected::Browser => "allow",
            Expected::Tool => "block",
        };
        let Self { client, score, verdict, reasons, .. } = self;
        format!("{client}: expected {expected}; found {verdict} at score {score} ({reasons})")
    }
}

impl Outcome {
    fn print(&self) {
        let Self { found, skipped, failures, .. } = self;
        println!(
            "| client | version | protocol | score | verdict | reasons |\n|---|---|---|---|---|---|"
        );
        for Found { client, version, protocol, score, verdict, reasons, .. } in found {
            println!("| {client} | {version} | {protocol} | {score} | {verdict} | {reasons} |");
        }
        for failure in failures {
            eprintln!("  {failure}");
        }
        let verdict = if self.pass { "pass" } else { "fail" };
        println!("clients {verdict} found={} skipped={}", found.len(), skipped.len());
    }
}

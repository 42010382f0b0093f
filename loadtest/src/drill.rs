//! Chaos drills: a fault is put into a running edge under load, and what requests meet meanwhile is judged.
//!
//! In every drill: no response of 5xx by the proxy, no exchange that ends without a whole response, no thread of the edge
//! that panics, and a record in the edge's evidence that names what happened.

mod bad_rpc;
mod disk_full;
mod duplicate_rows;
mod flapping;
mod kill_storm;
mod replay_old;
mod rollback_nowhere;
mod row_limits;
mod torn_cache;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde::Serialize;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    load::Tally,
    scene::{Findings, Journal},
    signals,
    tools::Tools,
};

/// No drill takes longer.
const LIMIT: Duration = Duration::from_secs(240);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which.
    #[arg(value_name = "NAME", required_unless_present = "all")]
    names: Vec<Name>,
    /// Every drill.
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Write what was found as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Drills at a time, each with a chain and an edge of its own.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
    jobs: u8,
}

/// The drills. Those with a number in `docs` order first, then those of bad input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Every row twice: through the publisher, into the registry, into the edge's cache.
    DuplicateRows,
    /// Exactly 200 rows, 201, and 150 with duplicates.
    RowLimits,
    /// A control plane gone wrong promotes good and bad artifacts in turn.
    Flapping,
    /// The kill bit changes a thousand times.
    KillStorm,
    /// Rollbacks to nothing.
    RollbackNowhere,
    /// An old approval is presented again.
    ReplayOld,
    /// The last-good files are torn, then the edge boots without a chain.
    TornCache,
    /// An RPC that is down, lies, or answers garbage, 1 GiB, or a byte a second.
    BadRpc,
    /// No room for the cache and the evidence.
    DiskFull,
}

impl Name {
    fn text(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    async fn run(self, drill: &mut Drill) -> Result<()> {
        match self {
            Self::DuplicateRows => duplicate_rows::run(drill).await,
            Self::RowLimits => row_limits::run(drill).await,
            Self::Flapping => flapping::run(drill).await,
            Self::KillStorm => kill_storm::run(drill).await,
            Self::RollbackNowhere => rollback_nowhere::run(drill).await,
            Self::ReplayOld => replay_old::run(drill).await,
            Self::TornCache => torn_cache::run(drill).await,
            Self::BadRpc => bad_rpc::run(drill).await,
            Self::DiskFull => disk_full::run(drill).await,
        }
    }
}

/// What a drill works with.
struct Drill {
    tools: Tools,
    journal: Journal,
    findings: Findings,
}

/// How a drill went.
#[derive(Debug, Serialize)]
struct Verdict {
    drill: String,
    pass: bool,
    requests: u64,
    fivexx: u64,
    /// Exchanges that ended without a whole response, whatever the way; `load` tells the ways apart.
    resets: u64,
    seconds: f64,
    failures: Vec<String>,
    /// The last lines of its last edge, where the drill failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    edge_said: Option<String>,
    facts: serde_json::Map<String, serde_json::Value>,
    load: Tally,
}

/// Runs the drills and prints a line for each as it ends.
pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let tools = Tools::find()?;
    let names = if args.all { Name::value_variants().to_vec() } else { args.names };
    let mut stop = std::pin::pin!(signals::ended());
    let mut waiting = names.iter().copied();
    let mut running = JoinSet::new();
    let mut verdicts = Vec::new();
    loop {
        while running.len() < usize::from(args.jobs)
            && let Some(name) = waiting.next()
        {
            running.spawn(judge(name, tools.clone()));
        }
        let verdict = tokio::select! {
            verdict = running.join_next() => verdict,
            signal = &mut stop => bail!("ended by {signal}"),
        };
        let Some(verdict) = verdict else { break };
        let verdict = verdict.context("a drill's task")?;
        verdict.print();
        verdicts.push(verdict);
    }
    if let Some(path) = args.json {
        let text = serde_json::to_string_pretty(&verdicts)?;
        std::fs::write(&path, text + "\n").with_context(|| path.display().to_string())?;
    }
    Ok(if verdicts.iter().all(|verdict| verdict.pass) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn judge(name: Name, tools: Tools) -> Verdict {
    let start = Instant::now();
    let mut drill = Drill { tools, journal: Journal::default(), findings: Findings::default() };
    let outcome = match tokio::time::timeout(LIMIT, name.run(&mut drill)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(anyhow::anyhow!("not over after {LIMIT:?}")),
    };
    let Drill { journal, mut findings, .. } = drill;
    if let Err(error) = outcome {
        findings.failures.push(format!("{error:#}"));
    }
    let load = journal.counter.read();
    findings.equal("responses of 5xx", load.fivexx, 0);
    findings.equal("broken exchanges", load.broken(), 0);
    findings.equal("panics of the edge", journal.panics(), Vec::new());
    findings.expect(load.requests > 0, || "expected load; found none".into());
    Verdict {
        drill: name.text(),
        pass: findings.failures.is_empty(),
        requests: load.requests,
        fivexx: load.fivexx,
        resets: load.broken(),
        seconds: (start.elapsed().as_secs_f64() * 10.0).round() / 10.0,
        edge_said: if findings.failures.is_empty() { None } else { Some(journal.tail(60)) },
        failures: findings.failures,
        facts: findings.facts,
        load,
    }
}

impl Verdict {
    /// One line on stdout whatever happened; the reasons of a failure on stderr.
    fn print(&self) {
        let Self { drill, requests, fivexx, resets, .. } = self;
        let verdict = if self.pass { "pass" } else { "fail" };
        println!("drill {drill} {verdict} requests={requests} fivexx={fivexx} resets={resets}");
        for failure in self.failures.iter().chain(&self.load.failures) {
            eprintln!("  {drill}: {}", failure.replace('\n', "\n    "));
        }
    }
}

/// A refusal of greenlightctl, or an error that shows what came instead.
fn refused(found: (i32, &str), code: i32, reason: &str) -> Result<()> {
    if found == (code, reason) {
        Ok(())
    } else {
        bail!("expected exit code {code} for {reason:?}; found {found:?}")
    }
}

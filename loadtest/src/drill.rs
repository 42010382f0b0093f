//! Chaos drills: a fault is put into a running edge under load, and what requests meet meanwhile is judged.
//!
//! In every drill: no response of 5xx by the proxy, no exchange that ends without a whole response, no thread of the edge
//! that panics, and a record in the edge's evidence that names what happened.

mod bad_beacon;
mod bad_rpc;
mod clock_skew;
mod cost_bomb;
mod disk_full;
mod duplicate_rows;
mod flapping;
mod frozen_chain;
mod helios;
mod hostile_client;
mod kill_blind;
mod kill_storm;
mod reorg;
mod replay_old;
mod restart_herd;
mod rollback_nowhere;
mod row_limits;
mod torn_cache;
mod verdict;
mod verifier_stopped;
mod version_skew;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use greenlight_artifact::Digest;
use serde_json::Value;
use tokio::{task::JoinSet, time::Instant};

pub(crate) use verdict::Verdict;

use crate::{
    edge::{Edge, unsealed},
    load::{Route, Seen, Tally, Who},
    process::limited,
    report::Report,
    scene::{Findings, Journal, SOON},
    signals,
    tools::Tools,
};

/// No drill takes longer, nor what a soak or a demo does beside waiting.
pub(crate) const LIMIT: Duration = Duration::from_secs(240);

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
    /// A kill while the chain is out of reach.
    KillBlind,
    /// Rollbacks to nothing.
    RollbackNowhere,
    /// Many edges restart at once, and every endpoint is slow.
    RestartHerd,
    /// Artifacts and storage of other versions; edges of two.
    VersionSkew,
    /// The dearest tables: over the budget, and at it under requests made to be slow.
    CostBomb,
    /// An old approval is presented again.
    ReplayOld,
    /// Heads stand still: the newest, then the finalized one.
    FrozenChain,
    /// What is not final is reorganised away; endpoints forge what they can.
    Reorg,
    /// The last-good files are torn, then the edge boots without a chain.
    TornCache,
    /// A verifier is stopped between stage and promote.
    VerifierStopped,
    /// Clients that flood, forge, lie and inject.
    HostileClient,
    /// The wall clock of the edge jumps by an hour.
    ClockSkew,
    /// A beacon endpoint that is down, or answers errors, garbage, without end, or a byte a second.
    BadBeacon,
    /// An RPC that is down, lies, or answers garbage, 1 GiB, or a byte a second.
    BadRpc,
    /// No room for the cache and the evidence.
    DiskFull,
    /// Real Helios beside our own light client, on what it takes for mainnet.
    Helios,
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
            Self::KillBlind => kill_blind::run(drill).await,
            Self::RollbackNowhere => rollback_nowhere::run(drill).await,
            Self::RestartHerd => restart_herd::run(drill).await,
            Self::VersionSkew => version_skew::run(drill).await,
            Self::CostBomb => cost_bomb::run(drill).await,
            Self::ReplayOld => replay_old::run(drill).await,
            Self::FrozenChain => frozen_chain::run(drill).await,
            Self::Reorg => reorg::run(drill).await,
            Self::TornCache => torn_cache::run(drill).await,
            Self::VerifierStopped => verifier_stopped::run(drill).await,
            Self::HostileClient => hostile_client::run(drill).await,
            Self::ClockSkew => clock_skew::run(drill).await,
            Self::BadBeacon => bad_beacon::run(drill).await,
            Self::BadRpc => bad_rpc::run(drill).await,
            Self::DiskFull => disk_full::run(drill).await,
            Self::Helios => helios::run(drill).await,
        }
    }
}

/// What a drill works with.
pub(crate) struct Drill {
    pub(crate) tools: Tools,
    pub(crate) journal: Journal,
    pub(crate) findings: Findings,
}

/// Runs the drills and prints a line for each as it ends.
pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let report = Report::create(args.json.as_deref())?;
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
        verdict.print(&format!("drill {}", verdict.drill));
        verdicts.push(verdict);
    }
    report.write(&verdicts)?;
    Ok(if verdicts.iter().all(|verdict| verdict.pass) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn judge(name: Name, tools: Tools) -> Verdict {
    let start = Instant::now();
    let mut drill = Drill::new(tools);
    let outcome = limited(LIMIT, name.run(&mut drill)).await;
    drill.verdict(name.text(), start, outcome)
}

/// A refusal of greenlightctl, or an error that shows what came instead.
fn refused(found: (i32, &str), code: i32, reason: &str) -> Result<()> {
    if found == (code, reason) {
        Ok(())
    } else {
        bail!("expected exit code {code} for {reason:?}; found {found:?}")
    }
}

/// The bound of the design for a full edge.
const MAX_RSS_MIB: f64 = 64.0;

/// A bot that should have been blocked and was let through.
fn is_let_through(seen: &Seen) -> bool {
    (seen.who, seen.route, seen.status) == (Who::Bot, Route::Block, 200)
}

impl Drill {
    /// Expects that no bot was let through since `before`.
    fn none_let_through(&mut self, before: &Tally) {
        let window = self.journal.counter.read().since(before);
        self.findings.equal("bots let through meanwhile", window.count(is_let_through), 0);
    }
}

/// Whether the source's last look failed for this.
fn failed_for(status: &Value, reason: &str) -> bool {
    status["source"]["last_reason"] == reason
}

/// Waits until the edge gives one of these reasons for its source. Which, and the highest RSS until then and for a while
/// after.
async fn named(edge: &Edge, reasons: &[&'static str]) -> Result<(&'static str, f64)> {
    let found = |status: &Value| reasons.iter().copied().find(|reason| failed_for(status, reason));
    let wait = async {
        let what = reasons.join(" or ");
        let status = edge.until(&what, SOON, |status| found(status).is_some()).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        status.map(|status| found(&status).unwrap_or_default())
    };
    let mut wait = std::pin::pin!(wait);
    let mut most = 0.0_f64;
    loop {
        most = most.max(edge.rss_mib()?);
        tokio::select! {
            reason = &mut wait => return Ok((reason?, most)),
            () = tokio::time::sleep(Duration::from_millis(10)) => {}
        }
    }
}

/// Waits until the source's last look succeeded.
async fn recovers(edge: &Edge) -> Result<Value> {
    edge.until("the source to recover", SOON, |status| {
        status["source"]["last_reason"].is_null() && status["head"].is_object()
    })
    .await
}

/// Copies a state folder.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Edits the edge's durable record as someone could who knows how it is made.
fn repoint(path: &Path, from: &str, to: &str) -> Result<()> {
    let text = fs::read_to_string(path)?;
    let json = unsealed(&text).context("durable.json without a checksum")?;
    anyhow::ensure!(json.contains(from), "durable.json does not name {from}: {json}");
    let json = json.replace(from, to);
    let checksum = Digest::of(json.as_bytes());
    fs::write(path, format!("{json}\n{checksum}\n")).context("durable.json")
}

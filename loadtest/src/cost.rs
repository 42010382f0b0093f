//! What a request costs: CPU time of the proxy's process with the bot module on, of the same binary with the module off,
//! and of bare Pingora (`proxy/examples/bare.rs`), for the same requests in one run.
//!
//! The three stand side by side and take turns in short slices, each round in another order, so that whatever else the
//! machine does meets all of them alike; what counts are the ratios within each round. The edges hold a full table of 200
//! rows and no chain to follow: what they then do beside requests is measured too.

mod spread;
mod work;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    process::Command,
    time::{Instant, sleep},
};

use crate::{
    artifacts, drill,
    edge::{Edge, Settings},
    load::Requests,
    process::Process,
    report::{Misuse, Report},
    scene::{Journal, SOON, Scene, Setup},
    signals,
    tools::Tools,
};
use spread::Spread;
use work::Work;

/// Threads of each proxy that serve requests.
const THREADS: &str = "2";
const ON: &str = "module on";
const OFF: &str = "module off";
const BARE: &str = "bare Pingora";
/// Rows of the table.
const ROWS: usize = 200;
/// Long enough to tell some work from none.
const IDLE: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Requests to each proxy in each round.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    requests: u32,
    /// Rounds.
    #[arg(long, value_name = "N", default_value_t = 20)]
    rounds: usize,
    /// Connections at a time, each from an address of its own.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u8).range(1..=250))]
    connections: u8,
    /// The edge to measure; by default that of `cargo build --release`.
    #[arg(long, value_name = "FILE")]
    greenlight: Option<PathBuf>,
    /// Bare Pingora; by default that of `cargo build --release -p greenlight --example bare`.
    #[arg(long, value_name = "FILE")]
    bare: Option<PathBuf>,
    /// Leave the module's off switch out of it.
    #[arg(long)]
    no_off: bool,
    /// Write what was found as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let report = Report::create(args.json.as_deref())?;
    let mut tools = Tools::find()?;
    let release = tools.root.join("target/release");
    tools.greenlight = built(args.greenlight.as_deref(), &release.join("greenlight"))?;
    let bare = built(args.bare.as_deref(), &release.join("examples/bare"))?;
    let found = tokio::select! {
        found = compare(&args, &tools, &bare) => found?,
        signal = signals::ended() => bail!("ended by {signal}"),
    };
    report.write(&found)?;
    Ok(ExitCode::SUCCESS)
}

/// The program named, or else the usual one.
fn built(named: Option<&Path>, usual: &Path) -> Result<PathBuf, Misuse> {
    let path = named.unwrap_or(usual);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    Err(Misuse(format!(
        "expected a program at {}; build it with: cargo build --release -p greenlight --bins --examples",
        path.display()
    )))
}

/// A proxy under test.
struct Proxy {
    name: &'static str,
    address: SocketAddr,
    pid: Pid,
    /// CPU time of a request in µs, a value for each round.
    micros: Vec<f64>,
}

async fn compare(args: &Args, tools: &Tools, bare: &Path) -> Result<Value> {
    let upstream = work::origin().await?;
    let Adopted { _dir, settings, requests, digest } = adopted(tools, upstream).await?;
    let on = Edge::start(tools, &settings).await?;
    on.runs(&digest, SOON).await.context("from the cache")?;
    let off = if args.no_off { None } else { Some(module_off(tools, &settings).await?) };
    let (bare_at, bare) = start_bare(bare, upstream).await?;

    let proxy = |name, address, pid| Proxy { name, address, pid, micros: Vec::new() };
    let mut proxies = vec![proxy(ON, on.address, on.pid())];
    proxies.extend(off.as_ref().map(|off| proxy(OFF, off.address, off.pid())));
    proxies.push(proxy(BARE, bare_at, bare.pid()));
    let idle = idle(&on).await?;

    let mut work = Work::new(&requests, args.connections);
    for proxy in &proxies {
        work.send(proxy.address, args.requests).await.context(proxy.name)?;
    }
    for round in 0..args.rounds {
        let count = proxies.len();
        for turn in 0..count {
            let proxy = &mut proxies[(round + turn) % count];
            let before = work::cpu(proxy.pid)?;
            work.send(proxy.address, args.requests).await.context(proxy.name)?;
            let spent = work::cpu(proxy.pid)?.saturating_sub(before);
            proxy.micros.push(spent.as_secs_f64() * 1e6 / f64::from(args.requests));
        }
    }
    let scored = on.metric("greenlight_score_count").await?;
    let sent = f64::from(args.requests) * (args.rounds as f64 + 1.0);
    // A request is counted just after its answer.
    ensure!(
        scored + f64::from(args.connections) >= sent,
        "expected {sent} scored requests; found {scored}"
    );
    let rss = [("module on", on.rss_mib()?), ("bare Pingora", bare.rss_mib()?)];
    on.end().await?;
    if let Some(off) = off {
        off.end().await?;
    }
    // It would wait five minutes for its last requests, of which there are none.
    bare.kill().await?;
    Ok(told(args, &proxies, idle, &rss))
}

/// What an edge needs to run a full table without a chain.
struct Adopted {
    _dir: TempDir,
    settings: Settings,
    requests: Arc<Requests>,
    digest: String,
}

/// Has an edge adopt the sample, filled up to 200 rows, from a chain, and leaves its state folder.
async fn adopted(tools: &Tools, upstream: SocketAddr) -> Result<Adopted> {
    let scene = Scene::start(tools, Setup::QUICK, &Journal::default()).await?;
    let full = scene.stage("200-rows", &artifacts::with_rows(&scene.sample, ROWS)?).await?;
    scene.promote(&full).await?;
    let edge = scene.edge(&scene.settings()).await?;
    edge.keeps(&full.digest, SOON).await?;
    edge.end().await?;
    let settings = Settings {
        upstream,
        poll: Duration::from_secs(60),
        max_staleness: Some(Duration::from_secs(86_400)),
        max_finality_age: Some(Duration::from_secs(86_400)),
        is_behind_proxy: false,
        ..scene.settings().offline()
    };
    let Scene { dir, chain, requests, .. } = scene;
    chain.end().await?;
    Ok(Adopted { _dir: dir, settings, requests, digest: full.digest })
}

/// The same edge with its module off, over a copy of the state folder: each has one edge.
async fn module_off(tools: &Tools, on: &Settings) -> Result<Edge> {
    let dir = on.dir.join("off");
    std::fs::create_dir(&dir)?;
    let state = dir.join("state");
    drill::copy(&on.state, &state)?;
    Edge::start(tools, &Settings { dir, state, bots: false, ..on.clone() }).await
}

async fn start_bare(bare: &Path, upstream: SocketAddr) -> Result<(SocketAddr, Process)> {
    // Free now, and soon after most likely still.
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let mut command = Command::new(bare);
    command.args([&address.to_string(), &upstream.to_string(), THREADS]);
    let mut process = Process::start("bare", command)?;
    let start = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        let said = process.said().tail(20);
        ensure!(
            process.is_running() && start.elapsed() < SOON,
            "bare Pingora does not serve: {said}"
        );
        sleep(Duration::from_millis(10)).await;
    }
    Ok((address, process))
}

/// CPU time of an edge that nobody asks anything, in µs a second.
async fn idle(edge: &Edge) -> Result<f64> {
    let before = work::cpu(edge.pid())?;
    sleep(IDLE).await;
    Ok(work::cpu(edge.pid())?.saturating_sub(before).as_secs_f64() * 1e6 / IDLE.as_secs_f64())
}

/// Prints what was found, and gives it back as JSON.
fn told(args: &Args, proxies: &[Proxy], idle: f64, rss: &[(&str, f64)]) -> Value {
    println!(
        "{} rounds of {} requests to each, {} connections, {ROWS} rows",
        args.rounds, args.requests, args.connections
    );
    println!("{:<22}{:>8}   {:<17}", "CPU of a request", "median", "quartiles");
    let mut micros = serde_json::Map::new();
    for proxy in proxies {
        let spread = Spread::of(&proxy.micros);
        println!("  {:<20}{:>5.2} µs   {}", proxy.name, spread.median, spread.shown(2));
        micros.insert(proxy.name.into(), json!(spread));
    }
    let mut ratios = serde_json::Map::new();
    for (over, under) in [(ON, OFF), (ON, BARE), (OFF, BARE)] {
        let of = |name| proxies.iter().find(|proxy| proxy.name == name);
        let (Some(a), Some(b)) = (of(over), of(under)) else { continue };
        let each: Vec<f64> = a.micros.iter().zip(&b.micros).map(|(a, b)| a / b).collect();
        let spread = Spread::of(&each);
        let name = format!("{over} / {under}");
        println!("{name:<30}{:>6.3}   {}", spread.median, spread.shown(3));
        ratios.insert(name, json!(spread));
    }
    println!("idle, module on: {idle:.0} µs of CPU a second");
    for (name, mib) in rss {
        println!("resident set, {name}: {mib} MiB");
    }
    let rss: serde_json::Map<_, _> =
        rss.iter().map(|(name, mib)| ((*name).into(), json!(mib))).collect();
    json!({
        "requests": args.requests, "rounds": args.rounds, "connections": args.connections, "rows": ROWS,
        "micros": micros, "ratios": ratios, "idle_micros_per_second": idle, "rss_mib": rss,
    })
}

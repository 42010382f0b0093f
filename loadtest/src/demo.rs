//! The demo: the main job from a source file to a blocked bot, on a local chain with the real programs.

mod once;
mod show;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use alloy::sol_types::SolCall as _;
use anyhow::{Context as _, Result};
use greenlight_beacon_simulator::Preset;
use tokio::time::Instant;

use crate::{
    artifacts,
    chain::Blocks,
    deploy::{Holding, Registry},
    edge::{Edge, Settings},
    report::Report,
    scene::{Identity, Journal, SOON, Scene, Setup, Staged},
    signals,
    tools::Tools,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Use free ports, go through everything once, and exit; non-zero if anything is not as it must be.
    #[arg(long)]
    once: bool,
    /// Where to write what was measured, as JSON.
    #[arg(long, value_name = "FILE", requires = "once")]
    report: Option<PathBuf>,
}

/// A real chain's shape, so quick that nobody has to wait for it: mainnet has 12 s slots and at least 64 of them until a
/// block is final.
const SETUP: Setup = Setup {
    blocks: Blocks::BySlot,
    identity: Identity::Local,
    preset: Preset::Mainnet,
    slot: Duration::from_secs(1),
    finality_lag: 4,
    holding: Holding::Safes,
    delay: 4,
    rpc_port: 0,
    origin_port: 0,
};

pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let report = Report::create(args.report.as_deref())?;
    let tools = Tools::find()?;
    if args.once {
        tokio::select! {
            outcome = once::run(&tools, report) => outcome,
            signal = signals::ended() => anyhow::bail!("ended by {signal}"),
        }
    } else {
        show::run(&tools).await
    }
}

/// Ports on loopback.
#[derive(Clone, Copy, Debug, Default)]
struct Ports {
    rpc: u16,
    origin: u16,
    http: u16,
    admin: u16,
}

impl Ports {
    /// The same ones every time, except where something else uses them.
    fn usual() -> Self {
        let free = |port| TcpListener::bind(("127.0.0.1", port)).map_or(0, |_| port);
        Self { rpc: free(8545), origin: free(8000), http: free(8080), admin: free(9100) }
    }
}

/// The demo's chain, origin and edge.
struct Demo {
    scene: Scene,
    settings: Settings,
    edge: Edge,
}

impl Demo {
    /// Starts everything; nothing is promoted yet.
    async fn start(tools: &Tools, ports: Ports, journal: &Journal) -> Result<Self> {
        say(&format!(
            "starting a chain with a slot every {:?} and {} slots to finality, and deploying the registry on it",
            SETUP.slot, SETUP.finality_lag
        ));
        let setup = Setup { rpc_port: ports.rpc, origin_port: ports.origin, ..SETUP };
        let scene = Scene::start(tools, setup, journal).await?;
        let settings = Settings {
            port: ports.http,
            admin_port: ports.admin,
            poll: Duration::from_millis(500),
            soak: Duration::from_secs(2),
            tells_reasons: true,
            ..scene.settings()
        };
        say("starting the origin and the edge");
        let edge = scene.edge(&settings).await?;
        Ok(Self { scene, settings, edge })
    }

    /// Publishes bytes and waits until the edge runs them and keeps them as good. Also the time from the block that holds
    /// the promotion to adoption, both watched as closely as polling allows.
    async fn publish(&self, name: &str, bytes: &[u8]) -> Result<(Staged, Duration)> {
        let rows = bytes.len() / greenlight_artifact::ROW_LEN - 1;
        say(&format!("staging {name}, {rows} rows, for the contract to check"));
        let staged = self.scene.stage(name, bytes).await?;
        say(&format!(
            "scheduling its promotion, waiting for the timelock of {} s, executing; the edge adopts it once that is final",
            SETUP.delay
        ));
        let mined = async { self.effective(staged.id).await };
        let adopted = async {
            self.edge.runs(&staged.digest, 2 * SOON).await?;
            anyhow::Ok(Instant::now())
        };
        let (_, mined, adopted) = tokio::try_join!(self.scene.promote(&staged), mined, adopted)
            .with_context(|| format!("{name} at the edge"))?;
        self.edge.keeps(&staged.digest, SOON).await?;
        Ok((staged, adopted.saturating_duration_since(mined)))
    }

    /// When the chain's newest block lets this artifact run; 0 is none.
    async fn effective(&self, id: u64) -> Result<Instant> {
        let (rpc, registry) = (self.scene.rpc(), self.scene.deployment.registry);
        loop {
            let effective = rpc.view(registry, Registry::effectiveCall {}.abi_encode()).await?;
            if u64::from(Registry::effectiveCall::abi_decode_returns(&effective)?) == id {
                return Ok(Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The first artifact: the sample as it is.
    async fn publish_first(&self) -> Result<(Staged, Duration)> {
        self.publish("sample", self.scene.sample.bytes()).await
    }

    /// The second: the same rows under another label, so that there is something to roll back from.
    async fn publish_second(&self) -> Result<Staged> {
        let second = artifacts::labelled(&self.scene.sample, "sample-2")?;
        Ok(self.publish("sample-2", second.bytes()).await?.0)
    }

    async fn end(self) -> Result<()> {
        self.edge.end().await?;
        self.scene.end().await
    }
}

/// A program's path as one would type it where this one was started.
fn typed(tools: &Tools, program: &Path) -> String {
    quoted(&tools.shown(program).display().to_string())
}

/// Quoted for a shell, where it needs to be.
fn quoted(text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-:=".contains(char);
    if text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

fn say(text: &str) {
    eprintln!("  {text}");
}

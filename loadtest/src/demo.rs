//! The demo: the main job from a source file to a blocked bot, on a local chain with the real programs.

mod once;
mod show;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{
    artifacts,
    edge::{Edge, Settings},
    scene::{Journal, SOON, Scene, Setup, Staged},
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

/// Seconds of every timelock, and between blocks.
const DELAY: u32 = 4;
const BLOCK_TIME: u64 = 2;

pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let tools = Tools::find()?;
    if args.once {
        let report = args.report;
        tokio::select! {
            outcome = once::run(&tools, report.as_deref()) => outcome,
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
            "starting a chain with a block every {BLOCK_TIME} s, and deploying the registry on it"
        ));
        let setup = Setup {
            block_time: Some(BLOCK_TIME),
            delay: DELAY,
            rpc_port: ports.rpc,
            origin_port: ports.origin,
        };
        let scene = Scene::start(tools, setup, journal).await?;
        let settings = Settings {
            port: ports.http,
            admin_port: ports.admin,
            poll: Duration::from_millis(500),
            adoption_depth: 1,
            soak: Duration::from_secs(2),
            ..scene.settings()
        };
        say("starting the origin and the edge");
        let edge = scene.edge(&settings).await?;
        Ok(Self { scene, settings, edge })
    }

    /// Publishes bytes and waits until the edge runs them and keeps them as good.
    async fn publish(&self, name: &str, bytes: &[u8]) -> Result<Staged> {
        let rows = bytes.len() / greenlight_artifact::ROW_LEN - 1;
        say(&format!("staging {name}, {rows} rows, for the contract to check"));
        let staged = self.scene.stage(name, bytes).await?;
        say(&format!("scheduling its promotion, waiting for the timelock of {DELAY} s, executing"));
        self.scene.promote(&staged).await?;
        say("waiting until the edge has proven, fetched, checked and adopted it");
        self.edge
            .keeps(&staged.digest, SOON)
            .await
            .with_context(|| format!("{name} at the edge"))?;
        Ok(staged)
    }

    /// The first artifact: the sample as it is.
    async fn publish_first(&self) -> Result<Staged> {
        self.publish("sample", self.scene.sample.bytes()).await
    }

    /// The second: the same rows under another label, so that there is something to roll back from.
    async fn publish_second(&self) -> Result<Staged> {
        self.publish("sample-2", artifacts::labelled(&self.scene.sample, "sample-2")?.bytes()).await
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

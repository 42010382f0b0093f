//! What the demo and most drills begin with: a chain with the registry on it, an origin, artifacts of the sample, and
//! the counters of one run.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use greenlight_artifact::{Schema, ValidArtifact};
use greenlight_beacon_simulator::{Endpoint, Fork, Idle, Preset, Simulator, Spec};
use greenlight_watcher::evidence::Line;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    artifacts,
    chain::{Blocks, Chain, PUBLISHER, Rpc},
    ctl::Ctl,
    deploy::{Deployment, Holding, deploy},
    edge::{self, Edge, Heads, LightClient, Settings},
    load::{Counter, Load, Probe, Requests, Volume},
    origin::Origin,
    process::Said,
    tools::Tools,
};

/// The longest that anything of a scene takes that is expected to happen.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// An endpoint that nobody serves: TCPMUX (RFC 1078) died long ago.
pub(crate) const UNREACHABLE: &str = "http://127.0.0.1:1";

/// Which network the beacon chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// One of its own.
    Local,
    /// Mainnet, as far as light clients can tell: its genesis, forks and clock.
    Mainnet,
}

/// How a scene is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) blocks: Blocks,
    pub(crate) identity: Identity,
    pub(crate) preset: Preset,
    /// Length of a slot; each slot has a block.
    pub(crate) slot: Duration,
    /// Slots from a block until it can be final; 64 or more on real chains.
    pub(crate) finality_lag: u64,
    /// Who publishes and who guards.
    pub(crate) holding: Holding,
    /// Seconds of every timelock.
    pub(crate) delay: u32,
    pub(crate) rpc_port: u16,
    pub(crate) origin_port: u16,
}

impl Setup {
    /// Drills wait for many blocks, timelocks and finalized heads.
    pub(crate) const QUICK: Self = Self {
        blocks: Blocks::BySlot,
        identity: Identity::Local,
        preset: Preset::Mainnet,
        slot: Duration::from_secs(1),
        finality_lag: 2,
        holding: Holding::Safes,
        delay: 1,
        rpc_port: 0,
        origin_port: 0,
    };

    /// What real Helios takes for mainnet. A slot takes 12 s there.
    pub(crate) const MAINNET: Self = Self {
        blocks: Blocks::ByTransaction,
        identity: Identity::Mainnet,
        slot: Spec::mainnet().slot_duration,
        finality_lag: 1,
        ..Self::QUICK
    };

    /// The network. A local one's clock stands amid a period, so that a scene crosses the end of one only where it means to.
    pub(crate) fn network(&self) -> Result<Spec> {
        if self.identity == Identity::Mainnet {
            return Ok(Spec { finality_lag: self.finality_lag, ..Spec::mainnet() });
        }
        let now = u64::try_from(UNIX_EPOCH.elapsed()?.as_millis())?;
        // So far from both ends that a clock which is an hour off is still in it.
        let local = Spec {
            slot_duration: self.slot,
            finality_lag: self.finality_lag,
            ..Spec::local(self.preset, Fork::Fulu)
        };
        let slot = local.period_start(100) + self.preset.slots_per_period() / 2;
        Ok(local.with_slot_at(slot, now))
    }
}

/// Everything but the edges.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) tools: Tools,
    pub(crate) dir: TempDir,
    pub(crate) chain: Chain,
    /// The beacon chain over it.
    pub(crate) beacon: Simulator,
    /// An honest endpoint of that, until a drill says otherwise.
    pub(crate) endpoint: Endpoint,
    pub(crate) deployment: Deployment,
    pub(crate) ctl: Ctl,
    pub(crate) origin: Origin,
    pub(crate) sample: ValidArtifact,
    pub(crate) requests: Arc<Requests>,
    pub(crate) journal: Journal,
}

/// What outlives a scene: the counts of its load, and what its edges said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    pub(crate) counter: Counter,
    heard: Arc<Mutex<Vec<Said>>>,
}

impl Journal {
    pub(crate) fn hear(&self, edge: Said) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(edge);
    }

    /// Threads of edges that panicked.
    pub(crate) fn panics(&self) -> Vec<String> {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .flat_map(Said::panics)
            .collect()
    }

    /// The last lines of the last edge.
    pub(crate) fn tail(&self, lines: usize) -> String {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last()
            .map_or_else(String::new, |said| said.tail(lines))
    }
}

/// An artifact on chain.
#[derive(Clone, Debug)]
pub(crate) struct Staged {
    pub(crate) id: u64,
    pub(crate) digest: String,
}

impl Scene {
    pub(crate) async fn start(tools: &Tools, setup: Setup, journal: &Journal) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("greenlight-")
            .tempdir()
            .context("cannot make a temporary folder")?;
        let chain = Chain::start(tools, setup.blocks, setup.rpc_port).await?;
        let beacon = Simulator::start(setup.network()?, &chain.rpc.url).await?;
        beacon.when_idle(Idle::Mine);
        let endpoint = beacon.endpoint().await?;
        let file = dir.path().join("deployment.json");
        let deployment = deploy(tools, &chain, &setup, &file).await?;
        let ctl = Ctl::new(tools, &chain.rpc.url, file, setup.holding);
        let origin = Origin::start(setup.origin_port).await?;
        let browser = tools.root.join("config/sample/browser.json");
        let browser =
            fs::read_to_string(&browser).with_context(|| browser.display().to_string())?;
        let sample = dir.path().join("sample.glff");
        ctl.run(
            PUBLISHER,
            [
                Path::new("build"),
                &tools.root.join("config/sample.json"),
                Path::new("--out"),
                &sample,
            ],
        )
        .await?
        .done()?;
        let sample = ValidArtifact::check(&fs::read(&sample)?, &[Schema::ENGINE_1])
            .context("the sample artifact")?;
        Ok(Self {
            tools: tools.clone(),
            dir,
            chain,
            beacon,
            endpoint,
            deployment,
            ctl,
            origin,
            sample,
            requests: Arc::new(Requests::new(&browser)?),
            journal: journal.clone(),
        })
    }

    pub(crate) const fn rpc(&self) -> &Rpc {
        &self.chain.rpc
    }

    /// A file of the scene's folder with these bytes.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        Ok(path)
    }

    pub(crate) async fn stage(&self, name: &str, bytes: &[u8]) -> Result<Staged> {
        self.stage_with(name, bytes, &[]).await
    }

    /// The same, with these options.
    pub(crate) async fn stage_with(
        &self,
        name: &str,
        bytes: &[u8],
        options: &[&str],
    ) -> Result<Staged> {
        let file = self.file(&format!("{name}.glff"), bytes)?.display().to_string();
        let stage = [&["stage", file.as_str()], options].concat();
        let staged = self.ctl.run(PUBLISHER, stage).await?.done()?;
        let id = staged["id"].as_u64().context("stage said no id")?;
        Ok(Staged { id, digest: artifacts::digest(bytes) })
    }

    pub(crate) async fn promote(&self, staged: &Staged) -> Result<Value> {
        self.ctl.run(PUBLISHER, ["promote", &staged.id.to_string()]).await?.done()
    }

    /// Stages and promotes the sample under a label.
    pub(crate) async fn publish(&self, label: &str) -> Result<Staged> {
        let staged = self.stage(label, artifacts::labelled(&self.sample, label)?.bytes()).await?;
        self.promote(&staged).await?;
        Ok(staged)
    }

    /// A light client that adopts from finalized heads.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            binary: None,
            id: "edge-1".into(),
            port: 0,
            admin_port: 0,
            upstream: self.origin.address,
            heads: Heads::LightClient(LightClient {
                network: self.beacon.spec().clone(),
                checkpoint: self.beacon.checkpoint(),
                beacon_urls: vec![self.endpoint.url.clone()],
            }),
            rpc_urls: vec![self.chain.rpc.url.clone()],
            registry: self.deployment.registry,
            poll: Duration::from_millis(200),
            adoption_depth: None,
            max_staleness: None,
            max_finality_age: None,
            stale_mode: None,
            soak: Duration::from_millis(500),
            dir: self.dir.path().into(),
            state: self.dir.path().join("state"),
            survives_file_limit: false,
            clock: None,
            is_behind_proxy: true,
            bots: true,
            tells_reasons: false,
            tls: None,
            log_level: None,
            crawlers: None,
        }
    }

    /// The same with heads on an RPC's word, for what is about those.
    pub(crate) fn rpc_settings(&self) -> Settings {
        Settings {
            heads: Heads::Rpc { chain_id: self.deployment.chain_id },
            adoption_depth: Some(0),
            ..self.settings()
        }
    }

    pub(crate) async fn edge(&self, settings: &Settings) -> Result<Edge> {
        let edge = Edge::start(&self.tools, settings).await?;
        self.journal.hear(edge.said());
        Ok(edge)
    }

    pub(crate) fn load(&self, edge: &Edge) -> Load {
        Load::start(edge.address, &self.requests, &self.journal.counter, Volume::DEFAULT)
    }

    /// The share of an edge among several.
    pub(crate) fn light_load(&self, edge: &Edge) -> Load {
        Load::start(edge.address, &self.requests, &self.journal.counter, Volume::LIGHT)
    }

    /// As light, for so long.
    pub(crate) fn long_load(&self, edge: &Edge, lasts: Duration) -> Load {
        let volume = Volume { lasts, ..Volume::LIGHT };
        Load::start(edge.address, &self.requests, &self.journal.counter, volume)
    }

    pub(crate) fn probe(&self, edge: &Edge) -> Probe {
        Probe::new(edge.address, &self.requests, &self.journal.counter)
    }

    /// An edge that keeps `label` as good, under load.
    pub(crate) async fn running(&self, label: &str) -> Result<(Edge, Load, Staged)> {
        let staged = self.publish(label).await?;
        let edge = self.edge(&self.settings()).await?;
        let load = self.load(&edge);
        edge.keeps(&staged.digest, SOON).await?;
        Ok((edge, load, staged))
    }

    /// Ends what is left.
    pub(crate) async fn end(self) -> Result<()> {
        self.chain.end().await
    }
}

/// What happened during a drill, and what was expected and did not.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) failures: Vec<String>,
    pub(crate) facts: serde_json::Map<String, Value>,
}

impl Findings {
    /// Notes a failure unless `holds`.
    pub(crate) fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.failures.push(what());
        }
    }

    pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        found: T,
        expected: T,
    ) {
        let holds = found == expected;
        self.expect(holds, || format!("{what}: expected {expected:?}; found {found:?}"));
    }

    pub(crate) fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.into(), value.into());
    }

    /// Expects a line of evidence of this event whose detail contains `text`.
    pub(crate) fn recorded(
        &mut self,
        evidence: &[Line],
        event: &str,
        digest: Option<&str>,
        text: &str,
    ) {
        let found = evidence.iter().any(|line| {
            line.event == event
                && digest.is_none_or(|digest| line.digest.as_deref() == Some(digest))
                && line.detail.contains(text)
        });
        self.expect(found, || {
            let of: Vec<_> =
                evidence.iter().map(|line| format!("{} {}", line.event, line.detail)).collect();
            format!("expected evidence {event:?} {digest:?} with {text:?}; found {of:?}")
        });
    }
}

/// The evidence of a state folder.
pub(crate) fn evidence(state: &Path) -> Result<Vec<Line>> {
    edge::evidence_in(state)
}

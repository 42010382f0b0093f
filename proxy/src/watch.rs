//! The watcher as part of the proxy: it has a thread of its own, and what happens to it happens to no request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use greenlight_artifact::ValidArtifact;
use greenlight_bot::{CompiledModel, Engine};
use greenlight_watcher::{Adoption, CompileRefused, SourceConfig, Status, StatusHandle, Watcher};
use pingora_core::server::ShutdownWatch;
use pingora_core::services::background::{
    BackgroundService, GenBackgroundService, background_service,
};
use serde_json::{Value, json};

use crate::config::{self, Config};
use crate::metrics::Exposition;

/// Reasons of quarantine that are counted apart.
const MAX_REASONS: usize = 32;

/// The scoring engine, as the watcher sees it.
pub(crate) struct Edge(Engine);

impl greenlight_watcher::Engine for Edge {
    type Model = CompiledModel;

    fn compile(&self, artifact: &ValidArtifact) -> Result<CompiledModel, CompileRefused> {
        CompiledModel::compile(artifact)
            .map_err(|error| CompileRefused { reason: error.reason(), message: error.to_string() })
    }

    fn install(&self, model: CompiledModel) {
        self.0.install(model);
    }

    fn allow_all(&self) {
        self.0.allow_all();
    }

    fn faults(&self) -> u64 {
        self.0.faults()
    }
}

/// The watcher, or why there is none.
pub(crate) struct Watch {
    /// Opened before the first request, and run once the server does.
    opened: Mutex<Option<Watcher<Edge>>>,
    handle: Result<StatusHandle, String>,
    stopped: AtomicBool,
}

impl Watch {
    /// Boots the engine from the artifacts on disk. Without a watcher the proxy serves all the same, and allows all.
    pub(crate) fn open(config: &Config, engine: Engine) -> Self {
        let opened = Watcher::open(watcher_config(config), Arc::new(Edge(engine)));
        let (watcher, handle) = match opened {
            Ok((watcher, handle)) => (Some(watcher), Ok(handle)),
            Err(error) => {
                let error = crate::causes(&error);
                tracing::error!(
                    reason = "watcher-unavailable",
                    error,
                    "nothing is followed: every request is allowed"
                );
                (None, Err(error))
            }
        };
        Self { opened: Mutex::new(watcher), handle, stopped: AtomicBool::new(false) }
    }

    /// The service that runs the watcher.
    pub(crate) fn service(self: &Arc<Self>) -> GenBackgroundService<WatchService> {
        background_service("watcher", WatchService(Arc::clone(self)))
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// What the watcher says.
    pub(crate) fn status(&self) -> Value {
        let snapshot = self.handle.as_ref().map(|handle| serde_json::to_value(&*handle.snapshot()));
        match snapshot {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => unavailable(&error.to_string()),
            Err(error) => unavailable(error),
        }
    }

    /// Writes the families of the watcher.
    pub(crate) fn write(&self, out: &mut Exposition) {
        let status = self.handle.as_ref().map(StatusHandle::snapshot).unwrap_or_default();
        let status = &*status;
        let bit = |name: &str, help: &str, on: bool, out: &mut Exposition| {
            out.gauge(name, help, u8::from(on))
        };
        let up = self.handle.is_ok() && !self.is_stopped();
        bit("greenlight_watcher_up", "1 while the watcher runs.", up, out);
        out.counter(
            "greenlight_watcher_restarts_total",
            "Restarts after a fault of its own.",
            status.restarts,
        );
        bit(
            "greenlight_mode_active",
            "1 while an artifact is active, 0 in allow-all.",
            status.mode == "active",
            out,
        );
        bit("greenlight_stale", "1 while the head stands still for too long.", status.stale, out);
        bit(
            "greenlight_overridden",
            "1 while the operator's break-glass file is there.",
            status.overridden,
            out,
        );
        out.gauge(
            "greenlight_sequence",
            "The registry's sequence at the newest head.",
            status.sequence,
        );
        write_head(status, out);
        out.gauge(
            "greenlight_source_failures",
            "Looks at the chain that failed, in a row.",
            status.source.failures,
        );
        out.counter("greenlight_adoptions_total", "Artifacts installed.", status.adoptions);
        out.counter("greenlight_refusals_total", "Artifacts refused.", status.refusals);
        out.gauge(
            "greenlight_good_artifacts",
            "Artifacts on disk to fall back to.",
            status.good.len(),
        );
        write_quarantine(status, out);
        bit(
            "greenlight_store_failing",
            "1 while the state folder cannot be used.",
            status.store_error.is_some(),
            out,
        );
        out.gauge(
            "greenlight_evidence_missed",
            "Evidence lines that could not be written.",
            status.evidence_missed,
        );
    }
}

fn write_head(status: &Status, out: &mut Exposition) {
    let Some(head) = &status.head else { return };
    out.gauge("greenlight_head_number", "The newest verified block.", head.block.number);
    out.gauge("greenlight_head_timestamp_seconds", "Its time.", head.block.timestamp);
    out.gauge(
        "greenlight_head_age_seconds",
        "Since the head last advanced.",
        head.age_ms.checked_div(1000).unwrap_or(0),
    );
    out.family("greenlight_head_flag", "gauge", "The registry's bits at the newest head.");
    for (flag, set) in [("kill", head.kill), ("rollback", head.rollback), ("paused", head.paused)] {
        out.sample("greenlight_head_flag", &[("flag", flag)], u8::from(set));
    }
}

/// Reasons are this program's own words, but they come back from disk: what does not look like one is not a label.
fn write_quarantine(status: &Status, out: &mut Exposition) {
    let mut by_reason: BTreeMap<&str, u64> = BTreeMap::new();
    for quarantined in &status.quarantine {
        let reason = quarantined.reason.as_str();
        let word = (1..=48).contains(&reason.len())
            && reason.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let room = by_reason.len() < MAX_REASONS || by_reason.contains_key(reason);
        let count = by_reason.entry(if word && room { reason } else { "other" }).or_default();
        *count = count.saturating_add(1);
    }
    out.family(
        "greenlight_quarantined",
        "gauge",
        "Digests that will not be tried again, by reason.",
    );
    for (reason, count) in &by_reason {
        out.sample("greenlight_quarantined", &[("reason", reason)], count);
    }
}

fn unavailable(error: &str) -> Value {
    json!({ "mode": "allow-all", "reason": "watcher-unavailable", "error": error })
}

pub(crate) struct WatchService(Arc<Watch>);

#[async_trait]
impl BackgroundService for WatchService {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let watcher = self.0.opened.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watcher) = watcher {
            watcher.run(async move { drop(shutdown.wait_for(|&stop| stop).await) }).await;
        }
        self.0.stopped.store(true, Ordering::Relaxed);
    }
}

fn watcher_config(config: &Config) -> greenlight_watcher::Config {
    let (source, state) = (&config.source, &config.state);
    greenlight_watcher::Config {
        registry: source.registry.into(),
        source: SourceConfig::Rpc { chain_id: source.chain_id },
        rpc_urls: source.urls.clone(),
        poll: source.poll,
        deadline: source.deadline,
        adoption: Adoption::Depth(source.adoption_depth),
        max_staleness: source.max_staleness,
        max_finality_age: source.max_staleness,
        stale_mode: match source.stale_mode {
            config::StaleMode::LastGood => greenlight_watcher::StaleMode::LastGood,
            config::StaleMode::AllowAll => greenlight_watcher::StaleMode::AllowAll,
        },
        soak: state.soak,
        edge_id: state.edge_id.clone(),
        state_dir: state.dir.clone(),
        fault_bound: config.limits.fault_bound,
    }
}

//! The watcher as part of the proxy: it has a thread of its own, and what happens to it happens to no request.

mod families;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use greenlight_artifact::{Schema, ValidArtifact};
use greenlight_bot::{CompiledModel, Engine};
use greenlight_watcher::{CompileRefused, SourceConfig, StatusHandle, Watcher};
use pingora_core::server::ShutdownWatch;
use pingora_core::services::background::{
    BackgroundService, GenBackgroundService, background_service,
};
use serde_json::{Value, json};

use crate::config::{Config, Heads, StaleMode};
use crate::metrics::Exposition;

/// The scoring engine, as the watcher sees it.
pub(crate) struct Edge {
    engine: Engine,
    schemas: &'static [Schema],
}

impl greenlight_watcher::Engine for Edge {
    type Model = CompiledModel;

    fn schemas(&self) -> &[Schema] {
        self.schemas
    }

    fn compile(&self, artifact: &ValidArtifact) -> Result<CompiledModel, CompileRefused> {
        CompiledModel::compile(artifact)
            .map_err(|error| CompileRefused { reason: error.reason(), message: error.to_string() })
    }

    fn install(&self, model: CompiledModel) {
        self.engine.install(model);
    }

    fn allow_all(&self) {
        self.engine.allow_all();
    }

    fn faults(&self) -> u64 {
        self.engine.faults()
    }
}

/// The watcher, or why there is none.
pub(crate) struct Watch {
    /// Opened before the first request, and run once the server does.
    opened: Mutex<Option<Watcher<Edge>>>,
    handle: Result<StatusHandle, String>,
    kind: &'static str,
    network: String,
    stopped: AtomicBool,
}

impl Watch {
    /// Boots the engine from the artifacts on disk. Without a watcher the proxy serves all the same, and allows all.
    pub(crate) fn open(config: &Config, engine: Engine, schemas: &'static [Schema]) -> Self {
        let opened = Watcher::open(watcher_config(config), Arc::new(Edge { engine, schemas }));
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
        Self {
            opened: Mutex::new(watcher),
            handle,
            kind: config.source.kind(),
            network: config.source.network(),
            stopped: AtomicBool::new(false),
        }
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
            Ok(Ok(mut status)) => {
                // A source that does not tell networks apart by itself has the configured one.
                if let Some(network @ Value::Null) = status.pointer_mut("/source/network") {
                    *network = self.network.as_str().into();
                }
                status
            }
            Ok(Err(error)) => unavailable(&error.to_string()),
            Err(error) => unavailable(error),
        }
    }

    /// Writes the families of the watcher.
    pub(crate) fn write(&self, out: &mut Exposition) {
        let status = self.handle.as_ref().map(StatusHandle::snapshot).unwrap_or_default();
        let up = self.handle.is_ok() && !self.is_stopped();
        families::write(&status, self.kind, &self.network, up, out);
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
        source: match source.heads.clone() {
            Heads::LightClient { network, checkpoint, max_checkpoint_age, beacon_urls } => {
                let checkpoint = checkpoint.into();
                SourceConfig::LightClient { network, checkpoint, beacon_urls, max_checkpoint_age }
            }
            Heads::Helios { url, chain_id } => SourceConfig::Helios { url, chain_id },
            Heads::Rpc { chain_id } => SourceConfig::Rpc { chain_id },
        },
        rpc_urls: source.urls.clone(),
        poll: source.poll,
        deadline: source.deadline,
        adoption: source.adoption,
        max_staleness: source.max_staleness,
        max_finality_age: source.max_finality_age,
        stale_mode: match source.stale_mode {
            StaleMode::LastGood => greenlight_watcher::StaleMode::LastGood,
            StaleMode::AllowAll => greenlight_watcher::StaleMode::AllowAll,
        },
        soak: state.soak,
        edge_id: state.edge_id.clone(),
        state_dir: state.dir.clone(),
        fault_bound: config.limits.fault_bound,
    }
}

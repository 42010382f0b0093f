//! `greenlight run`: puts the parts together, serves, and ends in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use greenlight_artifact::Schema;
use greenlight_bot::connection::{ClientHelloReader, FingerprintApp};
use greenlight_bot::{BotFilter, Challenge, Engine, EngineLimits, Policy};
use pingora_core::apps::HttpServerOptions;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{ExecutionPhase, RunArgs, Server};
use pingora_core::services::background::background_service;
use pingora_core::services::listening::Service;
use pingora_proxy::http_proxy;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::Exit;
use crate::admin::Admin;
use crate::client::ClientAddress;
use crate::config::{self, Config};
use crate::crawlers::{self, CrawlerWork};
use crate::listen::{BindError, Bound, Prebound, bind};
use crate::logging;
use crate::metrics::Metrics;
use crate::proxy::Proxy;
use crate::record::Recorder;
use crate::tls::{self, TlsError};
use crate::upstream::{Resolver, Upstream};
use crate::watch::Watch;

/// Requests must be gone for this long before the process ends ahead of its grace period.
const QUIET: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_millis(20);
/// How long a client may keep a connection of HTTP/2 without a request.
const IDLE: Duration = Duration::from_secs(60);

/// Serves until a signal ends it, with artifacts of the engines of `schemas`.
pub(crate) fn run(config: Config, schemas: &'static [Schema]) -> Result<(), Exit> {
    let started = Instant::now();
    let logging = logging::start(config.log);
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }

    let conf = server_conf(&config).map_err(|error| {
        tracing::error!(reason = "bad-certificate", "{error}");
        Exit::Config
    })?;

    outlive_file_limits();
    // The artifact on disk runs before the first request can arrive.
    let engine = Engine::new(engine_limits(&config));
    let watch = Arc::new(Watch::open(&config, engine.clone(), schemas));
    let sockets = Sockets::bind(&config).map_err(|error| {
        tracing::error!(reason = error.reason(), "{error}");
        Exit::Listen
    })?;

    let metrics = Arc::new(Metrics::default());
    let mut bots = BotFilter::builder(engine, policy(&config))
        .lists(config.lists.clone())
        .tell_reasons(config.tells_reasons);
    if let Some(challenge) = challenge(&config) {
        bots = bots.challenge(challenge);
    }
    let crawlers = crawlers::open(&config.crawlers);
    if let Some(crawlers) = &crawlers {
        bots = bots.crawlers(crawlers.clone());
    }
    let bots = bots.build();
    let upstream = Arc::new(Upstream::new(config.upstream.clone()));
    let serving = Arc::new(AtomicBool::new(false));
    let admin = Admin {
        started,
        serving: Arc::clone(&serving),
        bots: bots.clone(),
        metrics: Arc::clone(&metrics),
        watch: Arc::clone(&watch),
        dropped_lines: logging.dropped.clone(),
    };
    let client = ClientAddress::new(&config.client);
    let recorder = config
        .record
        .as_ref()
        .map(|record| Arc::new(Recorder::start(record, Arc::clone(&metrics))));
    let proxy = Proxy {
        bots,
        bots_enabled: config.bots_enabled,
        client,
        upstream: Arc::clone(&upstream),
        metrics: Arc::clone(&metrics),
        recorder: recorder.clone(),
    };

    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    sockets.serve(&mut server, proxy, admin, &config)?;
    server.add_service(background_service("upstream", Resolver(upstream)));
    server.add_service(watch.service());
    if let Some(crawlers) = crawlers {
        server.add_service(background_service("crawlers", CrawlerWork(crawlers)));
    }

    let phases = server.watch_execution_phase();
    // Pingora sleeps through the whole grace period. In a thread of its own it can be left as soon as nobody waits.
    let server =
        thread::Builder::new().name("server".to_owned()).spawn(|| server.run(RunArgs::default()));
    let Ok(server) = server else {
        tracing::error!(reason = "no-thread", "cannot start a thread");
        return Err(Exit::Failed);
    };
    let end = follow(phases, &serving, || metrics.in_flight() == 0 && watch.is_stopped());
    if matches!(end, End::Terminated) && server.join().is_err() {
        tracing::error!(reason = "server-panicked", "the server ended by a panic");
        return Err(Exit::Failed);
    }
    if let Some(recorder) = recorder {
        recorder.drain();
    }
    tracing::info!(requests_cut = metrics.in_flight(), "stopped");
    Ok(())
}

/// A write beyond the limit of a file's size (RLIMIT_FSIZE, `LimitFSIZE=`) ends a process by a signal, unless it is
/// handled: then the write fails like one to a full disk.
fn outlive_file_limits() {
    /// On Linux, but for MIPS, and on the BSDs.
    const SIGXFSZ: i32 = 25;
    let registered =
        tokio::runtime::Builder::new_current_thread().enable_io().build().and_then(|runtime| {
            let _inside = runtime.enter();
            // The handler stays when what listens to it is gone.
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(SIGXFSZ))
        });
    if let Err(error) = registered {
        tracing::warn!(%error, "a limit of file sizes, if there is one, would end this process");
    }
}

/// Every socket of the configuration, bound.
struct Sockets {
    http: Vec<Bound>,
    tls: Vec<Bound>,
    admin: Bound,
}

impl Sockets {
    fn bind(config: &Config) -> Result<Self, BindError> {
        let listen = &config.listen;
        let http = listen
            .http
            .iter()
            .map(|&address| bind(address, "listen.http"))
            .collect::<Result<_, _>>()?;
        let tls = listen
            .tls
            .iter()
            .map(|listener| bind(listener.address, "listen.tls"))
            .collect::<Result<_, _>>()?;
        Ok(Self { http, tls, admin: bind(listen.admin, "listen.admin")? })
    }

    fn serve(
        self,
        server: &mut Server,
        proxy: Proxy,
        admin: Admin,
        config: &Config,
    ) -> Result<(), Exit> {
        let mut http = http_proxy(&server.configuration, proxy);
        let mut options = HttpServerOptions::default();
        // As long as Pingora keeps one of HTTP/1.1, where it would keep one of HTTP/2 for ever.
        options.h2_idle_timeout = Some(IDLE);
        http.server_options = Some(options);
        let app = FingerprintApp::new(http);
        let mut requests = Service::new("proxy".to_owned(), app);
        if config.listen.fingerprints {
            // The app takes none where this did not come first.
            requests.endpoints().set_pre_tls_callback(Arc::new(ClientHelloReader));
        }
        for bound in &self.http {
            tracing::info!(address = %bound.address, "listening for HTTP");
            requests.add_tcp(&bound.address.to_string());
        }
        for (bound, listener) in self.tls.iter().zip(&config.listen.tls) {
            let settings = tls::settings(listener).map_err(|error| {
                tracing::error!(address = %bound.address, reason = "bad-certificate", "{error}");
                Exit::Config
            })?;
            tracing::info!(address = %bound.address, "listening for HTTPS");
            requests.add_tls_with_settings(&bound.address.to_string(), None, settings);
        }
        let mut status = Service::new("admin".to_owned(), admin);
        status.threads = Some(1);
        status.add_tcp(&self.admin.address.to_string());
        tracing::info!(address = %self.admin.address, "listening for admin");

        server
            .add_service(Prebound::new(requests, self.http.into_iter().chain(self.tls).collect()));
        server.add_service(Prebound::new(status, vec![self.admin]));
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Everything has stopped.
    Terminated,
    /// Nothing is under way any more, though the grace period is not over.
    Drained,
}

/// Follows the server through its life until it may be left.
fn follow(
    mut phases: Receiver<ExecutionPhase>,
    serving: &AtomicBool,
    idle: impl Fn() -> bool,
) -> End {
    loop {
        match phases.blocking_recv() {
            Ok(ExecutionPhase::Running) => serving.store(true, Ordering::Relaxed),
            Ok(ExecutionPhase::GracefulTerminate | ExecutionPhase::ShutdownStarted) => {
                serving.store(false, Ordering::Relaxed);
            }
            Ok(ExecutionPhase::ShutdownGracePeriod) => {
                let mut quiet = Duration::ZERO;
                loop {
                    match phases.try_recv() {
                        Err(tokio::sync::broadcast::error::TryRecvError::Empty) => {}
                        _ => return End::Terminated,
                    }
                    thread::sleep(LOOK);
                    quiet = if idle() { quiet.saturating_add(LOOK) } else { Duration::ZERO };
                    if quiet >= QUIET {
                        return End::Drained;
                    }
                }
            }
            Ok(ExecutionPhase::Terminated) | Err(RecvError::Closed) => return End::Terminated,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
        }
    }
}

fn engine_limits(config: &Config) -> EngineLimits {
    EngineLimits::default()
        .with_rate_slots(config.limits.rate_slots)
        .with_client_slots(config.limits.client_slots)
        .with_max_scoring(config.limits.overrun)
}

/// Under the operator's secret, or under one of this process: a cookie then holds at this edge and until it ends.
fn challenge(config: &Config) -> Option<Challenge> {
    if config.challenges.shared.is_some() {
        return config.challenges.shared.clone();
    }
    let own = Challenge::new(&rand::random::<[u8; 32]>()).ok()?;
    config
        .routes
        .iter()
        .any(|route| route.challenge_below > 1)
        .then(|| own.with_lifetime(config.challenges.lifetime))
}

/// The routes as they are gone through.
pub(crate) fn policy(config: &Config) -> Policy {
    let route = |route: &config::Route| {
        let built = greenlight_bot::Route::new()
            .path_prefix(&route.path_prefix)
            .methods(route.methods.iter().cloned())
            .tag_below(route.tag_below)
            .log_below(route.log_below)
            .rate_limit_below(route.rate_limit_below, route.rate_limit)
            .challenge_below(route.challenge_below)
            .block_below(route.block_below)
            .shadow(route.shadow);
        let built = if route.exempt { built.exempt() } else { built };
        match &route.host {
            Some(host) => built.host(host),
            None => built,
        }
    };
    Policy::new(config.routes.iter().map(route).collect())
}

fn server_conf(config: &Config) -> Result<ServerConf, TlsError> {
    let grace = config.shutdown.grace;
    Ok(ServerConf {
        threads: config.listen.threads,
        upstream_keepalive_pool_size: config.upstream.keep_alive,
        // In whole seconds, rounded up.
        grace_period_seconds: Some(
            grace.as_secs().saturating_add(u64::from(grace.subsec_nanos() > 0)),
        ),
        graceful_shutdown_timeout_seconds: Some(1),
        // Pingora's default lies in a folder that everyone can write, and whoever listens there is sent our sockets.
        upgrade_sock: config.state.dir.join("upgrade.sock").to_string_lossy().into_owned(),
        ca_file: tls::ca_file(&config.upstream)?,
        ..ServerConf::default()
    })
}

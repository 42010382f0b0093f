//! The admin listener, on loopback: `/healthz`, `/status` and `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use greenlight_bot::BotFilter;
use http::{Method, Response, StatusCode, header};
use pingora_core::apps::http_app::ServeHttp;
use pingora_core::protocols::http::ServerSession;
use serde_json::{Value, json};
use tracing_appender::non_blocking::ErrorCounter;

use crate::metrics::{Exposition, Metrics};
use crate::watch::Watch;

/// What the admin listener tells.
pub(crate) struct Admin {
    pub(crate) started: Instant,
    pub(crate) serving: Arc<AtomicBool>,
    pub(crate) bots: BotFilter,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) dropped_lines: ErrorCounter,
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let request = session.req_header();
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return answer(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "only GET\n".to_owned());
        }
        // A web page can have a browser on this machine ask under a name that the page's owner points to loopback
        // (DNS rebinding); such a request carries that name.
        let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if !host.is_none_or(is_loopback) {
            return answer(
                StatusCode::MISDIRECTED_REQUEST,
                "text/plain",
                "only for loopback names\n".to_owned(),
            );
        }
        match request.uri.path() {
            "/healthz" if self.serving.load(Ordering::Relaxed) => {
                answer(StatusCode::OK, "text/plain", "ok\n".to_owned())
            }
            "/healthz" => {
                answer(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "not serving\n".to_owned())
            }
            "/status" => answer(StatusCode::OK, "application/json", format!("{}\n", self.status())),
            "/metrics" => {
                answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", self.metrics())
            }
            _ => answer(
                StatusCode::NOT_FOUND,
                "text/plain",
                "/healthz, /status or /metrics\n".to_owned(),
            ),
        }
    }
}

impl Admin {
    /// The watcher's view, and beside it what the proxy knows for itself.
    fn status(&self) -> Value {
        let mut status = self.watch.status();
        let counters = self.bots.counters();
        let facts = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": self.started.elapsed().as_secs(),
            "serving": self.serving.load(Ordering::Relaxed),
            "engine": self.bots.engine().digest().map(|digest| digest.to_string()),
            "faults": self.bots.engine().faults(),
            "requests_in_flight": self.metrics.in_flight(),
            "requests": {
                "allow": counters.allowed, "tag": counters.tagged, "log": counters.logged, "block": counters.blocked,
                "shadow": counters.shadowed, "unscored": counters.unscored,
                "rate-limit": counters.rate_limited, "within-limit": counters.within_limit,
                "challenge": counters.challenged, "challenge-passed": counters.challenge_passed,
                "exempt": counters.exempt, "allow-listed": counters.allow_listed,
                "deny-listed": counters.deny_listed, "verified": counters.verified,
            },
            "crawlers": self.bots.crawlers().map(crate::crawlers::status),
            "recording": self.metrics.recording.status(),
        });
        if let Some(object) = status.as_object_mut() {
            object.insert("proxy".to_owned(), facts);
        }
        status
    }

    fn metrics(&self) -> String {
        let mut out = Exposition::default();
        let counters = self.bots.counters();
        out.family("greenlight_requests_total", "counter", "Requests by what was done with them.");
        for (action, count) in [
            ("allow", counters.allowed),
            ("tag", counters.tagged),
            ("log", counters.logged),
            ("block", counters.blocked),
            ("shadow", counters.shadowed),
            ("unscored", counters.unscored),
            ("rate-limit", counters.rate_limited),
            ("within-limit", counters.within_limit),
            ("challenge", counters.challenged),
            ("challenge-passed", counters.challenge_passed),
            ("exempt", counters.exempt),
            ("allow-listed", counters.allow_listed),
            ("deny-listed", counters.deny_listed),
            ("verified", counters.verified),
        ] {
            out.sample("greenlight_requests_total", &[("action", action)], count);
        }
        out.counter(
            "greenlight_forged_requests_total",
            "Requests that came with x-bot-* fields.",
            counters.forged,
        );

        out.counter(
            "greenlight_filter_faults_total",
            "Requests that passed because judging them panicked, scoring apart.",
            counters.panics,
        );

        let engine = self.bots.engine();
        let (active, totals) = (engine.digest().is_some(), engine.counters());
        out.gauge(
            "greenlight_engine_active",
            "1 while an artifact scores requests, 0 in allow-all.",
            u8::from(active),
        );
        out.family(
            "greenlight_scorer_faults_total",
            "counter",
            "Requests that passed unscored by a fault of scoring.",
        );
        out.sample("greenlight_scorer_faults_total", &[("kind", "panic")], totals.panics);
        out.sample("greenlight_scorer_faults_total", &[("kind", "overrun")], totals.overruns);

        if let Some(crawlers) = self.bots.crawlers() {
            crate::crawlers::write(crawlers, &mut out);
        }
        self.metrics.write(&mut out);
        self.watch.write(&mut out);
        let dropped = u64::try_from(self.dropped_lines.dropped_lines()).unwrap_or(u64::MAX);
        out.counter(
            "greenlight_log_lines_dropped_total",
            "Log lines that did not fit the queue.",
            dropped,
        );
        out.gauge(
            "greenlight_serving",
            "1 while new requests are taken.",
            u8::from(self.serving.load(Ordering::Relaxed)),
        );
        out.gauge(
            "greenlight_uptime_seconds",
            "Since the process started.",
            self.started.elapsed().as_secs(),
        );
        out.into_text()
    }
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Vec<u8>> {
    let mut response = Response::new(body.into_bytes());
    *response.status_mut() = status;
    let length = header::HeaderValue::from(response.body().len());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, length);
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// Whether the authority of a request names this machine's loopback.
fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<http::uri::Authority>() else { return false };
    let host = authority.host();
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

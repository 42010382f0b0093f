//! The proxy itself: Pingora's phases, with the bot filter in one of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use greenlight_bot::{
    Action, BotFilter, ClientInfo, CrawlerClaim, CrawlerName, Verdict,
    connection::{ConnectionFingerprint, fingerprint_of_client},
};
use pingora_core::modules::http::HttpModules;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::{Error, ErrorSource, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};

use crate::client::ClientAddress;
use crate::logging::Escaped;
use crate::metrics::{InFlight, Metrics, Source, UpstreamFault};
use crate::record::{Recorder, Seen};
use crate::upstream::Upstream;

/// Attempts to reach an upstream with several addresses.
const MAX_CONNECT_ATTEMPTS: usize = 3;
/// Rows that an access log names.
const MAX_REASONS: usize = 8;

pub(crate) struct Proxy {
    pub(crate) bots: BotFilter,
    pub(crate) bots_enabled: bool,
    pub(crate) client: ClientAddress,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) recorder: Option<Arc<Recorder>>,
}

/// What is remembered about one request.
pub(crate) struct Context {
    started: Instant,
    client: ClientInfo,
    connects_failed: usize,
    /// Whether a response of the upstream has begun.
    upstream_answered: bool,
    fault: Option<UpstreamFault>,
    _in_flight: InFlight,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        Context {
            started: Instant::now(),
            client: ClientInfo::default(),
            connects_failed: 0,
            upstream_answered: false,
            fault: None,
            _in_flight: self.metrics.enter(),
        }
    }

    fn init_downstream_modules(&self, modules: &mut HttpModules) {
        if self.bots_enabled {
            modules.add_module(self.bots.module());
        }
    }

    async fn request_filter(&self, session: &mut Session, context: &mut Context) -> Result<bool> {
        if let Some(peer) = peer(session) {
            let headers = &session.req_header().headers;
            context.client = self.client.info(peer, uses_tls(session), headers);
        }
        if !self.bots_enabled {
            // The origin may still believe what it reads under our names.
            self.bots.strip(session);
            return Ok(false);
        }
        self.bots.request_filter(session, context.client).await
    }

    async fn upstream_peer(
        &self,
        _session: &mut Session,
        _context: &mut Context,
    ) -> Result<Box<HttpPeer>> {
        self.upstream.peer()
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        _context: &mut Context,
    ) -> Result<()> {
        match peer(session) {
            Some(peer) => self.client.forward(peer, uses_tls(session), request),
            None => Ok(()),
        }
    }

    async fn upstream_response_filter(
        &self,
        _session: &mut Session,
        _response: &mut ResponseHeader,
        context: &mut Context,
    ) -> Result<()> {
        context.upstream_answered = true;
        Ok(())
    }

    /// Another address of the upstream is tried when one cannot be reached: nothing has been sent yet, so any method
    /// may be repeated.
    fn fail_to_connect(
        &self,
        _session: &mut Session,
        _peer: &HttpPeer,
        context: &mut Context,
        mut error: Box<Error>,
    ) -> Box<Error> {
        context.connects_failed = context.connects_failed.saturating_add(1);
        let attempts = self.upstream.addresses().min(MAX_CONNECT_ATTEMPTS);
        error.set_retry(context.connects_failed < attempts);
        error
    }

    /// Answers a request that cannot be served. Only the upstream's own failure is a 502 or 504; whatever a client got
    /// wrong is a 400 to it.
    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        context: &mut Context,
    ) -> FailToProxy {
        let failure = Failure::of(error);
        if let Failure::Upstream(fault) = failure {
            context.fault = Some(fault);
            self.metrics.upstream_fault(fault);
        }
        let error_code = failure.status();
        if error_code != 0
            && session.response_written().is_none()
            && let Err(gone) = session.respond_error(error_code).await
        {
            tracing::debug!(error = %gone, "client was gone before its error response");
        }
        FailToProxy { error_code, can_reuse_downstream: false }
    }

    /// Our own log says it, in [`ProxyHttp::logging`], without what Pingora would copy from the request.
    fn suppress_error_log(&self, _session: &Session, _context: &Context, _error: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _context: &Context,
        error: &Error,
        _at: ProxyWarnLogContext,
    ) -> bool {
        self.metrics.retry();
        tracing::debug!(%error, "upstream attempt is repeated");
        true
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, context: &mut Context) {
        let status = session.response_written().map_or(0, |response| response.status.as_u16());
        let source = match (context.upstream_answered, context.fault) {
            (false, None) => Source::Proxy,
            _ => Source::Upstream,
        };
        self.metrics.response(status, source);
        let verdict = BotFilter::verdict(session);
        if let Some(verdict) = verdict.filter(|verdict| verdict.score.is_scored()) {
            self.metrics.score(verdict.score.get());
        }
        if let Some(verdict) = verdict {
            self.access_log(session, verdict, status, context);
        }
        if let Some(recorder) = &self.recorder {
            let address = context.client.address;
            let connection = address.and_then(|client| fingerprint_of_client(session, client));
            recorder.offer(&Seen {
                header: session.req_header(),
                client: context.client,
                ja4: connection.and_then(ConnectionFingerprint::ja4),
                http2: connection.and_then(ConnectionFingerprint::http2),
                claim: verdict.map_or(CrawlerClaim::None, |verdict| verdict.claim),
                status: if context.upstream_answered { status } else { 0 },
            });
        }
        if let Some(error) = error {
            report(error, status, context);
        }
    }
}

impl Proxy {
    /// Requests whose action is log or above are logged at INFO, in shadow, too, and so are those that are answered here,
    /// whether a score, a limit or a list refused them; all others at TRACE. The client's address appears only where the
    /// level is DEBUG or below.
    fn access_log(&self, session: &Session, verdict: &Verdict, status: u16, context: &Context) {
        let acted = verdict.logged || verdict.action >= Action::Log;
        if !acted && !tracing::enabled!(target: "greenlight::access", tracing::Level::TRACE) {
            return;
        }
        let reasons: Vec<String> = self
            .bots
            .engine()
            .reasons(verdict.digest, verdict.fired)
            .iter()
            .take(MAX_REASONS)
            .map(|reason| format!("{}{:+}", reason.key, reason.weight))
            .collect();
        let request = session.req_header();
        let debug = tracing::enabled!(target: "greenlight::access", tracing::Level::DEBUG);
        let client = context.client.address.filter(|_| debug).map(tracing::field::display);
        let micros = u64::try_from(context.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        macro_rules! access {
            ($level:expr) => {
                tracing::event!(
                    target: "greenlight::access",
                    $level,
                    verdict = verdict.as_str(),
                    enforced = verdict.enforced,
                    answered = verdict.answered,
                    score = verdict.score.get(),
                    artifact = verdict.digest.map(|digest| digest.short()),
                    crawler = verdict.crawler.as_ref().map(CrawlerName::as_str),
                    claim = verdict.crawler.map(|_| verdict.claim.as_str()),
                    reasons = reasons.join(" "),
                    method = %Escaped(request.method.as_str()),
                    path = %Escaped(request.uri.path()),
                    status,
                    micros,
                    client,
                    "request"
                )
            };
        }
        if acted { access!(tracing::Level::INFO) } else { access!(tracing::Level::TRACE) }
    }
}

/// Whose failure ended a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Upstream(UpstreamFault),
    /// The client sent what cannot be proxied.
    Request,
    /// The client went away; there is no one to answer.
    ClientGone,
    /// Ours.
    Proxy,
}

impl Failure {
    fn of(error: &Error) -> Self {
        use ErrorType::{
            ConnectError, ConnectNoRoute, ConnectRefused, ConnectTimedout, ConnectionClosed,
            HTTPStatus, InvalidHTTPHeader, ReadError, ReadTimedout, TLSHandshakeFailure,
            TLSHandshakeTimedout, WriteError, WriteTimedout,
        };
        match (error.esource(), error.etype()) {
            (ErrorSource::Upstream, etype) => Self::Upstream(match etype {
                ConnectTimedout | TLSHandshakeTimedout | ReadTimedout | WriteTimedout => {
                    UpstreamFault::Timeout
                }
                ConnectError | ConnectNoRoute | ConnectRefused => UpstreamFault::Connect,
                TLSHandshakeFailure | ErrorType::InvalidCert | ErrorType::SocketError => {
                    UpstreamFault::Connect
                }
                ConnectionClosed | ReadError | WriteError => UpstreamFault::Closed,
                _ => UpstreamFault::Protocol,
            }),
            (
                ErrorSource::Downstream,
                WriteError | ReadError | ConnectionClosed | ReadTimedout | WriteTimedout,
            ) => Self::ClientGone,
            (ErrorSource::Downstream, _) | (_, InvalidHTTPHeader | HTTPStatus(400..=499)) => {
                Self::Request
            }
            _ => Self::Proxy,
        }
    }

    /// The status to answer with; 0 for none.
    fn status(self) -> u16 {
        match self {
            Self::Upstream(UpstreamFault::Timeout) => 504,
            Self::Upstream(_) => 502,
            Self::Request => 400,
            Self::ClientGone => 0,
            Self::Proxy => 500,
        }
    }
}

fn report(error: &Error, status: u16, context: &Context) {
    // Errors of Pingora may repeat bytes of the request.
    let text = error.to_string();
    match Failure::of(error) {
        Failure::Upstream(fault) => {
            let began = context.upstream_answered;
            tracing::warn!(reason = fault.reason(), status, began, error = %Escaped(&text), "upstream failed");
        }
        Failure::Proxy => {
            tracing::error!(status, error = %Escaped(&text), "request failed inside the proxy")
        }
        Failure::Request | Failure::ClientGone => {
            tracing::debug!(status, error = %Escaped(&text), "request ended by its client");
        }
    }
}

/// Whether the connection has TLS, which may be another proxy's.
fn uses_tls(session: &Session) -> bool {
    session.digest().is_some_and(|digest| digest.ssl_digest.is_some())
}

fn peer(session: &Session) -> Option<IpAddr> {
    session.client_addr()?.as_inet().map(|address| address.ip())
}

use std::{
    any::Any,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use pingora_core::{
    Result,
    modules::http::{HttpModule, HttpModuleBuilder, Module, ModuleBuilder},
};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::Session;

use crate::{
    engine::Engine,
    policy::{Action, Policy, Verdict},
    request::RequestView,
};

/// Tells the origin the score.
pub const HEADER_SCORE: HeaderName = HeaderName::from_static("x-bot-score");
/// Tells the origin what was decided.
pub const HEADER_VERDICT: HeaderName = HeaderName::from_static("x-bot-verdict");
/// Tells the origin which artifact decided.
pub const HEADER_ARTIFACT: HeaderName = HeaderName::from_static("x-bot-artifact");

/// Most of a refused request's body that is read, a read's size over, so that its connection can go on: a connection
/// must not be held for a bot that uploads.
const DRAIN_BYTES: usize = 64 * 1024;
/// Most that is read after the answer, so that a client still sending can read the answer.
const LINGER_BYTES: usize = 1024 * 1024;
/// Longest that either reading may take: a bot must not hold a connection by sending slowly.
const READ_TIME: Duration = Duration::from_millis(500);

/// Scores each request of a Pingora proxy and acts on it. A handle: clones share everything.
///
/// What a route logs goes to `tracing` at `info` under the target `greenlight_bot::verdict`, with the score, the
/// artifact, the escaped path and the keys of the rows that fired, the heaviest first.
#[derive(Clone, Debug)]
pub struct BotFilter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    policy: Policy,
    block_body: Bytes,
    totals: Totals,
}

#[derive(Debug, Default)]
struct Totals {
    allowed: AtomicU64,
    tagged: AtomicU64,
    logged: AtomicU64,
    blocked: AtomicU64,
    shadowed: AtomicU64,
    unscored: AtomicU64,
    forged: AtomicU64,
}

/// Requests since start, by what was done with them. Each request counts in one of the first six.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterCounters {
    /// Scored and allowed.
    pub allowed: u64,
    /// Tagged.
    pub tagged: u64,
    /// Logged.
    pub logged: u64,
    /// Blocked.
    pub blocked: u64,
    /// Would have been tagged, logged or blocked, on a route in shadow.
    pub shadowed: u64,
    /// Passed without a score.
    pub unscored: u64,
    /// Came with `x-bot-*` fields of the client's own making, which were taken out.
    pub forged: u64,
}

/// Makes a [`BotFilter`].
#[derive(Debug)]
pub struct BotFilterBuilder {
    engine: Engine,
    policy: Policy,
    block_body: Bytes,
}

impl BotFilterBuilder {
    /// The plain-text body of a refusal.
    #[must_use]
    pub fn block_body(mut self, text: impl Into<Bytes>) -> Self {
        self.block_body = text.into();
        self
    }

    /// The filter.
    #[must_use]
    pub fn build(self) -> BotFilter {
        let Self { engine, policy, block_body } = self;
        BotFilter(Arc::new(Inner { engine, policy, block_body, totals: Totals::default() }))
    }
}

impl BotFilter {
    /// A filter that asks `engine` and follows `policy`.
    #[must_use]
    pub fn builder(engine: Engine, policy: Policy) -> BotFilterBuilder {
        BotFilterBuilder { engine, policy, block_body: Bytes::from_static(b"Forbidden\n") }
    }

    /// The engine that it asks.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The module for `ProxyHttp::init_downstream_modules`. It takes forged `x-bot-*` fields out before anything else
    /// reads the request, and keeps the request's verdict for later phases. A proxy can add it once.
    #[must_use]
    pub fn module(&self) -> ModuleBuilder {
        Box::new(Builder(self.clone()))
    }

    /// The line for `ProxyHttp::request_filter`: evaluates the request and either answers it, in which case it returns
    /// `true` and the proxy must go no further, or adds the headers for the origin and returns `false`.
    ///
    /// `client` is the client's address where the proxy knows better than the socket, as behind another proxy.
    ///
    /// # Errors
    /// None: a client that is gone before its 403 is written counts as answered. The type is that of the phase, so
    /// that the call can be its last line.
    pub async fn request_filter(
        &self,
        session: &mut Session,
        client: Option<IpAddr>,
    ) -> Result<bool> {
        let verdict = self.judge(session, client);
        if let Some(module) = session.downstream_modules_ctx.get_mut::<BotModule>() {
            module.verdict = Some(verdict);
        }
        self.0.totals.count(&verdict);
        if verdict.logged {
            self.log(session, &verdict);
        }
        if verdict.blocks() {
            refuse(session, self.0.block_body.clone()).await;
            return Ok(true);
        }
        tell_origin(session.req_header_mut(), &verdict);
        Ok(false)
    }

    /// The verdict on a request, once [`BotFilter::request_filter`] has run and where [`BotFilter::module`] was added:
    /// for access logs and later phases.
    #[must_use]
    pub fn verdict(session: &Session) -> Option<&Verdict> {
        session.downstream_modules_ctx.get::<BotModule>()?.verdict.as_ref()
    }

    /// Totals since start.
    #[must_use]
    pub fn counters(&self) -> FilterCounters {
        self.0.totals.read()
    }

    fn judge(&self, session: &mut Session, client: Option<IpAddr>) -> Verdict {
        let client = client.or_else(|| Some(session.client_addr()?.as_inet()?.ip()));
        let header = session.req_header_mut();
        // The module did this already, unless the proxy forgot to add it.
        if strip_forged(header) {
            self.0.totals.forged.fetch_add(1, Ordering::Relaxed);
        }
        let request = RequestView::new(
            header.method.as_str(),
            header.uri.path(),
            header.version,
            &header.headers,
        )
        .with_client(client);
        let evaluation = self.0.engine.evaluate(&request);
        let authority = || header.uri.authority().map(http::uri::Authority::as_str);
        let host =
            header.headers.get(header::HOST).and_then(|host| host.to_str().ok()).or_else(authority);
        self.0.policy.decide(host, header.uri.path(), &evaluation)
    }

    /// The operator's wish, so at `info`. Not the client's address; and its path escaped.
    fn log(&self, session: &Session, verdict: &Verdict) {
        let reasons = self.0.engine.reasons(verdict.digest, verdict.fired);
        let keys: Vec<&str> = reasons.iter().map(|reason| reason.key.as_str()).collect();
        tracing::info!(
            target: "greenlight_bot::verdict",
            verdict = verdict.as_str(),
            score = verdict.score.get(),
            logit_milli = verdict.logit_milli,
            artifact = verdict.digest.map(|digest| digest.short()),
            path = ?session.req_header().uri.path(),
            reasons = keys.join(" "),
        );
    }
}

/// The per-request part of the filter: what [`BotFilter::module`] builds.
#[derive(Debug)]
pub struct BotModule {
    filter: BotFilter,
    verdict: Option<Verdict>,
}

#[async_trait]
impl HttpModule for BotModule {
    async fn request_header_filter(&mut self, request: &mut RequestHeader) -> Result<()> {
        if strip_forged(request) {
            self.filter.0.totals.forged.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

struct Builder(BotFilter);

impl HttpModuleBuilder for Builder {
    /// First of all modules.
    fn order(&self) -> i16 {
        i16::MAX
    }

    fn init(&self) -> Module {
        Box::new(BotModule { filter: self.0.clone(), verdict: None })
    }
}

impl Totals {
    fn count(&self, verdict: &Verdict) {
        let total = match verdict.action {
            _ if !verdict.score.is_scored() => &self.unscored,
            Action::Allow => &self.allowed,
            _ if !verdict.enforced => &self.shadowed,
            Action::Tag => &self.tagged,
            Action::Log => &self.logged,
            Action::Block => &self.blocked,
        };
        total.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> FilterCounters {
        let read = |total: &AtomicU64| total.load(Ordering::Relaxed);
        FilterCounters {
            allowed: read(&self.allowed),
            tagged: read(&self.tagged),
            logged: read(&self.logged),
            blocked: read(&self.blocked),
            shadowed: read(&self.shadowed),
            unscored: read(&self.unscored),
            forged: read(&self.forged),
        }
    }
}

/// Whether a field name reads as `x-bot-…` to an origin. CGI and its heirs (RFC 3875, 4.1.18) turn every `-` into `_`
/// and cannot tell `x_bot_score` from ours, so whatever is not alphanumeric counts as `-`.
fn is_ours(name: &[u8]) -> bool {
    const PREFIX: &[u8] = b"x-bot-";
    name.len() >= PREFIX.len()
        && PREFIX.iter().zip(name).all(|(expected, found)| match found {
            found if found.is_ascii_alphanumeric() => found.eq_ignore_ascii_case(expected),
            _ => *expected == b'-',
        })
}

/// Takes out what only we may say, and says whether there was any.
fn strip_forged(request: &mut RequestHeader) -> bool {
    let mut stripped = false;
    // One at a time, since a map cannot be gone through and changed at once; nearly always there is none.
    while let Some(name) =
        request.headers.keys().find(|name| is_ours(name.as_str().as_bytes())).cloned()
    {
        request.remove_header(&name);
        stripped = true;
    }
    // `Connection: x-bot-score` would have Pingora, or the hop after it, drop the field that we add (RFC 9110, 7.6.1).
    let is_token_ours = |token: &[u8]| is_ours(token.trim_ascii());
    let names_ours =
        |value: &HeaderValue| value.as_bytes().split(|byte| *byte == b',').any(is_token_ours);
    if request.headers.get_all(header::CONNECTION).iter().any(names_ours) {
        let values: Vec<HeaderValue> =
            request.headers.get_all(header::CONNECTION).iter().cloned().collect();
        request.remove_header(&header::CONNECTION);
        for value in values {
            let tokens =
                value.as_bytes().split(|byte| *byte == b',').filter(|token| !is_token_ours(token));
            let kept = tokens.collect::<Vec<_>>().join(&b","[..]);
            if let Ok(value) = HeaderValue::from_bytes(kept.trim_ascii())
                && !value.is_empty()
            {
                // Fails only where the map is full, and it just lost a field.
                let _ = request.append_header(header::CONNECTION, value);
            }
        }
        stripped = true;
    }
    stripped
}

/// Adds our fields. One that cannot be added, the map being full, is left out: the request matters more.
fn tell_origin(request: &mut RequestHeader, verdict: &Verdict) {
    let _ = request.insert_header(HEADER_SCORE, HeaderValue::from(u16::from(verdict.score.get())));
    let _ = request.insert_header(HEADER_VERDICT, HeaderValue::from_static(verdict.as_str()));
    if let Some(digest) = verdict.digest {
        let _ = request.insert_header(HEADER_ARTIFACT, digest.short());
    }
}

/// Answers 403.
///
/// A request body must be read before its connection can carry another request, and a connection closed over unread
/// bytes is reset, which can take the answer with it. So a small body is read first, and the connection goes on; of a
/// larger or slower one as much is read after the answer, which says that the connection closes.
async fn refuse(session: &mut Session, body: Bytes) {
    // A client that waits for 100 (Continue) sends nothing until it is answered.
    let waits = session.req_header().headers.contains_key(header::EXPECT);
    if !waits {
        read_body(session, DRAIN_BYTES).await;
    }
    if let Err(error) = write_refusal(session, body).await {
        tracing::debug!(target: "greenlight_bot::filter", %error, "client was gone before its 403");
        session.set_keepalive(None);
        return;
    }
    read_body(session, LINGER_BYTES).await;
}

async fn write_refusal(session: &mut Session, body: Bytes) -> Result<()> {
    let mut response = ResponseHeader::build(http::StatusCode::FORBIDDEN, Some(4))?;
    response.insert_header(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    )?;
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))?;
    response.insert_header(header::CONTENT_LENGTH, HeaderValue::from(body.len()))?;
    session.write_response_header(Box::new(response), false).await?;
    session.write_response_body(Some(body), true).await
}

/// Reads on in the request's body, within bounds. Over HTTP/2, too: a stream may be answered early and reset without an
/// error (RFC 9113, 8.1), but there are clients that lose the answer over it.
async fn read_body(session: &mut Session, most: usize) {
    let reading = async {
        let mut read = 0_usize;
        while read < most && !session.is_body_done() {
            match session.read_request_body().await {
                Ok(Some(bytes)) => read = read.saturating_add(bytes.len()),
                Ok(None) | Err(_) => break,
            }
        }
    };
    // Past the time, what is left unread closes the connection.
    let _ = tokio::time::timeout(READ_TIME, reading).await;
}

#[cfg(test)]
mod tests;

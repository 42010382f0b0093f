mod answer;
mod challenged;
mod fields;
mod totals;

use std::{
    any::Any,
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use answer::Answer;
use async_trait::async_trait;
use bytes::Bytes;
use fields::{strip_cookies, strip_forged, tell_origin, tell_reasons};
use http::{HeaderName, header};
use pingora_core::{
    Result,
    modules::http::{HttpModule, HttpModuleBuilder, Module, ModuleBuilder},
};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::Session;
pub use totals::FilterCounters;
use totals::Totals;

use crate::{
    challenge::Challenge,
    clients::Secret,
    connection::{self, ConnectionFingerprint},
    crawlers::{Claimed, CrawlerAction, CrawlerRequest, Crawlers},
    engine::Engine,
    limiter::Limiter,
    policy::{Action, AddressLists, Decision, Matched, Policy, Target, Verdict},
    request::{CrawlerClaim, RequestView},
};

/// Tells the origin the score.
pub const HEADER_SCORE: HeaderName = HeaderName::from_static("x-bot-score");
/// Tells the origin what was decided.
pub const HEADER_VERDICT: HeaderName = HeaderName::from_static("x-bot-verdict");
/// Tells the origin which artifact decided.
pub const HEADER_ARTIFACT: HeaderName = HeaderName::from_static("x-bot-artifact");

/// Tells the origin which rows fired, with their weights in thousandths of a logit.
pub const HEADER_REASONS: HeaderName = HeaderName::from_static("x-bot-reasons");

/// Rows that a log line names, at most.
const MAX_LOGGED: usize = 8;

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
    lists: AddressLists,
    challenge: Option<Challenge>,
    crawlers: Option<Crawlers>,
    limiter: Limiter,
    tells_reasons: bool,
    block_body: Bytes,
    unix_seconds: fn() -> u64,
    started: Instant,
    totals: Totals,
}

/// Makes a [`BotFilter`].
#[derive(Debug)]
pub struct BotFilterBuilder {
    engine: Engine,
    policy: Policy,
    lists: AddressLists,
    challenge: Option<Challenge>,
    crawlers: Option<Crawlers>,
    tells_reasons: bool,
    block_body: Bytes,
    unix_seconds: fn() -> u64,
}

impl BotFilterBuilder {
    /// Clients that are allowed or refused whatever their score.
    #[must_use]
    pub fn lists(mut self, lists: AddressLists) -> Self {
        self.lists = lists;
        self
    }

    /// What makes and verifies cookies. Without it a filter whose policy challenges takes a secret of its own, which no
    /// other process knows.
    #[must_use]
    pub fn challenge(mut self, challenge: Challenge) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// The crawlers whose claims are looked into. Something must run [`Crawlers::work`].
    #[must_use]
    pub fn crawlers(mut self, crawlers: Crawlers) -> Self {
        self.crawlers = Some(crawlers);
        self
    }

    /// Whether the origin is told the rows that fired, in [`HEADER_REASONS`]; by default it is not.
    #[must_use]
    pub fn tell_reasons(mut self, tells: bool) -> Self {
        self.tells_reasons = tells;
        self
    }

    /// The clock that cookies go by, in Unix seconds; by default the system's.
    #[must_use]
    pub fn unix_seconds(mut self, clock: fn() -> u64) -> Self {
        self.unix_seconds = clock;
        self
    }

    /// The plain-text body of a refusal.
    #[must_use]
    pub fn block_body(mut self, text: impl Into<Bytes>) -> Self {
        self.block_body = text.into();
        self
    }

    /// The filter.
    #[must_use]
    pub fn build(self) -> BotFilter {
        let Self {
            engine,
            policy,
            lists,
            challenge,
            crawlers,
            tells_reasons,
            block_body,
            unix_seconds,
        } = self;
        let challenges = policy.routes().iter().any(|route| route.challenge_below > 1);
        let own = || Challenge::new(&rand::random::<[u8; 32]>()).ok().filter(|_| challenges);
        BotFilter(Arc::new(Inner {
            limiter: Limiter::new(policy.routes(), Secret::random()),
            engine,
            policy,
            lists,
            challenge: challenge.or_else(own),
            crawlers,
            tells_reasons,
            block_body,
            unix_seconds,
            started: Instant::now(),
            totals: Totals::default(),
        }))
    }
}

impl BotFilter {
    /// A filter that asks `engine` and follows `policy`.
    #[must_use]
    pub fn builder(engine: Engine, policy: Policy) -> BotFilterBuilder {
        BotFilterBuilder {
            engine,
            policy,
            lists: AddressLists::default(),
            challenge: None,
            crawlers: None,
            tells_reasons: false,
            block_body: Bytes::from_static(b"Forbidden\n"),
            unix_seconds,
        }
    }

    /// The crawlers that it knows.
    #[must_use]
    pub fn crawlers(&self) -> Option<&Crawlers> {
        self.0.crawlers.as_ref()
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
    /// `client` is the client's address where the proxy knows better than the socket, as behind another proxy. Where it
    /// is not the socket's, neither TLS nor the fingerprints of the connection count as the client's.
    ///
    /// # Errors
    /// None: a client that is gone before its 403 is written counts as answered. The type is that of the phase, so
    /// that the call can be its last line.
    pub async fn request_filter(
        &self,
        session: &mut Session,
        client: Option<IpAddr>,
    ) -> Result<bool> {
        let client = client.or_else(|| peer(session));
        // Judging changes nothing of the request but its fields, one at a time, and atomic counters.
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(session, client)));
        let (verdict, answer) = judged.unwrap_or_else(|_| (self.fault(), None));
        if let Some(module) = session.downstream_modules_ctx.get_mut::<BotModule>() {
            module.verdict = Some(verdict);
            module.awaits = client.filter(|_| answer.is_none());
        }
        self.0.totals.count(&verdict);
        if verdict.logged {
            self.log(session, &verdict);
        }
        if let Some(answer) = answer {
            answer::give(session, &answer, self.0.block_body.clone()).await;
            return Ok(true);
        }
        self.pass(session.req_header_mut(), &verdict);
        Ok(false)
    }

    /// Instead of [`BotFilter::request_filter`], for a proxy that does not judge: only takes out what a client says in
    /// our name.
    pub fn strip(&self, session: &mut Session) {
        self.strip_fields(session.req_header_mut());
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

    fn judge(&self, session: &mut Session, client: Option<IpAddr>) -> (Verdict, Option<Answer>) {
        // The module did this already, unless the proxy forgot to add it.
        self.strip_fields(session.req_header_mut());
        // Behind another proxy the connection is that proxy's, and tells nothing about the client.
        let direct = client.is_some_and(|client| Some(client.to_canonical()) == peer(session));
        let connection = connection::fingerprint_of(session).filter(|_| direct);
        let tls = direct && session.digest().is_some_and(|digest| digest.ssl_digest.is_some());

        let header = session.req_header();
        let matched = self.0.policy.matched(&target(header));
        if self.0.policy.is_exempt(&matched) {
            return (Verdict::without_score(Decision::Exempt, Action::Allow), None);
        }
        if let Some(verdict) = self.listed(client) {
            return self.act(header, client, tls, verdict, None);
        }
        let claimed = self.claimed(header, client);
        if claimed.claim == CrawlerClaim::Verified {
            let decided = |action| Verdict::without_score(Decision::VerifiedCrawler, action);
            match claimed.action {
                CrawlerAction::Allow => return (decided(Action::Allow), None),
                CrawlerAction::Block => {
                    return self.act(header, client, tls, decided(Action::Block), None);
                }
                CrawlerAction::Score => {}
            }
        }
        let request = RequestView::new(
            header.method.as_str(),
            header.uri.path(),
            header.version,
            &header.headers,
        )
        .with_client(client)
        .with_crawler(claimed.claim)
        .with_tls(tls)
        .with_ja4(connection.and_then(ConnectionFingerprint::ja4))
        .with_http2(connection.and_then(ConnectionFingerprint::http2));
        let (verdict, route) = self.decide(&matched, &request);
        self.act(header, client, tls, verdict, route)
    }

    fn strip_fields(&self, header: &mut RequestHeader) {
        if strip_forged(header) {
            self.0.totals.forged.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The allow-list goes first: see [`AddressLists`].
    fn listed(&self, client: Option<IpAddr>) -> Option<Verdict> {
        let client = client?;
        if self.0.lists.allow.contains(client) {
            return Some(Verdict::without_score(Decision::AllowListed, Action::Allow));
        }
        let denied = self.0.lists.deny.contains(client);
        denied.then(|| Verdict::without_score(Decision::DenyListed, Action::Block))
    }

    fn claimed(&self, header: &RequestHeader, client: Option<IpAddr>) -> Claimed<'_> {
        let Some(crawlers) = &self.0.crawlers else { return Claimed::NONE };
        let request = CrawlerRequest {
            method: header.method.as_str(),
            uri: &header.uri,
            headers: &header.headers,
        };
        crawlers.claim(&request, client)
    }

    fn decide(&self, matched: &Matched, request: &RequestView<'_>) -> (Verdict, Option<usize>) {
        self.0.policy.judge(matched, &self.0.engine.evaluate(request))
    }

    /// Carries the verdict out: what to answer, if anything.
    fn act(
        &self,
        header: &RequestHeader,
        client: Option<IpAddr>,
        tls: bool,
        mut verdict: Verdict,
        route: Option<usize>,
    ) -> (Verdict, Option<Answer>) {
        let answer = match verdict.action {
            _ if !verdict.enforced => None,
            Action::Allow | Action::Tag | Action::Log => None,
            Action::RateLimit => {
                let now = self.0.started.elapsed();
                route.and_then(|route| self.0.limiter.wait(route, client, now)).map(Answer::TooMany)
            }
            Action::Challenge => self.challenge(header, client, tls),
            Action::Block => Some(Answer::Forbidden),
        };
        verdict.answered = answer.is_some();
        (verdict, answer)
    }

    /// Readies a request for the origin.
    fn pass(&self, header: &mut RequestHeader, verdict: &Verdict) {
        if self.0.challenge.is_some() {
            strip_cookies(header);
            challenged::strip_marker(header);
        }
        tell_origin(header, verdict);
        if self.0.tells_reasons {
            tell_reasons(header, &self.0.engine.reasons(verdict.digest, verdict.fired));
        }
    }

    /// What is said of a request whose judging panicked: a fault of ours is not the request's.
    fn fault(&self) -> Verdict {
        let total = self.0.totals.panics.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        // A fault may come with every request: 1, 2, 4, 8 … are logged.
        if total.is_power_of_two() {
            tracing::error!(target: "greenlight_bot::filter", reason = "filter-panicked", total, "request passed unscored");
        }
        Verdict::without_score(Decision::Unscored, Action::Allow)
    }

    /// The operator's wish, so at `info`. Not the client's address; and its path escaped.
    fn log(&self, session: &Session, verdict: &Verdict) {
        let reasons = self.0.engine.reasons(verdict.digest, verdict.fired);
        let keys: Vec<String> = reasons
            .iter()
            .take(MAX_LOGGED)
            .map(|reason| format!("{}{:+}", reason.key, reason.weight))
            .collect();
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
    /// The client that the origin has yet to answer; none where the request went no further than here.
    awaits: Option<IpAddr>,
}

#[async_trait]
impl HttpModule for BotModule {
    async fn request_header_filter(&mut self, request: &mut RequestHeader) -> Result<()> {
        self.filter.strip_fields(request);
        Ok(())
    }

    async fn response_header_filter(
        &mut self,
        response: &mut ResponseHeader,
        _end_of_stream: bool,
    ) -> Result<()> {
        if !response.status.is_informational()
            && let Some(client) = self.awaits.take()
        {
            self.filter.0.engine.answered(Some(client), response.status.as_u16());
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
        Box::new(BotModule { filter: self.0.clone(), verdict: None, awaits: None })
    }
}

fn target(header: &RequestHeader) -> Target<'_> {
    let host = header.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = header.uri.authority().map(http::uri::Authority::as_str);
    Target::new(header.method.as_str(), host, header.uri.path()).also_host(authority)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The other end of the connection.
fn peer(session: &Session) -> Option<IpAddr> {
    Some(session.client_addr()?.as_inet()?.ip().to_canonical())
}

#[cfg(test)]
mod tests;

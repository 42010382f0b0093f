mod answer;
mod builder;
mod challenged;
mod client;
mod fields;
mod log;
mod target;
mod totals;

use std::{
    any::Any,
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use answer::Answer;
use async_trait::async_trait;
pub use builder::BotFilterBuilder;
use bytes::Bytes;
pub use client::ClientInfo;
use fields::{strip_cookies, strip_forged, tell_origin, tell_reasons};
use http::HeaderName;
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
    claim::CrawlerClaim,
    connection::{self, ConnectionFingerprint},
    crawlers::{Claimed, CrawlerAction, CrawlerRequest, Crawlers},
    engine::Engine,
    limiter::Limiter,
    policy::{Action, AddressLists, Decision, Matched, Policy, Verdict},
    request::RequestView,
};

/// Tells the origin the score.
pub const HEADER_SCORE: HeaderName = HeaderName::from_static("x-bot-score");
/// Tells the origin what was decided.
pub const HEADER_VERDICT: HeaderName = HeaderName::from_static("x-bot-verdict");
/// Tells the origin which artifact decided.
pub const HEADER_ARTIFACT: HeaderName = HeaderName::from_static("x-bot-artifact");

/// Tells the origin which rows fired, with their weights in thousandths of a logit.
pub const HEADER_REASONS: HeaderName = HeaderName::from_static("x-bot-reasons");

/// Scores each request of a Pingora proxy and acts on it. A handle: clones share everything.
///
/// What a route logs, and every request that is answered here (403, 429, or a challenge's 307), goes to `tracing` at
/// `info` under the target `greenlight_bot::verdict`: with the score, the artifact, the known crawler that the client
/// says it is and what became of that claim, the escaped path and the keys of the rows that fired, the heaviest first.
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

impl BotFilter {
    /// A filter that asks `engine` and follows `policy`.
    #[must_use]
    pub fn builder(engine: Engine, policy: Policy) -> BotFilterBuilder {
        BotFilterBuilder::new(engine, policy)
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
    /// `client` is who sent it where the proxy knows better than the socket, as behind another proxy: a [`ClientInfo`],
    /// an address, or `None`. Where the address is not the socket's, neither TLS nor the fingerprints of the connection
    /// count as the client's.
    ///
    /// # Errors
    /// None: a client that is gone before its 403 is written counts as answered. The type is that of the phase, so
    /// that the call can be its last line.
    pub async fn request_filter(
        &self,
        session: &mut Session,
        client: impl Into<ClientInfo>,
    ) -> Result<bool> {
        let client = client.into().or_connection(session);
        // Judging changes nothing of the request but its fields, one at a time, and atomic counters.
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(session, client)));
        let (verdict, answer) = judged.unwrap_or_else(|_| (self.fault(), None));
        if let Some(module) = session.downstream_modules_ctx.get_mut::<BotModule>() {
            module.verdict = Some(verdict);
            module.awaits = client.address.filter(|_| answer.is_none());
        }
        self.0.totals.count(&verdict);
        self.log(session, &verdict);
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

    fn judge(&self, session: &mut Session, client: ClientInfo) -> (Verdict, Option<Answer>) {
        // The module did this already, unless the proxy forgot to add it.
        self.strip_fields(session.req_header_mut());
        let connection =
            client.address.and_then(|client| connection::fingerprint_of_client(session, client));

        let header = session.req_header();
        let matched = self.0.policy.matched(&target::of(header));
        if self.0.policy.is_exempt(&matched) {
            return (Verdict::without_score(Decision::Exempt, Action::Allow), None);
        }
        if let Some(verdict) = self.listed(client.address) {
            return self.act(header, client, verdict, None);
        }
        let claimed = self.claimed(header, client.address);
        let named = |verdict| Verdict { crawler: claimed.name, claim: claimed.claim, ..verdict };
        if claimed.claim == CrawlerClaim::Verified {
            let decided = |action| named(Verdict::without_score(Decision::VerifiedCrawler, action));
            match claimed.action {
                CrawlerAction::Allow => return (decided(Action::Allow), None),
                CrawlerAction::Block => {
                    return self.act(header, client, decided(Action::Block), None);
                }
                CrawlerAction::Score => {}
            }
        }
        let request = RequestView::new(
            header.method.as_str(),
            target::path(header),
            header.version,
            &header.headers,
        )
        .with_client(client.address)
        .with_crawler(claimed.claim)
        .with_tls(client.used_tls())
        .with_ja4(connection.and_then(ConnectionFingerprint::ja4))
        .with_http2(connection.and_then(ConnectionFingerprint::http2));
        let (verdict, route) = self.decide(&matched, &request);
        self.act(header, client, named(verdict), route)
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

    fn claimed(&self, header: &RequestHeader, client: Option<IpAddr>) -> Claimed {
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
        client: ClientInfo,
        mut verdict: Verdict,
        route: Option<usize>,
    ) -> (Verdict, Option<Answer>) {
        let answer = match verdict.action {
            _ if !verdict.enforced => None,
            Action::Allow | Action::Tag | Action::Log => None,
            Action::RateLimit => {
                let now = self.0.started.elapsed();
                route
                    .and_then(|route| self.0.limiter.wait(route, client.address, now))
                    .map(Answer::TooMany)
            }
            Action::Challenge => self.challenge(header, client),
            Action::Block => Some(Answer::Forbidden),
        };
        verdict.answered = answer.is_some();
        // Whoever asks why a request was refused finds it in the log, whichever of limits, lists and scores refused it.
        verdict.logged |= verdict.answered;
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

#[cfg(test)]
mod tests;

//! Scores HTTP requests with an approved feature file, inside any Pingora proxy.
//!
//! [`CompiledModel::compile`] turns a [`greenlight_artifact::ValidArtifact`] into tables that are read in one pass over
//! a request, whatever the number of rows. An [`Engine`] holds the model that runs now and swaps it in one step. A
//! [`BotFilter`] asks the engine about each request, applies a [`Policy`] and tells the origin:
//!
//! | request header to the origin | value |
//! |---|---|
//! | `x-bot-score` | 1 (surely a bot) to 99 (surely a human); 0 when no score was computed |
//! | `x-bot-verdict` | `allow`, `tag`, `log`, `rate-limit` (within the limit), `challenge` (passed), `block` (in shadow only: what would have been done); or, where no score decided, `unscored`, `exempt`, `allow-listed` or `verified` (a crawler) |
//! | `x-bot-artifact` | the first 16 hex digits of the artifact's digest; absent when none runs |
//! | `x-bot-reasons` | only if asked for: the rows that fired with their weights, the heaviest first, at most 8 |
//!
//! A proxy adds it in two lines:
//!
#![cfg_attr(feature = "pingora", doc = "```")]
#![cfg_attr(not(feature = "pingora"), doc = "```ignore")]
//! # use greenlight_bot::BotFilter;
//! # use pingora_core::{Result, modules::http::HttpModules, upstreams::peer::HttpPeer};
//! # use pingora_proxy::{ProxyHttp, Session};
//! # struct Proxy { bots: BotFilter }
//! # #[async_trait::async_trait]
//! # impl ProxyHttp for Proxy {
//! #     type CTX = ();
//! #     fn new_ctx(&self) {}
//! #     async fn upstream_peer(&self, _: &mut Session, _: &mut ()) -> Result<Box<HttpPeer>> {
//! #         Ok(Box::new(HttpPeer::new("127.0.0.1:8000", false, String::new())))
//! #     }
//! fn init_downstream_modules(&self, modules: &mut HttpModules) {
//!     modules.add_module(self.bots.module());
//! }
//!
//! async fn request_filter(&self, session: &mut Session, _ctx: &mut ()) -> Result<bool> {
//!     self.bots.request_filter(session, None).await
//! }
//! # }
//! ```
//!
//! | crate feature | what it adds |
//! |---|---|
//! | `pingora` (default) | the filter; without it the crate is the scorer alone, with neither Pingora nor tokio |
//! | `recorded` | the module `recorded`: requests as lines of JSON, for replays and for training |
//!
//! A fault of ours is never the request's: where scoring panics or overruns, the request passes unscored and
//! [`Engine::faults`] counts it.

#![deny(missing_docs)]

#[cfg_attr(not(feature = "pingora"), allow(dead_code, reason = "the filter uses it"))]
mod challenge;
mod claim;
mod clients;
#[cfg(feature = "pingora")]
pub mod connection;
#[cfg(feature = "pingora")]
mod crawlers;
mod engine;
#[cfg(feature = "pingora")]
mod filter;
mod fired;
#[cfg(feature = "pingora")]
mod limiter;
mod model;
mod networks;
mod policy;
#[cfg(feature = "recorded")]
pub mod recorded;
mod request;
mod score;
mod signals;
#[cfg(test)]
#[cfg(feature = "pingora")]
mod test_server;

pub use challenge::{Challenge, SecretError};
pub use claim::{CrawlerClaim, CrawlerName};
#[cfg(feature = "pingora")]
pub use crawlers::{
    ClaimCounters, Claimed, Crawler, CrawlerAction, CrawlerError, CrawlerProblem, CrawlerRequest,
    Crawlers, CrawlersBuilder, DnsCounters, DnsLimits, DnsResolver, FileError, KeyError,
    LookupError, NameServers, NetworksError, Resolver, ResolverError, known_crawlers,
};
pub use engine::{Engine, EngineCounters, EngineLimits, Evaluation, Reason};
#[cfg(feature = "pingora")]
pub use filter::{
    BotFilter, BotFilterBuilder, BotModule, ClientInfo, FilterCounters, HEADER_ARTIFACT,
    HEADER_REASONS, HEADER_SCORE, HEADER_VERDICT,
};
pub use fired::{Fired, FiredRows};
pub use model::{CompileError, CompiledModel, Scored};
pub use networks::{ListError, Networks};
pub use policy::{Action, AddressLists, Decision, Policy, RateLimit, Route, Target, Verdict};
pub use request::{ClientActivity, RequestView};
pub use score::Score;
pub use signals::header_order::HeaderOrder;

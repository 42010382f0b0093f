use std::{
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;

use super::{BotFilter, Inner, totals::Totals};
use crate::{
    challenge::Challenge,
    clients::Secret,
    crawlers::Crawlers,
    engine::Engine,
    limiter::Limiter,
    policy::{AddressLists, Policy},
};

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
    pub(super) fn new(engine: Engine, policy: Policy) -> Self {
        Self {
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

    /// Whether the origin is told the rows that fired, in [`crate::HEADER_REASONS`]; by default it is not.
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

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

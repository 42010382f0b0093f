use std::sync::atomic::{AtomicU64, Ordering};

use crate::policy::{Action, Decision, Verdict};

#[derive(Debug, Default)]
pub(super) struct Totals {
    allowed: AtomicU64,
    tagged: AtomicU64,
    logged: AtomicU64,
    rate_limited: AtomicU64,
    within_limit: AtomicU64,
    challenged: AtomicU64,
    challenge_passed: AtomicU64,
    blocked: AtomicU64,
    shadowed: AtomicU64,
    unscored: AtomicU64,
    exempt: AtomicU64,
    allow_listed: AtomicU64,
    deny_listed: AtomicU64,
    verified: AtomicU64,
    pub(super) forged: AtomicU64,
    pub(super) panics: AtomicU64,
}

/// Requests since start, by what was done with them. Each request counts in one of all but the last two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterCounters {
    /// Scored and allowed.
    pub allowed: u64,
    /// Tagged.
    pub tagged: u64,
    /// Logged.
    pub logged: u64,
    /// Answered with 429.
    pub rate_limited: u64,
    /// Passed within a limit of their clients.
    pub within_limit: u64,
    /// Challenged and answered here.
    pub challenged: u64,
    /// Passed with a valid cookie.
    pub challenge_passed: u64,
    /// Blocked by their score.
    pub blocked: u64,
    /// Would have been acted on, on a route in shadow.
    pub shadowed: u64,
    /// Passed without a score.
    pub unscored: u64,
    /// Passed on an exempt route.
    pub exempt: u64,
    /// Passed, being on the list.
    pub allow_listed: u64,
    /// Refused, being on the list.
    pub deny_listed: u64,
    /// Passed or refused as verified crawlers.
    pub verified: u64,
    /// Came with `x-bot-*` fields of the client's own making, which were taken out.
    pub forged: u64,
    /// Passed because judging them panicked, scoring apart.
    pub panics: u64,
}

impl Totals {
    pub(super) fn count(&self, verdict: &Verdict) {
        let total = match verdict.decision {
            Decision::Unscored => &self.unscored,
            Decision::Exempt => &self.exempt,
            Decision::AllowListed => &self.allow_listed,
            Decision::DenyListed => &self.deny_listed,
            Decision::VerifiedCrawler => &self.verified,
            Decision::Score => match verdict.action {
                Action::Allow => &self.allowed,
                _ if !verdict.enforced => &self.shadowed,
                Action::Tag => &self.tagged,
                Action::Log => &self.logged,
                Action::RateLimit if verdict.answered => &self.rate_limited,
                Action::RateLimit => &self.within_limit,
                Action::Challenge if verdict.answered => &self.challenged,
                Action::Challenge => &self.challenge_passed,
                Action::Block => &self.blocked,
            },
        };
        total.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> FilterCounters {
        let read = |total: &AtomicU64| total.load(Ordering::Relaxed);
        FilterCounters {
            allowed: read(&self.allowed),
            tagged: read(&self.tagged),
            logged: read(&self.logged),
            rate_limited: read(&self.rate_limited),
            within_limit: read(&self.within_limit),
            challenged: read(&self.challenged),
            challenge_passed: read(&self.challenge_passed),
            blocked: read(&self.blocked),
            shadowed: read(&self.shadowed),
            unscored: read(&self.unscored),
            exempt: read(&self.exempt),
            allow_listed: read(&self.allow_listed),
            deny_listed: read(&self.deny_listed),
            verified: read(&self.verified),
            forged: read(&self.forged),
            panics: read(&self.panics),
        }
    }
}

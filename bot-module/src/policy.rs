mod lists;
mod path;
mod route;

use greenlight_artifact::Digest;

pub use lists::AddressLists;
use route::Case;
#[cfg(feature = "pingora")]
pub(crate) use route::host_name as bare_host;
pub use route::{RateLimit, Route};

use crate::{
    claim::{CrawlerClaim, CrawlerName},
    engine::Evaluation,
    fired::Fired,
    score::Score,
};

/// What is done with a request. Ascending in severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Passes.
    Allow,
    /// Passes, and `x-bot-verdict` tells the origin.
    Tag,
    /// Passes, and is recorded with its score and reasons.
    Log,
    /// Passes as long as its client keeps within a limit, and is answered with 429 beyond.
    RateLimit,
    /// Passes with a cookie of ours, and is redirected to get one without.
    Challenge,
    /// Is answered with 403 and not passed on.
    Block,
}

impl Action {
    /// The word for it in `x-bot-verdict`, logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Tag => "tag",
            Self::Log => "log",
            Self::RateLimit => "rate-limit",
            Self::Challenge => "challenge",
            Self::Block => "block",
        }
    }
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Decision {
    /// The score.
    Score,
    /// Nothing: there is no score, so the request is allowed.
    Unscored,
    /// An exempt route.
    Exempt,
    /// The list of clients that are always allowed.
    AllowListed,
    /// The list of clients that are always refused.
    DenyListed,
    /// The client is a crawler that proved to be what it says.
    VerifiedCrawler,
}

/// What of a request decides its route.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    method: &'a str,
    hosts: [Option<&'a str>; 2],
    path: &'a str,
}

impl<'a> Target<'a> {
    /// A request's method, its `Host` field or `:authority` (a port is ignored), and its path, undecoded and without
    /// the query; a target that has no path, such as `*`, as a whole.
    #[must_use]
    pub const fn new(method: &'a str, host: Option<&'a str>, path: &'a str) -> Self {
        Self { method, hosts: [host, None], path }
    }

    /// The other name where a request has both a `Host` field and an authority: if they differ, the stricter route of
    /// the two holds.
    #[must_use]
    pub const fn also_host(mut self, host: Option<&'a str>) -> Self {
        self.hosts[1] = host;
        self
    }
}

/// Routes, the most specific first: a named host before any host, then the longer path prefix, then one with methods.
///
/// A request that no route matches is allowed.
///
/// A path that servers may read in several ways (escapes, dot segments, slashes in a row, `\`, path parameters, another
/// case) is matched in each of them, and the strictest of the routes that are found holds. It is exempt only if all of
/// them are. One with more readings than anyone needs is taken for every path, and so is what does not begin with `/`.
/// Likewise a method in another case, and a host that is not plainly a name, an address or empty is taken for every
/// host. A plain path of a plain host is matched without allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    routes: Vec<Route>,
}

/// The routes of a request: several, where it can be read in several ways.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matched {
    /// Enough for a plain path: by two hosts, in two ways to compare its case.
    few: [Option<usize>; 4],
    more: Vec<usize>,
    /// Whether a reading has no route.
    without: bool,
}

impl Matched {
    fn add(&mut self, route: Option<usize>) {
        let Some(route) = route else {
            self.without = true;
            return;
        };
        if self.indices().any(|index| index == route) {
            return;
        }
        match self.few.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(route),
            None => self.more.push(route),
        }
    }

    fn indices(&self) -> impl Iterator<Item = usize> {
        self.few.iter().flatten().chain(&self.more).copied()
    }
}

impl Policy {
    /// Puts the routes in order. Of two for the same host, prefix and methods the earlier one holds.
    #[must_use]
    pub fn new(mut routes: Vec<Route>) -> Self {
        for route in &mut routes {
            route.host = route.host.as_deref().map(route::canonical_host);
        }
        routes.sort_by_key(|route| {
            let length = std::cmp::Reverse(route.path_prefix.len());
            (route.host.is_none(), length, route.methods.is_empty())
        });
        Self { routes }
    }

    /// The routes, the most specific first.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    pub(crate) fn matched(&self, target: &Target<'_>) -> Matched {
        let [host, other] = target.hosts.map(|host| host.map(route::host_name));
        let other = other.filter(|other| host.is_none_or(|host| !host.eq_ignore_ascii_case(other)));
        // Without a name at all a request is matched once all the same.
        let hosts = [host.or(other).map(Some).or(Some(None)), other.map(Some)];
        let plain_host = [host, other].into_iter().flatten().all(route::is_plain_host);
        let is_for_host = |route: &Route| {
            !plain_host || hosts.into_iter().flatten().any(|host| route.is_for_host(host))
        };
        let mut matched = Matched::default();
        let mut add = |path: &[u8]| {
            for case in [Case::AsWritten, Case::Any] {
                let is_for = |route: &Route| route.is_for(target.method, path, case);
                if !plain_host {
                    // It may be each route's, or none's.
                    let routes = (0..).zip(&self.routes).filter(|(_, route)| is_for(route));
                    routes.for_each(|(index, _)| matched.add(Some(index)));
                    matched.without = true;
                    continue;
                }
                for host in hosts.into_iter().flatten() {
                    let first =
                        self.routes.iter().position(|it| it.is_for_host(host) && is_for(it));
                    matched.add(first);
                }
            }
        };
        // An empty path is the root's (RFC 9110, 4.2.3).
        let path = if target.path.is_empty() { "/" } else { target.path };
        if path::is_plain(path) {
            add(path.as_bytes());
        } else if let Some(readings) = path::readings(path) {
            readings.iter().for_each(|reading| add(reading));
        } else {
            // Likewise.
            let is_for =
                |route: &Route| is_for_host(route) && route.is_for_method(target.method, Case::Any);
            let routes = (0..).zip(&self.routes).filter(|(_, route)| is_for(route));
            routes.for_each(|(index, _)| matched.add(Some(index)));
            matched.without = true;
        }
        matched
    }

    /// Whether nothing is to be done about a request, whatever its score.
    pub(crate) fn is_exempt(&self, matched: &Matched) -> bool {
        !matched.without
            && matched
                .indices()
                .filter_map(|index| self.routes.get(index))
                .all(|route| route.exempt)
    }

    /// What is to be done with a request of this evaluation, as if it were on no list.
    #[must_use]
    pub fn decide(&self, target: &Target<'_>, evaluation: &Evaluation) -> Verdict {
        let matched = self.matched(target);
        if self.is_exempt(&matched) {
            return Verdict::without_score(Decision::Exempt, Action::Allow);
        }
        self.judge(&matched, evaluation).0
    }

    /// The verdict, and the route that it comes from.
    pub(crate) fn judge(
        &self,
        matched: &Matched,
        evaluation: &Evaluation,
    ) -> (Verdict, Option<usize>) {
        let score = evaluation.score;
        let mut verdict = Verdict {
            action: Action::Allow,
            enforced: true,
            logged: false,
            answered: false,
            decision: if score.is_scored() { Decision::Score } else { Decision::Unscored },
            score,
            logit_milli: evaluation.logit_milli,
            digest: evaluation.digest,
            fired: evaluation.fired,
            crawler: None,
            claim: CrawlerClaim::None,
        };
        let mut strictest = None;
        let candidates =
            matched.indices().filter_map(|index| Some((index, self.routes.get(index)?)));
        for (index, route) in candidates.filter(|(_, route)| !route.exempt) {
            let action = action(route, score);
            // What is done weighs more than what would be done.
            let key =
                |enforced: bool, action| (if enforced { action } else { Action::Allow }, action);
            if strictest.is_none()
                || key(!route.shadow, action) > key(verdict.enforced, verdict.action)
            {
                verdict.action = action;
                verdict.enforced = !route.shadow;
                strictest = Some(index);
            }
            verdict.logged |= score.is_below(route.log_below) && !route.shadow;
        }
        (verdict, strictest)
    }
}

fn action(route: &Route, score: Score) -> Action {
    let thresholds = [
        (route.block_below, Action::Block),
        (route.challenge_below, Action::Challenge),
        (route.rate_limit_below, Action::RateLimit),
        (route.log_below, Action::Log),
        (route.tag_below, Action::Tag),
    ];
    let found = thresholds.into_iter().find(|(threshold, _)| score.is_below(*threshold));
    found.map_or(Action::Allow, |(_, action)| action)
}

/// What was decided about a request, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The action that the thresholds ask for.
    pub action: Action,
    /// Whether it is carried out; false where the route is in shadow.
    pub enforced: bool,
    /// Whether there is a line in the log about the request: its score is below the route's `log_below`, or it was
    /// answered here. A route in shadow logs nothing.
    pub logged: bool,
    /// Whether the request was answered here and did not reach the origin: as blocked, over its limit, or challenged.
    pub answered: bool,
    /// What it rests on.
    pub decision: Decision,
    /// The score.
    pub score: Score,
    /// The logit behind it, in thousandths.
    pub logit_milli: i64,
    /// The artifact that was asked.
    pub digest: Option<Digest>,
    /// Its rows that fired.
    pub fired: Fired,
    /// The known crawler that the client says it is. Not looked into where the route or a list decides.
    pub crawler: Option<CrawlerName>,
    /// What became of that claim.
    pub claim: CrawlerClaim,
}

impl Verdict {
    /// One for which no artifact was asked.
    pub(crate) const fn without_score(decision: Decision, action: Action) -> Self {
        Self {
            action,
            enforced: true,
            logged: false,
            answered: false,
            decision,
            score: Score::UNSCORED,
            logit_milli: 0,
            digest: None,
            fired: Fired::NONE,
            crawler: None,
            claim: CrawlerClaim::None,
        }
    }

    /// The value of `x-bot-verdict`: the action where a score decided, or else what did.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self.decision {
            Decision::Score => self.action.as_str(),
            Decision::Unscored => "unscored",
            Decision::Exempt => "exempt",
            Decision::AllowListed => "allow-listed",
            Decision::DenyListed => "deny-listed",
            Decision::VerifiedCrawler => match self.action {
                Action::Allow => "verified",
                action => action.as_str(),
            },
        }
    }

    /// Whether the request is to be refused.
    #[must_use]
    pub const fn blocks(&self) -> bool {
        self.enforced && matches!(self.action, Action::Block)
    }
}

#[cfg(test)]
mod tests;

use greenlight_artifact::Digest;

use crate::{engine::Evaluation, fired::Fired, score::Score};

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
            Self::Block => "block",
        }
    }
}

/// The thresholds for one part of a site.
///
/// A request is given the most severe action whose threshold its score is below. 0 disables an action: so does 1,
/// since no score is below 1. A request without a score is always allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The host this is for, without port, in any ASCII case; `None` for every host.
    pub host: Option<String>,
    /// What the path, as sent and undecoded, starts with; empty for every path.
    pub path_prefix: String,
    /// Scores below are tagged.
    pub tag_below: u8,
    /// Scores below are logged.
    pub log_below: u8,
    /// Scores below are blocked.
    pub block_below: u8,
    /// Decide and tell the origin, but do nothing.
    pub shadow: bool,
}

/// Routes, the most specific first: a named host before any host, then the longer path prefix.
///
/// A request that no route matches is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    routes: Vec<Route>,
}

impl Policy {
    /// Puts the routes in order. Of two for the same host and prefix the earlier one holds.
    #[must_use]
    pub fn new(mut routes: Vec<Route>) -> Self {
        for route in &mut routes {
            if let Some(host) = &mut route.host {
                host.make_ascii_lowercase();
            }
        }
        routes.sort_by_key(|route| {
            (route.host.is_none(), std::cmp::Reverse(route.path_prefix.len()))
        });
        Self { routes }
    }

    /// The routes, the most specific first.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route for a request, by its `Host` field or `:authority` (a port is ignored) and its path.
    #[must_use]
    pub fn route(&self, host: Option<&str>, path: &str) -> Option<&Route> {
        let host = host.map(host_name);
        self.routes.iter().find(|route| {
            path.starts_with(&route.path_prefix)
                && match (&route.host, host) {
                    (Some(expected), Some(found)) => found.eq_ignore_ascii_case(expected),
                    (Some(_), None) => false,
                    (None, _) => true,
                }
        })
    }

    /// What is to be done with a request of this evaluation.
    #[must_use]
    pub fn decide(&self, host: Option<&str>, path: &str, evaluation: &Evaluation) -> Verdict {
        let score = evaluation.score;
        let (action, logged, shadow) = match self.route(host, path) {
            Some(route) => {
                let action = if score.is_below(route.block_below) {
                    Action::Block
                } else if score.is_below(route.log_below) {
                    Action::Log
                } else if score.is_below(route.tag_below) {
                    Action::Tag
                } else {
                    Action::Allow
                };
                (action, score.is_below(route.log_below), route.shadow)
            }
            None => (Action::Allow, false, false),
        };
        Verdict {
            action,
            enforced: !shadow,
            logged: logged && !shadow,
            score,
            logit_milli: evaluation.logit_milli,
            digest: evaluation.digest,
            fired: evaluation.fired,
        }
    }
}

/// `example.com:8080` → `example.com`; `[::1]:80` → `[::1]`; one trailing dot of a full name is dropped.
fn host_name(authority: &str) -> &str {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    name.strip_suffix('.').unwrap_or(name)
}

/// What was decided about a request, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The action that the thresholds ask for.
    pub action: Action,
    /// Whether it is carried out; false where the route is in shadow.
    pub enforced: bool,
    /// Whether the request is recorded. A blocked request is, too, when its score is below the route's `log_below`.
    pub logged: bool,
    /// The score.
    pub score: Score,
    /// The logit behind it, in thousandths.
    pub logit_milli: i64,
    /// The artifact that was asked.
    pub digest: Option<Digest>,
    /// Its rows that fired.
    pub fired: Fired,
}

impl Verdict {
    /// The value of `x-bot-verdict`: the action, or `unscored`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        if self.score.is_scored() { self.action.as_str() } else { "unscored" }
    }

    /// Whether the request is to be refused.
    #[must_use]
    pub const fn blocks(&self) -> bool {
        self.enforced && matches!(self.action, Action::Block)
    }
}

#[cfg(test)]
mod tests;

use std::{net::Ipv6Addr, time::Duration};

/// What is done with the requests to one part of a site.
///
/// A request is given the most severe action whose threshold its score is below. 0 disables an action: so does 1, since
/// no score is below 1. A request without a score is always allowed.
///
/// ```
/// # use greenlight_bot::{Policy, Route};
/// let policy = Policy::new(vec![
///     Route::new().tag_below(50).block_below(15),
///     Route::new().host("www.example.com").path_prefix("/login").methods(["POST"]).block_below(30),
///     Route::new().path_prefix("/.well-known/").exempt(),
/// ]);
/// # assert_eq!(policy.routes().len(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The host this is for, without port, in any ASCII case; `None` for every host.
    pub host: Option<String>,
    /// What the path starts with; empty for every path.
    pub path_prefix: String,
    /// The methods this is for; empty for every method.
    pub methods: Vec<String>,
    /// Scores below are tagged.
    pub tag_below: u8,
    /// Scores below are logged.
    pub log_below: u8,
    /// Scores below are held to [`Route::rate_limit`].
    pub rate_limit_below: u8,
    /// Scores below are challenged.
    pub challenge_below: u8,
    /// Scores below are blocked.
    pub block_below: u8,
    /// How much a client with a score below [`Route::rate_limit_below`] may ask.
    pub rate_limit: RateLimit,
    /// Decide and tell the origin, but do nothing.
    pub shadow: bool,
    /// Neither score nor act.
    pub exempt: bool,
}

/// How many requests a client may make within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Requests that pass.
    pub requests: u32,
    /// Within this time.
    pub per: Duration,
}

impl Default for RateLimit {
    /// 10 requests in 10 s.
    fn default() -> Self {
        Self::new(10, Duration::from_secs(10))
    }
}

impl RateLimit {
    /// `requests` within `per`, which is at least 1 ms.
    #[must_use]
    pub const fn new(requests: u32, per: Duration) -> Self {
        let per = if per.as_millis() == 0 { Duration::from_millis(1) } else { per };
        Self { requests, per }
    }
}

impl Route {
    /// A route for every request that does nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`Route::host`].
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Sets [`Route::path_prefix`].
    #[must_use]
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// Sets [`Route::methods`].
    #[must_use]
    pub fn methods<M: Into<String>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        self.methods = methods.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`Route::tag_below`].
    #[must_use]
    pub const fn tag_below(mut self, score: u8) -> Self {
        self.tag_below = score;
        self
    }

    /// Sets [`Route::log_below`].
    #[must_use]
    pub const fn log_below(mut self, score: u8) -> Self {
        self.log_below = score;
        self
    }

    /// Sets [`Route::rate_limit_below`] and [`Route::rate_limit`].
    #[must_use]
    pub const fn rate_limit_below(mut self, score: u8, limit: RateLimit) -> Self {
        self.rate_limit_below = score;
        self.rate_limit = limit;
        self
    }

    /// Sets [`Route::challenge_below`].
    #[must_use]
    pub const fn challenge_below(mut self, score: u8) -> Self {
        self.challenge_below = score;
        self
    }

    /// Sets [`Route::block_below`].
    #[must_use]
    pub const fn block_below(mut self, score: u8) -> Self {
        self.block_below = score;
        self
    }

    /// Sets [`Route::shadow`].
    #[must_use]
    pub const fn shadow(mut self, shadow: bool) -> Self {
        self.shadow = shadow;
        self
    }

    /// Sets [`Route::exempt`].
    #[must_use]
    pub const fn exempt(mut self) -> Self {
        self.exempt = true;
        self
    }

    /// Whether this is for a method and a path. An exempt route is for its own case only, so that no other request can
    /// borrow it.
    pub(super) fn is_for(&self, method: &str, path: &[u8], case: Case) -> bool {
        let prefix = self.path_prefix.as_bytes();
        path.get(..prefix.len()).is_some_and(|start| case.is_same(prefix, start))
            && self.is_for_method(method, case)
    }

    /// Whether this is for a method.
    pub(super) fn is_for_method(&self, method: &str, case: Case) -> bool {
        let is_same = |ours: &String| case.is_same(ours.as_bytes(), method.as_bytes());
        self.methods.is_empty() || self.methods.iter().any(is_same)
    }

    /// Whether this is for a host, as [`host_name`] returns it.
    pub(super) fn is_for_host(&self, host: Option<&str>) -> bool {
        match (&self.host, host) {
            (Some(expected), Some(found)) => is_same_host(expected, found),
            (Some(_), None) => false,
            (None, _) => true,
        }
    }
}

/// How paths and methods are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// Both are case-sensitive (RFC 9110, 4.2.3 and 9.1).
    AsWritten,
    /// And yet there are origins to which they are not: file systems and frameworks that fold them.
    Any,
}

impl Case {
    fn is_same(self, ours: &[u8], found: &[u8]) -> bool {
        match self {
            Self::AsWritten => ours == found,
            Self::Any => ours.eq_ignore_ascii_case(found),
        }
    }
}

/// `example.com:8080` → `example.com`; `[::1]:80` → `[::1]`; `a@b` → `b`; one trailing dot of a full name is dropped.
pub(crate) fn host_name(authority: &str) -> &str {
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether a name, as [`host_name`] returns it, is one that every server reads alike: of letters, digits, `-` and `_`
/// between dots, or an IPv6 address in brackets. Of what else follows, as in `example.com:x` and `example.com/`, there
/// are servers that see nothing.
pub(super) fn is_plain_host(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.is_empty() || name.split('.').all(label),
    }
}

/// How a route's host is kept: in lower case, an IPv6 address in brackets.
pub(super) fn canonical_host(host: &str) -> String {
    match host.trim_matches(['[', ']']).parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

fn is_same_host(expected: &str, found: &str) -> bool {
    let address = |host: &str| host.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    found.eq_ignore_ascii_case(expected)
        || address(expected).is_some_and(|expected| address(found) == Some(expected))
}

//! Verified bots: whether a request that says that it comes from a known crawler does.
//!
//! Three proofs, as the operator has them for each crawler: lists of networks, forward-confirmed reverse DNS, and
//! signatures (Web Bot Auth). None waits for anything: what DNS has not said yet is [`CrawlerClaim::Undecided`].
//! [`Crawlers::work`] asks DNS and follows files, on whatever runtime the proxy gives it; when it does not run, what is
//! known stays.

mod dns;
mod files;
mod known;
mod names;
mod networks;
mod resolver;
mod signature;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aho_corasick::AhoCorasick;
use arc_swap::ArcSwap;
use http::{HeaderMap, Uri, header};
use ipnet::IpNet;
use thiserror::Error;
use tokio::task::JoinSet;

use dns::{CrawlerSet, Dns, MAX_CRAWLERS, bit};
pub use dns::{DnsCounters, DnsLimits};
pub use files::FileError;
use files::Followed;
pub use known::known_crawlers;
use networks::Networks;
pub use networks::NetworksError;
pub use resolver::{DnsResolver, LookupError, NameServers, Resolver, ResolverError};
pub use signature::KeyError;
use signature::{Key, Keys, Signed};

use crate::request::CrawlerClaim;

/// How much of a user agent is searched.
const MAX_USER_AGENT: usize = 1_024;
/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// A crawler and what proves it. Without any proof it is not known: a user agent alone says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crawler {
    /// For logs and metrics: 1 to 32 of a-z, 0-9 and `-`.
    pub name: String,
    /// A user agent that contains one of these, in any ASCII case, claims to be it.
    pub user_agents: Vec<String>,
    /// It comes from these networks.
    pub networks: Vec<IpNet>,
    /// And from these in files: a network a line, or `{"prefixes":[{"ipv4Prefix":…},{"ipv6Prefix":…}]}`.
    pub network_files: Vec<PathBuf>,
    /// Its addresses have names under these domains, which have these addresses.
    pub domains: Vec<String>,
    /// It signs with these Ed25519 keys: the `x` of a JWK (RFC 8037, 2), base64url.
    pub keys: Vec<String>,
    /// And with these in files: JWK sets (RFC 7517, 5).
    pub key_files: Vec<PathBuf>,
    /// What is done with it once it is verified.
    pub action: CrawlerAction,
}

/// What is done with a verified crawler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrawlerAction {
    /// It passes, and is not scored.
    #[default]
    Allow,
    /// It is scored as every other client.
    Score,
    /// It is refused.
    Block,
}

/// What is wrong with a crawler's settings.
#[derive(Clone, Debug, Error)]
#[error("{crawler}: {key}: {problem}")]
#[non_exhaustive]
pub struct CrawlerError {
    /// The crawler's name.
    pub crawler: String,
    /// The field of [`Crawler`], or `authorities`.
    pub key: &'static str,
    /// What.
    pub problem: CrawlerProblem,
}

/// What can be wrong with a crawler's settings.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum CrawlerProblem {
    /// The name is none.
    #[error("expected 1 to 32 of a-z, 0-9 and \"-\", found {0:?}")]
    Name(String),
    /// Another crawler has the name.
    #[error("expected a name of its own, found {0:?} twice")]
    Twice(String),
    /// There are too many crawlers.
    #[error("expected at most {MAX_CRAWLERS} crawlers, found {0}")]
    TooMany(usize),
    /// A user agent's part is empty, long, or not printable ASCII.
    #[error("expected 3 to 64 printable ASCII characters, found {0:?}")]
    UserAgent(String),
    /// A domain is none, or a top-level domain.
    #[error("expected a domain as googlebot.com, found {0:?}")]
    Domain(String),
    /// Networks are not right.
    #[error(transparent)]
    Networks(#[from] NetworksError),
    /// A key is not right.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file is not right.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: FileError,
    },
    /// Signatures count for names of the site only, and there is none.
    #[error("expected the names of this site, for which signatures count, found none")]
    NoAuthority,
}

/// What [`Crawlers::claim`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct CrawlerRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The target as sent.
    pub uri: &'a Uri,
    /// The fields.
    pub headers: &'a HeaderMap,
}

/// What became of a request's claim to come from a known crawler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claimed<'a> {
    /// The claim.
    pub claim: CrawlerClaim,
    /// The crawler; `None` where none is claimed.
    pub name: Option<&'a str>,
    /// What is to be done if the claim is verified.
    pub action: CrawlerAction,
}

impl Claimed<'_> {
    /// No claim.
    pub const NONE: Claimed<'static> =
        Claimed { claim: CrawlerClaim::None, name: None, action: CrawlerAction::Score };
}

/// What became of the claims to be one crawler, since start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimCounters<'a> {
    /// The crawler.
    pub name: &'a str,
    /// Requests that were verified.
    pub verified: u64,
    /// Requests whose claim was false.
    pub unverified: u64,
    /// Requests of which it was not known yet.
    pub undecided: u64,
}

/// The known crawlers. A handle: clones share everything.
#[derive(Clone, Debug)]
pub struct Crawlers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    crawlers: Box<[Known]>,
    /// Parts of user agents, and the crawler of each.
    user_agents: AhoCorasick,
    of_user_agent: Box<[usize]>,
    dns: Arc<Dns>,
    resolver: Option<Arc<dyn Resolver>>,
    keys: ArcSwap<Keys>,
    authorities: Box<[String]>,
    files: Mutex<Files>,
    files_refused: AtomicU64,
}

#[derive(Debug)]
struct Known {
    name: String,
    action: CrawlerAction,
    networks: ArcSwap<Networks>,
    has_networks: bool,
    has_domains: bool,
    has_keys: bool,
    verified: AtomicU64,
    unverified: AtomicU64,
    undecided: AtomicU64,
}

/// What networks and keys are made from, by crawler.
#[derive(Debug, Default)]
struct Files {
    networks: Vec<Listed<IpNet>>,
    keys: Vec<Listed<Key>>,
}

/// What the settings give of one crawler, and what its files do.
type Listed<T> = (Vec<T>, Vec<Followed<Vec<T>>>);

/// Makes [`Crawlers`].
#[derive(Debug, Default)]
pub struct CrawlersBuilder {
    crawlers: Vec<Crawler>,
    authorities: Vec<String>,
    limits: DnsLimits,
    resolver: Option<Arc<dyn Resolver>>,
}

impl CrawlersBuilder {
    /// Adds a crawler.
    #[must_use]
    pub fn crawler(mut self, crawler: Crawler) -> Self {
        self.crawlers.push(crawler);
        self
    }

    /// Adds a name of this site, as clients send it in `Host`: with its port where that is neither 80 nor 443.
    /// Signatures count only for these, since another site could repeat one that was made for it.
    #[must_use]
    pub fn authority(mut self, name: impl Into<String>) -> Self {
        self.authorities.push(name.into().to_ascii_lowercase());
        self
    }

    /// Whom to ask for names and addresses. Without one, domains prove nothing.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// Bounds of the lookups in DNS.
    #[must_use]
    pub fn dns_limits(mut self, limits: DnsLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Reads the files, and checks everything.
    ///
    /// # Errors
    /// Every mistake.
    pub fn build(self) -> Result<Crawlers, Vec<CrawlerError>> {
        let mut errors = Vec::new();
        let mut files = Files::default();
        let (mut known, mut domains) = (Vec::new(), Vec::new());
        let (mut user_agents, mut of_user_agent) = (Vec::new(), Vec::new());
        if self.crawlers.len() > MAX_CRAWLERS {
            let problem = CrawlerProblem::TooMany(self.crawlers.len());
            errors.push(CrawlerError { crawler: String::new(), key: "crawler", problem });
        }
        for (index, crawler) in self.crawlers.iter().enumerate() {
            let mut refuse = |key, problem| {
                errors.push(CrawlerError { crawler: crawler.name.clone(), key, problem });
            };
            if !is_name(&crawler.name) {
                refuse("name", CrawlerProblem::Name(crawler.name.clone()));
            }
            if self.crawlers.iter().take(index).any(|other| other.name == crawler.name) {
                refuse("name", CrawlerProblem::Twice(crawler.name.clone()));
            }
            for part in &crawler.user_agents {
                if !is_user_agent(part) {
                    refuse("user_agents", CrawlerProblem::UserAgent(part.clone()));
                }
                user_agents.push(part.as_str());
                of_user_agent.push(index);
            }
            let mut names = Vec::new();
            for domain in &crawler.domains {
                match names::host_name(domain) {
                    Some(name) => names.push(name),
                    None => refuse("domains", CrawlerProblem::Domain(domain.clone())),
                }
            }
            let read = crawler.read(&mut refuse);
            let has_keys = !crawler.keys.is_empty() || !crawler.key_files.is_empty();
            if has_keys && self.authorities.is_empty() {
                refuse("authorities", CrawlerProblem::NoAuthority);
            }
            let networks = networks_of(&read.0).unwrap_or_else(|error| {
                refuse("networks", error.into());
                Networks::default()
            });
            known.push(Known {
                name: crawler.name.clone(),
                action: crawler.action,
                networks: ArcSwap::from_pointee(networks),
                has_networks: !crawler.networks.is_empty() || !crawler.network_files.is_empty(),
                has_domains: !crawler.domains.is_empty() && self.resolver.is_some(),
                has_keys,
                verified: AtomicU64::new(0),
                unverified: AtomicU64::new(0),
                undecided: AtomicU64::new(0),
            });
            domains.push(names.into());
            files.networks.push(read.0);
            files.keys.push(read.1);
        }
        let keys = keys_of(&files.keys).unwrap_or_else(|error| {
            let problem = error.into();
            errors.push(CrawlerError { crawler: String::new(), key: "keys", problem });
            Keys::default()
        });
        let user_agents = AhoCorasick::builder().ascii_case_insensitive(true).build(&user_agents);
        match user_agents {
            Ok(user_agents) if errors.is_empty() => Ok(Crawlers(Arc::new(Inner {
                crawlers: known.into(),
                user_agents,
                of_user_agent: of_user_agent.into(),
                dns: Arc::new(Dns::new(domains, self.limits)),
                resolver: self.resolver,
                keys: ArcSwap::from_pointee(keys),
                authorities: self.authorities.into(),
                files: Mutex::new(files),
                files_refused: AtomicU64::new(0),
            }))),
            // It fails where all parts together are gigabytes.
            Err(error) => {
                let problem = CrawlerProblem::UserAgent(error.to_string());
                errors.push(CrawlerError { crawler: String::new(), key: "user_agents", problem });
                Err(errors)
            }
            Ok(_) => Err(errors),
        }
    }
}

impl Crawler {
    /// The networks and keys, inline and in files.
    fn read(
        &self,
        mut refuse: impl FnMut(&'static str, CrawlerProblem),
    ) -> (Listed<IpNet>, Listed<Key>) {
        let mut network_files = Vec::new();
        for path in &self.network_files {
            match Followed::open(path, |bytes| Ok(networks::parse(bytes)?)) {
                Ok(file) => network_files.push(file),
                Err(error) => {
                    let path = path.clone();
                    refuse("network_files", CrawlerProblem::File { path, error });
                }
            }
        }
        let (mut keys, mut key_files) = (Vec::new(), Vec::new());
        for key in &self.keys {
            match Key::new(key) {
                Ok(key) => keys.push(key),
                Err(error) => refuse("keys", error.into()),
            }
        }
        for path in &self.key_files {
            match Followed::open(path, |bytes| Ok(signature::parse(bytes)?)) {
                Ok(file) => key_files.push(file),
                Err(error) => {
                    let path = path.clone();
                    refuse("key_files", CrawlerProblem::File { path, error });
                }
            }
        }
        ((self.networks.clone(), network_files), (keys, key_files))
    }
}

impl Crawlers {
    /// No crawler yet; see [`known_crawlers`].
    #[must_use]
    pub fn builder() -> CrawlersBuilder {
        CrawlersBuilder::default()
    }

    /// What becomes of a request's claim, if it makes one. `client` is its address, where that is known.
    #[must_use]
    pub fn claim(&self, request: &CrawlerRequest<'_>, client: Option<IpAddr>) -> Claimed<'_> {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claimed =
            self.claim_at(request, client, Instant::now(), i64::try_from(unix).unwrap_or(i64::MAX));
        self.count(claimed)
    }

    /// Asks DNS and follows files, for ever. Drop it to end it.
    pub async fn work(&self) {
        let mut tasks = JoinSet::new();
        loop {
            // One that panicked is replaced.
            while let Some(resolver) = &self.0.resolver
                && tasks.len() < self.0.dns.limits().workers
            {
                tasks.spawn(Arc::clone(&self.0.dns).work(Arc::clone(resolver)));
            }
            let crawlers = self.clone();
            // Where it fails, the next one may not.
            let _ = tokio::task::spawn_blocking(move || crawlers.refresh()).await;
            let _ = tokio::time::timeout(LOOK, async {
                match tasks.join_next().await {
                    Some(_) => {}
                    None => std::future::pending().await,
                }
            })
            .await;
        }
    }

    /// Reads files that changed. What is bad is logged and counted, and the last good content stays. Blocks on the disk;
    /// [`Crawlers::work`] calls it every 5 s.
    pub fn refresh(&self) {
        let mut files = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        for (known, list) in self.0.crawlers.iter().zip(&mut files.networks) {
            if self.refresh_each(&mut list.1, known) {
                match networks_of(list) {
                    Ok(networks) => known.networks.store(Arc::new(networks)),
                    Err(error) => self.refused(known, &error, error.reason()),
                }
            }
        }
        let mut new_keys = false;
        for (known, list) in self.0.crawlers.iter().zip(&mut files.keys) {
            new_keys |= self.refresh_each(&mut list.1, known);
        }
        if new_keys {
            match keys_of(&files.keys) {
                Ok(keys) => self.0.keys.store(Arc::new(keys)),
                Err(error) => {
                    self.0.files_refused.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(reason = error.reason(), %error, "the crawlers' new keys are not taken");
                }
            }
        }
    }

    /// What became of the claims, by crawler.
    pub fn claims(&self) -> impl Iterator<Item = ClaimCounters<'_>> {
        let read = |total: &AtomicU64| total.load(Ordering::Relaxed);
        self.0.crawlers.iter().map(move |known| ClaimCounters {
            name: &known.name,
            verified: read(&known.verified),
            unverified: read(&known.unverified),
            undecided: read(&known.undecided),
        })
    }

    /// What was asked of DNS.
    #[must_use]
    pub fn dns(&self) -> DnsCounters {
        self.0.dns.counters()
    }

    /// New contents of files that were not taken, since start.
    #[must_use]
    pub fn files_refused(&self) -> u64 {
        self.0.files_refused.load(Ordering::Relaxed)
    }

    fn claim_at(
        &self,
        request: &CrawlerRequest<'_>,
        client: Option<IpAddr>,
        now: Instant,
        unix_now: i64,
    ) -> (CrawlerClaim, Option<usize>) {
        let signed = Signed {
            method: request.method,
            uri: request.uri,
            headers: request.headers,
            authorities: &self.0.authorities,
        };
        if let Some((crawler, valid)) = self.0.keys.load().check(&signed, unix_now) {
            let claim = if valid { CrawlerClaim::Verified } else { CrawlerClaim::Unverified };
            return (claim, Some(crawler));
        }
        let claimed = self.claimed_by_user_agent(request.headers);
        if claimed == 0 {
            return (CrawlerClaim::None, None);
        }
        let mut found = None;
        let mut asked: Option<Option<CrawlerSet>> = None;
        for (index, known) in self.0.crawlers.iter().enumerate() {
            if claimed & bit(index) == 0 {
                continue;
            }
            let in_dns = || {
                client.map(|client| {
                    asked
                        .get_or_insert_with(|| self.0.dns.ask(client, now))
                        .map(|set| set & bit(index) != 0)
                })
            };
            let claim = known.claim(client, in_dns);
            // Of several that a user agent names, one that is proven is enough, and one that may be is a doubt.
            let rank = |claim: CrawlerClaim| match claim {
                CrawlerClaim::Verified => 3,
                CrawlerClaim::Undecided => 2,
                CrawlerClaim::Unverified => 1,
                CrawlerClaim::None => 0,
            };
            if claim != CrawlerClaim::None
                && found.is_none_or(|(before, _)| rank(claim) > rank(before))
            {
                found = Some((claim, index));
            }
        }
        found.map_or((CrawlerClaim::None, None), |(claim, index)| (claim, Some(index)))
    }

    fn claimed_by_user_agent(&self, headers: &HeaderMap) -> CrawlerSet {
        let Some(user_agent) = headers.get(header::USER_AGENT) else { return 0 };
        let bytes = user_agent.as_bytes();
        let bytes = bytes.get(..MAX_USER_AGENT).unwrap_or(bytes);
        let of = |part: usize| self.0.of_user_agent.get(part).map_or(0, |&index| bit(index));
        self.0
            .user_agents
            .find_overlapping_iter(bytes)
            .fold(0, |set, found| set | of(found.pattern().as_usize()))
    }

    fn count(&self, (claim, index): (CrawlerClaim, Option<usize>)) -> Claimed<'_> {
        let Some(known) = index.and_then(|index| self.0.crawlers.get(index)) else {
            return Claimed::NONE;
        };
        let total = match claim {
            CrawlerClaim::Verified => &known.verified,
            CrawlerClaim::Unverified => &known.unverified,
            CrawlerClaim::Undecided => &known.undecided,
            CrawlerClaim::None => return Claimed::NONE,
        };
        total.fetch_add(1, Ordering::Relaxed);
        Claimed { claim, name: Some(&known.name), action: known.action }
    }

    fn refresh_each<T>(&self, files: &mut [Followed<T>], known: &Known) -> bool {
        let mut changed = false;
        for file in files {
            match file.refresh() {
                Ok(new) => changed |= new,
                Err(error) => {
                    let path = file.path().display().to_string();
                    tracing::warn!(crawler = known.name, path, reason = error.reason(), %error, "a new file is not taken");
                    self.0.files_refused.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        changed
    }

    fn refused(&self, known: &Known, error: &dyn std::error::Error, reason: &str) {
        self.0.files_refused.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(crawler = known.name, reason, %error, "new networks are not taken");
    }
}

impl Known {
    /// What becomes of a user agent's claim. `in_dns` says whether DNS confirms it: `None` without an address, and
    /// `Some(None)` where it is not known yet.
    fn claim(
        &self,
        client: Option<IpAddr>,
        in_dns: impl FnOnce() -> Option<Option<bool>>,
    ) -> CrawlerClaim {
        if !self.has_networks && !self.has_domains {
            // Its signature would have been found.
            return if self.has_keys { CrawlerClaim::Unverified } else { CrawlerClaim::None };
        }
        let Some(client) = client else { return CrawlerClaim::Undecided };
        if self.has_networks && self.networks.load().contain(client) {
            return CrawlerClaim::Verified;
        }
        if !self.has_domains {
            return CrawlerClaim::Unverified;
        }
        match in_dns().flatten() {
            Some(true) => CrawlerClaim::Verified,
            Some(false) => CrawlerClaim::Unverified,
            None => CrawlerClaim::Undecided,
        }
    }
}

fn networks_of((inline, files): &Listed<IpNet>) -> Result<Networks, NetworksError> {
    let all: Vec<IpNet> =
        inline.iter().chain(files.iter().flat_map(Followed::get)).copied().collect();
    Networks::new(&all)
}

fn keys_of(crawlers: &[Listed<Key>]) -> Result<Keys, KeyError> {
    let all: Vec<Vec<Key>> = crawlers
        .iter()
        .map(|(inline, files)| {
            inline.iter().chain(files.iter().flat_map(Followed::get)).cloned().collect()
        })
        .collect();
    Keys::new(all.iter().map(Vec::as_slice))
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn is_user_agent(part: &str) -> bool {
    (3..=64).contains(&part.len()) && part.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests;

//! Verified bots: whether a request that says that it comes from a known crawler does.
//!
//! Three proofs, as the operator has them for each crawler: lists of networks, forward-confirmed reverse DNS, and
//! signatures (Web Bot Auth). None waits for anything: what DNS has not said yet is [`CrawlerClaim::Undecided`].
//! [`Crawlers::work`] asks DNS and follows files, on whatever runtime the proxy gives it; when it does not run, what is
//! known stays.

mod builder;
mod dns;
mod files;
mod known;
mod names;
mod networks;
mod resolver;
mod settings;
mod signature;

use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aho_corasick::AhoCorasick;
use arc_swap::ArcSwap;
use http::{HeaderMap, Uri, header};
use ipnet::IpNet;
use tokio::task::JoinSet;

pub use builder::CrawlersBuilder;
use dns::{CrawlerSet, Dns, bit};
pub use dns::{DnsCounters, DnsLimits};
pub use files::FileError;
use files::Listed;
pub use known::known_crawlers;
pub use networks::NetworksError;
pub use resolver::{DnsResolver, LookupError, NameServers, Resolver, ResolverError};
pub use settings::{Crawler, CrawlerAction, CrawlerError, CrawlerProblem};
pub use signature::KeyError;
use signature::{Key, Keys, Signed};

use crate::claim::{CrawlerClaim, CrawlerName};
use crate::networks::Networks;

/// How much of a user agent is searched.
const MAX_USER_AGENT: usize = 1_024;
/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// The known crawlers. A handle: clones share everything.
#[derive(Clone, Debug)]
pub struct Crawlers(Arc<Inner>);

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
pub struct Claimed {
    /// The claim.
    pub claim: CrawlerClaim,
    /// The crawler; `None` where none is claimed.
    pub name: Option<CrawlerName>,
    /// What is to be done if the claim is verified.
    pub action: CrawlerAction,
}

impl Claimed {
    /// No claim.
    pub const NONE: Self =
        Self { claim: CrawlerClaim::None, name: None, action: CrawlerAction::Score };
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
    lists: Mutex<Lists>,
    files_refused: AtomicU64,
}

#[derive(Debug)]
struct Known {
    name: CrawlerName,
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
struct Lists {
    networks: Vec<Listed<IpNet>>,
    keys: Vec<Listed<Key>>,
}

impl Crawlers {
    /// No crawler yet; see [`known_crawlers`].
    #[must_use]
    pub fn builder() -> CrawlersBuilder {
        CrawlersBuilder::default()
    }

    /// What becomes of a request's claim, if it makes one. `client` is its address, where that is known.
    #[must_use]
    pub fn claim(&self, request: &CrawlerRequest<'_>, client: Option<IpAddr>) -> Claimed {
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
        let mut lists = self.0.lists.lock().unwrap_or_else(PoisonError::into_inner);
        for (known, list) in self.0.crawlers.iter().zip(&mut lists.networks) {
            if list.refresh(|path, error| self.refused_file(known, path, error)) {
                match networks_of(list) {
                    Ok(networks) => known.networks.store(Arc::new(networks)),
                    Err(error) => {
                        self.0.files_refused.fetch_add(1, Ordering::Relaxed);
                        let (crawler, reason) = (known.name.as_str(), error.reason());
                        tracing::warn!(crawler, reason, %error, "new networks are not taken");
                    }
                }
            }
        }
        let mut new_keys = false;
        for (known, list) in self.0.crawlers.iter().zip(&mut lists.keys) {
            new_keys |= list.refresh(|path, error| self.refused_file(known, path, error));
        }
        if new_keys {
            match keys_of(&lists.keys) {
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
            name: known.name.as_str(),
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

    fn count(&self, (claim, index): (CrawlerClaim, Option<usize>)) -> Claimed {
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
        Claimed { claim, name: Some(known.name), action: known.action }
    }

    fn refused_file(&self, known: &Known, path: &Path, error: &FileError) {
        self.0.files_refused.fetch_add(1, Ordering::Relaxed);
        let (crawler, path) = (known.name.as_str(), path.display().to_string());
        tracing::warn!(crawler, path, reason = error.reason(), %error, "a new file is not taken");
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
        if self.has_networks && self.networks.load().contains(client) {
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

fn networks_of(list: &Listed<IpNet>) -> Result<Networks, NetworksError> {
    networks::set_of(&list.all())
}

fn keys_of(lists: &[Listed<Key>]) -> Result<Keys, KeyError> {
    let all: Vec<Vec<Key>> = lists.iter().map(Listed::all).collect();
    Keys::new(all.iter().map(Vec::as_slice))
}

#[cfg(test)]
mod tests;

//! Forward-confirmed reverse DNS: an address is a crawler's where one of its names lies under the crawler's domain and
//! that name has the address. Google, Bing and others document it; the second step is what a liar cannot fake.
//!
//! A request never waits for it: it is answered with what is known, and what is not known is looked up for the next one.
//! Memory is fixed at start. What a flood could exhaust has a bound of its own: entries, lookups that wait, and how many
//! of those one network may have.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use foldhash::quality::RandomState;
use tokio::sync::Notify;

use super::names::{host_name, is_under};
use super::resolver::{LookupError, Resolver};

/// Entries that share a lock and compete for room.
const WAYS: usize = 8;
/// Names of an address that are looked at, and of these, those under a crawler's domain whose addresses are asked for. An
/// address may have any number of names, but no crawler's has many.
const MAX_NAMES: usize = 16;
const MAX_FORWARD: usize = 4;
/// The first wait after a lookup that failed; it doubles up to [`MAX_RETRY_DOUBLINGS`] times, to some ten minutes.
const RETRY: Duration = Duration::from_secs(5);
const MAX_RETRY_DOUBLINGS: u8 = 7;

/// Which crawlers an address was found to belong to: a bit each, by index.
pub(super) type CrawlerSet = u64;
/// Most crawlers, so that a set of them fits a word.
pub(super) const MAX_CRAWLERS: usize = 64;

/// Bounds of the lookups in DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsLimits {
    /// Addresses that are remembered. Some 100 bytes each.
    pub entries: usize,
    /// Lookups that wait.
    pub queue: usize,
    /// Lookups of one /24 (IPv4) or /48 (IPv6) that wait or are under way, so that no network holds up all others.
    pub per_network: u8,
    /// Lookups at a time.
    pub workers: usize,
    /// The longest that a lookup, all its questions together, may take.
    pub deadline: Duration,
    /// How long a confirmed address counts before it is looked up again.
    pub confirmed_for: Duration,
    /// How long an address that is no crawler's counts before it is looked up again.
    pub refuted_for: Duration,
}

impl Default for DnsLimits {
    fn default() -> Self {
        Self {
            entries: 16_384,
            queue: 1_024,
            per_network: 4,
            workers: 8,
            deadline: Duration::from_secs(5),
            confirmed_for: Duration::from_secs(3_600),
            refuted_for: Duration::from_secs(600),
        }
    }
}

/// What was asked of DNS since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsCounters {
    /// Claims that were answered from the cache.
    pub hits: u64,
    /// Claims of addresses that were not known, or no longer.
    pub misses: u64,
    /// Lookups that were not begun because the queue was full.
    pub queue_full: u64,
    /// Lookups that were not begun because the client's network had as many as it may have.
    pub network_full: u64,
    /// Lookups that ended with an answer.
    pub answered: u64,
    /// Lookups that failed or took too long.
    pub failed: u64,
}

#[derive(Debug)]
pub(super) struct Dns {
    sets: Box<[Set]>,
    /// Stands in for an index out of range, which cannot be.
    first: Set,
    hasher: RandomState,
    queue: Mutex<Queue>,
    wake: Notify,
    /// Each crawler's domains, as [`host_name`] returns them.
    domains: Box<[Box<[String]>]>,
    limits: DnsLimits,
    totals: Totals,
}

type Set = Mutex<[Option<Entry>; WAYS]>;

#[derive(Clone, Copy, Debug)]
struct Entry {
    address: IpAddr,
    /// What was found, until when it counts; `None` before the first answer.
    found: Option<(CrawlerSet, Instant)>,
    /// When it is to be looked up (again).
    due: Instant,
    waiting: bool,
    failures: u8,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<IpAddr>,
    /// Lookups that wait or are under way, by network: no more entries than lookups.
    networks: HashMap<IpAddr, u8>,
}

#[derive(Debug, Default)]
struct Totals {
    hits: AtomicU64,
    misses: AtomicU64,
    queue_full: AtomicU64,
    network_full: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
}

impl Dns {
    pub(super) fn new(domains: Vec<Box<[String]>>, limits: DnsLimits) -> Self {
        let sets = limits.entries.div_ceil(WAYS).max(1);
        Self {
            sets: (0..sets).map(|_| Set::default()).collect(),
            first: Set::default(),
            hasher: RandomState::default(),
            queue: Mutex::default(),
            wake: Notify::new(),
            domains: domains.into(),
            limits,
            totals: Totals::default(),
        }
    }

    /// The crawlers that `client` belongs to, as far as is known. What is not known is looked up in the background.
    pub(super) fn ask(&self, client: IpAddr, now: Instant) -> Option<CrawlerSet> {
        let client = client.to_canonical();
        let mut set = self.set(client);
        if let Some(entry) = set.iter_mut().flatten().find(|entry| entry.address == client) {
            // An answer that is due again counts as long again, so that a crawler is not unknown while DNS is slow.
            let found = entry.found.filter(|(_, until)| now < *until).map(|(found, _)| found);
            if !entry.waiting && now >= entry.due {
                entry.waiting = self.enqueue(client);
            }
            bump(if found.is_some() { &self.totals.hits } else { &self.totals.misses });
            return found;
        }
        bump(&self.totals.misses);
        let victim = set.iter_mut().min_by_key(|slot| worth(slot.as_ref(), now));
        let entry = Entry { address: client, found: None, due: now, waiting: true, failures: 0 };
        if let Some(slot) = victim.filter(|slot| worth(slot.as_ref(), now).0 < Worth::Kept)
            && self.enqueue(client)
        {
            *slot = Some(entry);
        }
        None
    }

    /// Looks addresses up as they come, for ever. Any number of these may run at a time.
    pub(super) async fn work(self: Arc<Self>, resolver: Arc<dyn Resolver>) {
        loop {
            let lookup = self.next().await;
            let confirming = self.confirm(resolver.as_ref(), lookup.address);
            let found = tokio::time::timeout(self.limits.deadline, confirming).await;
            lookup.end(found.unwrap_or(Err(LookupError::Failed)), Instant::now());
        }
    }

    pub(super) fn limits(&self) -> &DnsLimits {
        &self.limits
    }

    pub(super) fn counters(&self) -> DnsCounters {
        let read = |total: &AtomicU64| total.load(Ordering::Relaxed);
        DnsCounters {
            hits: read(&self.totals.hits),
            misses: read(&self.totals.misses),
            queue_full: read(&self.totals.queue_full),
            network_full: read(&self.totals.network_full),
            answered: read(&self.totals.answered),
            failed: read(&self.totals.failed),
        }
    }

    async fn confirm(
        &self,
        resolver: &dyn Resolver,
        address: IpAddr,
    ) -> Result<CrawlerSet, LookupError> {
        let names = match resolver.names(address).await {
            Ok(names) => names,
            Err(LookupError::NoRecord) => return Ok(0),
            Err(failed) => return Err(failed),
        };
        let (mut confirmed, mut failed, mut asked) = (0, None, 0_usize);
        for name in names.iter().take(MAX_NAMES).filter_map(|name| host_name(name)) {
            let claimed = self.crawlers_of(&name);
            if claimed & !confirmed == 0 {
                continue;
            }
            if asked == MAX_FORWARD {
                break;
            }
            asked = asked.saturating_add(1);
            match resolver.addresses(&name, address).await {
                Ok(addresses) if addresses.contains(&address) => confirmed |= claimed,
                Ok(_) | Err(LookupError::NoRecord) => {}
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if confirmed == 0 => Err(error),
            _ => Ok(confirmed),
        }
    }

    /// Those that have a domain that `name` lies under.
    fn crawlers_of(&self, name: &str) -> CrawlerSet {
        let of = self.domains.iter().map(|domains| domains.iter().any(|it| is_under(name, it)));
        of.enumerate().filter(|(_, is)| *is).fold(0, |set, (index, _)| set | bit(index))
    }

    /// Whether there was room.
    fn enqueue(&self, client: IpAddr) -> bool {
        let mut queue = lock(&self.queue);
        if queue.waiting.len() >= self.limits.queue {
            bump(&self.totals.queue_full);
            return false;
        }
        let of_network = queue.networks.entry(network(client)).or_insert(0);
        if *of_network >= self.limits.per_network {
            bump(&self.totals.network_full);
            return false;
        }
        *of_network = of_network.saturating_add(1);
        queue.waiting.push_back(client);
        drop(queue);
        self.wake.notify_one();
        true
    }

    async fn next(self: &Arc<Self>) -> Lookup {
        loop {
            let (next, more) = {
                let mut queue = lock(&self.queue);
                (queue.waiting.pop_front(), !queue.waiting.is_empty())
            };
            if more {
                // One call may have stood for several.
                self.wake.notify_one();
            }
            if let Some(address) = next {
                return Lookup { dns: Arc::clone(self), address, ended: false };
            }
            self.wake.notified().await;
        }
    }

    fn set(&self, client: IpAddr) -> MutexGuard<'_, [Option<Entry>; WAYS]> {
        let hash = usize::try_from(self.hasher.hash_one(client) >> 1).unwrap_or_default();
        let at = hash.checked_rem(self.sets.len()).unwrap_or_default();
        lock(self.sets.get(at).unwrap_or(&self.first))
    }
}

/// A lookup under way. One that is dropped unended, as by a panic, has failed.
#[derive(Debug)]
struct Lookup {
    dns: Arc<Dns>,
    address: IpAddr,
    ended: bool,
}

impl Lookup {
    fn end(mut self, found: Result<CrawlerSet, LookupError>, now: Instant) {
        self.note(found, now);
    }

    fn note(&mut self, found: Result<CrawlerSet, LookupError>, now: Instant) {
        self.ended = true;
        let mut queue = lock(&self.dns.queue);
        let network = network(self.address);
        let left = queue.networks.get(&network).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            queue.networks.remove(&network);
        } else {
            queue.networks.insert(network, left);
        }
        drop(queue);
        bump(if found.is_ok() { &self.dns.totals.answered } else { &self.dns.totals.failed });

        let mut set = self.dns.set(self.address);
        let Some(entry) = set.iter_mut().flatten().find(|entry| entry.address == self.address)
        else {
            return;
        };
        entry.waiting = false;
        match found {
            Ok(found) => {
                let limits = &self.dns.limits;
                let fresh = if found == 0 { limits.refuted_for } else { limits.confirmed_for };
                entry.due = later(now, fresh);
                entry.found = Some((found, later(now, fresh.saturating_mul(2))));
                entry.failures = 0;
            }
            Err(_) => {
                let doublings = entry.failures.min(MAX_RETRY_DOUBLINGS);
                let factor = 1_u32.checked_shl(doublings.into()).unwrap_or(1);
                entry.due = later(now, RETRY.saturating_mul(factor));
                entry.failures = entry.failures.saturating_add(1);
            }
        }
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        if !self.ended {
            self.note(Err(LookupError::Failed), Instant::now());
        }
    }
}

/// What an entry is worth against a new one. Crawlers that were confirmed are few and stay: a flood of liars cannot make
/// them unknown. What is being looked up stays, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Nothing,
    Some,
    Kept,
}

fn worth(entry: Option<&Entry>, now: Instant) -> (Worth, Option<Instant>) {
    let Some(entry) = entry else { return (Worth::Nothing, None) };
    let worth = match entry.found {
        _ if entry.waiting => Worth::Kept,
        Some((found, until)) if now < until => {
            if found == 0 {
                Worth::Some
            } else {
                Worth::Kept
            }
        }
        Some(_) => Worth::Nothing,
        None => Worth::Some,
    };
    (worth, Some(entry.due))
}

/// /24 or /48: what one party may well hold as a whole.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4((address.to_bits() & 0xffff_ff00).into()),
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

pub(super) fn bit(index: usize) -> CrawlerSet {
    u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index)).unwrap_or(0)
}

fn later(now: Instant, by: Duration) -> Instant {
    now.checked_add(by).unwrap_or(now)
}

/// What a panic left behind is whole: no change to it is made in two steps that may panic between.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bump(total: &AtomicU64) {
    total.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;

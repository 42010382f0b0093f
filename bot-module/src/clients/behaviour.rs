//! The histories of the clients seen last: a cache with four ways, each bucket under a lock that nobody waits for.

use std::sync::{Mutex, MutexGuard, TryLockError};

use super::{Site, history::History};

/// The clients that share a bucket.
const WAYS: usize = 4;

/// What is remembered of each of a fixed number of clients.
///
/// - **Never grows**: all buckets are allocated at start.
/// - **Hides, never frames.** A history stands under the client's whole identity, so no client is ever taken for
///   another. A new client takes the place of the one in its bucket that was not seen for longest. A flood of clients
///   thus makes the table forget others, whose behaviour is then unknown, and unknown speaks against nobody.
/// - **Never waits.** Two requests that meet in one bucket at the same instant: the second goes unrecorded, and its
///   client's behaviour is unknown to it.
#[derive(Debug)]
pub(super) struct BehaviourTable {
    buckets: Box<[Mutex<Bucket>]>,
}

/// The identities lie together, apart from the histories: a look-up reads one cache line of them.
#[derive(Debug, Default)]
struct Bucket {
    sites: [Site; WAYS],
    histories: [History; WAYS],
}

impl BehaviourTable {
    /// A table for `clients` clients, rounded up to whole buckets, and at least one.
    pub(super) fn new(clients: u32) -> Self {
        let buckets = (clients as usize).div_ceil(WAYS).max(1);
        Self { buckets: (0..buckets).map(|_| Mutex::default()).collect() }
    }

    /// Does `work` with the history of `site`, which begins here if there is none. `None` where another thread has the
    /// bucket.
    pub(super) fn with<T>(
        &self,
        site: Site,
        hash: u64,
        work: impl FnOnce(&mut History) -> T,
    ) -> Option<T> {
        self.bucket(hash)?.admit(site).map(work)
    }

    /// As [`Self::with`], but does nothing where there is no history.
    pub(super) fn with_known<T>(
        &self,
        site: Site,
        hash: u64,
        work: impl FnOnce(&mut History) -> T,
    ) -> Option<T> {
        self.bucket(hash)?.find(site).map(work)
    }

    fn bucket(&self, hash: u64) -> Option<MutexGuard<'_, Bucket>> {
        // Maps 64 bits to the buckets without a division (Lemire, 2019).
        let index = (u128::from(hash).wrapping_mul(self.buckets.len() as u128) >> 64) as usize;
        match self.buckets.get(index)?.try_lock() {
            Ok(bucket) => Some(bucket),
            // Nothing panics under the lock; and if it did, a history is whole after each of its steps.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl Bucket {
    fn find(&mut self, site: Site) -> Option<&mut History> {
        let way = self.sites.iter().position(|known| *known == site)?;
        self.histories.get_mut(way)
    }

    /// The history of `site`, in place of the oldest one if it has none. An empty place is older than any.
    fn admit(&mut self, site: Site) -> Option<&mut History> {
        if self.sites.contains(&site) {
            return self.find(site);
        }
        let (_, known, history) = self
            .sites
            .iter_mut()
            .zip(&mut self.histories)
            .map(|(known, history)| ((known.family != 0, history.last_seen()), known, history))
            .min_by_key(|(age, ..)| *age)?;
        *known = site;
        *history = History::default();
        Some(history)
    }
}

#[cfg(test)]
mod tests;

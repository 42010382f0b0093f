//! What each client did of late, in memory that is fixed at start.
//!
//! A client is an IPv4 address or an IPv6 /64, since a site is given a /64 and may use all of it. Everyone behind one
//! address, as behind a carrier's NAT, is one client: rows about behaviour are evidence beside other rows, not alone.

mod behaviour;
mod history;
mod rate;

use std::{
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
    net::IpAddr,
    time::Duration,
};

use self::behaviour::BehaviourTable;
pub(crate) use self::rate::RateTable;
use crate::request::ClientActivity;

/// The tables of all that is kept about clients.
pub(crate) struct Clients {
    secret: Secret,
    rates: RateTable,
    behaviours: BehaviourTable,
}

impl Clients {
    /// Tables of `rate_slots` counters in each of four rows, and of the histories of `client_slots` clients.
    pub(crate) fn new(rate_slots: u32, client_slots: u32, secret: Secret) -> Self {
        Self {
            secret,
            rates: RateTable::new(rate_slots),
            behaviours: BehaviourTable::new(client_slots),
        }
    }

    /// Counts a request for `path` at `now`, a time since any fixed origin, and says what its client did up to and with
    /// it: only its rate, unless its `behaviour` is asked for too.
    pub(crate) fn observe(
        &self,
        client: IpAddr,
        path: &str,
        now: Duration,
        behaviour: bool,
    ) -> ClientActivity {
        let site = Site::of(client);
        let hash = self.secret.hash(site);
        let activity = ClientActivity::of_rate(self.rates.record(hash, now));
        if !behaviour {
            return activity;
        }
        let path = self.secret.hash(path);
        let known = self.behaviours.with(site, hash, |history| {
            history.request(path, now);
            history.behaviour()
        });
        // Unknown while another thread has the client's bucket: a request never waits.
        let Some(behaviour) = known else { return activity };
        ClientActivity {
            distinct_paths: behaviour.distinct_paths,
            error_percent: behaviour.error_percent,
            gap_variation_percent: behaviour.gap_variation_percent,
            ..activity
        }
    }

    /// Records with which status the origin answered a client's request.
    pub(crate) fn answered(&self, client: IpAddr, status: u16, now: Duration) {
        let site = Site::of(client);
        let is_error = is_clients_error(status);
        self.behaviours.with_known(site, self.secret.hash(site), |history| {
            history.answered(is_error, now);
        });
    }
}

/// Whether a status speaks against the client that is given it: 4xx, without two that honest clients meet in numbers.
/// 401 is how a login begins, and what a page that polls is told once its session has ended. 429 is about how often was
/// asked, which has rows of its own, and not about what.
const fn is_clients_error(status: u16) -> bool {
    matches!(status, 400..=499) && !matches!(status, 401 | 429)
}

/// A client as the tables tell them apart: the whole IPv4 address, or the first 64 bits of the IPv6 address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Site {
    /// 4 or 6; 0 is nobody.
    family: u8,
    id: u64,
}

impl Site {
    pub(crate) const fn of(client: IpAddr) -> Self {
        match client.to_canonical() {
            IpAddr::V4(address) => Self { family: 4, id: address.to_bits() as u64 },
            IpAddr::V6(address) => Self { family: 6, id: (address.to_bits() >> 64) as u64 },
        }
    }
}

/// What decides where clients and paths lie in the tables, so that nobody outside can choose to collide: SipHash-1-3,
/// begun with 128 bits that only this process knows.
pub(crate) struct Secret(DefaultHasher);

impl Secret {
    /// A secret of this process, from the system's randomness.
    pub(crate) fn random() -> Self {
        let random = RandomState::new();
        Self::of([random.hash_one(0_u8), random.hash_one(1_u8)])
    }

    /// No secret at all: for replays, which must come out the same each time.
    pub(crate) fn known() -> Self {
        Self::of([0, 0])
    }

    fn of(key: [u64; 2]) -> Self {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        Self(hasher)
    }

    pub(crate) fn hash(&self, value: impl Hash) -> u64 {
        let mut hasher = self.0.clone();
        value.hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests;

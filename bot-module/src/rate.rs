//! How many requests each client makes, in memory that is fixed at start.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Counters that each client has: one in each row of the table.
const ROWS: usize = 4;
/// The bits of a counter that hold a count; it stops at `COUNT_MAX`.
const COUNT_BITS: u32 = 20;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
/// The bits that hold the number of the second; they wrap after 194 days, by when a counter is long stale.
const SECOND_MASK: u64 = (1 << 24) - 1;

/// Requests per client within the last second: a count-min sketch (Cormode and Muthukrishnan, 2005) of sliding
/// windows, without locks.
///
/// A client is an IPv4 address or an IPv6 /64, since a site is given a /64 and may use all of it. It has one counter
/// in each of four rows, by a hash under a secret of this process, and its rate is the smallest of the four.
///
/// - **Never grows**: the table is allocated once, whatever the number of clients.
/// - **May over-count, by collision only.** Others who share all four counters of a client add to it. Over a width of
///   `w` counters, `h` clients above a rate make any other client appear to be above it with a probability of about
///   `(h/w)⁴`: for 5 000 and the default width, 1 in 30 000. Nobody outside can choose to collide, not knowing the
///   secret.
/// - **Interpolates.** Of the last full second's count, the share that the running second has not yet passed is added
///   to the running second's count. For requests evenly spread that is the number within the last second; it is never
///   less than the running second's count, nor more than both together.
#[derive(Debug)]
pub(crate) struct RateTable {
    /// `ROWS` rows of `width` counters.
    counters: Box<[AtomicU64]>,
    width: u64,
    secret: RandomState,
}

impl RateTable {
    /// A table of `width` counters in each of its rows, at least 1.
    pub(crate) fn new(width: u32, secret: RandomState) -> Self {
        let width = width.max(1);
        let counters = (width as usize).saturating_mul(ROWS);
        Self {
            counters: (0..counters).map(|_| AtomicU64::new(0)).collect(),
            width: width.into(),
            secret,
        }
    }

    /// Counts a request of `client` at `now`, a time since any fixed origin, and returns how many it made within the
    /// last second, this one included.
    pub(crate) fn record(&self, client: IpAddr, now: Duration) -> u64 {
        let site = match client.to_canonical() {
            IpAddr::V4(address) => (4, u64::from(address.to_bits())),
            IpAddr::V6(address) => (6, (address.to_bits() >> 64) as u64),
        };
        let hash = self.secret.hash_one(site);
        // Four indices of one hash (Kirsch and Mitzenmacher, 2008).
        let step = hash.rotate_left(32) | 1;
        let mut rate = u64::MAX;
        for (row, counters) in (0_u64..).zip(self.counters.chunks(self.width as usize)) {
            let mixed = hash.wrapping_add(step.wrapping_mul(row));
            // Maps 64 bits to 0..width without a division (Lemire, 2019).
            let index = (u128::from(mixed).wrapping_mul(u128::from(self.width)) >> 64) as usize;
            if let Some(counter) = counters.get(index) {
                rate = rate.min(count(counter, now));
            }
        }
        rate
    }
}

/// Adds one to a counter: `second (24 bits) | count of the second before (20) | count of this second (20)`.
fn count(counter: &AtomicU64, now: Duration) -> u64 {
    let second = now.as_secs() & SECOND_MASK;
    let rolled = |word: u64| {
        let (then, before, running) =
            (word >> (2 * COUNT_BITS), word >> COUNT_BITS & COUNT_MAX, word & COUNT_MAX);
        match second.wrapping_sub(then) & SECOND_MASK {
            0 => (before, running.saturating_add(1).min(COUNT_MAX)),
            1 => (running, 1),
            // A thread that read the clock just before the second turned counts in the second that now runs.
            SECOND_MASK => (before, running.saturating_add(1).min(COUNT_MAX)),
            _ => (0, 1),
        }
    };
    let mut word = counter.load(Ordering::Relaxed);
    loop {
        let (before, running) = rolled(word);
        let late = second.wrapping_sub(word >> (2 * COUNT_BITS)) & SECOND_MASK == SECOND_MASK;
        let stamp = if late { word >> (2 * COUNT_BITS) } else { second };
        let next = stamp << (2 * COUNT_BITS) | before << COUNT_BITS | running;
        match counter.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => {
                let passed = u64::from(now.subsec_millis());
                let remaining = before.saturating_mul(1_000_u64.saturating_sub(passed)) / 1_000;
                return running.saturating_add(remaining);
            }
            Err(current) => word = current,
        }
    }
}

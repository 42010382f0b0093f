//! How many requests each client makes, in memory that is fixed at start.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Counters that each client has: one in each row of the table.
const ROWS: usize = 4;
/// The bits of a counter that hold a count; it stops at `COUNT_MAX`.
const COUNT_BITS: u32 = 20;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
/// The bits that hold the number of the second. They wrap after 194 days: a counter that was last touched exactly that
/// long ago goes on from where it stood.
const SECOND_MASK: u64 = (1 << 24) - 1;

/// Requests per client within the last second: a count-min sketch (Cormode and Muthukrishnan, 2005) of sliding
/// windows, without locks.
///
/// A client has one counter in each of four rows, by a hash under a secret of this process, and its rate is the smallest
/// of the four.
///
/// - **Never grows**: the table is allocated once, whatever the number of clients.
/// - **May over-count, by collision only.** Others who share the counters of a client add to them. Over a
///   width of `w`, `h` clients above a rate make any other client appear above it with a probability of about
///   `(h/w)⁴ + h/w²`: for 5 000 such clients and the default width, 1 in 28 000. Nobody outside can choose to collide,
///   not knowing the secret.
/// - **Interpolates.** Of the last full second's count, the share that the running second has not yet passed is added
///   to the running second's count. For requests evenly spread that is the number within the last second; it is never
///   less than the running second's count, nor more than both together.
#[derive(Debug)]
pub(crate) struct RateTable {
    /// `ROWS` rows of `width` counters.
    counters: Box<[AtomicU64]>,
    width: u64,
}

impl RateTable {
    /// A table of `width` counters in each of its rows, at least 1.
    pub(crate) fn new(width: u32) -> Self {
        let width = width.max(1);
        let counters = (width as usize).saturating_mul(ROWS);
        Self { counters: (0..counters).map(|_| AtomicU64::new(0)).collect(), width: width.into() }
    }

    /// Counts a request at `now`, a time since any fixed origin, of the client that has this hash, and returns how many it
    /// made within the last second, this one included.
    pub(crate) fn record(&self, hash: u64, now: Duration) -> u64 {
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

/// A counter: the second it is in, and what it counted in that second and in the one before.
#[derive(Clone, Copy)]
struct Window {
    second: u64,
    before: u64,
    running: u64,
}

impl Window {
    /// `second (24 bits) | before (20) | running (20)`.
    const fn of_word(word: u64) -> Self {
        Self {
            second: word >> (2 * COUNT_BITS),
            before: word >> COUNT_BITS & COUNT_MAX,
            running: word & COUNT_MAX,
        }
    }

    const fn word(self) -> u64 {
        self.second << (2 * COUNT_BITS) | self.before << COUNT_BITS | self.running
    }

    /// With one more request in `second`.
    fn plus_one(self, second: u64) -> Self {
        let ahead = second.wrapping_sub(self.second) & SECOND_MASK;
        match ahead {
            // A thread that read the clock just before the second turned counts in the second that now runs.
            0 | SECOND_MASK => {
                Self { running: self.running.saturating_add(1).min(COUNT_MAX), ..self }
            }
            1 => Self { second, before: self.running, running: 1 },
            _ => Self { second, before: 0, running: 1 },
        }
    }

    /// The count within the last second, when `passed` milliseconds of the running one have passed.
    const fn within_a_second(self, passed: u32) -> u64 {
        let share = 1_000_u64.saturating_sub(passed as u64);
        self.running.saturating_add(self.before.saturating_mul(share) / 1_000)
    }
}

/// Adds one to a counter and reads it.
fn count(counter: &AtomicU64, now: Duration) -> u64 {
    let second = now.as_secs() & SECOND_MASK;
    let mut word = counter.load(Ordering::Relaxed);
    loop {
        let next = Window::of_word(word).plus_one(second);
        // Counters stand alone: nothing else is published through them.
        match counter.compare_exchange_weak(word, next.word(), Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => return next.within_a_second(now.subsec_millis()),
            Err(current) => word = current,
        }
    }
}

#[cfg(test)]
mod tests;

//! The clock that the age of a head is told by.

#![allow(clippy::disallowed_methods, reason = "owns the clock of the source")]

use std::{
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    light_client::{Network, Slot},
    millis::millis,
};

/// What a host has to tell the time by.
pub trait Time: Send + fmt::Debug {
    /// Milliseconds since the Unix epoch, as the host believes: an operator, or NTP, may set it at any moment.
    fn unix_ms(&self) -> u64;

    /// Milliseconds since some moment: never set, never going back.
    fn steady_ms(&self) -> u64;
}

/// The host's clocks.
#[derive(Debug)]
pub struct HostTime {
    began: Instant,
}

impl Default for HostTime {
    fn default() -> Self {
        Self { began: Instant::now() }
    }
}

impl Time for HostTime {
    fn unix_ms(&self) -> u64 {
        millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    fn steady_ms(&self) -> u64 {
        millis(self.began.elapsed())
    }
}

/// `MAXIMUM_GOSSIP_CLOCK_DISPARITY` (consensus-specs, configs/mainnet.yaml): how far honest clocks are apart.
const DISPARITY_MS: u64 = 500;
/// A header that is first seen within so many slots from its signature is as new as they get.
const FRESH_SLOTS: u64 = 4;

/// Unix time that runs on the steady clock from where it was anchored.
#[derive(Debug)]
pub(super) struct SlotClock {
    time: Box<dyn Time>,
    /// Unix and steady time of the anchor.
    anchor: (u64, u64),
}

impl SlotClock {
    pub(super) fn new(time: Box<dyn Time>) -> Self {
        let anchor = (time.unix_ms(), time.steady_ms());
        Self { time, anchor }
    }

    /// Goes on from what the wall clock says.
    pub(super) fn anchor(&mut self) {
        self.anchor = (self.time.unix_ms(), self.time.steady_ms());
    }

    /// Unix milliseconds.
    pub(super) fn now_ms(&self) -> u64 {
        let (unix, steady) = self.anchor;
        unix.saturating_add(self.time.steady_ms().saturating_sub(steady))
    }

    /// The slot of now.
    pub(super) fn slot(&self, network: &Network) -> Slot {
        network.slot_at(self.now_ms())
    }

    /// The last slot in which a signature that is here now can have been made.
    ///
    /// The wall clock counts where it is ahead, or a host whose clock was slow at the start could never be told so. That
    /// loosens a bound which two thirds of a committee would have to be hostile to use, and nothing else.
    pub(super) fn latest_slot(&self, network: &Network) -> Slot {
        network.slot_at(self.latest_ms())
    }

    /// Whether that Unix second has not come by either clock.
    pub(super) fn is_of_future(&self, timestamp: u64) -> bool {
        timestamp.saturating_mul(1_000) > self.latest_ms()
    }

    fn latest_ms(&self) -> u64 {
        self.now_ms().max(self.time.unix_ms()).saturating_add(DISPARITY_MS)
    }

    /// Milliseconds since that Unix second.
    pub(super) fn age_of(&self, timestamp: u64) -> u64 {
        self.now_ms().saturating_sub(timestamp.saturating_mul(1_000))
    }

    /// Milliseconds since `slot` began.
    pub(super) fn age_ms(&self, network: &Network, slot: Slot) -> u64 {
        self.now_ms().saturating_sub(network.slot_start_ms(slot))
    }

    /// Learns that a header signed in `slot` was verified, the newest so far. Whether the clock now goes by the wall clock.
    pub(super) fn witness(&mut self, network: &Network, slot: Slot) -> bool {
        self.witness_at(network.slot_start_ms(slot), network.slot_duration)
    }

    /// The same for a header of that Unix time in milliseconds, on a chain with such slots.
    pub(super) fn witness_at(&mut self, at_ms: u64, slot: Duration) -> bool {
        let signed = Signed { at_ms, slot_ms: millis(slot) };
        let moves = goes_by_the_wall(self.now_ms(), self.time.unix_ms(), signed);
        if moves {
            self.anchor();
        }
        moves
    }
}

/// When a header was signed.
#[derive(Clone, Copy)]
struct Signed {
    /// Start of the slot, Unix milliseconds.
    at_ms: u64,
    /// Length of a slot in milliseconds.
    slot_ms: u64,
}

impl Signed {
    /// Whether it is just now, by that clock.
    fn is_fresh(self, clock_ms: u64) -> bool {
        let latest = self.at_ms.saturating_add(FRESH_SLOTS.saturating_mul(self.slot_ms));
        (self.at_ms.saturating_sub(DISPARITY_MS)..=latest).contains(&clock_ms)
    }
}

/// Whether the wall clock is to be followed from here: only where a header that is verified, and newer than any before,
/// confirms it and refutes the anchored clock. So a host whose clock was wrong at the start and then corrected, or that was
/// suspended, needs no restart; and whoever can set the clock alone changes nothing.
fn goes_by_the_wall(anchored_ms: u64, wall_ms: u64, signed: Signed) -> bool {
    signed.is_fresh(wall_ms) && !signed.is_fresh(anchored_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    const AT: u64 = 1_800_000_000_000;

    #[test]
    fn only_a_header_that_confirms_the_wall_clock_and_refutes_the_anchor_moves_it() {
        let signed = Signed { at_ms: AT, slot_ms: 12_000 };
        let now = AT + 5_000;
        for (anchored, wall, moves, why) in [
            (now, now, false, "they agree"),
            (now, now + HOUR, false, "the wall clock jumped ahead"),
            (now, now - HOUR, false, "the wall clock jumped back"),
            (now - HOUR, now, true, "slow at the start, then corrected; or suspended"),
            (now + HOUR, now, true, "fast at the start, then corrected"),
            (now - HOUR, now + HOUR, false, "both are wrong"),
            (now + HOUR, now + HOUR, false, "an old header tells nothing"),
            (AT - 501, AT - 500, true, "the last moment at which clocks disagree honestly"),
            (AT + 48_001, AT + 48_000, true, "the last moment at which a header is new"),
        ] {
            assert_eq!(goes_by_the_wall(anchored, wall, signed), moves, "{why}");
        }
    }

    #[test]
    fn slots_at_the_ends_of_time_do_not_overflow() {
        for at_ms in [0, u64::MAX] {
            let signed = Signed { at_ms, slot_ms: u64::MAX };
            assert!(!goes_by_the_wall(at_ms, at_ms, signed));
        }
    }
}

//! How much evidence others can cause.

use crate::machine::Millis;

/// Lines that may come at once.
const BURST: u64 = 64;
/// Milliseconds until one more may: an endpoint that fails in ever new ways must not fill the disk. With the line for each
/// recovery, about 1 MB a day.
const EVERY: Millis = 60_000;

/// A bucket of lines that fills again with time.
#[derive(Debug)]
pub(super) struct Allowance {
    lines: u64,
    /// When the last line was added.
    filled_at: Millis,
    left_out: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { lines: BURST, filled_at: 0, left_out: 0 }
    }
}

impl Allowance {
    /// Takes a line, and gives how many were left out since the last one that was not; `None` where there is none.
    pub(super) fn take(&mut self, now: Millis) -> Option<u64> {
        let fresh = now.saturating_sub(self.filled_at) / EVERY;
        self.filled_at = self.filled_at.saturating_add(fresh.saturating_mul(EVERY));
        self.lines = self.lines.saturating_add(fresh).min(BURST);
        let Some(rest) = self.lines.checked_sub(1) else {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        };
        self.lines = rest;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_burst_then_a_line_a_minute_and_what_is_left_out_is_counted() {
        let mut allowance = Allowance::default();
        assert!((0..BURST).all(|at| allowance.take(at) == Some(0)));
        assert_eq!([BURST, 30_000, 59_999].map(|at| allowance.take(at)), [None; 3]);
        assert_eq!([60_000, 60_001].map(|at| allowance.take(at)), [Some(3), None]);
        let much_later = 500 * EVERY;
        assert_eq!(allowance.take(much_later), Some(1));
        assert_eq!((0..2 * BURST).filter_map(|_| allowance.take(much_later)).count(), 63);
    }
}

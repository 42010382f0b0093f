//! What one client did of late.

use std::time::Duration;

/// Paths and answers count in windows of this many seconds, that running and the one before: so *of late* is the last
/// five to ten minutes.
const WINDOW: u64 = 300;
/// Answers below which no share of errors is told: at 20, one answer is 5 %.
const MIN_ANSWERS: u32 = 20;
/// Gaps below which no variation is told.
const MIN_GAPS: u8 = 8;
/// Beyond this many gaps, the mean and the variance forget: the newest gap weighs 1/32, so that half of the weight lies
/// on the last 22.
const GAP_MEMORY: u8 = 32;
/// Requests that follow within this time belong to one burst, and are no gap.
///
/// A browser asks for a page's parts side by side, over HTTP/2 in one packet, and the network may space them evenly.
/// What is left are the steps of loading a page, tens to hundreds of milliseconds, between the pauses of its reader,
/// seconds to minutes: as uneven as gaps can be. A loop that asks faster than this shows in its rate.
const BURST: Duration = Duration::from_millis(10);
/// Bits of a set of paths.
const PATH_BITS: u32 = 256;

/// A client's requests and answers of late, in 112 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct History {
    /// When the last request came.
    last: Duration,
    /// The number of the running window.
    window: u32,
    running: Window,
    before: Window,
    gaps: Gaps,
}

/// What a history tells, as [`crate::ClientActivity`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behaviour {
    pub(super) distinct_paths: u64,
    pub(super) error_percent: Option<u64>,
    pub(super) gap_variation_percent: Option<u64>,
}

impl History {
    /// Records a request for the path of this hash.
    pub(super) fn request(&mut self, path: u64, now: Duration) {
        self.turn(now);
        self.running.paths.insert(path);
        if self.gaps.begun {
            // A thread that read the clock earlier may come later: then there is no gap.
            let gap = now.saturating_sub(self.last);
            if gap >= BURST {
                self.gaps.record(gap.as_secs_f32());
            }
        }
        self.gaps.begun = true;
        self.last = self.last.max(now);
    }

    /// Records an answer.
    pub(super) fn answered(&mut self, is_error: bool, now: Duration) {
        self.turn(now);
        self.running.answers = self.running.answers.saturating_add(1);
        self.running.errors = self.running.errors.saturating_add(u32::from(is_error));
    }

    /// When the client last asked for something.
    pub(super) const fn last_seen(&self) -> Duration {
        self.last
    }

    pub(super) fn behaviour(&self) -> Behaviour {
        let answers = self.running.answers.saturating_add(self.before.answers);
        let errors = u64::from(self.running.errors).saturating_add(self.before.errors.into());
        let share = errors.saturating_mul(100).checked_div(answers.into());
        Behaviour {
            distinct_paths: self.running.paths.union(self.before.paths).estimate(),
            error_percent: share.filter(|_| answers >= MIN_ANSWERS),
            gap_variation_percent: self.gaps.variation_percent(),
        }
    }

    /// Goes on to the window of `now`. Never back.
    fn turn(&mut self, now: Duration) {
        // Of 40 000 years.
        let window = u32::try_from(now.as_secs() / WINDOW).unwrap_or(u32::MAX);
        match window.saturating_sub(self.window) {
            0 => return,
            1 => self.before = self.running,
            _ => self.before = Window::default(),
        }
        self.running = Window::default();
        self.window = window;
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    paths: PathSet,
    answers: u32,
    errors: u32,
}

/// How many different paths there were, by linear counting (Whang et al., 1990): within about 5 % for some hundreds,
/// nearly exact for a few. It tells no more than 1 597.
#[derive(Clone, Copy, Debug, Default)]
struct PathSet([u64; 4]);

impl PathSet {
    fn insert(&mut self, hash: u64) {
        if let Some(word) = self.0.get_mut((hash >> 6 & 3) as usize) {
            *word |= 1_u64 << (hash & 63);
        }
    }

    fn union(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
        self
    }

    fn estimate(self) -> u64 {
        let zeros: u32 = self.0.iter().map(|word| word.count_zeros()).sum();
        // A full set counts as if half a bit were left.
        let zeros = f64::from(zeros).max(0.5);
        let bits = f64::from(PATH_BITS);
        // From 0 to 1 597.
        (bits * (bits / zeros).ln()).round() as u64
    }
}

/// The running mean and variance of the gaps, in seconds: exact for the first [`GAP_MEMORY`], exponentially weighted
/// from then on (Finch, 2009, "Incremental calculation of weighted mean and variance").
#[derive(Clone, Copy, Debug, Default)]
struct Gaps {
    /// Whether there was a request to measure from.
    begun: bool,
    /// At most [`GAP_MEMORY`].
    count: u8,
    mean: f32,
    variance: f32,
}

impl Gaps {
    fn record(&mut self, gap: f32) {
        self.count = self.count.saturating_add(1).min(GAP_MEMORY);
        let weight = f32::from(self.count).recip();
        let difference = gap - self.mean;
        let step = weight * difference;
        self.mean += step;
        self.variance = (1.0 - weight) * (self.variance + difference * step);
    }

    fn variation_percent(&self) -> Option<u64> {
        // No gap is shorter than a burst, so the mean is not zero.
        let percent = 100.0 * self.variance.max(0.0).sqrt() / self.mean;
        (self.count >= MIN_GAPS).then_some(percent.round() as u64)
    }
}

#[cfg(test)]
mod tests;

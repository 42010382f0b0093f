use std::fmt;

/// How human a request looks: 1 is surely a bot, 99 surely a human, and 0 says that no score was computed.
///
/// 0 is never evidence of a bot: what was not scored is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8);

impl Score {
    /// No score was computed.
    pub const UNSCORED: Self = Self(0);

    /// `1 + round(98 · σ(−logit))` for a logit in thousandths; a positive logit leans to bot.
    #[must_use]
    pub fn of_logit_milli(logit_milli: i64) -> Self {
        let human = 1.0 / (1.0 + (logit_milli as f64 / 1_000.0).exp());
        // σ lies in 0..=1, whatever the logit, so that this lies in 1..=99.
        Self((1.0 + (98.0 * human).round()) as u8)
    }

    /// The number: 0, or 1 to 99.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether a score was computed.
    #[must_use]
    pub const fn is_scored(self) -> bool {
        self.0 != 0
    }

    /// Whether a score was computed and is below `threshold`. A threshold of 0 or 1 is below every score.
    #[must_use]
    pub const fn is_below(self, threshold: u8) -> bool {
        self.is_scored() && self.0 < threshold
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;

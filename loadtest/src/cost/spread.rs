use serde::Serialize;

/// The middle of some values, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    lower_quartile: f64,
    upper_quartile: f64,
    least: f64,
    most: f64,
}

impl Spread {
    /// Of no values all is 0.
    pub(super) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        // The nearest rank, so that each is a value that was measured.
        let at = |quarters: usize| {
            let last = sorted.len().saturating_sub(1);
            sorted.get((last * quarters + 2) / 4).copied().unwrap_or(0.0)
        };
        Self {
            median: at(2),
            lower_quartile: at(1),
            upper_quartile: at(3),
            least: at(0),
            most: at(4),
        }
    }

    /// The quartiles, then the extremes in brackets.
    pub(super) fn shown(&self, digits: usize) -> String {
        let Self { lower_quartile, upper_quartile, least, most, .. } = self;
        format!(
            "{lower_quartile:.digits$} to {upper_quartile:.digits$} (all: {least:.digits$} to {most:.digits$})"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_values_that_were_measured() {
        let spread = Spread::of(&[5.0, 1.0, 4.0, 2.0, 3.0]);
        let expected =
            Spread { median: 3.0, lower_quartile: 2.0, upper_quartile: 4.0, least: 1.0, most: 5.0 };
        assert_eq!(spread, expected);
        assert_eq!(spread.shown(1), "2.0 to 4.0 (all: 1.0 to 5.0)");
        assert_eq!(Spread::of(&[7.0]).most, 7.0);
        assert_eq!(Spread::of(&[]).median, 0.0);
    }
}

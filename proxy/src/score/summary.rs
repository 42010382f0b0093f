//! How well an artifact tells bots from people, on requests whose nature is known.

use std::collections::BTreeMap;

use greenlight_bot::Verdict;
use greenlight_bot::recorded::{Label, RecordedRequest};
use serde::Serialize;

/// Sources that are counted apart.
const MAX_SOURCES: usize = 64;

/// Counts of decisions; "bot" is the positive class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// Bots found.
    pub(super) true_positive: u64,
    /// People taken for bots.
    pub(super) false_positive: u64,
    /// People let through.
    pub(super) true_negative: u64,
    /// Bots missed.
    pub(super) false_negative: u64,
}

/// The closing answer.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    pub(super) artifact: String,
    pub(super) rows: usize,
    /// Scores below this count as bots.
    pub(super) bot_below: u8,
    pub(super) requests: u64,
    pub(super) refused_lines: u64,
    pub(super) labelled: u64,
    #[serde(flatten)]
    pub(super) counts: Counts,
    /// Of those called bots, the share that are.
    pub(super) precision: Option<f64>,
    /// Of the bots, the share that were called so.
    pub(super) recall: Option<f64>,
    /// Of the people, the share that were called bots.
    pub(super) false_positive_rate: Option<f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) by_source: BTreeMap<String, Counts>,
}

impl Counts {
    fn add(&mut self, label: Label, called_bot: bool) {
        let count = match (label, called_bot) {
            (Label::Bot, true) => &mut self.true_positive,
            (Label::Bot, false) => &mut self.false_negative,
            (Label::Human, true) => &mut self.false_positive,
            (Label::Human, false) => &mut self.true_negative,
        };
        *count = count.saturating_add(1);
    }

    fn bots(self) -> u64 {
        self.true_positive.saturating_add(self.false_negative)
    }

    fn people(self) -> u64 {
        self.true_negative.saturating_add(self.false_positive)
    }
}

impl Summary {
    pub(super) fn count(&mut self, request: &RecordedRequest, verdict: &Verdict) {
        self.requests = self.requests.saturating_add(1);
        if let Some(label) = request.label {
            self.add(label, verdict.blocks(), request.source.as_deref());
        }
    }

    fn add(&mut self, label: Label, called_bot: bool, source: Option<&str>) {
        self.labelled = self.labelled.saturating_add(1);
        self.counts.add(label, called_bot);
        let Some(source) = source else { return };
        let full = self.by_source.len() >= MAX_SOURCES && !self.by_source.contains_key(source);
        let source = if full { "others" } else { source };
        self.by_source.entry(source.to_owned()).or_default().add(label, called_bot);
    }

    /// Computes the rates from the counts.
    pub(super) fn close(&mut self) {
        let Counts { true_positive, false_positive, .. } = self.counts;
        self.precision = share(true_positive, true_positive.saturating_add(false_positive));
        self.recall = share(true_positive, self.counts.bots());
        self.false_positive_rate = share(false_positive, self.counts.people());
    }

    /// For people; each line begins with `#` so that it cannot be taken for an answer.
    pub(super) fn describe(&self) -> String {
        let percent = |rate: Option<f64>| {
            rate.map_or("–".to_owned(), |rate| format!("{:.2}%", rate * 100.0))
        };
        let mut lines = vec![format!(
            "# artifact {} ({} rows), {} requests scored, {} lines refused",
            self.artifact, self.rows, self.requests, self.refused_lines
        )];
        for (source, counts) in &self.by_source {
            let called = counts.true_positive.saturating_add(counts.false_positive);
            let all = counts.bots().saturating_add(counts.people());
            lines.push(format!(
                "#   {called:>6} of {all:<6} called bots  {}",
                source.escape_debug()
            ));
        }
        if self.labelled > 0 {
            let Counts { true_positive, false_positive, .. } = self.counts;
            lines.push(format!(
                "# bots      precision {}, recall {} ({true_positive} of {} found) at score < {}",
                percent(self.precision),
                percent(self.recall),
                self.counts.bots(),
                self.bot_below
            ));
            lines.push(format!(
                "# browsers  false-positive rate {} ({false_positive} of {})",
                percent(self.false_positive_rate),
                self.counts.people()
            ));
        }
        lines.join("\n")
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

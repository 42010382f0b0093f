//! How well an artifact tells bots from people, on requests whose nature is known.

use std::collections::BTreeMap;

use greenlight_bot::Verdict;
use greenlight_bot::recorded::{Label, RecordedRequest};
use serde::Serialize;

use super::plain;

/// Sources that are counted apart.
const MAX_SOURCES: usize = 64;
/// Room for the first column, which longer names of sources widen.
const NARROWEST_NAME: usize = 24;

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

/// How good those decisions are. `None` where nothing says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Rates {
    /// Of those called bots, the share that are.
    pub(super) precision: Option<f64>,
    /// Of the bots, the share that were called so.
    pub(super) recall: Option<f64>,
    /// Of the people, the share that were called bots.
    pub(super) false_positive_rate: Option<f64>,
    /// Where no bot was missed: what the recall is above, with 95 % confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recall_above: Option<f64>,
    /// Where no person was called a bot: what the rate is below, with 95 % confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) false_positive_rate_below: Option<f64>,
}

/// Counts with their rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Measured {
    #[serde(flatten)]
    pub(super) counts: Counts,
    #[serde(flatten)]
    pub(super) rates: Rates,
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
    pub(super) all: Measured,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) by_source: BTreeMap<String, Measured>,
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

    fn rates(self) -> Rates {
        let Self { true_positive, false_positive, false_negative, .. } = self;
        Rates {
            precision: share(true_positive, true_positive.saturating_add(false_positive)),
            recall: share(true_positive, self.bots()),
            false_positive_rate: share(false_positive, self.people()),
            recall_above: never(false_negative, self.bots()).map(|missed| 1.0 - missed),
            false_positive_rate_below: never(false_positive, self.people()),
        }
    }
}

impl Measured {
    fn close(&mut self) {
        self.rates = self.counts.rates();
    }

    /// `99.00% (99 of 100)`, and where that is all or none of them, how far it may be trusted.
    fn found(&self) -> String {
        let above = self.rates.recall_above.map(|bound| format!(", above {}", percent(bound)));
        rate(self.rates.recall, self.counts.true_positive, self.counts.bots(), above)
    }

    fn called(&self) -> String {
        let Self { counts, rates } = self;
        let below =
            rates.false_positive_rate_below.map(|bound| format!(", below {}", percent(bound)));
        rate(rates.false_positive_rate, counts.false_positive, counts.people(), below)
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
        self.all.counts.add(label, called_bot);
        let Some(source) = source.map(plain) else { return };
        let full = self.by_source.len() >= MAX_SOURCES && !self.by_source.contains_key(&source);
        let source = if full { "others".to_owned() } else { source };
        self.by_source.entry(source).or_default().counts.add(label, called_bot);
    }

    /// Computes the rates from the counts.
    pub(super) fn close(&mut self) {
        self.all.close();
        self.by_source.values_mut().for_each(Measured::close);
    }

    /// For people; each line begins with `#` so that it cannot be taken for an answer.
    pub(super) fn describe(&self) -> String {
        let mut lines = vec![format!(
            "# artifact {} ({} rows), {} requests scored, {} lines refused",
            self.artifact, self.rows, self.requests, self.refused_lines
        )];
        if self.labelled > 0 {
            let names = self.by_source.keys().map(|name| name.chars().count());
            let wide = names.chain([NARROWEST_NAME]).max().unwrap_or_default();
            lines.push(format!(
                "# {:<wide$} {:<36} {:<36} precision",
                format!("score < {} is a bot", self.bot_below),
                "recall: bots found",
                "false positives: people called bots",
            ));
            let sources = self.by_source.iter().map(|(name, measured)| (name.as_str(), measured));
            for (name, measured) in sources.chain([("all", &self.all)]) {
                lines.push(format!(
                    "# {:<wide$} {:<36} {:<36} {}",
                    name,
                    measured.found(),
                    measured.called(),
                    measured.rates.precision.map_or_else(|| "–".to_owned(), percent),
                ));
            }
            lines.push("# above and below: with 95% confidence, where none was seen".to_owned());
        }
        lines.join("\n")
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// What the true rate of something is below, with 95 % confidence, that was never seen in `whole` independent cases: the
/// Clopper–Pearson bound, of which the rule of three (3 / n) is the approximation for many cases.
fn never(seen: u64, whole: u64) -> Option<f64> {
    (seen == 0 && whole > 0).then(|| 1.0 - 0.05_f64.powf(1.0 / whole as f64))
}

fn rate(rate: Option<f64>, part: u64, whole: u64, bound: Option<String>) -> String {
    rate.map_or_else(
        || "–".to_owned(),
        |rate| format!("{} ({part} of {whole}{})", percent(rate), bound.unwrap_or_default()),
    )
}

fn percent(rate: f64) -> String {
    format!("{:.2}%", rate * 100.0)
}

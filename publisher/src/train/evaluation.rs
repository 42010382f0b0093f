//! How a model does on requests that it was not learnt from.

use std::collections::BTreeMap;

use greenlight_bot::{ClientActivity, CompiledModel};
use serde::Serialize;

use super::examples::{self, Example};

/// Bins of the calibration.
const BINS: usize = 10;

/// An example as the model sees it.
struct Judged<'a> {
    example: &'a Example,
    score: u8,
    logit_milli: i64,
}

/// The figures of a model on a set of examples.
#[derive(Debug, Serialize)]
pub(super) struct Evaluation {
    pub(super) bots: usize,
    pub(super) humans: usize,
    pub(super) bot_agents: usize,
    pub(super) human_agents: usize,
    /// The chance that a bot's logit is above a human's, ties by half.
    pub(super) roc_auc: f64,
    /// For each threshold from 1 to 99: a request is called a bot where its score is below.
    pub(super) thresholds: Vec<Rates>,
    pub(super) sources: Vec<Source>,
    pub(super) calibration: Vec<Bin>,
    /// False-positive rate and recall, from the highest logit down.
    #[serde(skip)]
    pub(super) roc: Vec<(f64, f64)>,
}

/// What a threshold gives.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Rates {
    pub(super) threshold: u8,
    pub(super) true_positive: usize,
    pub(super) false_positive: usize,
    /// Of what is called a bot, the part that is one; none where nothing is.
    pub(super) precision: Option<f64>,
    pub(super) recall: f64,
    pub(super) false_positive_rate: f64,
}

/// The requests of one source and label, at the threshold of the report.
#[derive(Debug, Serialize)]
pub(super) struct Source {
    pub(super) source: String,
    pub(super) label: &'static str,
    pub(super) requests: usize,
    pub(super) agents: usize,
    pub(super) called_bot: usize,
    pub(super) rate: f64,
    /// Where none was called a bot: the rate that its user agents still allow, with 95 % confidence.
    pub(super) upper_bound: Option<f64>,
    pub(super) mean_score: f64,
}

/// The requests whose chance of being a bot's the model puts between two tenths.
#[derive(Debug, Serialize)]
pub(super) struct Bin {
    pub(super) requests: usize,
    pub(super) predicted: f64,
    pub(super) observed: f64,
}

impl Evaluation {
    /// Scores all of `examples`, among which are both classes.
    pub(super) fn of(model: &CompiledModel, examples: &[Example], bot_below: u8) -> Self {
        let judged: Vec<Judged<'_>> = examples
            .iter()
            .map(|example| {
                let scored = model.score(&example.request.view(), &ClientActivity::default());
                Judged { example, score: scored.score.get(), logit_milli: scored.logit_milli }
            })
            .collect();
        let of = |bot| examples.iter().filter(move |example| example.bot == bot);
        let (bots, humans) = (of(true).count(), of(false).count());
        let (roc, roc_auc) = roc(&judged, bots, humans);
        Self {
            bots,
            humans,
            bot_agents: examples::agents(of(true)),
            human_agents: examples::agents(of(false)),
            roc_auc,
            thresholds: (1..=99).map(|threshold| rates(&judged, threshold, bots, humans)).collect(),
            sources: sources(&judged, bot_below),
            calibration: calibration(&judged),
            roc,
        }
    }

    /// The rates at a threshold from 1 to 99.
    pub(super) fn at(&self, threshold: u8) -> Option<&Rates> {
        self.thresholds.iter().find(|rates| rates.threshold == threshold)
    }
}

fn rates(judged: &[Judged<'_>], threshold: u8, bots: usize, humans: usize) -> Rates {
    let called =
        |bot| judged.iter().filter(|one| one.example.bot == bot && one.score < threshold).count();
    let (true_positive, false_positive) = (called(true), called(false));
    let all = true_positive.saturating_add(false_positive);
    Rates {
        threshold,
        true_positive,
        false_positive,
        precision: (all > 0).then(|| ratio(true_positive, all)),
        recall: ratio(true_positive, bots),
        false_positive_rate: ratio(false_positive, humans),
    }
}

/// The curve, and the area under it by the trapezoid rule, which counts ties by half (Fawcett 2006).
fn roc(judged: &[Judged<'_>], bots: usize, humans: usize) -> (Vec<(f64, f64)>, f64) {
    let mut by_logit: BTreeMap<i64, (usize, usize)> = BTreeMap::new();
    for one in judged {
        let (bots, humans) = by_logit.entry(one.logit_milli).or_default();
        let count = if one.example.bot { bots } else { humans };
        *count = count.saturating_add(1);
    }
    let (mut caught, mut accused) = (0_usize, 0_usize);
    let mut curve = vec![(0.0, 0.0)];
    let mut area = 0.0;
    for (more_bots, more_humans) in by_logit.into_values().rev() {
        let before = ratio(caught, bots);
        caught = caught.saturating_add(more_bots);
        accused = accused.saturating_add(more_humans);
        let recall = ratio(caught, bots);
        area += (before + recall) / 2.0 * ratio(more_humans, humans);
        curve.push((ratio(accused, humans), recall));
    }
    (curve, rounded(area))
}

fn sources(judged: &[Judged<'_>], bot_below: u8) -> Vec<Source> {
    let mut groups: BTreeMap<(bool, &str), Vec<&Judged<'_>>> = BTreeMap::new();
    for one in judged {
        groups.entry((one.example.bot, one.example.source())).or_default().push(one);
    }
    let source = |((bot, name), group): ((bool, &str), Vec<&Judged<'_>>)| {
        let called_bot = group.iter().filter(|one| one.score < bot_below).count();
        let agents = examples::agents(group.iter().map(|one| one.example));
        let scores = group.iter().map(|one| usize::from(one.score)).fold(0, usize::saturating_add);
        Source {
            source: name.into(),
            label: if bot { "bot" } else { "human" },
            requests: group.len(),
            agents,
            called_bot,
            rate: ratio(called_bot, group.len()),
            upper_bound: (called_bot == 0).then(|| upper_bound_of_none(agents)),
            mean_score: rounded(ratio_of(scores, group.len())),
        }
    };
    groups.into_iter().map(source).collect()
}

fn calibration(judged: &[Judged<'_>]) -> Vec<Bin> {
    let mut bins = vec![(0_usize, 0_usize, 0.0_f64); BINS];
    for one in judged {
        let chance = 1.0 / (1.0 + (-(one.logit_milli as f64) / 1_000.0).exp());
        let at = ((chance * BINS as f64) as usize).min(BINS.saturating_sub(1));
        if let Some((requests, bots, sum)) = bins.get_mut(at) {
            *requests = requests.saturating_add(1);
            *bots = bots.saturating_add(usize::from(one.example.bot));
            *sum += chance;
        }
    }
    bins.into_iter()
        .filter(|(requests, ..)| *requests > 0)
        .map(|(requests, bots, sum)| Bin {
            requests,
            predicted: rounded(sum / requests as f64),
            observed: ratio(bots, requests),
        })
        .collect()
}

/// The highest rate at which `n` independent trials without a hit are no less likely than 5 %: one-sided, after Clopper and
/// Pearson (1934).
pub(super) fn upper_bound_of_none(n: usize) -> f64 {
    if n == 0 { 1.0 } else { rounded(1.0 - 0.05_f64.powf(1.0 / n as f64)) }
}

/// `part / whole`, and 0 of nothing.
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    rounded(ratio_of(part, whole))
}

fn ratio_of(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Six decimals: what comes after depends on the mathematical library.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

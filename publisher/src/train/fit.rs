//! Logistic regression over candidate rows, and the choice of the rows that are worth their place.
//!
//! The model is the engine's: `logit = intercept + Σ weight · fired`. Its loss is that of logistic regression with an L2
//! penalty on the weights, not on the intercept: `Σ ln(1 + exp(∓logit)) + ridge/2 · Σ weight²`. Rows are chosen backwards:
//! all candidates are fitted, the rows that matter least are taken out, and the rest is fitted again.

use linfa::{DatasetBase, traits::Fit as _};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder as _};

use super::TrainError;

/// Where the last fit may end: what that leaves open in a weight is far below the step to which weights are rounded.
const FINE: f64 = 1e-5;
/// Where fits may end that only tell which rows to take out.
const COARSE: f64 = 0.05;
const MAX_ITERATIONS: u64 = 1_000;
/// How much of the surplus one round takes out at the most: rows that say the same share their weight, and only after one
/// of them is gone does the other show what it is worth.
const PRUNED_PART: usize = 4;
/// Losses are compared to this many parts, so that the last bits of a sum do not decide.
const LOSS_PARTS: f64 = 1e5;

/// A candidate as fitting sees it.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The examples on which it fires, ascending.
    pub(super) fired: Vec<usize>,
    /// The only sign that its weight may have; 0 allows both.
    pub(super) sign: i16,
    /// Its cost in the engine's schema.
    pub(super) cost: u32,
}

/// What is fitted, and within which limits.
pub(super) struct Problem<'a> {
    pub(super) columns: &'a [Column],
    /// Per example, whether it is of a bot.
    pub(super) bots: &'a [bool],
    /// λ of the L2 penalty.
    pub(super) ridge: f64,
    /// The most rows.
    pub(super) rows: usize,
    /// The most that their costs may sum to.
    pub(super) budget: u32,
}

/// A fitted model, in logits.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    pub(super) intercept: f64,
    /// Columns and their weights, ascending by column.
    pub(super) weights: Vec<(usize, f64)>,
}

impl Problem<'_> {
    /// Fits all columns, then takes out what breaks a sign, a limit, or is worth the least, until none does.
    pub(super) fn select(&self) -> Result<Fitted, TrainError> {
        let all = (0..self.columns.len()).filter(|at| !self.fired(*at).is_empty());
        let start = Fitted { intercept: 0.0, weights: all.map(|column| (column, 0.0)).collect() };
        let mut fitted = self.fit_signed(start, COARSE)?;
        loop {
            let surplus = fitted.weights.len().saturating_sub(self.rows);
            let dear = self.cost(&fitted) > self.budget;
            if surplus == 0 && !dear {
                return self.fit_signed(fitted, FINE);
            }
            let share = fitted.weights.len() / PRUNED_PART;
            let pruned = self.prune(fitted, surplus.min(share).max(1), dear);
            fitted = self.fit_signed(pruned, COARSE)?;
        }
    }

    /// Takes out the `count` rows whose loss would add the least: by their cost where that is what is short.
    fn prune(&self, fitted: Fitted, count: usize, by_cost: bool) -> Fitted {
        let logits = self.logits(&fitted);
        let mut ranked: Vec<(u64, usize)> = fitted
            .weights
            .iter()
            .map(|&(column, weight)| {
                let loss = self.loss_without(&logits, column, weight);
                let cost = if by_cost { f64::from(self.cost_of(column)) } else { 1.0 };
                ((loss / cost * LOSS_PARTS).max(0.0).round() as u64, column)
            })
            .collect();
        // Of two that are worth the same, the later in the file goes.
        ranked.sort_by_key(|&(loss, column)| (loss, std::cmp::Reverse(column)));
        let gone: Vec<usize> = ranked.iter().take(count).map(|&(_, column)| column).collect();
        let weights =
            fitted.weights.into_iter().filter(|(column, _)| !gone.contains(column)).collect();
        Fitted { weights, ..fitted }
    }

    /// What the loss gains when a row is taken out and nothing else changes.
    fn loss_without(&self, logits: &[f64], column: usize, weight: f64) -> f64 {
        let change = |example: &usize| {
            let (Some(logit), Some(bot)) = (logits.get(*example), self.bots.get(*example)) else {
                return 0.0;
            };
            let side = if *bot { -1.0 } else { 1.0 };
            softplus(side * (logit - weight)) - softplus(side * logit)
        };
        let data: f64 = self.fired(column).iter().map(change).sum();
        data - self.ridge / 2.0 * weight * weight
    }

    fn logits(&self, fitted: &Fitted) -> Vec<f64> {
        let mut logits = vec![fitted.intercept; self.bots.len()];
        for &(column, weight) in &fitted.weights {
            for example in self.fired(column) {
                if let Some(logit) = logits.get_mut(*example) {
                    *logit += weight;
                }
            }
        }
        logits
    }

    /// Fits, takes the rows out whose weights have a sign that they must not have, and fits again until none has.
    fn fit_signed(&self, start: Fitted, tolerance: f64) -> Result<Fitted, TrainError> {
        let mut fitted = self.fit(&start, tolerance)?;
        loop {
            let before = fitted.weights.len();
            fitted.weights.retain(|&(column, weight)| {
                f64::from(self.columns.get(column).map_or(0, |found| found.sign)) * weight >= 0.0
            });
            if fitted.weights.len() == before {
                return Ok(fitted);
            }
            fitted = self.fit(&fitted, tolerance)?;
        }
    }

    /// One fit of the columns of `start`, from its weights.
    fn fit(&self, start: &Fitted, tolerance: f64) -> Result<Fitted, TrainError> {
        let width = start.weights.len();
        if width == 0 {
            return Err(TrainError::NothingLearnt);
        }
        // Column by column: the gradient is a sum over each.
        let mut matrix = Array2::<f64>::zeros((self.bots.len(), width).f());
        for (at, &(column, _)) in start.weights.iter().enumerate() {
            for example in self.fired(column) {
                if let Some(cell) = matrix.get_mut((*example, at)) {
                    *cell = 1.0;
                }
            }
        }
        // The crate takes the more frequent class for the positive one, of two equal ones the first.
        let bots = self.bots.iter().filter(|bot| **bot).count();
        let humans = self.bots.len().saturating_sub(bots);
        let side = if bots > humans || bots == humans && self.bots.first() == Some(&true) {
            1.0
        } else {
            -1.0
        };
        let weights = start.weights.iter().map(|&(_, weight)| weight);
        let begin: Array1<f64> =
            weights.chain([start.intercept]).map(|weight| side * weight).collect();
        let data = DatasetBase::new(matrix, Array1::from(self.bots.to_vec()));
        let model = LogisticRegression::default()
            .alpha(self.ridge)
            .gradient_tolerance(tolerance)
            .max_iterations(MAX_ITERATIONS)
            .initial_params(begin)
            .fit(&data)
            .map_err(|error| TrainError::Fit { problem: error.to_string() })?;
        let side = if model.labels().pos.class { 1.0 } else { -1.0 };
        let weights: Vec<(usize, f64)> = start
            .weights
            .iter()
            .zip(model.params())
            .map(|(&(column, _), weight)| (column, side * weight))
            .collect();
        let intercept = side * model.intercept();
        if intercept.is_finite() && weights.iter().all(|(_, weight)| weight.is_finite()) {
            Ok(Fitted { intercept, weights })
        } else {
            Err(TrainError::Fit { problem: "a weight is not finite".into() })
        }
    }

    fn fired(&self, column: usize) -> &[usize] {
        self.columns.get(column).map_or(&[], |found| &found.fired)
    }

    fn cost_of(&self, column: usize) -> u32 {
        self.columns.get(column).map_or(0, |found| found.cost)
    }

    fn cost(&self, fitted: &Fitted) -> u32 {
        fitted.weights.iter().map(|&(column, _)| self.cost_of(column)).fold(0, u32::saturating_add)
    }
}

/// `ln(1 + exp(x))`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

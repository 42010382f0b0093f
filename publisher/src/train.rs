//! `greenlightctl train`: labelled requests become a feature file, and a report on how it does on others.
//!
//! Features are evaluated by the engine that edges run, so that what is learnt is what is served. The same inputs give the
//! same bytes: nothing is drawn at random, sums have one order, and weights are rounded to a step that is far coarser than
//! the difference between two mathematical libraries.

mod candidates;
mod evaluation;
mod examples;
mod fit;
mod mine;
mod plot;
mod report;

use std::{collections::BTreeSet, fmt, path::PathBuf};

use clap::Args;
use greenlight_artifact::{Draft, DraftRow, MAX_ROWS, MAX_WEIGHT, Schema, ValidArtifact};
use serde::Serialize;

use self::{
    evaluation::Evaluation,
    fit::{Column, Fitted, Problem},
};
use crate::{build::Summary, error::Error, files, report::Report};

/// What to learn from, what to learn, and where to put it.
#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    /// Labelled requests to learn from: NDJSON, as `greenlight score` reads them.
    #[arg(long, value_name = "FILE")]
    requests: PathBuf,
    /// Rows that may be chosen: a source (.json, .csv) of any length. The sign of a weight is the only one that the row may
    /// get, 0 allows both. Label, engine and creation time of the artifact are the source's. Without it, candidates are
    /// mined from the requests to learn from: words of user agents, header fields and their order that tell bots from
    /// humans (χ² at 0.1 %); then the label is empty and the creation time 0.
    #[arg(long, value_name = "FILE")]
    candidates: Option<PathBuf>,
    /// Without --candidates: the most that are mined.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..), conflicts_with = "candidates")]
    mine: u16,
    /// A source of rows that are taken as they are; the fit does not see them.
    #[arg(long, value_name = "FILE")]
    fixed: Option<PathBuf>,
    /// Labelled requests to judge by.
    #[arg(long, value_name = "FILE", conflicts_with = "holdout_share")]
    holdout: Option<PathBuf>,
    /// Without --holdout: the part of the user agents whose requests are set aside to judge by.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    holdout_share: f64,
    /// The most rows, those of --fixed included.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=200))]
    rows: u16,
    /// The strength of the L2 penalty.
    #[arg(long, value_name = "LAMBDA", default_value_t = 0.1)]
    ridge: f64,
    /// Weights are rounded to multiples of this many milli-logits.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    step: u16,
    /// The score below which the report calls a request a bot.
    #[arg(long, value_name = "SCORE", default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=99))]
    bot_below: u8,
    /// Where to write the artifact.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where to write its source, as JSON.
    #[arg(long, value_name = "FILE")]
    source_out: Option<PathBuf>,
    /// The directory for report.json, report.md, roc.svg and calibration.svg.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Write nothing; fail unless all files are exactly what would be written.
    #[arg(long)]
    check: bool,
}

/// What there is to learn from does not allow it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum TrainError {
    #[error("{}: line {line}: {problem}", path.display())]
    Line { path: PathBuf, line: u64, problem: String, reason: &'static str },
    #[error("{}: expected at most {max} requests; found more", path.display())]
    TooMany { path: PathBuf, max: usize },
    #[error("{requests} requests and {candidates} candidates: expected at most {max} pairs")]
    TooLarge { requests: usize, candidates: usize, max: usize },
    #[error("{}: expected requests of both classes; found none of a {expected}", path.display())]
    OneClass { path: PathBuf, expected: &'static str },
    #[error("--holdout-share: {share} leaves the {part} part without a request of a {missing}")]
    Split { share: f64, part: &'static str, missing: &'static str },
    #[error("--{name}: expected {expected}; found {found}")]
    Number { name: &'static str, expected: &'static str, found: f64 },
    #[error("nothing tells the {requests} requests apart often enough to be a candidate")]
    NothingMined { requests: usize },
    #[error("none of the {candidates} candidates fires on a request to learn from")]
    NothingFires { candidates: usize },
    #[error("no candidate tells bots from humans in the direction that it may")]
    NothingLearnt,
    #[error(
        "--rows: the {fixed} fixed rows leave no room within {rows} rows and a cost of {budget}"
    )]
    NoRoom { fixed: usize, rows: usize, budget: u32 },
    #[error("the fit does not converge: {problem}")]
    Fit { problem: String },
    #[error("{problem}")]
    Rows { problem: String, reason: &'static str },
}

impl TrainError {
    /// The stable name of the problem.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Line { reason, .. } | Self::Rows { reason, .. } => reason,
            Self::TooMany { .. } | Self::TooLarge { .. } => "size",
            Self::OneClass { .. } => "one-class",
            Self::Split { .. } => "holdout-empty",
            Self::Number { .. } => "number",
            Self::NothingMined { .. } => "nothing-mined",
            Self::NothingFires { .. } => "nothing-fires",
            Self::NothingLearnt => "nothing-learnt",
            Self::NoRoom { .. } => "no-room",
            Self::Fit { .. } => "fit",
        }
    }
}

/// Requests times candidates: a matrix of 8 bytes each is held in memory.
const MAX_CELLS: usize = 200_000_000;

/// Learns a model, and writes it with its report, or, to check, compares it with what is there.
pub(crate) fn run(args: &TrainArgs) -> Result<Report, Error> {
    let inputs = Inputs::read(args)?;
    let (artifact, columns) = inputs.learn(args)?;
    let model = candidates::compile(&Draft::from(&artifact))?;
    let evaluation = Evaluation::of(&model, &inputs.holdout, args.bot_below);
    let trained = Trained {
        out: args.out.clone(),
        written: !args.check,
        summary: Summary::of(&artifact),
        candidates: inputs.candidates.rows.len(),
        requests: inputs.training.len(),
        bot_below: args.bot_below,
        evaluation,
    };
    let mut outputs = vec![(args.out.clone(), artifact.bytes().to_vec())];
    if let Some(path) = &args.source_out {
        outputs.push((path.clone(), report::source(&artifact).into_bytes()));
    }
    if let Some(directory) = &args.report {
        let contributions = report::contributions(&artifact, &inputs, &columns)?;
        if !args.check {
            files::make_directory(directory)?;
        }
        for (name, text) in report::files(&trained, &contributions) {
            outputs.push((directory.join(name), text.into_bytes()));
        }
    }
    for (path, bytes) in &outputs {
        if args.check {
            files::compare_bytes(path, bytes)?;
        } else {
            files::write_bytes(path, bytes)?;
        }
    }
    Ok(Report::of(&trained))
}

/// What a model is learnt from and judged by.
struct Inputs {
    training: Vec<examples::Example>,
    holdout: Vec<examples::Example>,
    candidates: Draft,
    fixed: Vec<DraftRow>,
}

impl Inputs {
    fn read(args: &TrainArgs) -> Result<Self, Error> {
        let positive = |name, found: f64| {
            let expected = "a number above 0";
            if found.is_finite() && found > 0.0 {
                Ok(())
            } else {
                Err(TrainError::Number { name, expected, found })
            }
        };
        positive("ridge", args.ridge)?;
        if !(args.holdout_share > 0.0 && args.holdout_share < 1.0) {
            let expected = "a number between 0 and 1";
            let found = args.holdout_share;
            return Err(TrainError::Number { name: "holdout-share", expected, found }.into());
        }
        let given = args.candidates.as_deref().map(files::draft).transpose()?;
        let fixed = match &args.fixed {
            Some(path) => files::draft(path)?.rows,
            None => Vec::new(),
        };
        let requests = examples::read(&args.requests)?;
        let (training, holdout) = match &args.holdout {
            Some(path) => (requests, examples::read(path)?),
            None => examples::split(requests, args.holdout_share),
        };
        for (part, examples) in [("training", &training), ("holdout", &holdout)] {
            for (bot, missing) in [(true, "bot"), (false, "human")] {
                if !examples.iter().any(|example| example.bot == bot) {
                    let share = args.holdout_share;
                    return Err(TrainError::Split { share, part, missing }.into());
                }
            }
        }
        let mut candidates = match given {
            Some(candidates) => candidates,
            None => mine::mine(&training, args.mine.into())?,
        };
        // What is set by hand is not for the data to say.
        let taken: BTreeSet<_> = fixed.iter().map(|row| row.key).collect();
        let same = |one: &DraftRow, other: &DraftRow| {
            (one.kind, one.flags, one.argument) == (other.kind, other.flags, other.argument)
        };
        candidates
            .rows
            .retain(|row| !taken.contains(&row.key) && !fixed.iter().any(|other| same(row, other)));
        let (requests, count) = (training.len(), candidates.rows.len());
        if requests.saturating_mul(count) > MAX_CELLS {
            let (candidates, max) = (count, MAX_CELLS);
            return Err(TrainError::TooLarge { requests, candidates, max }.into());
        }
        Ok(Self { training, holdout, candidates, fixed })
    }

    /// The artifact, and for each candidate the requests on which it fires.
    fn learn(&self, args: &TrainArgs) -> Result<(ValidArtifact, Vec<Column>), TrainError> {
        let columns = candidates::columns(&self.candidates.rows, &self.training)?;
        let bots: Vec<bool> = self.training.iter().map(|example| example.bot).collect();
        let taken = self.fixed.iter().map(|row| Schema::ENGINE_1.cost(row.kind));
        let rows = usize::from(args.rows).min(MAX_ROWS);
        let problem = Problem {
            columns: &columns,
            bots: &bots,
            ridge: args.ridge,
            rows: rows.saturating_sub(self.fixed.len()),
            budget: taken.fold(Schema::ENGINE_1.budget, u32::saturating_sub),
        };
        if problem.rows == 0 || problem.budget == 0 {
            let (fixed, budget) = (self.fixed.len(), Schema::ENGINE_1.budget);
            return Err(TrainError::NoRoom { fixed, rows, budget });
        }
        let fitted = problem.select()?;
        let draft = self.draft(&fitted, args.step)?;
        let artifact = draft.encode(files::SCHEMAS).map_err(|defect| TrainError::Rows {
            problem: defect.to_string(),
            reason: defect.reason(),
        })?;
        Ok((artifact, columns))
    }

    /// The fitted model in whole numbers. Rows whose weight rounds to nothing are left out.
    fn draft(&self, fitted: &Fitted, step: u16) -> Result<Draft, TrainError> {
        let learnt = fitted.weights.iter().filter_map(|&(column, weight)| {
            let row = self.candidates.rows.get(column)?;
            let most = f64::from(MAX_WEIGHT);
            // Within ±10 000 by the clamp.
            let weight = milli(weight, step).clamp(-most, most) as i16;
            (weight != 0).then_some(DraftRow { weight, ..*row })
        });
        let rows: Vec<DraftRow> = learnt.chain(self.fixed.iter().copied()).collect();
        if rows.len() == self.fixed.len() {
            return Err(TrainError::NothingLearnt);
        }
        // Saturates far beyond any weight.
        let intercept = milli(fitted.intercept, step) as i32;
        Ok(Draft { intercept, rows, ..self.candidates.clone() })
    }
}

/// Logits in milli-logits, as a multiple of `step`.
fn milli(logit: f64, step: u16) -> f64 {
    let step = f64::from(step);
    (logit * 1_000.0 / step).round() * step
}

/// What a run did.
#[derive(Serialize)]
struct Trained {
    out: PathBuf,
    written: bool,
    #[serde(flatten)]
    summary: Summary,
    candidates: usize,
    /// To learn from.
    requests: usize,
    bot_below: u8,
    #[serde(rename = "holdout")]
    evaluation: Evaluation,
}

impl fmt::Display for Trained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary)?;
        writeln!(f, "learnt     from {} requests, {} candidates", self.requests, self.candidates)?;
        write!(f, "{}", report::figures(self))?;
        write!(f, "{}    {}", if self.written { "written" } else { "same as" }, self.out.display())
    }
}

#[cfg(test)]
mod tests;

//! An artifact at work on recorded requests, and the sum behind a score.

use std::collections::BTreeMap;
use std::time::Duration;

use greenlight_artifact::{Digest, Feature, Key, ValidArtifact};
use greenlight_bot::recorded::RecordedRequest;
use greenlight_bot::{
    CompileError, CompiledModel, Engine, EngineLimits, Policy, Reason, Route, Target, Verdict,
};
use serde::Serialize;

use super::plain;
use super::summary::Summary;

/// An artifact, and what is done about its scores.
pub(super) struct Judge {
    digest: Digest,
    rows: usize,
    pub(super) intercept: i32,
    /// What each row looks for, by its key: its kind and the kind's argument.
    looks_for: BTreeMap<Key, (&'static str, String)>,
    engine: Engine,
    policy: Policy,
}

/// The verdict on a request, and the rows behind it, the heaviest first.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) reasons: Vec<Reason>,
}

/// The sum behind a score. All weights are in thousandths of a logit.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Explanation<'a> {
    line: u64,
    score: u8,
    verdict: &'static str,
    logit_milli: i64,
    intercept: i32,
    reasons: Vec<ExplainedReason<'a>>,
}

#[derive(Debug, PartialEq, Serialize)]
struct ExplainedReason<'a> {
    key: String,
    weight: i16,
    kind: &'a str,
    argument: &'a str,
}

impl Judge {
    pub(super) fn new(artifact: &ValidArtifact, bot_below: u8) -> Result<Self, CompileError> {
        let model = CompiledModel::compile(artifact)?;
        let looks_for = artifact.rows().filter_map(|row| {
            let feature = Feature::of_row(&row)?;
            Some((row.key, (feature.kind_name(), feature.argument_text())))
        });
        let (digest, rows, intercept) = (model.digest(), model.len(), model.intercept());
        let looks_for = looks_for.collect();
        let engine = Engine::for_replay(EngineLimits::default());
        engine.install(model);
        let policy = Policy::new(vec![Route::new().block_below(bot_below)]);
        Ok(Self { digest, rows, intercept, looks_for, engine, policy })
    }

    /// The verdict on a request that came at `now`, not before those that were judged already.
    pub(super) fn judge(&self, request: &RecordedRequest, now: Duration) -> Judged {
        let evaluation = self.engine.evaluate_at(&request.view(), now);
        let target = Target::new(request.method.as_str(), None, &request.path);
        let verdict = self.policy.decide(&target, &evaluation);
        if let Some(status) = request.status {
            self.engine.answered_at(request.client, status.as_u16(), now);
        }
        let reasons = self.engine.reasons(verdict.digest, verdict.fired);
        Judged { verdict, reasons }
    }

    pub(super) fn explain(&self, line: u64, judged: &Judged) -> Explanation<'_> {
        let verdict = &judged.verdict;
        let explained = |reason: &Reason| {
            let (kind, argument) = self
                .looks_for
                .get(&reason.key)
                .map_or(("", ""), |(kind, argument)| (*kind, argument.as_str()));
            let key = reason.key.as_str().to_owned();
            ExplainedReason { key, weight: reason.weight, kind, argument }
        };
        Explanation {
            line,
            score: verdict.score.get(),
            verdict: verdict.as_str(),
            logit_milli: verdict.logit_milli,
            intercept: self.intercept,
            reasons: judged.reasons.iter().map(explained).collect(),
        }
    }

    /// A summary of nothing yet.
    pub(super) fn summary(&self, bot_below: u8) -> Summary {
        let artifact = self.digest.to_string();
        Summary { artifact, rows: self.rows, bot_below, ..Summary::default() }
    }
}

impl Explanation<'_> {
    /// For people: the verdict on a line, then each addend on one of its own.
    pub(super) fn describe(&self) -> String {
        let mut text = format!(
            "line {}: score {} {}, logit {:+} milli",
            self.line, self.score, self.verdict, self.logit_milli
        );
        let width = self.reasons.iter().map(|reason| reason.key.len()).max().unwrap_or(0);
        let width = width.max("intercept".len());
        for reason in &self.reasons {
            let looks_for = plain(&format!("{} {}", reason.kind, reason.argument));
            text.push_str(&format!(
                "\n  {:+6}  {:<width$}  {}",
                reason.weight,
                reason.key,
                looks_for.trim_end()
            ));
        }
        text.push_str(&format!("\n  {:+6}  intercept", self.intercept));
        text
    }
}

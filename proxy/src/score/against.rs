//! `greenlight score --against`: what another artifact would do with the same requests, and why.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Duration;

use greenlight_bot::recorded::{Label, RecordedRequest};
use greenlight_bot::{Reason, Verdict};
use serde::Serialize;

use super::judge::{Judge, Judged};
use super::summary::Summary;
use super::{Args, ScoreError, each_request, finish, write_json};

/// Two artifacts, on the same requests.
pub(super) struct Comparison<'a> {
    args: &'a Args,
    before: Judge,
    after: Judge,
    totals: Totals,
}

/// The closing answer.
#[derive(Debug, Serialize)]
struct Totals {
    /// Requests whose verdict changes.
    changed: u64,
    /// Of those, the ones that would be blocked and were not.
    newly_blocked: u64,
    /// And the ones that were and would not be.
    no_longer_blocked: u64,
    /// By how much scores move, up or down, on average and at most.
    score_moves: Moves,
    /// Of the artifact that runs now.
    before: Summary,
    /// Of the other.
    after: Summary,
}

#[derive(Debug, Default, Serialize)]
struct Moves {
    mean: Option<f64>,
    most: u8,
    #[serde(skip)]
    sum: u64,
}

/// A request whose verdict changes.
#[derive(Serialize)]
struct Change<'a> {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    before: Side,
    after: Side,
    why: Vec<Difference<'a>>,
}

#[derive(Clone, Copy, Serialize)]
struct Side {
    score: u8,
    verdict: &'static str,
}

/// A row that fires under one artifact only, or with another weight; or another intercept.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Difference<'a> {
    key: &'a str,
    before: Option<i32>,
    after: Option<i32>,
}

#[derive(Serialize)]
struct Closing<'a> {
    comparison: &'a Totals,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(args: &'a Args, before: Judge, after: Judge) -> Self {
        let totals = Totals {
            changed: 0,
            newly_blocked: 0,
            no_longer_blocked: 0,
            score_moves: Moves::default(),
            before: before.summary(args.bot_below),
            after: after.summary(args.bot_below),
        };
        Self { args, before, after, totals }
    }

    pub(super) fn all(
        mut self,
        input: impl BufRead,
        mut output: impl Write,
    ) -> Result<(), ScoreError> {
        let args = self.args;
        let refused = each_request(input, args, &mut output, |output, line, request, now| {
            self.answer(output, line, request, now)
        })?;
        for summary in [&mut self.totals.before, &mut self.totals.after] {
            summary.refused_lines = refused;
        }
        self.close(output)
    }

    fn answer(
        &mut self,
        output: &mut impl Write,
        line: u64,
        request: &RecordedRequest,
        now: Duration,
    ) -> Result<(), ScoreError> {
        let Judged { verdict: before, reasons: reasons_before } = self.before.judge(request, now);
        let Judged { verdict: after, reasons: reasons_after } = self.after.judge(request, now);
        self.totals.count(request, &before, &after);
        if before.action == after.action {
            return Ok(());
        }
        let mut why = differences(&reasons_before, &reasons_after);
        let intercepts = (self.before.intercept, self.after.intercept);
        if intercepts.0 != intercepts.1 {
            let (before, after) = (Some(intercepts.0), Some(intercepts.1));
            why.push(Difference { key: "intercept", before, after });
        }
        let label = request.label.map(Label::as_str);
        let source = request.source.as_deref();
        let (before, after) = (Side::of(&before), Side::of(&after));
        let change = Change { line, label, source, before, after, why };
        if self.args.json {
            return write_json(output, &change);
        }
        writeln!(output, "{}", change.describe()).map_err(ScoreError::Write)
    }

    fn close(mut self, mut output: impl Write) -> Result<(), ScoreError> {
        self.totals.close();
        if self.args.json {
            write_json(&mut output, &Closing { comparison: &self.totals })?;
        } else {
            writeln!(output, "{}", self.totals.describe()).map_err(ScoreError::Write)?;
        }
        finish(output, self.totals.after.refused_lines)
    }
}

/// What tells two lists of reasons apart, the heaviest first.
fn differences<'a>(before: &'a [Reason], after: &'a [Reason]) -> Vec<Difference<'a>> {
    let mut by_key: BTreeMap<&str, (Option<i32>, Option<i32>)> = BTreeMap::new();
    for reason in before {
        by_key.entry(reason.key.as_str()).or_default().0 = Some(reason.weight.into());
    }
    for reason in after {
        by_key.entry(reason.key.as_str()).or_default().1 = Some(reason.weight.into());
    }
    let mut all: Vec<Difference<'_>> = by_key
        .into_iter()
        .filter(|(_, (before, after))| before != after)
        .map(|(key, (before, after))| Difference { key, before, after })
        .collect();
    all.sort_by_key(|difference| std::cmp::Reverse(difference.moves().unsigned_abs()));
    all
}

impl Difference<'_> {
    /// By how much it moves the logit, in thousandths.
    fn moves(&self) -> i32 {
        self.after.unwrap_or(0).saturating_sub(self.before.unwrap_or(0))
    }

    fn describe(&self) -> String {
        match (self.before, self.after) {
            (Some(before), Some(after)) => format!("{}{before:+}→{after:+}", self.key),
            (Some(before), None) => format!("gone:{}{before:+}", self.key),
            (None, after) => format!("new:{}{:+}", self.key, after.unwrap_or(0)),
        }
    }
}

impl Side {
    const fn of(verdict: &Verdict) -> Self {
        Self { score: verdict.score.get(), verdict: verdict.as_str() }
    }
}

impl Change<'_> {
    fn describe(&self) -> String {
        let Self { line, before, after, .. } = self;
        let why: Vec<String> = self.why.iter().map(Difference::describe).collect();
        let label = self.label.map(|label| format!(" ({label})")).unwrap_or_default();
        format!(
            "line {line}{label}: {} {} → {} {}  {}",
            before.score,
            before.verdict,
            after.score,
            after.verdict,
            why.join(" ")
        )
    }
}

impl Totals {
    fn count(&mut self, request: &RecordedRequest, before: &Verdict, after: &Verdict) {
        self.before.count(request, before);
        self.after.count(request, after);
        let moved = before.score.get().abs_diff(after.score.get());
        self.score_moves.sum = self.score_moves.sum.saturating_add(moved.into());
        self.score_moves.most = self.score_moves.most.max(moved);
        let total = match (before.blocks(), after.blocks()) {
            (false, true) => &mut self.newly_blocked,
            (true, false) => &mut self.no_longer_blocked,
            _ => return,
        };
        *total = total.saturating_add(1);
        self.changed = self.changed.saturating_add(1);
    }

    fn close(&mut self) {
        self.before.close();
        self.after.close();
        let requests = self.after.requests;
        self.score_moves.mean =
            (requests > 0).then(|| self.score_moves.sum as f64 / requests as f64);
    }

    /// For people; each line begins with `#` so that it cannot be taken for an answer.
    fn describe(&self) -> String {
        let moves = self.score_moves.mean.map_or_else(String::new, |mean| {
            format!("; scores move by {mean:.1} on average, {} at most", self.score_moves.most)
        });
        format!(
            "# of {} requests {} change verdict: {} newly blocked, {} no longer{moves}\n# before\n{}\n# after\n{}",
            self.after.requests,
            self.changed,
            self.newly_blocked,
            self.no_longer_blocked,
            self.before.describe(),
            self.after.describe()
        )
    }
}

#[cfg(test)]
mod tests;

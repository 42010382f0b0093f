//! `greenlight score`: the edge's own scoring, on recorded requests.

mod against;
mod judge;
mod summary;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use greenlight_artifact::{Defect, Schema, ValidArtifact};
use greenlight_bot::CompileError;
use greenlight_bot::recorded::{LineError, Reader, RecordedRequest};
use serde::Serialize;

use crate::Exit;
use against::Comparison;
use judge::{Explanation, Judge, Judged};
use summary::Summary;

/// Time from a line to one that says no time, so that rows about what a client did before do not fire.
const APART: Duration = Duration::from_mins(1);

/// What to score, and with what.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Artifact file, as `greenlightctl build` makes it.
    #[arg(long, value_name = "FILE")]
    artifact: PathBuf,
    /// The artifact that runs now. With it, only requests whose verdict --artifact would change are answered, with why.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Requests, one JSON object a line: method, path, version, client, headers ([[name, value], …]), and optionally
    /// at (seconds, ascending: rows about rates see them as recorded), tls, ja4, http2, crawler, status, label ("bot" or
    /// "human") and source. "-" reads standard input.
    #[arg(long, value_name = "FILE")]
    requests: PathBuf,
    /// Scores below this are blocked, and count as bots in the summary.
    #[arg(long, value_name = "SCORE", default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=100))]
    bot_below: u8,
    /// One JSON object a line, the last one the summary.
    #[arg(long)]
    json: bool,
    /// For each request the sum behind its score: every row that fired, its weight and what it looks for.
    #[arg(long, conflicts_with = "against")]
    explain: bool,
}

/// Why nothing, or not everything, was scored.
#[derive(Debug, thiserror::Error)]
enum ScoreError {
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is refused: {defect}", .path.display())]
    Artifact { path: PathBuf, defect: Defect },
    #[error("{} cannot run here: {source}", .path.display())]
    Compile { path: PathBuf, source: CompileError },
    #[error("cannot write the answers: {0}")]
    Write(io::Error),
    #[error("{refused} of the lines were refused")]
    Lines { refused: u64 },
}

impl ScoreError {
    fn exit(&self) -> Exit {
        match self {
            Self::Artifact { .. } | Self::Compile { .. } | Self::Lines { .. } => Exit::Input,
            Self::Read { .. } | Self::Write(_) => Exit::Failed,
        }
    }
}

/// Why a line is not scored.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("at: expected no time before that of an earlier line, {} s, found {} s", .earlier.as_secs_f64(), .found.as_secs_f64())]
    BackInTime { earlier: Duration, found: Duration },
}

impl Refusal {
    const fn reason(&self) -> &'static str {
        match self {
            Self::Line(error) => error.reason(),
            Self::BackInTime { .. } => "back-in-time",
        }
    }
}

/// What was found out about one line.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Scored { score: u8, verdict: &'static str, reasons: Vec<NamedReason<'a>> },
    Explained(Explanation<'a>),
    Refused { line: u64, error: &'static str, message: String },
}

#[derive(Serialize)]
struct NamedReason<'a> {
    key: &'a str,
    weight: i16,
}

#[derive(Serialize)]
struct Closing<'a> {
    summary: &'a Summary,
}

pub(crate) fn score(args: &Args) -> Result<(), Exit> {
    match run(args, BufWriter::new(io::stdout().lock())) {
        // Whoever reads the answers has seen enough.
        Err(ScoreError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            eprintln!("greenlight: {error}");
            Err(error.exit())
        }
        Ok(()) => Ok(()),
    }
}

fn run(args: &Args, output: impl Write) -> Result<(), ScoreError> {
    let judge = judge(&args.artifact, args.bot_below)?;
    let against =
        args.against.as_deref().map(|path| self::judge(path, args.bot_below)).transpose()?;
    let input = open(&args.requests)?;
    match against {
        Some(before) => Comparison::new(args, before, judge).all(input, output),
        None => Run::new(args, judge).all(input, output),
    }
}

fn judge(path: &Path, bot_below: u8) -> Result<Judge, ScoreError> {
    let bytes =
        read_capped(path).map_err(|source| ScoreError::Read { path: path.into(), source })?;
    let artifact = ValidArtifact::check(&bytes, &[Schema::ENGINE_1])
        .map_err(|defect| ScoreError::Artifact { path: path.into(), defect })?;
    Judge::new(&artifact, bot_below)
        .map_err(|source| ScoreError::Compile { path: path.into(), source })
}

fn open(requests: &Path) -> Result<Box<dyn BufRead>, ScoreError> {
    if requests == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(requests)
        .map_err(|source| ScoreError::Read { path: requests.into(), source })?;
    Ok(Box::new(BufReader::new(file)))
}

/// One byte more than any artifact has is enough to refuse a file of any size.
fn read_capped(path: &Path) -> io::Result<Vec<u8>> {
    let cap = u64::try_from(greenlight_artifact::MAX_LEN).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(cap).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Hands over each request with the number of its line, from 1, and its time. Empty lines are passed over; a line that is
/// no request is refused, and how many were is returned.
fn each_request<W: Write>(
    input: impl BufRead,
    args: &Args,
    output: &mut W,
    mut answer: impl FnMut(&mut W, u64, &RecordedRequest, Duration) -> Result<(), ScoreError>,
) -> Result<u64, ScoreError> {
    let (mut now, mut refused) = (Duration::ZERO, 0_u64);
    for line in Reader::new(input) {
        let line =
            line.map_err(|source| ScoreError::Read { path: args.requests.clone(), source })?;
        let timed = line.request.map_err(Refusal::from).and_then(|request| {
            let at = request.at.unwrap_or(now.saturating_add(APART));
            if at < now {
                return Err(Refusal::BackInTime { earlier: now, found: at });
            }
            now = at;
            Ok(request)
        });
        match timed {
            Ok(request) => answer(output, line.number, &request, now)?,
            Err(refusal) => {
                refused = refused.saturating_add(1);
                refuse(output, args, line.number, &refusal)?;
            }
        }
    }
    Ok(refused)
}

/// Answers a line that is no request.
fn refuse(
    output: &mut impl Write,
    args: &Args,
    line: u64,
    refusal: &Refusal,
) -> Result<(), ScoreError> {
    let message = plain(&refusal.to_string());
    eprintln!("greenlight: {}: line {line}: {message}", args.requests.display());
    if args.json {
        return write_json(output, &Answer::Refused { line, error: refusal.reason(), message });
    }
    writeln!(output, " - refused  line {line}: {message}").map_err(ScoreError::Write)
}

/// Text out of a file, with everything escaped that a terminal could obey.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\'' | '\\' => plain.push(char),
            _ => plain.extend(char.escape_debug()),
        }
    }
    plain
}

/// Every answer is given; whether all lines were requests is the exit code.
fn finish(mut output: impl Write, refused_lines: u64) -> Result<(), ScoreError> {
    output.flush().map_err(ScoreError::Write)?;
    match refused_lines {
        0 => Ok(()),
        refused => Err(ScoreError::Lines { refused }),
    }
}

struct Run<'a> {
    args: &'a Args,
    judge: Judge,
    summary: Summary,
}

impl<'a> Run<'a> {
    fn new(args: &'a Args, judge: Judge) -> Self {
        let summary = judge.summary(args.bot_below);
        Self { args, judge, summary }
    }

    fn all(mut self, input: impl BufRead, mut output: impl Write) -> Result<(), ScoreError> {
        let args = self.args;
        self.summary.refused_lines =
            each_request(input, args, &mut output, |output, line, request, now| {
                self.answer(output, line, request, now)
            })?;
        self.close(output)
    }

    fn answer(
        &mut self,
        output: &mut impl Write,
        line: u64,
        request: &RecordedRequest,
        now: Duration,
    ) -> Result<(), ScoreError> {
        let judged = self.judge.judge(request, now);
        self.summary.count(request, &judged.verdict);
        if self.args.explain {
            let explanation = self.judge.explain(line, &judged);
            if self.args.json {
                return write_json(output, &Answer::Explained(explanation));
            }
            return writeln!(output, "{}", explanation.describe()).map_err(ScoreError::Write);
        }
        self.write(output, &judged)
    }

    fn write(&self, output: &mut impl Write, judged: &Judged) -> Result<(), ScoreError> {
        let (score, verdict) = (judged.verdict.score.get(), judged.verdict.as_str());
        let reasons = judged.reasons.iter();
        if self.args.json {
            let reasons = reasons
                .map(|reason| NamedReason { key: reason.key.as_str(), weight: reason.weight })
                .collect();
            return write_json(output, &Answer::Scored { score, verdict, reasons });
        }
        let reasons: Vec<String> =
            reasons.map(|reason| format!("{}{:+}", reason.key, reason.weight)).collect();
        let answer = format!("{score:>2} {verdict:<8} {}", reasons.join(" "));
        writeln!(output, "{}", answer.trim_end()).map_err(ScoreError::Write)
    }

    fn close(mut self, mut output: impl Write) -> Result<(), ScoreError> {
        self.summary.close();
        if self.args.json {
            write_json(&mut output, &Closing { summary: &self.summary })?;
        } else {
            writeln!(output, "{}", self.summary.describe()).map_err(ScoreError::Write)?;
        }
        finish(output, self.summary.refused_lines)
    }
}

fn write_json(output: &mut impl Write, value: &impl Serialize) -> Result<(), ScoreError> {
    let written = serde_json::to_writer(&mut *output, value).map_err(io::Error::from);
    written.and_then(|()| output.write_all(b"\n")).map_err(ScoreError::Write)
}

#[cfg(test)]
mod tests;

//! `greenlight score`: the edge's own scoring, on recorded requests.

mod against;
mod summary;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use greenlight_artifact::{Defect, Digest, Schema, ValidArtifact};
use greenlight_bot::recorded::{LineError, Reader, RecordedRequest};
use greenlight_bot::{
    CompileError, CompiledModel, Engine, EngineLimits, Policy, Reason, Route, Target, Verdict,
};
use serde::Serialize;

use crate::Exit;
use against::Comparison;
use summary::Summary;

/// Time between two lines. Lines carry no time of their own, so that rows about request rates must not fire.
const APART: Duration = Duration::from_secs(60);

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
    /// label ("bot" or "human") and source. "-" reads standard input.
    #[arg(long, value_name = "FILE")]
    requests: PathBuf,
    /// Scores below this are blocked, and count as bots in the summary.
    #[arg(long, value_name = "SCORE", default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=100))]
    bot_below: u8,
    /// One JSON object a line, the last one the summary.
    #[arg(long)]
    json: bool,
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

/// What was found out about one line.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Scored { score: u8, verdict: &'static str, reasons: Vec<NamedReason<'a>> },
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
    let judge = Judge::new(compiled(&args.artifact)?, args.bot_below);
    let against = args.against.as_deref().map(compiled).transpose()?;
    let input = open(&args.requests)?;
    match against {
        Some(model) => {
            let before = Judge::new(model, args.bot_below);
            Comparison::new(args, before, judge, output).all(input)
        }
        None => Run::new(args, judge, output).all(input),
    }
}

fn compiled(path: &Path) -> Result<CompiledModel, ScoreError> {
    let bytes =
        read_capped(path).map_err(|source| ScoreError::Read { path: path.into(), source })?;
    let artifact = ValidArtifact::check(&bytes, &[Schema::ENGINE_1])
        .map_err(|defect| ScoreError::Artifact { path: path.into(), defect })?;
    CompiledModel::compile(&artifact)
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

/// An artifact, and what is done about its scores.
struct Judge {
    digest: Digest,
    rows: usize,
    intercept: i32,
    engine: Engine,
    policy: Policy,
}

impl Judge {
    fn new(model: CompiledModel, bot_below: u8) -> Self {
        let (digest, rows, intercept) = (model.digest(), model.len(), model.intercept());
        let engine = Engine::for_replay(EngineLimits::default());
        engine.install(model);
        let policy = Policy::new(vec![Route::new().block_below(bot_below)]);
        Self { digest, rows, intercept, engine, policy }
    }

    /// The verdict on the request of that line, and the rows behind it.
    fn judge(&self, line: u64, request: &RecordedRequest) -> (Verdict, Vec<Reason>) {
        let now = APART.saturating_mul(u32::try_from(line).unwrap_or(u32::MAX));
        let evaluation = self.engine.evaluate_at(&request.view(), now);
        let verdict = self
            .policy
            .decide(&Target::new(request.method.as_str(), None, &request.path), &evaluation);
        let reasons = self.engine.reasons(verdict.digest, verdict.fired);
        (verdict, reasons)
    }

    /// A summary of nothing yet.
    fn summary(&self, bot_below: u8) -> Summary {
        let artifact = self.digest.to_string();
        Summary { artifact, rows: self.rows, bot_below, ..Summary::default() }
    }
}

/// Hands over every line with its number, from 1; empty ones are passed over.
fn each_line(
    input: impl BufRead,
    path: &Path,
    mut take: impl FnMut(u64, Result<RecordedRequest, LineError>) -> Result<(), ScoreError>,
) -> Result<(), ScoreError> {
    for line in Reader::new(input) {
        let line = line.map_err(|source| ScoreError::Read { path: path.into(), source })?;
        take(line.number, line.request)?;
    }
    Ok(())
}

/// Answers a line that is no request.
fn refuse(
    output: &mut impl Write,
    args: &Args,
    line: u64,
    error: &LineError,
) -> Result<(), ScoreError> {
    eprintln!("greenlight: {}: line {line}: {error}", args.requests.display());
    if args.json {
        let (error, message) = (error.reason(), error.to_string());
        return write_json(output, &Answer::Refused { line, error, message });
    }
    writeln!(output, " - refused  line {line}: {error}").map_err(ScoreError::Write)
}

/// Every answer is given; whether all lines were requests is the exit code.
fn finish(mut output: impl Write, refused_lines: u64) -> Result<(), ScoreError> {
    output.flush().map_err(ScoreError::Write)?;
    match refused_lines {
        0 => Ok(()),
        refused => Err(ScoreError::Lines { refused }),
    }
}

struct Run<'a, W> {
    args: &'a Args,
    judge: Judge,
    output: W,
    summary: Summary,
}

impl<'a, W: Write> Run<'a, W> {
    fn new(args: &'a Args, judge: Judge, output: W) -> Self {
        let summary = judge.summary(args.bot_below);
        Self { args, judge, output, summary }
    }

    fn all(mut self, input: impl BufRead) -> Result<(), ScoreError> {
        let args = self.args;
        each_line(input, &args.requests, |line, request| match request {
            Ok(request) => self.answer(line, &request),
            Err(error) => {
                self.summary.refused_lines = self.summary.refused_lines.saturating_add(1);
                refuse(&mut self.output, args, line, &error)
            }
        })?;
        self.close()
    }

    fn answer(&mut self, line: u64, request: &RecordedRequest) -> Result<(), ScoreError> {
        let (verdict, reasons) = self.judge.judge(line, request);
        self.summary.count(request, &verdict);
        self.write(&verdict, &reasons)
    }

    fn write(&mut self, verdict: &Verdict, reasons: &[Reason]) -> Result<(), ScoreError> {
        let (score, verdict) = (verdict.score.get(), verdict.as_str());
        if self.args.json {
            let reasons = reasons
                .iter()
                .map(|reason| NamedReason { key: reason.key.as_str(), weight: reason.weight })
                .collect();
            return write_json(&mut self.output, &Answer::Scored { score, verdict, reasons });
        }
        let reasons: Vec<String> =
            reasons.iter().map(|reason| format!("{}{:+}", reason.key, reason.weight)).collect();
        let answer = format!("{score:>2} {verdict:<8} {}", reasons.join(" "));
        writeln!(self.output, "{}", answer.trim_end()).map_err(ScoreError::Write)
    }

    fn close(mut self) -> Result<(), ScoreError> {
        self.summary.close();
        if self.args.json {
            write_json(&mut self.output, &Closing { summary: &self.summary })?;
        } else {
            writeln!(self.output, "{}", self.summary.describe()).map_err(ScoreError::Write)?;
        }
        finish(self.output, self.summary.refused_lines)
    }
}

fn write_json(output: &mut impl Write, value: &impl Serialize) -> Result<(), ScoreError> {
    let written = serde_json::to_writer(&mut *output, value).map_err(io::Error::from);
    written.and_then(|()| output.write_all(b"\n")).map_err(ScoreError::Write)
}

#[cfg(test)]
mod tests;

//! `greenlight score`: the edge's own scoring, on recorded requests.

mod request;
mod summary;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use greenlight_artifact::{Defect, Schema, ValidArtifact};
use greenlight_bot::{
    CompileError, CompiledModel, Engine, EngineLimits, Policy, Reason, RequestView, Route, Verdict,
};
use serde::Serialize;

use crate::Exit;
use request::{Line, LineError, RecordedRequest, read_line};
use summary::Summary;

/// Time between two lines. Lines carry no time of their own, so that rows about request rates must not fire.
const APART: Duration = Duration::from_secs(60);

/// What to score, and with what.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Artifact file, as `greenlightctl build` makes it.
    #[arg(long, value_name = "FILE")]
    artifact: PathBuf,
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
    let output = BufWriter::new(io::stdout().lock());
    let result = open(args).and_then(|(model, input)| Run::new(args, model, output).all(input));
    match result {
        // Whoever reads the answers has seen enough.
        Err(ScoreError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            eprintln!("greenlight: {error}");
            Err(error.exit())
        }
        Ok(()) => Ok(()),
    }
}

fn open(args: &Args) -> Result<(CompiledModel, Box<dyn BufRead>), ScoreError> {
    let path = &args.artifact;
    let bytes =
        read_capped(path).map_err(|source| ScoreError::Read { path: path.clone(), source })?;
    let artifact = ValidArtifact::check(&bytes, &[Schema::ENGINE_1])
        .map_err(|defect| ScoreError::Artifact { path: path.clone(), defect })?;
    let model = CompiledModel::compile(&artifact)
        .map_err(|source| ScoreError::Compile { path: path.clone(), source })?;
    let input: Box<dyn BufRead> = if args.requests == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let path = &args.requests;
        Box::new(BufReader::new(
            File::open(path).map_err(|source| ScoreError::Read { path: path.clone(), source })?,
        ))
    };
    Ok((model, input))
}

/// One byte more than any artifact has is enough to refuse a file of any size.
fn read_capped(path: &Path) -> io::Result<Vec<u8>> {
    let cap = u64::try_from(greenlight_artifact::MAX_LEN).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(cap).read_to_end(&mut bytes)?;
    Ok(bytes)
}

struct Run<'a, W> {
    args: &'a Args,
    engine: Engine,
    policy: Policy,
    output: W,
    summary: Summary,
}

impl<'a, W: Write> Run<'a, W> {
    fn new(args: &'a Args, model: CompiledModel, output: W) -> Self {
        let summary = Summary {
            artifact: model.digest().to_string(),
            rows: model.len(),
            bot_below: args.bot_below,
            ..Summary::default()
        };
        let engine = Engine::new(EngineLimits::default());
        engine.install(model);
        let policy = Policy::new(vec![Route { block_below: args.bot_below, ..Route::default() }]);
        Self { args, engine, policy, output, summary }
    }

    fn all(mut self, mut input: impl BufRead) -> Result<(), ScoreError> {
        let unreadable = |source| ScoreError::Read { path: self.args.requests.clone(), source };
        let mut buffer = Vec::new();
        let mut number: u64 = 0;
        loop {
            let line = read_line(&mut input, &mut buffer).map_err(unreadable)?;
            number = number.saturating_add(1);
            let request = match line {
                Line::End => break,
                Line::TooLong => Err(LineError::TooLong),
                Line::Text if buffer.trim_ascii().is_empty() => continue,
                Line::Text => RecordedRequest::parse(&buffer),
            };
            match request {
                Ok(request) => self.answer(number, &request)?,
                Err(error) => self.refuse(number, &error)?,
            }
        }
        self.close()
    }

    fn answer(&mut self, number: u64, request: &RecordedRequest) -> Result<(), ScoreError> {
        let view = RequestView {
            method: request.method.as_str(),
            path: &request.path,
            version: request.version,
            client: request.client,
            headers: &request.headers,
        };
        let now = APART.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
        let evaluation = self.engine.evaluate_at(&view, now);
        let verdict = self.policy.decide(None, &request.path, &evaluation);
        self.summary.requests = self.summary.requests.saturating_add(1);
        if let Some(label) = request.label {
            self.summary.add(label, verdict.blocks(), request.source.as_deref());
        }
        let reasons = self.engine.reasons(verdict.digest, verdict.fired);
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

    fn refuse(&mut self, line: u64, error: &LineError) -> Result<(), ScoreError> {
        self.summary.refused_lines = self.summary.refused_lines.saturating_add(1);
        eprintln!("greenlight: {}: line {line}: {error}", self.args.requests.display());
        if self.args.json {
            write_json(
                &mut self.output,
                &Answer::Refused { line, error: error.reason(), message: error.to_string() },
            )?;
        } else {
            writeln!(self.output, " - refused  line {line}: {error}").map_err(ScoreError::Write)?;
        }
        Ok(())
    }

    fn close(mut self) -> Result<(), ScoreError> {
        self.summary.close();
        if self.args.json {
            write_json(&mut self.output, &Closing { summary: &self.summary })?;
        } else {
            writeln!(self.output, "{}", self.summary.describe()).map_err(ScoreError::Write)?;
        }
        self.output.flush().map_err(ScoreError::Write)?;
        match self.summary.refused_lines {
            0 => Ok(()),
            refused => Err(ScoreError::Lines { refused }),
        }
    }
}

fn write_json(output: &mut impl Write, value: &impl Serialize) -> Result<(), ScoreError> {
    let written = serde_json::to_writer(&mut *output, value).map_err(io::Error::from);
    written.and_then(|()| output.write_all(b"\n")).map_err(ScoreError::Write)
}

#[cfg(test)]
mod tests;

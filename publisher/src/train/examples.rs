//! Labelled requests: reading them, and setting some aside.

use std::{collections::BTreeSet, fs::File, io::BufReader, path::Path};

use greenlight_artifact::Digest;
use greenlight_bot::recorded::{Label, Reader, RecordedRequest};
use http::header::USER_AGENT;

use super::TrainError;
use crate::error::{Error, FileError};

/// More requests than this are not read: all are held in memory.
const MAX_EXAMPLES: usize = 1_000_000;

/// A request whose sender is known.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) request: RecordedRequest,
    pub(super) bot: bool,
}

impl Example {
    /// Where it comes from; empty where the line does not say.
    pub(super) fn source(&self) -> &str {
        self.request.source.as_deref().unwrap_or_default()
    }

    /// Its user agent; empty where there is none.
    pub(super) fn agent(&self) -> &[u8] {
        self.request.headers.get(USER_AGENT).map_or(&[], |value| value.as_bytes())
    }

    /// A number in `0..1` that only the user agent decides: requests of one user agent stay together.
    fn draw(&self) -> f64 {
        let Digest(bytes) = Digest::of(self.agent());
        let head = bytes.first_chunk().map_or(0, |head| u32::from_be_bytes(*head));
        f64::from(head) / 4_294_967_296.0
    }
}

/// Reads a file of labelled requests, in its order.
pub(super) fn read(path: &Path) -> Result<Vec<Example>, Error> {
    let io = |error| FileError::Io { path: path.into(), error };
    let mut examples = Vec::new();
    for line in Reader::new(BufReader::new(File::open(path).map_err(io)?)) {
        let line = line.map_err(io)?;
        let at = |problem: String, reason| TrainError::Line {
            path: path.into(),
            line: line.number,
            problem,
            reason,
        };
        let request =
            line.request.as_ref().map_err(|error| at(error.to_string(), error.reason()))?;
        let bot = match request.label {
            Some(Label::Bot) => true,
            Some(Label::Human) => false,
            None => {
                let problem = "expected a label, bot or human; found none".into();
                return Err(at(problem, "no-label").into());
            }
        };
        if examples.len() == MAX_EXAMPLES {
            return Err(TrainError::TooMany { path: path.into(), max: MAX_EXAMPLES }.into());
        }
        examples.push(Example { request: request.clone(), bot });
    }
    for (bot, expected) in [(true, "bot"), (false, "human")] {
        if !examples.iter().any(|example| example.bot == bot) {
            return Err(TrainError::OneClass { path: path.into(), expected }.into());
        }
    }
    Ok(examples)
}

/// Sets about `share` of the user agents aside, with all their requests.
pub(super) fn split(examples: Vec<Example>, share: f64) -> (Vec<Example>, Vec<Example>) {
    examples.into_iter().partition(|example| example.draw() >= share)
}

/// How many different user agents there are.
pub(super) fn agents<'a>(examples: impl Iterator<Item = &'a Example>) -> usize {
    examples.map(Example::agent).collect::<BTreeSet<_>>().len()
}

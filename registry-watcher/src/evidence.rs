//! An append-only record of what this edge saw and did.
//!
//! One JSON object a line: `n` (from 1), `at` (Unix ms), `event`, `digest`, `detail`, `prev` and `hash`. `hash` is
//! Keccak-256 over the line's text up to `,"hash"`, and `prev` is the line before's: a line that is changed, dropped
//! or moved breaks the chain, and [`verify`] says where.
//!
//! What could not be written (a full disk, a torn last line after a crash) is counted, and the count becomes a `gap`
//! line as soon as one can be written. Nothing waits for this file.

#![allow(clippy::disallowed_methods, reason = "performs the file IO of the evidence")]

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use greenlight_artifact::Digest;
use serde::{Deserialize, Serialize};

use crate::store::is_at;

/// An evidence file, open for appending.
#[derive(Debug)]
pub struct Evidence {
    path: PathBuf,
    file: Option<File>,
    next: u64,
    prev: String,
    length: u64,
    /// Lines that could not be written since the last one that could.
    missed: u64,
    /// Bytes of a torn last line found at opening.
    torn: u64,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// From 1, without gaps.
    pub n: u64,
    /// Unix milliseconds by the host's clock.
    pub at: u64,
    /// The stable name of what happened.
    pub event: String,
    /// The artifact it is about.
    pub digest: Option<String>,
    /// Its details.
    pub detail: String,
    /// Hash of the line before; zeros for the first.
    pub prev: String,
    /// Hash of this line.
    pub hash: String,
}

/// Where a chain of evidence breaks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The file system said no.
    #[error("evidence: {0}")]
    Io(#[from] std::io::Error),
    /// A line that is not one, or not the one that follows.
    #[error("evidence, line {line}: {problem}")]
    Broken {
        /// From 1.
        line: u64,
        /// Expected and found.
        problem: String,
    },
}

/// The most bytes of one line: details are cut to fit.
const MAX_LINE: u64 = 8 * 1024;
/// The most bytes that a detail takes in a line, escapes and all.
const MAX_DETAIL: usize = 4_000;

impl Evidence {
    /// Opens the evidence at `path` and goes on after its last whole line.
    ///
    /// # Errors
    /// [`EvidenceError`] where the file cannot be read or its chain is broken before the last line: it is then left as
    /// it is, for people to look at.
    pub fn open(path: &Path) -> Result<Self, EvidenceError> {
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        if !file.metadata()?.is_file() {
            // It could have no end.
            return Err(
                std::io::Error::other("expected a regular file; found something else").into()
            );
        }
        let chain = Chain::read(&mut file)?;
        let length = file.metadata()?.len();
        let torn = length.saturating_sub(chain.length);
        if torn > 0 {
            file.set_len(chain.length)?;
        }
        file.seek(SeekFrom::End(0))?;
        let (next, prev) = (chain.lines.saturating_add(1), chain.prev);
        Ok(Self {
            path: path.into(),
            file: Some(file),
            next,
            prev,
            length: chain.length,
            missed: 0,
            torn,
        })
    }

    /// Appends a line; where it cannot be written, it is counted as missed.
    pub fn append(&mut self, at: u64, event: &str, digest: Option<Digest>, detail: &str) {
        if self.missed > 0 || self.torn > 0 {
            let gap = format!(
                "{} lines could not be written; {} bytes of a torn line were cut",
                self.missed, self.torn
            );
            if self.write(at, "gap", None, &gap).is_err() {
                self.missed = self.missed.saturating_add(1);
                return;
            }
            (self.missed, self.torn) = (0, 0);
        }
        if let Err(error) = self.write(at, event, digest, cut(detail)) {
            tracing::warn!(%error, "evidence cannot be written");
            self.missed = self.missed.saturating_add(1);
        }
    }

    /// Lines that could not be written and are not yet recorded as a gap.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// Counts lines that were lost while this file was not open.
    pub(crate) const fn owe(&mut self, missed: u64) {
        self.missed = self.missed.saturating_add(missed);
    }

    /// Whether what is written still ends up under the file's name: it may be moved or removed while it is open.
    pub(crate) fn is_in_place(&self) -> bool {
        self.file.as_ref().is_none_or(|file| is_at(file, &self.path))
    }

    fn write(
        &mut self,
        at: u64,
        event: &str,
        digest: Option<Digest>,
        detail: &str,
    ) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            closed @ None => {
                closed.insert(OpenOptions::new().read(true).write(true).open(&self.path)?)
            }
        };
        let (text, hash) = line(self.next, at, event, digest, detail, &self.prev)?;
        file.seek(SeekFrom::Start(self.length))?;
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_data()) {
            // Half a line must not stay in the way of the next.
            if file.set_len(self.length).is_err() {
                self.file = None;
            }
            return Err(error);
        }
        self.length = self.length.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
        self.next = self.next.saturating_add(1);
        self.prev = hash;
        Ok(())
    }
}

/// Checks a file's whole chain and says how many lines it has.
///
/// # Errors
/// [`EvidenceError`] at the first line that breaks it; a torn last line does too.
pub fn verify(path: &Path) -> Result<u64, EvidenceError> {
    let mut file = File::open(path)?;
    let chain = Chain::read(&mut file)?;
    if file.metadata()?.len() != chain.length {
        let problem = "expected a whole line; found a torn one".into();
        return Err(EvidenceError::Broken { line: chain.lines.saturating_add(1), problem });
    }
    Ok(chain.lines)
}

/// The whole lines of a file, checked.
struct Chain {
    lines: u64,
    length: u64,
    prev: String,
}

impl Chain {
    fn read(file: &mut File) -> Result<Self, EvidenceError> {
        let mut chain = Self { lines: 0, length: 0, prev: Digest([0; 32]).to_string() };
        let mut reader = BufReader::new(file);
        let mut text = Vec::new();
        loop {
            text.clear();
            let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut text)?;
            let number = chain.lines.saturating_add(1);
            match text.strip_suffix(b"\n") {
                Some(whole) => chain.prev = check(whole, number, &chain.prev)?,
                // The end, or a line that a crash cut short.
                None if u64::try_from(read).unwrap_or(u64::MAX) < MAX_LINE => return Ok(chain),
                None => {
                    let problem = format!("expected at most {MAX_LINE} bytes; found more");
                    return Err(EvidenceError::Broken { line: number, problem });
                }
            }
            chain.lines = number;
            chain.length = chain.length.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        }
    }
}

/// A line's hash, if it is line `number` and follows `prev`.
fn check(text: &[u8], number: u64, prev: &str) -> Result<String, EvidenceError> {
    let broken = |problem: String| EvidenceError::Broken { line: number, problem };
    let found: Line = serde_json::from_slice(text).map_err(|error| broken(error.to_string()))?;
    if found.n != number {
        return Err(broken(format!("n: expected {number}; found {}", found.n)));
    }
    if found.prev != prev {
        return Err(broken(format!("prev: expected {prev}; found {}", found.prev)));
    }
    let digest = found.digest.as_deref().map(str::parse).transpose();
    let digest =
        digest.map_err(|error: greenlight_artifact::DigestParseError| broken(error.to_string()))?;
    let (expected, hash) = line(number, found.at, &found.event, digest, &found.detail, prev)?;
    if expected.as_bytes().strip_suffix(b"\n") != Some(text) {
        return Err(broken(format!("hash: expected {hash}; found {}", found.hash)));
    }
    Ok(hash)
}

/// As much of a detail as fits a line: what an endpoint said may be long, and its escapes longer.
fn cut(detail: &str) -> &str {
    let mut room = MAX_DETAIL;
    let end = detail.char_indices().find_map(|(at, char)| {
        let takes = match char {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..='\u{1f}' => 6,
            _ => char.len_utf8(),
        };
        match room.checked_sub(takes) {
            Some(left) => {
                room = left;
                None
            }
            None => Some(at),
        }
    });
    detail.get(..end.unwrap_or(detail.len())).unwrap_or_default()
}

/// The text of a line and its hash.
fn line(
    n: u64,
    at: u64,
    event: &str,
    digest: Option<Digest>,
    detail: &str,
    prev: &str,
) -> std::io::Result<(String, String)> {
    #[derive(Serialize)]
    struct Hashed<'a> {
        n: u64,
        at: u64,
        event: &'a str,
        digest: Option<String>,
        detail: &'a str,
        prev: &'a str,
    }
    let hashed =
        Hashed { n, at, event, digest: digest.map(|digest| digest.to_string()), detail, prev };
    let mut text = serde_json::to_string(&hashed)?;
    text.pop();
    let hash = Digest::of(text.as_bytes()).to_string();
    Ok((format!("{text},\"hash\":\"{hash}\"}}\n"), hash))
}

#[cfg(test)]
mod tests;

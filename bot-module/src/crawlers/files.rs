//! Files that an operator keeps up to date: lists of networks and JWK sets.

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use thiserror::Error;

use super::networks::NetworksError;
use super::signature::KeyError;

/// Against a file without end.
const MAX_FILE: u64 = 8 << 20;

/// Why a file was not taken.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(String),
    /// It is a pipe, a device or a folder.
    #[error("expected a regular file")]
    NotRegular,
    /// It is too large.
    #[error("expected at most {MAX_FILE} bytes, found {0}")]
    TooLarge(u64),
    /// It is no list of networks.
    #[error(transparent)]
    Networks(#[from] NetworksError),
    /// It is no set of keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

impl FileError {
    /// Stable name, for logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Read(_) => "unreadable",
            Self::NotRegular => "not-regular",
            Self::TooLarge(_) => "too-large",
            Self::Networks(error) => error.reason(),
            Self::Keys(error) => error.reason(),
        }
    }
}

/// What tells whether a file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), length: metadata.len() }
    }
}

/// A file that is read again once it changed.
#[derive(Debug)]
pub(super) struct Followed<T> {
    path: PathBuf,
    parse: fn(&[u8]) -> Result<T, FileError>,
    /// Of the last attempt, good or bad: what is bad is read and reported once.
    stamp: Option<Stamp>,
    last_good: T,
}

impl<T> Followed<T> {
    pub(super) fn open(
        path: &Path,
        parse: fn(&[u8]) -> Result<T, FileError>,
    ) -> Result<Self, FileError> {
        let (stamp, bytes) = read(path)?;
        Ok(Self { path: path.to_owned(), parse, stamp: Some(stamp), last_good: parse(&bytes)? })
    }

    /// Whether there is something new. Where it is bad, or the file gone, the last good one stays.
    fn refresh(&mut self) -> Result<bool, FileError> {
        let seen = fs::metadata(&self.path).ok().map(|metadata| Stamp::of(&metadata));
        if seen == self.stamp {
            return Ok(false);
        }
        self.stamp = seen;
        let (stamp, bytes) = read(&self.path)?;
        self.stamp = Some(stamp);
        self.last_good = (self.parse)(&bytes)?;
        Ok(true)
    }
}

/// What the settings give of one crawler, and what its files do.
#[derive(Debug)]
pub(super) struct Listed<T> {
    inline: Vec<T>,
    files: Vec<Followed<Vec<T>>>,
}

impl<T: Clone> Listed<T> {
    pub(super) fn new(inline: Vec<T>, files: Vec<Followed<Vec<T>>>) -> Self {
        Self { inline, files }
    }

    pub(super) fn all(&self) -> Vec<T> {
        let files = self.files.iter().flat_map(|file| &file.last_good);
        self.inline.iter().chain(files).cloned().collect()
    }

    /// Reads files that changed, and says whether there is something new. What is bad is handed to `refused`.
    pub(super) fn refresh(&mut self, mut refused: impl FnMut(&Path, &FileError)) -> bool {
        let mut changed = false;
        for file in &mut self.files {
            match file.refresh() {
                Ok(new) => changed |= new,
                Err(error) => refused(&file.path, &error),
            }
        }
        changed
    }
}

fn read(path: &Path) -> Result<(Stamp, Vec<u8>), FileError> {
    let unreadable = |error: std::io::Error| FileError::Read(error.to_string());
    // Before it is opened: to open a pipe is to wait for its writer.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(FileError::NotRegular);
    }
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.len() > MAX_FILE {
        return Err(FileError::TooLarge(metadata.len()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= MAX_FILE => Ok((Stamp::of(&metadata), bytes)),
        _ => Err(FileError::TooLarge(MAX_FILE.saturating_add(1))),
    }
}

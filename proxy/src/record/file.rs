//! The file: one edge's, of bounded size, and never anything but whole lines of it in a replay.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::Dropped;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("expected a regular file, found something else")]
    NotAFile,
    #[error("another process records to it")]
    Locked,
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl OpenError {
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::NotAFile => "record-not-a-file",
            Self::Locked => "record-locked",
            Self::Io(_) => "record-io",
        }
    }
}

pub(super) struct RecordFile {
    file: File,
    len: u64,
    max: u64,
    /// Whether the file ends inside a line, as after a crash or a write that a full disk cut.
    torn: bool,
}

impl RecordFile {
    /// Opens the file to append to it, for its owner alone. A link is not followed: whoever may write to the folder must
    /// not choose where an edge writes.
    pub(super) fn open(path: &Path, max: u64) -> Result<Self, OpenError> {
        // Looked at first, because opening a device or a pipe can do something.
        if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(OpenError::NotAFile);
        }
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        // And again, because it may have changed.
        let (opened, named) = (file.metadata()?, path.symlink_metadata()?);
        if !named.is_file() || (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
            return Err(OpenError::NotAFile);
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_permissions(Permissions::from_mode(0o600))?;
        let len = opened.len();
        let torn = len > 0 && {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            last != *b"\n"
        };
        Ok(Self { file, len, max, torn })
    }

    /// Appends a line as a whole or, as far as the disk allows, not at all.
    pub(super) fn append(&mut self, line: &str) -> Result<(), Dropped> {
        let text = format!("{}{line}\n", if self.torn { "\n" } else { "" });
        let len = self.len.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
        if len > self.max {
            return Err(Dropped::Full);
        }
        if self.file.write_all(text.as_bytes()).is_ok() {
            self.len = len;
            self.torn = false;
            return Ok(());
        }
        // What was written of it goes; if that fails too, the next line begins on one of its own.
        if self.file.set_len(self.len).is_err() {
            self.len = self.file.metadata().map_or(self.len, |metadata| metadata.len());
            self.torn = true;
        }
        Err(Dropped::Write)
    }
}

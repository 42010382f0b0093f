//! Where what was measured is written, and what is wrong with a command line before anything has run.

use std::{
    fmt,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::Serialize;

/// A command line that cannot be followed, found before anything ran. The exit code is that of one that cannot be read.
#[derive(Debug)]
pub(crate) struct Misuse(pub(crate) String);

impl Misuse {
    pub(crate) const EXIT_CODE: u8 = 2;
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// A file for a report, if one is wanted. It is made before the run, which takes minutes, and is empty until its end.
#[derive(Debug)]
pub(crate) struct Report(Option<(PathBuf, File)>);

impl Report {
    pub(crate) fn create(path: Option<&Path>) -> Result<Self, Misuse> {
        let create = |path: &Path| match File::create(path) {
            Ok(file) => Ok((path.to_owned(), file)),
            Err(error) => {
                let path = path.display();
                Err(Misuse(format!(
                    "expected a report that can be written at {path}; found: {error}"
                )))
            }
        };
        Ok(Self(path.map(create).transpose()?))
    }

    /// Writes `found` as JSON; `false` where no file is wanted.
    pub(crate) fn write(self, found: &impl Serialize) -> Result<bool> {
        let Self(Some((path, mut file))) = self else { return Ok(false) };
        let text = serde_json::to_string_pretty(found)? + "\n";
        file.write_all(text.as_bytes()).with_context(|| path.display().to_string())?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;

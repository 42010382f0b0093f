//! A wall clock that can be set, for one process: libfaketime (Debian package `faketime`) between it and the system's.
//!
//! Only the wall clock is changed: monotonic time, which staleness and timers go by, stays the system's.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::process::{self, PATIENCE};

/// ld.so puts in the folder that libraries of its kind lie in.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketimeMT.so.1";

/// A wall clock beside the system's.
#[derive(Clone, Debug)]
pub(crate) struct WallClock {
    /// libfaketime reads the offset from here at each call.
    file: PathBuf,
}

impl WallClock {
    /// One that is right so far. `folder` keeps its file.
    ///
    /// # Errors
    /// Where processes of this machine cannot be given one.
    pub(crate) async fn new(folder: &Path) -> Result<Self> {
        let clock = Self { file: folder.join("clock") };
        clock.set(3_600)?;
        let mut date = Command::new("date");
        clock.govern(date.arg("+%s"));
        let output = process::run("date", date, PATIENCE).await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let found: u64 = text.trim().parse().with_context(|| format!("date said {text:?}"))?;
        let real = std::time::UNIX_EPOCH.elapsed()?.as_secs();
        ensure!(
            found.abs_diff(real + 3_600) < 60,
            "a clock set an hour ahead of {real} shows {found}: libfaketime is missing; on Debian: apt-get install faketime"
        );
        clock.set(0)?;
        Ok(clock)
    }

    /// Seconds that it is ahead of the system's, or behind it. Processes see that at once.
    pub(crate) fn set(&self, ahead: i64) -> Result<()> {
        // In one step: a reader must never find half of it.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{ahead:+}\n"))
            .and_then(|()| fs::rename(&new, &self.file))
            .with_context(|| self.file.display().to_string())
    }

    /// Lets a command's process see this clock.
    pub(crate) fn govern(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", LIBRARY)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
}

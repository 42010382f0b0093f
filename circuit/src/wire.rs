//! Reading bytes from the front, writing files whole.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use crate::points::{self, Check, Point, PointError};

/// Bytes yet to be read.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], PointError> {
        let short = PointError::Length { expected: length, found: self.rest.len() };
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], PointError> {
        let short = PointError::Length { expected: N, found: self.rest.len() };
        self.take(N)?.first_chunk().copied().ok_or(short)
    }

    pub(crate) fn point<P: Point>(&mut self, check: Check) -> Result<P, PointError> {
        let bytes = self.take(P::LEN)?;
        match check {
            Check::Full => P::read(bytes),
            Check::Coordinates => P::read_unchecked(bytes),
        }
    }

    /// `count` points; they must be there before memory is taken for them.
    pub(crate) fn points<P: Point>(
        &mut self,
        count: usize,
        check: Check,
    ) -> Result<Vec<P>, PointError> {
        points::read_all(self.take(count.saturating_mul(P::LEN))?, check)
    }
}

/// Writes a file so that no reader ever sees half of it.
///
/// # Errors
///
/// As the file system says; nothing is left behind then.
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create_new(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

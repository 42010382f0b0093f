//! Reading sources and artifacts, writing artifacts.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use greenlight_artifact::{
    Digest, Draft, MAGIC, Schema, ValidArtifact,
    source::{self, Source, SourceFormat},
};

use crate::error::FileError;

/// The engines whose schemas this program builds and checks for.
pub(crate) const SCHEMAS: &[Schema] = &[Schema::ENGINE_1];

/// Drills send what is no artifact at all; this is what a node still takes as one transaction.
const MAX_UNCHECKED: u64 = 120 << 10;

/// How a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A JSON source.
    Json,
    /// A CSV source.
    Csv,
    /// A Parquet source.
    Parquet,
    /// The canonical bytes.
    Artifact,
}

impl Format {
    /// By the file's extension; any other is taken for an artifact.
    fn of(path: &Path) -> Self {
        let is = |extension: &str| {
            path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
        };
        if is("json") {
            Self::Json
        } else if is("csv") {
            Self::Csv
        } else if is("parquet") {
            Self::Parquet
        } else {
            Self::Artifact
        }
    }
}

/// Builds the artifact of a source file.
pub(crate) fn build(path: &Path, format: Option<Format>) -> Result<ValidArtifact, FileError> {
    let source = |error| FileError::Source { path: path.into(), error };
    read_source(path, format)?.encode(SCHEMAS).map_err(source)
}

/// Reads a source of any number of rows.
pub(crate) fn draft(path: &Path) -> Result<Draft, FileError> {
    read_source(path, None).map(|source| source.draft().clone())
}

fn read_source(path: &Path, format: Option<Format>) -> Result<Source, FileError> {
    let (format, file) = source_bytes(path, format)?;
    Source::read(format, &file).map_err(|error| FileError::Source { path: path.into(), error })
}

/// The bytes of a source file, and how they are to be read.
pub(crate) fn source_bytes(
    path: &Path,
    format: Option<Format>,
) -> Result<(SourceFormat, Vec<u8>), FileError> {
    let format = match format.unwrap_or_else(|| Format::of(path)) {
        Format::Json => SourceFormat::Json,
        Format::Csv => SourceFormat::Csv,
        Format::Parquet => SourceFormat::Parquet,
        Format::Artifact => {
            let found = match (format, path.extension()) {
                (Some(_), _) => "--format artifact".into(),
                (None, Some(extension)) => extension.display().to_string(),
                (None, None) => "no extension".into(),
            };
            let expected =
                "a source that ends in .json, .csv or .parquet, or --format json, csv or parquet";
            return Err(FileError::Format { path: path.into(), expected, found });
        }
    };
    let max = u64::try_from(source::MAX_LEN).unwrap_or(u64::MAX);
    Ok((format, read_capped(path, max)?))
}

/// Reads a source or an artifact.
pub(crate) fn load(path: &Path, format: Option<Format>) -> Result<ValidArtifact, FileError> {
    match format.unwrap_or_else(|| Format::of(path)) {
        Format::Artifact => artifact(path),
        source => build(path, Some(source)),
    }
}

/// Reads and checks an artifact.
pub(crate) fn artifact(path: &Path) -> Result<ValidArtifact, FileError> {
    let bytes = unchecked(path)?;
    ValidArtifact::check(&bytes, SCHEMAS).map_err(|defect| {
        let text = Format::of(path) != Format::Artifact
            || bytes.first_chunk() != Some(&MAGIC) && bytes.is_ascii();
        if text && !bytes.is_empty() {
            let found = if Format::of(path) == Format::Parquet { "Parquet" } else { "text" }.into();
            let expected = "an artifact, as `build` writes it";
            return FileError::Format { path: path.into(), expected, found };
        }
        FileError::Artifact { path: path.into(), defect }
    })
}

/// Reads any bytes.
pub(crate) fn unchecked(path: &Path) -> Result<Vec<u8>, FileError> {
    read_capped(path, MAX_UNCHECKED)
}

/// Writes an artifact so that no reader ever sees half of it.
pub(crate) fn write(path: &Path, artifact: &ValidArtifact) -> Result<(), FileError> {
    write_bytes(path, artifact.bytes())
}

/// Writes a file so that no reader ever sees half of it.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    greenlight_circuit::write_file(path, bytes)
        .map_err(|error| FileError::Io { path: path.into(), error })
}

/// Makes a directory, unless it is there.
pub(crate) fn make_directory(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(|error| FileError::Io { path: path.into(), error })
}

/// Refuses a file that is not the bytes of `artifact`.
pub(crate) fn compare(path: &Path, artifact: &ValidArtifact) -> Result<(), FileError> {
    compare_bytes(path, artifact.bytes())
}

/// Refuses a file that does not hold `bytes`. What is longer is not read to its end.
pub(crate) fn compare_bytes(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let max = u64::try_from(bytes.len()).unwrap_or(u64::MAX).max(MAX_UNCHECKED);
    let (expected, found) = (Digest::of(bytes), Digest::of(&read_capped(path, max)?));
    if expected == found {
        Ok(())
    } else {
        Err(FileError::Differs { path: path.into(), expected, found })
    }
}

pub(crate) fn read_capped(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    let io = |error| FileError::Io { path: PathBuf::from(path), error };
    let mut bytes = Vec::new();
    let read = File::open(path)
        .map_err(io)?
        .take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if u64::try_from(read).is_ok_and(|read| read <= max) {
        Ok(bytes)
    } else {
        Err(FileError::TooLarge { path: path.into(), max })
    }
}

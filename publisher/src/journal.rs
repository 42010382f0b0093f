//! `greenlightctl journal`: the zkVM route's program, run natively.

use std::{fmt, path::Path};

use alloy::primitives::{B256, Bytes};
use greenlight_artifact::{
    Digest, Schema,
    guest::{self, Input},
};
use serde::Serialize;

use crate::{
    error::{Error, FileError},
    files::{self, Format},
    report::Report,
};

/// Seals have some hundreds of bytes; this is what a node still takes as one transaction.
const MAX_SEAL: u64 = 120 << 10;

/// Says what the program publishes of `source`, and writes what it reads and, from a seal, the evidence of its receipt.
pub(crate) fn run(
    source: &Path,
    format: Option<Format>,
    input_out: Option<&Path>,
    seal_and_evidence: Option<(&Path, &Path)>,
) -> Result<Report, Error> {
    let (format, file) = files::source_bytes(source, format)?;
    let input = Input { schema: Schema::ENGINE_1, format, source: &file };
    let (_, journal) = guest::canonicalise(&input)
        .map_err(|error| FileError::Source { path: source.into(), error })?;
    if let Some(out) = input_out {
        files::write_bytes(out, &input.to_bytes())?;
    }
    if let Some((seal, out)) = seal_and_evidence {
        files::write_bytes(out, &journal.evidence(&files::read_capped(seal, MAX_SEAL)?))?;
    }
    Ok(Report::of(&Published {
        digest: journal.digest,
        source: journal.source.into(),
        engine: journal.schema.engine,
        schema: journal.schema.word.into(),
        budget: journal.schema.budget,
        size: journal.size,
        rows: journal.rows,
        journal: journal.to_bytes().to_vec().into(),
    }))
}

#[derive(Serialize)]
struct Published {
    digest: Digest,
    source: B256,
    engine: u32,
    schema: B256,
    budget: u32,
    size: u16,
    rows: u8,
    journal: Bytes,
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "digest     {}", self.digest)?;
        writeln!(f, "source     {} (SHA-256)", self.source)?;
        writeln!(f, "engine     {}, schema {}, budget {}", self.engine, self.schema, self.budget)?;
        writeln!(f, "size       {} bytes, {} rows", self.size, self.rows)?;
        write!(f, "journal    {}", self.journal)
    }
}

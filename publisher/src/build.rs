//! `greenlightctl build`: a source file becomes canonical bytes.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use greenlight_artifact::{Digest, ValidArtifact};
use serde::Serialize;

use crate::{
    error::Error,
    files::{self, Format, SCHEMAS},
    report::{Report, time},
};

/// Builds `source` and writes it to `out`, or, to check, compares it with what is there.
pub(crate) fn run(
    source: &Path,
    format: Option<Format>,
    out: &Path,
    check: bool,
) -> Result<Report, Error> {
    let artifact = files::build(source, format)?;
    if check {
        files::compare(out, &artifact)?;
    } else {
        files::write(out, &artifact)?;
    }
    let summary = Summary::of(&artifact);
    Ok(Report::of(&Built { out: out.into(), written: !check, summary }))
}

#[derive(Serialize)]
struct Built {
    out: PathBuf,
    written: bool,
    #[serde(flatten)]
    summary: Summary,
}

/// The figures of an artifact.
#[derive(Serialize)]
pub(crate) struct Summary {
    digest: Digest,
    pub(crate) label: String,
    engine: u32,
    created_at: u64,
    intercept: i32,
    rows: usize,
    size: usize,
    cost: u32,
    budget: u32,
}

impl Summary {
    pub(crate) fn of(artifact: &ValidArtifact) -> Self {
        let header = artifact.header();
        let schema = SCHEMAS.iter().find(|schema| schema.engine == header.engine);
        Self {
            digest: artifact.digest(),
            label: header.label.into(),
            engine: header.engine,
            created_at: header.created_at,
            intercept: header.intercept,
            rows: artifact.rows().len(),
            size: artifact.bytes().len(),
            cost: schema.map_or(0, |schema| {
                artifact.rows().map(|row| schema.cost(row.kind)).fold(0, u32::saturating_add)
            }),
            budget: schema.map_or(0, |schema| schema.budget),
        }
    }
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary)?;
        write!(f, "{}    {}", if self.written { "written" } else { "same as" }, self.out.display())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "digest     {}", self.digest)?;
        writeln!(f, "label      {}", self.label)?;
        writeln!(f, "engine     {}", self.engine)?;
        writeln!(f, "created    {}", time(self.created_at))?;
        writeln!(f, "intercept  {} milli-logit", self.intercept)?;
        writeln!(f, "rows       {}", self.rows)?;
        writeln!(f, "size       {} bytes", self.size)?;
        write!(f, "cost       {} of {}", self.cost, self.budget)
    }
}

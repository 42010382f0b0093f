//! Reading feature files as people and generators write them: JSON and CSV.
//!
//! Every error says the line and column (both from 1) at which it lies, and a duplicate key says both of its places.
//!
//! # JSON
//! ```json
//! {
//!   "label": "2026-11 weekly", "engine": 1, "intercept": -2000, "created_at": 1763700000,
//!   "rows": [
//!     { "key": "ua.curl", "kind": "ua-contains", "arg": "curl/", "weight": 4000 },
//!     { "key": "h.lang.absent", "kind": "header-absent", "arg": "accept-language", "weight": 1200 }
//!   ]
//! }
//! ```
//! `label` (default empty) and `engine` (default 1) may be left out, and so may the `arg` of a kind that takes none. An
//! unknown or repeated field is an error: a misspelt name must not silently change a model.
//!
//! # CSV
//! ```csv
//! # label: 2026-11 weekly
//! # engine: 1
//! # intercept: -2000
//! # created_at: 1763700000
//! key,kind,arg,weight
//! ua.curl,ua-contains,curl/,4000
//! ```
//! Lines that start with `#` come first; then the header line with these four columns; then rows, quoted as RFC 4180
//! says.
//!
//! # Kinds and arguments
//! | kind | `arg` |
//! |---|---|
//! | `ua-contains` | text in lower case, matched in any ASCII case |
//! | `ua-empty`, `crawler-unverified`, `hints-missing`, `hints-contradict` | nothing |
//! | `ua-longer-than`, `ua-shorter-than`, `header-longer-than` | bytes |
//! | `header-count-over`, `header-count-under`, `path-depth-over`, `distinct-paths-over` | how many |
//! | `header-repeated`, `accept-language-malformed`, `http1-fields`, `scanner-path` | nothing |
//! | `header-order` | text of the word that stands for the order of the fields, as `^hua$` |
//! | `path-entropy-over` | hundredths of a bit a character |
//! | `error-ratio-over`, `gap-variation-under` | percent |
//! | `ja4-contains`, `http2-contains` | text, matched exactly |
//! | `header-present`, `header-absent` | a field name in lower case |
//! | `header-equals`, `header-contains` | `name:value`, both in lower case |
//! | `method`, `path-prefix`, `path-contains` | text, matched exactly |
//! | `client-cidr-v4`, `client-cidr-v6` | a network, as `192.0.2.0/24` |
//! | `request-rate` | requests a second |
//! | `http-version` | 10, 11, 20 or 30 |

mod csv;
mod json;

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::{
    artifact::{Row, ValidArtifact},
    defect::Defect,
    draft::Draft,
    feature::{Feature, FeatureError},
    layout::Key,
    schema::Schema,
};

/// A source file as read: a draft, and where each of its rows stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    draft: Draft,
    positions: BTreeMap<Key, Position>,
}

/// A place in a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in bytes for JSON and in fields for CSV.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What is wrong with a source file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct SourceError {
    /// Where it lies.
    pub at: Position,
    /// What it is.
    pub problem: SourceProblem,
}

/// What is wrong at a place of a source file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceProblem {
    /// Not JSON, not CSV, or not of the documented shape.
    #[error("{0}")]
    Syntax(String),
    /// A field that must be there is not.
    #[error("expected field `{name}`; found none")]
    Missing {
        /// The field's name.
        name: &'static str,
    },
    /// A value of another type or beyond its range.
    #[error("`{name}`: expected {expected}; found {found}")]
    Value {
        /// The field's name.
        name: &'static str,
        /// What was expected.
        expected: &'static str,
        /// What stood there.
        found: String,
    },
    /// A kind or argument that cannot be read.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// The same key twice.
    #[error("key: expected each key once; found {key} again, first at {first}")]
    DuplicateKey {
        /// The key.
        key: Key,
        /// Where it stood first.
        first: Position,
    },
    /// An invariant of the format is broken.
    #[error(transparent)]
    Defect(#[from] Defect),
}

impl SourceProblem {
    fn at(self, line: usize, column: usize) -> SourceError {
        SourceError { at: Position { line, column }, problem: self }
    }
}

impl SourceError {
    /// The stable name of the problem.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match &self.problem {
            SourceProblem::Syntax(_) => "syntax",
            SourceProblem::Missing { .. } => "missing",
            SourceProblem::Value { .. } => "value",
            SourceProblem::Feature(FeatureError::Kind { .. }) => "kind",
            SourceProblem::Feature(FeatureError::Argument { .. }) => "argument",
            SourceProblem::DuplicateKey { .. } => "key-duplicate",
            SourceProblem::Defect(defect) => defect.reason(),
        }
    }
}

impl Source {
    /// Reads a JSON source.
    ///
    /// # Errors
    /// The first [`SourceError`].
    pub fn from_json(text: &str) -> Result<Self, SourceError> {
        json::read(text)
    }

    /// Reads a CSV source.
    ///
    /// # Errors
    /// The first [`SourceError`].
    pub fn from_csv(text: &str) -> Result<Self, SourceError> {
        csv::read(text)
    }

    /// What was read.
    #[must_use]
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Encodes the source.
    ///
    /// # Errors
    /// The first [`Defect`], placed at the row of the source that has it.
    pub fn encode(&self, schemas: &[Schema]) -> Result<ValidArtifact, SourceError> {
        self.draft.encode(schemas).map_err(|defect| {
            // Defects count rows in sorted order, which is the order of `positions`.
            let row = defect.row().and_then(|row| self.positions.values().nth(row)).copied();
            SourceError {
                at: row.unwrap_or(Position { line: 1, column: 1 }),
                problem: defect.into(),
            }
        })
    }
}

/// Collects rows and refuses a key's second coming.
#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    positions: BTreeMap<Key, Position>,
}

/// A row's cells, each with its place.
struct RawRow<'a> {
    key: (&'a str, Position),
    kind: (&'a str, Position),
    argument: (&'a str, Position),
    weight: (i64, Position),
}

impl Rows {
    fn push(&mut self, raw: &RawRow<'_>) -> Result<(), SourceError> {
        let row = self.rows.len();
        let (key_text, at) = raw.key;
        let key = Key::from_text(key_text, row)
            .map_err(|defect| SourceError { at, problem: defect.into() })?;
        if let Some(first) = self.positions.insert(key, at) {
            return Err(SourceError { at, problem: SourceProblem::DuplicateKey { key, first } });
        }
        let feature = Feature::parse(raw.kind.0, raw.argument.0).map_err(|error| SourceError {
            at: if matches!(error, FeatureError::Kind { .. }) {
                raw.kind.1
            } else {
                raw.argument.1
            },
            problem: error.into(),
        })?;
        let (weight, at) = raw.weight;
        let weight = i16::try_from(weight).map_err(|_| SourceError {
            at,
            problem: SourceProblem::Value {
                name: "weight",
                expected: "a whole number from -10000 to 10000",
                found: weight.to_string(),
            },
        })?;
        self.rows.push(Row::of(key, &feature, weight));
        Ok(())
    }
}

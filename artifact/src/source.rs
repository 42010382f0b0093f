//! Reading feature files as people and generators write them: JSON, CSV and Parquet.
//!
//! Every error says the line and column (both from 1) at which it lies, and a duplicate key says both of its places.
//! A source has at most [`MAX_LEN`] bytes.
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
//! `arg` is always a string, a number's too: `"arg": "50"`. An unknown or repeated field is an error: a misspelt name
//! must not silently change a model.
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
//! # Parquet
//! The four columns of CSV, in that order: `key`, `kind` and `arg` are strings (UTF-8), `weight` is a signed INT32 or
//! INT64. `arg` may be null, which is to say nothing; the others may not, even where the schema lets them. What CSV says
//! in its first lines is key-value metadata of the file: `greenlight.label`, `greenlight.engine`, `greenlight.intercept`,
//! `greenlight.created_at`; all other metadata is the writer's own. Pages are uncompressed or Snappy, and plain or with a
//! dictionary, as writers make them by default; a file has at most [`MAX_ROWS`] rows. With pyarrow:
//! ```python
//! table = pyarrow.table({"key": ["ua.curl"], "kind": ["ua-contains"], "arg": ["curl/"], "weight": [4000]})
//! metadata = {"greenlight.intercept": "-2000", "greenlight.created_at": "1763700000"}
//! pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), "features.parquet")
//! ```
//! An error's line is the row, from 1.
//!
//! # Kinds and arguments
//! The cost is that of the kind in [`Schema::ENGINE_1`]; the rows of an artifact may cost 1 000 together. Texts have 1 to 28
//! bytes, with the name in `name:value`; numbers begin at 1.
//!
//! | kind | `arg` | cost | fires when |
//! |---|---|---|---|
//! | `ua-contains` | text in lower case | 4 | a user agent contains it, in any ASCII case |
//! | `ua-empty` | nothing | 1 | there is no user agent, or an empty one |
//! | `ua-longer-than` | bytes | 1 | the user agent has more; of several the longest counts |
//! | `ua-shorter-than` | bytes | 1 | the user agent has fewer; none has 0 bytes, of several the shortest counts |
//! | `crawler-unverified` | nothing | 1 | the request claims to come from a known crawler, and was found not to |
//! | `hints-missing` | nothing | 1 | a Chromium over TLS sends no client hints: [below](#client-hints) |
//! | `hints-contradict` | nothing | 2 | client hints and user agent do not go together: [below](#client-hints) |
//! | `header-present`, `header-absent` | a field name in lower case | 4 | the field is there, or is not |
//! | `header-equals`, `header-contains` | `name:value`, both in lower case | 4 | a value of the field is it, or contains it, in any ASCII case |
//! | `header-count-over`, `header-count-under` | how many | 1 | there are more, or fewer, header fields: [below](#header-fields-as-a-whole) |
//! | `header-longer-than` | bytes | 1 | a value has more, but for `cookie` and `authorization`, whose length is the site's doing |
//! | `header-repeated` | nothing | 2 | a field is there more than once, but for `cookie` |
//! | `header-order` | text of the word for the order of the fields | 4 | the word contains it: [below](#header-fields-as-a-whole) |
//! | `accept-language-malformed` | nothing | 2 | an `accept-language` is not of the grammar of RFC 9110, 12.5.4; an empty one and empty elements are malformed, an absent one is not |
//! | `http1-fields` | nothing | 1 | a request of HTTP/2 or 3 has a field of HTTP/1 (RFC 9113, 8.2.2): `connection`, `keep-alive`, `proxy-connection`, `transfer-encoding`, `upgrade`, or a `te` that is not `trailers`. Many servers refuse such requests before they are scored |
//! | `method` | text | 1 | the method is exactly it |
//! | `path-prefix` | text | 3 | the path, undecoded and without its query, starts with exactly it |
//! | `path-contains` | text | 4 | the path contains exactly it |
//! | `path-depth-over` | how many | 2 | the path has more segments that are not empty |
//! | `path-entropy-over` | hundredths of a bit a byte | 3 | the Shannon entropy of the path's first 1 024 bytes, rounded, is higher; never for a path of less than 8 bytes |
//! | `scanner-path` | nothing | 2 | the path contains what scanners for vulnerabilities ask for, as `/.env`, `/.git/` or `/wp-login.php`, in any ASCII case |
//! | `client-cidr-v4`, `client-cidr-v6` | a network, as `192.0.2.0/24` | 2 | the client's address lies in it |
//! | `request-rate` | how many | 8 | the client made more requests within the last second: [below](#what-a-client-did) |
//! | `distinct-paths-over` | how many | 8 | the client asked for more different paths of late: [below](#what-a-client-did) |
//! | `error-ratio-over` | percent | 8 | more of the client's requests of late were answered with 4xx, but for 401 and 429; never while they are few: [below](#what-a-client-did) |
//! | `gap-variation-under` | percent | 8 | the standard deviation of the gaps between the client's requests is less of their mean; never while they are few: [below](#what-a-client-did) |
//! | `ja4-contains` | text | 4 | the JA4 fingerprint of the TLS handshake contains exactly it; never where none was seen |
//! | `http2-contains` | text | 4 | the fingerprint of how HTTP/2 was opened contains exactly it; never where none was seen |
//! | `http-version` | 10, 11, 20 or 30 | 1 | the version is it |
//!
//! ## Header fields as a whole
//! Each value counts as a field, but all crumbs of `cookie` (RFC 9113, 8.2.3) as one. The fields of
//! [`crate::FORWARDING_FIELDS`], which proxies add on the way, and `x-bot-*` count for none of these kinds.
//!
//! The word for the order is `^`, then a letter for each field name in the order in which the names came first, then
//! `$`: `^hua$` is a request of curl, with `host`, `user-agent` and `accept`. The letters are those of
//! [`crate::HEADER_ORDER_CODES`]; any other field is `.`. After 62 fields the word is cut, and has no `$`. A row's text
//! is looked for anywhere in the word: `^hua$` is the whole, `^hu` how it begins, `ea` neighbours. Requests over HTTP/2
//! have no `host`, and browsers send other fields in another order there.
//!
//! ## What a client did
//! A client is an address, over IPv6 a /64. What it did *of late* it did within the last five to ten minutes. Edges count:
//! - up to 2 097 150 requests within a second, this one included;
//! - up to 1 597 different paths, within about 5 % for some hundreds. Paths are told apart without their query;
//! - the share of errors once the origin gave 20 answers: what is answered here counts for neither;
//! - the gaps between requests once there are 8, of at least 10 ms each: what follows sooner is one burst. The newest 22 gaps
//!   or so weigh as much as all before.
//!
//! Each edge counts for itself, and from its start.
//!
//! ## Client hints
//! `hints-missing` fires for a user agent with `Chrome/` of 90 or later on Windows, macOS, Linux, Android or Chrome OS,
//! over TLS, without `sec-ch-ua`. It does not where the browser itself sends none: in web views and Electron, for
//! OPTIONS, CONNECT and the handshake of WebSocket, and without TLS.
//!
//! `hints-contradict` fires where there is `sec-ch-ua`, `sec-ch-ua-mobile` or `sec-ch-ua-platform` and the user agent
//! (not empty; of several the first) has no `Chrome/`; where the brand `Chromium` has another major version; where the
//! brand is `HeadlessChrome` and the user agent hides it, or `Google Chrome` and the user agent is of Edge or Opera;
//! where `?1` stands against a user agent without `Mobile`, or `?0` against one with it; where the platforms differ; and
//! where a hint is malformed or repeated, which no browser's is.

mod csv;
mod json;
mod metadata;
mod parquet;

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::Utf8Error};

use crate::{
    artifact::{Row, ValidArtifact},
    defect::Defect,
    draft::Draft,
    feature::{Feature, FeatureError},
    layout::Key,
    schema::Schema,
};

/// The most bytes of a source. One of 200 rows has some 20 KiB; a hundred times that is not a source.
pub const MAX_LEN: usize = 2 << 20;

/// The most rows of a Parquet source, where a byte can stand for any number of them. As many hardly fit [`MAX_LEN`] in JSON.
pub const MAX_ROWS: usize = 1 << 16;

/// The columns of a table, in their order.
const COLUMNS: [&str; 4] = ["key", "kind", "arg", "weight"];

/// How a source is written. The numbers are those of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SourceFormat {
    /// [JSON](self#json).
    Json = 1,
    /// [CSV](self#csv).
    Csv = 2,
    /// [Parquet](self#parquet).
    Parquet = 3,
}

/// A source file as read: a draft, and where each of its rows stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    draft: Draft,
    positions: BTreeMap<Key, Position>,
}

/// A place in a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From 1; in Parquet the row.
    pub line: usize,
    /// From 1, in bytes for JSON and in fields for CSV and Parquet.
    pub column: usize,
}

impl Position {
    /// Of a byte of a text.
    fn of(text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or_default();
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        let in_line = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        Self { line: lines.saturating_add(1), column: in_line.saturating_add(1) }
    }
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
    /// Not JSON, not CSV, not Parquet, or not of the documented shape.
    #[error("{0}")]
    Syntax(String),
    /// Text that is not UTF-8.
    #[error("expected UTF-8; found {0}")]
    Utf8(#[from] Utf8Error),
    /// More than a source may have.
    #[error("{name}: expected at most {max}; found {found}")]
    Limit {
        /// Of what.
        name: &'static str,
        /// The limit.
        max: usize,
        /// How many there were.
        found: usize,
    },
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
            SourceProblem::Utf8(_) => "utf-8",
            SourceProblem::Limit { .. } => "limit",
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
    /// Reads a source file.
    ///
    /// # Errors
    /// The first [`SourceError`].
    pub fn read(format: SourceFormat, file: &[u8]) -> Result<Self, SourceError> {
        if file.len() > MAX_LEN {
            return Err(
                SourceProblem::Limit { name: "bytes", max: MAX_LEN, found: file.len() }.at(1, 1)
            );
        }
        let text = || {
            core::str::from_utf8(file).map_err(|error| SourceError {
                at: Position::of(file, error.valid_up_to()),
                problem: error.into(),
            })
        };
        match format {
            SourceFormat::Json => Self::from_json(text()?),
            SourceFormat::Csv => Self::from_csv(text()?),
            SourceFormat::Parquet => parquet::read(file),
        }
    }

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

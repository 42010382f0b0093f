use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde::{
    Deserialize,
    de::{DeserializeOwned, Deserializer},
};
use serde_json::value::RawValue;

use super::{Position, RawRow, Rows, Source, SourceError, SourceProblem};
use crate::draft::Draft;

/// Each value is kept as its raw text, so that its place in the file is known when it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    label: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    engine: Option<&'a RawValue>,
    #[serde(borrow)]
    intercept: &'a RawValue,
    #[serde(borrow)]
    created_at: &'a RawValue,
    #[serde(borrow)]
    rows: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentRow<'a> {
    #[serde(borrow)]
    key: &'a RawValue,
    #[serde(borrow)]
    kind: &'a RawValue,
    #[serde(borrow, default, deserialize_with = "present")]
    arg: Option<&'a RawValue>,
    #[serde(borrow)]
    weight: &'a RawValue,
}

/// A field that may be left out may still not be `null`: a blank is a mistake, not a default.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

pub(super) fn read(text: &str) -> Result<Source, SourceError> {
    let place = Place { text };
    let document: Document<'_> =
        serde_json::from_str(text).map_err(|error| place.syntax(&error, 0))?;
    let mut rows = Rows::default();
    for raw in document.rows {
        let row: DocumentRow<'_> = serde_json::from_str(raw.get())
            .map_err(|error| place.syntax(&error, place.offset(raw)))?;
        let key: String = place.value(row.key, "key", "a string")?;
        let kind: String = place.value(row.kind, "kind", "a string")?;
        let argument: String =
            row.arg.map_or_else(|| Ok(String::new()), |arg| place.value(arg, "arg", "a string"))?;
        rows.push(&RawRow {
            key: (&key, place.of(row.key)),
            kind: (&kind, place.of(row.kind)),
            argument: (&argument, place.of(row.arg.unwrap_or(raw))),
            weight: (place.value(row.weight, "weight", "a whole number")?, place.of(row.weight)),
        })?;
    }
    let label = document
        .label
        .map_or_else(|| Ok(String::new()), |raw| place.value(raw, "label", "a string"))?;
    let engine = document
        .engine
        .map_or(Ok(1), |raw| place.value(raw, "engine", "a whole number of 32 bits"))?;
    let draft = Draft {
        intercept: place.value(document.intercept, "intercept", "a whole number of 32 bits")?,
        engine,
        created_at: place.value(document.created_at, "created_at", "Unix seconds")?,
        label,
        rows: rows.rows,
    };
    Ok(Source { draft, positions: rows.positions })
}

/// Turns raw values, which are slices of the text, into their places in it.
struct Place<'a> {
    text: &'a str,
}

impl Place<'_> {
    fn offset(&self, raw: &RawValue) -> usize {
        raw.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr())
    }

    fn of(&self, raw: &RawValue) -> Position {
        self.at(self.offset(raw))
    }

    fn at(&self, offset: usize) -> Position {
        Position::of(self.text.as_bytes(), offset)
    }

    fn value<T: DeserializeOwned>(
        &self,
        raw: &RawValue,
        name: &'static str,
        expected: &'static str,
    ) -> Result<T, SourceError> {
        serde_json::from_str(raw.get()).map_err(|_| {
            let found = raw.get().chars().take(80).collect();
            SourceError {
                at: self.of(raw),
                problem: SourceProblem::Value { name, expected, found },
            }
        })
    }

    /// Places an error of the parser, which counts from where its input began.
    fn syntax(&self, error: &serde_json::Error, start: usize) -> SourceError {
        let start = self.at(start);
        let column = if error.line() <= 1 { start.column.saturating_sub(1) } else { 0 };
        let message = error.to_string();
        let message =
            message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        SourceProblem::Syntax(message.into()).at(
            start.line.saturating_add(error.line().saturating_sub(1)),
            column.saturating_add(error.column()).max(1),
        )
    }
}

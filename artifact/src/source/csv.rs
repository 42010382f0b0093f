use alloc::{collections::BTreeMap, string::ToString};
use core::str::FromStr;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{Position, RawRow, Rows, Source, SourceError, SourceProblem};
use crate::draft::Draft;

const COLUMNS: [&str; 4] = ["key", "kind", "arg", "weight"];

pub(super) fn read(text: &str) -> Result<Source, SourceError> {
    let (metadata, metadata_lines, table) = Metadata::read(text)?;
    let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(table.as_bytes());
    let columns = reader.headers().map_err(|error| syntax(&error, metadata_lines))?;
    if columns != COLUMNS.as_slice() {
        let found = columns.iter().collect::<alloc::vec::Vec<_>>().join(",");
        return Err(SourceProblem::Value {
            name: "header line",
            expected: "key,kind,arg,weight",
            found,
        }
        .at(metadata_lines.saturating_add(1), 1));
    }
    let mut rows = Rows::default();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| syntax(&error, metadata_lines))? {
        let line = record
            .position()
            .map_or(0, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
        let line = metadata_lines.saturating_add(line);
        // The reader refuses records of another length than the header's.
        let cell = |column: usize| {
            let at = Position { line, column: column.saturating_add(1) };
            (record.get(column).unwrap_or_default(), at)
        };
        let (weight, at) = cell(3);
        let weight = weight.parse().map_err(|_| SourceError {
            at,
            problem: SourceProblem::Value {
                name: "weight",
                expected: "a whole number",
                found: weight.into(),
            },
        })?;
        rows.push(&RawRow {
            key: cell(0),
            kind: cell(1),
            argument: cell(2),
            weight: (weight, at),
        })?;
    }
    let draft = Draft {
        intercept: metadata.required("intercept", "a whole number of 32 bits")?,
        engine: metadata.optional("engine", "a whole number of 32 bits")?.unwrap_or(1),
        created_at: metadata.required("created_at", "Unix seconds")?,
        label: metadata.optional("label", "text")?.unwrap_or_default(),
        rows: rows.rows,
    };
    Ok(Source { draft, positions: rows.positions })
}

/// The `# name: value` lines at the top.
struct Metadata<'a> {
    fields: BTreeMap<&'a str, (&'a str, usize)>,
}

impl<'a> Metadata<'a> {
    const NAMES: [&'static str; 4] = ["label", "engine", "intercept", "created_at"];

    /// The metadata, how many lines it took, and the text after it.
    fn read(text: &'a str) -> Result<(Self, usize, &'a str), SourceError> {
        let mut fields = BTreeMap::new();
        let mut lines = 0_usize;
        let mut rest = text;
        while let Some(line) = rest.strip_prefix('#') {
            let (line, after) = line.split_once('\n').unwrap_or((line, ""));
            lines = lines.saturating_add(1);
            rest = after;
            let Some((name, value)) = line.split_once(':') else {
                return Err(SourceProblem::Syntax("expected `# name: value`".into()).at(lines, 1));
            };
            let (name, value) = (name.trim(), value.trim());
            if !Self::NAMES.contains(&name) {
                let expected = "label, engine, intercept or created_at";
                return Err(SourceProblem::Value {
                    name: "metadata",
                    expected,
                    found: name.into(),
                }
                .at(lines, 1));
            }
            if fields.insert(name, (value, lines)).is_some() {
                return Err(
                    SourceProblem::Syntax(alloc::format!("`{name}` is given twice")).at(lines, 1)
                );
            }
        }
        Ok((Self { fields }, lines, rest))
    }

    fn optional<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, SourceError> {
        let Some((value, line)) = self.fields.get(name).copied() else { return Ok(None) };
        value
            .parse()
            .map(Some)
            .map_err(|_| SourceProblem::Value { name, expected, found: value.into() }.at(line, 1))
    }

    fn required<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<T, SourceError> {
        self.optional(name, expected)?.ok_or_else(|| SourceProblem::Missing { name }.at(1, 1))
    }
}

fn syntax(error: &csv::Error, lines_before: usize) -> SourceError {
    let line = error
        .position()
        .map_or(1, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
    SourceProblem::Syntax(error.to_string()).at(lines_before.saturating_add(line), 1)
}

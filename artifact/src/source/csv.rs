use alloc::string::ToString;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{
    COLUMNS, Position, RawRow, Rows, Source, SourceError, SourceProblem, metadata::Metadata,
};

pub(super) fn read(text: &str) -> Result<Source, SourceError> {
    let (metadata, metadata_lines, table) = metadata(text)?;
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
    Ok(Source { draft: metadata.draft(rows.rows)?, positions: rows.positions })
}

/// Reads the `# name: value` lines at the top: what they say, how many there are, and the text after them.
fn metadata(text: &str) -> Result<(Metadata<'_>, usize, &str), SourceError> {
    let mut metadata = Metadata::default();
    let mut lines = 0_usize;
    let mut rest = text;
    while let Some(line) = rest.strip_prefix('#') {
        let (line, after) = line.split_once('\n').unwrap_or((line, ""));
        lines = lines.saturating_add(1);
        rest = after;
        let Some((name, value)) = line.split_once(':') else {
            return Err(SourceProblem::Syntax("expected `# name: value`".into()).at(lines, 1));
        };
        metadata.insert(name.trim(), value.trim(), Position { line: lines, column: 1 })?;
    }
    Ok((metadata, lines, rest))
}

fn syntax(error: &csv::Error, lines_before: usize) -> SourceError {
    let line = error
        .position()
        .map_or(1, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
    SourceProblem::Syntax(error.to_string()).at(lines_before.saturating_add(line), 1)
}

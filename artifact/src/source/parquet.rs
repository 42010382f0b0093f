use alloc::{boxed::Box, format, string::ToString, sync::Arc, vec::Vec};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use parquet::{
    basic::{Compression, ConvertedType, Encoding, LogicalType, Type},
    column::{
        page::{Page, PageMetadata, PageReader},
        reader::ColumnReaderImpl,
    },
    data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type},
    errors::{ParquetError, Result as ParquetResult},
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader},
        serialized_reader::SerializedPageReader,
    },
    schema::types::ColumnDescriptor,
};

use super::{
    COLUMNS, MAX_ROWS, Position, RawRow, Rows, Source, SourceError, SourceProblem,
    metadata::Metadata,
};

/// What the names of our key-value metadata begin with; all others are the writer's own.
const PREFIX: &str = "greenlight.";

/// What a byte of Snappy can stand for: at most 64 bytes are copied by one element, which has three. A page that claims
/// more is a decompression bomb.
const MOST_PER_BYTE: usize = 22;

pub(super) fn read(file: &[u8]) -> Result<Source, SourceError> {
    // The reader asserts here and there what a damaged file does not keep to. It holds nothing that outlives it.
    catch_unwind(AssertUnwindSafe(|| read_file(Bytes::copy_from_slice(file))))
        .unwrap_or_else(|_| Err(syntax("a page contradicts itself")))
}

fn read_file(file: Bytes) -> Result<Source, SourceError> {
    let parsed = ParquetMetaDataReader::new().parse_and_finish(&file).map_err(syntax)?;
    let mut metadata = Metadata::default();
    for entry in parsed.file_metadata().key_value_metadata().into_iter().flatten() {
        if let Some(name) = entry.key.strip_prefix(PREFIX) {
            metadata.insert(name, entry.value.as_deref().unwrap_or_default(), START)?;
        }
    }
    check_columns(&parsed)?;
    check_bounds(&parsed, file.len())?;

    let mut rows = Rows::default();
    let mut line = 0_usize;
    let file = Arc::new(file);
    for group in parsed.row_groups() {
        let count = usize::try_from(group.num_rows()).unwrap_or(0);
        let [keys, kinds, arguments, weights] = group.columns() else {
            return Err(syntax("a row group without its four columns"));
        };
        let [mut keys, mut kinds, mut arguments] = [
            column::<ByteArrayType>(&file, keys, count)?.into_iter(),
            column::<ByteArrayType>(&file, kinds, count)?.into_iter(),
            column::<ByteArrayType>(&file, arguments, count)?.into_iter(),
        ];
        let weights: Vec<Option<i64>> = if weights.column_type() == Type::INT32 {
            let weights = column::<Int32Type>(&file, weights, count)?;
            weights.into_iter().map(|weight| weight.map(i64::from)).collect()
        } else {
            column::<Int64Type>(&file, weights, count)?
        };
        for weight in weights {
            line = line.saturating_add(1);
            let at = |column| Position { line, column };
            let null = |name, expected, column| SourceError {
                at: at(column),
                problem: SourceProblem::Value { name, expected, found: "null".into() },
            };
            let key = keys.next().flatten().ok_or_else(|| null("key", "a string", 1))?;
            let kind = kinds.next().flatten().ok_or_else(|| null("kind", "a string", 2))?;
            let argument = arguments.next().flatten();
            let argument = argument.as_ref().map_or(&[][..], ByteArray::data);
            let weight = weight.ok_or_else(|| null("weight", "a whole number", 4))?;
            rows.push(&RawRow {
                key: (text(key.data(), at(1))?, at(1)),
                kind: (text(kind.data(), at(2))?, at(2)),
                argument: (text(argument, at(3))?, at(3)),
                weight: (weight, at(4)),
            })?;
        }
    }
    Ok(Source { draft: metadata.draft(rows.rows)?, positions: rows.positions })
}

const START: Position = Position { line: 1, column: 1 };

fn syntax(error: impl ToString) -> SourceError {
    SourceError {
        at: START,
        problem: SourceProblem::Syntax(format!("Parquet: {}", error.to_string())),
    }
}

fn text(bytes: &[u8], at: Position) -> Result<&str, SourceError> {
    core::str::from_utf8(bytes).map_err(|error| SourceError { at, problem: error.into() })
}

/// Refuses all but the four columns, in their order: three of text, one of signed numbers, none nested or repeated.
fn check_columns(parsed: &ParquetMetaData) -> Result<(), SourceError> {
    const EXPECTED: &str = "the columns key, kind and arg of UTF-8 and weight of INT32 or INT64";
    let columns = parsed.file_metadata().schema_descr().columns();
    let text = |column: &ColumnDescriptor| {
        column.physical_type() == Type::BYTE_ARRAY
            && (column.converted_type() == ConvertedType::UTF8
                || column.logical_type_ref() == Some(&LogicalType::String))
    };
    let number = |column: &ColumnDescriptor| {
        let signed = match column.logical_type_ref() {
            None => !matches!(
                column.converted_type(),
                ConvertedType::UINT_8
                    | ConvertedType::UINT_16
                    | ConvertedType::UINT_32
                    | ConvertedType::UINT_64
                    | ConvertedType::DECIMAL
            ),
            Some(LogicalType::Integer(integer)) => integer.is_signed,
            Some(_) => false,
        };
        matches!(column.physical_type(), Type::INT32 | Type::INT64) && signed
    };
    let fits = columns.len() == COLUMNS.len()
        && columns.iter().zip(COLUMNS).all(|(column, name)| {
            column.path().parts() == [name]
                && column.max_rep_level() == 0
                && if name == "weight" { number(column) } else { text(column) }
        });
    if fits {
        return Ok(());
    }
    let found = columns
        .iter()
        .take(8)
        .map(|column| format!("{} {}", column.path().string(), column.physical_type()));
    let found = found.collect::<Vec<_>>().join(", ");
    Err(SourceProblem::Value { name: "columns", expected: EXPECTED, found }.at(1, 1))
}

/// A row or a byte that is claimed twice could cost more than reading the file once.
fn check_bounds(parsed: &ParquetMetaData, file_len: usize) -> Result<(), SourceError> {
    let mut rows = 0_usize;
    let mut chunks = 0_usize;
    for group in parsed.row_groups() {
        rows = rows.saturating_add(usize::try_from(group.num_rows()).unwrap_or(usize::MAX));
        for column in group.columns() {
            if column.dictionary_page_offset().unwrap_or(0) < 0 || column.data_page_offset() < 0 {
                return Err(syntax("a column chunk begins before the file"));
            }
            let len = usize::try_from(column.compressed_size()).unwrap_or(usize::MAX);
            chunks = chunks.saturating_add(len);
        }
    }
    if rows > MAX_ROWS {
        return Err(SourceProblem::Limit { name: "rows", max: MAX_ROWS, found: rows }.at(1, 1));
    }
    if chunks > file_len {
        return Err(syntax("the column chunks are longer than the file"));
    }
    Ok(())
}

/// The `count` values of a column chunk, `None` for null.
fn column<T: DataType>(
    file: &Arc<Bytes>,
    chunk: &ColumnChunkMetaData,
    count: usize,
) -> Result<Vec<Option<T::T>>, SourceError> {
    let snappy = match chunk.compression() {
        Compression::UNCOMPRESSED => false,
        Compression::SNAPPY => true,
        other => {
            let (name, expected) = ("compression", "UNCOMPRESSED or SNAPPY");
            let found = other.to_string();
            return Err(SourceProblem::Value { name, expected, found }.at(1, 1));
        }
    };
    values::<T>(file, chunk, count, snappy).map_err(syntax)
}

fn values<T: DataType>(
    file: &Arc<Bytes>,
    chunk: &ColumnChunkMetaData,
    count: usize,
    snappy: bool,
) -> ParquetResult<Vec<Option<T::T>>> {
    // Pages are had as they stand in the file: the reader would reserve whatever they say that they decompress to.
    let stored = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
    let pages = SerializedPageReader::new(Arc::clone(file), &stored, count, None)?;
    let descriptor = chunk.column_descr_ptr();
    let nullable = descriptor.max_def_level() > 0;
    let pages = Box::new(Bounded { pages, snappy, count, dictionary: false });
    let mut reader = ColumnReaderImpl::<T>::new(descriptor, pages);

    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let (records, ..) =
        reader.read_records(count, nullable.then_some(&mut levels), None, &mut values)?;
    if records != count {
        return Err(ParquetError::General(format!("expected {count} values; found {records}")));
    }
    if !nullable {
        return Ok(values.into_iter().map(Some).collect());
    }
    let mut values = values.into_iter();
    Ok(levels.into_iter().map(|level| if level > 0 { values.next() } else { None }).collect())
}

/// Pages, decompressed and held to what they say of themselves.
struct Bounded {
    pages: SerializedPageReader<Bytes>,
    snappy: bool,
    /// Values that the column has.
    count: usize,
    /// Whether there was a dictionary.
    dictionary: bool,
}

impl Bounded {
    fn check(&mut self, mut page: Page) -> ParquetResult<Page> {
        let refuse = |problem: &str| Err(ParquetError::General(problem.to_string()));
        match &mut page {
            Page::DictionaryPage { buf, num_values, .. } => {
                *buf = decompress(buf, 0, self.snappy)?;
                // Each takes at least four bytes.
                if usize::try_from(*num_values).map_or(true, |values| values > buf.len() / 4) {
                    return refuse("a dictionary of more values than it has room for");
                }
                self.dictionary = true;
                return Ok(page);
            }
            Page::DataPage { buf, .. } => *buf = decompress(buf, 0, self.snappy)?,
            Page::DataPageV2 {
                buf,
                rep_levels_byte_len,
                def_levels_byte_len,
                is_compressed,
                ..
            } => {
                let levels = rep_levels_byte_len.saturating_add(*def_levels_byte_len);
                let levels = usize::try_from(levels).unwrap_or(usize::MAX);
                *buf = decompress(buf, levels, self.snappy && *is_compressed)?;
                *is_compressed = false;
            }
        }
        match page.encoding() {
            Encoding::PLAIN => {}
            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY if self.dictionary => {}
            // The others make many long values out of few bytes.
            other => {
                return refuse(&format!(
                    "expected PLAIN, or a dictionary and then its indices; found {other}"
                ));
            }
        }
        if usize::try_from(page.num_values()).map_or(true, |values| values > self.count) {
            return refuse("a page of more values than there are rows");
        }
        Ok(page)
    }
}

impl Iterator for Bounded {
    type Item = ParquetResult<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Bounded {
    fn get_next_page(&mut self) -> ParquetResult<Option<Page>> {
        self.pages.get_next_page()?.map(|page| self.check(page)).transpose()
    }

    fn peek_next_page(&mut self) -> ParquetResult<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> ParquetResult<()> {
        self.pages.skip_next_page()
    }
}

/// A page whose first bytes, the levels, never are compressed.
fn decompress(page: &Bytes, levels: usize, snappy: bool) -> ParquetResult<Bytes> {
    let general = |error: &dyn ToString| ParquetError::General(error.to_string());
    let Some((levels, compressed)) = page.split_at_checked(levels) else {
        return Err(general(&"a page shorter than its levels"));
    };
    if !snappy || compressed.is_empty() {
        return Ok(page.clone());
    }
    let len = snap::raw::decompress_len(compressed).map_err(|error| general(&error))?;
    if len > compressed.len().saturating_mul(MOST_PER_BYTE) {
        return Err(general(&format!("{} bytes of Snappy cannot hold {len}", compressed.len())));
    }
    let values =
        snap::raw::Decoder::new().decompress_vec(compressed).map_err(|error| general(&error))?;
    Ok([levels, &values].concat().into())
}

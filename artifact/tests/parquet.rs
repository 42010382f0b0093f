//! Parquet sources: what is read, what is refused, and that damaged files do neither harm nor wonders.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unreachable,
    reason = "a test may panic"
)]

use std::sync::Arc;

use greenlight_artifact::{
    Schema, ValidArtifact,
    source::{MAX_LEN, MAX_ROWS, Source, SourceError, SourceFormat},
};
use parquet::{
    basic::{Compression, Encoding},
    column::writer::ColumnWriter,
    data_type::ByteArray,
    file::{
        metadata::KeyValue,
        properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion},
        writer::SerializedFileWriter,
    },
    schema::parser::parse_message_type,
};

const WEEKLY_JSON: &str = include_str!("../vectors/sources/weekly.json");
/// Written by pyarrow: nullable columns, dictionaries, Snappy, metadata of its own.
const WEEKLY: &[u8] = include_bytes!("../vectors/sources/weekly.parquet");

const SCHEMA: &str = "message features {
  optional binary key (STRING);
  optional binary kind (STRING);
  optional binary arg (STRING);
  optional int64 weight;
}";
const METADATA: [(&str, &str); 2] =
    [("greenlight.intercept", "-2000"), ("greenlight.created_at", "1763700000")];

/// Key, kind, argument, weight; a cell without a value is null.
type Cells<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<i64>);

const ROWS: [Cells<'_>; 3] = [
    (Some("ua.curl"), Some("ua-contains"), Some("curl/"), Some(4000)),
    (Some("ua.none"), Some("ua-empty"), None, Some(3000)),
    (Some("h.lang"), Some("header-absent"), Some("accept-language"), Some(1200)),
];

/// A file to be written.
struct Table<'a> {
    schema: &'a str,
    metadata: &'a [(&'a str, &'a str)],
    rows: &'a [Cells<'a>],
    rows_a_group: usize,
    properties: WriterPropertiesBuilder,
}

impl Default for Table<'_> {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            metadata: &METADATA,
            rows: &ROWS,
            rows_a_group: 1000,
            properties: WriterProperties::builder(),
        }
    }
}

impl Table<'_> {
    fn write(self) -> Vec<u8> {
        let metadata = self
            .metadata
            .iter()
            .map(|(key, value)| KeyValue::new((*key).to_owned(), Some((*value).to_owned())));
        let properties = self.properties.set_key_value_metadata(Some(metadata.collect())).build();
        let schema = Arc::new(parse_message_type(self.schema).unwrap());
        let mut file = Vec::new();
        let mut writer =
            SerializedFileWriter::new(&mut file, schema, Arc::new(properties)).unwrap();
        for rows in self.rows.chunks(self.rows_a_group) {
            let mut group = writer.next_row_group().unwrap();
            let mut index = 0;
            while let Some(mut column) = group.next_column().unwrap() {
                let texts = || {
                    rows.iter()
                        .map(|row| [row.0, row.1, row.2, row.0][index.min(3)].map(ByteArray::from))
                };
                let numbers = || rows.iter().map(|row| row.3);
                let levels =
                    |present: Vec<bool>| present.into_iter().map(i16::from).collect::<Vec<_>>();
                match column.untyped() {
                    ColumnWriter::ByteArrayColumnWriter(writer) => {
                        let values: Vec<_> = texts().flatten().collect();
                        let levels = levels(texts().map(|text| text.is_some()).collect());
                        writer
                            .write_batch(&values, Some(&levels), Some(&vec![0; rows.len()]))
                            .unwrap();
                    }
                    ColumnWriter::Int64ColumnWriter(writer) => {
                        let values: Vec<_> = numbers().flatten().collect();
                        let levels = levels(numbers().map(|number| number.is_some()).collect());
                        writer
                            .write_batch(&values, Some(&levels), Some(&vec![0; rows.len()]))
                            .unwrap();
                    }
                    ColumnWriter::Int32ColumnWriter(writer) => {
                        let values: Vec<_> =
                            numbers().flatten().map(|number| number as i32).collect();
                        let levels = levels(numbers().map(|number| number.is_some()).collect());
                        writer
                            .write_batch(&values, Some(&levels), Some(&vec![0; rows.len()]))
                            .unwrap();
                    }
                    _ => unreachable!("no such column"),
                }
                column.close().unwrap();
                index += 1;
            }
            group.close().unwrap();
        }
        writer.close().unwrap();
        file
    }
}

fn read(file: &[u8]) -> Result<ValidArtifact, SourceError> {
    Source::read(SourceFormat::Parquet, file)?.encode(&[Schema::ENGINE_1])
}

#[test]
fn a_file_of_pyarrow_makes_the_artifact_of_the_same_table_in_json() {
    let json = Source::from_json(WEEKLY_JSON).unwrap().encode(&[Schema::ENGINE_1]).unwrap();
    assert_eq!(read(WEEKLY).unwrap(), json);
}

#[test]
fn however_it_is_written_the_artifact_is_the_same() {
    let expected = read(&Table::default().write()).unwrap();
    assert_eq!(expected.rows().len(), 3);
    let required = SCHEMA.replace("optional", "required");
    let filled = ROWS.map(|row| (row.0, row.1, row.2.or(Some("")), row.3));
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
            for dictionary in [true, false] {
                for rows_a_group in [1, 2, 1000] {
                    for (schema, rows) in [
                        (SCHEMA, &ROWS),
                        (&SCHEMA.replace("int64", "int32"), &ROWS),
                        (
                            &SCHEMA.replace("int64 weight", "int32 weight (INTEGER(16, true))"),
                            &ROWS,
                        ),
                        (&SCHEMA.replace("STRING", "UTF8"), &ROWS),
                        (&required, &filled),
                    ] {
                        let properties = WriterProperties::builder()
                            .set_writer_version(version)
                            .set_compression(compression)
                            .set_dictionary_enabled(dictionary)
                            .set_encoding(Encoding::PLAIN);
                        let file =
                            Table { schema, rows, rows_a_group, properties, ..Table::default() };
                        assert_eq!(read(&file.write()).unwrap(), expected, "{schema} {version:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_does_not_fit_says_where_it_lies() {
    const COLUMNS: &str = "line 1, column 1: `columns`: expected the columns key, kind and arg of UTF-8 and weight of INT32 or INT64; found";
    let schema = |from: &str, to: &str| {
        assert!(SCHEMA.contains(from), "{from}");
        Table { schema: &SCHEMA.replacen(from, to, 1), ..Table::default() }.write()
    };
    let row = |row: Cells<'_>| Table { rows: &[ROWS[0], row], ..Table::default() }.write();
    let metadata = |metadata: &[(&str, &str)]| Table { metadata, ..Table::default() }.write();
    let properties = |properties| Table { properties, ..Table::default() }.write();
    let builder = WriterProperties::builder;
    let (text, number) = (Some("ua-empty"), Some(1));
    for (file, reason, message) in [
        (schema("key", "name"), "value", format!("{COLUMNS} name BYTE_ARRAY, kind BYTE_ARRAY, arg BYTE_ARRAY, weight INT64")),
        (schema("int64 weight", "int64 weight (INTEGER(64, false))"), "value", COLUMNS.into()),
        (schema("int64 weight", "int64 weight (TIMESTAMP(MILLIS, true))"), "value", COLUMNS.into()),
        (schema("arg (STRING)", "arg"), "value", COLUMNS.into()),
        (schema("arg (STRING)", "arg (JSON)"), "value", COLUMNS.into()),
        (schema("optional binary arg", "repeated binary arg"), "value", COLUMNS.into()),
        (schema("optional int64 weight;", "optional int64 weight; optional int64 note;"), "value", COLUMNS.into()),
        (schema("optional int64 weight;", "optional group weight { optional int64 weight; }"), "value", COLUMNS.into()),
        (row((None, text, None, number)), "value", "line 2, column 1: `key`: expected a string; found null".into()),
        (row((Some("a"), None, None, number)), "value", "line 2, column 2: `kind`: expected a string; found null".into()),
        (row((Some("a"), text, None, None)), "value", "line 2, column 4: `weight`: expected a whole number; found null".into()),
        (row((Some("a"), Some("ua-regex"), None, number)), "kind", "line 2, column 2: kind: expected one of ua-contains,".into()),
        (row((Some("a"), text, Some("x"), number)), "argument", "line 2, column 3: arg of ua-empty: expected nothing; found \"x\"".into()),
        (row((Some("a"), text, None, Some(i64::MAX))), "value", "line 2, column 4: `weight`: expected a whole number from -10000 to 10000".into()),
        (row((Some("a"), text, None, Some(10_001))), "weight", "line 2, column 1: row 0, weight".into()),
        (row(ROWS[0]), "key-duplicate", "line 2, column 1: key: expected each key once; found ua.curl again, first at line 1, column 1".into()),
        (metadata(&METADATA[..1]), "missing", "line 1, column 1: expected field `created_at`; found none".into()),
        (metadata(&[METADATA[0], ("greenlight.created", "1")]), "value", "line 1, column 1: `metadata`: expected label, engine, intercept or created_at; found created".into()),
        (metadata(&[METADATA[0], METADATA[0]]), "syntax", "line 1, column 1: `intercept` is given twice".into()),
        (metadata(&[("greenlight.intercept", "low"), METADATA[1]]), "value", "line 1, column 1: `intercept`: expected a whole number of 32 bits; found low".into()),
        (properties(builder().set_dictionary_enabled(false).set_encoding(Encoding::DELTA_BYTE_ARRAY).set_column_encoding("weight".into(), Encoding::PLAIN)), "syntax",
            "line 1, column 1: Parquet: Parquet error: expected PLAIN, or a dictionary and then its indices; found DELTA_BYTE_ARRAY".into()),
        (Table { rows: &[], ..Table::default() }.write(), "size", "line 1, column 1: size".into()),
    ] {
        let error = read(&file).unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(error.to_string().starts_with(&message), "{error}\n{message}");
    }
    let file = Table::default().write();
    assert_eq!(read(b"PAR1").unwrap_err().reason(), "syntax");
    assert_eq!(read(&[b"PAR1".as_slice(), b"PAR1"].concat()).unwrap_err().reason(), "syntax");
    assert_eq!(read(&file[..file.len() - 1]).unwrap_err().reason(), "syntax");
}

#[test]
fn a_source_and_its_rows_are_bounded() {
    let many = vec![ROWS[0]; MAX_ROWS + 1];
    let file = Table { rows: &many, rows_a_group: 1 << 15, ..Table::default() }.write();
    assert!(file.len() < 4096, "dictionaries make a short file of it: {}", file.len());
    let error = read(&file).unwrap_err();
    assert_eq!(error.to_string(), "line 1, column 1: rows: expected at most 65536; found 65537");
    for format in [SourceFormat::Json, SourceFormat::Csv, SourceFormat::Parquet] {
        let error = Source::read(format, &vec![b' '; MAX_LEN + 1]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 1, column 1: bytes: expected at most 2097152; found 2097153"
        );
    }
}

#[test]
fn text_that_is_not_utf8_says_where() {
    let mut json = WEEKLY_JSON.as_bytes().to_vec();
    json[30] = 0xff;
    let error = Source::read(SourceFormat::Json, &json).unwrap_err();
    assert_eq!((error.reason(), error.at.line, error.at.column), ("utf-8", 2, 29));
    let mut file = Table {
        properties: WriterProperties::builder()
            .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None),
        ..Table::default()
    }
    .write();
    let at = file.windows(5).position(|bytes| bytes == b"curl/").unwrap();
    file[at] = 0xff;
    let error = read(&file).unwrap_err();
    assert_eq!((error.reason(), error.at.line, error.at.column), ("utf-8", 1, 3));
}

/// One byte changed, or two, or a piece cut out: an artifact or an error, never a panic and never a long wait.
#[test]
fn damaged_files_are_read_or_refused() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 11).unwrap() % below
    };
    let plain = Table {
        properties: WriterProperties::builder().set_writer_version(WriterVersion::PARQUET_2_0),
        ..Table::default()
    }
    .write();
    let (mut read_ones, mut refused) = (0, 0);
    for file in [WEEKLY, &plain] {
        for _ in 0..5_000 {
            let mut damaged = file.to_vec();
            for _ in 0..=next(2) {
                let at = next(damaged.len());
                damaged[at] = if next(2) == 0 {
                    u8::try_from(next(256)).unwrap()
                } else {
                    damaged[at] ^ 1 << next(8)
                };
            }
            if next(8) == 0 {
                let at = next(damaged.len());
                damaged.drain(at..(at + next(40)).min(file.len()));
            }
            match read(&damaged) {
                Ok(_) => read_ones += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(read_ones > 100 && refused > 100, "{read_ones} read, {refused} refused");
}

//! The program of the zkVM route, run natively.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use greenlight_artifact::{
    Schema,
    guest::{self, GuestError, Input, Journal},
    source::{Source, SourceFormat},
};
use serde::Deserialize;

const JSON: &[u8] = include_bytes!("../vectors/sources/weekly.json");
const SOURCES: [(SourceFormat, &[u8]); 3] = [
    (SourceFormat::Json, JSON),
    (SourceFormat::Csv, include_bytes!("../vectors/sources/weekly.csv")),
    (SourceFormat::Parquet, include_bytes!("../vectors/sources/weekly.parquet")),
];
const SCHEMA: Schema = Schema::ENGINE_1;

#[derive(Deserialize)]
struct Corpus {
    schema: String,
    engine: u32,
    budget: u32,
    artifact: String,
    proof: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    format: u8,
    source: String,
    digest: String,
    size: usize,
    rows: usize,
    journal: String,
    evidence: String,
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text.strip_prefix("0x").unwrap()).unwrap()
}

/// `artifact/examples/journals.rs` makes the corpus; the contracts read the same file.
#[test]
fn journals_are_those_of_the_corpus() {
    let corpus: Corpus = serde_json::from_str(include_str!("../vectors/journals.json")).unwrap();
    assert_eq!(
        (unhex(&corpus.schema), corpus.engine, corpus.budget),
        (SCHEMA.word.to_vec(), SCHEMA.engine, SCHEMA.budget)
    );
    assert_eq!(corpus.cases.len(), SOURCES.len());
    for ((format, source), case) in SOURCES.into_iter().zip(corpus.cases) {
        let input = Input { schema: SCHEMA, format, source };
        let (artifact, journal) = guest::canonicalise(&input).unwrap();
        assert_eq!(artifact.bytes(), unhex(&corpus.artifact), "one table, one artifact");
        assert_eq!(journal.to_bytes().as_slice(), unhex(&case.journal));
        assert_eq!(guest::run(&input.to_bytes()).unwrap(), journal.to_bytes());
        let evidence = journal.evidence(&unhex(&corpus.proof));
        assert_eq!(evidence, unhex(&case.evidence));
        assert_eq!(Journal::claimed(&evidence), Some((journal.digest, journal.rows)));
        assert_eq!(Journal::claimed(&evidence[1..]), None);
        assert_eq!(Journal::claimed(&evidence[..Journal::LEN]), None);
        assert_eq!(
            (format as u8, journal.digest.to_string(), journal.source.to_vec()),
            (case.format, case.digest, unhex(&case.source))
        );
        assert_eq!((artifact.bytes().len(), artifact.rows().len()), (case.size, case.rows));
    }
}

/// Each field in its place, written out once by hand.
#[test]
fn a_journal_is_laid_out_as_documented() {
    let (artifact, journal) =
        guest::canonicalise(&Input { schema: SCHEMA, format: SourceFormat::Json, source: JSON })
            .unwrap();
    let bytes = journal.to_bytes();
    assert_eq!(bytes.len(), Journal::LEN);
    assert_eq!(bytes[..32], artifact.digest().0);
    // `sha256sum artifact/vectors/sources/weekly.json`
    assert_eq!(
        hex::encode(&bytes[32..64]),
        "a91e6a62a8017e52e29f5b4d4686e45362f0e754e5a6853a1b499144b0b80e0e"
    );
    assert_eq!(bytes[64..96], SCHEMA.word);
    assert_eq!(bytes[96..], [0, 0, 0, 1, 0, 0, 0x03, 0xe8, 0x02, 0x40, 8, 1]);
}

#[test]
fn the_artifact_is_what_building_makes() {
    let text = core::str::from_utf8(JSON).unwrap();
    let built = Source::from_json(text).unwrap().encode(&[SCHEMA]).unwrap();
    for (format, source) in SOURCES {
        let (artifact, _) = guest::canonicalise(&Input { schema: SCHEMA, format, source }).unwrap();
        assert_eq!(artifact, built);
    }
}

#[test]
fn what_is_no_input_publishes_nothing() {
    let input = Input { schema: SCHEMA, format: SourceFormat::Json, source: JSON };
    let bytes = input.to_bytes();
    let reason = |error: GuestError| error.to_string();
    assert_eq!(
        reason(guest::run(&bytes[..40]).unwrap_err()),
        "input: expected at least 41 bytes; found 40"
    );
    for format in [0, 4, 255] {
        let mut bytes = bytes.clone();
        bytes[40] = format;
        assert_eq!(
            reason(guest::run(&bytes).unwrap_err()),
            format!("input: expected format 1, 2 or 3; found {format}")
        );
    }
    // A source read as another format than it has.
    for format in [SourceFormat::Csv, SourceFormat::Parquet] {
        let error = guest::run(&Input { format, ..input }.to_bytes()).unwrap_err();
        assert!(matches!(error, GuestError::Source(_)), "{error}");
    }
}

/// The schema is part of what is published: rows that another schema forbids have no journal under it.
#[test]
fn the_schema_is_the_inputs() {
    let frugal = Schema { budget: 20, ..SCHEMA };
    let next = Schema { engine: 2, ..SCHEMA };
    let mut narrow = SCHEMA;
    narrow.word[1] = 0;
    for (schema, reason) in [(frugal, "cost"), (next, "engine"), (narrow, "kind")] {
        let input = Input { schema, format: SourceFormat::Json, source: JSON };
        assert_eq!(guest::canonicalise(&input).unwrap_err().reason(), reason);
    }
}

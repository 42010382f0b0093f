//! Journals and evidence that hold this crate and the contracts to one layout.
//!
//! `cargo run -p greenlight-artifact --features guest --example journals > artifact/vectors/journals.json` makes them; a
//! test here and one in `contracts/` read that file.

use greenlight_artifact::{
    Schema,
    guest::{self, Input},
    source::SourceFormat,
};
use serde::Serialize;

/// The same table thrice.
const SOURCES: [(&str, SourceFormat, &[u8]); 3] = [
    ("json", SourceFormat::Json, include_bytes!("../vectors/sources/weekly.json")),
    ("csv", SourceFormat::Csv, include_bytes!("../vectors/sources/weekly.csv")),
    ("parquet", SourceFormat::Parquet, include_bytes!("../vectors/sources/weekly.parquet")),
];

/// What stands in the place of a zkVM's seal.
const PROOF: &[u8] = b"\x01\x02\x03\x04 in the place of a proof";

#[derive(Serialize)]
struct Corpus {
    schema: String,
    engine: u32,
    budget: u32,
    artifact: String,
    proof: String,
    cases: Vec<Case>,
}

/// A source and what is published of it.
#[derive(Serialize)]
struct Case {
    name: &'static str,
    format: u8,
    /// SHA-256 of the source.
    source: String,
    digest: String,
    size: u16,
    rows: u8,
    journal: String,
    evidence: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let schema = Schema::ENGINE_1;
    let (mut cases, mut artifact) = (Vec::new(), String::new());
    for (name, format, source) in SOURCES {
        let (valid, journal) = guest::canonicalise(&Input { schema, format, source })?;
        artifact = hex(valid.bytes());
        cases.push(Case {
            name,
            format: format as u8,
            source: hex(&journal.source),
            digest: journal.digest.to_string(),
            size: journal.size,
            rows: journal.rows,
            journal: hex(&journal.to_bytes()),
            evidence: hex(&journal.evidence(PROOF)),
        });
    }
    let corpus = Corpus {
        schema: hex(&schema.word),
        engine: schema.engine,
        budget: schema.budget,
        artifact,
        proof: hex(PROOF),
        cases,
    };
    serde_json::to_writer_pretty(std::io::stdout().lock(), &corpus)?;
    Ok(())
}

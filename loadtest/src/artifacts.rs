//! Feature files for scenes: the sample under other labels, and files that break an invariant.

use anyhow::{Context as _, Result};
use greenlight_artifact::{
    Digest, Draft, Feature, HEADER_LEN, Key, ROW_LEN, Row, Schema, ValidArtifact,
};

/// The sample under another label: another artifact that judges every request the same.
pub(crate) fn labelled(sample: &ValidArtifact, label: &str) -> Result<ValidArtifact> {
    let draft = Draft { label: label.into(), ..Draft::from(sample) };
    draft.encode(&[Schema::ENGINE_1]).context("a relabelled sample")
}

/// The sample with exactly `rows` rows, where filled up with rows that no request matches.
pub(crate) fn with_rows(sample: &ValidArtifact, rows: usize) -> Result<Vec<u8>> {
    let mut all: Vec<Row> = sample.rows().take(rows).collect();
    for number in all.len()..rows {
        let key = Key::from_text(&format!("zz.filler-{number:03}"), number)?;
        let feature = Feature::parse("ua-contains", &format!("filler-{number:03}/"))?;
        all.push(Row::of(key, &feature, 1));
    }
    Ok(assemble(sample, all.iter().map(encode).collect()))
}

/// The first `rows` rows of the sample, every one of them twice.
pub(crate) fn doubled(sample: &ValidArtifact, rows: usize) -> Vec<u8> {
    let twice = sample.rows().take(rows).flat_map(|row| [encode(&row), encode(&row)]).collect();
    assemble(sample, twice)
}

/// The sample with its first row twice: one row more.
pub(crate) fn with_a_duplicate(sample: &ValidArtifact) -> Vec<u8> {
    let mut rows: Vec<_> = sample.rows().map(|row| encode(&row)).collect();
    rows.insert(1, rows[0]);
    assemble(sample, rows)
}

/// The same rows in another order: what a tool would write that decodes a file and encodes it again in its own way.
pub(crate) fn reencoded(artifact: &ValidArtifact) -> Vec<u8> {
    let mut rows: Vec<_> = artifact.rows().map(|row| encode(&row)).collect();
    rows.reverse();
    assemble(artifact, rows)
}

/// A source, as a publisher would write it, in which every row stands twice.
pub(crate) fn doubled_source(source: &str) -> Result<String> {
    let mut source: serde_json::Value =
        serde_json::from_str(source).context("config/sample.json")?;
    let rows = source["rows"].as_array_mut().context("rows")?;
    let again = rows.clone();
    rows.extend(again);
    Ok(source.to_string())
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

fn encode(row: &Row) -> [u8; ROW_LEN] {
    let mut words = [0; ROW_LEN];
    words[..32].copy_from_slice(row.key.word());
    words[32..34].copy_from_slice(&[row.kind, row.flags]);
    words[34..36].copy_from_slice(&row.weight.to_be_bytes());
    words[36..].copy_from_slice(&row.argument);
    words
}

/// The sample's header before other rows, with their number and nothing else changed or checked.
fn assemble(sample: &ValidArtifact, rows: Vec<[u8; ROW_LEN]>) -> Vec<u8> {
    let mut bytes = sample.bytes()[..HEADER_LEN].to_vec();
    bytes[6..8].copy_from_slice(&u16::try_from(rows.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(rows.into_iter().flatten());
    bytes
}

#[cfg(test)]
mod tests;

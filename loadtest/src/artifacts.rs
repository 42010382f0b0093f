//! Feature files for scenes: the sample under other labels, and files that break an invariant.

use anyhow::{Context as _, Result};
use greenlight_artifact::{
    ARGUMENT_LEN, Digest, Draft, Feature, HEADER_LEN, Key, KindCode, MAX_ROWS, ROW_LEN, Row,
    Schema, ValidArtifact,
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

/// The sample with one row more, of this kind, for this engine. Whether an edge or a verifier knows either is for the
/// caller to choose.
pub(crate) fn with_kind(
    sample: &ValidArtifact,
    engine: u32,
    kind: KindCode,
    argument: &str,
) -> Result<Vec<u8>> {
    let mut padded = [0; ARGUMENT_LEN];
    let target = padded.get_mut(..argument.len()).context("an argument of at most 28 bytes")?;
    target.copy_from_slice(argument.as_bytes());
    let key = Key::from_text("zz.of-another-version", sample.rows().len())?;
    let row = Row { key, kind, flags: 0, weight: 1, argument: padded };
    let rows = sample.rows().chain([row]).map(|row| encode(&row)).collect();
    let mut bytes = assemble(sample, rows);
    bytes[12..16].copy_from_slice(&engine.to_be_bytes());
    Ok(bytes)
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

/// 200 rows that are each in order and together cost 1,600 of 1,000: every one asks for a client's rate.
pub(crate) fn too_dear(sample: &ValidArtifact) -> Result<Vec<u8>> {
    let rows = (0..MAX_ROWS).map(|number| {
        let feature = Feature::parse("request-rate", &(number + 1).to_string())?;
        Ok(encode(&Row::of(Key::from_text(&format!("dear.{number:03}"), number)?, &feature, 1)))
    });
    Ok(assemble(sample, rows.collect::<Result<_>>()?))
}

/// The dearest table that is legal: as many rows as there may be, whose costs sum to the budget, all of the dearest kinds.
///
/// 50 rows ask for what is remembered of clients, at 8 each. 150 look for text at 4 each, in the user agent, in the path,
/// in a field's value and in the order of fields, and share long beginnings, so that an automaton over them stays deep.
pub(crate) fn dearest(sample: &ValidArtifact) -> Result<ValidArtifact> {
    let clients =
        ["request-rate", "distinct-paths-over", "error-ratio-over", "gap-variation-under"];
    let feature = |number: usize| match number {
        0..50 => Feature::parse(clients[number % clients.len()], &(number + 40).to_string()),
        50..90 => Feature::parse("ua-contains", &format!("aaaaaaaaaaaaaaaaaaaaaaaa{number:03}")),
        90..130 => Feature::parse("path-contains", &format!("/aaaaaaaaaaaaaaaaaaaaaaa{number:03}")),
        130..170 => Feature::parse(
            "header-contains",
            &format!("x-field-{}:aaaaaaaaaaa{number:03}", number % 8),
        ),
        _ => Feature::parse("header-order", &format!("aaaaaaaaaaaaaaaaaaaaaaa{number:03}")),
    };
    let rows = (0..MAX_ROWS).map(|number| {
        let key = Key::from_text(&format!("dear.{number:03}"), number)?;
        Ok(Row::of(key, &feature(number)?, 1))
    });
    let draft = Draft {
        label: "dearest".into(),
        // No row weighs much here: everyone passes.
        intercept: -2_000,
        rows: rows.collect::<Result<_>>()?,
        ..Draft::from(sample)
    };
    draft.encode(&[Schema::ENGINE_1]).context("the dearest table")
}

/// What a table costs by its schema.
pub(crate) fn cost(artifact: &ValidArtifact) -> u32 {
    artifact.rows().map(|row| Schema::ENGINE_1.cost(row.kind)).sum()
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

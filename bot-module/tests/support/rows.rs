//! Artifacts of numbered rows, for tests and benchmarks that ask which rows fire or what they cost.

use greenlight_artifact::{Draft, Feature, Key, Row, Schema, ValidArtifact};

/// The features of these kinds and arguments.
pub(crate) fn features<'a>(
    rows: &'a [(&'a str, &'a str)],
) -> impl Iterator<Item = Feature> + use<'a> {
    rows.iter().map(|(kind, argument)| Feature::parse(kind, argument).unwrap())
}

/// An artifact of a row for each feature, with its number in its key and a tenth of a logit as its weight.
pub(crate) fn numbered(features: impl IntoIterator<Item = Feature>) -> ValidArtifact {
    let rows = features.into_iter().enumerate().map(|(number, feature)| {
        let key = Key::from_text(&format!("row{number:03}"), number).unwrap();
        Row::of(key, &feature, 100)
    });
    let draft = Draft {
        intercept: 0,
        engine: 1,
        created_at: 0,
        label: String::new(),
        rows: rows.collect(),
    };
    draft.encode(&[Schema::ENGINE_1]).unwrap()
}

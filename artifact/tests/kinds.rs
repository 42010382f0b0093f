//! The kinds of engine 1: each can be written, encoded and read back, and is documented.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]

use std::collections::BTreeSet;

use greenlight_artifact::{Draft, Feature, Key, Row, Schema, ValidArtifact};

/// An argument that each kind takes is among these.
const ARGUMENTS: [&str; 6] = ["", "7", "accept", "accept:*/*", "192.0.2.0/24", "2001:db8::/32"];

/// The features of a kind, with each of the arguments that an artifact may carry.
fn features(kind: &str) -> Vec<(Feature, ValidArtifact)> {
    let read = ARGUMENTS.iter().filter_map(|argument| Feature::parse(kind, argument).ok());
    let encode = |feature: Feature| {
        let row = Row::of(Key::from_text("row", 0).unwrap(), &feature, 5);
        let draft =
            Draft { intercept: 0, engine: 1, created_at: 0, label: String::new(), rows: vec![row] };
        Some((feature, draft.encode(&[Schema::ENGINE_1]).ok()?))
    };
    read.filter_map(encode).collect()
}

#[test]
fn every_kind_is_read_encoded_and_read_back() {
    for kind in Feature::kind_names() {
        let features = features(kind);
        assert!(!features.is_empty(), "{kind} takes none of the arguments");
        for (feature, artifact) in features {
            assert_eq!(feature.kind_name(), kind);
            assert_eq!(Feature::parse(kind, &feature.argument_text()), Ok(feature.clone()));
            let row = artifact.rows().next().unwrap();
            assert_eq!((row.kind, row.flags, row.argument), feature.encode());
            assert_eq!(Feature::of_row(&row), Some(feature));
        }
    }
}

#[test]
fn every_kind_of_the_schema_has_a_name_and_every_name_a_kind() {
    let named: BTreeSet<u8> =
        Feature::kind_names().flat_map(features).map(|(feature, _)| feature.encode().0).collect();
    let known = (0..=u8::MAX).filter(|kind| Schema::ENGINE_1.class(*kind).is_some());
    assert_eq!(named, known.collect());
    assert!(named.iter().all(|kind| Schema::ENGINE_1.cost(*kind) >= 1));
}

#[test]
fn every_kind_is_documented_where_sources_are() {
    let docs = include_str!("../src/source.rs");
    let first_cell =
        |line: &str| Some(line.strip_prefix("//! | ")?.split(" | ").next()?.to_owned());
    let mut documented: Vec<String> = docs
        .lines()
        .filter_map(first_cell)
        .flat_map(|cell| cell.split(", ").map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|name| Some(name.strip_prefix('`')?.strip_suffix('`')?.to_owned()))
        .collect();
    documented.sort();
    let mut names: Vec<&str> = Feature::kind_names().collect();
    names.sort_unstable();
    assert_eq!(documented, names);
}

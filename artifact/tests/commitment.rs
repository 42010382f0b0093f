//! The committed commitments: what the circuit, an edge and any other implementation must compute for the cases
//! `accepted/…` of the shared corpus.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use greenlight_artifact::{Schema, ValidArtifact};
use serde_json::Value;

#[test]
fn accepted_vectors_have_their_commitments() {
    let corpus: Value = serde_json::from_str(include_str!("../vectors/v1.json")).unwrap();
    let mut computed = BTreeMap::new();
    let accepted = |case: &&Value| case["name"].as_str().unwrap().starts_with("accepted/");
    for case in corpus["cases"].as_array().unwrap().iter().filter(accepted) {
        let bytes = |field: &str| {
            hex::decode(case[field].as_str().unwrap().strip_prefix("0x").unwrap()).unwrap()
        };
        let schema = Schema {
            engine: 1,
            word: bytes("schema").try_into().unwrap(),
            budget: u32::try_from(case["budget"].as_u64().unwrap()).unwrap(),
        };
        let artifact = ValidArtifact::check(&bytes("bytes"), &[schema]).unwrap();
        computed.insert(artifact.digest().to_string(), artifact.commitment().to_string());
    }
    let committed: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../vectors/commitments.json")).unwrap();
    assert_eq!(computed, committed);
    let distinct: BTreeSet<&String> = committed.values().collect();
    assert_eq!(distinct.len(), committed.len(), "two artifacts under one commitment");
}

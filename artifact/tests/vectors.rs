//! The committed corpus that this check and the Solidity verifier's must answer alike.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

use std::collections::BTreeSet;

use greenlight_artifact::{Defect, Schema, ValidArtifact};
use serde_json::Value;

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().strip_prefix("0x").unwrap()).unwrap()
}

#[test]
fn every_vector_gets_its_answer() {
    let corpus: Value = serde_json::from_str(include_str!("../vectors/v1.json")).unwrap();
    assert_eq!(bytes(&corpus["schema"]), Schema::ENGINE_1.word);
    assert_eq!(corpus["budget"], Schema::ENGINE_1.budget);
    let cases = corpus["cases"].as_array().unwrap();
    let mut codes = BTreeSet::new();
    for case in cases {
        let schema = Schema {
            engine: 1,
            word: bytes(&case["schema"]).try_into().unwrap(),
            budget: u32::try_from(case["budget"].as_u64().unwrap()).unwrap(),
        };
        let bytes = bytes(&case["bytes"]);
        let answer = ValidArtifact::check(&bytes, &[schema]);
        let code = answer.as_ref().err().map_or(0, Defect::code);
        assert_eq!(case["defect"], code, "{}", case["name"]);
        assert_eq!(
            case["row"],
            answer.as_ref().err().and_then(Defect::row).unwrap_or(0),
            "{}",
            case["name"]
        );
        assert_eq!(
            case["rows"],
            answer.map_or(0, |artifact| artifact.rows().len()),
            "{}",
            case["name"]
        );
        assert_eq!(
            case["digest"],
            greenlight_artifact::Digest::of(&bytes).to_string(),
            "{}",
            case["name"]
        );
        codes.insert(code);
        // What a case's name promises; single bytes are set without knowing what they mean.
        let name = case["name"].as_str().unwrap();
        let group = name.split('/').next().unwrap();
        if group != "byte" {
            assert_eq!(name.contains("accepted"), code == 0, "{name}: {code}");
            let reason = Defect::reason_of(code).unwrap_or(group);
            let counted = matches!(group, "size" | "row-count") && reason.starts_with("row-count");
            assert!(reason == group || counted, "{name}: {reason}");
        }
    }
    assert!(cases.len() >= 200, "{} vectors", cases.len());
    assert_eq!(codes, (0..=16).collect(), "every defect, and acceptance, must occur");
}

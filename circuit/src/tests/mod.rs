//! What the circuit accepts, against what the checker accepts.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use greenlight_artifact::{Schema, ValidArtifact};

use crate::{assign, r1cs};

#[test]
fn vectors_are_satisfied() {
    println!(
        "{} constraints, {} variables, {:?}",
        r1cs().num_constraints(),
        r1cs().num_variables(),
        crate::parts()
    );
    let corpus: serde_json::Value =
        serde_json::from_str(include_str!("../../../artifact/vectors/v1.json")).unwrap();
    for case in corpus["cases"].as_array().unwrap() {
        let bytes = |field: &str| {
            hex::decode(case[field].as_str().unwrap().strip_prefix("0x").unwrap()).unwrap()
        };
        let schema = Schema {
            engine: 1,
            word: bytes("schema").try_into().unwrap(),
            budget: u32::try_from(case["budget"].as_u64().unwrap()).unwrap(),
        };
        if let Ok(artifact) = ValidArtifact::check(&bytes("bytes"), &[schema]) {
            match assign(&artifact, &schema) {
                Ok(values) => {
                    assert_eq!(values.len(), r1cs().num_variables());
                    if let Err(at) = r1cs().satisfied(&values) {
                        let mut n = 0;
                        for (name, size, times) in crate::parts() {
                            if at < n + size * times {
                                panic!(
                                    "{}: {at} in {name} {} of {size}",
                                    case["name"],
                                    (at - n) % size
                                );
                            }
                            n += size * times;
                        }
                    }
                }
                Err(error) => println!("{}: {error}", case["name"]),
            }
        }
    }
}

//! Prints `contracts/test/kit/Groth16Proofs.sol`: proofs of the artifacts that `Artifacts.sample` makes there, under the
//! development key. Proofs are random; any are as good.

#![allow(clippy::unwrap_used, reason = "a generator of test data fails by panicking")]

use greenlight_artifact::{Schema, ValidArtifact, source::Source};
use greenlight_circuit::{
    CIRCUIT_VERSION, assign,
    keys::{cache_directory, cached_development},
    proof::{Evidence, prove},
    r1cs, statement,
};

fn main() {
    let key = cached_development(r1cs(), CIRCUIT_VERSION, &cache_directory()).unwrap();
    println!(
        "// SPDX-License-Identifier: Apache-2.0\n\
         // Written by `make proofs`: proofs of artifacts of `Artifacts.sample` under the development key.\n\
         pragma solidity 0.8.37;\n\n\
         library Groth16Proofs {{"
    );
    for rows in [1, 60, 200] {
        let artifact = sample(rows);
        let assignment = assign(&artifact, &Schema::ENGINE_1).unwrap();
        let proof = prove(&key, r1cs(), &assignment).unwrap();
        let evidence = Evidence { statement: statement(&artifact), proof };
        evidence.verify(&key.verifying_key(), &Schema::ENGINE_1).unwrap();
        println!(
            "    /// @dev Of `Artifacts.sample({rows}, {rows})`.\n    \
                 bytes internal constant ROWS_{rows} =\n        hex\"{}\";",
            hex::encode(evidence.to_bytes())
        );
    }
    println!("}}");
}

/// What `Artifacts.sample(rows, rows)` makes in Solidity.
fn sample(rows: usize) -> ValidArtifact {
    let row = |number: usize| {
        format!(
            r#"{{"key": "feature.number-{number:03}", "kind": "ua-contains", "arg": "headlesschrome/", "weight": 4000}}"#
        )
    };
    let rows_json: Vec<_> = (0..rows).map(row).collect();
    let source = format!(
        r#"{{"label": "sample-{rows:03}", "intercept": -2000, "created_at": 1763700000, "rows": [{}]}}"#,
        rows_json.join(",")
    );
    Source::from_json(&source).unwrap().encode(&[Schema::ENGINE_1]).unwrap()
}

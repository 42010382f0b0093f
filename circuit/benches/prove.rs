//! What a proof of 200 rows costs: the circuit's size, the time until the first proof of a process and of a later one, memory,
//! verification.
//!
//! `cargo bench -p greenlight-circuit --bench prove`. The development key is derived first where it is not in the cache. The
//! times are those of a process of its own that finds the key as a file, as `greenlightctl prove` does.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a benchmark may panic; sizes are the circuit's"
)]

use std::time::Instant;

use greenlight_artifact::{Draft, Feature, HeaderTest, Key, Row, Schema, ValidArtifact};
use greenlight_circuit::{
    CIRCUIT_VERSION, assign, keys, parts,
    proof::{Evidence, prove},
    r1cs, statement,
};

fn artifact() -> ValidArtifact {
    let rows = (0..200_u16).map(|number| {
        let feature = match number % 4 {
            0 => Feature::UserAgentContains(format!("bot/{number}")),
            1 => Feature::Header {
                name: format!("x-{number}"),
                test: HeaderTest::Contains("text/html".into()),
            },
            2 => Feature::PathPrefix(format!("/{number}/")),
            _ => Feature::UserAgentLongerThan(u64::from(number)),
        };
        Row::of(Key::from_text(&format!("row.{number}"), 0).unwrap(), &feature, -100)
    });
    let draft = Draft {
        intercept: -1_000,
        engine: 1,
        created_at: 1_763_424_000,
        label: "benchmark".into(),
        rows: rows.collect(),
    };
    draft.encode(&[Schema::ENGINE_1]).unwrap()
}

fn main() {
    let directory = keys::cache_directory();
    if std::env::args().any(|argument| argument == "--one") {
        return one(&directory);
    }
    let circuit = r1cs();
    let [a, b, c] =
        circuit.matrices().each_ref().map(|matrix| matrix.iter().map(Vec::len).sum::<usize>());
    println!(
        "constraints {} (2^17 = {}), variables {}, non-zeros {a} + {b} + {c}",
        circuit.num_constraints(),
        1 << 17,
        circuit.num_variables()
    );
    for (name, constraints, times) in parts() {
        println!("  {name}: {times} x {constraints}");
    }
    keys::cached_development(circuit, CIRCUIT_VERSION, &directory).unwrap();
    let program = std::env::current_exe().unwrap();
    assert!(std::process::Command::new(program).arg("--one").status().unwrap().success());
}

/// In a process of its own: the first proof, and one more.
fn one(directory: &std::path::Path) {
    let cold = Instant::now();
    let artifact = artifact();
    let circuit = r1cs();
    let built = cold.elapsed();
    let key = keys::cached_development(circuit, CIRCUIT_VERSION, directory).unwrap();
    let loaded = cold.elapsed();
    let values = assign(&artifact, &Schema::ENGINE_1).unwrap();
    prove(&key, circuit, &values).unwrap();
    let first = cold.elapsed();

    let warm = Instant::now();
    let values = assign(&artifact, &Schema::ENGINE_1).unwrap();
    let assigned = warm.elapsed();
    let proof = prove(&key, circuit, &values).unwrap();
    let second = warm.elapsed();

    let evidence = Evidence { statement: statement(&artifact), proof };
    let verifying_key = key.verifying_key();
    let check = Instant::now();
    evidence.verify(&verifying_key, &Schema::ENGINE_1).unwrap();
    let verified = check.elapsed();

    println!("cold {first:.2?}: constraints {built:.2?}, key {:.2?}", loaded - built);
    println!("warm {second:.2?}: witness {assigned:.2?}");
    println!("verify {verified:.2?}, evidence {} bytes", evidence.to_bytes().len());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find(|line| line.starts_with("VmHWM")) {
        println!("peak memory {}", peak.trim_start_matches("VmHWM:").trim());
    }
}

//! What operators install holds nothing that only tests, demo and publishers need.

#![allow(clippy::expect_used, reason = "a test that fails panics")]

use std::collections::BTreeSet;
use std::process::Command;

/// A simulator could pass for a chain, a publisher's key could move one, a prover is the publisher's; the rest are
/// yardsticks of benchmarks and tests.
const BARRED: [&str; 10] = [
    "alloy-signer-local",
    "ark-groth16",
    "bls12_381",
    "criterion",
    "greenlight-beacon-simulator",
    "greenlight-circuit",
    "greenlight-loadtest",
    "greenlightctl",
    "proptest",
    "snap",
];

#[test]
fn the_operators_binary_links_no_simulator_no_prover_and_no_key() {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--offline", "--package", "greenlight", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = tree.output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names of packages");
    let linked: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    for expected in ["greenlight", "greenlight-watcher", "blst"] {
        assert!(linked.contains(expected), "{expected} not in {text}");
    }
    let found: Vec<_> = BARRED.iter().filter(|name| linked.contains(**name)).collect();
    assert!(found.is_empty(), "greenlight links {found:?}");
}

//! The contracts' key is what the tools make.

use std::path::Path;

use greenlight_circuit::{
    CIRCUIT_VERSION, keys::cached_development, proof::PUBLIC_INPUTS, r1cs, solidity,
};

#[test]
fn the_key_in_the_contracts_is_the_development_key() {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let key = cached_development(r1cs(), CIRCUIT_VERSION, cache).unwrap().verifying_key();
    assert_eq!(key.public_inputs(), PUBLIC_INPUTS);
    let written = include_str!("../../contracts/src/verifiers/VerifyingKey.sol");
    assert!(solidity::verifying_key(&key) == written, "write it anew: make proofs");
}

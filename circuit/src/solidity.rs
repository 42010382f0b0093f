//! The verifying key as Solidity constants.

use std::fmt::Write as _;

use ark_bn254::{G1Affine, G2Affine};

use crate::{keys::VerifyingKey, points::Point};

/// `contracts/src/verifiers/VerifyingKey.sol` for a key. `Groth16Verifier.sol` is written by hand and uses it.
#[must_use]
pub fn verifying_key(key: &VerifyingKey) -> String {
    let points = &key.points;
    let mut text = format!(
        "// SPDX-License-Identifier: Apache-2.0\n\
         // Written by `greenlight-ceremony solidity`: a change here is a change of the key.\n\
         pragma solidity 0.8.37;\n\n\
         /// @notice The verifying key of the circuit. Points are as EIP-197 has them: of a coordinate in G2, X1 and Y1 are the\n\
         /// imaginary parts.\n\
         library VerifyingKey {{\n    \
             uint32 internal constant CIRCUIT_VERSION = {};\n    \
             /// @dev Whether everybody knows the secrets of the key.\n    \
             bool internal constant DEVELOPMENT = {};\n    \
             /// @dev keccak256 of α, β, γ, δ and IC.\n    \
             bytes32 internal constant KEY_HASH = 0x{};\n    \
             uint256 internal constant PUBLIC_INPUTS = {};\n",
        key.circuit_version,
        key.development,
        hex::encode(key.hash()),
        key.public_inputs(),
    );
    g1(&mut text, "ALPHA", &points.alpha_g1);
    g2(&mut text, "BETA", &points.beta_g2);
    g2(&mut text, "GAMMA", &points.gamma_g2);
    g2(&mut text, "DELTA", &points.delta_g2);
    for (number, point) in points.gamma_abc_g1.iter().enumerate() {
        g1(&mut text, &format!("IC{number}"), point);
    }
    text.push_str("}\n");
    text
}

fn g1(text: &mut String, name: &str, point: &G1Affine) {
    coordinates(text, name, &["X", "Y"], point);
}

fn g2(text: &mut String, name: &str, point: &G2Affine) {
    coordinates(text, name, &["X1", "X0", "Y1", "Y0"], point);
}

fn coordinates(text: &mut String, name: &str, coordinates: &[&str], point: &impl Point) {
    let mut bytes = Vec::new();
    point.write(&mut bytes);
    text.push('\n');
    for (coordinate, word) in coordinates.iter().zip(bytes.as_chunks::<32>().0) {
        let _ = writeln!(
            text,
            "    uint256 internal constant {name}_{coordinate} = 0x{};",
            hex::encode(word)
        );
    }
}

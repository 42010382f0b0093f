//! What the circuit accepts, against what the checker accepts.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod differential;
mod evm;
mod generate;
mod killed;
mod proof;

use ark_bn254::Fr;
use greenlight_artifact::{
    ArgumentClass, Digest, HEADER_LEN, MAX_ROWS, ROW_LEN, Schema, ValidArtifact,
};

use crate::{proof::inputs_behind, r1cs, statement::built, witness};

/// The bytes of a row.
fn row(
    key: impl AsRef<[u8]>,
    kind: u8,
    flags: u8,
    weight: i16,
    argument: impl AsRef<[u8]>,
) -> Vec<u8> {
    let mut bytes = key.as_ref().to_vec();
    bytes.resize(32, 0);
    bytes.extend([kind, flags]);
    bytes.extend(weight.to_be_bytes());
    bytes.extend(argument.as_ref());
    bytes.resize(ROW_LEN, 0);
    bytes
}

/// The values for any bytes that are a header and whole rows, as good as they can be.
fn values(bytes: &[u8], schema: &Schema) -> Vec<Fr> {
    let digest = Digest::of(bytes);
    let rows = u8::try_from((bytes.len() - HEADER_LEN) / ROW_LEN).unwrap();
    let inputs = inputs_behind(&digest, rows, schema);
    witness::values(bytes, schema, &inputs, &digest.0)
}

fn holds(constraint: usize, values: &[Fr]) -> bool {
    let [a, b, c] = r1cs().matrices.each_ref().map(|matrix| {
        matrix[constraint].iter().map(|(factor, variable)| *factor * values[*variable]).sum::<Fr>()
    });
    a * b == c
}

/// Constraints of one permutation: three for each of its S-boxes.
const PERMUTATION: usize = 3 * (8 * 13 + 65);

/// The first constraint that values for some rows break.
///
/// Two kinds of constraints hold for whatever bytes, so that they are skipped: those of absent rows behind another one, whose
/// values are the same in all artifacts, and those of permutations behind the last row, which absorb zeros; of both
/// `what_is_skipped_holds` is the proof.
fn broken(values: &[Fr], rows: usize) -> Option<usize> {
    let sections = &built().sections;
    let end = |at: usize| sections.get(at + 1).map_or(r1cs().num_constraints(), |next| next.1);
    let mut row = 0;
    for (at, (name, start)) in sections.iter().enumerate() {
        let mut to_check: Vec<usize> = (*start..end(at)).collect();
        if name.ends_with("row") {
            row += 1;
            if row > rows + 1 {
                continue;
            }
        }
        if *name == "commitment" {
            let absorbing = (4 + 2 * rows).div_ceil(12) * PERMUTATION;
            to_check.drain(absorbing..34 * PERMUTATION);
        }
        let broken = to_check.into_iter().find(|constraint| !holds(*constraint, values));
        if broken.is_some() {
            return broken;
        }
    }
    None
}

/// Whether the checker accepts bytes and the circuit's version of the format has all classes that they use.
fn accepted(bytes: &[u8], schema: &Schema) -> bool {
    ValidArtifact::check(bytes, &[*schema]).is_ok_and(|artifact| {
        artifact.rows().all(|row| schema.class(row.kind) != Some(ArgumentClass::Fingerprint))
    })
}

/// Whether bytes are what a commitment stands for: a header and rows, without the last byte of keys, which is zero.
fn committed(bytes: &[u8]) -> bool {
    let Some(rows) = bytes.len().checked_sub(HEADER_LEN) else { return false };
    rows.is_multiple_of(ROW_LEN)
        && (1..=MAX_ROWS).contains(&(rows / ROW_LEN))
        && bytes[HEADER_LEN..].chunks(ROW_LEN).all(|row| row[31] == 0)
}

#[test]
fn what_is_skipped_holds() {
    // Good or bad, whole or with absent rows: a constraint that `broken` skips is none that is broken.
    for seed in 0..40 {
        let (bytes, schema) = generate::Generator::new(seed).case();
        if !committed(&bytes) {
            continue;
        }
        let values = values(&bytes, &schema);
        let rows = bytes.len() / 64 - 1;
        assert_eq!(r1cs().satisfied(&values).err(), broken(&values, rows), "seed {seed}");
        let sections = &built().sections;
        let absent = sections[2 + rows + 1].1..sections[2 + 200].1;
        let commitment = sections.last().unwrap().1;
        let permutations = commitment + PERMUTATION..commitment + 34 * PERMUTATION;
        assert!(
            absent.chain(permutations).all(|constraint| holds(constraint, &values)),
            "seed {seed}"
        );
    }
}

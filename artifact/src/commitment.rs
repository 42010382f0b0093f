//! The Poseidon commitment to an artifact: what a proof of the circuit is bound to, and an edge computes again.
//!
//! # Parameters
//! Poseidon (<https://eprint.iacr.org/2019/458>) over the scalar field of BN254 with the S-box x⁵, width t = 13, 8 full and
//! 65 partial rounds: the constants of circom, as `light-poseidon` ships them.
//!
//! # Construction
//! A sponge of rate 12 and capacity 1 over 404 field elements, always for 200 rows:
//! - the header as four elements of 16 bytes;
//! - of each row its key's first 31 bytes as one element, and its second word (kind, flags, weight, argument) as
//!   another, which is below the field's modulus because a kind is below 32;
//! - zeros for the rows that an artifact does not have.
//!
//! Bytes are read big-endian. Lane 0 is the capacity and begins as zero. Each block of 12 elements is added to lanes 1 to
//! 12 and the state permuted; the last block has 8 elements, and zeros. After the 34th permutation lane 0 is squeezed: the
//! commitment, 32 bytes big-endian. The input's length is fixed, so nothing else is padded. For one block this is circom's
//! `Poseidon(12)`.
//!
//! What is left out is the same in all artifacts: the last byte of a key is zero. The header's row count tells the rows
//! that are not there from rows of zeros, which no artifact has anyway.

#![allow(clippy::arithmetic_side_effects, reason = "a field's arithmetic is total")]

use core::fmt;
use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use light_poseidon::{PoseidonParameters, parameters::bn254_x5};

use crate::{
    artifact::ValidArtifact,
    layout::{HEADER_LEN, MAX_ROWS, ROW_LEN},
};

/// Lanes of the permutation's state.
pub const POSEIDON_WIDTH: usize = 13;
/// Elements that a permutation absorbs.
pub const POSEIDON_RATE: usize = 12;
/// Field elements that stand for an artifact.
pub const COMMITMENT_ELEMENTS: usize = HEADER_LEN / 16 + 2 * MAX_ROWS;

/// The Poseidon commitment to an artifact's bytes, an element of BN254's scalar field, 32 bytes big-endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment(pub [u8; 32]);

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ValidArtifact {
    /// The commitment to the bytes; some milliseconds of work.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        let hash = sponge(&elements(self.bytes()));
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(hash.into_bigint().to_bytes_be()) {
            *to = from;
        }
        Commitment(bytes)
    }
}

/// The field elements that stand for an artifact's bytes; bytes that are not there count as zero.
#[must_use]
pub fn elements(bytes: &[u8]) -> Vec<Fr> {
    let (header, rows) = bytes.split_at_checked(HEADER_LEN).unwrap_or((bytes, &[]));
    let mut elements: Vec<Fr> = header.chunks(16).map(Fr::from_be_bytes_mod_order).collect();
    let (rows, _) = rows.as_chunks::<ROW_LEN>();
    for row in rows {
        let (key, value) = row.split_at(32);
        elements
            .extend([key.get(..31).unwrap_or_default(), value].map(Fr::from_be_bytes_mod_order));
    }
    elements.resize(COMMITMENT_ELEMENTS, Fr::ZERO);
    elements
}

/// The sponge that the module describes, over any number of elements.
#[must_use]
pub fn sponge(elements: &[Fr]) -> Fr {
    sponge_traced(elements, |_| {})
}

/// As [`sponge`]; `trace` is given x², x⁴ and x⁵ of each S-box, in their order.
pub fn sponge_traced(elements: &[Fr], mut trace: impl FnMut([Fr; 3])) -> Fr {
    let mut state = [Fr::ZERO; POSEIDON_WIDTH];
    for block in elements.chunks(POSEIDON_RATE) {
        for (lane, element) in state.iter_mut().skip(1).zip(block) {
            *lane += element;
        }
        permute(&mut state, &mut trace);
    }
    let [lane, ..] = state;
    lane
}

/// The constants of the permutation.
#[must_use]
pub fn poseidon_parameters() -> &'static PoseidonParameters<Fr> {
    static PARAMETERS: OnceLock<PoseidonParameters<Fr>> = OnceLock::new();
    PARAMETERS.get_or_init(|| {
        #[expect(
            clippy::expect_used,
            reason = "the library has constants for widths 2 to 13; a test calls this"
        )]
        bn254_x5::get_poseidon_parameters(POSEIDON_WIDTH as u8).expect("constants of width 13")
    })
}

fn permute(state: &mut [Fr; POSEIDON_WIDTH], trace: &mut impl FnMut([Fr; 3])) {
    let parameters = poseidon_parameters();
    let half = parameters.full_rounds / 2;
    let partial = half..half.saturating_add(parameters.partial_rounds);
    for (round, constants) in parameters.ark.chunks(POSEIDON_WIDTH).enumerate() {
        for (lane, constant) in state.iter_mut().zip(constants) {
            *lane += constant;
        }
        let boxes = if partial.contains(&round) { 1 } else { POSEIDON_WIDTH };
        for lane in state.iter_mut().take(boxes) {
            let square = lane.square();
            let fourth = square.square();
            *lane *= fourth;
            trace([square, fourth, *lane]);
        }
        let before = *state;
        for (lane, row) in state.iter_mut().zip(&parameters.mds) {
            *lane = row.iter().zip(&before).map(|(m, x)| *m * x).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::MontFp;
    use light_poseidon::{Poseidon, PoseidonHasher};

    use super::*;
    use crate::{Schema, layout::MAX_LEN};

    #[test]
    fn one_block_is_what_the_library_hashes() {
        let inputs: Vec<Fr> = (1..=12_u64).map(Fr::from).collect();
        let hash = Poseidon::<Fr>::new_circom(12).unwrap().hash(&inputs).unwrap();
        assert_eq!(sponge(&inputs), hash);
    }

    /// The answers that circomlib's own tests expect, which anchor the constants beyond the library.
    #[test]
    fn the_library_answers_as_circomlib_does() {
        let hash = |inputs: &[u64]| {
            let inputs: Vec<Fr> = inputs.iter().copied().map(Fr::from).collect();
            Poseidon::<Fr>::new_circom(inputs.len()).unwrap().hash(&inputs).unwrap()
        };
        assert_eq!(
            hash(&[1, 2]),
            MontFp!("7853200120776062878684798364095072458815029376092732009249414926327459813530")
        );
        assert_eq!(
            hash(&[1, 2, 3, 4]),
            MontFp!(
                "18821383157269793795438455681495246036402687001665670618754263018637548127333"
            )
        );
    }

    #[test]
    fn blocks_are_added_to_the_state_before_them() {
        let inputs: Vec<Fr> = (1..=13_u64).map(Fr::from).collect();
        let mut state = [Fr::ZERO; POSEIDON_WIDTH];
        for (lane, input) in state.iter_mut().skip(1).zip(&inputs) {
            *lane = *input;
        }
        permute(&mut state, &mut |_| {});
        state[1] += inputs[12];
        permute(&mut state, &mut |_| {});
        assert_eq!(sponge(&inputs), state[0]);
    }

    #[test]
    fn every_byte_that_varies_counts() {
        let bytes: Vec<u8> = (0..MAX_LEN).map(|at| (at % 31) as u8 + 1).collect();
        let elements = elements(&bytes);
        assert_eq!(elements.len(), COMMITMENT_ELEMENTS);
        for at in 0..MAX_LEN {
            let mut other = bytes.clone();
            other[at] += 1;
            let last_of_key = at >= HEADER_LEN && at % ROW_LEN == 31;
            assert_eq!(super::elements(&other) == elements, last_of_key, "byte {at}");
        }
    }

    #[test]
    fn rows_that_are_not_there_are_zeros() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../vectors/v1.json")).unwrap();
        let text = vectors["cases"][0]["bytes"].as_str().unwrap();
        let bytes = hex::decode(text.strip_prefix("0x").unwrap()).unwrap();
        let artifact = ValidArtifact::check(&bytes, &[Schema::ENGINE_1]).unwrap();
        let mut padded = bytes;
        padded.resize(MAX_LEN, 0);
        let hash = sponge(&elements(&padded)).into_bigint().to_bytes_be();
        assert_eq!(artifact.commitment().0.as_slice(), hash);
    }
}

//! A circuit small enough for a ceremony in a test: x³ + x + 5 = y, and x is less than 16.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking; clippy grants that to test functions alone"
)]

use ark_bn254::{Bn254, Fr};
use ark_ff::{One as _, Zero as _};
use ark_groth16::{Groth16, ProvingKey, prepare_verifying_key, r1cs_to_qap::LibsnarkReduction};

use super::R1cs;

/// 1, y; then x, x², x³ and the bits of x.
pub(crate) fn r1cs() -> R1cs {
    let one = Fr::one();
    let mut a = vec![vec![(one, 2)], vec![(one, 3)], vec![(one, 4), (one, 2), (Fr::from(5), 0)]];
    let mut b = vec![vec![(one, 2)], vec![(one, 2)], vec![(one, 0)]];
    let mut c = vec![vec![(one, 3)], vec![(one, 4)], vec![(one, 1)]];
    for bit in 5..9 {
        a.push(vec![(one, bit)]);
        b.push(vec![(one, 0), (-one, bit)]);
        c.push(vec![]);
    }
    a.push((0..4_u64).map(|bit| (Fr::from(1 << bit), 5 + bit as usize)).collect());
    b.push(vec![(one, 0)]);
    c.push(vec![(one, 2)]);
    R1cs::new(2, 7, [a, b, c])
}

pub(crate) fn assignment(x: u64) -> Vec<Fr> {
    let mut assignment: Vec<_> = [1, x.pow(3) + x + 5, x, x.pow(2), x.pow(3)].map(Fr::from).into();
    assignment.extend((0..4).map(|bit| Fr::from(x >> bit & 1)));
    assignment
}

/// What is true can be proven under the key, and the proof says nothing else.
pub(crate) fn assert_proves(key: &ProvingKey<Bn254>) {
    let (r1cs, assignment) = (r1cs(), assignment(11));
    let proof = Groth16::<Bn254, LibsnarkReduction>::create_proof_with_reduction_and_matrices(
        key,
        Fr::from(12_345),
        Fr::from(67_890),
        &r1cs.matrices,
        r1cs.num_instance,
        r1cs.num_constraints(),
        &assignment,
    )
    .unwrap();
    let prepared = prepare_verifying_key(&key.vk);
    let verify = |y: Fr| Groth16::<Bn254>::verify_proof(&prepared, &proof, &[y]).unwrap();
    assert!(verify(assignment[1]));
    assert!(!verify(assignment[1] + Fr::one()) && !verify(Fr::zero()));
}

/// As many public inputs as the artifact's circuit has, whose squares are the witness.
pub(crate) fn inputs() -> R1cs {
    let row = |variable| vec![(Fr::one(), variable)];
    let inputs: Vec<_> = (1..7).map(row).collect();
    R1cs::new(7, 6, [inputs.clone(), inputs, (7..13).map(row).collect()])
}

pub(crate) fn inputs_assignment() -> Vec<Fr> {
    let inputs = (2_u64..8).map(Fr::from);
    std::iter::once(Fr::one())
        .chain(inputs.clone())
        .chain(inputs.map(|input| input * input))
        .collect()
}

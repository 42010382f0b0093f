//! Checks in the exponent, and points that nobody knows the logarithm of.

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr as _, CurveGroup, VariableBaseMSM, pairing::Pairing as _};
use ark_ff::PrimeField as _;
use rayon::prelude::*;
use sha2::{Digest as _, Sha512};

/// Whether `a.1` is as many times `a.0` as `b.1` is `b.0`: e(a.0, b.1) = e(a.1, b.0).
pub(super) fn same_ratio(
    a: (impl Into<G1Affine>, impl Into<G1Affine>),
    b: (impl Into<G2Affine>, impl Into<G2Affine>),
) -> bool {
    let (minus, plus): (G1Affine, G1Affine) = (a.0.into(), a.1.into());
    let (first, second): (G2Affine, G2Affine) = (b.0.into(), b.1.into());
    #[allow(clippy::arithmetic_side_effects, reason = "of a point")]
    let product = Bn254::multi_pairing([-minus, plus], [second, first]);
    product.0 == ark_ff::One::one()
}

/// Random factors of 128 bits: a combination by them that is in some ratio shows that each of its terms is, but for a chance
/// of 2^-128.
pub(super) fn factors(count: usize) -> Vec<Fr> {
    (0..count).map(|_| Fr::from(rand::random::<u128>())).collect()
}

/// One random combination of the points but the last, and the same one of the points but the first: in the ratio of
/// each point to the one before it, if that is always the same.
pub(super) fn neighbours<G: VariableBaseMSM<ScalarField = Fr>>(points: &[G::MulBase]) -> (G, G) {
    let factors = factors(points.len().saturating_sub(1));
    // Zipped, not compared in length: the surplus point of the first is left out.
    let after = points.get(1..).unwrap_or_default();
    (G::msm_unchecked(points, &factors), G::msm_unchecked(after, &factors))
}

/// The same random combination of two lists.
pub(super) fn pair(one: &[G1Affine], other: &[G1Affine]) -> (G1Projective, G1Projective) {
    let factors = factors(one.len());
    (G1Projective::msm_unchecked(one, &factors), G1Projective::msm_unchecked(other, &factors))
}

/// Multiplies each point by its own factor.
pub(super) fn scale<G: CurveGroup<ScalarField = Fr>>(points: &mut [G::Affine], factors: &[Fr]) {
    let scaled: Vec<G> = points
        .par_iter()
        .zip(factors)
        .map(|(point, factor)| point.mul_bigint(factor.into_bigint()))
        .collect();
    points.copy_from_slice(&G::normalize_batch(&scaled));
}

/// A point of G2 that nobody knows the logarithm of, by hashing until there is one: x is SHA-512 of input, counter and
/// coordinate, reduced; y is the root that is even or odd as a bit of the hash says; the cofactor is cleared.
#[allow(clippy::arithmetic_side_effects, reason = "of field elements")]
pub(super) fn hash_to_g2(input: &[u8]) -> G2Affine {
    let mut counter = 0_u64;
    loop {
        let hash = |coordinate: u8| {
            Sha512::new_with_prefix("greenlight ceremony hash to G2")
                .chain_update(counter.to_be_bytes())
                .chain_update([coordinate])
                .chain_update(input)
                .finalize()
        };
        let [c0, c1] = [0, 1].map(|coordinate| Fq::from_be_bytes_mod_order(&hash(coordinate)));
        let greatest = hash(2).first().is_some_and(|byte| byte & 1 == 1);
        let point = G2Affine::get_point_from_x_unchecked(Fq2::new(c0, c1), greatest)
            .map(|point| point.clear_cofactor());
        // Half of all x have a point; in that few points have an order without r nobody can set one up.
        match point {
            Some(point) if !point.is_zero() => return point,
            _ => counter = counter.wrapping_add(1),
        }
    }
}

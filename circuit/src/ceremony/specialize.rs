//! From powers of τ to one circuit's key.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr as _, CurveGroup, VariableBaseMSM};
use ark_ff::{One as _, PrimeField as _, Zero as _};
use ark_groth16::VerifyingKey;
use ark_poly::{EvaluationDomain as _, domain::DomainCoeff};
use ark_relations::utils::matrix::transpose;
use rayon::prelude::*;

use super::{CeremonyError, Powers};
use crate::{
    keys::ProvingKey,
    r1cs::{Domain, Matrix, R1cs},
};

/// Evaluates a circuit's polynomials at τ: the key with δ = 1, on which phase 2 begins. It is marked as a development key,
/// since this δ is public.
///
/// The powers are brought to the Lagrange basis by a Fourier transform in the exponent; what a variable's polynomials come to
/// is then a sum over the constraints that it appears in.
///
/// # Errors
///
/// [`CeremonyError::Power`] where the circuit is too large for the powers, [`CeremonyError::Shape`] where it is none.
pub fn specialize(
    powers: &Powers,
    r1cs: &R1cs,
    circuit_version: u32,
) -> Result<ProvingKey, CeremonyError> {
    let domain = r1cs.domain()?;
    let needed = domain.size().trailing_zeros();
    if needed > powers.power() {
        return Err(CeremonyError::Power { needed, found: powers.power() });
    }

    let tau_g1 = lagrange::<G1Projective>(domain, &powers.tau_g1);
    let alpha = lagrange::<G1Projective>(domain, &powers.alpha_tau_g1);
    let beta = lagrange::<G1Projective>(domain, &powers.beta_tau_g1);
    let tau_g2 = lagrange::<G2Projective>(domain, &powers.tau_g2);

    let variables = r1cs.num_variables();
    let [mut a, b, c] =
        r1cs.matrices.each_ref().map(|matrix: &Matrix| transpose(matrix, variables));
    // The rows that keep the instance polynomials independent.
    for (terms, row) in a.iter_mut().take(r1cs.num_instance).zip(r1cs.num_constraints()..) {
        terms.push((Fr::one(), row));
    }

    let a_query = G1Projective::normalize_batch(&sums(&a, &tau_g1));
    let b_g1_query = G1Projective::normalize_batch(&sums(&b, &tau_g1));
    let b_g2_query = G2Projective::normalize_batch(&sums(&b, &tau_g2));
    let mixed: Vec<G1Projective> = (sums(&a, &beta).into_iter())
        .zip(sums::<G1Projective>(&b, &alpha))
        .zip(sums::<G1Projective>(&c, &tau_g1))
        .map(|((a, b), c)| [a, b, c].into_iter().sum())
        .collect();
    let mut gamma_abc_g1 = G1Projective::normalize_batch(&mixed);
    let l_query = gamma_abc_g1.split_off(r1cs.num_instance);

    // τ^i·Z(τ) = τ^(n+i) - τ^i
    let shifted = powers.tau_g1.iter().skip(domain.size());
    #[allow(clippy::arithmetic_side_effects, reason = "of points")]
    let h: Vec<G1Projective> = shifted
        .zip(&powers.tau_g1)
        .take(domain.size().saturating_sub(1))
        .map(|(high, low)| high.into_group() - low)
        .collect();

    let first = |list: &[G1Affine]| list.first().copied().unwrap_or_default();
    let beta_g1 = first(&powers.beta_tau_g1);
    Ok(ProvingKey {
        circuit_version,
        r1cs_hash: r1cs.hash(),
        development: true,
        points: ark_groth16::ProvingKey {
            vk: VerifyingKey {
                alpha_g1: first(&powers.alpha_tau_g1),
                beta_g2: powers.beta_g2,
                gamma_g2: G2Affine::generator(),
                delta_g2: G2Affine::generator(),
                gamma_abc_g1,
            },
            beta_g1,
            delta_g1: G1Affine::generator(),
            a_query,
            b_g1_query,
            b_g2_query,
            h_query: G1Projective::normalize_batch(&h),
            l_query,
        },
    })
}

/// The Lagrange polynomials of the domain at τ, of the powers of τ.
fn lagrange<G: CurveGroup<ScalarField = Fr> + DomainCoeff<Fr>>(
    domain: Domain,
    powers: &[G::Affine],
) -> Vec<G::Affine> {
    let mut values: Vec<G> =
        powers.iter().take(domain.size()).map(|power| power.into_group()).collect();
    domain.ifft_in_place(&mut values);
    G::normalize_batch(&values)
}

/// From so many on, buckets are quicker than a multiplication each.
const MANY: usize = 64;

/// Each column's terms at the points of its rows, added up.
///
/// Where buckets are used, they use every core themselves, and so these columns come one after the other. As tasks beside
/// others they would have each waiting thread begin a further column on the same stack, until that ends.
#[allow(clippy::arithmetic_side_effects, reason = "of points")]
pub(super) fn sums<G: CurveGroup<ScalarField = Fr> + VariableBaseMSM<MulBase = G::Affine>>(
    columns: &Matrix,
    rows: &[G::Affine],
) -> Vec<G> {
    let mut sums: Vec<(G, Vec<_>)> = columns
        .par_iter()
        .map(|terms| {
            let (sum, left) = of_ones::<G>(terms, rows);
            if left.len() < MANY { (one_by_one(sum, &left), Vec::new()) } else { (sum, left) }
        })
        .collect();
    for (sum, left) in sums.iter_mut().filter(|(_, left)| !left.is_empty()) {
        let (factors, points): (Vec<_>, Vec<_>) = std::mem::take(left).into_iter().unzip();
        *sum += G::msm_unchecked(&points, &factors);
    }
    sums.into_iter().map(|(sum, _)| sum).collect()
}

/// The sum of the terms whose factors are ±1, as most are, and what is left: other factors and their points.
#[allow(clippy::arithmetic_side_effects, reason = "of points and field elements")]
fn of_ones<G: CurveGroup<ScalarField = Fr>>(
    terms: &[(Fr, usize)],
    rows: &[G::Affine],
) -> (G, Vec<(Fr, G::Affine)>) {
    let (mut sum, mut left) = (G::zero(), Vec::new());
    for (factor, row) in terms {
        let Some(point) = rows.get(*row) else { continue };
        if factor.is_one() {
            sum += point;
        } else if (-*factor).is_one() {
            sum -= point;
        } else if !factor.is_zero() {
            left.push((*factor, *point));
        }
    }
    (sum, left)
}

/// Adds terms whose factors are short, or the negative of what is short.
#[allow(clippy::arithmetic_side_effects, reason = "of points and field elements")]
fn one_by_one<G: CurveGroup<ScalarField = Fr>>(mut sum: G, terms: &[(Fr, G::Affine)]) -> G {
    for (factor, point) in terms {
        let (plus, minus) = (factor.into_bigint(), (-*factor).into_bigint());
        if minus < plus {
            sum -= point.mul_bigint(minus);
        } else {
            sum += point.mul_bigint(plus);
        }
    }
    sum
}

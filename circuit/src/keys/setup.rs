//! Keys made by somebody who knows the secrets.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{
    AffineRepr as _, CurveGroup as _, PrimeGroup as _, scalar_mul::BatchMulPreprocessing,
};
use ark_ff::{Field as _, One as _, Zero as _};
use ark_groth16::{ProvingKey, VerifyingKey};
use ark_poly::EvaluationDomain as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::r1cs::{Matrix, R1cs, ShapeError};

/// The secrets of a setup (Groth 2016, section 3.2). γ is 1, as in every key of a ceremony (Bowe, Gabizon, Miers 2017).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secrets {
    /// τ, where the polynomials are evaluated.
    pub tau: Fr,
    /// α.
    pub alpha: Fr,
    /// β.
    pub beta: Fr,
    /// δ; not zero.
    pub delta: Fr,
}

impl Secrets {
    /// The key that these secrets make for a circuit, in the form of ark-groth16's generator.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] unless the constraints make a circuit.
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "of field elements, which wrap by definition"
    )]
    pub fn key(&self, r1cs: &R1cs) -> Result<ProvingKey<Bn254>, ShapeError> {
        let domain = r1cs.domain()?;
        let [a, b, c] = self.polynomials(r1cs, domain.evaluate_all_lagrange_coefficients(self.tau));
        let vanishing = domain.evaluate_vanishing_polynomial(self.tau);
        // Secrets are uniform: zero is as likely as a guess of them, and gives a key that verifies nothing.
        let inverse = self.delta.inverse().unwrap_or_default();

        let (mut instance, mut l) = (Vec::new(), Vec::new());
        for (variable, ((a, b), c)) in a.iter().zip(&b).zip(&c).enumerate() {
            let sum = self.beta * a + self.alpha * b + c;
            if variable < r1cs.num_instance {
                instance.push(sum);
            } else {
                l.push(sum * inverse);
            }
        }
        let first = vanishing * inverse;
        let h: Vec<_> = std::iter::successors(Some(first), |power| Some(*power * self.tau))
            .take(domain.size().saturating_sub(1))
            .collect();

        let scalars = a.len().saturating_mul(4);
        let g1 = BatchMulPreprocessing::new(G1Projective::generator(), scalars);
        let g2 = BatchMulPreprocessing::new(G2Projective::generator(), b.len());
        let one = |scalar: Fr| (G1Affine::generator() * scalar).into_affine();
        let two = |scalar: Fr| (G2Affine::generator() * scalar).into_affine();
        Ok(ProvingKey {
            vk: VerifyingKey {
                alpha_g1: one(self.alpha),
                beta_g2: two(self.beta),
                gamma_g2: two(Fr::one()),
                delta_g2: two(self.delta),
                gamma_abc_g1: g1.batch_mul(&instance),
            },
            beta_g1: one(self.beta),
            delta_g1: one(self.delta),
            a_query: g1.batch_mul(&a),
            b_g1_query: g1.batch_mul(&b),
            b_g2_query: g2.batch_mul(&b),
            h_query: g1.batch_mul(&h),
            l_query: g1.batch_mul(&l),
        })
    }

    /// The polynomials of each variable at τ, from the Lagrange polynomials there.
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "of field elements, which wrap by definition"
    )]
    fn polynomials(&self, r1cs: &R1cs, lagrange: Vec<Fr>) -> [Vec<Fr>; 3] {
        let mut polynomials = r1cs.matrices.each_ref().map(|matrix: &Matrix| {
            let mut values = vec![Fr::zero(); r1cs.num_variables()];
            for (terms, lagrange) in matrix.iter().zip(&lagrange) {
                for (coefficient, variable) in terms {
                    if let Some(value) = values.get_mut(*variable) {
                        *value += *coefficient * lagrange;
                    }
                }
            }
            values
        });
        // The rows that keep the instance polynomials independent.
        let rows = lagrange.iter().skip(r1cs.num_constraints());
        let [a, _, _] = &mut polynomials;
        for (value, lagrange) in a.iter_mut().take(r1cs.num_instance).zip(rows) {
            *value += lagrange;
        }
        polynomials
    }
}

//! A circuit as rank-1 constraints, and the quadratic arithmetic program that Groth16 makes of it.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{BigInteger as _, PrimeField as _, Zero as _};
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use sha2::{Digest as _, Sha256};

/// Rows of (coefficient, variable). Variable 0 is the constant 1, then the public inputs, then the witness.
pub type Matrix = ark_relations::utils::matrix::Matrix<Fr>;

/// The evaluation domain of a circuit's polynomials.
pub type Domain = Radix2EvaluationDomain<Fr>;

/// The constraints `(A·z) ∘ (B·z) = C·z`.
#[derive(Debug)]
pub struct R1cs {
    /// Instance variables, the constant 1 among them.
    pub(crate) num_instance: usize,
    /// Witness variables.
    pub(crate) num_witness: usize,
    /// A, B and C, of one length.
    pub(crate) matrices: [Matrix; 3],
    /// Once it was asked for, after which nothing changes.
    hash: OnceLock<[u8; 32]>,
}

/// What is wrong with the shape of constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// The matrices differ in length.
    #[error("constraints: expected matrices of one length; found {a}, {b} and {c} rows")]
    Lengths {
        /// Rows of A.
        a: usize,
        /// Rows of B.
        b: usize,
        /// Rows of C.
        c: usize,
    },
    /// A row names a variable that does not exist.
    #[error("constraint {row}: expected variables below {variables}; found {found}")]
    Variable {
        /// The row.
        row: usize,
        /// How many there are.
        variables: usize,
        /// What the row names.
        found: usize,
    },
    /// There is no constant 1, or the domain would be larger than 2^28 (the 2-adicity of BN254's scalar field).
    #[error(
        "constraints: expected 1 instance variable or more and at most 2^28 rows in all; found {instance} and {constraints}"
    )]
    Size {
        /// Instance variables.
        instance: usize,
        /// Constraints.
        constraints: usize,
    },
}

impl R1cs {
    /// Constraints of so many instance variables, the constant 1 among them, and witness variables; A, B and C are of one
    /// length.
    #[must_use]
    pub const fn new(num_instance: usize, num_witness: usize, matrices: [Matrix; 3]) -> Self {
        Self { num_instance, num_witness, matrices, hash: OnceLock::new() }
    }

    /// A, B and C.
    #[must_use]
    pub const fn matrices(&self) -> &[Matrix; 3] {
        &self.matrices
    }

    /// Constraints.
    #[must_use]
    pub fn num_constraints(&self) -> usize {
        self.matrices[0].len()
    }

    /// All variables, the constant 1 among them.
    #[must_use]
    pub const fn num_variables(&self) -> usize {
        self.num_instance.saturating_add(self.num_witness)
    }

    /// The domain: a row for each constraint, then one for each instance variable, which keeps the instance polynomials
    /// linearly independent (libsnark's reduction).
    ///
    /// # Errors
    ///
    /// [`ShapeError`] unless matrices, variables and size fit together.
    pub fn domain(&self) -> Result<Domain, ShapeError> {
        let [a, b, c] = self.matrices.each_ref().map(Vec::len);
        if a != b || a != c {
            return Err(ShapeError::Lengths { a, b, c });
        }
        let variables = self.num_variables();
        for matrix in &self.matrices {
            for (row, terms) in matrix.iter().enumerate() {
                if let Some(&(_, found)) = terms.iter().find(|(_, index)| *index >= variables) {
                    return Err(ShapeError::Variable { row, variables, found });
                }
            }
        }
        let size = ShapeError::Size { instance: self.num_instance, constraints: a };
        if self.num_instance == 0 {
            return Err(size);
        }
        a.checked_add(self.num_instance).and_then(Domain::new).ok_or(size)
    }

    /// SHA-256 over shape and matrices: which circuit a key is for. It is computed once.
    ///
    /// `"greenlight r1cs" ‖ instance ‖ witness ‖ constraints`, then A, B and C row by row: number of terms, then each
    /// term's variable and coefficient. Numbers are `u32`, coefficients 32 bytes, all big-endian.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        *self.hash.get_or_init(|| {
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
            let mut hash = Sha256::new_with_prefix("greenlight r1cs");
            for size in [self.num_instance, self.num_witness, self.num_constraints()] {
                hash.update(number(size));
            }
            for row in self.matrices.iter().flatten() {
                hash.update(number(row.len()));
                for (coefficient, variable) in row {
                    hash.update(number(*variable));
                    hash.update(coefficient.into_bigint().to_bytes_be());
                }
            }
            hash.finalize().into()
        })
    }

    /// Whether an assignment of all variables satisfies every constraint; the first that it breaks otherwise.
    ///
    /// # Errors
    ///
    /// The number of the first constraint that is not satisfied.
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "of field elements, which wrap by definition"
    )]
    pub fn satisfied(&self, assignment: &[Fr]) -> Result<(), usize> {
        let dot = |row: &Vec<(Fr, usize)>| -> Fr {
            row.iter()
                .map(|(coefficient, variable)| {
                    assignment.get(*variable).map_or(Fr::zero(), |value| *coefficient * value)
                })
                .sum()
        };
        let [a, b, c] = &self.matrices;
        for (number, ((a, b), c)) in a.iter().zip(b).zip(c).enumerate() {
            if dot(a) * dot(b) != dot(c) {
                return Err(number);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tiny;

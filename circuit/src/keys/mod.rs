//! Proving and verifying key, with what pins them to a circuit.
//!
//! A key comes out of a ceremony, or is the [development key](development()), whose secrets everybody knows: with it
//! anything can be proven, so that the verifier contract takes it on a local chain only.

mod development;
mod file;
mod setup;

pub use development::{DEVELOPMENT_SEED, cache_directory, cached_development, development};
pub use file::{KeyFileError, MAX_KEY_FILE};
pub use setup::Secrets;

use ark_bn254::{Bn254, G1Affine};
use sha3::{Digest as _, Keccak256};

use crate::points::{self, Point as _};

/// What a verifier needs.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyingKey {
    /// The version of the circuit that the key is for.
    pub circuit_version: u32,
    /// Whether its secrets are public.
    pub development: bool,
    /// The points.
    pub points: ark_groth16::VerifyingKey<Bn254>,
}

impl VerifyingKey {
    /// Public inputs, without the constant 1.
    #[must_use]
    pub fn public_inputs(&self) -> usize {
        self.points.gamma_abc_g1.len().saturating_sub(1)
    }

    /// The points as the EVM reads them: α in G1, β, γ, δ in G2, then IC in G1, in the encoding of [`points`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.points.alpha_g1.write(&mut bytes);
        self.points.beta_g2.write(&mut bytes);
        self.points.gamma_g2.write(&mut bytes);
        self.points.delta_g2.write(&mut bytes);
        points::write_all::<G1Affine>(&self.points.gamma_abc_g1, &mut bytes);
        bytes
    }

    /// Keccak-256 of [`Self::encode`]: `KEY_HASH` in the verifier contract.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Keccak256::digest(self.encode()).into()
    }
}

/// What the prover needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvingKey {
    /// The version of the circuit that the key is for.
    pub circuit_version: u32,
    /// [`R1cs::hash`](crate::R1cs::hash) of the circuit that the key is for.
    pub r1cs_hash: [u8; 32],
    /// Whether its secrets are public.
    pub development: bool,
    /// The points.
    pub points: ark_groth16::ProvingKey<Bn254>,
}

impl ProvingKey {
    /// The verifying key that belongs to it.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey {
            circuit_version: self.circuit_version,
            development: self.development,
            points: self.points.vk.clone(),
        }
    }
}

#[cfg(test)]
mod tests;

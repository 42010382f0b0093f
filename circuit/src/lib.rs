//! The proof of a feature file's invariants.
//!
//! - [`proof`]: statements, proofs and the evidence that a verifier contract takes.
//! - [`solidity`]: the verifying key as Solidity constants.
//! - [`r1cs`]: a circuit as rank-1 constraints.
//! - [`points`]: the one encoding of curve points, EIP-197's.
//! - [`ceremony`]: keys whose secrets nobody knows.
//! - [`keys`]: proving and verifying key, their files and hashes, and the development key.

mod alphabet;
mod builder;
pub mod ceremony;
mod constraints;
pub mod keys;
pub mod points;
mod poseidon;
pub mod proof;
pub mod r1cs;
pub mod solidity;
mod statement;
#[cfg(test)]
mod tests;
mod wire;
mod witness;

pub use constraints::parts;
pub use r1cs::R1cs;
pub use statement::{AssignError, CIRCUIT_VERSION, assign, assign_claiming, r1cs, statement};
pub use wire::write_file;

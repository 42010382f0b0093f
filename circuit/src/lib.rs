//! The proof of a feature file's invariants.
//!
//! - [`r1cs`]: a circuit as rank-1 constraints.
//! - [`points`]: the one encoding of curve points, EIP-197's.
//! - [`ceremony`]: keys whose secrets nobody knows.
//! - [`keys`]: proving and verifying key, their files and hashes, and the development key.

pub mod ceremony;
pub mod keys;
pub mod points;
pub mod r1cs;
mod wire;

pub use r1cs::R1cs;

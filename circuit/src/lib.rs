//! The proof of a feature file's invariants.
//!
//! # What is proven
//! Of the public inputs ([`proof::Statement::public_inputs`]) *commitment*, *context*, *schema* (two halves), *engine* and
//! *budget*, a proof says: the prover knows bytes that [`ValidArtifact::check`](greenlight_artifact::ValidArtifact::check)
//! accepts under that engine's schema and budget, whose [`commitment`](greenlight_artifact::commitment) is this one and whose
//! rows are as many as the context's last byte says. The schema is data: another engine needs no other circuit and no other key.
//!
//! What is **not** proven:
//! - the digest. The context's first 30 bytes are the prover's word for it, which no other can be put in place of; whoever has
//!   the bytes computes both hashes;
//! - anything of kinds of argument class 8 (fingerprints), which this version refuses;
//! - the last byte of a key, which the commitment leaves out: bytes with another one there than zero have a commitment that can be
//!   proven, and are refused by whoever checks the bytes.
//!
//! # What it costs
//! | part | constraints | times |
//! |---|---|---|
//! | schema: bits of the word | 258 | 1 |
//! | header: intercept, time, label | 344 | 1 |
//! | first row | 533 | 1 |
//! | row: key 216, order 29, class and kind 39, flags 2, weight 15, argument 261 | 562 | 199 |
//! | sums: rows, digest, cost | 306 | 1 |
//! | commitment: 34 permutations of 507, equality | 17 239 | 1 |
//!
//! That is 130 518, in a domain of 2^17; `cargo bench -p greenlight-circuit --bench prove` prints it with times and memory. A
//! character costs as many constraints as bits are needed to tell those of its set apart, and one for the length.
//!
//! # Parts
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

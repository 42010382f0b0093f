//! The setup ceremony: keys whose secrets nobody knows, as long as one contributor deleted theirs.
//!
//! The protocol is Bowe, Gabizon and Miers, "Scalable Multi-party Computation for zk-SNARK Parameters in the Random Beacon
//! Model" (2017, eprint 2017/1050), with γ = 1.
//!
//! 1. [`Powers`] of τ, with α and β: for every circuit up to a size. Each contributor multiplies all of them by own secrets.
//! 2. [`specialize`] evaluates a circuit's polynomials at τ, in the exponent: everything of its key but δ, which is 1.
//! 3. [`Phase2`]: each contributor multiplies δ by an own secret.
//!
//! A phase ends with a *beacon*, a contribution whose secrets are a slow hash of a public value that nobody could foresee
//! when the last contributor was done, such as the hash of a block to come. It takes from the last contributor the choice
//! of the result.
//!
//! A file has the newest points and one [`Contribution`] for each who had a turn: the secrets in the exponent, a proof of
//! knowing them that is bound to the [transcript](Chain::transcript) so far, and the product of all secrets so far. Since a
//! phase's points are determined by that product, and the product is checked step by step, the points in between need not be
//! kept: who verifies the last file verifies every step. Contributors publish the transcript after their turn and look for
//! it in what [`Chain::transcripts`] says of the last file.

mod chain;
mod entropy;
mod error;
mod pairing;
mod phase2;
mod powers;
mod specialize;

pub use chain::{Chain, Contribution, MAX_CONTRIBUTIONS, Origin, Part};
pub use entropy::{Beacon, ITERATIONS, MAX_ENTROPY, random};
pub use error::{CeremonyError, ChainError};
pub use phase2::{MAX_PHASE2_FILE, Phase2};
pub use powers::{MAX_POWER, MAX_POWERS_FILE, Powers};
pub use specialize::specialize;

use crate::wire::Reader;

/// A file's first six bytes.
fn read_magic(
    reader: &mut Reader<'_>,
    expected: [u8; 4],
    format: u16,
) -> Result<(), CeremonyError> {
    let found = reader.array()?;
    if found != expected {
        return Err(CeremonyError::Magic { expected, found });
    }
    let found = u16::from_be_bytes(reader.array()?);
    if found == format { Ok(()) } else { Err(CeremonyError::Format { found }) }
}

/// A file ends where its points do.
fn read_end(reader: &Reader<'_>) -> Result<(), CeremonyError> {
    match reader.rest().len() {
        0 => Ok(()),
        found => Err(CeremonyError::Trailing { found }),
    }
}

#[cfg(test)]
mod tests;

//! Why a ceremony's file is refused.

use crate::{points::PointError, r1cs::ShapeError};

/// What is wrong with a file of a ceremony.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CeremonyError {
    /// Another kind of file.
    #[error(
        "expected magic {:?}; found 0x{}",
        String::from_utf8_lossy(expected),
        hex::encode(found)
    )]
    Magic {
        /// Of the kind that was expected.
        expected: [u8; 4],
        /// The first bytes.
        found: [u8; 4],
    },
    /// A format that is not known here.
    #[error("expected format 1; found {found}")]
    Format {
        /// The format.
        found: u16,
    },
    /// A reserved byte that is not zero.
    #[error("expected a reserved byte of 0; found {found}")]
    Reserved {
        /// The byte.
        found: u8,
    },
    /// A size out of bounds.
    #[error("{what}: expected {min} to {max}; found {found}")]
    Bound {
        /// Of what.
        what: &'static str,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// What is there.
        found: u64,
    },
    /// Bytes after the end.
    #[error("expected the end of the file; found {found} bytes more")]
    Trailing {
        /// How many.
        found: usize,
    },
    /// Not points.
    #[error(transparent)]
    Point(#[from] PointError),
    /// The constraints make no circuit.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A contribution is wrong.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A list of points does not begin with the generator.
    #[error("{what}: expected the generator first")]
    Generator {
        /// Which list.
        what: &'static str,
    },
    /// The points are not those of the last contribution.
    #[error("{what}: expected what the last contribution made of it; found another point")]
    NotOfTheLast {
        /// Which point.
        what: &'static str,
    },
    /// A list of points is not what the secrets make of it.
    #[error("{what}: the points are not in the ratio that they must be in")]
    Ratio {
        /// Which points.
        what: &'static str,
    },
    /// The circuit does not fit the powers.
    #[error("powers of tau: the circuit needs 2^{needed}; found 2^{found}")]
    Power {
        /// What the circuit needs.
        needed: u32,
        /// What there is.
        found: u32,
    },
    /// A key or a phase 2 for another circuit.
    #[error(
        "circuit: expected version {expected_version}, constraints {}; found version {found_version}, constraints {}",
        hex::encode(expected),
        hex::encode(found)
    )]
    Circuit {
        /// The version that was expected.
        expected_version: u32,
        /// The version found.
        found_version: u32,
        /// The hash that was expected.
        expected: [u8; 32],
        /// The hash found.
        found: [u8; 32],
    },
    /// A phase 2 that began with other points.
    #[error("{what}: expected {}; found {}", hex::encode(expected), hex::encode(found))]
    Beginning {
        /// Which hash.
        what: &'static str,
        /// What was expected.
        expected: [u8; 32],
        /// What was found.
        found: [u8; 32],
    },
}

/// What is wrong with the contributions. They are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A contribution does not continue the one before it: one was dropped, replaced or moved.
    #[error(
        "contribution {number}: expected transcript {} before it; found {}",
        hex::encode(expected),
        hex::encode(found)
    )]
    Link {
        /// Which.
        number: usize,
        /// The transcript so far.
        expected: [u8; 32],
        /// What the contribution was made on.
        found: [u8; 32],
    },
    /// A secret is zero.
    #[error("contribution {number}: {secret} is zero")]
    Zero {
        /// Which.
        number: usize,
        /// Which secret.
        secret: &'static str,
    },
    /// The proof of knowing a secret does not hold.
    #[error("contribution {number}: no proof of knowing {secret}")]
    Knowledge {
        /// Which.
        number: usize,
        /// Which secret.
        secret: &'static str,
    },
    /// The product of all secrets so far is not the one before times the secret.
    #[error("contribution {number}: {secret} was not multiplied by the contributor's secret")]
    Product {
        /// Which.
        number: usize,
        /// Which secret.
        secret: &'static str,
    },
    /// A beacon's secret is not the slow hash of its value.
    #[error("contribution {number}: {secret} is not what the beacon gives")]
    Beacon {
        /// Which.
        number: usize,
        /// Which secret.
        secret: &'static str,
    },
    /// A contribution after the beacon.
    #[error("contribution {number}: found one after the beacon, which is the last")]
    AfterBeacon {
        /// Which.
        number: usize,
    },
    /// Not finished.
    #[error("expected a beacon as the last contribution; found none")]
    NoBeacon,
    /// Nobody but the beacon contributed: its secrets are public.
    #[error("expected a contribution before the beacon; found none")]
    NoContribution,
    /// An unknown kind of contribution.
    #[error("contribution: expected kind 0 or 1; found {found}")]
    Kind {
        /// The byte.
        found: u8,
    },
    /// Too few or too many iterations of a beacon.
    #[error("beacon: expected 2^10 to 2^40 iterations; found 2^{found}")]
    Iterations {
        /// The exponent.
        found: u8,
    },
}

//! The proving key's file.
//!
//! ```text
//!   0   4  magic "GLPK"
//!   4   2  format = 1
//!   6   1  1 for the development key, else 0
//!   7   1  zero
//!   8   4  circuit version
//!  12   4  instance variables, n
//!  16   4  witness variables, w
//!  20   4  elements of the h query, m
//!  24  32  hash of the circuit's constraints (`R1cs::hash`)
//!  56  32  SHA-256 of the bytes before and of all that follow
//!  88      verifying key: α, β, γ, δ, n points of IC
//!          β and δ in G1; queries a and b in G1 and b in G2, n + w points each; h, m points; l, w points
//! ```
//!
//! Numbers are big-endian, points in the encoding of [`crate::points`]. The hash finds damage, after which points are not
//! checked one by one. It is no protection from whoever wrote the file, and none is needed: a wrong proving key makes proofs
//! that no verifier takes.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use ark_bn254::{Bn254, G1Affine, G2Affine};
use sha2::{Digest as _, Sha256};

use super::ProvingKey;
use crate::{
    points::{self, Check, Point as _, PointError},
    wire::{Reader, write_file},
};

const MAGIC: [u8; 4] = *b"GLPK";
const FORMAT: u16 = 1;
const HEADER: usize = 88;
/// Where the hash stands in the header.
const HASHED: usize = 56;

/// The most bytes that a proving key's file may have: a circuit of 2^20 constraints has less.
pub const MAX_KEY_FILE: u64 = 1 << 30;

/// Why a file is no proving key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Too many bytes to be read at all.
    #[error("proving key: expected at most {MAX_KEY_FILE} bytes; found more")]
    TooLarge,
    /// More or fewer bytes than the header announces.
    #[error("proving key: expected {expected} bytes; found {found}")]
    Length {
        /// What it announces.
        expected: u64,
        /// What there are.
        found: u64,
    },
    /// Another kind of file.
    #[error("proving key: expected magic \"GLPK\"; found 0x{}", hex::encode(found))]
    Magic {
        /// The first bytes.
        found: [u8; 4],
    },
    /// A format that is not known here.
    #[error("proving key: expected format {FORMAT}; found {found}")]
    Format {
        /// The format.
        found: u16,
    },
    /// A flag that is neither 0 nor 1, or a reserved byte that is not zero.
    #[error("proving key: expected a development flag of 0 or 1 and a zero; found {found:?}")]
    Flags {
        /// The two bytes.
        found: [u8; 2],
    },
    /// Damaged.
    #[error(
        "proving key: expected SHA-256 {}; found {}",
        hex::encode(expected),
        hex::encode(found)
    )]
    Hash {
        /// As the file says.
        expected: [u8; 32],
        /// As its bytes give.
        found: [u8; 32],
    },
    /// Not points.
    #[error("proving key: {0}")]
    Point(#[from] PointError),
}

impl ProvingKey {
    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let points = &self.points;
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let mut body = self.verifying_key().encode();
        points::write_all(&[points.beta_g1, points.delta_g1], &mut body);
        points::write_all(&points.a_query, &mut body);
        points::write_all(&points.b_g1_query, &mut body);
        points::write_all(&points.b_g2_query, &mut body);
        points::write_all(&points.h_query, &mut body);
        points::write_all(&points.l_query, &mut body);

        let mut bytes = Vec::with_capacity(HEADER.saturating_add(body.len()));
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend([u8::from(self.development), 0]);
        bytes.extend(self.circuit_version.to_be_bytes());
        bytes.extend(count(points.vk.gamma_abc_g1.len()));
        bytes.extend(count(points.l_query.len()));
        bytes.extend(count(points.h_query.len()));
        bytes.extend(self.r1cs_hash);
        let hash = Sha256::new().chain_update(&bytes).chain_update(&body).finalize();
        bytes.extend_from_slice(&hash);
        bytes.extend(body);
        bytes
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`] unless they are exactly a key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyFileError> {
        let mut reader = Reader::new(bytes);
        let found = reader.array()?;
        if found != MAGIC {
            return Err(KeyFileError::Magic { found });
        }
        let found = u16::from_be_bytes(reader.array()?);
        if found != FORMAT {
            return Err(KeyFileError::Format { found });
        }
        let found: [u8; 2] = reader.array()?;
        let development = match found {
            [0, 0] => false,
            [1, 0] => true,
            _ => return Err(KeyFileError::Flags { found }),
        };
        let circuit_version = u32::from_be_bytes(reader.array()?);
        let [instance, witness, h] = [reader.array()?, reader.array()?, reader.array()?]
            .map(|count| usize::try_from(u32::from_be_bytes(count)).unwrap_or(usize::MAX));
        let r1cs_hash = reader.array()?;
        let expected: [u8; 32] = reader.array()?;

        let variables = instance.saturating_add(witness);
        let g1 = [instance, 3, variables, variables, h, witness];
        let g1 = g1.into_iter().fold(0, usize::saturating_add).saturating_mul(G1Affine::LEN);
        let g2 = variables.saturating_add(3).saturating_mul(G2Affine::LEN);
        let announced = HEADER.saturating_add(g1).saturating_add(g2);
        if bytes.len() != announced {
            let length = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
            let (expected, found) = (length(announced), length(bytes.len()));
            return Err(KeyFileError::Length { expected, found });
        }
        let found: [u8; 32] = Sha256::new()
            .chain_update(bytes.get(..HASHED).unwrap_or_default())
            .chain_update(reader.rest())
            .finalize()
            .into();
        if found != expected {
            return Err(KeyFileError::Hash { expected, found });
        }

        let vk = ark_groth16::VerifyingKey::<Bn254> {
            alpha_g1: reader.point(Check::Coordinates)?,
            beta_g2: reader.point(Check::Coordinates)?,
            gamma_g2: reader.point(Check::Coordinates)?,
            delta_g2: reader.point(Check::Coordinates)?,
            gamma_abc_g1: reader.points(instance, Check::Coordinates)?,
        };
        let points = ark_groth16::ProvingKey {
            vk,
            beta_g1: reader.point(Check::Coordinates)?,
            delta_g1: reader.point(Check::Coordinates)?,
            a_query: reader.points(variables, Check::Coordinates)?,
            b_g1_query: reader.points(variables, Check::Coordinates)?,
            b_g2_query: reader.points(variables, Check::Coordinates)?,
            h_query: reader.points(h, Check::Coordinates)?,
            l_query: reader.points(witness, Check::Coordinates)?,
        };
        Ok(Self { circuit_version, r1cs_hash, development, points })
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`].
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let io = |error| KeyFileError::Io { path: path.into(), error };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(io)?;
        file.take(MAX_KEY_FILE.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_KEY_FILE) {
            Self::from_bytes(&bytes)
        } else {
            Err(KeyFileError::TooLarge)
        }
    }

    /// Writes a file so that no reader ever sees half of it.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), KeyFileError> {
        write_file(path, &self.to_bytes())
            .map_err(|error| KeyFileError::Io { path: path.into(), error })
    }
}

//! A proof with all that it takes to verify it.

use ark_bn254::G1Affine;
use greenlight_artifact::Schema;

use super::{EVIDENCE_LEN, Evidence, EvidenceError, PUBLIC_INPUTS};
use crate::{
    keys::VerifyingKey,
    points::{Check, Point as _, PointError},
    wire::Reader,
};

const MAGIC: [u8; 4] = *b"GLPF";
const FORMAT: u16 = 1;
const HEADER: usize = 12;
/// α and IC in G1, β, γ and δ in G2.
const KEY: usize = G1Affine::LEN * (PUBLIC_INPUTS + 2) + 128 * 3;

/// The bytes of a proof's file.
pub const PROOF_FILE_LEN: usize = HEADER + KEY + EVIDENCE_LEN;

/// What `greenlightctl prove` writes.
///
/// ```text
///   0   4  magic "GLPF"
///   4   2  format = 1
///   6   1  1 if the key says of itself that it is the development key, else 0
///   7   1  zero
///   8   4  circuit version
///  12 896  verifying key: α, β, γ, δ, IC
/// 908 321  evidence
/// ```
///
/// The file vouches for nothing: the key's hash is to be compared with the one on chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ProofFile {
    /// The key that the proof is said to hold under.
    pub key: VerifyingKey,
    /// Statement and proof.
    pub evidence: Evidence,
}

/// Why bytes are no proof's file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// More or fewer bytes.
    #[error("proof: expected {PROOF_FILE_LEN} bytes; found {found}")]
    Length {
        /// How many.
        found: usize,
    },
    /// Another kind of file.
    #[error("proof: expected magic \"GLPF\"; found 0x{}", hex::encode(found))]
    Magic {
        /// The first bytes.
        found: [u8; 4],
    },
    /// A format that is not known here.
    #[error("proof: expected format {FORMAT}; found {found}")]
    Format {
        /// The format.
        found: u16,
    },
    /// A flag that is neither 0 nor 1, or a reserved byte that is not zero.
    #[error("proof: expected a development flag of 0 or 1 and a zero; found {found:?}")]
    Flags {
        /// The two bytes.
        found: [u8; 2],
    },
    /// The key's points are none.
    #[error("verifying key: {0}")]
    Key(#[from] PointError),
    /// The evidence is none.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl ProofFile {
    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PROOF_FILE_LEN);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend([u8::from(self.key.development), 0]);
        bytes.extend(self.key.circuit_version.to_be_bytes());
        bytes.extend(self.key.encode());
        bytes.extend(self.evidence.to_bytes());
        bytes
    }

    /// Reads a file's bytes; every point must be one of its group.
    ///
    /// # Errors
    ///
    /// [`ProofFileError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofFileError> {
        let found = bytes.len();
        let length = ProofFileError::Length { found };
        let mut reader = Reader::new(bytes);
        let magic = reader.array().map_err(|_| length.clone())?;
        if magic != MAGIC {
            return Err(ProofFileError::Magic { found: magic });
        }
        if found != PROOF_FILE_LEN {
            return Err(length);
        }
        let found = u16::from_be_bytes(reader.array()?);
        if found != FORMAT {
            return Err(ProofFileError::Format { found });
        }
        let found: [u8; 2] = reader.array()?;
        let development = match found {
            [0, 0] => false,
            [1, 0] => true,
            _ => return Err(ProofFileError::Flags { found }),
        };
        let circuit_version = u32::from_be_bytes(reader.array()?);
        let points = ark_groth16::VerifyingKey {
            alpha_g1: reader.point(Check::Full)?,
            beta_g2: reader.point(Check::Full)?,
            gamma_g2: reader.point(Check::Full)?,
            delta_g2: reader.point(Check::Full)?,
            gamma_abc_g1: reader.points(PUBLIC_INPUTS.saturating_add(1), Check::Full)?,
        };
        let key = VerifyingKey { circuit_version, development, points };
        Ok(Self { key, evidence: Evidence::from_bytes(reader.rest())? })
    }

    /// Whether the proof holds under the file's key and an engine's schema.
    ///
    /// # Errors
    ///
    /// [`EvidenceError`].
    pub fn verify(&self, schema: &Schema) -> Result<(), EvidenceError> {
        self.evidence.verify(&self.key, schema)
    }
}

//! Statements, proofs of them, and both as a verifier contract takes them.

mod file;

pub use file::{PROOF_FILE_LEN, ProofFile, ProofFileError};

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_groth16::{Groth16, prepare_verifying_key, r1cs_to_qap::LibsnarkReduction};
use ark_relations::gr1cs::SynthesisError;
use greenlight_artifact::{Commitment, Digest, MAX_ROWS, Schema};
use rand::rand_core::OsError;

use crate::{
    ceremony::random,
    keys::{ProvingKey, VerifyingKey},
    points::{Check, Point as _, PointError, from_be_bytes},
    r1cs::R1cs,
    wire::Reader,
};

/// Public inputs of the circuit, without the constant 1.
pub const PUBLIC_INPUTS: usize = 6;

/// The bytes of [`Evidence`].
pub const EVIDENCE_LEN: usize = 321;

/// What a proof says of an artifact, beside the engine whose rules it obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Keccak-256 of the bytes. The circuit does not compute it: it is the prover's claim, which its first 240 bits are bound
    /// to, and which whoever has the bytes checks.
    pub digest: Digest,
    /// The commitment to the bytes, which the circuit computes.
    pub commitment: Commitment,
    /// Rows, 1 to 200.
    pub rows: u8,
}

impl Statement {
    /// The public inputs: commitment; context; the schema word's first and last 16 bytes; engine; budget.
    ///
    /// The context is the digest's first 240 bits, then 8 bits with the number of rows. A verifier contract has one engine
    /// and folds the last four into one point when it is made.
    ///
    /// # Errors
    ///
    /// [`EvidenceError`] where the rows are not 1 to 200 or the commitment is no field element.
    pub fn public_inputs(&self, schema: &Schema) -> Result<[Fr; PUBLIC_INPUTS], EvidenceError> {
        if !(1..=MAX_ROWS).contains(&usize::from(self.rows)) {
            return Err(EvidenceError::Rows { found: self.rows });
        }
        let commitment = from_be_bytes(&self.commitment.0)
            .ok_or(EvidenceError::Commitment { found: self.commitment })?;
        let [context, high, low, engine, budget] = inputs_behind(&self.digest, self.rows, schema);
        Ok([commitment, context, high, low, engine, budget])
    }
}

/// The public inputs behind the commitment.
pub(crate) fn inputs_behind(digest: &Digest, rows: u8, schema: &Schema) -> [Fr; PUBLIC_INPUTS - 1] {
    let word = u256(schema.word);
    [
        context(digest, rows),
        Fr::from(word.0),
        Fr::from(word.1),
        Fr::from(schema.engine),
        Fr::from(schema.budget),
    ]
}

/// The digest's first 240 bits and the number of rows as one field element.
#[must_use]
fn context(digest: &Digest, rows: u8) -> Fr {
    let mut bytes = [0; 32];
    let [_, rest @ .., last] = &mut bytes;
    for (byte, digest) in rest.iter_mut().zip(digest.0) {
        *byte = digest;
    }
    *last = rows;
    // 248 bits are below the modulus.
    from_be_bytes(&bytes).unwrap_or_default()
}

/// The halves of a word.
fn u256(word: [u8; 32]) -> (u128, u128) {
    let half = |bytes: Option<&[u8; 16]>| u128::from_be_bytes(bytes.copied().unwrap_or_default());
    (half(word.first_chunk()), half(word.last_chunk()))
}

/// A Groth16 proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof(pub ark_groth16::Proof<Bn254>);

/// Why no proof is made.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The key is for other constraints.
    #[error(
        "proving key: expected one for constraints {}; found one for {}",
        hex::encode(expected),
        hex::encode(found)
    )]
    Key {
        /// Hash of the constraints.
        expected: [u8; 32],
        /// Hash of the constraints that the key is for.
        found: [u8; 32],
    },
    /// Values for more or fewer variables than there are.
    #[error("assignment: expected {expected} values; found {found}")]
    Assignment {
        /// Variables.
        expected: usize,
        /// Values.
        found: usize,
    },
    /// What is to be proven is not true.
    #[error("assignment: constraint {constraint} is not satisfied")]
    Unsatisfied {
        /// The first such constraint.
        constraint: usize,
    },
    /// The operating system gives no randomness.
    #[error("prover: {0}")]
    Random(OsError),
    /// The domain is too large.
    #[error("prover: {0}")]
    Synthesis(SynthesisError),
}

/// Proves that an assignment satisfies the constraints, with random blinding: the proof says nothing of the witness. What
/// does not satisfy them gives a proof that no verifier takes, so it is refused here.
///
/// # Errors
///
/// [`ProveError`].
pub fn prove(key: &ProvingKey, r1cs: &R1cs, assignment: &[Fr]) -> Result<Proof, ProveError> {
    let (expected, found) = (r1cs.hash(), key.r1cs_hash);
    if expected != found {
        return Err(ProveError::Key { expected, found });
    }
    let (expected, found) = (r1cs.num_variables(), assignment.len());
    if expected != found {
        return Err(ProveError::Assignment { expected, found });
    }
    r1cs.satisfied(assignment).map_err(|constraint| ProveError::Unsatisfied { constraint })?;
    let blinding = random::<2>(&[]).map_err(ProveError::Random)?;
    let [r, s] = *blinding;
    Groth16::<Bn254, LibsnarkReduction>::create_proof_with_reduction_and_matrices(
        &key.points,
        r,
        s,
        &r1cs.matrices,
        r1cs.num_instance,
        r1cs.num_constraints(),
        assignment,
    )
    .map(Proof)
    .map_err(ProveError::Synthesis)
}

/// Whether a proof holds for public inputs.
///
/// # Errors
///
/// [`EvidenceError::Refused`] if not; [`EvidenceError::Inputs`] where the key takes another number of inputs.
pub fn verify(key: &VerifyingKey, inputs: &[Fr], proof: &Proof) -> Result<(), EvidenceError> {
    let (expected, found) = (key.public_inputs(), inputs.len());
    if expected != found {
        return Err(EvidenceError::Inputs { expected, found });
    }
    let prepared = prepare_verifying_key(&key.points);
    match Groth16::<Bn254, LibsnarkReduction>::verify_proof(&prepared, &proof.0, inputs) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(EvidenceError::Refused),
    }
}

/// A statement and its proof, as `Groth16Verifier.sol` takes them.
///
/// ```text
///   0  32  digest
///  32  32  commitment
///  64   1  rows
///  65 256  A in G1, B in G2, C in G1, in the encoding of `points`
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// What is proven.
    pub statement: Statement,
    /// The proof.
    pub proof: Proof,
}

/// Why evidence proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// More or fewer bytes.
    #[error("evidence: expected {EVIDENCE_LEN} bytes; found {found}")]
    Length {
        /// How many.
        found: usize,
    },
    /// A number of rows that no artifact has.
    #[error("evidence: expected 1 to {MAX_ROWS} rows; found {found}")]
    Rows {
        /// The number.
        found: u8,
    },
    /// A commitment that a smaller one is congruent to.
    #[error(
        "evidence: expected a commitment below the order of BN254's scalar field; found {found}"
    )]
    Commitment {
        /// The commitment.
        found: Commitment,
    },
    /// The proof's points are none.
    #[error("proof: {0}")]
    Point(#[from] PointError),
    /// The key is for another circuit.
    #[error("verifying key: expected {expected} public inputs; found {found}")]
    Inputs {
        /// Of the key.
        expected: usize,
        /// Of the statement.
        found: usize,
    },
    /// The proof does not hold for the statement.
    #[error("proof: it does not hold for this statement under this key")]
    Refused,
}

impl Evidence {
    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { statement, proof: Proof(proof) } = self;
        let mut bytes = Vec::with_capacity(EVIDENCE_LEN);
        bytes.extend(statement.digest.0);
        bytes.extend(statement.commitment.0);
        bytes.push(statement.rows);
        proof.a.write(&mut bytes);
        proof.b.write(&mut bytes);
        proof.c.write(&mut bytes);
        bytes
    }

    /// Reads the bytes: a statement that is one, and points of their groups.
    ///
    /// # Errors
    ///
    /// [`EvidenceError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EvidenceError> {
        if bytes.len() != EVIDENCE_LEN {
            return Err(EvidenceError::Length { found: bytes.len() });
        }
        let mut reader = Reader::new(bytes);
        let digest = Digest(reader.array()?);
        let commitment = Commitment(reader.array()?);
        let [rows] = reader.array()?;
        let statement = Statement { digest, commitment, rows };
        statement.public_inputs(&Schema::ENGINE_1)?;
        let proof = ark_groth16::Proof {
            a: reader.point::<G1Affine>(Check::Full)?,
            b: reader.point::<G2Affine>(Check::Full)?,
            c: reader.point::<G1Affine>(Check::Full)?,
        };
        Ok(Self { statement, proof: Proof(proof) })
    }

    /// Whether the proof holds for the statement under a key and an engine's schema.
    ///
    /// # Errors
    ///
    /// [`EvidenceError`].
    pub fn verify(&self, key: &VerifyingKey, schema: &Schema) -> Result<(), EvidenceError> {
        verify(key, &self.statement.public_inputs(schema)?, &self.proof)
    }
}

#[cfg(test)]
mod tests;

//! `greenlightctl prove` and `verify`: proofs that an artifact obeys every invariant, made and checked here.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, Bytes},
};
use greenlight_artifact::{Commitment, Digest, Schema, ValidArtifact};
use greenlight_circuit::{
    AssignError, CIRCUIT_VERSION, assign,
    keys::{KeyFileError, ProvingKey, VerifyingKey, cache_directory, cached_development},
    proof::{
        Evidence, EvidenceError, PROOF_FILE_LEN, ProofFile, ProofFileError, ProveError, Statement,
    },
    r1cs,
    r1cs::ShapeError,
    statement,
};
use serde::Serialize;

use crate::{
    abi::IGroth16Verifier as Abi,
    error::{ChainError, Error},
    files,
    registry::Registry,
    report::{Report, progress},
};

/// Why there is no proof, or none that a verifier takes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofError {
    #[error(transparent)]
    Key(#[from] KeyFileError),
    #[error("proving key: expected one for circuit version {expected}; found {found}")]
    CircuitVersion { expected: u32, found: u32 },
    #[error("the circuit's development key: {0}")]
    Shape(#[from] ShapeError),
    #[error("the circuit cannot prove it: {0}")]
    Unprovable(AssignError),
    #[error(transparent)]
    Prove(#[from] ProveError),
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: ProofFileError },
    #[error("{}: the proof is of another artifact: expected {what} {expected}; found {found}", path.display())]
    OtherArtifact { path: PathBuf, what: &'static str, expected: String, found: String },
    #[error("{}: {error}", path.display())]
    Refused { path: PathBuf, error: EvidenceError },
    #[error(
        "verifier {verifier}: expected {what} {expected}, for which the proof was made; found {found}"
    )]
    Verifier { verifier: Address, what: &'static str, expected: String, found: String },
    #[error(
        "no active verifier takes proofs under key {key_hash} for engine {engine}; found {found:?}"
    )]
    NoVerifier { key_hash: B256, engine: u32, found: Vec<Address> },
    #[error("the blob cannot be made: {problem}")]
    Blob { problem: String },
}

impl ProofError {
    /// The stable name of the problem.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Key(_) => "proving-key",
            Self::CircuitVersion { .. } => "circuit-version",
            Self::Shape(_) | Self::Prove(_) => "prover",
            Self::Unprovable(_) => "unprovable",
            Self::File { .. } => "proof-file",
            Self::OtherArtifact { .. } => "proof-of-another-artifact",
            Self::Refused { .. } => "proof-refused",
            Self::Verifier { .. } => "verifier-differs",
            Self::NoVerifier { .. } => "no-verifier",
            Self::Blob { .. } => "blob",
        }
    }
}

/// Proves the artifact in `file`, under the development key unless another is given.
pub(crate) fn prove(file: &Path, key: Option<&Path>, out: &Path) -> Result<Report, Error> {
    let artifact = files::artifact(file)?;
    let schema = schema(&artifact);
    let key = proving_key(key)?;
    let assignment = assign(&artifact, schema).map_err(ProofError::Unprovable)?;
    let proof =
        greenlight_circuit::proof::prove(&key, r1cs(), &assignment).map_err(ProofError::Prove)?;
    let statement = statement(&artifact);
    let file = ProofFile { key: key.verifying_key(), evidence: Evidence { statement, proof } };
    file.verify(schema).map_err(|error| ProofError::Refused { path: out.into(), error })?;
    files::write_bytes(out, &file.to_bytes())?;
    Ok(Report::of(&Proven::new(&file, Some(out))))
}

/// Checks a proof of the artifact in `file`, without a chain.
pub(crate) fn verify(file: &Path, proof: &Path) -> Result<Report, Error> {
    let artifact = files::artifact(file)?;
    let proof = read(proof, &artifact)?;
    Ok(Report::of(&Proven::new(&proof, None)))
}

/// Reads a proof, and makes sure that it is of this artifact and holds.
pub(crate) fn read(path: &Path, artifact: &ValidArtifact) -> Result<ProofFile, Error> {
    let max = u64::try_from(PROOF_FILE_LEN).unwrap_or(u64::MAX);
    let proof = ProofFile::from_bytes(&files::read_capped(path, max)?)
        .map_err(|error| ProofError::File { path: path.into(), error })?;
    let (expected, found) = (statement(artifact), proof.evidence.statement);
    let differs = |what, expected: String, found: String| {
        if expected == found {
            return Ok(());
        }
        Err(ProofError::OtherArtifact { path: path.into(), what, expected, found })
    };
    differs("digest", expected.digest.to_string(), found.digest.to_string())?;
    differs("commitment", expected.commitment.to_string(), found.commitment.to_string())?;
    differs("rows", expected.rows.to_string(), found.rows.to_string())?;
    proof
        .verify(schema(artifact))
        .map_err(|error| ProofError::Refused { path: path.into(), error })?;
    Ok(proof)
}

/// The verifier that takes a proof: the one named, if it is for the proof's key and engine, or else the active one that is.
pub(crate) async fn verifier(
    registry: &Registry,
    named: Option<Address>,
    proof: &ProofFile,
    artifact: &ValidArtifact,
) -> Result<Address, Error> {
    let schema = schema(artifact);
    if let Some(verifier) = named {
        return match matches(registry, verifier, &proof.key, schema).await {
            Ok(Ok(())) => Ok(verifier),
            Ok(Err(differs)) => Err(differs.into()),
            Err(ChainError::Refused { .. } | ChainError::Answer { .. }) => {
                let expected = B256::from(proof.key.hash()).to_string();
                let (what, found) = ("key hash", "a verifier that takes no such proofs".into());
                Err(ProofError::Verifier { verifier, what, expected, found }.into())
            }
            Err(error) => Err(error.into()),
        };
    }
    let active = registry.active_verifiers().await?;
    for verifier in &active {
        match matches(registry, *verifier, &proof.key, schema).await {
            Ok(Ok(())) => return Ok(*verifier),
            // Of another key, or of a route that has none.
            Ok(Err(_)) | Err(ChainError::Refused { .. } | ChainError::Answer { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let (key_hash, engine) = (proof.key.hash().into(), schema.engine);
    Err(ProofError::NoVerifier { key_hash, engine, found: active }.into())
}

/// Whether a verifier takes proofs under a key for an engine's rules.
async fn matches(
    registry: &Registry,
    verifier: Address,
    key: &VerifyingKey,
    schema: &Schema,
) -> Result<Result<(), ProofError>, ChainError> {
    let (chain, block) = (&registry.chain, BlockId::latest());
    let hash = chain.view(verifier, &Abi::KEY_HASHCall {}, block).await?;
    let version = chain.view(verifier, &Abi::CIRCUIT_VERSIONCall {}, block).await?;
    let engine = chain.view(verifier, &Abi::engineCall {}, block).await?;
    let word = chain.view(verifier, &Abi::schemaCall {}, block).await?;
    let budget = chain.view(verifier, &Abi::budgetCall {}, block).await?;
    let fields = [
        ("circuit version", key.circuit_version.to_string(), version.to_string()),
        ("key hash", B256::from(key.hash()).to_string(), hash.to_string()),
        ("engine", schema.engine.to_string(), engine.to_string()),
        ("schema", B256::from(schema.word).to_string(), word.to_string()),
        ("budget", schema.budget.to_string(), budget.to_string()),
    ];
    Ok(fields.into_iter().try_for_each(|(what, expected, found)| {
        if expected == found {
            Ok(())
        } else {
            Err(ProofError::Verifier { verifier, what, expected, found })
        }
    }))
}

/// The evidence for the verifier contract.
pub(crate) fn evidence(proof: &ProofFile) -> Bytes {
    proof.evidence.to_bytes().into()
}

fn proving_key(path: Option<&Path>) -> Result<ProvingKey, ProofError> {
    let Some(path) = path else {
        progress(
            "DEVELOPMENT KEY: anyone can forge proofs under it, and only a local chain takes them; \
             --proving-key FILE for another. Deriving it takes a while the first time.",
        );
        return Ok(cached_development(r1cs(), CIRCUIT_VERSION, &cache_directory())?);
    };
    let key = ProvingKey::load(path)?;
    if key.circuit_version != CIRCUIT_VERSION {
        let (expected, found) = (CIRCUIT_VERSION, key.circuit_version);
        return Err(ProofError::CircuitVersion { expected, found });
    }
    Ok(key)
}

fn schema(artifact: &ValidArtifact) -> &'static Schema {
    // It was checked against one of these.
    let engine = artifact.header().engine;
    files::SCHEMAS.iter().find(|schema| schema.engine == engine).unwrap_or(&Schema::ENGINE_1)
}

#[derive(Serialize)]
struct Proven {
    digest: Digest,
    commitment: String,
    rows: u8,
    circuit_version: u32,
    key_hash: B256,
    development: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<String>,
}

impl Proven {
    fn new(file: &ProofFile, out: Option<&Path>) -> Self {
        let Statement { digest, commitment: Commitment(commitment), rows } =
            file.evidence.statement;
        Self {
            digest,
            commitment: B256::from(commitment).to_string(),
            rows,
            circuit_version: file.key.circuit_version,
            key_hash: file.key.hash().into(),
            development: file.key.development,
            out: out.map(|path| path.display().to_string()),
        }
    }
}

impl fmt::Display for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "digest       {}", self.digest)?;
        writeln!(f, "commitment   {}", self.commitment)?;
        writeln!(f, "rows         {}", self.rows)?;
        writeln!(f, "circuit      version {}", self.circuit_version)?;
        write!(f, "key          {}", self.key_hash)?;
        if self.development {
            write!(f, ", for DEVELOPMENT: the proof proves nothing elsewhere")?;
        }
        if let Some(out) = &self.out {
            write!(f, "\nwritten to   {out}")?;
        }
        Ok(())
    }
}

//! `greenlightctl stage`: an artifact goes on chain, past a verifier.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use alloy::{
    eips::{
        BlockId,
        eip4844::builder::{SidecarBuilder, SimpleCoder},
        eip7594::BlobTransactionSidecarVariant,
    },
    primitives::{Address, B256, Bytes},
    sol_types::SolCall as _,
};
use clap::Args;
use greenlight_artifact::{Digest, ValidArtifact};
use greenlight_circuit::proof::ProofFile;
use serde::Serialize;

use crate::{
    abi::{IArtifactVerifier, IConfigRegistry as Abi, LocationKind, VerifierStatus},
    error::{ChainError, Error},
    files,
    proof::{self, ProofError},
    registry::Registry,
    report::Report,
    transaction::{Mined, Rehearsal, Sender, SenderArgs},
};

/// A journal and a seal have some hundreds of bytes; this is what a node still takes as one transaction.
const MAX_EVIDENCE: u64 = 120 << 10;

/// What is staged, and past whom.
#[derive(Args, Clone, Debug)]
pub(crate) struct StageArgs {
    /// The artifact.
    file: PathBuf,
    /// The verifier to stage through; without it the deployment file's or the one that is active, or with a proof the one
    /// that takes it.
    #[arg(long, value_name = "ADDRESS")]
    verifier: Option<Address>,
    /// A proof, as `prove` writes it, instead of the check of the bytes on chain.
    #[arg(long, value_name = "FILE", group = "voucher", conflicts_with = "unchecked")]
    proof: Option<PathBuf>,
    /// Evidence for a verifier of the zkVM route, as `journal` writes it.
    #[arg(
        long,
        value_name = "FILE",
        group = "voucher",
        requires = "verifier",
        conflicts_with = "unchecked"
    )]
    evidence: Option<PathBuf>,
    /// Put the bytes into a blob (EIP-4844), which the network keeps for some 18 days.
    #[arg(long, requires = "voucher")]
    blob: bool,
}

/// What is to be staged.
pub(crate) struct Content {
    bytes: Bytes,
    voucher: Voucher,
    /// The verifier that was asked for.
    verifier: Option<Address>,
    /// Where the bytes go, if not into the calldata.
    blob: Option<Blob>,
}

/// What speaks for an artifact.
enum Voucher {
    /// Its bytes, which are checked on chain.
    Bytes,
    /// A proof, which is checked here, and then on chain.
    Proof(Box<(ValidArtifact, ProofFile)>),
    /// What only the contract can judge, and where it lies.
    Evidence(PathBuf, Bytes),
}

/// The blob that holds an artifact.
pub(crate) struct Blob {
    artifact: ValidArtifact,
    pub(crate) versioned_hash: B256,
    pub(crate) sidecar: BlobTransactionSidecarVariant,
}

impl StageArgs {
    /// Reads the artifact and what speaks for it; unchecked, whatever bytes there are.
    pub(crate) fn read(&self, unchecked: bool) -> Result<Content, Error> {
        let verifier = self.verifier;
        if unchecked {
            let bytes = files::unchecked(&self.file)?.into();
            return Ok(Content { bytes, voucher: Voucher::Bytes, verifier, blob: None });
        }
        let artifact = files::artifact(&self.file)?;
        let blob = self.blob.then(|| Blob::of(artifact.clone())).transpose()?;
        let bytes = artifact.bytes().to_vec().into();
        let voucher = match (&self.proof, &self.evidence) {
            (Some(path), _) => {
                let proof = proof::read(path, &artifact)?;
                Voucher::Proof(Box::new((artifact, proof)))
            }
            (None, Some(path)) => {
                Voucher::Evidence(path.clone(), files::read_capped(path, MAX_EVIDENCE)?.into())
            }
            (None, None) => Voucher::Bytes,
        };
        Ok(Content { bytes, voucher, verifier, blob })
    }
}

impl Content {
    /// The call that stages it.
    pub(crate) async fn call(&self, registry: &Registry) -> Result<Bytes, Error> {
        let verifier = match (&self.voucher, self.verifier) {
            (Voucher::Proof(proven), chosen) => {
                let (artifact, proof) = proven.as_ref();
                proof::verifier(registry, chosen, proof, artifact).await?
            }
            (_, Some(verifier)) => verifier,
            (_, None) => registry.verifier().await?,
        };
        let evidence = match &self.voucher {
            Voucher::Bytes => Bytes::new(),
            Voucher::Proof(proven) => proof::evidence(&proven.1),
            Voucher::Evidence(path, evidence) => {
                if let Some(blob) = &self.blob {
                    blob.expect_vouched_for(registry, verifier, evidence, path).await?;
                }
                evidence.clone()
            }
        };
        let call = match &self.blob {
            None => {
                let artifact = self.bytes.clone();
                Abi::stageCall { verifier, artifact, evidence }.abi_encode()
            }
            Some(Blob { versioned_hash, .. }) => Abi::stageBlobCall {
                verifier,
                evidence,
                blobIndex: Default::default(),
                versionedHash: *versioned_hash,
            }
            .abi_encode(),
        };
        Ok(call.into())
    }
}

impl Blob {
    /// The blob of an artifact's bytes, the same wherever it is made.
    pub(crate) fn of(artifact: ValidArtifact) -> Result<Self, ProofError> {
        let fail = |problem: String| ProofError::Blob { problem };
        let sidecar = SidecarBuilder::<SimpleCoder>::from_slice(artifact.bytes())
            .build_7594()
            .map_err(|error| fail(error.to_string()))?;
        let versioned_hash =
            sidecar.versioned_hashes().next().ok_or_else(|| fail("it has no blob".into()))?;
        let sidecar = BlobTransactionSidecarVariant::Eip7594(sidecar);
        Ok(Self { artifact, versioned_hash, sidecar })
    }

    /// That a verifier, which cannot see the blob, vouches by the evidence at `path` for what is in it. One that is not active
    /// is the registry's to refuse.
    pub(crate) async fn expect_vouched_for(
        &self,
        registry: &Registry,
        verifier: Address,
        evidence: &Bytes,
        path: &Path,
    ) -> Result<(), Error> {
        let (chain, block) = (&registry.chain, BlockId::latest());
        let status = Abi::verifierStatusCall { verifier };
        if chain.view(registry.address, &status, block).await? != VerifierStatus::Active {
            return Ok(());
        }
        let question =
            IArtifactVerifier::verifyCall { artifact: Bytes::new(), evidence: evidence.clone() };
        let found = chain.view(verifier, &question, block).await?;
        let (bytes, header) = (self.artifact.bytes(), self.artifact.header());
        let committed = match found.commitment {
            B256::ZERO => B256::ZERO,
            _ => self.artifact.commitment().0.into(),
        };
        let fields = [
            ("digest", Digest::of(bytes).to_string(), Digest(found.digest.0).to_string()),
            ("commitment", committed.to_string(), found.commitment.to_string()),
            ("engine", header.engine.to_string(), found.engine.to_string()),
            ("size", bytes.len().to_string(), found.size.to_string()),
            ("rows", self.artifact.rows().len().to_string(), found.rows.to_string()),
        ];
        let other = fields.into_iter().find(|(_, expected, found)| expected != found);
        other.map_or(Ok(()), |(what, expected, found)| {
            Err(ProofError::OtherArtifact { path: path.into(), what, expected, found }.into())
        })
    }
}

/// Stages the artifact, unchecked whatever its bytes are.
pub(crate) async fn run(
    stage: &StageArgs,
    unchecked: bool,
    sender: &SenderArgs,
) -> Result<Report, Error> {
    let content = stage.read(unchecked)?;
    let mut sender = sender.connect().await?;
    let data = content.call(&sender.registry).await?;
    if let Some(blob) = content.blob {
        sender = sender.carrying(blob.sidecar);
    }
    send(&sender, data, if unchecked { Rehearsal::None } else { Rehearsal::First }).await
}

/// Makes the call that stages, and reports on what it staged.
pub(crate) async fn send(
    sender: &Sender,
    data: Bytes,
    rehearsal: Rehearsal,
) -> Result<Report, Error> {
    let registry = &sender.registry;
    match sender.send(registry.address, data.clone(), rehearsal).await {
        Ok(transaction) => report(registry, transaction),
        Err(error) => Err(registry.explain(error, &data).await),
    }
}

/// What a transaction staged.
pub(crate) fn report(registry: &Registry, transaction: Mined) -> Result<Report, Error> {
    let staged = transaction
        .events(registry.address)
        .find_map(|event| match event {
            Abi::IConfigRegistryEvents::Staged(staged) => Some(staged),
            _ => None,
        })
        .ok_or_else(|| ChainError::NoEvent { event: "Staged", hash: transaction.hash })?;
    let Abi::Staged { id, digest, verifier, engine, size, rows, locationKind, location, .. } =
        staged;
    let versioned_hash = (locationKind == LocationKind::Blob).then(|| B256::from(location));
    Ok(Report::of(&Staged {
        id,
        digest: Digest(digest.0),
        verifier,
        engine,
        size,
        rows,
        versioned_hash,
        transaction,
    }))
}

#[derive(Serialize)]
struct Staged {
    id: u32,
    digest: Digest,
    verifier: Address,
    engine: u32,
    size: u16,
    rows: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    versioned_hash: Option<B256>,
    transaction: Mined,
}

impl fmt::Display for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "staged       as id {}", self.id)?;
        writeln!(f, "digest       {}", self.digest)?;
        writeln!(f, "rows         {} in {} bytes", self.rows, self.size)?;
        if let Some(hash) = self.versioned_hash {
            writeln!(f, "blob         {hash}")?;
        }
        writeln!(f, "verifier     {}", self.verifier)?;
        write!(f, "transaction  {}", self.transaction)
    }
}

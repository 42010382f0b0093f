//! `greenlightctl stage`: an artifact goes on chain, past a verifier.

use std::{fmt, path::PathBuf};

use alloy::{
    eips::{
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
    abi::{IConfigRegistry as Abi, LocationKind},
    error::{ChainError, Error},
    files,
    proof::{self, ProofError},
    registry::Registry,
    report::Report,
    transaction::{Mined, Rehearsal, Sender, SenderArgs},
};

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
    #[arg(long, value_name = "FILE", conflicts_with = "unchecked")]
    proof: Option<PathBuf>,
}

/// What speaks for an artifact.
pub(crate) enum Content {
    /// Its bytes, which are checked on chain.
    Bytes(Bytes),
    /// A proof, which is checked here, and then on chain.
    Proven(Box<(ValidArtifact, ProofFile)>),
}

impl StageArgs {
    /// Reads the artifact; unchecked, whatever bytes there are.
    pub(crate) fn read(&self, unchecked: bool) -> Result<Content, Error> {
        if unchecked {
            return Ok(Content::Bytes(files::unchecked(&self.file)?.into()));
        }
        let artifact = files::artifact(&self.file)?;
        match &self.proof {
            None => Ok(Content::Bytes(artifact.bytes().to_vec().into())),
            Some(path) => {
                let proof = proof::read(path, &artifact)?;
                Ok(Content::Proven(Box::new((artifact, proof))))
            }
        }
    }

    /// The call that stages it with its bytes.
    pub(crate) async fn call(
        &self,
        registry: &Registry,
        content: &Content,
    ) -> Result<Bytes, Error> {
        let verifier = self.verifier(registry, content).await?;
        let (artifact, evidence) = match content {
            Content::Bytes(bytes) => (bytes.clone(), Bytes::new()),
            Content::Proven(proven) => {
                let (artifact, proof) = proven.as_ref();
                (artifact.bytes().to_vec().into(), proof::evidence(proof))
            }
        };
        Ok(Abi::stageCall { verifier, artifact, evidence }.abi_encode().into())
    }

    async fn verifier(&self, registry: &Registry, content: &Content) -> Result<Address, Error> {
        match (content, self.verifier) {
            (Content::Proven(proven), chosen) => {
                let (artifact, proof) = proven.as_ref();
                proof::verifier(registry, chosen, proof, artifact).await
            }
            (Content::Bytes(_), Some(verifier)) => Ok(verifier),
            (Content::Bytes(_), None) => registry.verifier().await,
        }
    }
}

/// Stages the artifact, unchecked whatever its bytes are.
pub(crate) async fn run(
    stage: &StageArgs,
    blob: bool,
    unchecked: bool,
    sender: &SenderArgs,
) -> Result<Report, Error> {
    let content = stage.read(unchecked)?;
    let sender = sender.connect().await?;
    if let (true, Content::Proven(proven)) = (blob, &content) {
        let verifier = stage.verifier(&sender.registry, &content).await?;
        return in_a_blob(&sender, verifier, proven.as_ref()).await;
    }
    let data = stage.call(&sender.registry, &content).await?;
    send(&sender, data, if unchecked { Rehearsal::None } else { Rehearsal::First }).await
}

/// The bytes go into a blob of the transaction.
async fn in_a_blob(
    sender: &Sender,
    verifier: Address,
    (artifact, proof): &(ValidArtifact, ProofFile),
) -> Result<Report, Error> {
    let sidecar = SidecarBuilder::<SimpleCoder>::from_slice(artifact.bytes())
        .build_7594()
        .map_err(|error| ProofError::Blob { problem: error.to_string() })?;
    let sidecar = BlobTransactionSidecarVariant::Eip7594(sidecar);
    let evidence = proof::evidence(proof);
    let call = Abi::stageBlobCall { verifier, evidence, blobIndex: Default::default() };
    let (registry, data) = (&sender.registry, Bytes::from(call.abi_encode()));
    match sender.send_blobs(registry.address, data.clone(), sidecar).await {
        Ok(transaction) => report(registry, transaction),
        Err(error) => Err(registry.explain(error, &data).await),
    }
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

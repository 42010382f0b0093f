//! `greenlightctl stage`: an artifact goes on chain, past a verifier.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use alloy::{
    eips::{
        eip4844::builder::{SidecarBuilder, SimpleCoder},
        eip7594::BlobTransactionSidecarVariant,
    },
    primitives::{Address, B256, Bytes},
    sol_types::SolCall,
};
use clap::Args;
use greenlight_artifact::Digest;
use serde::Serialize;

use crate::{
    abi::{IConfigRegistry as Abi, LocationKind},
    error::{ChainError, Error},
    files,
    proof::{self, ProofError},
    report::Report,
    transaction::{Mined, Rehearsal, Sender, SenderArgs},
};

/// How the artifact gets past a verifier.
#[derive(Args, Clone, Debug)]
pub(crate) struct Route {
    /// The verifier to stage through; without it the deployment file's or the one that is active, or with a proof the one
    /// that takes it.
    #[arg(long, value_name = "ADDRESS")]
    verifier: Option<Address>,
    /// A proof, as `prove` writes it, instead of the check of the bytes on chain.
    #[arg(long, value_name = "FILE", conflicts_with = "unchecked")]
    proof: Option<PathBuf>,
    /// Put the bytes into a blob (EIP-4844), which the network keeps for some 18 days.
    #[arg(long, requires = "proof")]
    blob: bool,
    /// For drills: send any bytes, neither checked nor rehearsed, so that the contract itself refuses them.
    #[arg(long)]
    unchecked: bool,
}

/// Stages the artifact in `file`.
pub(crate) async fn run(file: &Path, route: &Route, sender: &SenderArgs) -> Result<Report, Error> {
    match &route.proof {
        Some(proof) => proven(file, proof, route, sender).await,
        None => checked(file, route, sender).await,
    }
}

/// The bytes are checked on chain.
async fn checked(file: &Path, route: &Route, sender: &SenderArgs) -> Result<Report, Error> {
    let bytes = if route.unchecked {
        files::unchecked(file)?
    } else {
        files::artifact(file)?.bytes().to_vec()
    };
    let digest = Digest::of(&bytes);
    let sender = sender.connect().await?;
    let verifier = match route.verifier {
        Some(verifier) => verifier,
        None => sender.registry.verifier().await?,
    };
    let call = Abi::stageCall { verifier, artifact: bytes.into(), evidence: Bytes::new() };
    let rehearsal = if route.unchecked { Rehearsal::None } else { Rehearsal::First };
    let sent = sender.send(sender.registry.address, call.abi_encode().into(), rehearsal).await;
    staged::<Abi::stageCall>(&sender, digest, verifier, sent).await
}

/// A proof is checked here, and then on chain.
async fn proven(
    file: &Path,
    proof: &Path,
    route: &Route,
    sender: &SenderArgs,
) -> Result<Report, Error> {
    let artifact = files::artifact(file)?;
    let digest = Digest::of(artifact.bytes());
    let proof = proof::read(proof, &artifact)?;
    let sender = sender.connect().await?;
    let verifier = proof::verifier(&sender.registry, route.verifier, &proof, &artifact).await?;
    let (registry, evidence) = (sender.registry.address, proof::evidence(&proof));
    if route.blob {
        let sidecar = SidecarBuilder::<SimpleCoder>::from_slice(artifact.bytes())
            .build_7594()
            .map_err(|error| ProofError::Blob { problem: error.to_string() })?;
        let sidecar = BlobTransactionSidecarVariant::Eip7594(sidecar);
        let call = Abi::stageBlobCall { verifier, evidence, blobIndex: Default::default() };
        let sent = sender.send_blobs(registry, call.abi_encode().into(), sidecar).await;
        staged::<Abi::stageBlobCall>(&sender, digest, verifier, sent).await
    } else {
        let artifact = artifact.bytes().to_vec().into();
        let call = Abi::stageCall { verifier, artifact, evidence };
        let sent = sender.send(registry, call.abi_encode().into(), Rehearsal::First).await;
        staged::<Abi::stageCall>(&sender, digest, verifier, sent).await
    }
}

async fn staged<C: SolCall>(
    sender: &Sender,
    digest: Digest,
    verifier: Address,
    sent: Result<Mined, Error>,
) -> Result<Report, Error> {
    let transaction = match sent {
        Ok(transaction) => transaction,
        Err(error) => return Err(sender.explain(error, C::SELECTOR, C::SIGNATURE).await),
    };
    let staged = transaction
        .events(sender.registry.address)
        .find_map(|event| match event {
            Abi::IConfigRegistryEvents::Staged(staged) => Some(staged),
            _ => None,
        })
        .ok_or_else(|| ChainError::NoEvent { event: "Staged", hash: transaction.hash })?;
    let Abi::Staged { id, engine, size, rows, locationKind, location, .. } = staged;
    let versioned_hash = (locationKind == LocationKind::Blob).then(|| B256::from(location));
    Ok(Report::of(&Staged {
        id,
        digest,
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

//! Where the registry is, and reading it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
    rpc::types::Filter,
    sol_types::{SolCall, SolEvent as _},
};
use clap::Args;
use greenlight_artifact::Digest;
use serde::{Deserialize, Serialize};

use crate::{
    abi::{
        self, Head, IAccessManaged, IConfigRegistry as Abi, LocationKind, Record, Status,
        VerifierStatus, flags,
    },
    chain::{Chain, Pin},
    cli::Target,
    error::{ChainError, Error, SetupError},
    files,
};

/// How to reach the registry.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Chain")]
pub(crate) struct RegistryArgs {
    /// JSON-RPC of the chain.
    #[arg(long, value_name = "URL", env = "GREENLIGHT_RPC", hide_env_values = true)]
    rpc: Option<String>,
    /// Address of the ConfigRegistry.
    #[arg(long, value_name = "ADDRESS", env = "GREENLIGHT_REGISTRY")]
    registry: Option<Address>,
    /// What the deployment wrote: JSON with `registry` and, if there, `chainId`, `fromBlock` and `verifier`.
    #[arg(long, value_name = "FILE", env = "GREENLIGHT_DEPLOYMENT")]
    deployment: Option<PathBuf>,
    /// How long an answer of the RPC may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    rpc_timeout: u64,
}

/// The file that the deployment script writes. What else it may say is of no concern here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deployment {
    pub(crate) registry: Option<Address>,
    /// The registry's AccessManager.
    pub(crate) manager: Option<Address>,
    verifier: Option<Address>,
    pub(crate) chain_id: Option<u64>,
    #[serde(default)]
    from_block: u64,
    /// Who holds which role, by the role's name in the plan.
    #[serde(default)]
    pub(crate) holders: BTreeMap<String, Address>,
}

impl Deployment {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        const MAX: u64 = 64 << 10;
        let problem = |problem| SetupError::Deployment { path: path.into(), problem };
        let deployment: Self = serde_json::from_slice(&files::read_capped(path, MAX)?)
            .map_err(|error| problem(error.to_string()))?;
        if deployment.registry.is_none() {
            return Err(problem("expected field `registry`; found none".into()).into());
        }
        Ok(deployment)
    }
}

/// The registry on a chain that was reached.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    pub(crate) chain: Chain,
    pub(crate) chain_id: u64,
    pub(crate) address: Address,
    /// Its AccessManager.
    pub(crate) manager: Address,
    /// No event of it is older.
    pub(crate) from_block: u64,
    verifier: Option<Address>,
}

impl RegistryArgs {
    /// Connects, and makes sure that it is the right chain and that there is a registry.
    pub(crate) async fn connect(&self) -> Result<Registry, Error> {
        let deployment = self.deployment()?;
        let address = self.registry.or(deployment.registry).ok_or(SetupError::NoRegistry)?;
        let url = self.rpc.as_deref().ok_or(SetupError::NoRpc)?;
        let chain = Chain::new(url, Duration::from_secs(self.rpc_timeout))?;
        let chain_id = chain.chain_id().await?;
        if let Some(expected) = deployment.chain_id.filter(|expected| *expected != chain_id) {
            return Err(SetupError::ChainId { expected, found: chain_id }.into());
        }
        chain.expect_contract(address, chain_id).await?;
        let manager =
            chain.view(address, &IAccessManaged::authorityCall {}, BlockId::latest()).await?;
        // The file speaks of its own registry only.
        let same = deployment.registry == Some(address);
        Ok(Registry {
            chain,
            chain_id,
            address,
            manager,
            from_block: if same { deployment.from_block } else { 0 },
            verifier: deployment.verifier.filter(|_| same),
        })
    }

    /// What the deployment file says, if there is one.
    pub(crate) fn deployment(&self) -> Result<Deployment, Error> {
        self.deployment.as_deref().map_or_else(|| Ok(Deployment::default()), Deployment::read)
    }
}

impl Registry {
    pub(crate) async fn view<C: SolCall>(
        &self,
        call: &C,
        block: BlockId,
    ) -> Result<C::Return, ChainError> {
        self.chain.view(self.address, call, block).await
    }

    pub(crate) async fn head(&self, block: BlockId) -> Result<HeadView, ChainError> {
        self.view(&Abi::headCall {}, block).await.map(|head| HeadView::from(&head))
    }

    /// The artifact staged as `id`; `None` if there is none.
    pub(crate) async fn record(
        &self,
        id: u32,
        block: BlockId,
    ) -> Result<Option<RecordView>, ChainError> {
        let record = self.view(&Abi::recordCall { id }, block).await?;
        Ok((record.status != Status::None).then(|| RecordView::new(id, &record)))
    }

    /// The id that a command line means.
    pub(crate) async fn resolve(&self, target: Target) -> Result<u32, Error> {
        match target {
            Target::Id(id) => Ok(id),
            Target::Digest(digest) => {
                match self
                    .view(&Abi::idOfCall { digest: digest.0.into() }, BlockId::latest())
                    .await?
                {
                    0 => Err(SetupError::UnknownDigest { digest }.into()),
                    id => Ok(id),
                }
            }
        }
    }

    /// Every verifier that artifacts can be staged through, in the order of their addition.
    pub(crate) async fn active_verifiers(&self) -> Result<Vec<Address>, Error> {
        let head: Pin = self.chain.latest().await?;
        let filter =
            Filter::new().address(self.address).event_signature(Abi::VerifierAdded::SIGNATURE_HASH);
        let mut active = Vec::new();
        for log in self.chain.logs(&filter, self.from_block, head.number).await? {
            let Ok(added) = Abi::VerifierAdded::decode_log(&log.inner) else { continue };
            let verifier = added.verifier;
            let status = self.view(&Abi::verifierStatusCall { verifier }, head.id()).await?;
            if status == VerifierStatus::Active {
                active.push(verifier);
            }
        }
        Ok(active)
    }

    /// The verifier to stage through: the deployment file's, or else the one that is active.
    pub(crate) async fn verifier(&self) -> Result<Address, Error> {
        if let Some(verifier) = self.verifier {
            return Ok(verifier);
        }
        let active = self.active_verifiers().await?;
        match active.as_slice() {
            [verifier] => Ok(*verifier),
            _ => Err(SetupError::Verifier { found: active }.into()),
        }
    }
}

/// The head in terms of what edges do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct HeadView {
    pub(crate) sequence: u64,
    pub(crate) killed: bool,
    pub(crate) rolled_back: bool,
    pub(crate) paused: bool,
    pub(crate) current: u32,
    pub(crate) rollback_to: u32,
    pub(crate) candidate: u32,
    pub(crate) canary_bps: u16,
    pub(crate) changed_at: u64,
}

impl From<&Head> for HeadView {
    fn from(head: &Head) -> Self {
        let set = |flag: u8| head.flags & flag != 0;
        Self {
            sequence: head.sequence,
            killed: set(flags::KILL),
            rolled_back: set(flags::ROLLBACK),
            paused: set(flags::PAUSED),
            current: head.current,
            rollback_to: head.rollbackTo,
            candidate: head.candidate,
            canary_bps: head.canaryBps,
            changed_at: head.changedAt.to::<u64>(),
        }
    }
}

impl HeadView {
    /// What an edge outside the canary slice runs; 0 for allow-all.
    pub(crate) const fn effective(&self) -> u32 {
        if self.killed {
            0
        } else if self.rolled_back {
            self.rollback_to
        } else {
            self.current
        }
    }
}

/// An artifact as the registry knows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RecordView {
    pub(crate) id: u32,
    pub(crate) digest: Digest,
    pub(crate) status: &'static str,
    pub(crate) size: u16,
    pub(crate) rows: u8,
    pub(crate) staged_at: u64,
    pub(crate) verifier: Address,
    pub(crate) location: Location,
}

/// Where an artifact's bytes are.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Location {
    /// In the data of the `ArtifactBytes` event of a block.
    Log { block: u64 },
    /// In a blob (EIP-4844).
    Blob { versioned_hash: B256 },
    /// Somewhere that this version does not know of.
    Unknown { word: U256 },
}

impl Location {
    /// What the registry says of it.
    pub(crate) fn new(kind: LocationKind, word: U256) -> Self {
        match kind {
            LocationKind::Log => Self::Log { block: word.saturating_to() },
            LocationKind::Blob => Self::Blob { versioned_hash: word.into() },
            _ => Self::Unknown { word },
        }
    }
}

impl RecordView {
    fn new(id: u32, record: &Record) -> Self {
        Self {
            id,
            digest: Digest(record.digest.0),
            status: match record.status {
                abi::Status::None => "none",
                abi::Status::Staged => "staged",
                abi::Status::Promoted => "promoted",
                abi::Status::Revoked => "revoked",
                abi::Status::__Invalid => "unknown",
            },
            size: record.size,
            rows: record.rows,
            staged_at: record.stagedAt.to::<u64>(),
            verifier: record.verifier,
            location: Location::new(record.locationKind, record.location),
        }
    }
}

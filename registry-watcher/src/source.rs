//! Where verified heads come from.

mod clock;
mod helios;
mod light_client;
mod rpc;

use std::sync::Arc;

use alloy_primitives::B256;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use clock::{HostTime, Time};
pub use helios::HeliosSource;
pub use light_client::{LightClientSettings, LightClientSource};
pub use rpc::{HeaderError, RpcSource};

pub use crate::beacon::BeaconApi;
use crate::{
    config::{Config, SourceConfig},
    machine::Ages,
    rpc::{CallError, RpcPool},
    status::SourceReport,
};

/// A block, as heads and evidence name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRef {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its Unix seconds.
    pub timestamp: u64,
}

/// A block whose state root this edge has reason to believe. Only a [`HeadSource`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHead {
    block: BlockRef,
    state_root: B256,
}

impl VerifiedHead {
    /// For tests: nothing is verified.
    #[cfg(test)]
    pub(crate) const fn of(block: BlockRef, state_root: B256) -> Self {
        Self { block, state_root }
    }

    /// The block.
    #[must_use]
    pub const fn block(&self) -> BlockRef {
        self.block
    }

    /// The root that storage proofs are checked against.
    #[must_use]
    pub const fn state_root(&self) -> B256 {
        self.state_root
    }
}

/// The two heads that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    /// The newest: kill, rollback and pause are honoured here.
    pub newest: VerifiedHead,
    /// The one deep enough to adopt from; never newer than `newest`.
    pub adoptable: VerifiedHead,
    /// How old they are.
    pub ages: Ages,
}

/// Why there are no verified heads.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No endpoint gave a header that verifies.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The checkpoint is beyond what it can vouch for.
    #[error(
        "checkpoint {checkpoint}: expected one of the last {max}; found slot {slot}, {age} old. Take the root of a recent \
         finalized block from two sources that you trust, such as /eth/v1/beacon/headers/finalized of a beacon node of \
         your own, and set source.checkpoint"
    )]
    CheckpointTooOld {
        /// Its block root.
        checkpoint: B256,
        /// Its slot.
        slot: u64,
        /// Its age, for people.
        age: String,
        /// `max_checkpoint_age`, for people.
        max: String,
    },
    /// The checkpoint is of a slot that has not come.
    #[error(
        "checkpoint {checkpoint}: expected one of slot {now}, which is the current one by this host's clock, or before; \
         found slot {slot}. Check that clock and, for a custom network, genesis_time and slot_duration"
    )]
    CheckpointFromFuture {
        /// Its block root.
        checkpoint: B256,
        /// Its slot.
        slot: u64,
        /// The current one.
        now: u64,
    },
    /// No endpoint has the checkpoint.
    #[error(
        "checkpoint {checkpoint}: expected a beacon endpoint that serves it; the last one says: {said}. Check that \
         source.checkpoint is the root of a finalized block of {network}, recent enough for the endpoints to have it, and \
         that source.beacon_urls are base URLs of beacon nodes of that network"
    )]
    CheckpointUnknown {
        /// Its block root.
        checkpoint: B256,
        /// The network's name.
        network: String,
        /// What the last endpoint answered.
        said: Box<CallError>,
    },
    /// Nothing that follows from the checkpoint has a signature that verifies.
    #[error(
        "{said}. Nothing has verified since the checkpoint: check that genesis_validators_root and the forks of \
         {network} are those of the chain"
    )]
    FirstSignature {
        /// The network's name.
        network: String,
        /// What was wrong with the last endpoint's answer.
        said: Box<CallError>,
    },
    /// A head of a time that has not come.
    #[error(
        "head of {timestamp}: expected the time of this host's clock, {now}, or before (Unix seconds). Check that clock"
    )]
    HeadFromFuture {
        /// The head's Unix seconds.
        timestamp: u64,
        /// The clock's.
        now: u64,
    },
    /// Helios has no head that it stands by: not yet, or no longer.
    #[error("expected Helios to be in sync: {0}")]
    OutOfSync(CallError),
    /// A header without an execution block has no state to prove storage under.
    #[error("header of slot {slot}: expected an execution header; found none, as before capella")]
    NoExecution {
        /// Its slot.
        slot: u64,
    },
}

impl SourceError {
    /// The stable name of the error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Call(error) => error.reason(),
            Self::CheckpointTooOld { .. } => "checkpoint-too-old",
            Self::CheckpointFromFuture { .. } => "checkpoint-from-future",
            Self::CheckpointUnknown { .. } => "checkpoint-unknown",
            Self::FirstSignature { said, .. } => said.reason(),
            Self::HeadFromFuture { .. } => "head-from-future",
            Self::OutOfSync(_) => "helios-out-of-sync",
            Self::NoExecution { .. } => "no-execution",
        }
    }
}

/// Follows a chain's head and verifies it by its own rules.
#[async_trait]
pub trait HeadSource: Send {
    /// The name of this kind of source in configuration, status and metrics.
    fn kind(&self) -> &'static str;

    /// The heads as of now.
    ///
    /// # Errors
    /// [`SourceError`] where no endpoint gave a header that verifies.
    async fn heads(&mut self) -> Result<Heads, SourceError>;

    /// Learns that storage could be proven at both heads.
    fn held(&mut self, heads: &Heads) {
        let _ = heads;
    }

    /// What there is to show of it, after the last look.
    fn report(&self) -> SourceReport;

    /// What there is to write down since it was last asked.
    fn news(&mut self) -> News {
        News::default()
    }
}

/// What a source wants written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// For the evidence.
    pub notes: Vec<Note>,
    /// What it wants back when it is opened the next time.
    pub keep: Option<String>,
}

/// A line for the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The stable name of what happened.
    pub event: &'static str,
    /// Its details.
    pub detail: String,
}

impl Note {
    /// Of an answer that did not verify.
    pub(crate) const fn of_lie(detail: String) -> Self {
        Self { event: "endpoint-refused", detail }
    }
}

#[async_trait]
impl HeadSource for Box<dyn HeadSource> {
    fn kind(&self) -> &'static str {
        self.as_ref().kind()
    }

    async fn heads(&mut self) -> Result<Heads, SourceError> {
        self.as_mut().heads().await
    }

    fn held(&mut self, heads: &Heads) {
        self.as_mut().held(heads);
    }

    fn report(&self) -> SourceReport {
        self.as_ref().report()
    }

    fn news(&mut self) -> News {
        self.as_mut().news()
    }
}

/// The configured source, before it is opened. Its clients are made once: a source is opened anew each time that the
/// watcher is started again.
#[derive(Clone, Debug)]
pub(crate) enum Upstream {
    /// Beacon nodes.
    LightClient { settings: LightClientSettings, beacon: Arc<BeaconApi> },
    /// A Helios process.
    Helios { helios: Arc<RpcPool>, chain_id: u64 },
    /// The RPCs that give proofs and bytes.
    Rpc { chain_id: u64 },
}

/// What an earlier run left for the source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    /// The number of the newest block that counted: what it must not go below.
    pub(crate) floor: u64,
    /// The last [`News::keep`].
    pub(crate) kept: Option<String>,
}

impl Upstream {
    /// The source that `config` names.
    ///
    /// # Errors
    /// What the TLS set-up said, where there is none.
    pub(crate) fn of(config: &Config) -> Result<Self, reqwest::Error> {
        Ok(match &config.source {
            SourceConfig::LightClient { network, checkpoint, beacon_urls, max_checkpoint_age } => {
                let beacon = BeaconApi::new(beacon_urls, network.preset, config.deadline)?;
                let settings = LightClientSettings {
                    network: Arc::new(network.clone()),
                    checkpoint: *checkpoint,
                    max_checkpoint_age: *max_checkpoint_age,
                    adoption: config.adoption,
                };
                Self::LightClient { settings, beacon: Arc::new(beacon) }
            }
            SourceConfig::Helios { url, chain_id } => {
                let helios = RpcPool::new(std::slice::from_ref(url), config.deadline)?;
                Self::Helios { helios: Arc::new(helios), chain_id: *chain_id }
            }
            SourceConfig::Rpc { chain_id } => Self::Rpc { chain_id: *chain_id },
        })
    }

    /// Opens it; `rpcs` are those for proofs and bytes.
    pub(crate) fn open(
        &self,
        config: &Config,
        rpcs: &Arc<RpcPool>,
        past: &Past,
    ) -> Box<dyn HeadSource> {
        let rpcs = Arc::clone(rpcs);
        let depth = config.adoption.depth().unwrap_or(0);
        match self {
            Self::LightClient { settings, beacon } => {
                let (settings, beacon) = (settings.clone(), Arc::clone(beacon));
                Box::new(LightClientSource::new(settings, beacon, rpcs, past.kept.as_deref()))
            }
            Self::Helios { helios, chain_id } => {
                Box::new(HeliosSource::new(Arc::clone(helios), *chain_id, config.adoption))
            }
            Self::Rpc { chain_id } => {
                Box::new(RpcSource::new(rpcs, *chain_id, depth).not_below(past.floor))
            }
        }
    }
}

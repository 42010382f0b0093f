//! Where verified heads come from.

mod rpc;

use std::sync::Arc;

use alloy_primitives::B256;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use rpc::{HeaderError, RpcSource};

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
}

impl SourceError {
    /// The stable name of the error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Call(error) => error.reason(),
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
}

/// Whom the configured source asks. Made once: a source is opened anew each time that the watcher is started again.
#[derive(Clone, Debug)]
pub(crate) enum Upstream {
    /// The RPCs that give proofs and bytes.
    Rpc,
    /// A Helios process.
    Helios(Arc<RpcPool>),
    /// Beacon nodes.
    Beacon,
}

impl Upstream {
    /// The clients for what is configured.
    ///
    /// # Errors
    /// What the TLS set-up said, where there is none.
    pub(crate) fn of(config: &Config) -> Result<Self, reqwest::Error> {
        Ok(match &config.source {
            SourceConfig::LightClient { .. } => Self::Beacon,
            SourceConfig::Helios { url, .. } => {
                Self::Helios(Arc::new(RpcPool::new(std::slice::from_ref(url), config.deadline)?))
            }
            SourceConfig::Rpc { .. } => Self::Rpc,
        })
    }
}

/// The source that is configured. What it must not go below is `floor`, the number of the newest block that counted.
pub(crate) fn open(
    config: &Config,
    upstream: &Upstream,
    rpcs: &Arc<RpcPool>,
    floor: u64,
) -> Box<dyn HeadSource> {
    let depth = config.adoption.depth();
    match (&config.source, upstream) {
        (SourceConfig::Helios { chain_id, .. }, Upstream::Helios(helios)) => {
            Box::new(RpcSource::new(Arc::clone(helios), *chain_id, depth.unwrap_or(0)))
        }
        (SourceConfig::Rpc { chain_id }, _) => Box::new(
            RpcSource::new(Arc::clone(rpcs), *chain_id, depth.unwrap_or(0)).not_below(floor),
        ),
        _ => Box::new(RpcSource::new(Arc::clone(rpcs), 0, 0)),
    }
}

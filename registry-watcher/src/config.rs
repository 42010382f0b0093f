use std::{path::PathBuf, time::Duration};

use alloy_primitives::{Address, B256};

use crate::light_client::Network;

/// How a watcher finds its registry and how careful it is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The registry contract.
    pub registry: Address,
    /// Where verified heads come from.
    pub source: SourceConfig,
    /// RPC endpoints for proofs and bytes, tried in this order.
    pub rpc_urls: Vec<String>,
    /// The longest time between looks at the head; each comes up to half sooner, by chance.
    pub poll: Duration,
    /// The longest that one call may take.
    pub deadline: Duration,
    /// From which head an artifact may be adopted.
    pub adoption: Adoption,
    /// The age of the newest head beyond which the source counts as stale.
    pub max_staleness: Duration,
    /// The age of the finalized head beyond which the source counts as stale, for sources that know of one.
    pub max_finality_age: Duration,
    /// What a stale source means for requests.
    pub stale_mode: StaleMode,
    /// How long an adopted artifact must run without trouble before it counts as good and is kept on disk.
    pub soak: Duration,
    /// Scorer faults of one artifact, within ten minutes, beyond which it is given up.
    pub fault_bound: u64,
    /// This edge's name: with an artifact's id it decides whether the edge is in a canary slice.
    pub edge_id: String,
    /// Where last-good artifacts and evidence are kept.
    pub state_dir: PathBuf,
}

/// Where verified heads come from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SourceConfig {
    /// Sync committees, from a checkpoint on.
    LightClient {
        /// The chain.
        network: Network,
        /// Root of a finalized beacon block, from somebody who is trusted.
        checkpoint: B256,
        /// Beacon APIs, tried in this order; none of them is believed.
        beacon_urls: Vec<String>,
        /// The age beyond which neither the checkpoint nor what was kept of an earlier run is started from.
        max_checkpoint_age: Duration,
    },
    /// A Helios process beside the edge.
    Helios {
        /// Its JSON-RPC.
        url: String,
        /// The chain that it must be on.
        chain_id: u64,
    },
    /// The RPC endpoints, on their word: development only.
    Rpc {
        /// The chain that they must be on.
        chain_id: u64,
    },
}

/// From which head an artifact may be adopted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// A finalized one.
    Finalized,
    /// One that many blocks below the newest.
    Depth(u64),
}

impl Adoption {
    /// The depth, where it is one.
    #[must_use]
    pub const fn depth(self) -> Option<u64> {
        match self {
            Self::Finalized => None,
            Self::Depth(depth) => Some(depth),
        }
    }
}

/// What an edge does while its view of the chain is too old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StaleMode {
    /// Goes on with what it runs.
    #[default]
    LastGood,
    /// Runs nothing: allows every request, unscored.
    AllowAll,
}

use std::{path::PathBuf, time::Duration};

use alloy_primitives::Address;

/// How a watcher finds its registry and how careful it is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The registry contract.
    pub registry: Address,
    /// The chain that it is on.
    pub chain_id: u64,
    /// RPC endpoints, tried in this order.
    pub rpc_urls: Vec<String>,
    /// Time between looks at the head.
    pub poll: Duration,
    /// The longest that one call may take.
    pub deadline: Duration,
    /// Blocks below the newest at which an artifact may be adopted.
    pub adoption_depth: u64,
    /// How long the head may stand still before the source counts as stale.
    pub max_staleness: Duration,
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

/// What an edge does while its view of the chain is too old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StaleMode {
    /// Goes on with what it runs.
    #[default]
    LastGood,
    /// Runs nothing: allows every request, unscored.
    AllowAll,
}

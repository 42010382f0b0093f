use std::sync::Arc;

use alloy_primitives::B256;
use serde::Serialize;
use tokio::sync::watch;

pub use crate::{
    endpoints::{ApiReport, EndpointReport},
    light_client::Participation,
};
use crate::{
    machine::{Quarantined, Running, State},
    source::BlockRef,
};

/// What the watcher knows, for people and metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// `active` or `allow-all`.
    pub mode: &'static str,
    /// Why everything is allowed; none while an artifact is active.
    pub reason: Option<&'static str>,
    /// What runs.
    pub artifact: Option<ArtifactStatus>,
    /// The artifact on its way, if there is one.
    pub pursuing: Option<u32>,
    /// The registry's sequence at the newest head.
    pub sequence: u64,
    /// The registry's orders at the newest head.
    pub head: Option<HeadStatus>,
    /// Whether the head stood still for too long.
    pub stale: bool,
    /// Whether the operator's break-glass file is there.
    pub overridden: bool,
    /// Where heads come from.
    pub source: SourceStatus,
    /// Digests that could be fallen back to, newest first.
    pub good: Vec<String>,
    /// What will not be tried again.
    pub quarantine: Vec<Quarantined>,
    /// What the state folder last could not do.
    pub store_error: Option<String>,
    /// Evidence lines that could not be written and are not yet recorded as a gap.
    pub evidence_missed: u64,
    /// Artifacts installed since start.
    pub adoptions: u64,
    /// Artifacts refused since start.
    pub refusals: u64,
    /// Times the watcher was restarted after a fault of its own.
    pub restarts: u64,
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArtifactStatus {
    /// Its number in the registry.
    pub id: u32,
    /// Its digest.
    pub digest: String,
    /// Its rows.
    pub rows: u8,
    /// `soaking` or `good`.
    pub phase: &'static str,
    /// Milliseconds since it began to run.
    pub for_ms: u64,
}

/// The newest verified head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeadStatus {
    /// The block.
    #[serde(flatten)]
    pub block: BlockRef,
    /// The block that adoption goes by.
    pub adoptable: u64,
    /// Its age in milliseconds: by its slot where the source knows of slots, else since it advanced here.
    pub age_ms: u64,
    /// The kill bit.
    pub kill: bool,
    /// The rollback bit.
    pub rollback: bool,
    /// The pause bit.
    pub paused: bool,
    /// The promoted artifact.
    pub current: u32,
    /// What a rollback goes back to.
    pub rollback_to: u32,
    /// The canary's artifact.
    pub candidate: u32,
    /// The canary's slice, in basis points.
    pub canary_bps: u16,
}

/// Where heads come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceStatus {
    /// The kind of source.
    pub kind: &'static str,
    /// Its heads.
    #[serde(flatten)]
    pub report: SourceReport,
    /// Host and port of the RPC that is asked first for proofs and bytes.
    pub rpc: Option<String>,
    /// Looks at the chain that failed, in a row.
    pub failures: u64,
    /// The stable name of the last failure; none after a success.
    pub last_reason: Option<&'static str>,
    /// The last failure; none after a success.
    pub last_error: Option<String>,
}

/// What a source has to show of its heads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    /// Host and port of the endpoint that answered last; before any did, of the one that is asked first.
    pub endpoint: Option<String>,
    /// The network, for a light client.
    pub network: Option<String>,
    /// The newest verified head; for a light client the optimistic one.
    pub newest: Option<HeadReport>,
    /// The finalized head, for sources that know of one.
    pub finalized: Option<HeadReport>,
    /// How much of the sync committee signed the newest head, for a light client.
    pub participation: Option<Participation>,
    /// The sync committee period of the finalized head, for a light client.
    pub period: Option<u64>,
    /// How those do that are asked.
    pub apis: Vec<ApiReport>,
}

/// A verified head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeadReport {
    /// Its slot, for a light client.
    pub slot: Option<u64>,
    /// Its execution block.
    #[serde(flatten)]
    pub block: BlockRef,
    /// The state root that proofs are checked against.
    pub state_root: B256,
    /// Its age in milliseconds.
    pub age_ms: u64,
}

/// Reads a watcher's status from anywhere.
#[derive(Clone, Debug)]
pub struct StatusHandle(pub(crate) watch::Receiver<Arc<Status>>);

impl StatusHandle {
    /// The status as of the watcher's last step.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Status> {
        Arc::clone(&self.0.borrow())
    }
}

impl Status {
    /// Brings what the machine decides up to date.
    pub(crate) fn follow(&mut self, state: &State, now: u64) {
        (self.mode, self.reason, self.artifact) = match &state.running {
            Running::AllowAll { why } => ("allow-all", Some(why.reason()), None),
            Running::Artifact { release, since, good, .. } => {
                let artifact = ArtifactStatus {
                    id: release.id,
                    digest: release.digest.to_string(),
                    rows: release.rows,
                    phase: if *good { "good" } else { "soaking" },
                    for_ms: now.saturating_sub(*since),
                };
                ("active", None, Some(artifact))
            }
        };
        self.pursuing = state.pursuit.as_ref().map(|pursuit| pursuit.id);
        self.sequence =
            state.view.or(state.durable.view).map_or(0, |view| view.newest.head.sequence);
        self.head = state.view.map(|view| {
            let head = view.newest.head;
            HeadStatus {
                block: view.newest.block,
                adoptable: view.adoptable.block.number,
                age_ms: now.saturating_sub(state.newest_at),
                kill: head.kill,
                rollback: head.rollback,
                paused: head.paused,
                current: head.current,
                rollback_to: head.rollback_to,
                candidate: head.candidate,
                canary_bps: head.canary_bps,
            }
        });
        self.stale = state.stale;
        self.overridden = state.overridden;
        self.good = state.good.iter().map(|release| release.digest.to_string()).collect();
        self.quarantine = state.quarantine.iter().cloned().collect();
    }
}

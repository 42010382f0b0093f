//! Why light client data is refused: one variant a rule.

use alloy_primitives::B256;

use super::{Epoch, Fork, Slot};

/// Which header a rule was broken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The bootstrap's.
    Checkpoint,
    /// The one that the committee signed.
    Attested,
    /// The one that the attested state has finalized.
    Finalized,
}

impl std::fmt::Display for Which {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Checkpoint => "checkpoint",
            Self::Attested => "attested",
            Self::Finalized => "finalized",
        })
    }
}

/// Light client data that is malformed, or not shown to be the chain's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LightClientError {
    /// The name of a fork that this version cannot read.
    #[error(
        "fork: expected altair to fulu; found {found:?}. A fork after fulu needs a newer version of greenlight"
    )]
    UnknownFork {
        /// The name, cut short.
        found: String,
    },
    /// Not the JSON that the Beacon API describes.
    #[error("{container}: expected its JSON; found {problem}")]
    Json {
        /// What was to be read.
        container: &'static str,
        /// What the parser says.
        problem: String,
    },
    /// Not the SSZ that the specification describes.
    #[error("{container}: expected its SSZ; found {problem}")]
    Ssz {
        /// What was to be read.
        container: &'static str,
        /// What the parser says.
        problem: String,
    },
    /// Decoded for a preset that is not the network's.
    #[error("sync committee size: expected {expected}; found {found}")]
    CommitteeSize {
        /// The network's.
        expected: usize,
        /// The container's.
        found: usize,
    },
    /// The container has not the shape that its header's slot calls for.
    #[error(
        "{which} header of slot {slot}: expected a container of {expected}; found one of {found}"
    )]
    ForkMismatch {
        /// Which header.
        which: Which,
        /// Its slot.
        slot: Slot,
        /// The fork at that slot.
        expected: Fork,
        /// The fork that the container was given under.
        found: Fork,
    },
    /// A header from before the first fork that has light clients.
    #[error("{which} header: expected an epoch from altair on; found epoch {epoch}")]
    BeforeAltair {
        /// Which header.
        which: Which,
        /// Its epoch.
        epoch: Epoch,
    },
    /// A header from Capella on without an execution header.
    #[error("{which} header of slot {slot}: expected an execution header; found none")]
    NoExecution {
        /// Which header.
        which: Which,
        /// Its slot.
        slot: Slot,
    },
    /// A header from before Capella with an execution header.
    #[error(
        "{which} header of slot {slot}: expected no execution header before capella; found one"
    )]
    EarlyExecution {
        /// Which header.
        which: Which,
        /// Its slot.
        slot: Slot,
    },
    /// A header from before Deneb with blob gas.
    #[error("{which} header of slot {slot}: expected no blob gas before deneb; found some")]
    EarlyBlobGas {
        /// Which header.
        which: Which,
        /// Its slot.
        slot: Slot,
    },
    /// The execution header is not in the block's body.
    #[error("{which} header, execution branch: expected body root {expected}; found {found}")]
    ExecutionBranch {
        /// Which header.
        which: Which,
        /// Body root of the beacon header.
        expected: B256,
        /// What the branch leads to.
        found: B256,
    },
    /// The bootstrap is of another block than the trusted one.
    #[error("checkpoint: expected block root {expected}; found {found}")]
    CheckpointRoot {
        /// The trusted root.
        expected: B256,
        /// Root of the bootstrap's header.
        found: B256,
    },
    /// The committee is not in the checkpoint's state.
    #[error("current sync committee branch: expected state root {expected}; found {found}")]
    CommitteeBranch {
        /// State root of the header.
        expected: B256,
        /// What the branch leads to.
        found: B256,
    },
    /// Fewer than two thirds of the committee signed.
    #[error("participation: expected at least {expected} of {of}; found {found}")]
    Participation {
        /// The least that counts.
        expected: u16,
        /// Size of the committee.
        of: u16,
        /// Signers.
        found: u16,
    },
    /// Signed in a slot that has not come.
    #[error("signature slot: expected at most the current slot {expected}; found {found}")]
    SignatureSlotFuture {
        /// The current slot.
        expected: Slot,
        /// The signature's slot.
        found: Slot,
    },
    /// Slots that do not follow on each other.
    #[error(
        "slots: expected signature > attested >= finalized; found {signature}, {attested}, {finalized}"
    )]
    SlotOrder {
        /// The signature's slot.
        signature: Slot,
        /// Slot of the attested header.
        attested: Slot,
        /// Slot of the finalized header; 0 without one.
        finalized: Slot,
    },
    /// Signed in a period whose committee the store does not know.
    #[error("signature period: expected {store} or at most {latest}; found {found}")]
    UpdatePeriod {
        /// Period of the store's finalized header.
        store: u64,
        /// The last period whose committee it knows.
        latest: u64,
        /// Period of the signature's slot.
        found: u64,
    },
    /// Says nothing that the store does not know.
    #[error(
        "attested slot: expected one after the finalized slot {expected}, or the next committee; found {found}"
    )]
    UpdateNotNewer {
        /// The store's finalized slot.
        expected: Slot,
        /// Slot of the attested header.
        found: Slot,
    },
    /// A finalized header without a branch.
    #[error("finality branch: expected one for the finalized header of slot {slot}; found none")]
    FinalizedUnproven {
        /// Slot of the header.
        slot: Slot,
    },
    /// A finalized header of slot 0, whose root in a state is zero.
    #[error("finalized header of slot 0: expected an empty one; found {found}")]
    FinalizedGenesis {
        /// Its root.
        found: B256,
    },
    /// The finalized header is not in the attested state.
    #[error("finality branch: expected state root {expected}; found {found}")]
    FinalityBranch {
        /// State root of the attested header.
        expected: B256,
        /// What the branch leads to.
        found: B256,
    },
    /// A next committee without a branch.
    #[error("next sync committee branch: expected one for committee {committee}; found none")]
    NextCommitteeUnproven {
        /// Root of the committee.
        committee: B256,
    },
    /// The next committee is not in the attested state.
    #[error("next sync committee branch: expected state root {expected}; found {found}")]
    NextCommitteeBranch {
        /// State root of the attested header.
        expected: B256,
        /// What the branch leads to.
        found: B256,
    },
    /// Another next committee than the one already known for the period.
    #[error("next sync committee: expected {expected}; found {found}")]
    NextCommitteeMismatch {
        /// Root of the known one.
        expected: B256,
        /// Root of the update's.
        found: B256,
    },
    /// A key of a committee is no valid public key.
    #[error("sync committee: expected a public key at {place}; found no point of the group")]
    CommitteeKey {
        /// Its index, or "aggregate".
        place: String,
    },
    /// The signature is no point of the group.
    #[error("signature: expected a compressed point of G2; found {problem}")]
    SignatureEncoding {
        /// What the library says.
        problem: String,
    },
    /// The signature is not the signers' over this header and domain.
    #[error("signature: expected {participants} signers' over {signing_root}; found another")]
    Signature {
        /// Signers, as the bits say.
        participants: u16,
        /// What they should have signed.
        signing_root: B256,
    },
    /// A kept store of another chain.
    #[error("kept store: expected genesis validators root {expected}; found {found}")]
    StoreNetwork {
        /// The network's.
        expected: B256,
        /// The store's.
        found: B256,
    },
    /// A kept store that this version did not write.
    #[error("kept store: expected {expected}; found {found}")]
    Store {
        /// What it should have.
        expected: String,
        /// What it has.
        found: String,
    },
}

impl LightClientError {
    /// The stable name of the error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::UnknownFork { .. } => "unknown-fork",
            Self::Json { .. } => "json",
            Self::Ssz { .. } => "ssz",
            Self::CommitteeSize { .. } => "committee-size",
            Self::ForkMismatch { .. } => "fork-mismatch",
            Self::BeforeAltair { .. } => "before-altair",
            Self::NoExecution { .. } => "no-execution",
            Self::EarlyExecution { .. } => "execution-before-capella",
            Self::EarlyBlobGas { .. } => "blob-gas-before-deneb",
            Self::ExecutionBranch { which: Which::Checkpoint, .. } => "execution-branch-checkpoint",
            Self::ExecutionBranch { which: Which::Attested, .. } => "execution-branch-attested",
            Self::ExecutionBranch { which: Which::Finalized, .. } => "execution-branch-finalized",
            Self::CheckpointRoot { .. } => "checkpoint-root",
            Self::CommitteeBranch { .. } => "committee-branch",
            Self::Participation { .. } => "participation",
            Self::SignatureSlotFuture { .. } => "signature-slot-future",
            Self::SlotOrder { .. } => "slot-order",
            Self::UpdatePeriod { .. } => "update-period",
            Self::UpdateNotNewer { .. } => "update-not-newer",
            Self::FinalizedUnproven { .. } => "finalized-unproven",
            Self::FinalizedGenesis { .. } => "finalized-genesis",
            Self::FinalityBranch { .. } => "finality-branch",
            Self::NextCommitteeUnproven { .. } => "next-committee-unproven",
            Self::NextCommitteeBranch { .. } => "next-committee-branch",
            Self::NextCommitteeMismatch { .. } => "next-committee-mismatch",
            Self::CommitteeKey { .. } => "committee-key",
            Self::SignatureEncoding { .. } => "signature-encoding",
            Self::Signature { .. } => "signature",
            Self::StoreNetwork { .. } => "store-network",
            Self::Store { .. } => "store",
        }
    }

    /// Whether an honest endpoint that lags, or a repeated answer, gives the same: it may be left unpunished.
    #[must_use]
    pub const fn is_behind(&self) -> bool {
        match self {
            Self::UpdateNotNewer { .. } => true,
            Self::UpdatePeriod { store, found, .. } => *found < *store,
            _ => false,
        }
    }

    /// Whether the store is too old for the data: the updates of the periods between have to come first.
    #[must_use]
    pub const fn is_ahead(&self) -> bool {
        matches!(self, Self::UpdatePeriod { latest, found, .. } if *found > *latest)
    }

    /// What a peer calls a fork, cut to what a log can bear.
    pub(super) fn unknown_fork(name: &str) -> Self {
        Self::UnknownFork { found: name.chars().take(32).collect() }
    }

    /// What the JSON parser says of a container.
    pub(super) fn json(container: &'static str, problem: &serde_json::Error) -> Self {
        Self::Json { container, problem: cut(&problem.to_string()) }
    }

    /// What the SSZ parser says of a container.
    pub(super) fn ssz(container: &'static str, problem: &ssz::DecodeError) -> Self {
        Self::Ssz { container, problem: cut(&format!("{problem:?}")) }
    }
}

/// A parser may quote its input.
fn cut(problem: &str) -> String {
    problem.chars().take(160).collect()
}

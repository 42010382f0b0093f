//! Decoded light client data of any fork and preset. Nothing here has been verified.

use std::sync::Arc;

use alloy_primitives::{B256, FixedBytes};
use serde::{Deserialize, Serialize};

use super::{Fork, Header, Slot, committee::Committee};

/// How many of a committee signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participation {
    /// Members that signed.
    pub voted: u16,
    /// Members in all.
    pub of: u16,
}

/// `LightClientBootstrap`: a checkpoint's header and its sync committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    pub(super) fork: Fork,
    pub(super) header: Arc<Header>,
    pub(super) committee: Arc<Committee>,
    pub(super) branch: Vec<B256>,
}

impl Bootstrap {
    /// The checkpoint's header, as claimed.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(super) fn new(fork: Fork, header: Header, committee: Committee, branch: Vec<B256>) -> Self {
        Self { fork, header: header.into(), committee: committee.into(), branch }
    }
}

/// What all updates have: a header and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    /// What the container was given under.
    pub(super) fork: Fork,
    pub(super) attested: Arc<Header>,
    pub(super) signers: Vec<bool>,
    pub(super) signature: FixedBytes<96>,
    pub(super) signature_slot: Slot,
}

/// `LightClientUpdate`; the other two kinds of update are one with less in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    pub(super) signed: Signed,
    /// `None` for `LightClientHeader()`.
    pub(super) finalized: Option<Arc<Header>>,
    pub(super) finality_branch: Vec<B256>,
    /// `None` for `SyncCommittee()`.
    pub(super) next_committee: Option<Arc<Committee>>,
    pub(super) next_committee_branch: Vec<B256>,
}

impl Update {
    /// The header that the committee signed.
    #[must_use]
    pub fn attested(&self) -> &Header {
        &self.signed.attested
    }

    /// The header that the attested state has finalized. `None` also where that is genesis.
    #[must_use]
    pub fn finalized(&self) -> Option<&Header> {
        self.finalized.as_deref()
    }

    /// The slot whose block carries the signature.
    #[must_use]
    pub const fn signature_slot(&self) -> Slot {
        self.signed.signature_slot
    }

    /// How many are said to have signed.
    #[must_use]
    pub fn participation(&self) -> Participation {
        let count = |number| u16::try_from(number).unwrap_or(u16::MAX);
        Participation {
            voted: count(self.signed.signers.iter().filter(|signed| **signed).count()),
            of: count(self.signed.signers.len()),
        }
    }

    /// `is_sync_committee_update` (altair, light-client/sync-protocol.md).
    #[must_use]
    pub fn has_next_sync_committee(&self) -> bool {
        is_branch(&self.next_committee_branch)
    }

    /// `is_finality_update` (altair, light-client/sync-protocol.md).
    #[must_use]
    pub fn has_finality(&self) -> bool {
        is_branch(&self.finality_branch)
    }

    pub(super) fn finalized_slot(&self) -> Slot {
        self.finalized().map_or(0, Header::slot)
    }

    pub(super) const fn optimistic(signed: Signed) -> Self {
        Self {
            signed,
            finalized: None,
            finality_branch: Vec::new(),
            next_committee: None,
            next_committee_branch: Vec::new(),
        }
    }

    pub(super) fn with_finalized(mut self, header: Header, branch: Vec<B256>) -> Self {
        self.finalized = (!header.is_empty()).then(|| header.into());
        self.finality_branch = branch;
        self
    }

    pub(super) fn with_next_committee(mut self, committee: Committee, branch: Vec<B256>) -> Self {
        self.next_committee = (!committee.is_empty()).then(|| committee.into());
        self.next_committee_branch = branch;
        self
    }
}

/// Zeros stand for no branch.
fn is_branch(nodes: &[B256]) -> bool {
    nodes.iter().any(|node| !node.is_zero())
}

/// `LightClientFinalityUpdate`: an [`Update`] without a next committee, as `process_light_client_finality_update` makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalityUpdate(pub(super) Update);

/// `LightClientOptimisticUpdate`: an [`Update`] without finality, as `process_light_client_optimistic_update` makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptimisticUpdate(pub(super) Update);

impl AsRef<Update> for FinalityUpdate {
    fn as_ref(&self) -> &Update {
        &self.0
    }
}

impl AsRef<Update> for OptimisticUpdate {
    fn as_ref(&self) -> &Update {
        &self.0
    }
}

impl From<FinalityUpdate> for Update {
    fn from(update: FinalityUpdate) -> Self {
        update.0
    }
}

impl From<OptimisticUpdate> for Update {
    fn from(update: OptimisticUpdate) -> Self {
        update.0
    }
}

//! What the client believes, and how it is kept over a restart.

use std::sync::Arc;

use alloy_primitives::{B256, FixedBytes};
use serde::{Deserialize, Serialize};

use super::{
    BeaconBlockHeader, ExecutionPayloadHeader, Header, LightClientError, Network, Participation,
    Update, Which, committee::Committee,
};

/// `LightClientStore` (altair, light-client/sync-protocol.md): the only place that verified headers come from.
///
/// Cheap to clone: what is big is shared. It has no form of its own for each fork, so that `upgrade_lc_store_to_…` of
/// fork.md has nothing to do here. Of the specification's fields, `previous_max_active_participants` and
/// `current_max_active_participants` are missing: they make the safety threshold of an optimistic header, at most half
/// of the committee, and here every header takes two thirds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub(super) network: Arc<Network>,
    pub(super) finalized: Arc<Header>,
    pub(super) optimistic: Arc<Header>,
    pub(super) current_committee: Arc<Committee>,
    pub(super) next_committee: Option<Arc<Committee>>,
    pub(super) best_valid_update: Option<Arc<Update>>,
    pub(super) participation: Option<Participation>,
}

impl Store {
    /// The chain that it follows.
    #[must_use]
    pub const fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The newest header that is finalized: no honest chain goes on without it.
    #[must_use]
    pub fn finalized(&self) -> &Header {
        &self.finalized
    }

    /// The newest header that two thirds of a committee signed; a reorganisation may leave it behind.
    #[must_use]
    pub fn optimistic(&self) -> &Header {
        &self.optimistic
    }

    /// Sync committee period of the finalized header.
    #[must_use]
    pub fn period(&self) -> u64 {
        self.network.period_of(self.finalized.slot())
    }

    /// `is_next_sync_committee_known` (altair, light-client/sync-protocol.md): whether signatures of the next period can be
    /// checked.
    #[must_use]
    pub const fn knows_next_sync_committee(&self) -> bool {
        self.next_committee.is_some()
    }

    /// Participation in the signature that brought the optimistic header; `None` for the checkpoint's.
    #[must_use]
    pub const fn participation(&self) -> Option<Participation> {
        self.participation
    }

    /// Its JSON for [`from_json`](Self::from_json): about 100 kB on the mainnet preset. The candidate of a forced update is
    /// not kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        let kept = Kept {
            version: VERSION,
            genesis_validators_root: self.network.genesis_validators_root,
            finalized: KeptHeader::from(&*self.finalized),
            optimistic: KeptHeader::from(&*self.optimistic),
            current_committee: KeptCommittee::from(&*self.current_committee),
            next_committee: self.next_committee.as_deref().map(KeptCommittee::from),
            participation: self.participation,
        };
        // Maps with keys that are no text are all that can fail here, and there are none.
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// Reads back what [`to_json`](Self::to_json) wrote. The file is believed as far as it cannot be checked: whoever keeps
    /// it seals it.
    ///
    /// # Errors
    /// [`LightClientError::StoreNetwork`] for a store of another chain, [`LightClientError::Json`],
    /// [`LightClientError::Store`], or what is wrong with one of its headers.
    pub fn from_json(network: Arc<Network>, json: &str) -> Result<Self, LightClientError> {
        let kept: Kept = serde_json::from_str(json)
            .map_err(|problem| LightClientError::json("kept store", &problem))?;
        if kept.version != VERSION {
            return Err(LightClientError::Store {
                expected: format!("version {VERSION}"),
                found: format!("version {}", kept.version),
            });
        }
        let expected = network.genesis_validators_root;
        let found = kept.genesis_validators_root;
        if found != expected {
            return Err(LightClientError::StoreNetwork { expected, found });
        }
        let finalized = Arc::new(Header::from(kept.finalized));
        let optimistic = Arc::new(Header::from(kept.optimistic));
        finalized.check(Which::Finalized, &network)?;
        optimistic.check(Which::Attested, &network)?;
        if optimistic.slot() < finalized.slot() {
            return Err(LightClientError::Store {
                expected: format!("an optimistic slot from {} on", finalized.slot()),
                found: optimistic.slot().to_string(),
            });
        }
        let committee = |kept: KeptCommittee| {
            let committee = Committee::new(kept.pubkeys, kept.aggregate_pubkey);
            check_size(&network, committee.size()).map(|()| Arc::new(committee))
        };
        Ok(Self {
            finalized,
            optimistic,
            current_committee: committee(kept.current_committee)?,
            next_committee: kept.next_committee.map(committee).transpose()?,
            best_valid_update: None,
            participation: kept.participation,
            network,
        })
    }
}

/// A container of another preset is of another chain.
pub(super) fn check_size(network: &Network, found: usize) -> Result<(), LightClientError> {
    let expected = network.preset.sync_committee_size();
    if found == expected {
        Ok(())
    } else {
        Err(LightClientError::CommitteeSize { expected, found })
    }
}

/// Of the format below.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    genesis_validators_root: B256,
    finalized: KeptHeader,
    optimistic: KeptHeader,
    current_committee: KeptCommittee,
    next_committee: Option<KeptCommittee>,
    participation: Option<Participation>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptHeader {
    beacon: BeaconBlockHeader,
    execution: Option<ExecutionPayloadHeader>,
    execution_branch: [B256; 4],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptCommittee {
    pubkeys: Vec<FixedBytes<48>>,
    aggregate_pubkey: FixedBytes<48>,
}

impl From<&Header> for KeptHeader {
    fn from(header: &Header) -> Self {
        Self {
            beacon: header.beacon().clone(),
            execution: header.execution().cloned(),
            execution_branch: *header.execution_branch(),
        }
    }
}

impl From<KeptHeader> for Header {
    fn from(kept: KeptHeader) -> Self {
        Self::new(kept.beacon, kept.execution.unwrap_or_default(), kept.execution_branch)
    }
}

impl From<&Committee> for KeptCommittee {
    fn from(committee: &Committee) -> Self {
        let (pubkeys, aggregate_pubkey) = committee.to_bytes();
        Self { pubkeys, aggregate_pubkey }
    }
}

//! Headers of beacon blocks with the execution header that they vouch for.

use alloy_primitives::{Address, B256, FixedBytes, U256};
use serde::{Deserialize, Serialize};
use ssz_derive::Decode;
use ssz_types::{VariableList, typenum::U32};
use tree_hash::TreeHash as _;
use tree_hash_derive::TreeHash;

use super::{Epoch, Fork, LightClientError, Network, Slot, Which, merkle, wire};

/// `BeaconBlockHeader` (phase0, beacon-chain.md).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Decode, TreeHash)]
pub struct BeaconBlockHeader {
    /// The block's slot.
    #[serde(with = "serde_utils::quoted_u64")]
    pub slot: Slot,
    /// Who proposed it.
    #[serde(with = "serde_utils::quoted_u64")]
    pub proposer_index: u64,
    /// Root of the block before.
    pub parent_root: B256,
    /// Root of the beacon state after it.
    pub state_root: B256,
    /// Root of its body.
    pub body_root: B256,
}

/// `ExecutionPayloadHeader` (deneb, beacon-chain.md). For a block from before Deneb the two blob gas fields are 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Decode, TreeHash)]
pub struct ExecutionPayloadHeader {
    /// Hash of the execution block before.
    pub parent_hash: B256,
    /// Who gets the fees.
    pub fee_recipient: Address,
    /// Root of the execution state: accounts and their storage are proven against it.
    pub state_root: B256,
    /// Root of the receipts.
    pub receipts_root: B256,
    /// Bloom filter of the logs.
    pub logs_bloom: FixedBytes<256>,
    /// RANDAO mix.
    pub prev_randao: B256,
    /// Number of the execution block.
    #[serde(with = "serde_utils::quoted_u64")]
    pub block_number: u64,
    /// Gas that the block may use.
    #[serde(with = "serde_utils::quoted_u64")]
    pub gas_limit: u64,
    /// Gas that it uses.
    #[serde(with = "serde_utils::quoted_u64")]
    pub gas_used: u64,
    /// Unix seconds.
    #[serde(with = "serde_utils::quoted_u64")]
    pub timestamp: u64,
    /// Up to 32 bytes of the builder's choice.
    #[serde(with = "ssz_types::serde_utils::hex_var_list")]
    pub extra_data: VariableList<u8, U32>,
    /// Wei.
    #[serde(with = "serde_utils::quoted_u256")]
    pub base_fee_per_gas: U256,
    /// Hash of the execution block.
    pub block_hash: B256,
    /// SSZ root of the transactions.
    pub transactions_root: B256,
    /// SSZ root of the withdrawals.
    pub withdrawals_root: B256,
    /// Blob gas that the block uses.
    #[serde(with = "serde_utils::quoted_u64")]
    pub blob_gas_used: u64,
    /// Blob gas beyond the target, summed up.
    #[serde(with = "serde_utils::quoted_u64")]
    pub excess_blob_gas: u64,
}

/// `LightClientHeader` of any fork, as fork.md of capella, deneb and electra upgrade it. Of itself it shows nothing: what
/// vouches for it is the [`Store`](super::Store) that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    beacon: BeaconBlockHeader,
    root: B256,
    execution: Option<ExecutionPayloadHeader>,
    execution_branch: [B256; 4],
}

impl Header {
    /// The beacon block's slot.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        self.beacon.slot
    }

    /// Root of the beacon block.
    #[must_use]
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// The beacon block's header.
    #[must_use]
    pub const fn beacon(&self) -> &BeaconBlockHeader {
        &self.beacon
    }

    /// The execution block's header; `None` before Capella.
    #[must_use]
    pub const fn execution(&self) -> Option<&ExecutionPayloadHeader> {
        self.execution.as_ref()
    }

    /// `get_lc_execution_root` (deneb, light-client/sync-protocol.md): zero before Capella.
    #[must_use]
    pub fn execution_root(&self, network: &Network) -> B256 {
        match (&self.execution, network.fork_at(network.epoch_of(self.slot()))) {
            (Some(execution), Some(fork)) if fork >= Fork::Deneb => execution.tree_hash_root(),
            (Some(execution), Some(Fork::Capella)) => {
                wire::CapellaExecution::from(execution.clone()).tree_hash_root()
            }
            _ => B256::ZERO,
        }
    }

    /// A header from its parts; one of zeros only stands for none.
    pub(super) fn new(
        beacon: BeaconBlockHeader,
        execution: ExecutionPayloadHeader,
        execution_branch: [B256; 4],
    ) -> Self {
        let none =
            execution == ExecutionPayloadHeader::default() && execution_branch == [B256::ZERO; 4];
        Self {
            root: beacon.tree_hash_root(),
            beacon,
            execution: (!none).then_some(execution),
            execution_branch,
        }
    }

    pub(super) const fn execution_branch(&self) -> &[B256; 4] {
        &self.execution_branch
    }

    /// Whether it is `LightClientHeader()`.
    pub(super) fn is_empty(&self) -> bool {
        self.beacon == BeaconBlockHeader::default() && self.execution.is_none()
    }

    /// The fork at its slot.
    pub(super) fn fork(&self, which: Which, network: &Network) -> Result<Fork, LightClientError> {
        let epoch: Epoch = network.epoch_of(self.slot());
        network.fork_at(epoch).ok_or(LightClientError::BeforeAltair { which, epoch })
    }

    /// `is_valid_light_client_header` (altair, capella, deneb, light-client/sync-protocol.md).
    pub(super) fn check(&self, which: Which, network: &Network) -> Result<(), LightClientError> {
        let slot = self.slot();
        let fork = self.fork(which, network)?;
        let Some(execution) = &self.execution else {
            if fork >= Fork::Capella {
                return Err(LightClientError::NoExecution { which, slot });
            }
            return Ok(());
        };
        if fork < Fork::Capella {
            return Err(LightClientError::EarlyExecution { which, slot });
        }
        if fork < Fork::Deneb && (execution.blob_gas_used != 0 || execution.excess_blob_gas != 0) {
            return Err(LightClientError::EarlyBlobGas { which, slot });
        }
        let expected = self.beacon.body_root;
        let leaf = self.execution_root(network);
        let found = merkle::branch_root(leaf, &self.execution_branch, merkle::EXECUTION_PAYLOAD);
        if found == Some(expected) {
            return Ok(());
        }
        let found = found.unwrap_or_default();
        Err(LightClientError::ExecutionBranch { which, expected, found })
    }
}

//! Containers as they travel: SSZ, and the JSON of the Beacon API.
//!
//! What differs between forks is the header and the depth of two branches ([`Shape`]); between presets, the size of a
//! committee. Whatever was read is turned at once into the types of [`data`](super::data), which have no parameters.

use alloy_primitives::{Address, B256, FixedBytes, U256};
use serde::{Deserialize, de::DeserializeOwned};
use ssz::{BitVector, Decode};
use ssz_derive::Decode;
use ssz_types::{
    FixedVector, VariableList,
    typenum::{U4, U5, U6, U7, U32, U512, Unsigned},
};
use tree_hash_derive::TreeHash;

use super::{
    BeaconBlockHeader, Bootstrap, ExecutionPayloadHeader, FinalityUpdate, Fork, Header,
    LightClientError, OptimisticUpdate, Preset, Slot, Update, committee::Committee, data::Signed,
};

/// What a container is read as, and what it becomes.
pub(super) trait Container: DeserializeOwned + Decode {
    /// Its name in the specification.
    const NAME: &'static str;
    /// What it becomes.
    type Core;
    /// Its parts, as given under the name of `fork`.
    fn into_core(self, fork: Fork) -> Self::Core;
}

fn json<C: Container>(fork: Fork, data: &str) -> Result<C::Core, LightClientError> {
    serde_json::from_str::<C>(data)
        .map(|container| container.into_core(fork))
        .map_err(|problem| LightClientError::json(C::NAME, &problem))
}

fn ssz<C: Container>(fork: Fork, bytes: &[u8]) -> Result<C::Core, LightClientError> {
    C::from_ssz_bytes(bytes)
        .map(|container| container.into_core(fork))
        .map_err(|problem| LightClientError::ssz(C::NAME, &problem))
}

/// Reads `$input` with `$read` as the `$container` of that preset and fork.
macro_rules! read {
    ($read:ident, $container:ident, $preset:expr, $fork:expr, $input:expr) => {
        match ($preset, $fork) {
            (Preset::Mainnet, Fork::Altair | Fork::Bellatrix) => {
                $read::<$container<AltairShape, U512>>($fork, $input)
            }
            (Preset::Mainnet, Fork::Capella) => {
                $read::<$container<CapellaShape, U512>>($fork, $input)
            }
            (Preset::Mainnet, Fork::Deneb) => $read::<$container<DenebShape, U512>>($fork, $input),
            (Preset::Mainnet, Fork::Electra | Fork::Fulu) => {
                $read::<$container<ElectraShape, U512>>($fork, $input)
            }
            (Preset::Minimal, Fork::Altair | Fork::Bellatrix) => {
                $read::<$container<AltairShape, U32>>($fork, $input)
            }
            (Preset::Minimal, Fork::Capella) => {
                $read::<$container<CapellaShape, U32>>($fork, $input)
            }
            (Preset::Minimal, Fork::Deneb) => $read::<$container<DenebShape, U32>>($fork, $input),
            (Preset::Minimal, Fork::Electra | Fork::Fulu) => {
                $read::<$container<ElectraShape, U32>>($fork, $input)
            }
        }
    };
}

/// The two readers of a core type.
macro_rules! readers {
    ($($core:ident from $container:ident),+ $(,)?) => {$(
        impl $core {
            /// Reads the `data` member of a Beacon API answer whose `version` member names `fork`.
            ///
            /// # Errors
            /// [`LightClientError::Json`].
            pub fn from_json(preset: Preset, fork: Fork, data: &str) -> Result<Self, LightClientError> {
                read!(json, $container, preset, fork, data)
            }

            /// Reads the SSZ encoding of that preset and fork.
            ///
            /// # Errors
            /// [`LightClientError::Ssz`].
            pub fn from_ssz(preset: Preset, fork: Fork, bytes: &[u8]) -> Result<Self, LightClientError> {
                read!(ssz, $container, preset, fork, bytes)
            }
        }
    )+};
}

readers! {
    Bootstrap from LightClientBootstrap,
    Update from LightClientUpdate,
    FinalityUpdate from LightClientFinalityUpdate,
    OptimisticUpdate from LightClientOptimisticUpdate,
}

/// What a fork's containers look like.
pub(super) trait Shape {
    /// `LightClientHeader`.
    type Header: DeserializeOwned + Decode + Into<Header>;
    /// Depth of `CurrentSyncCommitteeBranch` and `NextSyncCommitteeBranch`.
    type CommitteeDepth: Unsigned;
    /// Depth of `FinalityBranch`.
    type FinalityDepth: Unsigned;
}

/// Altair and Bellatrix.
pub(super) struct AltairShape;
/// Capella.
pub(super) struct CapellaShape;
/// Deneb.
pub(super) struct DenebShape;
/// Electra and Fulu.
pub(super) struct ElectraShape;

impl Shape for AltairShape {
    type Header = AltairHeader;
    type CommitteeDepth = U5;
    type FinalityDepth = U6;
}

impl Shape for CapellaShape {
    type Header = CapellaHeader;
    type CommitteeDepth = U5;
    type FinalityDepth = U6;
}

impl Shape for DenebShape {
    type Header = DenebHeader;
    type CommitteeDepth = U5;
    type FinalityDepth = U6;
}

impl Shape for ElectraShape {
    type Header = DenebHeader;
    type CommitteeDepth = U6;
    type FinalityDepth = U7;
}

/// Length of a committee.
pub(super) trait Size: Unsigned + Clone + 'static {}
impl<N: Unsigned + Clone + 'static> Size for N {}

/// `LightClientHeader` (altair).
#[derive(Deserialize, Decode)]
pub(super) struct AltairHeader {
    beacon: BeaconBlockHeader,
}

/// `LightClientHeader` (capella).
#[derive(Deserialize, Decode)]
pub(super) struct CapellaHeader {
    beacon: BeaconBlockHeader,
    execution: CapellaExecution,
    execution_branch: FixedVector<B256, U4>,
}

/// `LightClientHeader` (deneb).
#[derive(Deserialize, Decode)]
pub(super) struct DenebHeader {
    beacon: BeaconBlockHeader,
    execution: ExecutionPayloadHeader,
    execution_branch: FixedVector<B256, U4>,
}

/// `upgrade_lc_header_to_capella` (capella, light-client/fork.md).
impl From<AltairHeader> for Header {
    fn from(pre: AltairHeader) -> Self {
        Self::new(pre.beacon, ExecutionPayloadHeader::default(), [B256::ZERO; 4])
    }
}

/// `upgrade_lc_header_to_deneb` (deneb, light-client/fork.md).
impl From<CapellaHeader> for Header {
    fn from(pre: CapellaHeader) -> Self {
        Self::new(pre.beacon, pre.execution.into(), four(&pre.execution_branch))
    }
}

impl From<DenebHeader> for Header {
    fn from(header: DenebHeader) -> Self {
        Self::new(header.beacon, header.execution, four(&header.execution_branch))
    }
}

fn four(branch: &FixedVector<B256, U4>) -> [B256; 4] {
    let mut nodes = [B256::ZERO; 4];
    for (node, read) in nodes.iter_mut().zip(branch) {
        *node = *read;
    }
    nodes
}

/// `ExecutionPayloadHeader` (capella, beacon-chain.md): Deneb's without blob gas.
#[derive(Deserialize, Decode, TreeHash)]
pub(super) struct CapellaExecution {
    parent_hash: B256,
    fee_recipient: Address,
    state_root: B256,
    receipts_root: B256,
    logs_bloom: FixedBytes<256>,
    prev_randao: B256,
    #[serde(with = "serde_utils::quoted_u64")]
    block_number: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    gas_limit: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    gas_used: u64,
    #[serde(with = "serde_utils::quoted_u64")]
    timestamp: u64,
    #[serde(with = "ssz_types::serde_utils::hex_var_list")]
    extra_data: VariableList<u8, U32>,
    #[serde(with = "serde_utils::quoted_u256")]
    base_fee_per_gas: U256,
    block_hash: B256,
    transactions_root: B256,
    withdrawals_root: B256,
}

impl From<CapellaExecution> for ExecutionPayloadHeader {
    fn from(pre: CapellaExecution) -> Self {
        Self {
            parent_hash: pre.parent_hash,
            fee_recipient: pre.fee_recipient,
            state_root: pre.state_root,
            receipts_root: pre.receipts_root,
            logs_bloom: pre.logs_bloom,
            prev_randao: pre.prev_randao,
            block_number: pre.block_number,
            gas_limit: pre.gas_limit,
            gas_used: pre.gas_used,
            timestamp: pre.timestamp,
            extra_data: pre.extra_data,
            base_fee_per_gas: pre.base_fee_per_gas,
            block_hash: pre.block_hash,
            transactions_root: pre.transactions_root,
            withdrawals_root: pre.withdrawals_root,
            blob_gas_used: 0,
            excess_blob_gas: 0,
        }
    }
}

impl From<ExecutionPayloadHeader> for CapellaExecution {
    fn from(header: ExecutionPayloadHeader) -> Self {
        Self {
            parent_hash: header.parent_hash,
            fee_recipient: header.fee_recipient,
            state_root: header.state_root,
            receipts_root: header.receipts_root,
            logs_bloom: header.logs_bloom,
            prev_randao: header.prev_randao,
            block_number: header.block_number,
            gas_limit: header.gas_limit,
            gas_used: header.gas_used,
            timestamp: header.timestamp,
            extra_data: header.extra_data,
            base_fee_per_gas: header.base_fee_per_gas,
            block_hash: header.block_hash,
            transactions_root: header.transactions_root,
            withdrawals_root: header.withdrawals_root,
        }
    }
}

/// `SyncCommittee` (altair, beacon-chain.md).
#[derive(Deserialize, Decode)]
#[serde(bound = "")]
struct SyncCommittee<N: Size> {
    pubkeys: FixedVector<FixedBytes<48>, N>,
    aggregate_pubkey: FixedBytes<48>,
}

impl<N: Size> From<SyncCommittee<N>> for Committee {
    fn from(committee: SyncCommittee<N>) -> Self {
        Self::new(Vec::from(committee.pubkeys), committee.aggregate_pubkey)
    }
}

/// `SyncAggregate` (altair, beacon-chain.md).
#[derive(Deserialize, Decode)]
#[serde(bound = "")]
struct SyncAggregate<N: Size> {
    sync_committee_bits: BitVector<N>,
    sync_committee_signature: FixedBytes<96>,
}

impl<N: Size> SyncAggregate<N> {
    fn into_signed(self, attested: Header, signature_slot: Slot, fork: Fork) -> Signed {
        Signed {
            fork,
            attested: attested.into(),
            signers: self.sync_committee_bits.iter().collect(),
            signature: self.sync_committee_signature,
            signature_slot,
        }
    }
}

/// `LightClientBootstrap` (altair, light-client/sync-protocol.md).
#[derive(Deserialize, Decode)]
#[serde(bound = "")]
struct LightClientBootstrap<S: Shape, N: Size> {
    header: S::Header,
    current_sync_committee: SyncCommittee<N>,
    current_sync_committee_branch: FixedVector<B256, S::CommitteeDepth>,
}

impl<S: Shape, N: Size> Container for LightClientBootstrap<S, N> {
    const NAME: &'static str = "LightClientBootstrap";
    type Core = Bootstrap;

    fn into_core(self, fork: Fork) -> Bootstrap {
        Bootstrap::new(
            fork,
            self.header.into(),
            self.current_sync_committee.into(),
            self.current_sync_committee_branch.into(),
        )
    }
}

/// `LightClientUpdate` (altair, light-client/sync-protocol.md).
#[derive(Deserialize, Decode)]
#[serde(bound = "")]
struct LightClientUpdate<S: Shape, N: Size> {
    attested_header: S::Header,
    next_sync_committee: SyncCommittee<N>,
    next_sync_committee_branch: FixedVector<B256, S::CommitteeDepth>,
    finalized_header: S::Header,
    finality_branch: FixedVector<B256, S::FinalityDepth>,
    sync_aggregate: SyncAggregate<N>,
    #[serde(with = "serde_utils::quoted_u64")]
    signature_slot: Slot,
}

impl<S: Shape, N: Size> Container for LightClientUpdate<S, N> {
    const NAME: &'static str = "LightClientUpdate";
    type Core = Update;

    fn into_core(self, fork: Fork) -> Update {
        let signed =
            self.sync_aggregate.into_signed(self.attested_header.into(), self.signature_slot, fork);
        Update::optimistic(signed)
            .with_finalized(self.finalized_header.into(), self.finality_branch.into())
            .with_next_committee(
                self.next_sync_committee.into(),
                self.next_sync_committee_branch.into(),
            )
    }
}

/// `LightClientFinalityUpdate` (altair, light-client/sync-protocol.md).
#[derive(Deserialize, Decode)]
#[serde(bound = "")]
struct LightClientFinalityUpdate<S: Shape, N: Size> {
    attested_header: S::Header,
    finalized_header: S::Header,
    finality_branch: FixedVector<B256, S::FinalityDepth>,
    sync_aggregate: SyncAggregate<N>,
    #[serde(with = "serde_utils::quoted_u64")]
    signature_slot: Slot,
}

impl<S: Shape, N: Size> Container for LightClientFinalityUpdate<S, N> {
    const NAME: &'static str = "LightClientFinalityUpdate";
    type Core = FinalityUpdate;

    fn into_core(self, fork: Fork) -> FinalityUpdate {
        let signed =
            self.sync_aggregate.into_signed(self.attested_header.into(), self.signature_slot, fork);
        FinalityUpdate(
            Update::optimistic(signed)
                .with_finalized(self.finalized_header.into(), self.finality_branch.into()),
        )
    }
}

/// `LightClientOptimisticUpdate` (altair, light-client/sync-protocol.md).
#[derive(Deserialize, Decode)]
#[serde(bound = "")]
struct LightClientOptimisticUpdate<S: Shape, N: Size> {
    attested_header: S::Header,
    sync_aggregate: SyncAggregate<N>,
    #[serde(with = "serde_utils::quoted_u64")]
    signature_slot: Slot,
}

impl<S: Shape, N: Size> Container for LightClientOptimisticUpdate<S, N> {
    const NAME: &'static str = "LightClientOptimisticUpdate";
    type Core = OptimisticUpdate;

    fn into_core(self, fork: Fork) -> OptimisticUpdate {
        OptimisticUpdate(Update::optimistic(self.sync_aggregate.into_signed(
            self.attested_header.into(),
            self.signature_slot,
            fork,
        )))
    }
}

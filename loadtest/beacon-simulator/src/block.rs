//! Blocks and the states behind them.

use sha2::{Digest as _, Sha256};

use crate::{
    execution::ExecutionBlock,
    keys::{Aggregate, Committee, INFINITY},
    spec::{Fork, Spec},
    ssz::{
        NO_TRANSACTIONS_DEPTH, NO_WITHDRAWALS_DEPTH, Root, Tree, byte_list_32, byte_vector,
        empty_list, hash, padded, uint64,
    },
};

/// Leaves of the `BeaconState` that a light client asks for.
const FINALIZED_CHECKPOINT: usize = 20;
const CURRENT_SYNC_COMMITTEE: usize = 22;
const NEXT_SYNC_COMMITTEE: usize = 23;
/// Leaf of the `BeaconBlockBody`.
const EXECUTION_PAYLOAD: usize = 9;

/// In every block.
pub(crate) const GRAFFITI: Root = *b"greenlight-beacon-simulator\0\0\0\0\0";

/// What a block is made of.
pub(crate) struct Draft<'d> {
    pub(crate) slot: u64,
    pub(crate) parent_root: Root,
    /// Of the parent.
    pub(crate) aggregate: Aggregate,
    pub(crate) execution: ExecutionBlock,
    pub(crate) current: &'d Committee,
    pub(crate) next: &'d Committee,
    /// Slot and root.
    pub(crate) finalized: Option<(u64, Root)>,
}

/// A block, and of the state after it what a light client is shown.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) slot: u64,
    pub(crate) proposer_index: u64,
    pub(crate) parent_root: Root,
    pub(crate) state_root: Root,
    pub(crate) body_root: Root,
    /// Of the header made of the five above.
    pub(crate) root: Root,
    pub(crate) aggregate: Aggregate,
    pub(crate) execution: ExecutionBlock,
    pub(crate) execution_branch: Vec<Root>,
    pub(crate) current_committee_branch: Vec<Root>,
    pub(crate) next_committee_branch: Vec<Root>,
    pub(crate) finalized: Option<(u64, Root)>,
    pub(crate) finality_branch: Vec<Root>,
}

impl Block {
    pub(crate) fn new(spec: &Spec, draft: Draft<'_>) -> Self {
        let Draft { slot, parent_root, aggregate, execution, current, next, finalized } = draft;
        let (finalized_slot, finalized_root) = finalized.unwrap_or_default();
        let epoch = uint64(spec.epoch_of(finalized_slot));
        let mut leaves = state_filler(spec, slot);
        leaves[FINALIZED_CHECKPOINT] = hash(&epoch, &finalized_root);
        leaves[CURRENT_SYNC_COMMITTEE] = current.root;
        leaves[NEXT_SYNC_COMMITTEE] = next.root;
        let state = Tree::new(&leaves);
        let mut finality_branch = vec![epoch];
        finality_branch.extend(state.branch(FINALIZED_CHECKPOINT));

        let body = Tree::new(&body_leaves(spec.fork, &aggregate, &execution));
        let proposer_index = slot % spec.preset.sync_committee_size() as u64;
        let header = [uint64(slot), uint64(proposer_index), parent_root, state.root(), body.root()];
        Self {
            slot,
            proposer_index,
            parent_root,
            state_root: state.root(),
            body_root: body.root(),
            root: Tree::new(&header).root(),
            aggregate,
            execution,
            execution_branch: body.branch(EXECUTION_PAYLOAD),
            current_committee_branch: state.branch(CURRENT_SYNC_COMMITTEE),
            next_committee_branch: state.branch(NEXT_SYNC_COMMITTEE),
            finalized,
            finality_branch,
        }
    }
}

/// A `BeaconState`'s leaves: clock and network, and for the rest hashes of no preimage that anyone has.
fn state_filler(spec: &Spec, slot: u64) -> Vec<Root> {
    let fields: u64 = match spec.fork {
        Fork::Capella | Fork::Deneb => 28,
        Fork::Electra => 37,
        Fork::Fulu => 38,
    };
    let filler = |field: u64| {
        let filler = Sha256::new().chain_update(GRAFFITI).chain_update(field.to_le_bytes());
        filler.chain_update(slot.to_le_bytes()).finalize().into()
    };
    let mut leaves: Vec<Root> = (0..fields).map(filler).collect();
    leaves[0] = uint64(spec.genesis_time);
    leaves[1] = spec.genesis_validators_root;
    leaves[2] = uint64(slot);
    leaves
}

/// A `BeaconBlockBody`'s leaves. All its lists are empty, with the limits of the mainnet preset.
fn body_leaves(fork: Fork, aggregate: &Aggregate, execution: &ExecutionBlock) -> Vec<Root> {
    let electra = fork >= Fork::Electra;
    let eth1_data = Tree::new(&[[0; 32]; 3]).root();
    let mut leaves = vec![
        byte_vector(&INFINITY),                  // randao_reveal
        eth1_data,                               // eth1_data
        GRAFFITI,                                // graffiti
        empty_list(4),                           // proposer_slashings
        empty_list(if electra { 0 } else { 1 }), // attester_slashings
        empty_list(if electra { 3 } else { 7 }), // attestations
        empty_list(4),                           // deposits
        empty_list(4),                           // voluntary_exits
        aggregate.root(),                        // sync_aggregate
        execution_root(fork, execution),         // execution_payload
        empty_list(4),                           // bls_to_execution_changes
    ];
    if fork >= Fork::Deneb {
        leaves.push(empty_list(12)); // blob_kzg_commitments
    }
    if electra {
        // deposits, withdrawals, consolidations
        leaves.push(Tree::new(&[empty_list(13), empty_list(4), empty_list(1)]).root());
    }
    leaves
}

/// Of an `ExecutionPayload` and of its header alike.
fn execution_root(fork: Fork, block: &ExecutionBlock) -> Root {
    let mut leaves = vec![
        block.parent_hash,
        padded(&block.fee_recipient),
        block.state_root,
        block.receipts_root,
        byte_vector(&block.logs_bloom),
        block.prev_randao,
        uint64(block.number),
        uint64(block.gas_limit),
        uint64(block.gas_used),
        uint64(block.timestamp),
        byte_list_32(&block.extra_data),
        padded(&block.base_fee_per_gas.to_le_bytes()),
        block.hash,
        empty_list(NO_TRANSACTIONS_DEPTH),
        empty_list(NO_WITHDRAWALS_DEPTH),
    ];
    if fork >= Fork::Deneb {
        leaves.extend([uint64(block.blob_gas_used), uint64(block.excess_blob_gas)]);
    }
    Tree::new(&leaves).root()
}

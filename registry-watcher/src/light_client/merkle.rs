//! Merkle branches of SSZ (consensus-specs, `ssz/merkle-proofs.md`).

use alloy_primitives::B256;

use super::Fork;

/// `EXECUTION_PAYLOAD_GINDEX` (capella, light-client/sync-protocol.md).
pub(super) const EXECUTION_PAYLOAD: u64 = 25;

/// `current_sync_committee_gindex_at_slot` (electra, light-client/sync-protocol.md).
pub(super) fn current_sync_committee(fork: Fork) -> u64 {
    if fork >= Fork::Electra { 86 } else { 54 }
}

/// `next_sync_committee_gindex_at_slot` (electra, light-client/sync-protocol.md).
pub(super) fn next_sync_committee(fork: Fork) -> u64 {
    if fork >= Fork::Electra { 87 } else { 55 }
}

/// `finalized_root_gindex_at_slot` (electra, light-client/sync-protocol.md).
pub(super) fn finalized_root(fork: Fork) -> u64 {
    if fork >= Fork::Electra { 169 } else { 105 }
}

/// SHA-256 of two nodes side by side.
pub(super) fn hash_pair(left: B256, right: B256) -> B256 {
    let mut bytes = [0; 64];
    let (low, high) = bytes.split_at_mut(32);
    low.copy_from_slice(left.as_slice());
    high.copy_from_slice(right.as_slice());
    tree_hash::merkle_root(&bytes, 2)
}

/// The root that `branch` leads to from `leaf` at `generalized_index`: what `is_valid_merkle_branch` (phase0,
/// beacon-chain.md) compares. `None` for a branch of another length than the index is deep.
pub(super) fn branch_root(leaf: B256, branch: &[B256], generalized_index: u64) -> Option<B256> {
    let depth = generalized_index.checked_ilog2()?;
    if usize::try_from(depth) != Ok(branch.len()) {
        return None;
    }
    let root = (0..depth).zip(branch).fold(leaf, |node, (level, sibling)| {
        let is_right = generalized_index.checked_shr(level).unwrap_or(0) & 1 == 1;
        if is_right { hash_pair(*sibling, node) } else { hash_pair(node, *sibling) }
    });
    Some(root)
}

#[cfg(test)]
mod tests;

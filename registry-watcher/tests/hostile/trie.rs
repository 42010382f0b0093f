//! Tries with proofs, for whoever has to prove or to lie about storage.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes, U256, keccak256};
use alloy_trie::{HashBuilder, Nibbles, proof::ProofRetainer};

/// Where a slot is in its account's trie.
pub(crate) fn path(slot: U256) -> B256 {
    keccak256(slot.to_be_bytes::<32>())
}

/// A trie's root, and the path to each of `asked`.
pub(crate) fn trie(entries: &BTreeMap<B256, Vec<u8>>, asked: &[B256]) -> (B256, Vec<Vec<Bytes>>) {
    let targets: Vec<Nibbles> = asked.iter().map(Nibbles::unpack).collect();
    let retainer = ProofRetainer::new(targets.clone());
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for (key, value) in entries {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes();
    let path = |target: &Nibbles| {
        nodes.matching_nodes_sorted(target).into_iter().map(|(_, node)| node).collect()
    };
    (root, targets.iter().map(path).collect())
}

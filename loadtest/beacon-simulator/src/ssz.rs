//! Hash tree roots (consensus-specs `ssz/simple-serialize.md`, "Merkleization") and branches (`ssz/merkle-proofs.md`), as
//! many of them as a light client sees. Written apart from what the client uses, so that the two cannot share a mistake.

use sha2::{Digest as _, Sha256};

/// A hash tree root, or a leaf of 32 bytes.
pub(crate) type Root = [u8; 32];

/// Of an empty `List[Transaction, 2**20]`.
pub(crate) const NO_TRANSACTIONS_DEPTH: usize = 20;
/// Of an empty `List[Withdrawal, 16]`.
pub(crate) const NO_WITHDRAWALS_DEPTH: usize = 4;

pub(crate) fn hash(left: &Root, right: &Root) -> Root {
    Sha256::new().chain_update(left).chain_update(right).finalize().into()
}

pub(crate) fn uint64(value: u64) -> Root {
    padded(&value.to_le_bytes())
}

/// Up to 32 bytes, zeros after them; what is beyond is cut off.
pub(crate) fn padded(bytes: &[u8]) -> Root {
    let mut root = [0; 32];
    for (to, from) in root.iter_mut().zip(bytes) {
        *to = *from;
    }
    root
}

/// Of a vector of bytes.
pub(crate) fn byte_vector(bytes: &[u8]) -> Root {
    let chunks: Vec<Root> = bytes.chunks(32).map(padded).collect();
    Tree::new(&chunks).root()
}

/// Of a `ByteList[32]`.
pub(crate) fn byte_list_32(bytes: &[u8]) -> Root {
    hash(&padded(bytes), &uint64(bytes.len() as u64))
}

/// Of an empty list whose limit is `2**depth` chunks.
pub(crate) fn empty_list(depth: usize) -> Root {
    let zeros = (0..depth).fold([0; 32], |zeros, _| hash(&zeros, &zeros));
    hash(&zeros, &uint64(0))
}

/// A binary Merkle tree; its nodes by generalized index.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Root>,
}

impl Tree {
    /// Over the leaves and as many zeros as the next power of two wants.
    pub(crate) fn new(leaves: &[Root]) -> Self {
        let width = leaves.len().next_power_of_two();
        let mut nodes = vec![[0; 32]; 2 * width];
        nodes[width..width + leaves.len()].copy_from_slice(leaves);
        for index in (1..width).rev() {
            nodes[index] = hash(&nodes[2 * index], &nodes[2 * index + 1]);
        }
        Self { nodes }
    }

    pub(crate) fn root(&self) -> Root {
        self.nodes[1]
    }

    /// From the leaf's sibling upwards.
    pub(crate) fn branch(&self, leaf: usize) -> Vec<Root> {
        let mut index = self.nodes.len() / 2 + leaf;
        let mut branch = Vec::new();
        while index > 1 {
            branch.push(self.nodes[index ^ 1]);
            index /= 2;
        }
        branch
    }
}

#[cfg(test)]
mod tests;

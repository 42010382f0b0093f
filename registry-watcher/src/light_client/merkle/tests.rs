use alloy_primitives::b256;

use super::*;

fn node(number: u8) -> B256 {
    B256::with_last_byte(number)
}

#[test]
fn a_pair_is_hashed_with_sha256() {
    // SHA-256 of 64 zero bytes.
    assert_eq!(
        hash_pair(B256::ZERO, B256::ZERO),
        b256!("f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b")
    );
}

#[test]
fn a_branch_leads_to_the_root_from_its_index_only() {
    let leaves = [1, 2, 3, 4].map(node);
    let left = hash_pair(leaves[0], leaves[1]);
    let right = hash_pair(leaves[2], leaves[3]);
    let root = hash_pair(left, right);
    assert_eq!(branch_root(leaves[2], &[leaves[3], left], 6), Some(root));
    assert_eq!(branch_root(leaves[1], &[leaves[0], right], 5), Some(root));
    assert_eq!(branch_root(root, &[], 1), Some(root));
    for index in [4, 5, 7] {
        assert_ne!(branch_root(leaves[2], &[leaves[3], left], index), Some(root));
    }
}

#[test]
fn a_branch_of_another_length_leads_nowhere() {
    for length in [0, 1, 3, 4, 64, 65] {
        assert_eq!(branch_root(node(1), &vec![node(2); length], 6), None);
    }
    assert_eq!(branch_root(node(1), &[], 0), None);
}

#[test]
fn electra_moved_what_is_proven() {
    let indices =
        |fork| (current_sync_committee(fork), next_sync_committee(fork), finalized_root(fork));
    for fork in [Fork::Altair, Fork::Bellatrix, Fork::Capella, Fork::Deneb] {
        assert_eq!(indices(fork), (54, 55, 105));
    }
    for fork in [Fork::Electra, Fork::Fulu] {
        assert_eq!(indices(fork), (86, 87, 169));
    }
}

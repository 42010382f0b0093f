use super::*;

fn folded(leaf: Root, branch: &[Root], mut index: usize) -> Root {
    branch.iter().fold(leaf, |node, sibling| {
        let right = index % 2 == 1;
        index /= 2;
        if right { hash(sibling, &node) } else { hash(&node, sibling) }
    })
}

/// The roots that every client of the network has for a block without transactions or withdrawals.
#[test]
fn empty_lists_have_their_known_roots() {
    let root = |depth| hex::encode(empty_list(depth));
    let transactions = "7ffe241ea60187fdb0187bfa22de35d1f9bed7ab061d9401fd47e34a54fbede1";
    assert_eq!(root(NO_TRANSACTIONS_DEPTH), transactions);
    let withdrawals = "792930bbd5baac43bcc798ee49aa8185ef76bb3b44ba62b91d86ae569e4bb535";
    assert_eq!(root(NO_WITHDRAWALS_DEPTH), withdrawals);
}

#[test]
fn every_leaf_is_proven_by_its_branch() {
    for leaves in [1_u64, 2, 5, 13, 38] {
        let leaves: Vec<Root> = (1..=leaves).map(uint64).collect();
        let tree = Tree::new(&leaves);
        for (index, leaf) in leaves.iter().enumerate() {
            assert_eq!(folded(*leaf, &tree.branch(index), index), tree.root());
        }
    }
}

#[test]
fn a_vector_is_padded_and_a_list_has_its_length() {
    let zeros = [0; 32];
    assert_eq!(byte_vector(&[7; 48]), hash(&[7; 32], &padded(&[7; 16])));
    let three = hash(&hash(&[7; 32], &[7; 32]), &hash(&[7; 32], &zeros));
    assert_eq!(byte_vector(&[7; 96]), three);
    assert_eq!(byte_list_32(&[]), hash(&zeros, &zeros));
    assert_eq!(byte_list_32(&[1, 2]), hash(&padded(&[1, 2]), &uint64(2)));
}

//! Proofs over real tries: what holds is read, and every change to it is refused.

#![allow(clippy::arithmetic_side_effects, reason = "a test may panic")]

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::TrieAccount;
use proptest::prelude::*;

use super::*;
use crate::trie::{path, trie};

const REGISTRY: Address = Address::repeat_byte(0x11);

/// A state of 50 accounts, the registry among them, whose storage has `values`; and the proof of `slots` in it.
fn state(values: &BTreeMap<U256, U256>, slots: &[U256]) -> (B256, AccountProof) {
    let storage =
        values.iter().map(|(slot, value)| (path(*slot), alloy_rlp::encode(value))).collect();
    let (storage_hash, proofs) =
        trie(&storage, &slots.iter().map(|slot| path(*slot)).collect::<Vec<_>>());
    let mut accounts = BTreeMap::new();
    for n in 0..50_u8 {
        let account =
            TrieAccount::new(n.into(), U256::from(n), alloy_trie::EMPTY_ROOT_HASH, KECCAK256_EMPTY);
        accounts.insert(keccak256(Address::repeat_byte(0x80 + n)), alloy_rlp::encode(account));
    }
    let code_hash = keccak256("code");
    let registry = TrieAccount::new(1, U256::ZERO, storage_hash, code_hash);
    accounts.insert(keccak256(REGISTRY), alloy_rlp::encode(registry));
    let (root, account_proof) = trie(&accounts, &[keccak256(REGISTRY)]);
    let storage_proof = slots
        .iter()
        .zip(proofs)
        .map(|(slot, proof)| StorageProof {
            key: *slot,
            value: values.get(slot).copied().unwrap_or_default(),
            proof,
        })
        .collect();
    let proof = AccountProof {
        address: REGISTRY,
        balance: U256::ZERO,
        code_hash,
        nonce: U256::from(1),
        storage_hash,
        account_proof: account_proof.into_iter().next().unwrap(),
        storage_proof,
    };
    (root, proof)
}

fn values() -> BTreeMap<U256, U256> {
    (0..40_u64).map(|n| (U256::from(n), U256::from(n * n + 1))).collect()
}

/// A present slot and an absent one.
fn slots() -> [U256; 2] {
    [U256::from(7), U256::from(1_000)]
}

#[test]
fn proven_values_are_read_and_a_proven_absence_is_zero() {
    let (root, proof) = state(&values(), &slots());
    assert_eq!(
        verify_storage(root, REGISTRY, &slots(), &proof).unwrap(),
        [U256::from(50), U256::ZERO]
    );
    let (root, proof) = state(&BTreeMap::new(), &slots());
    assert_eq!(
        verify_storage(root, REGISTRY, &slots(), &proof).unwrap(),
        [U256::ZERO, U256::ZERO],
        "empty storage"
    );
}

/// Anvil keeps a slot to which zero was written as an entry that is zero, where Ethereum has none.
#[test]
fn an_entry_that_is_zero_is_proven_zero_and_nothing_else_is() {
    let mut values = values();
    values.insert(U256::from(7), U256::ZERO);
    let (root, mut proof) = state(&values, &slots());
    assert_eq!(verify_storage(root, REGISTRY, &slots(), &proof).unwrap(), [U256::ZERO, U256::ZERO]);
    proof.storage_proof[0].value = U256::from(1);
    let error = verify_storage(root, REGISTRY, &slots(), &proof).unwrap_err();
    assert_eq!(error.reason(), "storage-proof");
}

#[test]
fn every_forgery_is_refused_by_name() {
    let (root, good) = state(&values(), &slots());
    let refused = |change: &dyn Fn(&mut AccountProof)| {
        let mut forged = good.clone();
        change(&mut forged);
        verify_storage(root, REGISTRY, &slots(), &forged).unwrap_err().reason()
    };
    type Change<'a> = &'a dyn Fn(&mut AccountProof);
    let cases: [(&str, Change<'_>); 15] = [
        ("proof-account", &|p| p.address = Address::ZERO),
        ("account-proof", &|p| p.nonce = U256::from(2)),
        ("account-proof", &|p| p.balance = U256::from(2)),
        ("account-proof", &|p| p.code_hash = B256::ZERO),
        ("account-proof", &|p| p.storage_hash = B256::ZERO),
        ("account-proof", &|p| p.account_proof.clear()),
        ("account-proof", &|p| drop(p.account_proof.pop())),
        ("proof-depth", &|p| p.account_proof = vec![Bytes::new(); 66]),
        ("proof-slots", &|p| p.storage_proof[0].key = U256::from(8)),
        ("proof-slots", &|p| drop(p.storage_proof.pop())),
        ("storage-proof", &|p| p.storage_proof[0].value = U256::from(51)),
        ("storage-proof", &|p| p.storage_proof[0].value = U256::ZERO),
        ("storage-proof", &|p| p.storage_proof[1].value = U256::from(1)),
        ("storage-proof", &|p| p.storage_proof[0].proof.clear()),
        ("storage-proof", &|p| p.storage_proof[0].proof = p.storage_proof[1].proof.clone()),
    ];
    for (number, (reason, change)) in cases.into_iter().enumerate() {
        assert_eq!(refused(change), reason, "case {number}");
    }
    let another_root = state(&[(U256::from(7), U256::from(9))].into(), &slots()).0;
    assert_eq!(
        verify_storage(another_root, REGISTRY, &slots(), &good).unwrap_err().reason(),
        "account-proof"
    );
    let (root, mut without_code) = state(&values(), &slots());
    without_code.code_hash = KECCAK256_EMPTY;
    assert!(verify_storage(root, REGISTRY, &slots(), &without_code).is_err());
}

#[test]
fn an_account_without_code_is_not_a_registry() {
    let account = TrieAccount::new(3, U256::ZERO, alloy_trie::EMPTY_ROOT_HASH, KECCAK256_EMPTY);
    let entries = [(keccak256(REGISTRY), alloy_rlp::encode(account))].into();
    let (root, proof) = trie(&entries, &[keccak256(REGISTRY)]);
    let answer = AccountProof {
        address: REGISTRY,
        balance: U256::ZERO,
        code_hash: KECCAK256_EMPTY,
        nonce: U256::from(3),
        storage_hash: alloy_trie::EMPTY_ROOT_HASH,
        account_proof: proof.into_iter().next().unwrap(),
        storage_proof: vec![],
    };
    assert_eq!(
        verify_storage(root, REGISTRY, &[], &answer),
        Err(ProofError::NoCode { address: REGISTRY })
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Any change to a node of a proof, under the true root, is refused and does not panic.
    #[test]
    fn no_changed_node_proves_anything(
        which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let (root, mut proof) = state(&values(), &slots());
        let [first, second] = proof.storage_proof.as_mut_slice() else { panic!("two slots") };
        let mut nodes: Vec<&mut Bytes> =
            proof.account_proof.iter_mut().chain(&mut first.proof).chain(&mut second.proof).collect();
        let index = which.index(nodes.len());
        let mut node = nodes[index].to_vec();
        let position = at.index(node.len());
        if cut { node.truncate(position) } else { node[position] ^= byte.max(1) }
        *nodes[index] = node.into();
        prop_assert!(verify_storage(root, REGISTRY, &slots(), &proof).is_err());
    }

    /// An endpoint that also chose the root, and so any nodes at all, gets an error at worst.
    #[test]
    fn no_chosen_nodes_panic(nodes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..6)) {
        let nodes: Vec<Bytes> = nodes.into_iter().map(Bytes::from).collect();
        let (_, mut proof) = state(&values(), &slots());
        let root = keccak256(&nodes[0]);
        proof.account_proof = nodes;
        let _ = verify_storage(root, REGISTRY, &slots(), &proof);
    }
}

fn word(parts: &[(usize, u128)]) -> U256 {
    parts.iter().fold(U256::ZERO, |word, (offset, value)| word | (U256::from(*value) << *offset))
}

#[test]
fn the_head_word_reads_as_the_layout_says() {
    let packed =
        word(&[(0, 7), (8, 9), (72, 3), (104, 2), (136, 4), (168, 1_234), (184, 1_763_700_000)]);
    let head = Head {
        kill: true,
        rollback: true,
        paused: true,
        sequence: 9,
        current: 3,
        rollback_to: 2,
        candidate: 4,
        canary_bps: 1_234,
        changed_at: 1_763_700_000,
    };
    assert_eq!(Head::from_word(packed), Ok(head));
    assert_eq!(Head::from_word(U256::ZERO), Ok(Head::default()));
    assert_eq!(Head::from_word(U256::from(8)).unwrap_err().reason(), "head-flags");
    assert_eq!(Head::from_word(U256::from(1) << 224_usize).unwrap_err().reason(), "layout");
}

#[test]
fn a_record_reads_as_the_layout_says() {
    let verifier = Address::repeat_byte(0xab);
    let meta = U256::from_be_bytes(verifier.into_word().0)
        | word(&[(160, 11_584)])
        | word(&[(176, 180)])
        | (U256::from(2) << 184_usize)
        | (U256::from(1_763_700_000_u64) << 192_usize)
        | (U256::from(1) << 232_usize);
    let digest = U256::from_be_bytes([0xcd; 32]);
    let read =
        |meta: U256, location: U256| Release::from_words(5, [digest, U256::ZERO, meta, location]);
    let release = read(meta, U256::from(77)).unwrap();
    assert_eq!(release.digest, Digest([0xcd; 32]));
    assert_eq!((release.size, release.rows, release.status), (11_584, 180, RecordStatus::Promoted));
    assert_eq!((release.verifier, release.staged_at), (verifier, 1_763_700_000));
    assert_eq!(release.location, Location::Log { block: 77 });
    assert_eq!(read(U256::ZERO, U256::ZERO).unwrap_err(), LayoutError::NoRecord { id: 5 });
    assert_eq!(
        read(meta | (U256::from(5) << 184_usize), U256::ZERO).unwrap_err().reason(),
        "record-status"
    );
    let kind = |kind: u8| (meta ^ (U256::from(1) << 232_usize)) | (U256::from(kind) << 232_usize);
    let versioned_hash = B256::repeat_byte(0x01);
    assert_eq!(
        read(kind(2), versioned_hash.into()).unwrap().location,
        Location::Blob { versioned_hash }
    );
    for unknown in [0, 3] {
        assert_eq!(read(kind(unknown), U256::ZERO).unwrap_err().reason(), "location-kind");
    }
    assert_eq!(read(meta, U256::MAX).unwrap_err().reason(), "layout");
}

#[test]
fn a_record_s_slots_are_those_of_a_solidity_mapping() {
    // keccak256(abi.encode(uint256(1), uint256(3))), as `cast index uint256 1 3` prints it.
    let expected: U256 =
        "0xa15bc60c955c405d20d9149c709e2460f1c2d9a497496a7f46004d1772c3054c".parse().unwrap();
    let [first, second, _, fourth] = Release::slots(1);
    assert_eq!(
        (first, second, fourth),
        (expected, expected + U256::from(1), expected + U256::from(3))
    );
}

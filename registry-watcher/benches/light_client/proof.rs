//! A state of many accounts, and two slots of one of them.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount, proof::verify_proof};
use greenlight_watcher::registry::{AccountProof, HEAD_SLOT, StorageProof};

use crate::trie::{path, trie};

const REGISTRY: Address = Address::repeat_byte(0x11);

/// One with an entry, and one without.
pub(crate) fn slots() -> [U256; 2] {
    [HEAD_SLOT, U256::from(100_000)]
}

/// The state's root, and the answer to the question for [`slots`].
pub(crate) fn question() -> (B256, AccountProof) {
    let storage = (0..4_096_u64)
        .map(|slot| (path(U256::from(slot)), alloy_rlp::encode(U256::from(slot + 7))))
        .collect();
    let (storage_hash, proofs) = trie(&storage, &slots().map(path));
    let registry = TrieAccount::new(1, U256::ZERO, storage_hash, keccak256("code"));
    let person = |n: u64| TrieAccount::new(n, U256::from(n), EMPTY_ROOT_HASH, KECCAK256_EMPTY);
    let accounts = (1..65_536_u64)
        .map(|n| (keccak256(n.to_be_bytes()), alloy_rlp::encode(person(n))))
        .chain([(keccak256(REGISTRY), alloy_rlp::encode(registry))])
        .collect();
    let (root, account_proof) = trie(&accounts, &[keccak256(REGISTRY)]);
    let storage_proof = slots()
        .into_iter()
        .zip([U256::from(8), U256::ZERO])
        .zip(proofs)
        .map(|((key, value), proof)| StorageProof { key, value, proof })
        .collect();
    let proof = AccountProof {
        address: REGISTRY,
        balance: registry.balance,
        code_hash: registry.code_hash,
        nonce: U256::from(registry.nonce),
        storage_hash,
        account_proof: account_proof.into_iter().next().unwrap(),
        storage_proof,
    };
    (root, proof)
}

/// Its three paths by the trie's own library.
pub(crate) fn plain(state_root: B256, proof: &AccountProof) -> bool {
    let nonce = u64::try_from(proof.nonce).unwrap();
    let account = TrieAccount::new(nonce, proof.balance, proof.storage_hash, proof.code_hash);
    let walk = |root: B256, key: B256, value: Option<Vec<u8>>, nodes: &[Bytes]| {
        verify_proof(root, Nibbles::unpack(key), value, nodes).is_ok()
    };
    walk(
        state_root,
        keccak256(proof.address),
        Some(alloy_rlp::encode(account)),
        &proof.account_proof,
    ) && proof.storage_proof.iter().all(|StorageProof { key, value, proof: nodes }| {
        let value = (!value.is_zero()).then(|| alloy_rlp::encode(value));
        walk(proof.storage_hash, path(*key), value, nodes)
    })
}

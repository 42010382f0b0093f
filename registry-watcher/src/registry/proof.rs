//! Account and storage proofs (EIP-1186) against a state root.

use std::panic::{AssertUnwindSafe, catch_unwind};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{Nibbles, TrieAccount, proof::verify_proof};
use serde::{Deserialize, Serialize};

use crate::rpc::{Blame, Reason};

/// The answer of `eth_getProof`, of which nothing is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountProof {
    /// The account that the proof is for.
    pub address: Address,
    /// Its balance.
    pub balance: U256,
    /// Keccak-256 of its code.
    pub code_hash: B256,
    /// Its nonce.
    pub nonce: U256,
    /// Root of its storage trie.
    pub storage_hash: B256,
    /// Nodes from the state root to the account.
    pub account_proof: Vec<Bytes>,
    /// One proof a slot asked for.
    pub storage_proof: Vec<StorageProof>,
}

/// One slot of an [`AccountProof`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageProof {
    /// The slot.
    pub key: U256,
    /// Its value; zero where the trie has no entry.
    pub value: U256,
    /// Nodes from the storage root to the slot.
    pub proof: Vec<Bytes>,
}

/// A proof that does not show what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// For another account.
    #[error("account: expected {expected}; found {found}")]
    Account {
        /// The registry.
        expected: Address,
        /// The account in the answer.
        found: Address,
    },
    /// Other slots than were asked for.
    #[error("storage proofs: expected slots {expected:?}; found {found:?}")]
    Slots {
        /// Slots asked for.
        expected: Vec<U256>,
        /// Slots in the answer.
        found: Vec<U256>,
    },
    /// More nodes than a path through a trie of 64 nibbles can have: work without end for whoever checks it.
    #[error("proof: expected at most {max} nodes; found {found}")]
    Depth {
        /// The most.
        max: usize,
        /// Nodes in the answer.
        found: usize,
    },
    /// The account is not under the state root.
    #[error("account proof against state root {root}: {problem}")]
    AccountProof {
        /// The verified head's state root.
        root: B256,
        /// What the trie says.
        problem: String,
    },
    /// There is no such account.
    #[error(
        "account {address}: expected a contract; found no account. Is it the registry's address, on this network?"
    )]
    NoAccount {
        /// The account.
        address: Address,
    },
    /// There is an account but no contract.
    #[error(
        "account {address}: expected a contract; found no code. Is it the registry's address, on this network?"
    )]
    NoCode {
        /// The account.
        address: Address,
    },
    /// The slot's value is not under the storage root.
    #[error("storage proof of slot {slot:#x} against storage root {root}: {problem}")]
    StorageProof {
        /// The slot.
        slot: U256,
        /// The account's storage root.
        root: B256,
        /// What the trie says.
        problem: String,
    },
}

impl ProofError {
    /// The stable name of the error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Account { .. } => "proof-account",
            Self::Slots { .. } => "proof-slots",
            Self::Depth { .. } => "proof-depth",
            Self::AccountProof { .. } => "account-proof",
            Self::NoAccount { .. } => "no-account",
            Self::NoCode { .. } => "no-code",
            Self::StorageProof { .. } => "storage-proof",
        }
    }
}

impl Reason for ProofError {
    fn reason(&self) -> &'static str {
        self.reason()
    }

    fn blame(&self) -> Blame {
        match self {
            // Proven: it is the configured address that is wrong, or not yet deployed to.
            Self::NoAccount { .. } | Self::NoCode { .. } => Blame::Beyond,
            _ => Blame::Lied,
        }
    }
}

/// A path has 64 nibbles, so no honest proof has more nodes than that and the value's own.
const MAX_NODES: usize = 65;

/// The values of `slots` of `address` in the state under `state_root`, as `answer` proves them: a slot without an
/// entry is proven absent, and zero. So is one whose entry is zero.
///
/// # Errors
/// [`ProofError`]: whoever gave the answer lied or is broken, or there is no contract of that address.
pub fn verify_storage(
    state_root: B256,
    address: Address,
    slots: &[U256],
    answer: &AccountProof,
) -> Result<Vec<U256>, ProofError> {
    if answer.address != address {
        return Err(ProofError::Account { expected: address, found: answer.address });
    }
    let found: Vec<U256> = answer.storage_proof.iter().map(|proof| proof.key).collect();
    if found != slots {
        return Err(ProofError::Slots { expected: slots.to_vec(), found });
    }
    let nonce = u64::try_from(answer.nonce).unwrap_or(u64::MAX);
    let account = TrieAccount::new(nonce, answer.balance, answer.storage_hash, answer.code_hash);
    let path = keccak256(address);
    if let Err(problem) =
        walk(state_root, path, Some(alloy_rlp::encode(account)), &answer.account_proof)?
    {
        return Err(match walk(state_root, path, None, &answer.account_proof)? {
            Ok(()) => ProofError::NoAccount { address },
            Err(_) => ProofError::AccountProof { root: state_root, problem },
        });
    }
    if answer.code_hash == KECCAK256_EMPTY || answer.code_hash == B256::ZERO {
        return Err(ProofError::NoCode { address });
    }
    let root = answer.storage_hash;
    for StorageProof { key, value, proof } in &answer.storage_proof {
        let path = keccak256(key.to_be_bytes::<32>());
        let encoded = alloy_rlp::encode(value);
        let verified = if *value == U256::ZERO {
            // Absent, as in every Ethereum state; or an entry that is zero, as Anvil's tries have where zero was stored.
            match walk(root, path, None, proof)? {
                Ok(()) => Ok(()),
                Err(problem) => walk(root, path, Some(encoded), proof)?.map_err(|_| problem),
            }
        } else {
            walk(root, path, Some(encoded), proof)?
        };
        verified.map_err(|problem| ProofError::StorageProof { slot: *key, root, problem })?;
    }
    Ok(answer.storage_proof.iter().map(|proof| proof.value).collect())
}

/// One path through a trie. Its library is fenced, since it walks nodes that a peer chose.
fn walk(
    root: B256,
    key: B256,
    expected: Option<Vec<u8>>,
    proof: &[Bytes],
) -> Result<Result<(), String>, ProofError> {
    if proof.len() > MAX_NODES {
        return Err(ProofError::Depth { max: MAX_NODES, found: proof.len() });
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        verify_proof(root, Nibbles::unpack(key), expected, proof)
    }));
    Ok(match outcome {
        Ok(verified) => verified.map_err(|error| error.to_string()),
        Err(_) => Err("a node that no trie has".into()),
    })
}

//! Account and storage proofs against the state root that the light client has verified: from the sync committee's
//! signature down to one word of one contract.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::TrieAccount;
use greenlight_beacon_simulator::ExecutionBlock;
use greenlight_watcher::{
    light_client::Store,
    registry::{AccountProof, HEAD_SLOT, ProofError, StorageProof, verify_storage},
};

use crate::{
    Row,
    scene::{Kind, Scene},
    trie::{path, trie},
};

const REGISTRY: Address = Address::repeat_byte(0x11);
/// Another contract, and one that does not exist.
const OTHER: Address = Address::repeat_byte(0x22);
const NOBODY: Address = Address::repeat_byte(0x33);
/// A person's: no code.
const PERSON: Address = Address::repeat_byte(0x84);
/// Without an entry.
const ABSENT: U256 = U256::from_limbs([1_000, 0, 0, 0]);

/// What is asked for, and the answer.
struct Question {
    address: Address,
    slots: Vec<U256>,
    answer: AccountProof,
}

type Lie = fn(&Stage, &mut Question);

struct Stage {
    /// Has verified the header of the block with `now`.
    store: Store,
    now: State,
    /// Of another block.
    then: State,
}

pub(crate) fn rows() -> Vec<Row> {
    let stage = stage();
    let honest = || Question {
        address: REGISTRY,
        slots: vec![HEAD_SLOT, ABSENT],
        answer: stage.now.prove(REGISTRY, &[HEAD_SLOT, ABSENT]),
    };
    assert_eq!(ask(&stage, &honest()).unwrap(), [stage.now.registry[&HEAD_SLOT], U256::ZERO]);
    LIES.iter()
        .map(|(name, expected, lie)| {
            let mut question = honest();
            lie(&stage, &mut question);
            let found =
                ask(&stage, &question).as_ref().map_or_else(ProofError::reason, |_| "believed");
            Row { name: format!("storage: {name}"), expected, found }
        })
        .collect()
}

const LIES: &[(&str, &str, Lie)] = &[
    ("another account's answer", "proof-account", |stage, q| {
        q.answer = stage.now.prove(OTHER, &q.slots);
    }),
    ("another account's answer by the registry's name", "account-proof", |stage, q| {
        q.answer = AccountProof { address: REGISTRY, ..stage.now.prove(OTHER, &q.slots) };
    }),
    ("another account's storage", "storage-proof", |stage, q| {
        q.answer.storage_proof = stage.now.prove(OTHER, &q.slots).storage_proof;
    }),
    ("another account's storage and its root", "account-proof", |stage, q| {
        let other = stage.now.prove(OTHER, &q.slots);
        q.answer.storage_proof = other.storage_proof;
        q.answer.storage_hash = other.storage_hash;
    }),
    ("another slot", "proof-slots", |stage, q| {
        q.answer = stage.now.prove(REGISTRY, &[U256::from(2), ABSENT]);
    }),
    ("another slot by this one's name", "storage-proof", |stage, q| {
        let other = stage.now.prove(REGISTRY, &[U256::from(2), ABSENT]);
        q.answer.storage_proof[0] =
            StorageProof { key: HEAD_SLOT, ..other.storage_proof[0].clone() };
    }),
    ("slots in another order", "proof-slots", |_, q| q.answer.storage_proof.reverse()),
    ("a slot less", "proof-slots", |_, q| drop(q.answer.storage_proof.pop())),
    ("a slot more", "proof-slots", |_, q| {
        let again = q.answer.storage_proof[0].clone();
        q.answer.storage_proof.push(again);
    }),
    ("another block", "account-proof", |stage, q| q.answer = stage.then.prove(REGISTRY, &q.slots)),
    ("another block's storage", "storage-proof", |stage, q| {
        q.answer.storage_proof = stage.then.prove(REGISTRY, &q.slots).storage_proof;
    }),
    ("another block's value", "storage-proof", |stage, q| {
        q.answer.storage_proof[0].value = stage.then.registry[&HEAD_SLOT];
    }),
    ("absence passed off as presence", "storage-proof", |_, q| {
        q.answer.storage_proof[1].value = U256::ONE;
    }),
    ("absence passed off as presence, with another's path", "storage-proof", |_, q| {
        q.answer.storage_proof[1] =
            StorageProof { key: ABSENT, ..q.answer.storage_proof[0].clone() };
    }),
    ("presence passed off as absence", "storage-proof", |_, q| {
        q.answer.storage_proof[0].value = U256::ZERO;
    }),
    ("presence passed off as absence, with another's path", "storage-proof", |_, q| {
        q.answer.storage_proof[0] =
            StorageProof { key: HEAD_SLOT, ..q.answer.storage_proof[1].clone() };
    }),
    ("presence passed off as absence, with no path", "storage-proof", |_, q| {
        q.answer.storage_proof[0].value = U256::ZERO;
        q.answer.storage_proof[0].proof.clear();
    }),
    ("presence passed off as absence, with an empty trie", "storage-proof", |_, q| {
        q.answer.storage_proof[0].value = U256::ZERO;
        q.answer.storage_proof[0].proof = vec![Bytes::from_static(&[0x80])];
    }),
    ("presence passed off as absence, path cut short", "storage-proof", |_, q| {
        q.answer.storage_proof[0].value = U256::ZERO;
        q.answer.storage_proof[0].proof.pop();
    }),
    ("all storage passed off as empty", "account-proof", |_, q| {
        q.answer.storage_hash = alloy_trie::EMPTY_ROOT_HASH;
        for proof in &mut q.answer.storage_proof {
            proof.value = U256::ZERO;
            proof.proof.clear();
        }
    }),
    ("an account that does not exist", "no-account", |stage, q| {
        q.address = NOBODY;
        let path = stage.now.trie().1(&[keccak256(NOBODY)]);
        q.answer.address = NOBODY;
        q.answer.account_proof = path.into_iter().next().unwrap();
    }),
    ("the account passed off as without code", "account-proof", |_, q| {
        q.answer.code_hash = KECCAK256_EMPTY;
    }),
    ("a person's account", "no-code", |stage, q| {
        q.address = PERSON;
        q.slots.clear();
        q.answer = stage.now.prove(PERSON, &[]);
    }),
    ("nonce", "account-proof", |_, q| q.answer.nonce += U256::ONE),
    ("a nonce beyond all", "account-proof", |_, q| q.answer.nonce = U256::MAX),
    ("balance", "account-proof", |_, q| q.answer.balance += U256::ONE),
    ("code", "account-proof", |_, q| q.answer.code_hash = keccak256("other code")),
    ("account proof cut short", "account-proof", |_, q| drop(q.answer.account_proof.pop())),
    ("account proof with more behind it", "account-proof", |_, q| {
        let last = q.answer.account_proof.last().unwrap().clone();
        q.answer.account_proof.push(last);
    }),
    ("account proof without end", "proof-depth", |_, q| {
        q.answer.account_proof = vec![Bytes::from_static(&[0xc0]); 1_000];
    }),
    ("storage proof without end", "proof-depth", |_, q| {
        q.answer.storage_proof[0].proof = vec![Bytes::from_static(&[0xc0]); 66];
    }),
    ("bytes that are no node", "storage-proof", |_, q| {
        q.answer.storage_proof[0].proof[0] = Bytes::from_static(b"no node");
    }),
];

/// Asks under the state root of the newest verified header.
fn ask(stage: &Stage, question: &Question) -> Result<Vec<U256>, ProofError> {
    let root = stage.store.optimistic().execution().unwrap().state_root;
    verify_storage(root, question.address, &question.slots, &question.answer)
}

fn stage() -> Stage {
    let scene = Scene::mainnet();
    let (now, then) = (State::new(7), State::new(3));
    let block = |state: &State| ExecutionBlock {
        state_root: state.root().into(),
        ..ExecutionBlock::synthetic(1)
    };
    let update = scene.forged(Kind::Update, scene.early(), |forgery| {
        forgery.attested_execution = block(&now);
        forgery.finalized_execution = block(&then);
    });
    let store = update.update(&scene.fresh()).unwrap();
    assert_eq!(store.optimistic().execution().unwrap().state_root, now.root());
    assert_eq!(store.finalized().execution().unwrap().state_root, then.root());
    Stage { store, now, then }
}

/// Accounts and the storage of two of them.
struct State {
    registry: BTreeMap<U256, U256>,
    other: BTreeMap<U256, U256>,
}

type Paths<'s> = Box<dyn Fn(&[B256]) -> Vec<Vec<Bytes>> + 's>;

impl State {
    fn new(sequence: u64) -> Self {
        let values = |factor: u64| {
            (0..60_u64).map(|slot| (U256::from(slot), U256::from(slot * factor + 1))).collect()
        };
        Self { registry: values(sequence), other: values(sequence + 1) }
    }

    fn root(&self) -> B256 {
        self.trie().0
    }

    /// Its root, and what makes paths from there.
    fn trie(&self) -> (B256, Paths<'_>) {
        let accounts: BTreeMap<B256, Vec<u8>> = (0..50)
            .map(|byte| Address::repeat_byte(0x80 + byte))
            .chain([REGISTRY, OTHER])
            .map(|address| (keccak256(address), alloy_rlp::encode(self.account(address))))
            .collect();
        (trie(&accounts, &[]).0, Box::new(move |asked| trie(&accounts, asked).1))
    }

    fn account(&self, address: Address) -> TrieAccount {
        let storage = self.storage(address);
        let code_hash = if storage.is_empty() { KECCAK256_EMPTY } else { keccak256("code") };
        let (root, _) = trie(&storage, &[]);
        TrieAccount::new(1, U256::from(address[0]), root, code_hash)
    }

    fn storage(&self, address: Address) -> BTreeMap<B256, Vec<u8>> {
        let values = self.values(address).into_iter().flatten();
        values.map(|(slot, value)| (path(*slot), alloy_rlp::encode(value))).collect()
    }

    fn values(&self, address: Address) -> Option<&BTreeMap<U256, U256>> {
        match address {
            REGISTRY => Some(&self.registry),
            OTHER => Some(&self.other),
            _ => None,
        }
    }

    fn prove(&self, address: Address, slots: &[U256]) -> AccountProof {
        let account = self.account(address);
        let asked: Vec<B256> = slots.iter().copied().map(path).collect();
        let (storage_hash, paths) = trie(&self.storage(address), &asked);
        let value = |slot: &U256| {
            self.values(address).and_then(|values| values.get(slot)).copied().unwrap_or_default()
        };
        AccountProof {
            address,
            balance: account.balance,
            code_hash: account.code_hash,
            nonce: U256::from(account.nonce),
            storage_hash,
            account_proof: self.trie().1(&[keccak256(address)]).into_iter().next().unwrap(),
            storage_proof: slots
                .iter()
                .zip(paths)
                .map(|(slot, proof)| StorageProof { key: *slot, value: value(slot), proof })
                .collect(),
        }
    }
}

//! A beacon chain of any fork and preset, small enough to read: each slot has a block, each block's state has finalized
//! the block two epochs before. Containers are written here by hand, as JSON and as SSZ, so that reading them is not
//! tested against itself.

use std::rc::Rc;

use alloy_primitives::{B256, FixedBytes, U256, uint};
use blst::min_pk::{AggregatePublicKey, PublicKey, SecretKey};
use serde_json::{Map, Value, json};
use ssz::Decode as _;
use tree_hash::TreeHash as _;

use super::super::{
    BeaconBlockHeader, ExecutionPayloadHeader, Fork, Network, Slot, committee::Committee, merkle,
    wire::CapellaExecution,
};

/// Order of the groups of BLS12-381.
const GROUP_ORDER: U256 =
    uint!(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256);

/// A value as it travels.
pub(super) struct Piece {
    pub(super) json: Value,
    pub(super) ssz: Vec<u8>,
    is_fixed: bool,
}

fn number(value: u64) -> Piece {
    Piece { json: json!(value.to_string()), ssz: value.to_le_bytes().into(), is_fixed: true }
}

fn bytes(value: &[u8]) -> Piece {
    let json = json!(format!("0x{}", hex::encode(value)));
    Piece { json, ssz: value.into(), is_fixed: true }
}

fn vector<'a>(items: impl IntoIterator<Item = &'a [u8]>) -> Piece {
    let items: Vec<_> = items.into_iter().map(bytes).collect();
    let ssz = items.iter().flat_map(|item| item.ssz.clone()).collect();
    Piece { json: items.into_iter().map(|item| item.json).collect(), ssz, is_fixed: true }
}

fn branch(nodes: &[B256]) -> Piece {
    vector(nodes.iter().map(B256::as_slice))
}

/// consensus-specs, `ssz/simple-serialize.md`: fixed parts and offsets first, then what varies.
fn container(fields: Vec<(&str, Piece)>) -> Piece {
    let head = fields.iter().map(|(_, field)| if field.is_fixed { field.ssz.len() } else { 4 });
    let mut offset: usize = head.sum();
    let is_fixed = fields.iter().all(|(_, field)| field.is_fixed);
    let (mut json, mut ssz, mut tail) = (Map::new(), Vec::new(), Vec::new());
    for (name, field) in fields {
        json.insert(name.into(), field.json);
        if field.is_fixed {
            ssz.extend(field.ssz);
        } else {
            ssz.extend(u32::try_from(offset).unwrap().to_le_bytes());
            offset += field.ssz.len();
            tail.extend(field.ssz);
        }
    }
    ssz.extend(tail);
    Piece { json: json.into(), ssz, is_fixed }
}

/// A Merkle tree of which only some leaves matter.
struct Tree(Vec<(u64, B256)>);

impl Tree {
    fn node(&self, index: u64) -> B256 {
        if let Some((_, leaf)) = self.0.iter().find(|(leaf, _)| *leaf == index) {
            return *leaf;
        }
        let is_below = |leaf: u64| {
            leaf.ilog2() > index.ilog2() && leaf >> (leaf.ilog2() - index.ilog2()) == index
        };
        if self.0.iter().any(|(leaf, _)| is_below(*leaf)) {
            merkle::hash_pair(self.node(2 * index), self.node(2 * index + 1))
        } else {
            B256::from(U256::from(index))
        }
    }

    fn branch(&self, mut index: u64) -> Vec<B256> {
        let mut nodes = Vec::new();
        while index > 1 {
            nodes.push(self.node(index ^ 1));
            index /= 2;
        }
        nodes
    }
}

struct Members {
    secrets: Vec<SecretKey>,
    keys: Vec<FixedBytes<48>>,
    aggregate: FixedBytes<48>,
    root: B256,
}

impl Members {
    fn new(period: u64, size: usize) -> Self {
        let secrets: Vec<_> = (0..size)
            .map(|index| {
                let seed = B256::from(U256::from(1 + period * 1000 + index as u64));
                SecretKey::key_gen(seed.as_slice(), &[]).unwrap()
            })
            .collect();
        let points: Vec<_> = secrets.iter().map(SecretKey::sk_to_pk).collect();
        let sum = AggregatePublicKey::aggregate(&points.iter().collect::<Vec<_>>(), false);
        let aggregate = FixedBytes(sum.unwrap().to_public_key().compress());
        let keys: Vec<_> = points.iter().map(PublicKey::compress).map(FixedBytes).collect();
        let root = Committee::new(keys.clone(), aggregate).root();
        Self { secrets, keys, aggregate, root }
    }

    fn piece(&self) -> Piece {
        container(vec![
            ("pubkeys", vector(self.keys.iter().map(FixedBytes::as_slice))),
            ("aggregate_pubkey", bytes(self.aggregate.as_slice())),
        ])
    }
}

/// What an update shows.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) attested: Slot,
    pub(super) signature: Slot,
    pub(super) absent: usize,
}

/// The next slot's block carries everyone's signature.
pub(super) const fn at(attested: Slot) -> Shown {
    Shown { attested, signature: attested + 1, absent: 0 }
}

pub(super) struct Chain {
    pub(super) network: Network,
    members: Rc<[Members]>,
    /// The slot whose block is another one.
    twin: Option<Slot>,
}

impl Chain {
    /// A chain with committees for the first `periods`.
    pub(super) fn new(network: Network, periods: u64) -> Self {
        let size = network.preset.sync_committee_size();
        let members = (0..periods).map(|period| Members::new(period, size)).collect();
        Self { network, members, twin: None }
    }

    /// The same committees on another network of their size.
    pub(super) fn on(&self, network: Network) -> Self {
        Self { network, members: Rc::clone(&self.members), twin: None }
    }

    /// The same chain but for the block of a slot.
    pub(super) fn twin(&self, slot: Slot) -> Self {
        Self { twin: Some(slot), ..self.on(self.network.clone()) }
    }

    pub(super) fn fork(&self, slot: Slot) -> Fork {
        self.network.fork_at(self.network.epoch_of(slot)).unwrap()
    }

    pub(super) fn finalized_by(&self, slot: Slot) -> Slot {
        slot.saturating_sub(2 * self.network.preset.slots_per_epoch())
    }

    pub(super) fn root(&self, slot: Slot) -> B256 {
        self.beacon(slot).tree_hash_root()
    }

    pub(super) fn bootstrap(&self, slot: Slot) -> Piece {
        let index = merkle::current_sync_committee(self.fork(slot));
        container(vec![
            ("header", self.header(slot, self.fork(slot))),
            ("current_sync_committee", self.members(slot, 0).piece()),
            ("current_sync_committee_branch", branch(&self.state(slot).branch(index))),
        ])
    }

    pub(super) fn update(&self, shown: Shown) -> Piece {
        let slot = shown.attested;
        let index = merkle::next_sync_committee(self.fork(slot));
        let next = vec![
            ("next_sync_committee", self.members(slot, 1).piece()),
            ("next_sync_committee_branch", branch(&self.state(slot).branch(index))),
        ];
        self.signed(shown, next.into_iter().chain(self.finality(slot)).collect())
    }

    pub(super) fn finality_update(&self, shown: Shown) -> Piece {
        self.signed(shown, self.finality(shown.attested))
    }

    pub(super) fn optimistic_update(&self, shown: Shown) -> Piece {
        self.signed(shown, vec![])
    }

    fn finality(&self, attested: Slot) -> Vec<(&'static str, Piece)> {
        let fork = self.fork(attested);
        let index = merkle::finalized_root(fork);
        vec![
            ("finalized_header", self.header(self.finalized_by(attested), fork)),
            ("finality_branch", branch(&self.state(attested).branch(index))),
        ]
    }

    fn signed(&self, shown: Shown, middle: Vec<(&str, Piece)>) -> Piece {
        let mut fields =
            vec![("attested_header", self.header(shown.attested, self.fork(shown.attested)))];
        fields.extend(middle);
        fields.push(("sync_aggregate", self.aggregate(shown)));
        fields.push(("signature_slot", number(shown.signature)));
        container(fields)
    }

    /// The first members are absent.
    fn aggregate(&self, shown: Shown) -> Piece {
        let version = self.network.fork_version_at(self.network.epoch_of(shown.signature - 1));
        let fork_data = merkle::hash_pair(
            B256::right_padding_from(&version),
            self.network.genesis_validators_root,
        );
        let mut domain = vec![7, 0, 0, 0];
        domain.extend(&fork_data[..28]);
        let message = merkle::hash_pair(self.root(shown.attested), B256::from_slice(&domain));
        let members = self.members(shown.signature, 0);
        let tag = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
        // The signature of a sum of secrets is the sum of their signatures.
        let sum = members.secrets[shown.absent..].iter().fold(U256::ZERO, |sum, secret| {
            sum.add_mod(U256::from_be_bytes(secret.to_bytes()), GROUP_ORDER)
        });
        let secret = SecretKey::from_bytes(&sum.to_be_bytes::<32>()).unwrap();
        let signature = secret.sign(message.as_slice(), tag, &[]);
        let mut bits = vec![0; members.keys.len() / 8];
        for index in shown.absent..members.keys.len() {
            bits[index / 8] |= 1 << (index % 8);
        }
        container(vec![
            ("sync_committee_bits", bytes(&bits)),
            ("sync_committee_signature", bytes(&signature.compress())),
        ])
    }

    fn members(&self, slot: Slot, later: u64) -> &Members {
        let period = self.network.period_of(slot) + later;
        &self.members[usize::try_from(period).unwrap()]
    }

    fn state(&self, slot: Slot) -> Tree {
        let fork = self.fork(slot);
        let finalized = match self.finalized_by(slot) {
            0 => B256::ZERO,
            finalized => self.root(finalized),
        };
        Tree(vec![
            (merkle::current_sync_committee(fork), self.members(slot, 0).root),
            (merkle::next_sync_committee(fork), self.members(slot, 1).root),
            (merkle::finalized_root(fork), finalized),
        ])
    }

    fn beacon(&self, slot: Slot) -> BeaconBlockHeader {
        BeaconBlockHeader {
            slot,
            proposer_index: if self.twin == Some(slot) { 8 } else { 7 },
            parent_root: B256::repeat_byte(9),
            state_root: self.state(slot).node(1),
            body_root: self.body(slot).node(1),
        }
    }

    fn body(&self, slot: Slot) -> Tree {
        let fork = self.fork(slot);
        let ssz = execution(slot, fork).ssz;
        Tree(match fork {
            Fork::Altair | Fork::Bellatrix => vec![],
            Fork::Capella => {
                vec![(25, CapellaExecution::from_ssz_bytes(&ssz).unwrap().tree_hash_root())]
            }
            _ => vec![(25, ExecutionPayloadHeader::from_ssz_bytes(&ssz).unwrap().tree_hash_root())],
        })
    }

    /// The block's header in a container of `shape`, which is of its fork or a later one; empty for slot 0.
    fn header(&self, slot: Slot, shape: Fork) -> Piece {
        let beacon = if slot == 0 { BeaconBlockHeader::default() } else { self.beacon(slot) };
        let beacon = container(vec![
            ("slot", number(beacon.slot)),
            ("proposer_index", number(beacon.proposer_index)),
            ("parent_root", bytes(beacon.parent_root.as_slice())),
            ("state_root", bytes(beacon.state_root.as_slice())),
            ("body_root", bytes(beacon.body_root.as_slice())),
        ]);
        if shape < Fork::Capella {
            return container(vec![("beacon", beacon)]);
        }
        let has_execution = slot != 0 && self.fork(slot) >= Fork::Capella;
        let nodes = if has_execution { self.body(slot).branch(25) } else { vec![B256::ZERO; 4] };
        let execution = match self.fork(slot) {
            _ if !has_execution => fields(0, shape, &[0, 0]),
            Fork::Capella if shape >= Fork::Deneb => fields(slot, shape, &[0, 0]),
            _ => execution(slot, shape),
        };
        container(vec![
            ("beacon", beacon),
            ("execution", execution),
            ("execution_branch", branch(&nodes)),
        ])
    }
}

fn execution(slot: Slot, shape: Fork) -> Piece {
    fields(slot, shape, &[131_072, slot + 5])
}

/// An execution header whose fields follow from `seed`; all zero for 0.
fn fields(seed: u64, shape: Fork, blob_gas: &[u64; 2]) -> Piece {
    let filled = |tag: u8| if seed == 0 { B256::ZERO } else { B256::repeat_byte(tag) };
    let root = |tag| bytes(filled(tag).as_slice());
    let fee: U256 = U256::from(seed) << 70;
    let extra = bytes(if seed == 0 { b"" } else { b"built" });
    let mut fields = vec![
        ("parent_hash", root(1)),
        ("fee_recipient", bytes(&filled(2)[..20])),
        ("state_root", root(3)),
        ("receipts_root", root(4)),
        ("logs_bloom", bytes(&filled(5).repeat(8))),
        ("prev_randao", root(6)),
        ("block_number", number(seed)),
        ("gas_limit", number(seed * 3)),
        ("gas_used", number(seed * 2)),
        ("timestamp", number(seed * 12)),
        ("extra_data", Piece { is_fixed: false, ..extra }),
        (
            "base_fee_per_gas",
            Piece {
                json: json!(fee.to_string()),
                ssz: fee.to_le_bytes::<32>().into(),
                is_fixed: true,
            },
        ),
        ("block_hash", root(8)),
        ("transactions_root", root(9)),
        ("withdrawals_root", root(10)),
    ];
    if shape >= Fork::Deneb {
        fields.push(("blob_gas_used", number(blob_gas[0])));
        fields.push(("excess_blob_gas", number(blob_gas[1])));
    }
    container(fields)
}

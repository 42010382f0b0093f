//! The same verification, plainly: reading, hashes and branches as the client has them, BLS by the crate `bls12_381`.

use alloy_primitives::B256;
use bls12_381::{
    G1Affine, G1Projective, G2Affine, G2Prepared, G2Projective, Gt,
    hash_to_curve::{ExpandMessageState, HashToCurve, InitExpandMessage},
    multi_miller_loop,
};
use greenlight_watcher::light_client::{
    BeaconBlockHeader, FinalityUpdate, Fork, Header, Network, OptimisticUpdate, Preset, Update,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    scene::{Answer, Kind, bytes},
    ssz,
};

const CIPHERSUITE: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// Generalized indices since Electra.
const EXECUTION_PAYLOAD: usize = 25;
const CURRENT_SYNC_COMMITTEE: usize = 86;
const NEXT_SYNC_COMMITTEE: usize = 87;
const FINALIZED_ROOT: usize = 169;

/// A finality update, or an update without its committee.
#[derive(Clone)]
pub(crate) struct Signed {
    ssz: Vec<u8>,
    attested_execution_branch: Vec<B256>,
    finalized_execution_branch: Vec<B256>,
    finality_branch: Vec<B256>,
    attested_state_root: B256,
    signers: Vec<bool>,
    signature: [u8; 96],
}

impl Signed {
    pub(crate) fn new(answer: &Answer) -> Self {
        let data = &answer.data;
        let aggregate = &data["sync_aggregate"];
        let bits = bytes(&aggregate["sync_committee_bits"]);
        Self {
            ssz: ssz::encode(Kind::FinalityUpdate, data),
            attested_execution_branch: nodes(&data["attested_header"]["execution_branch"]),
            finalized_execution_branch: nodes(&data["finalized_header"]["execution_branch"]),
            finality_branch: nodes(&data["finality_branch"]),
            attested_state_root: B256::from_slice(&bytes(
                &data["attested_header"]["beacon"]["state_root"],
            )),
            signers: (0..bits.len() * 8)
                .map(|seat| bits[seat / 8] >> (seat % 8) & 1 == 1)
                .collect(),
            signature: array(&aggregate["sync_committee_signature"]),
        }
    }

    /// `keys` are those of the seats in order; those of absent seats may be anything.
    pub(crate) fn verify(&self, network: &Network, keys: &[G1Affine]) -> bool {
        let update: Update =
            FinalityUpdate::from_ssz(Preset::Mainnet, Fork::Fulu, &self.ssz).unwrap().into();
        let (attested, finalized) = (update.attested(), update.finalized().unwrap());
        let participation = update.participation();
        let signing = keys.iter().zip(&self.signers).filter(|(_, signs)| **signs);
        participation.voted * 3 >= participation.of * 2
            && update.signature_slot() > attested.slot()
            && attested.slot() >= finalized.slot()
            && has_execution(network, attested, &self.attested_execution_branch)
            && has_execution(network, finalized, &self.finalized_execution_branch)
            && fold(finalized.root(), &self.finality_branch, FINALIZED_ROOT)
                == attested.beacon().state_root
            && fast_aggregate_verify(
                signing.map(|(key, _)| key),
                signing_root(network, attested.root(), update.signature_slot()),
                &self.signature,
            )
    }

    /// Whether its state has that next committee.
    pub(crate) fn brings(&self, committee: &Committee) -> bool {
        fold(committee.root(), &committee.branch, NEXT_SYNC_COMMITTEE) == self.attested_state_root
    }

    pub(crate) fn with_signature_of(&self, other: &Self) -> Self {
        Self { signature: other.signature, ..self.clone() }
    }

    pub(crate) fn one_signer_less(&self) -> Self {
        let mut less = self.clone();
        *less.signers.iter_mut().find(|signs| **signs).unwrap() = false;
        less
    }
}

/// A bootstrap without its committee.
pub(crate) struct Checkpoint {
    /// The header, as that of an optimistic update.
    ssz: Vec<u8>,
    execution_branch: Vec<B256>,
    trusted: B256,
}

impl Checkpoint {
    pub(crate) fn new(answer: &Answer) -> Self {
        let header = &answer.data["header"];
        let zeros = |length: usize| json!(format!("0x{}", "00".repeat(length)));
        let as_update = json!({
            "attested_header": header,
            "sync_aggregate": {
                "sync_committee_bits": zeros(64),
                "sync_committee_signature": zeros(96),
            },
            "signature_slot": "0",
        });
        Self {
            ssz: ssz::encode(Kind::OptimisticUpdate, &as_update),
            execution_branch: nodes(&header["execution_branch"]),
            trusted: answer.trusted,
        }
    }

    pub(crate) fn verify(&self, network: &Network, committee: &Committee) -> bool {
        let update: Update =
            OptimisticUpdate::from_ssz(Preset::Mainnet, Fork::Fulu, &self.ssz).unwrap().into();
        let header = update.attested();
        let BeaconBlockHeader { state_root, .. } = header.beacon();
        has_execution(network, header, &self.execution_branch)
            && header.root() == self.trusted
            && fold(committee.root(), &committee.branch, CURRENT_SYNC_COMMITTEE) == *state_root
    }
}

/// A committee as it travels.
pub(crate) struct Committee {
    keys: Vec<[u8; 48]>,
    aggregate: [u8; 48],
    branch: Vec<B256>,
}

impl Committee {
    pub(crate) fn new(data: &Value, name: &str) -> Self {
        Self {
            keys: data[name]["pubkeys"].as_array().unwrap().iter().map(array).collect(),
            aggregate: array(&data[name]["aggregate_pubkey"]),
            branch: nodes(&data[format!("{name}_branch")]),
        }
    }

    /// Every key.
    pub(crate) fn decompressed(&self) -> Vec<G1Affine> {
        self.keys.iter().map(decompress).collect()
    }

    /// The keys of those who signed that.
    pub(crate) fn decompressed_of(&self, signed: &Signed) -> Vec<G1Affine> {
        let key = |(key, signs): (&[u8; 48], &bool)| {
            if *signs { decompress(key) } else { G1Affine::identity() }
        };
        self.keys.iter().zip(&signed.signers).map(key).collect()
    }

    fn root(&self) -> B256 {
        let leaf = |key: &[u8; 48]| tree_hash::merkle_root(key, 2);
        let leaves: Vec<u8> = self.keys.iter().flat_map(|key| leaf(key).0).collect();
        hash(tree_hash::merkle_root(&leaves, self.keys.len()), leaf(&self.aggregate))
    }
}

/// Checks as well that it is a point of the group, and not infinity.
fn decompress(key: &[u8; 48]) -> G1Affine {
    let key = G1Affine::from_compressed(key).unwrap();
    assert!(!bool::from(key.is_identity()));
    key
}

/// `FastAggregateVerify` (draft-irtf-cfrg-bls-signature): e(-g, signature) · e(sum of keys, H(message)) = 1.
fn fast_aggregate_verify<'k>(
    keys: impl Iterator<Item = &'k G1Affine>,
    message: B256,
    signature: &[u8; 96],
) -> bool {
    let signature = G2Affine::from_compressed(signature);
    let Some(signature) = Option::<G2Affine>::from(signature) else { return false };
    let sum = keys.fold(G1Projective::identity(), |sum, key| sum + key);
    if bool::from(sum.is_identity()) || bool::from(signature.is_identity()) {
        return false;
    }
    let hash = <G2Projective as HashToCurve<Xmd>>::hash_to_curve(message, CIPHERSUITE);
    let terms = [
        (&-G1Affine::generator(), &G2Prepared::from(signature)),
        (&G1Affine::from(sum), &G2Prepared::from(G2Affine::from(hash))),
    ];
    multi_miller_loop(&terms).final_exponentiation() == Gt::identity()
}

/// `expand_message_xmd` with SHA-256 (RFC 9380, section 5.3.1). The crate's own wants an older `sha2`.
struct Xmd {
    expanded: Vec<u8>,
    read: usize,
}

impl<'x> InitExpandMessage<'x> for Xmd {
    type Expander = Self;

    fn init_expand(message: &[u8], tag: &'x [u8], length: usize) -> Self {
        let suffix = [tag, &[tag.len() as u8]].concat();
        let hash = |parts: &[&[u8]]| -> [u8; 32] {
            let hasher = Sha256::new();
            parts.iter().fold(hasher, |hasher, part| hasher.chain_update(part)).finalize().into()
        };
        let first = hash(&[&[0; 64], message, &(length as u16).to_be_bytes(), &[0], &suffix]);
        let mut block = hash(&[&first, &[1], &suffix]);
        let mut expanded = block.to_vec();
        for index in 2..=length.div_ceil(32) {
            let mixed: Vec<u8> =
                first.iter().zip(block).map(|(left, right)| left ^ right).collect();
            block = hash(&[&mixed, &[index as u8], &suffix]);
            expanded.extend(block);
        }
        expanded.truncate(length);
        Self { expanded, read: 0 }
    }
}

impl ExpandMessageState<'_> for Xmd {
    fn read_into(&mut self, output: &mut [u8]) -> usize {
        let length = output.len().min(self.remain());
        output[..length].copy_from_slice(&self.expanded[self.read..self.read + length]);
        self.read += length;
        length
    }

    fn remain(&self) -> usize {
        self.expanded.len() - self.read
    }
}

fn has_execution(network: &Network, header: &Header, branch: &[B256]) -> bool {
    let root = header.execution_root(network);
    fold(root, branch, EXECUTION_PAYLOAD) == header.beacon().body_root
}

fn signing_root(network: &Network, block_root: B256, signature_slot: u64) -> B256 {
    let version = network.fork_version_at(network.epoch_of(signature_slot - 1));
    let fork_data = hash(B256::right_padding_from(&version), network.genesis_validators_root);
    let mut domain = B256::ZERO;
    domain[0] = 7;
    domain[4..].copy_from_slice(&fork_data[..28]);
    hash(block_root, domain)
}

fn fold(leaf: B256, branch: &[B256], index: usize) -> B256 {
    branch.iter().enumerate().fold(leaf, |node, (level, sibling)| {
        if index >> level & 1 == 1 { hash(*sibling, node) } else { hash(node, *sibling) }
    })
}

fn hash(left: B256, right: B256) -> B256 {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(left.as_slice());
    pair[32..].copy_from_slice(right.as_slice());
    tree_hash::merkle_root(&pair, 2)
}

fn nodes(values: &Value) -> Vec<B256> {
    values.as_array().unwrap().iter().map(|node| B256::from_slice(&bytes(node))).collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

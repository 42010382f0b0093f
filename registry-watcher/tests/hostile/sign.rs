//! What a committee signs when it signs something else; and a checkpoint whose committee is not what it should be.

use std::{collections::BTreeMap, sync::LazyLock};

use alloy_primitives::{B256, U256, uint};
use blst::min_pk::{AggregateSignature, SecretKey, Signature};
use greenlight_watcher::light_client::BeaconBlockHeader;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tree_hash::TreeHash as _;

use crate::scene::{Answer, Input, bytes, text};

/// Ciphersuite of the beacon chain's signatures.
pub(crate) const ETHEREUM: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// A domain (consensus-specs phase0, `compute_domain`).
pub(crate) fn domain(kind: u8, fork_version: [u8; 4], genesis_validators_root: B256) -> B256 {
    let fork_data = hash(B256::right_padding_from(&fork_version), genesis_validators_root);
    let mut domain = B256::ZERO;
    domain[0] = kind;
    domain[4..].copy_from_slice(&fork_data[..28]);
    domain
}

/// Has all of `committee` sign the attested header in that domain, or its bare root.
pub(crate) fn sign(answer: &mut Answer, committee: &Value, domain: Option<B256>, suite: &[u8]) {
    let update = answer.read(&Input::Json(&answer.json())).unwrap();
    let root = update.attested().root();
    let message = domain.map_or(root, |domain| hash(root, domain));
    let keys = committee["pubkeys"].as_array().unwrap();
    let signatures: Vec<Signature> =
        keys.iter().map(|key| SECRETS[&bytes(key)].sign(message.as_slice(), suite, &[])).collect();
    let all: Vec<&Signature> = signatures.iter().collect();
    let sum = AggregateSignature::aggregate(&all, false).unwrap().to_signature();
    answer.data["sync_aggregate"]["sync_committee_bits"] = text(&vec![0xff; keys.len() / 8]);
    answer.data["sync_aggregate"]["sync_committee_signature"] = text(&sum.compress());
}

/// By public key, those of the simulator's validators (eth2.0-pm, `interop/mocked_start`).
static SECRETS: LazyLock<BTreeMap<Vec<u8>, SecretKey>> = LazyLock::new(|| {
    const ORDER: U256 =
        uint!(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256);
    let secret = |index: u64| {
        let digest = Sha256::digest(U256::from(index).to_le_bytes::<32>());
        let number = U256::from_le_bytes::<32>(digest.into()) % ORDER;
        SecretKey::from_bytes(&number.to_be_bytes::<32>()).unwrap()
    };
    let secrets = (0..1_024).map(secret);
    secrets.map(|secret| (secret.sk_to_pk().compress().to_vec(), secret)).collect()
});

/// A signature that is a point of the curve and not of the group.
pub(crate) fn outside_the_group() -> Value {
    let point = (1..=u8::MAX).map(|x| {
        let mut point = [0; 96];
        point[0] = 0x80;
        point[95] = x;
        point
    });
    let is_outside = |point: &[u8; 96]| {
        Signature::uncompress(point).is_ok_and(|signature| !signature.subgroup_check())
    };
    text(&point.into_iter().find(is_outside).unwrap())
}

/// Has the checkpoint vouch for the committee that the bootstrap now has: state and block root follow from it.
pub(crate) fn vouch(bootstrap: &mut Answer) {
    let committee = committee_root(&bootstrap.data["current_sync_committee"]);
    let branch = bootstrap.data["current_sync_committee_branch"].as_array().unwrap();
    // `CURRENT_SYNC_COMMITTEE_GINDEX_ELECTRA`.
    let state_root = fold(committee, branch, 86);
    let header = &mut bootstrap.data["header"]["beacon"];
    header["state_root"] = text(state_root.as_slice());
    bootstrap.trusted =
        BeaconBlockHeader::tree_hash_root(&serde_json::from_value(header.clone()).unwrap());
}

fn committee_root(committee: &Value) -> B256 {
    let leaf = |key: &Value| {
        let key = bytes(key);
        hash(B256::from_slice(&key[..32]), B256::right_padding_from(&key[32..]))
    };
    let mut nodes: Vec<B256> = committee["pubkeys"].as_array().unwrap().iter().map(leaf).collect();
    while nodes.len() > 1 {
        nodes = nodes.chunks(2).map(|pair| hash(pair[0], pair[1])).collect();
    }
    hash(nodes[0], leaf(&committee["aggregate_pubkey"]))
}

fn fold(leaf: B256, branch: &[Value], index: usize) -> B256 {
    branch.iter().enumerate().fold(leaf, |node, (level, sibling)| {
        let sibling = B256::from_slice(&bytes(sibling));
        if index >> level & 1 == 1 { hash(sibling, node) } else { hash(node, sibling) }
    })
}

fn hash(left: B256, right: B256) -> B256 {
    let digest: [u8; 32] = Sha256::new().chain_update(left).chain_update(right).finalize().into();
    digest.into()
}

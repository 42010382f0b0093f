use blst::{
    BLST_ERROR,
    min_pk::{AggregatePublicKey, PublicKey, Signature},
};

use super::*;
use crate::Signers;

/// Of the interop keys that every client ships.
#[test]
fn keys_are_the_well_known_ones() {
    let secret = Scalar::interop(0).secret().unwrap();
    let known = "25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866";
    assert_eq!(hex::encode(secret.to_bytes()), known);
    let public = "a99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4bf2d153f649f7b53359fe8b94a38e44c";
    assert_eq!(hex::encode(Scalar::interop(0).public()), public);
}

#[test]
fn sums_are_modulo_the_order() {
    let [low, rest @ ..] = Scalar::ORDER;
    let [a, b, c] = rest;
    let one_below = Scalar([low - 1, a, b, c]);
    let one = Scalar([1, 0, 0, 0]);
    assert_eq!(one_below.plus(one), Scalar::ZERO);
    assert_eq!(one_below.plus(one_below), Scalar([low - 2, a, b, c]));
    assert!(Scalar::ZERO.secret().is_none());
}

fn verifies(committee: &Committee, signed: &Root, aggregate: &Aggregate) -> bool {
    let keys: Vec<PublicKey> = committee
        .public_keys()
        .enumerate()
        .filter(|(seat, _)| aggregate.bits[seat / 8] >> (seat % 8) & 1 == 1)
        .map(|(_, key)| PublicKey::key_validate(key).unwrap())
        .collect();
    let keys: Vec<&PublicKey> = keys.iter().collect();
    let signature = Signature::sig_validate(&aggregate.signature, true).unwrap();
    signature.fast_aggregate_verify(true, signed, DST, &keys) == BLST_ERROR::BLST_SUCCESS
}

#[test]
fn whoever_has_a_bit_has_signed() {
    let committee = Committee::new(Preset::Minimal, 3);
    let root = [5; 32];
    for signers in [Signers::All, Signers::First(1), Signers::Seats(vec![0, 7, 8, 31, 32])] {
        let aggregate = committee.sign(&root, |seat| signers.has(seat));
        assert!(verifies(&committee, &root, &aggregate), "{signers:?}");
        assert!(!verifies(&committee, &[6; 32], &aggregate), "{signers:?}");
    }
    let none = committee.sign(&root, |_| false);
    assert_eq!((none.bits, none.signature), (vec![0; 4], INFINITY));
}

#[test]
fn the_aggregate_key_is_the_sum_of_all_seats() {
    for preset in [Preset::Mainnet, Preset::Minimal] {
        let committee = Committee::new(preset, 0);
        let keys: Vec<&[u8]> = committee.public_keys().map(|key| &key[..]).collect();
        assert_eq!(keys.len(), preset.sync_committee_size());
        let sum = AggregatePublicKey::aggregate_serialized(&keys, true).unwrap();
        assert_eq!(sum.to_public_key().compress(), committee.aggregate);
    }
}

#[test]
fn committees_differ_from_period_to_period() {
    let committees = Committees::new(Preset::Minimal);
    let roots: std::collections::BTreeSet<Root> =
        (0..20).map(|period| committees.get(period).root).collect();
    assert_eq!(roots.len(), 20);
    assert_eq!(committees.get(0).root, Committee::new(Preset::Minimal, 0).root);
}

use blst::min_pk::{AggregateSignature, SecretKey};
use proptest::prelude::*;

use super::*;

const MESSAGE: B256 = B256::repeat_byte(7);

/// Secret keys of a committee, and the committee. Its last two members are one validator, as happens on real chains.
fn committee(size: u8) -> (Vec<SecretKey>, Committee) {
    let mut secrets: Vec<_> =
        (1..size).map(|seed| SecretKey::key_gen(&[seed; 32], &[]).unwrap()).collect();
    secrets.push(secrets.last().unwrap().clone());
    let keys: Vec<_> = secrets.iter().map(SecretKey::sk_to_pk).collect();
    let aggregate = plain_sum(&keys).unwrap().compress();
    let keys = keys.iter().map(|key| FixedBytes(key.compress())).collect();
    (secrets, Committee::new(keys, FixedBytes(aggregate)))
}

/// `FastAggregateVerify`'s own way: every signer's key, added up.
fn plain_sum(keys: &[PublicKey]) -> Option<PublicKey> {
    let keys: Vec<_> = keys.iter().collect();
    Some(AggregatePublicKey::aggregate(&keys, true).ok()?.to_public_key())
}

fn sign(secrets: &[SecretKey], signers: &[bool]) -> FixedBytes<96> {
    let signatures: Vec<_> = secrets
        .iter()
        .zip(signers)
        .filter(|(_, signed)| **signed)
        .map(|(secret, _)| secret.sign(MESSAGE.as_slice(), DOMAIN_SEPARATION_TAG, &[]))
        .collect();
    let signatures: Vec<_> = signatures.iter().collect();
    let sum = AggregateSignature::aggregate(&signatures, false).unwrap();
    FixedBytes(sum.to_signature().compress())
}

fn decompressed(committee: &Committee) -> usize {
    committee.keys.iter().filter(|key| key.point.get().is_some()).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_aggregate_less_the_absent_is_the_sum_of_the_signers(signers in prop::collection::vec(any::<bool>(), 12)) {
        let (secrets, committee) = committee(12);
        let present: Vec<_> = secrets
            .iter()
            .zip(&signers)
            .filter(|(_, signed)| **signed)
            .map(|(secret, _)| secret.sk_to_pk())
            .collect();
        if let Some(expected) = plain_sum(&present) {
            prop_assert_eq!(committee.sum_of(&signers).unwrap(), expected);
            prop_assert_eq!(committee.verify(&signers, MESSAGE, &sign(&secrets, &signers)), Ok(()));
        }
    }
}

#[test]
fn a_new_committee_costs_one_decompression_and_one_an_absent_member() {
    let (secrets, committee) = committee(32);
    let mut signers = vec![true; 32];
    committee.verify(&signers, MESSAGE, &sign(&secrets, &signers)).unwrap();
    assert_eq!(decompressed(&committee), 0);
    signers[3] = false;
    signers[31] = false;
    for _ in 0..2 {
        committee.verify(&signers, MESSAGE, &sign(&secrets, &signers)).unwrap();
        assert_eq!(decompressed(&committee), 2);
    }
}

#[test]
fn a_signature_of_others_or_of_something_else_is_refused() {
    let (secrets, committee) = committee(32);
    let all = vec![true; 32];
    let mut fewer = all.clone();
    fewer[0] = false;
    let signature = sign(&secrets, &all);
    let refused = |signers: &[bool], message| {
        committee.verify(signers, message, &signature).unwrap_err().reason()
    };
    assert_eq!(refused(&fewer, MESSAGE), "signature");
    assert_eq!(refused(&all, B256::repeat_byte(8)), "signature");
    // Nobody's signature is infinity, and so is nobody's key.
    let mut infinity = FixedBytes::<96>::ZERO;
    infinity[0] = 0xc0;
    let nobody = vec![false; 32];
    let reason = |signature| committee.verify(&nobody, MESSAGE, signature).unwrap_err().reason();
    assert_eq!(reason(&infinity), "signature-encoding");
    assert_eq!(reason(&signature), "signature");
    assert_eq!(reason(&FixedBytes::ZERO), "signature-encoding");
    assert_eq!(reason(&FixedBytes::repeat_byte(0xff)), "signature-encoding");
}

#[test]
fn a_key_that_is_no_point_is_refused_when_it_is_needed() {
    let (secrets, valid) = committee(32);
    let (mut keys, aggregate) = valid.to_bytes();
    keys[5] = FixedBytes::repeat_byte(0xff);
    let bad = Committee::new(keys.clone(), aggregate);
    let mut signers = vec![true; 32];
    let signature = sign(&secrets, &signers);
    bad.verify(&signers, MESSAGE, &signature).unwrap();
    signers[5] = false;
    let error = bad.verify(&signers, MESSAGE, &signature).unwrap_err();
    assert_eq!(error, LightClientError::CommitteeKey { place: "5".into() });
    let mut infinity = FixedBytes::<48>::ZERO;
    infinity[0] = 0xc0;
    for aggregate in [infinity, FixedBytes::ZERO] {
        let bad = Committee::new(keys.clone(), aggregate);
        let error = bad.verify(&signers, MESSAGE, &signature).unwrap_err();
        assert_eq!(error, LightClientError::CommitteeKey { place: "aggregate".into() });
    }
}

#[test]
fn the_root_is_over_every_key_and_the_aggregate() {
    let (_, valid) = committee(32);
    let (keys, aggregate) = valid.to_bytes();
    assert_eq!(Committee::new(keys.clone(), aggregate).root(), valid.root());
    for index in 0..keys.len() {
        let mut other = keys.clone();
        other[index][47] ^= 1;
        assert_ne!(Committee::new(other, aggregate).root(), valid.root());
    }
    let mut other = aggregate;
    other[47] ^= 1;
    assert_ne!(Committee::new(keys, other).root(), valid.root());
}

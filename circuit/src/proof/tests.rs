use ark_ff::One as _;

use super::*;
use crate::{keys::development, r1cs::tiny};

/// A statement and a proof of something else: what is read is not yet true.
fn file() -> ProofFile {
    let (r1cs, assignment) = (tiny::inputs(), tiny::inputs_assignment());
    let key = development(&r1cs, 7).unwrap();
    let proof = prove(&key, &r1cs, &assignment).unwrap();
    verify(&key.verifying_key(), &assignment[1..7], &proof).unwrap();
    let statement =
        Statement { digest: Digest([0xd1; 32]), commitment: Commitment([0x0c; 32]), rows: 200 };
    ProofFile { key: key.verifying_key(), evidence: Evidence { statement, proof } }
}

#[test]
fn the_public_inputs_are_the_statement_and_the_engine() {
    let mut digest = [0; 32];
    digest[0] = 0xab;
    digest[29..].copy_from_slice(&[1, 2, 3]);
    let statement = Statement { digest: Digest(digest), commitment: Commitment([1; 32]), rows: 9 };
    let inputs = statement.public_inputs(&Schema::ENGINE_1).unwrap();
    let hex = |element: Fr| hex::encode(crate::points::be_bytes(element));
    assert_eq!(hex(inputs[0]), "01".repeat(32));
    assert_eq!(hex(inputs[1]), format!("00ab{}0109", "00".repeat(28)));
    assert_eq!(
        format!("{}{}", &hex(inputs[2])[32..], &hex(inputs[3])[32..]),
        hex::encode(Schema::ENGINE_1.word)
    );
    assert_eq!([inputs[4], inputs[5]], [Fr::one(), Fr::from(1_000)]);

    for rows in [0, 201, 255] {
        let error = Statement { rows, ..statement }.public_inputs(&Schema::ENGINE_1).unwrap_err();
        assert_eq!(error, EvidenceError::Rows { found: rows });
    }
    // The order of the field, in place of which 0 would do as well.
    let order =
        hex::decode("30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001").unwrap();
    let found = Commitment(order.try_into().unwrap());
    let error = Statement { commitment: found, ..statement }.public_inputs(&Schema::ENGINE_1);
    assert_eq!(error.unwrap_err(), EvidenceError::Commitment { found });
}

#[test]
fn what_is_not_true_is_not_proven() {
    let (r1cs, mut assignment) = (tiny::r1cs(), tiny::assignment(3));
    let key = development(&r1cs, 7).unwrap();
    let proof = prove(&key, &r1cs, &assignment).unwrap();
    let vk = key.verifying_key();
    assert_eq!(verify(&vk, &assignment[1..2], &proof), Ok(()));
    assert_eq!(verify(&vk, &[Fr::one()], &proof), Err(EvidenceError::Refused));
    assert_eq!(verify(&vk, &[], &proof), Err(EvidenceError::Inputs { expected: 1, found: 0 }));

    let short = prove(&key, &r1cs, &assignment[1..]).unwrap_err();
    assert!(matches!(short, ProveError::Assignment { expected: 9, found: 8 }));
    assignment[3] += Fr::one();
    let error = prove(&key, &r1cs, &assignment).unwrap_err();
    assert!(matches!(error, ProveError::Unsatisfied { constraint: 0 }), "{error}");
    let other = prove(&key, &tiny::inputs(), &tiny::inputs_assignment()).unwrap_err();
    assert!(matches!(other, ProveError::Key { .. }), "{other}");
}

#[test]
fn a_proof_file_is_read_as_it_was_written_and_not_otherwise() {
    let file = file();
    let bytes = file.to_bytes();
    assert_eq!(bytes.len(), PROOF_FILE_LEN);
    assert_eq!(ProofFile::from_bytes(&bytes).unwrap(), file);
    assert_eq!(file.verify(&Schema::ENGINE_1), Err(EvidenceError::Refused), "of another statement");

    for length in [0, 3, 4, 100, PROOF_FILE_LEN - 1] {
        assert_eq!(
            ProofFile::from_bytes(&bytes[..length]).unwrap_err(),
            ProofFileError::Length { found: length }
        );
    }
    let changed = |place: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[place] = byte;
        ProofFile::from_bytes(&bytes).unwrap_err()
    };
    assert!(matches!(changed(0, 0), ProofFileError::Magic { .. }));
    assert_eq!(changed(5, 2), ProofFileError::Format { found: 2 });
    assert_eq!(changed(6, 2), ProofFileError::Flags { found: [2, 0] });
    assert_eq!(changed(7, 1), ProofFileError::Flags { found: [1, 1] });
    // Each point must be one.
    for place in [43, 200, 300, 450, 600, 850] {
        let error = changed(place, bytes[place] ^ 1);
        assert!(matches!(error, ProofFileError::Key(_)), "{place}: {error}");
    }
    assert_eq!(changed(908 + 64, 0), EvidenceError::Rows { found: 0 }.into());
    assert_eq!(
        changed(908 + 65, 0xff),
        ProofFileError::Evidence(EvidenceError::Point(PointError::Coordinate))
    );
    for place in [908 + 96, 908 + 140, 908 + 300] {
        let error = changed(place, bytes[place] ^ 1);
        assert!(
            matches!(error, ProofFileError::Evidence(EvidenceError::Point(_))),
            "{place}: {error}"
        );
    }
}

use alloy::{
    primitives::{Address, U256},
    sol_types::SolError,
};

use super::*;
use crate::abi::{
    IAccessManaged, IAccessManager, IArtifactVerifier, IConfigRegistry, IGroth16Verifier,
};

fn refusal(error: &impl SolError) -> Refusal {
    Refusal::decode(&error.abi_encode().into())
}

#[test]
fn a_defect_has_the_edges_word_and_its_row() {
    let refused = refusal(&IArtifactVerifier::Refused { defect: 10, row: U256::from(7) });
    assert_eq!((refused.reason, refused.defect, refused.row), ("key-duplicate", Some(10), Some(7)));
    assert_eq!(
        refused.message,
        "the verifier refuses the artifact: key-duplicate (defect 10, row 7)"
    );
}

#[test]
fn a_header_defect_has_no_row() {
    for defect in (1..=8).chain([16]) {
        let refused = refusal(&IArtifactVerifier::Refused { defect, row: U256::ZERO });
        assert_eq!((refused.reason, refused.row), (Defect::reason_of(defect).unwrap(), None));
    }
}

#[test]
fn a_defect_from_the_future_is_not_hidden() {
    let refused = refusal(&IArtifactVerifier::Refused { defect: 99, row: U256::ZERO });
    assert_eq!((refused.reason, refused.defect), ("unknown-defect", Some(99)));
}

#[test]
fn each_contract_has_its_words() {
    let staged = refusal(&IConfigRegistry::AlreadyStaged { id: 3 });
    assert_eq!((staged.reason, staged.artifact), ("already-staged", Some(3)));
    let proof = refusal(&IGroth16Verifier::ProofRefused {});
    assert_eq!(
        (proof.reason, &*proof.message),
        ("proof-refused", "the verifier refuses the proof: it does not hold for this statement")
    );
    assert!(staged.message.contains("id 3"), "{}", staged.message);
    let moved = refusal(&IConfigRegistry::HeadMoved { expected: 3, found: 4 });
    assert_eq!((moved.reason, moved.artifact), ("head-moved", None));
    assert!(moved.message.ends_with("expected sequence 3; found 4"), "{}", moved.message);
    let caller = Address::repeat_byte(0xaa);
    assert_eq!(
        refusal(&IAccessManaged::AccessManagedUnauthorized { caller }).reason,
        "unauthorized"
    );
    let operation = IAccessManager::AccessManagerNotReady { operationId: Default::default() };
    assert_eq!(refusal(&operation).reason, "not-ready");
}

#[test]
fn foreign_reverts_are_shown_escaped() {
    let text = refusal(&Revert::from("first\u{1b}[2J\nsecond"));
    assert_eq!(
        (text.reason, text.message.as_str()),
        ("revert", "the contract reverts: first\\u{1b}[2J\\nsecond")
    );
    assert_eq!(Refusal::decode(&Bytes::new()).message, "the contract reverts and says no reason");
    let unknown = Refusal::decode(&Bytes::from_static(&[1, 2, 3, 4, 5]));
    assert_eq!(unknown.reason, "unknown-error");
    assert!(
        unknown.message.contains("0x01020304") && unknown.message.contains("0x05"),
        "{}",
        unknown.message
    );
    assert_eq!(Refusal::decode(&Bytes::from_static(&[1])).reason, "revert");
}

#[test]
fn a_safes_codes_are_put_into_words() {
    for (code, reason) in [
        ("GS010", "safe-gas"),
        ("GS013", INNER_CALL_FAILED),
        ("GS020", "safe-signatures"),
        ("GS026", "safe-signatures"),
        ("GS031", "safe-caller"),
        ("GS999", "revert"),
    ] {
        let refused = refusal(&Revert::from(code));
        assert_eq!(refused.reason, reason);
        assert!(refused.message.contains(code), "{}", refused.message);
    }
}

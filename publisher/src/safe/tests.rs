use alloy::{
    primitives::{Address, B256, Bytes, U256, keccak256},
    sol_types::{SolCall as _, SolStruct as _},
};

use super::{
    SafeTx,
    words::{Meaning, Words},
};
use crate::{
    abi::{IAccessManager as Manager, IConfigRegistry as Registry},
    schedule::Action,
};

const REGISTRY: Address = Address::repeat_byte(0x11);
const MANAGER: Address = Address::repeat_byte(0x22);

fn words(to: Address, data: &Bytes) -> Result<Words, String> {
    Words::of(to, data, REGISTRY, MANAGER)
}

#[test]
fn the_struct_is_the_one_that_safes_hash() {
    // `SAFE_TX_TYPEHASH` of Safe.sol.
    let expected = "0xbb8310d486368db6bd6f849402fdd73ad53d316b5a4b2644ad6efe0f941286d8";
    let transaction = SafeTx::call(REGISTRY, Bytes::new(), 0);
    assert_eq!(keccak256(SafeTx::eip712_encode_type().as_bytes()).to_string(), expected);
    assert_eq!(transaction.eip712_type_hash().to_string(), expected);
}

#[test]
fn every_act_has_words_and_nothing_else_has() {
    let verifier = Address::repeat_byte(0x33);
    let acts: [(Vec<u8>, &str); 8] = [
        (Registry::killCall {}.abi_encode(), "kill"),
        (Registry::pauseCall {}.abi_encode(), "pause"),
        (Registry::rollbackCall { id: 3 }.abi_encode(), "rollback to 3"),
        (Registry::revokeCall { id: 3 }.abi_encode(), "revoke 3"),
        (Registry::reviveCall { sequence: 7 }.abi_encode(), "revive, decided on sequence 7"),
        (Registry::resumeCall { sequence: 7 }.abi_encode(), "resume, decided on sequence 7"),
        (
            Registry::addVerifierCall { verifier }.abi_encode(),
            "add verifier 0x3333333333333333333333333333333333333333",
        ),
        (
            Registry::stopVerifierCall { verifier }.abi_encode(),
            "stop verifier 0x3333333333333333333333333333333333333333",
        ),
    ];
    for (data, summary) in acts {
        assert_eq!(words(REGISTRY, &data.into()).unwrap().summary, summary);
    }
    // Reading is no act, and another contract's functions are none of the registry's.
    for data in [Registry::headCall {}.abi_encode(), Manager::expirationCall {}.abi_encode()] {
        words(REGISTRY, &data.clone().into()).unwrap_err();
        words(MANAGER, &data.into()).unwrap_err();
    }
    words(Address::ZERO, &Registry::killCall {}.abi_encode().into()).unwrap_err();
    words(REGISTRY, &Bytes::new()).unwrap_err();
}

#[test]
fn what_an_artifact_is_not_is_said() {
    let call = |artifact: &'static [u8]| Registry::stageCall {
        verifier: MANAGER,
        artifact: artifact.into(),
        evidence: Bytes::new(),
    };
    let words = words(REGISTRY, &call(b"no artifact").abi_encode().into()).unwrap();
    assert!(words.summary.contains("NO VALID ARTIFACT"), "{}", words.summary);
    assert!(words.summary.contains(&keccak256(b"no artifact").to_string()), "{}", words.summary);
}

#[test]
fn a_schedule_is_for_the_registry_and_for_the_earliest_time() {
    let promote = Registry::promoteCall { id: 3, canaryBps: 500, sequence: 7 }.abi_encode();
    let schedule = |target: Address, when: u64| -> Bytes {
        let data = promote.clone().into();
        Manager::scheduleCall { target, data, when: U256::from(when).to() }.abi_encode().into()
    };
    let told = words(MANAGER, &schedule(REGISTRY, 0)).unwrap();
    assert_eq!(told.summary, "schedule: promote 3 to 500 basis points, decided on sequence 7");
    let expected = Action::Promote { id: 3, canary_bps: 500, expected_sequence: 7 };
    assert!(matches!(told.meaning, Meaning::Schedule { action, .. } if action == expected));
    let share = told.arguments.iter().find(|argument| argument.name == "canaryBps").unwrap();
    assert_eq!((share.depth, share.value.as_str()), (1, "500 (a canary on 5.00 % of the edges)"));
    words(MANAGER, &schedule(MANAGER, 0)).unwrap_err();
    words(MANAGER, &schedule(REGISTRY, 1)).unwrap_err();
    // Of what is not the registry's.
    let grant = Manager::cancelCall {
        caller: REGISTRY,
        target: REGISTRY,
        data: B256::ZERO.as_slice().to_vec().into(),
    };
    words(MANAGER, &grant.abi_encode().into()).unwrap_err();
}

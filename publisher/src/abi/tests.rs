use std::{collections::BTreeSet, path::Path};

use alloy::{
    json_abi::{Event, Function, JsonAbi, StateMutability},
    primitives::FixedBytes,
};

use crate::safe::ISafe;

use super::{IAccessManaged, IAccessManager, IArtifactVerifier, IConfigRegistry, IGroth16Verifier};

fn compiled(contract: &str) -> JsonAbi {
    abi_of(&format!("out/{contract}.sol/{contract}.json"))
}

fn abi_of(artifact: &str) -> JsonAbi {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts").join(artifact);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; make it with: cd contracts && npm ci && npx forge build",
            path.display()
        )
    });
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(json["abi"].clone()).unwrap()
}

/// Everything that either side must agree on to call a function: its types, and whether it changes state.
fn functions<'a>(functions: impl Iterator<Item = &'a Function>) -> BTreeSet<String> {
    functions
        .map(|function| {
            let outputs = function.outputs.iter().map(|output| output.selector_type().into_owned());
            let view =
                matches!(function.state_mutability, StateMutability::View | StateMutability::Pure);
            format!(
                "{} view={view} → {}",
                function.signature(),
                outputs.collect::<Vec<_>>().join(",")
            )
        })
        .collect()
}

/// Everything that either side must agree on to read an event: its types, and which are topics.
fn events<'a>(events: impl Iterator<Item = &'a Event>) -> BTreeSet<String> {
    events
        .map(|event| {
            let indexed: Vec<_> = event.inputs.iter().map(|input| input.indexed).collect();
            format!("{} {indexed:?} {}", event.signature(), event.anonymous)
        })
        .collect()
}

fn errors(abi: &JsonAbi) -> BTreeSet<String> {
    abi.errors().map(|error| error.signature()).collect()
}

fn assert_part_of(ours: &JsonAbi, contract: &str) {
    assert_within(ours, &compiled(contract), contract);
}

fn assert_within(ours: &JsonAbi, theirs: &JsonAbi, contract: &str) {
    let unknown: Vec<_> = [
        functions(ours.functions())
            .difference(&functions(theirs.functions()))
            .cloned()
            .collect::<Vec<_>>(),
        events(ours.events()).difference(&events(theirs.events())).cloned().collect(),
        errors(ours).difference(&errors(theirs)).cloned().collect(),
    ]
    .concat();
    assert_eq!(unknown, Vec::<String>::new(), "not in {contract}");
}

#[test]
fn the_registry_interface_is_the_compiled_one() {
    let (ours, theirs) = (IConfigRegistry::abi::contract(), compiled("IConfigRegistry"));
    assert_eq!(functions(ours.functions()), functions(theirs.functions()));
    assert_eq!(events(ours.events()), events(theirs.events()));
    assert_eq!(errors(&ours), errors(&theirs));
}

#[test]
fn what_is_used_of_the_access_manager_is_in_the_compiled_one() {
    assert_part_of(&IAccessManager::abi::contract(), "IAccessManager");
    assert_part_of(&IAccessManaged::abi::contract(), "IAccessManaged");
    assert_part_of(&IArtifactVerifier::abi::contract(), "IArtifactVerifier");
    assert_part_of(&IGroth16Verifier::abi::contract(), "Groth16Verifier");
}

#[test]
fn what_is_used_of_a_safe_is_in_the_published_one() {
    let theirs = abi_of(
        "node_modules/@safe-global/safe-smart-account/build/artifacts/contracts/Safe.sol/Safe.json",
    );
    assert_within(&ISafe::abi::contract(), &theirs, "Safe");
}

#[test]
fn every_error_of_the_contracts_can_be_put_into_words() {
    let known: BTreeSet<_> = [
        IConfigRegistry::IConfigRegistryErrors::SELECTORS,
        IArtifactVerifier::IArtifactVerifierErrors::SELECTORS,
        IGroth16Verifier::IGroth16VerifierErrors::SELECTORS,
        IAccessManaged::IAccessManagedErrors::SELECTORS,
        IAccessManager::IAccessManagerErrors::SELECTORS,
    ]
    .concat()
    .into_iter()
    .map(FixedBytes::from)
    .collect();
    for contract in [
        "IConfigRegistry",
        "ConfigRegistry",
        "IArtifactVerifier",
        "Groth16Verifier",
        "IAccessManager",
    ] {
        for error in compiled(contract).errors() {
            assert!(
                known.contains(&error.selector()),
                "{contract}: {} has no words",
                error.signature()
            );
        }
    }
}

#[test]
fn a_head_word_has_the_fields_of_the_interface() {
    // Structs reach the ABI as bare tuples: the order of their fields is checked by name.
    let theirs = compiled("IConfigRegistry");
    let names = |function: &str| -> Vec<String> {
        let output = &theirs.function(function).unwrap()[0].outputs[0];
        output.components.iter().map(|field| field.name.clone()).collect()
    };
    let ours = IConfigRegistry::abi::contract();
    for function in ["head", "record"] {
        let fields: Vec<_> = ours.function(function).unwrap()[0].outputs[0]
            .components
            .iter()
            .map(|field| field.name.clone())
            .collect();
        assert_eq!(fields, names(function), "{function}");
    }
}

//! Every leaf of every container changed, one at a time: each is refused by the rule that covers it.

use std::collections::BTreeMap;

use alloy_primitives::U256;
use serde_json::{Value, json};

use crate::scene::{Answer, Kind, Scene, bytes, text};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// One more, or the lowest bit of the last byte inverted.
    Low,
    /// Its highest bit inverted.
    High,
    /// Zeros.
    Zero,
    /// What is no value of the leaf's type.
    Malformed,
    Null,
    Removed,
}

const CHANGES: [Change; 6] =
    [Change::Low, Change::High, Change::Zero, Change::Malformed, Change::Null, Change::Removed];

#[test]
fn every_leaf_of_every_container_is_covered_by_a_rule() {
    let scene = Scene::mainnet();
    let fresh = scene.fresh();
    let untouched = fresh.to_json();
    let answers = [
        scene.checkpoint(),
        scene.honest(Kind::Update, scene.early()),
        scene.honest(Kind::FinalityUpdate, scene.early()),
        scene.honest(Kind::OptimisticUpdate, scene.early()),
    ];
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for honest in &answers {
        let pointers = leaves(&honest.data);
        println!("{:?}: {} leaves", honest.kind, pointers.len());
        for pointer in &pointers {
            for change in CHANGES {
                let Some(answer) = changed(honest, pointer, change) else { continue };
                let place = format!("{:?} {pointer} {change:?}", honest.kind);
                let error = match answer.outcome(&fresh) {
                    Ok(_) => panic!("{place}: believed"),
                    Err(error) => error,
                };
                let reason = expected(honest.kind, pointer, change);
                assert_eq!(error.reason(), reason, "{place}: {error}");
                *refused.entry(reason).or_default() += 1;
            }
        }
        assert_eq!(fresh.to_json(), untouched);
        assert!(honest.outcome(&fresh).is_ok(), "{:?} as it was", honest.kind);
    }
    println!("{} changes refused: {refused:?}", refused.values().sum::<usize>());
}

/// The rule that covers a leaf: what binds it is a branch, the checkpoint or the signature, and two slots each other.
fn expected(kind: Kind, pointer: &str, change: Change) -> &'static str {
    if matches!(change, Change::Malformed | Change::Null | Change::Removed) {
        return "json";
    }
    let path: Vec<&str> = pointer.split('/').skip(1).collect();
    match (kind, path.as_slice()) {
        (_, ["header", "execution" | "execution_branch", ..] | ["header", _, "body_root"]) => {
            "execution-branch-checkpoint"
        }
        (_, ["header", ..]) => "checkpoint-root",
        (_, ["current_sync_committee" | "current_sync_committee_branch", ..]) => "committee-branch",

        (
            _,
            ["attested_header", "execution" | "execution_branch", ..]
            | ["attested_header", _, "body_root"],
        ) => "execution-branch-attested",
        (Kind::OptimisticUpdate, ["attested_header", _, "slot"]) if change == Change::Zero => {
            "update-not-newer"
        }
        (_, ["attested_header", _, "slot"]) => "slot-order",
        (Kind::Update | Kind::FinalityUpdate, ["attested_header", _, "state_root"]) => {
            "finality-branch"
        }
        (_, ["attested_header", ..]) => "signature",

        (
            _,
            ["finalized_header", "execution" | "execution_branch", ..]
            | ["finalized_header", _, "body_root"],
        ) => "execution-branch-finalized",
        (_, ["finalized_header", _, "slot"]) => match change {
            Change::Zero => "finalized-genesis",
            Change::High => "slot-order",
            _ => "finality-branch",
        },
        (_, ["finalized_header" | "finality_branch", ..]) => "finality-branch",

        (_, ["next_sync_committee" | "next_sync_committee_branch", ..]) => "next-committee-branch",

        (_, ["sync_aggregate", "sync_committee_bits"]) if change == Change::Zero => "participation",
        (_, ["sync_aggregate", "sync_committee_bits"]) => "signature",
        (_, ["sync_aggregate", _]) => "signature-encoding",
        (_, ["signature_slot"]) if change == Change::Zero => "slot-order",
        (_, ["signature_slot"]) => "signature-slot-future",
        _ => panic!("nothing covers {pointer}"),
    }
}

/// `None` where that is no change.
fn changed(honest: &Answer, pointer: &str, change: Change) -> Option<Answer> {
    let mut answer = honest.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let leaf = answer.data.pointer_mut(pointer).unwrap();
    let before = leaf.clone();
    match change {
        Change::Null => *leaf = Value::Null,
        Change::Removed => match answer.data.pointer_mut(parent).unwrap() {
            Value::Object(members) => drop(members.remove(name)),
            Value::Array(elements) => drop(elements.remove(name.parse().unwrap())),
            _ => unreachable!("a leaf has no leaves"),
        },
        Change::Malformed => *leaf = json!(format!("{}z", before.as_str().unwrap())),
        _ if before.as_str().unwrap().starts_with("0x") => {
            let mut changed = bytes(leaf);
            match change {
                Change::Low => *changed.last_mut().unwrap() ^= 1,
                Change::High => changed[0] ^= 0x80,
                _ => changed.fill(0),
            }
            *leaf = text(&changed);
        }
        _ => {
            let number: U256 = before.as_str().unwrap().parse().unwrap();
            let bits = if name == "base_fee_per_gas" { 256 } else { 64 };
            let changed = match change {
                Change::Low => number + U256::ONE,
                Change::High => number ^ (U256::ONE << (bits - 1)),
                _ => U256::ZERO,
            };
            *leaf = json!(changed.to_string());
        }
    }
    let is_same = answer.data.pointer(pointer) == Some(&before);
    (change == Change::Removed || !is_same).then_some(answer)
}

fn leaves(value: &Value) -> Vec<String> {
    let below = |name: &str, value: &Value| -> Vec<String> {
        leaves(value).into_iter().map(|pointer| format!("/{name}{pointer}")).collect()
    };
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| below(name, value)).collect()
        }
        Value::Array(elements) => (0..)
            .zip(elements)
            .flat_map(|(index, value): (usize, _)| below(&index.to_string(), value))
            .collect(),
        _ => vec![String::new()],
    }
}

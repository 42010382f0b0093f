//! Lies by change of an honest answer's JSON.

use alloy_primitives::B256;
use greenlight_beacon_simulator::ExecutionBlock;
use serde_json::{Value, json};

use crate::{
    cases::{Edit, Stage, current, member, right},
    scene::{Answer, Kind, bytes, flip, text},
    sign::{ETHEREUM, domain, outside_the_group, sign},
};

pub(crate) const BOOTSTRAP: &[(&str, &str, Edit)] = &[
    ("of another block", "checkpoint-root", |stage, a| {
        let (_, other) =
            stage.scene.chain.forge_bootstrap(stage.scene.slot(2), &ExecutionBlock::synthetic(2));
        a.data = other["data"].clone();
    }),
    ("trusted root of zeros", "checkpoint-root", |_, a| a.trusted = B256::ZERO),
    ("slot", "checkpoint-root", |_, a| rise_at(a, "/header/beacon/slot")),
    ("proposer", "checkpoint-root", |_, a| rise_at(a, "/header/beacon/proposer_index")),
    ("parent root", "checkpoint-root", |_, a| flip_at(a, "/header/beacon/parent_root")),
    ("state root", "checkpoint-root", |_, a| flip_at(a, "/header/beacon/state_root")),
    ("body root", "execution-branch-checkpoint", |_, a| flip_at(a, "/header/beacon/body_root")),
    ("execution state root", "execution-branch-checkpoint", |_, a| {
        flip_at(a, "/header/execution/state_root");
    }),
    ("execution branch", "execution-branch-checkpoint", |_, a| {
        flip_at(a, "/header/execution_branch/3");
    }),
    ("without execution header", "no-execution", |_, a| without_execution(a, "header")),
    ("a member's key", "committee-branch", |_, a| {
        a.data["current_sync_committee"]["pubkeys"][7] =
            a.data["current_sync_committee"]["pubkeys"][8].clone();
    }),
    ("two members change seats", "committee-branch", |_, a| {
        a.data["current_sync_committee"]["pubkeys"].as_array_mut().unwrap().swap(0, 1);
    }),
    ("aggregate key", "committee-branch", |_, a| {
        a.data["current_sync_committee"]["aggregate_pubkey"] =
            a.data["current_sync_committee"]["pubkeys"][0].clone();
    }),
    ("the next period's committee", "committee-branch", |stage, a| {
        let next = stage.scene.honest(Kind::Update, stage.scene.early());
        a.data["current_sync_committee"] = next.data["next_sync_committee"].clone();
    }),
    ("a committee of zeros", "committee-branch", |_, a| {
        zero_at(a, "/current_sync_committee/pubkeys");
        zero_at(a, "/current_sync_committee/aggregate_pubkey");
    }),
    ("committee branch, first node", "committee-branch", |_, a| {
        flip_at(a, "/current_sync_committee_branch/0");
    }),
    ("committee branch, last node", "committee-branch", |_, a| {
        flip_at(a, "/current_sync_committee_branch/5");
    }),
    ("committee branch of zeros", "committee-branch", |_, a| {
        zero_at(a, "/current_sync_committee_branch");
    }),
    ("committee branch of one node less", "json", |_, a| {
        drop(member(a, "/current_sync_committee_branch").as_array_mut().unwrap().pop());
    }),
    ("511 keys", "json", |_, a| {
        drop(member(a, "/current_sync_committee/pubkeys").as_array_mut().unwrap().pop());
    }),
    ("an unknown fork", "unknown-fork", |_, a| a.version = "gloas".into()),
    ("a fork by another spelling", "unknown-fork", |_, a| a.version = "Fulu".into()),
    ("a fork without name", "unknown-fork", |_, a| a.version.clear()),
    ("electra's containers by the name of deneb", "json", |_, a| a.version = "deneb".into()),
];

/// To a client that does not know the next committee.
pub(crate) const FIRST: &[(&str, &str, Edit)] = &[
    ("next committee, a key", "next-committee-branch", |_, a| {
        a.data["next_sync_committee"]["pubkeys"][511] =
            a.data["next_sync_committee"]["pubkeys"][0].clone();
    }),
    ("next committee, aggregate key", "next-committee-branch", |_, a| {
        a.data["next_sync_committee"]["aggregate_pubkey"] =
            a.data["next_sync_committee"]["pubkeys"][0].clone();
    }),
    ("the current committee for the next", "next-committee-branch", |stage, a| {
        a.data["next_sync_committee"] =
            stage.scene.checkpoint().data["current_sync_committee"].clone();
    }),
    ("next committee of zeros", "next-committee-branch", |_, a| {
        zero_at(a, "/next_sync_committee/pubkeys");
        zero_at(a, "/next_sync_committee/aggregate_pubkey");
    }),
    ("next committee branch", "next-committee-branch", |_, a| {
        flip_at(a, "/next_sync_committee_branch/2");
    }),
    ("next committee without branch", "next-committee-unproven", |_, a| {
        zero_at(a, "/next_sync_committee_branch");
    }),
];

/// To a client that knows the next committee.
pub(crate) const UPDATE: &[(&str, &str, Edit)] = &[
    ("next committee, a key", "next-committee-mismatch", |_, a| {
        a.data["next_sync_committee"]["pubkeys"][511] =
            a.data["next_sync_committee"]["pubkeys"][0].clone();
    }),
    ("the current committee for the next", "next-committee-mismatch", |stage, a| {
        a.data["next_sync_committee"] =
            stage.scene.checkpoint().data["current_sync_committee"].clone();
    }),
    ("next committee branch", "next-committee-branch", |_, a| {
        flip_at(a, "/next_sync_committee_branch/0");
    }),
    ("next committee without branch", "next-committee-unproven", |_, a| {
        zero_at(a, "/next_sync_committee_branch");
    }),
    ("511 keys", "json", |_, a| {
        drop(member(a, "/next_sync_committee/pubkeys").as_array_mut().unwrap().pop());
    }),
    ("another update's attested header", "finality-branch", |stage, a| {
        take(a, "attested_header", &other(stage, Kind::Update));
        a.data["signature_slot"] = other(stage, Kind::Update).data["signature_slot"].clone();
        a.current_slot += 1_000;
    }),
    ("electra's containers by the name of capella", "json", |_, a| a.version = "capella".into()),
    ("an unknown fork", "unknown-fork", |_, a| a.version = "phase0".into()),
];

pub(crate) const FINALITY: &[(&str, &str, Edit)] = &[
    ("attested slot is the signature's", "slot-order", |_, a| {
        rise_at(a, "/attested_header/beacon/slot");
    }),
    ("attested slot beyond all", "slot-order", |_, a| {
        a.data["attested_header"]["beacon"]["slot"] = json!(u64::MAX.to_string());
    }),
    ("attested proposer", "signature", |_, a| rise_at(a, "/attested_header/beacon/proposer_index")),
    ("attested parent root", "signature", |_, a| flip_at(a, "/attested_header/beacon/parent_root")),
    ("attested state root", "finality-branch", |_, a| {
        flip_at(a, "/attested_header/beacon/state_root");
    }),
    ("attested body root", "execution-branch-attested", |_, a| {
        flip_at(a, "/attested_header/beacon/body_root");
    }),
    ("attested execution state root", "execution-branch-attested", |_, a| {
        flip_at(a, "/attested_header/execution/state_root");
    }),
    ("attested execution branch", "execution-branch-attested", |_, a| {
        flip_at(a, "/attested_header/execution_branch/0");
    }),
    ("attested header without execution header", "no-execution", |_, a| {
        without_execution(a, "attested_header");
    }),
    ("finalized slot", "finality-branch", |_, a| rise_at(a, "/finalized_header/beacon/slot")),
    ("finalized header newer than the attested", "slot-order", |stage, a| {
        let slot = stage.scene.slot(stage.scene.later()) + 1;
        a.data["finalized_header"]["beacon"]["slot"] = json!(slot.to_string());
    }),
    ("finalized state root", "finality-branch", |_, a| {
        flip_at(a, "/finalized_header/beacon/state_root");
    }),
    ("finalized body root", "execution-branch-finalized", |_, a| {
        flip_at(a, "/finalized_header/beacon/body_root");
    }),
    ("finalized execution state root", "execution-branch-finalized", |_, a| {
        flip_at(a, "/finalized_header/execution/state_root");
    }),
    ("finalized execution branch", "execution-branch-finalized", |_, a| {
        flip_at(a, "/finalized_header/execution_branch/3");
    }),
    ("finalized header without execution header", "no-execution", |_, a| {
        without_execution(a, "finalized_header");
    }),
    ("another final header of the chain", "finality-branch", |stage, a| {
        let earlier = stage.scene.honest(Kind::FinalityUpdate, stage.scene.later() - 1);
        take(a, "finalized_header", &earlier);
    }),
    ("the attested header for the finalized", "finality-branch", |_, a| {
        a.data["finalized_header"] = a.data["attested_header"].clone();
    }),
    ("finality branch, epoch", "finality-branch", |_, a| flip_at(a, "/finality_branch/0")),
    ("finality branch, last node", "finality-branch", |_, a| flip_at(a, "/finality_branch/6")),
    ("finality branch of another update", "finality-branch", |stage, a| {
        take(a, "finality_branch", &other(stage, Kind::FinalityUpdate));
    }),
    ("finality branch of one node more", "json", |_, a| {
        member(a, "/finality_branch").as_array_mut().unwrap().push(text(&[0; 32]));
    }),
    ("finalized header without branch", "finalized-unproven", |_, a| {
        zero_at(a, "/finality_branch")
    }),
    ("finality branch without header", "finality-branch", |_, a| {
        without_execution(a, "finalized_header");
        let beacon = &mut a.data["finalized_header"]["beacon"];
        for name in ["parent_root", "state_root", "body_root"] {
            beacon[name] = text(&[0; 32]);
        }
        beacon["slot"] = json!("0");
        beacon["proposer_index"] = json!("0");
    }),
    ("a finalized header of slot 0", "finalized-genesis", |_, a| {
        a.data["finalized_header"]["beacon"]["slot"] = json!("0");
    }),
    ("signature slot in the future", "signature-slot-future", |_, a| rise_at(a, "/signature_slot")),
    ("signature slot beyond all", "signature-slot-future", |_, a| {
        a.data["signature_slot"] = json!(u64::MAX.to_string());
    }),
    ("signature slot is the attested", "slot-order", |_, a| {
        a.data["signature_slot"] = a.data["attested_header"]["beacon"]["slot"].clone();
    }),
    ("signature slot before the attested", "slot-order", |_, a| {
        a.data["signature_slot"] = a.data["finalized_header"]["beacon"]["slot"].clone();
    }),
    ("signature slot 0", "slot-order", |_, a| a.data["signature_slot"] = json!("0")),
    ("a clock that is behind", "signature-slot-future", |_, a| a.current_slot -= 1),
];

pub(crate) const OPTIMISTIC: &[(&str, &str, Edit)] = &[
    ("attested slot", "slot-order", |_, a| rise_at(a, "/attested_header/beacon/slot")),
    ("attested state root", "signature", |_, a| flip_at(a, "/attested_header/beacon/state_root")),
    ("execution state root", "execution-branch-attested", |_, a| {
        flip_at(a, "/attested_header/execution/state_root");
    }),
    ("execution block number", "execution-branch-attested", |_, a| {
        rise_at(a, "/attested_header/execution/block_number");
    }),
    ("execution timestamp", "execution-branch-attested", |_, a| {
        rise_at(a, "/attested_header/execution/timestamp");
    }),
    ("execution header of another block", "execution-branch-attested", |stage, a| {
        let other = other(stage, Kind::OptimisticUpdate);
        a.data["attested_header"]["execution"] = other.data["attested_header"]["execution"].clone();
    }),
    ("signature slot in the future", "signature-slot-future", |_, a| rise_at(a, "/signature_slot")),
];

/// Each on an optimistic update, all of whose weight is the signature.
pub(crate) const SIGNATURE: &[(&str, &str, Edit)] = &[
    ("of another update", "signature", |stage, a| {
        take(a, "sync_aggregate", &other(stage, Kind::OptimisticUpdate));
    }),
    ("of zeros", "signature-encoding", |_, a| {
        zero_at(a, "/sync_aggregate/sync_committee_signature");
    }),
    ("infinity", "signature-encoding", |_, a| {
        let mut infinity = [0; 96];
        infinity[0] = 0xc0;
        a.data["sync_aggregate"]["sync_committee_signature"] = text(&infinity);
    }),
    ("no point of the curve", "signature-encoding", |_, a| {
        a.data["sync_aggregate"]["sync_committee_signature"] = text(&[0x9f; 96]);
    }),
    ("a point of the curve outside the group", "signature-encoding", |_, a| {
        a.data["sync_aggregate"]["sync_committee_signature"] = outside_the_group();
    }),
    ("negated", "signature", |_, a| {
        let signature = member(a, "/sync_aggregate/sync_committee_signature");
        let mut negated = bytes(signature);
        negated[0] ^= 0x20;
        *signature = text(&negated);
    }),
    ("of 95 bytes", "json", |_, a| {
        a.data["sync_aggregate"]["sync_committee_signature"] = text(&[0x9f; 95]);
    }),
    ("in the domain of proposers", "signature", |stage, a| in_domain(stage, a, 0)),
    ("in the domain of attesters", "signature", |stage, a| in_domain(stage, a, 1)),
    ("in the domain of selection proofs", "signature", |stage, a| in_domain(stage, a, 8)),
    ("in the domain of contributions", "signature", |stage, a| in_domain(stage, a, 9)),
    ("in no domain", "signature", |stage, a| sign(a, &current(stage), None, ETHEREUM)),
    ("by another ciphersuite", "signature", |stage, a| {
        sign(
            a,
            &current(stage),
            Some(right(stage)),
            b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_",
        );
    }),
];

fn flip_at(answer: &mut Answer, pointer: &str) {
    flip(member(answer, pointer));
}

fn rise_at(answer: &mut Answer, pointer: &str) {
    let number = member(answer, pointer);
    *number = json!((number.as_str().unwrap().parse::<u64>().unwrap() + 1).to_string());
}

fn zero_at(answer: &mut Answer, pointer: &str) {
    let value = member(answer, pointer);
    let zeros = |value: &Value| text(&vec![0; bytes(value).len()]);
    *value = match &*value {
        Value::Array(nodes) => nodes.iter().map(zeros).collect(),
        leaf => zeros(leaf),
    };
}

fn take(answer: &mut Answer, name: &str, other: &Answer) {
    answer.data[name] = other.data[name].clone();
}

/// The answer to the same question at another height, honest.
fn other(stage: &Stage, kind: Kind) -> Answer {
    stage.scene.honest(kind, stage.scene.later() + 100)
}

fn in_domain(stage: &Stage, answer: &mut Answer, kind: u8) {
    let spec = stage.scene.spec();
    let domain = domain(kind, spec.fork_version, spec.genesis_validators_root.into());
    sign(answer, &current(stage), Some(domain), ETHEREUM);
}

fn without_execution(answer: &mut Answer, header: &str) {
    let header = &mut answer.data[header];
    for (name, value) in header["execution"].as_object_mut().unwrap() {
        *value = match value.as_str().unwrap() {
            _ if name == "extra_data" => json!("0x"),
            hex if hex.starts_with("0x") => text(&vec![0; bytes(value).len()]),
            _ => json!("0"),
        };
    }
    header["execution_branch"] = json!(vec![B256::ZERO; 4]);
}

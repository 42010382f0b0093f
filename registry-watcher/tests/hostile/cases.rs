//! The table of lies about headers and committees.

use std::sync::Arc;

use alloy_primitives::B256;
use greenlight_beacon_simulator::{self as simulator, ExecutionBlock, Forgery, Signers};
use greenlight_watcher::light_client::{Fork, ForkSchedule, LightClientError, Network, Store};
use serde_json::{Value, json};

use crate::{
    Row,
    scene::{Answer, Input, Kind, Scene, bytes, flip, text},
    sign::{ETHEREUM, domain, outside_the_group, sign, vouch},
};

type Outcome = Result<Store, LightClientError>;
type Edit = fn(&Stage, &mut Answer);
type Lie = fn(&Stage, &mut Forgery);

/// The chain and two clients of it.
struct Stage {
    scene: Scene,
    /// Does not know the next committee.
    fresh: Store,
    /// Does.
    following: Store,
}

/// Every case and what became of it.
pub(crate) fn rows() -> Vec<Row> {
    let scene = Scene::mainnet();
    let (fresh, following) = (scene.fresh(), scene.following());
    let stage = Stage { scene, fresh, following };
    let Stage { scene, fresh, following } = &stage;
    let (early, later) = (scene.early(), scene.later());
    let mut table = Table { rows: Vec::new(), stage: &stage };
    table.edits("bootstrap", fresh, &scene.checkpoint(), BOOTSTRAP);
    table.edits("update, first", fresh, &scene.honest(Kind::Update, early), FIRST);
    table.edits("update", following, &scene.honest(Kind::Update, later), UPDATE);
    table.edits("finality update", following, &scene.honest(Kind::FinalityUpdate, later), FINALITY);
    let optimistic = scene.honest(Kind::OptimisticUpdate, later);
    table.edits("optimistic update", following, &optimistic, OPTIMISTIC);
    table.edits("signature", following, &optimistic, SIGNATURE);
    table.lies("forged, first", fresh, early, FORGED_FIRST);
    table.lies("forged", following, later, FORGED);
    table.stands("participation", PARTICIPATION);
    table.stands("period", PERIOD);
    table.stands("forks", FORKS);
    table.stands("committee", COMMITTEE);
    table.stands("bytes", BYTES);
    table.kept(KEPT);
    table.rows
}

/// Collects what becomes of the lies, and sees to it that honest answers are still believed after each.
struct Table<'t> {
    rows: Vec<Row>,
    stage: &'t Stage,
}

impl Table<'_> {
    fn edits(
        &mut self,
        what: &str,
        store: &Store,
        honest: &Answer,
        edits: &[(&str, &'static str, Edit)],
    ) {
        for (name, expected, edit) in edits {
            let mut answer = honest.clone();
            edit(self.stage, &mut answer);
            self.row(what, name, expected, &answer.outcome(store));
            assert!(honest.outcome(store).is_ok(), "{what}, {name}: the honest one as well");
        }
    }

    fn lies(&mut self, what: &str, store: &Store, offset: u64, lies: &[(&str, &'static str, Lie)]) {
        let honest = self.stage.scene.honest(Kind::Update, offset);
        for (name, expected, lie) in lies {
            let tell = |forgery: &mut Forgery| lie(self.stage, forgery);
            let answer = self.stage.scene.forged(Kind::Update, offset, tell);
            self.row(what, name, expected, &answer.outcome(store));
            assert!(honest.outcome(store).is_ok(), "{what}, {name}: the honest one as well");
        }
    }

    fn stands(&mut self, what: &str, cases: &[(&str, &'static str, fn(&Stage) -> Outcome)]) {
        for (name, expected, attempt) in cases {
            self.row(what, name, expected, &attempt(self.stage));
        }
    }

    fn kept(&mut self, edits: &[(&str, &'static str, fn(&mut Value))]) {
        let following = &self.stage.following;
        let honest = following.to_json();
        let read = |json: &str| Store::from_json(Arc::clone(following.network()), json);
        assert_eq!(read(&honest).unwrap().to_json(), honest);
        for (name, expected, edit) in edits {
            let mut kept: Value = serde_json::from_str(&honest).unwrap();
            edit(&mut kept);
            self.row("kept store", name, expected, &read(&kept.to_string()));
        }
    }

    fn row(&mut self, what: &str, name: &str, expected: &'static str, outcome: &Outcome) {
        let found = outcome.as_ref().map_or_else(LightClientError::reason, |_| "believed");
        self.rows.push(Row { name: format!("{what}: {name}"), expected, found });
    }
}

fn member<'d>(answer: &'d mut Answer, pointer: &str) -> &'d mut Value {
    answer.data.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"))
}

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

const BOOTSTRAP: &[(&str, &str, Edit)] = &[
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
const FIRST: &[(&str, &str, Edit)] = &[
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
const UPDATE: &[(&str, &str, Edit)] = &[
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

const FINALITY: &[(&str, &str, Edit)] = &[
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

const OPTIMISTIC: &[(&str, &str, Edit)] = &[
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
const SIGNATURE: &[(&str, &str, Edit)] = &[
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

/// Really signed and really proven, for a client that does not know the next committee.
const FORGED_FIRST: &[(&str, &str, Lie)] = &[
    ("signed by nobody", "participation", |_, f| f.signers = Signers::First(0)),
    ("another network's genesis", "signature", |_, f| f.genesis_validators_root = [0x48; 32]),
    ("signed by the next committee", "signature", |_, f| f.signing_period += 1),
    ("of the period after", "update-period", |stage, f| {
        *f = Forgery::honest(stage.scene.spec(), f.attested_slot + 8_192);
    }),
];

/// Really signed and really proven, for a client that knows the next committee.
const FORGED: &[(&str, &str, Lie)] = &[
    ("signed by one", "participation", |_, f| f.signers = Signers::First(1)),
    ("another block of the slot, signed by a third", "participation", |_, f| {
        f.attested_execution = ExecutionBlock::synthetic(666);
        f.signers = Signers::First(171);
    }),
    ("signed by 341", "participation", |_, f| f.signers = Signers::First(341)),
    ("another fork version", "signature", |_, f| f.fork_version = [5, 0, 0, 0x47]),
    ("mainnet's fork version", "signature", |_, f| f.fork_version = [6, 0, 0, 0]),
    ("genesis fork version", "signature", |_, f| f.fork_version = [0; 4]),
    ("another network's genesis", "signature", |_, f| f.genesis_validators_root = [0; 32]),
    ("signed by the committee before", "signature", |_, f| f.signing_period -= 1),
    ("signed by the next committee", "signature", |_, f| f.signing_period += 1),
    ("another next committee", "next-committee-mismatch", |_, f| {
        *f.next_committee_period.as_mut().unwrap() += 1;
    }),
    ("finalized header newer than the attested", "slot-order", |_, f| {
        f.finalized_slot = Some(f.attested_slot + 1);
    }),
    ("signed in its own slot", "slot-order", |_, f| f.signature_slot = f.attested_slot),
    ("signed before its slot", "slot-order", |_, f| f.signature_slot = f.attested_slot - 1),
    ("finalized genesis", "finalized-genesis", |_, f| f.finalized_slot = Some(0)),
    ("unknown fork", "unknown-fork", |_, f| f.version = "heze".into()),
    ("of the committee after the next", "update-period", |stage, f| {
        *f = Forgery::honest(stage.scene.spec(), f.attested_slot + 2 * 8_192);
    }),
];

const PARTICIPATION: &[(&str, &str, fn(&Stage) -> Outcome)] = &[
    ("341 of 512, optimistic", "participation", |stage| by(stage, Kind::OptimisticUpdate, 341)),
    ("341 of 512, finality", "participation", |stage| by(stage, Kind::FinalityUpdate, 341)),
    ("342 of 512 are said to have signed and 341 did", "signature", |stage| {
        let later = stage.scene.later();
        let mut answer = stage.scene.forged(Kind::OptimisticUpdate, later, |forgery| {
            forgery.signers = Signers::First(341);
        });
        let bits = member(&mut answer, "/sync_aggregate/sync_committee_bits");
        let mut more = bytes(bits);
        more[341 / 8] |= 1 << (341 % 8);
        *bits = text(&more);
        answer.outcome(&stage.following)
    }),
    ("342 of 512 are said to have signed and another 342 did", "signature", |stage| {
        let seats = Signers::Seats((170..512).collect());
        let later = stage.scene.later();
        let forge = |signers: &Signers| {
            let lie = |forgery: &mut Forgery| forgery.signers = signers.clone();
            stage.scene.forged(Kind::OptimisticUpdate, later, lie)
        };
        let mut answer = forge(&seats);
        let claimed = forge(&Signers::First(342));
        *member(&mut answer, "/sync_aggregate/sync_committee_bits") =
            claimed.data["sync_aggregate"]["sync_committee_bits"].clone();
        answer.outcome(&stage.following)
    }),
    ("nobody has signed and everybody is said to", "signature-encoding", |stage| {
        let later = stage.scene.later();
        let mut answer = stage.scene.forged(Kind::OptimisticUpdate, later, |forgery| {
            forgery.signers = Signers::First(0);
        });
        *member(&mut answer, "/sync_aggregate/sync_committee_bits") = text(&[0xff; 64]);
        answer.outcome(&stage.following)
    }),
];

const PERIOD: &[(&str, &str, fn(&Stage) -> Outcome)] = &[
    ("old: attested no later than the finalized head", "update-not-newer", |stage| {
        let finalized = stage.following.finalized().slot() - stage.scene.slot(0);
        let outcome =
            stage.scene.honest(Kind::OptimisticUpdate, finalized).outcome(&stage.following);
        assert!(outcome.as_ref().unwrap_err().is_behind());
        outcome
    }),
    ("old: a period ago", "update-period", |stage| {
        let spec = stage.scene.spec();
        let answer = stage.scene.forged(Kind::Update, stage.scene.early(), |forgery| {
            *forgery = Forgery::honest(spec, forgery.attested_slot - 8_192);
        });
        let outcome = answer.outcome(&stage.following);
        assert!(outcome.as_ref().unwrap_err().is_behind());
        outcome
    }),
    ("ahead: the committee that signed is not known yet", "update-period", |stage| {
        let last = stage.scene.slot(stage.scene.last_offset()) + 1;
        let answer = stage.scene.forged(Kind::OptimisticUpdate, stage.scene.early(), |forgery| {
            *forgery = Forgery::honest(stage.scene.spec(), last);
        });
        let outcome = answer.outcome(&stage.fresh);
        let error = outcome.as_ref().unwrap_err();
        assert!(error.is_ahead() && !error.is_behind());
        // It is believed by who knows it.
        assert!(answer.outcome(&stage.following).is_ok());
        outcome
    }),
    ("the old committee signs on in the next period", "signature", |stage| {
        let last = stage.scene.slot(stage.scene.last_offset()) + 1;
        let answer = stage.scene.forged(Kind::OptimisticUpdate, stage.scene.early(), |forgery| {
            *forgery = Forgery::honest(stage.scene.spec(), last);
            forgery.signing_period -= 1;
        });
        answer.outcome(&stage.following)
    }),
];

const FORKS: &[(&str, &str, fn(&Stage) -> Outcome)] = &[
    ("deneb's containers by their name, after electra", "fork-mismatch", |_| {
        let deneb = Scene::new(simulator::Preset::Mainnet, simulator::Fork::Deneb);
        deneb.checkpoint().bootstrap(&scheduled(&deneb, &[(Fork::Electra, 0)]))
    }),
    ("deneb's update by its name, after electra", "fork-mismatch", |_| {
        // The forks' committees are the same, and so is everything that both containers have.
        let deneb = Scene::new(simulator::Preset::Mainnet, simulator::Fork::Deneb);
        let electra = Scene::new(simulator::Preset::Mainnet, simulator::Fork::Electra);
        deneb.honest(Kind::Update, deneb.early()).update(&electra.fresh())
    }),
    ("electra's containers by their name, before electra", "fork-mismatch", |_| {
        let electra = Scene::new(simulator::Preset::Mainnet, simulator::Fork::Electra);
        electra.checkpoint().bootstrap(&scheduled(&electra, &[(Fork::Deneb, 0)]))
    }),
    ("blob gas before deneb", "blob-gas-before-deneb", |_| {
        let deneb = Scene::new(simulator::Preset::Mainnet, simulator::Fork::Deneb);
        deneb.checkpoint().bootstrap(&scheduled(&deneb, &[(Fork::Capella, 0)]))
    }),
    ("an execution header before capella", "execution-before-capella", |_| {
        let capella = Scene::new(simulator::Preset::Mainnet, simulator::Fork::Capella);
        capella.checkpoint().bootstrap(&scheduled(&capella, &[(Fork::Altair, 0)]))
    }),
    ("a header before altair", "before-altair", |stage| {
        let epoch = stage.scene.spec().epoch_of(stage.scene.slot(0)) + 1;
        stage.scene.checkpoint().bootstrap(&scheduled(&stage.scene, &[(Fork::Fulu, epoch)]))
    }),
    ("an update of before altair", "before-altair", |stage| {
        let mut answer = stage.scene.honest(Kind::OptimisticUpdate, stage.scene.later());
        answer.data["attested_header"]["beacon"]["slot"] = json!("31");
        let network = scheduled(&stage.scene, &[(Fork::Fulu, 1)]);
        let store = stage.scene.checkpoint().bootstrap(&network).unwrap();
        answer.outcome(&store)
    }),
    ("the new version in the last signature of the old", "signature", |stage| {
        // The domain is that of the slot before the signature's: the fork's first block carries the old version still.
        let boundary = stage.scene.spec().epoch_of(stage.scene.slot(0)) + 4;
        let network = Network {
            forks: ForkSchedule {
                genesis: [0; 4],
                forks: vec![
                    (Fork::Electra, 0, [5, 0, 0, 0x47]),
                    (Fork::Fulu, boundary, [6, 0, 0, 0x47]),
                ],
            },
            ..(**stage.fresh.network()).clone()
        };
        let store = stage.scene.checkpoint().bootstrap(&network.into()).unwrap();
        let last = boundary * 32 - 1;
        let signed = |version| {
            stage.scene.forged(Kind::OptimisticUpdate, stage.scene.early(), |forgery| {
                *forgery = Forgery::honest(stage.scene.spec(), last);
                forgery.fork_version = version;
            })
        };
        assert!(signed([5, 0, 0, 0x47]).outcome(&store).is_ok());
        signed([6, 0, 0, 0x47]).outcome(&store)
    }),
    ("another network's chain from its own genesis", "signature", |stage| {
        let network = Network {
            genesis_validators_root: B256::repeat_byte(0x48),
            ..(**stage.fresh.network()).clone()
        };
        let store = stage.scene.checkpoint().bootstrap(&network.into()).unwrap();
        stage.scene.honest(Kind::Update, stage.scene.early()).outcome(&store)
    }),
];

/// What a checkpoint vouches for may still be no committee.
const COMMITTEE: &[(&str, &str, fn(&Stage) -> Outcome)] = &[
    ("a bootstrap of the minimal preset", "committee-size", |stage| {
        let minimal = Scene::new(simulator::Preset::Minimal, simulator::Fork::Fulu);
        minimal.checkpoint().bootstrap(stage.fresh.network())
    }),
    ("an update of the minimal preset", "committee-size", |stage| {
        let minimal = Scene::new(simulator::Preset::Minimal, simulator::Fork::Fulu);
        minimal.honest(Kind::Update, minimal.early()).update(&stage.fresh)
    }),
    ("a member's key is no point", "committee-key", |stage| {
        vouched(stage, |keys| keys["pubkeys"][511] = text(&[0xff; 48]))
    }),
    ("a member's key is infinity", "committee-key", |stage| {
        vouched(stage, |keys| keys["pubkeys"][511] = infinity())
    }),
    ("the aggregate key is no point", "committee-key", |stage| {
        vouched(stage, |keys| keys["aggregate_pubkey"] = text(&[0x80; 48]))
    }),
    ("the aggregate key is infinity", "committee-key", |stage| {
        vouched(stage, |keys| keys["aggregate_pubkey"] = infinity())
    }),
    ("the aggregate key is not the sum", "signature", |stage| {
        vouched(stage, |keys| keys["aggregate_pubkey"] = keys["pubkeys"][0].clone())
    }),
];

const BYTES: &[(&str, &str, fn(&Stage) -> Outcome)] = &[
    ("no JSON", "json", |stage| as_json(stage, |_| "<html>busy</html>".into())),
    ("nothing", "json", |stage| as_json(stage, |_| String::new())),
    ("JSON cut short", "json", |stage| as_json(stage, |json| json[..json.len() - 1].into())),
    ("JSON with more behind it", "json", |stage| as_json(stage, |json| format!("{json}{{}}"))),
    ("JSON nested without end", "json", |stage| as_json(stage, |_| "[".repeat(1_000_000))),
    ("a list", "json", |stage| as_json(stage, |json| format!("[{json}]"))),
    ("a member twice", "json", |stage| {
        as_json(stage, |json| json.replacen('{', r#"{"signature_slot":"1","#, 1))
    }),
    ("a slot of 65 bits", "json", |stage| {
        as_json(stage, |json| slot_text(json, "18446744073709551616"))
    }),
    ("a negative slot", "json", |stage| as_json(stage, |json| slot_text(json, "-1"))),
    ("a slot in hex", "json", |stage| as_json(stage, |json| slot_text(json, "0x10"))),
    ("empty SSZ", "ssz", |stage| as_ssz(stage, |_| Vec::new())),
    ("SSZ cut short", "ssz", |stage| as_ssz(stage, |bytes| bytes[..bytes.len() - 600].to_vec())),
    ("SSZ with an offset beyond its end", "ssz", |stage| {
        as_ssz(stage, |bytes| [&[0xff; 4], &bytes[4..]].concat())
    }),
    ("SSZ with an offset into its fixed part", "ssz", |stage| {
        as_ssz(stage, |bytes| [&[0; 4], &bytes[4..]].concat())
    }),
    ("SSZ with extra data of more than 32 bytes", "ssz", |stage| {
        as_ssz(stage, |bytes| [bytes, &[0; 33]].concat())
    }),
    ("SSZ of the checkpoint's bootstrap", "ssz", |stage| {
        let bootstrap = stage.scene.checkpoint().ssz();
        as_ssz(stage, |_| bootstrap.clone())
    }),
];

const KEPT: &[(&str, &str, fn(&mut Value))] = &[
    ("of another network", "store-network", |kept| flip(&mut kept["genesis_validators_root"])),
    ("of another version", "store", |kept| kept["version"] = json!(2)),
    ("newest head below the finalized", "store", |kept| {
        kept["optimistic"] = kept["finalized"].clone();
        kept["finalized"]["beacon"]["slot"] = json!(u64::MAX.to_string());
    }),
    ("finalized execution state root", "execution-branch-finalized", |kept| {
        flip(&mut kept["finalized"]["execution"]["state_root"]);
    }),
    ("newest execution state root", "execution-branch-attested", |kept| {
        flip(&mut kept["optimistic"]["execution"]["state_root"]);
    }),
    ("finalized head without execution header", "no-execution", |kept| {
        kept["finalized"]["execution"] = Value::Null;
        kept["finalized"]["execution_branch"] = json!(vec![B256::ZERO; 4]);
    }),
    ("511 keys", "committee-size", |kept| {
        drop(kept["current_committee"]["pubkeys"].as_array_mut().unwrap().pop());
    }),
    ("a next committee of one", "committee-size", |kept| {
        kept["next_committee"]["pubkeys"].as_array_mut().unwrap().truncate(1);
    }),
    ("an unknown member", "json", |kept| kept["trust"] = json!("me")),
    ("no committee", "json", |kept| kept["current_committee"] = Value::Null),
];

/// As many as two thirds want are enough.
#[test]
fn two_thirds_are_believed() {
    let scene = Scene::mainnet();
    let (fresh, following) = (scene.fresh(), scene.following());
    let stage = Stage { scene, fresh, following };
    for kind in [Kind::Update, Kind::FinalityUpdate, Kind::OptimisticUpdate] {
        let store = by(&stage, kind, 342).unwrap();
        assert_eq!(store.optimistic().slot(), stage.scene.slot(stage.scene.later()));
        assert_eq!(store.participation().map(|some| (some.voted, some.of)), Some((342, 512)));
        assert_eq!(by(&stage, kind, 341).unwrap_err().reason(), "participation");
    }
}

/// The helper that signs in other domains signs what is believed in the right one.
#[test]
fn the_right_domain_is_believed() {
    let scene = Scene::mainnet();
    let (fresh, following) = (scene.fresh(), scene.following());
    let stage = Stage { scene, fresh, following };
    let mut answer = stage.scene.honest(Kind::OptimisticUpdate, stage.scene.later());
    sign(&mut answer, &current(&stage), Some(right(&stage)), ETHEREUM);
    assert!(answer.outcome(&stage.following).is_ok());
    // So does the one that has a checkpoint vouch for another committee.
    let mut bootstrap = stage.scene.checkpoint();
    let trusted = bootstrap.trusted;
    vouch(&mut bootstrap);
    assert_eq!(bootstrap.trusted, trusted);
}

/// SSZ and JSON of an answer are one answer.
#[test]
fn both_encodings_say_the_same() {
    for fork in simulator::Fork::ALL {
        for preset in [simulator::Preset::Mainnet, simulator::Preset::Minimal] {
            let scene = Scene::new(preset, fork);
            let checkpoint = scene.checkpoint();
            let network = &scene.network;
            let fresh = checkpoint.bootstrap(network).unwrap();
            let same = checkpoint.bootstrap_of(network, &Input::Ssz(&checkpoint.ssz())).unwrap();
            assert_eq!(fresh.to_json(), same.to_json());
            for kind in [Kind::Update, Kind::FinalityUpdate, Kind::OptimisticUpdate] {
                let answer = scene.honest(kind, scene.early());
                let of_json = answer.update(&fresh).unwrap();
                let of_ssz = answer.update_of(&fresh, &Input::Ssz(&answer.ssz())).unwrap();
                assert_eq!(of_json.to_json(), of_ssz.to_json());
                assert_eq!(of_json.optimistic().slot(), scene.slot(scene.early()));
            }
        }
    }
}

fn by(stage: &Stage, kind: Kind, signers: usize) -> Outcome {
    let later = stage.scene.later();
    let lie = |forgery: &mut Forgery| forgery.signers = Signers::First(signers);
    stage.scene.forged(kind, later, lie).outcome(&stage.following)
}

fn current(stage: &Stage) -> Value {
    stage.scene.checkpoint().data["current_sync_committee"].clone()
}

fn right(stage: &Stage) -> B256 {
    let spec = stage.scene.spec();
    domain(7, spec.fork_version, spec.genesis_validators_root.into())
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

/// The scene's network with other forks, of the same version.
fn scheduled(scene: &Scene, forks: &[(Fork, u64)]) -> Arc<Network> {
    let version = scene.spec().fork_version;
    let forks = forks.iter().map(|(fork, epoch)| (*fork, *epoch, version)).collect();
    let forks = ForkSchedule { genesis: [0; 4], forks };
    Network { forks, ..(*scene.network).clone() }.into()
}

fn infinity() -> Value {
    let mut infinity = [0; 48];
    infinity[0] = 0xc0;
    text(&infinity)
}

/// A checkpoint with that committee is believed; its signature, without the last seat, is to be refused.
fn vouched(stage: &Stage, change: fn(&mut Value)) -> Outcome {
    let mut checkpoint = stage.scene.checkpoint();
    change(&mut checkpoint.data["current_sync_committee"]);
    vouch(&mut checkpoint);
    let store = checkpoint.bootstrap(stage.fresh.network()).unwrap();
    let lie = |forgery: &mut Forgery| forgery.signers = Signers::First(511);
    stage.scene.forged(Kind::Update, stage.scene.early(), lie).outcome(&store)
}

fn as_json(stage: &Stage, change: fn(&str) -> String) -> Outcome {
    let answer = stage.scene.honest(Kind::OptimisticUpdate, stage.scene.later());
    answer.outcome_of(&stage.following, &Input::Json(&change(&answer.json())))
}

/// The signature slot, which is the last of the members, spelled otherwise.
fn slot_text(json: &str, slot: &str) -> String {
    let mut data: Value = serde_json::from_str(json).unwrap();
    data["signature_slot"] = json!(slot);
    data.to_string()
}

fn as_ssz(stage: &Stage, change: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    let answer = stage.scene.honest(Kind::OptimisticUpdate, stage.scene.later());
    answer.outcome_of(&stage.following, &Input::Ssz(&change(&answer.ssz())))
}

//! Lies that are really signed and really proven, and what it takes more than an answer to tell.

use std::sync::Arc;

use alloy_primitives::B256;
use greenlight_beacon_simulator::{self as simulator, ExecutionBlock, Forgery, Signers};
use greenlight_watcher::light_client::{Fork, ForkSchedule, Network};
use serde_json::{Value, json};

use crate::{
    cases::{Attempt, KeptEdit, Lie, Outcome, Stage, by, member},
    scene::{Input, Kind, Scene, bytes, flip, text},
    sign::vouch,
};

/// Really signed and really proven, for a client that does not know the next committee.
pub(crate) const FORGED_FIRST: &[(&str, &str, Lie)] = &[
    ("signed by nobody", "participation", |_, f| f.signers = Signers::First(0)),
    ("another network's genesis", "signature", |_, f| f.genesis_validators_root = [0x48; 32]),
    ("signed by the next committee", "signature", |_, f| f.signing_period += 1),
    ("of the period after", "update-period", |stage, f| {
        *f = Forgery::honest(stage.scene.spec(), f.attested_slot + 8_192);
    }),
];

/// Really signed and really proven, for a client that knows the next committee.
pub(crate) const FORGED: &[(&str, &str, Lie)] = &[
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

pub(crate) const PARTICIPATION: &[(&str, &str, Attempt)] = &[
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

pub(crate) const PERIOD: &[(&str, &str, Attempt)] = &[
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

pub(crate) const FORKS: &[(&str, &str, Attempt)] = &[
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
pub(crate) const COMMITTEE: &[(&str, &str, Attempt)] = &[
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

pub(crate) const BYTES: &[(&str, &str, Attempt)] = &[
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

pub(crate) const KEPT: &[(&str, &str, KeptEdit)] = &[
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

fn slot_text(json: &str, slot: &str) -> String {
    let mut data: Value = serde_json::from_str(json).unwrap();
    data["signature_slot"] = json!(slot);
    data.to_string()
}

fn as_ssz(stage: &Stage, change: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    let answer = stage.scene.honest(Kind::OptimisticUpdate, stage.scene.later());
    answer.outcome_of(&stage.following, &Input::Ssz(&change(&answer.ssz())))
}

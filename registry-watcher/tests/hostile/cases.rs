//! The table of lies about headers and committees.

use std::sync::Arc;

use alloy_primitives::B256;
use greenlight_beacon_simulator::{self as simulator, Forgery, Signers};
use greenlight_watcher::light_client::{LightClientError, Store};
use serde_json::Value;

use crate::{
    Row,
    attempts::{BYTES, COMMITTEE, FORGED, FORGED_FIRST, FORKS, KEPT, PARTICIPATION, PERIOD},
    edits::{BOOTSTRAP, FINALITY, FIRST, OPTIMISTIC, SIGNATURE, UPDATE},
    scene::{Answer, Input, Kind, Scene},
    sign::{ETHEREUM, domain, sign, vouch},
};

pub(crate) type Outcome = Result<Store, LightClientError>;
pub(crate) type Edit = fn(&Stage, &mut Answer);
pub(crate) type Lie = fn(&Stage, &mut Forgery);
pub(crate) type Attempt = fn(&Stage) -> Outcome;
pub(crate) type KeptEdit = fn(&mut Value);

/// The chain and two clients of it.
pub(crate) struct Stage {
    pub(crate) scene: Scene,
    /// Does not know the next committee.
    pub(crate) fresh: Store,
    /// Does.
    pub(crate) following: Store,
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

    fn stands(&mut self, what: &str, cases: &[(&str, &'static str, Attempt)]) {
        for (name, expected, attempt) in cases {
            self.row(what, name, expected, &attempt(self.stage));
        }
    }

    fn kept(&mut self, edits: &[(&str, &'static str, KeptEdit)]) {
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

pub(crate) fn member<'d>(answer: &'d mut Answer, pointer: &str) -> &'d mut Value {
    answer.data.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"))
}

pub(crate) fn by(stage: &Stage, kind: Kind, signers: usize) -> Outcome {
    let later = stage.scene.later();
    let lie = |forgery: &mut Forgery| forgery.signers = Signers::First(signers);
    stage.scene.forged(kind, later, lie).outcome(&stage.following)
}

pub(crate) fn current(stage: &Stage) -> Value {
    stage.scene.checkpoint().data["current_sync_committee"].clone()
}

pub(crate) fn right(stage: &Stage) -> B256 {
    let spec = stage.scene.spec();
    domain(7, spec.fork_version, spec.genesis_validators_root.into())
}

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

//! Random changes to the bytes of honest answers, and random bytes: none of them moves a store, and none panics.

use std::sync::LazyLock;

use greenlight_beacon_simulator as simulator;
use greenlight_watcher::light_client::{
    Bootstrap, FinalityUpdate, Fork, OptimisticUpdate, Preset, Store, Update,
};
use proptest::{prelude::*, sample::Index};

use crate::scene::{Answer, Input, Kind, Scene};

/// An honest answer, its bytes, and the client that gets it.
struct Sample {
    answer: Answer,
    json: Vec<u8>,
    ssz: Vec<u8>,
    store: Store,
    /// What the client makes of it unchanged.
    honest: Store,
}

/// Every kind of answer on chains of both presets and all shapes, to a client that does not know the next committee and,
/// updates, to one that does.
static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let scenes = [
        Scene::mainnet(),
        Scene::new(simulator::Preset::Mainnet, simulator::Fork::Capella),
        Scene::new(simulator::Preset::Minimal, simulator::Fork::Deneb),
        Scene::new(simulator::Preset::Minimal, simulator::Fork::Electra),
    ];
    scenes.iter().flat_map(samples).collect()
});

fn samples(scene: &Scene) -> Vec<Sample> {
    let (fresh, following) = (scene.fresh(), scene.following());
    let mut samples = Vec::new();
    let mut add = |answer: Answer, store: &Store| {
        samples.push(Sample {
            json: answer.json().into_bytes(),
            ssz: answer.ssz(),
            honest: answer.outcome(store).unwrap(),
            store: store.clone(),
            answer,
        });
    };
    add(scene.checkpoint(), &fresh);
    for kind in [Kind::Update, Kind::FinalityUpdate, Kind::OptimisticUpdate] {
        add(scene.honest(kind, scene.early()), &fresh);
        add(scene.honest(kind, scene.later()), &following);
    }
    samples
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip { at: Index, mask: u8 },
    Overwrite { at: Index, with: Vec<u8> },
    Insert { at: Index, what: Vec<u8> },
    Remove { at: Index, length: usize },
    Truncate { to: Index },
    Extend { with: Vec<u8> },
    Copy { from: Index, to: Index, length: usize },
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        match self {
            Self::Flip { at, mask } => bytes[at.index(length)] ^= mask,
            Self::Overwrite { at, with } => {
                let at = at.index(length);
                bytes.iter_mut().skip(at).zip(with).for_each(|(to, from)| *to = *from);
            }
            Self::Insert { at, what } => {
                let at = at.index(length);
                bytes.splice(at..at, what.iter().copied());
            }
            Self::Remove { at, length: removed } => {
                let at = at.index(length);
                bytes.drain(at..length.min(at + removed));
            }
            Self::Truncate { to } => bytes.truncate(to.index(length)),
            Self::Extend { with } => bytes.extend(with),
            Self::Copy { from, to, length: copied } => {
                let (from, to) = (from.index(length), to.index(length));
                let end = length.min(from + copied).min(from + length - to);
                bytes.copy_within(from..end, to);
            }
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let some = || prop::collection::vec(any::<u8>(), 1..64);
    let at = any::<Index>;
    prop_oneof![
        6 => (at(), 0_u32..8).prop_map(|(at, bit)| Mutation::Flip { at, mask: 1 << bit }),
        3 => (at(), 1_u8..).prop_map(|(at, mask)| Mutation::Flip { at, mask }),
        3 => (at(), some()).prop_map(|(at, with)| Mutation::Overwrite { at, with }),
        1 => (at(), some()).prop_map(|(at, what)| Mutation::Insert { at, what }),
        1 => (at(), 1_usize..200).prop_map(|(at, length)| Mutation::Remove { at, length }),
        1 => at().prop_map(|to| Mutation::Truncate { to }),
        1 => some().prop_map(|with| Mutation::Extend { with }),
        2 => (at(), at(), 1_usize..200)
            .prop_map(|(from, to, length)| Mutation::Copy { from, to, length }),
    ]
}

/// A failure is printed, as the case that it shrinks to, and no file is written.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(4_000))]

    /// Every byte of the SSZ counts, so that no change at all is believed.
    #[test]
    fn no_changed_ssz_is_believed(
        sample in any::<Index>(), mutations in prop::collection::vec(mutation(), 1..3),
    ) {
        let sample = sample.get(&SAMPLES);
        let mut ssz = sample.ssz.clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut ssz));
        prop_assume!(ssz != sample.ssz);
        let outcome = sample.answer.outcome_of(&sample.store, &Input::Ssz(&ssz));
        prop_assert!(outcome.is_err(), "{:?} was believed", sample.answer.kind);
    }
}

proptest! {
    #![proptest_config(config(3_000))]

    /// One may spell the same JSON in more than one way; whatever is believed is the same.
    #[test]
    fn no_changed_json_is_believed_unless_it_says_the_same(
        sample in any::<Index>(), mutations in prop::collection::vec(mutation(), 1..3),
    ) {
        let sample = sample.get(&SAMPLES);
        let mut json = sample.json.clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut json));
        let Ok(json) = std::str::from_utf8(&json) else { return Ok(()) };
        if let Ok(store) = sample.answer.outcome_of(&sample.store, &Input::Json(json)) {
            prop_assert_eq!(store.to_json(), sample.honest.to_json());
        }
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    /// Some are even read: a container without variable parts takes any bytes of its length.
    #[test]
    fn no_bytes_panic_a_decoder(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        preset in prop::sample::select(vec![Preset::Mainnet, Preset::Minimal]),
        fork in prop::sample::select(Fork::ALL.to_vec()),
    ) {
        let _ = Bootstrap::from_ssz(preset, fork, &bytes);
        let _ = Update::from_ssz(preset, fork, &bytes);
        let _ = FinalityUpdate::from_ssz(preset, fork, &bytes);
        let _ = OptimisticUpdate::from_ssz(preset, fork, &bytes);
    }

    #[test]
    fn no_text_panics_a_decoder(
        text in "\\PC{0,400}",
        preset in prop::sample::select(vec![Preset::Mainnet, Preset::Minimal]),
        fork in prop::sample::select(Fork::ALL.to_vec()),
        sample in any::<Index>(),
    ) {
        prop_assert!(Bootstrap::from_json(preset, fork, &text).is_err());
        prop_assert!(Update::from_json(preset, fork, &text).is_err());
        prop_assert!(FinalityUpdate::from_json(preset, fork, &text).is_err());
        prop_assert!(OptimisticUpdate::from_json(preset, fork, &text).is_err());
        prop_assert!(Fork::from_name(&text).is_err());
        let network = sample.get(&SAMPLES).store.network();
        prop_assert!(Store::from_json(network.clone(), &text).is_err());
    }

    /// An answer read as one of another kind, preset or fork.
    #[test]
    fn no_answer_is_believed_for_another(
        sample in any::<Index>(), other in any::<Index>(), fork in prop::sample::select(Fork::ALL.to_vec()),
    ) {
        let (sample, other) = (sample.get(&SAMPLES), other.get(&SAMPLES));
        let mut answer = sample.answer.clone();
        answer.version = fork.name().into();
        answer.preset = other.answer.preset;
        answer.kind = other.answer.kind;
        for input in [Input::Ssz(&sample.ssz), Input::Json(&answer.json())] {
            if let Ok(store) = answer.outcome_of(&sample.store, &input) {
                // Electra's and Fulu's are alike; so are those of the kinds, but in what JSON leaves aside.
                prop_assert_eq!(answer.preset, sample.answer.preset);
                prop_assert_eq!(fork >= Fork::Electra, ["electra", "fulu"].contains(&&*sample.answer.version));
                prop_assert!(answer.kind == sample.answer.kind || matches!(input, Input::Json(_)));
                prop_assert_eq!(store.optimistic(), sample.honest.optimistic());
            }
        }
    }
}

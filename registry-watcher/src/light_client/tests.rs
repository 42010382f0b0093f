#![allow(clippy::arithmetic_side_effects, reason = "a test may panic")]

mod chain;

use std::{sync::Arc, time::Duration};

use alloy_primitives::B256;
use chain::{Chain, Piece, Shown, at};

use super::*;

const PRESETS: [Preset; 2] = [Preset::Minimal, Preset::Mainnet];

/// A network whose forks come at those epochs.
fn network(preset: Preset, forks: &[(Fork, Epoch)]) -> Network {
    Network {
        name: "test".into(),
        preset,
        genesis_time: 0,
        genesis_validators_root: B256::repeat_byte(0x42),
        slot_duration: Duration::from_secs(12),
        forks: ForkSchedule {
            genesis: [0; 4],
            forks: forks
                .iter()
                .map(|(fork, epoch)| (*fork, *epoch, [*fork as u8 + 1; 4]))
                .collect(),
        },
    }
}

/// The network that has been at `fork` from its genesis on.
fn always(preset: Preset, fork: Fork) -> Network {
    let forks: Vec<_> = Fork::ALL.into_iter().filter(|f| *f <= fork).map(|f| (f, 0)).collect();
    network(preset, &forks)
}

macro_rules! read {
    ($core:ident, $chain:expr, $slot:expr, $piece:expr) => {{
        let (preset, fork) = ($chain.network.preset, $chain.fork($slot));
        let piece: Piece = $piece;
        let core = $core::from_json(preset, fork, &piece.json.to_string()).unwrap();
        assert_eq!(core, $core::from_ssz(preset, fork, &piece.ssz).unwrap());
        core
    }};
}

fn start(chain: &Chain, slot: Slot) -> Store {
    let data = read!(Bootstrap, chain, slot, chain.bootstrap(slot));
    bootstrap(Arc::new(chain.network.clone()), chain.root(slot), &data).unwrap()
}

fn update(chain: &Chain, shown: Shown) -> Update {
    read!(Update, chain, shown.attested, chain.update(shown))
}

fn follow(store: &Store, chain: &Chain, shown: Shown) -> Result<Store, LightClientError> {
    apply_update(store, &update(chain, shown), shown.signature)
}

fn slots(store: &Store) -> (Slot, Slot) {
    (store.finalized().slot(), store.optimistic().slot())
}

#[test]
fn every_fork_and_preset_is_followed_by_each_kind_of_update() {
    let chains = PRESETS.map(|preset| Chain::new(always(preset, Fork::Fulu), 2));
    for (chain, fork) in chains.iter().flat_map(|chain| Fork::ALL.map(|fork| (chain, fork))) {
        let preset = chain.network.preset;
        let chain = chain.on(always(preset, fork));
        let store = start(&chain, 2);
        assert_eq!(slots(&store), (2, 2));
        assert!(!store.knows_next_sync_committee());
        assert_eq!(store.participation(), None);
        assert_eq!(store.optimistic().execution().is_some(), fork >= Fork::Capella);

        let lag = 2 * preset.slots_per_epoch();
        let store = follow(&store, &chain, at(lag + 4)).unwrap();
        assert_eq!(slots(&store), (4, lag + 4));
        assert!(store.knows_next_sync_committee());

        let finality = read!(FinalityUpdate, chain, lag + 6, chain.finality_update(at(lag + 6)));
        let store = apply_update(&store, finality.as_ref(), lag + 7).unwrap();
        assert_eq!(slots(&store), (6, lag + 6));

        let optimistic =
            read!(OptimisticUpdate, chain, lag + 9, chain.optimistic_update(at(lag + 9)));
        let store = apply_update(&store, &Update::from(optimistic), lag + 10).unwrap();
        assert_eq!(slots(&store), (6, lag + 9));
        assert_eq!(store.optimistic().root(), chain.root(lag + 9));
        let of = u16::try_from(preset.sync_committee_size()).unwrap();
        assert_eq!(store.participation(), Some(Participation { voted: of, of }));
    }
}

#[test]
fn a_follower_crosses_every_fork() {
    let forks: Vec<_> = Fork::ALL.into_iter().zip([0, 3, 4, 5, 6, 7]).collect();
    let chain = Chain::new(network(Preset::Minimal, &forks), 3);
    let mut store = start(&chain, 2);
    // Attested just before, at and after each fork, so that also the signature's fork differs from the header's, and the
    // finalized header is of a fork two before.
    for attested in (19..75).filter(|slot| matches!(slot % 8, 0 | 1 | 7)) {
        store = follow(&store, &chain, at(attested)).unwrap();
        assert_eq!(slots(&store), (attested - 16, attested));
        for header in [store.finalized(), store.optimistic()] {
            let fork = chain.fork(header.slot());
            let root = header.execution_root(&chain.network);
            assert_eq!(root.is_zero(), fork < Fork::Capella, "{fork}");
        }
    }
    assert_eq!(chain.fork(store.finalized().slot()), Fork::Fulu);
}

#[test]
fn a_follower_goes_from_period_to_period() {
    let chain = Chain::new(always(Preset::Minimal, Fork::Electra), 5);
    let first = follow(&start(&chain, 2), &chain, at(30)).unwrap();
    assert_eq!((first.period(), first.knows_next_sync_committee()), (0, true));
    // Signed by the committee of period 1, attested in 0.
    let store = follow(&first, &chain, at(63)).unwrap();
    assert_eq!((store.period(), slots(&store)), (0, (47, 63)));
    // Finalized in 1: the committees move on.
    let store = follow(&store, &chain, at(90)).unwrap();
    assert_eq!((store.period(), store.knows_next_sync_committee()), (1, true));

    let ahead = follow(&first, &chain, at(150)).unwrap_err();
    assert_eq!(ahead.reason(), "update-period");
    assert!(ahead.is_ahead() && !ahead.is_behind());
    let behind = follow(&store, &chain, at(40)).unwrap_err();
    assert_eq!(behind.reason(), "update-period");
    assert!(behind.is_behind() && !behind.is_ahead());
    let behind = follow(&store, &chain, at(70)).unwrap_err();
    assert_eq!(behind.reason(), "update-not-newer");
    assert!(behind.is_behind());
}

#[test]
fn a_period_whose_update_lacked_the_next_committee_is_left_with_a_later_one() {
    let chain = Chain::new(always(Preset::Minimal, Fork::Fulu), 3);
    let store = follow(&start(&chain, 2), &chain, at(30)).unwrap();
    let finality = read!(FinalityUpdate, chain, 90, chain.finality_update(at(90)));
    let store = apply_update(&store, finality.as_ref(), 91).unwrap();
    assert_eq!((store.period(), store.knows_next_sync_committee()), (1, false));
    // Finalizes nothing new, and yet supplies the committee.
    let store = follow(&store, &chain, at(90)).unwrap();
    assert!(store.knows_next_sync_committee());
}

#[test]
fn two_thirds_count_and_one_short_does_not() {
    for (preset, needed) in [(Preset::Minimal, 22), (Preset::Mainnet, 342)] {
        let chain = Chain::new(always(preset, Fork::Fulu), 2);
        let store = start(&chain, 2);
        let of = preset.sync_committee_size();
        let slot = if preset == Preset::Minimal { 40 } else { 100 };
        let with = |signers| Shown { absent: of - signers, ..at(slot) };
        let moved = follow(&store, &chain, with(needed)).unwrap();
        assert_eq!(moved.optimistic().slot(), slot);
        assert_eq!(usize::from(moved.participation().unwrap().voted), needed);
        let error = follow(&store, &chain, with(needed - 1)).unwrap_err();
        assert_eq!(error.reason(), "participation");
        // A lone signer must not move the optimistic header either.
        let lone = read!(OptimisticUpdate, chain, slot, chain.optimistic_update(with(1)));
        let error = apply_update(&store, lone.as_ref(), slot + 1).unwrap_err();
        assert_eq!(error.reason(), "participation");
    }
}

#[test]
fn what_holds_and_is_not_newer_moves_nothing() {
    let chain = Chain::new(always(Preset::Minimal, Fork::Fulu), 2);
    let store = follow(&start(&chain, 2), &chain, at(40)).unwrap();
    let again = follow(&store, &chain, at(40)).unwrap();
    assert_eq!(slots(&again), slots(&store));
    let older = follow(&store, &chain, at(35)).unwrap();
    assert_eq!(slots(&older), slots(&store));
    assert_eq!(older.participation(), store.participation());
}

#[test]
fn of_two_headers_of_one_slot_with_two_thirds_each_the_first_stands() {
    let chain = Chain::new(always(Preset::Minimal, Fork::Fulu), 2);
    let twin = chain.twin(30);
    let store = follow(&start(&chain, 2), &chain, at(20)).unwrap();
    assert_ne!(chain.root(30), twin.root(30));
    for (one, other) in [(&chain, &twin), (&twin, &chain)] {
        let first = follow(&store, one, Shown { absent: 10, ..at(30) }).unwrap();
        assert_eq!(first.optimistic().root(), one.root(30));
        // Holds as well, by more votes even.
        let second = read!(OptimisticUpdate, other, 30, other.optimistic_update(at(30)));
        let both = apply_update(&first, second.as_ref(), 31).unwrap();
        assert_eq!(both.optimistic(), first.optimistic());
        assert_eq!(both.participation(), first.participation());
    }
}

#[test]
fn a_header_has_what_its_fork_says() {
    let refusal = |fork: Fork, of: Fork| {
        let chain = Chain::new(always(Preset::Minimal, fork), 2);
        let data = read!(Bootstrap, chain, 2, chain.bootstrap(2));
        let network = Arc::new(always(Preset::Minimal, of));
        bootstrap(network, chain.root(2), &data).unwrap_err().reason()
    };
    assert_eq!(refusal(Fork::Altair, Fork::Capella), "no-execution");
    assert_eq!(refusal(Fork::Capella, Fork::Bellatrix), "execution-before-capella");
    assert_eq!(refusal(Fork::Deneb, Fork::Capella), "blob-gas-before-deneb");
    assert_eq!(refusal(Fork::Capella, Fork::Deneb), "execution-branch-checkpoint");
    assert_eq!(refusal(Fork::Electra, Fork::Deneb), "fork-mismatch");
    assert_eq!(refusal(Fork::Deneb, Fork::Fulu), "fork-mismatch");

    let chain = Chain::new(always(Preset::Minimal, Fork::Deneb), 2);
    let data = read!(Bootstrap, chain, 2, chain.bootstrap(2));
    let later = Arc::new(network(Preset::Minimal, &[(Fork::Altair, 9)]));
    assert_eq!(bootstrap(later, chain.root(2), &data).unwrap_err().reason(), "before-altair");
    let larger = Arc::new(always(Preset::Mainnet, Fork::Deneb));
    assert_eq!(bootstrap(larger, chain.root(2), &data).unwrap_err().reason(), "committee-size");
}

#[test]
fn a_kept_store_goes_on_where_it_was() {
    let chain = Chain::new(always(Preset::Minimal, Fork::Fulu), 3);
    let store = follow(&start(&chain, 2), &chain, at(40)).unwrap();
    let network = Arc::clone(store.network());
    let kept = Store::from_json(Arc::clone(&network), &store.to_json()).unwrap();
    assert_eq!(kept, store);
    let went_on = follow(&kept, &chain, at(90)).unwrap();
    assert_eq!((went_on.period(), slots(&went_on)), (1, (74, 90)));

    let refusal = |network: &Network, json: &str| {
        Store::from_json(Arc::new(network.clone()), json).unwrap_err().reason()
    };
    let other = Network { genesis_validators_root: B256::ZERO, ..(*network).clone() };
    let larger = always(Preset::Mainnet, Fork::Fulu);
    let json = store.to_json();
    assert_eq!(refusal(&other, &json), "store-network");
    assert_eq!(refusal(&larger, &json), "committee-size");
    assert_eq!(refusal(&network, &json.replacen("\"version\":1", "\"version\":2", 1)), "store");
    assert_eq!(refusal(&network, &json[..json.len() / 2]), "json");
    assert_eq!(refusal(&network, ""), "json");
    let mut changed: serde_json::Value = serde_json::from_str(&json).unwrap();
    changed["optimistic"]["execution"]["state_root"] = B256::ZERO.to_string().into();
    assert_eq!(refusal(&network, &changed.to_string()), "execution-branch-attested");
    let mut swapped: serde_json::Value = serde_json::from_str(&json).unwrap();
    swapped["finalized"] = swapped["optimistic"].clone();
    swapped["optimistic"] =
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["finalized"].clone();
    assert_eq!(refusal(&network, &swapped.to_string()), "store");
}

//! The light client and the beacon simulator, written apart from each other, agree: what the one serves the other accepts, on
//! each preset and fork, over ends of periods.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::sync::Arc;

use alloy_primitives::B256;
use greenlight_beacon_simulator::{self as simulator, BeaconChain, ExecutionBlock, Spec};
use greenlight_watcher::light_client::{
    Bootstrap, FinalityUpdate, Fork, ForkSchedule, LightClientError, Network, OptimisticUpdate,
    Preset, Store, Update, apply_update, bootstrap,
};
use serde_json::Value;

fn network(spec: &Spec) -> Arc<Network> {
    let fork = Fork::from_name(spec.fork.name()).unwrap();
    Arc::new(Network {
        name: "simulated".into(),
        preset: match spec.preset {
            simulator::Preset::Mainnet => Preset::Mainnet,
            simulator::Preset::Minimal => Preset::Minimal,
        },
        genesis_time: spec.genesis_time,
        genesis_validators_root: B256::from(spec.genesis_validators_root),
        slot_duration: spec.slot_duration,
        forks: ForkSchedule { genesis: [0; 4], forks: vec![(fork, 0, spec.fork_version)] },
    })
}

/// Reads the `data` of an answer as what its `version` says.
fn read<T>(
    network: &Network,
    answer: &Value,
    from_json: fn(Preset, Fork, &str) -> Result<T, LightClientError>,
) -> T {
    let fork = Fork::from_name(answer["version"].as_str().unwrap()).unwrap();
    from_json(network.preset, fork, &answer["data"].to_string()).unwrap()
}

/// A poll: the newest finality update and the newest optimistic one.
fn poll(store: &Store, chain: &BeaconChain) -> Store {
    let network = store.network();
    let now = chain.head_slot();
    let finality = read(network, &chain.finality_update().unwrap(), FinalityUpdate::from_json);
    let store = apply_update(store, finality.as_ref(), now).unwrap();
    let optimistic =
        read(network, &chain.optimistic_update().unwrap(), OptimisticUpdate::from_json);
    let store = apply_update(&store, optimistic.as_ref(), now).unwrap();

    assert_eq!(store.finalized().slot(), chain.finalized_slot());
    assert_eq!(store.finalized().root(), B256::from(chain.finalized_root()));
    assert_eq!(store.optimistic().slot(), chain.attested_slot());
    let (found, expected) =
        (store.optimistic().execution().unwrap(), chain.attested_execution().unwrap());
    assert_eq!(found.block_number, expected.number);
    assert_eq!(found.block_hash, B256::from(expected.hash));
    assert_eq!(found.state_root, B256::from(expected.state_root));
    store
}

#[test]
fn a_client_follows_the_simulator_on_every_preset_and_fork() {
    for preset in [simulator::Preset::Mainnet, simulator::Preset::Minimal] {
        for fork in simulator::Fork::ALL {
            follow(&Spec::local(preset, fork));
        }
    }
}

fn follow(spec: &Spec) {
    let mut chain = BeaconChain::new(spec.clone());
    // Most slots are missed; those around the end of a period are not.
    let period = spec.preset.slots_per_period();
    let has_block = |slot: u64| {
        slot.is_multiple_of(period / 16) || slot % period < 3 || slot % period > period - 3
    };
    let (first, end) = (spec.period_start(7), spec.period_start(10) + period / 2);
    let mut checkpoint = None;
    for slot in (first..end).filter(|slot| has_block(*slot)) {
        assert!(chain.push(slot, ExecutionBlock::synthetic(slot)));
        if checkpoint.is_none() && chain.finalized_slot() > 0 {
            checkpoint = Some((chain.finalized_slot(), chain.finalized_root()));
        }
    }
    let (slot, root) = checkpoint.unwrap();
    assert_eq!(spec.period_of(slot), 7);

    let network = network(spec);
    let answer = read(&network, &chain.bootstrap(root).unwrap(), Bootstrap::from_json);
    let mut store = bootstrap(Arc::clone(&network), B256::from(root), &answer).unwrap();
    assert_eq!(store.finalized().slot(), slot);

    let updates = chain.updates(7, 128);
    assert_eq!(updates.len(), 4);
    for (period, update) in (7..).zip(&updates) {
        let update = read(&network, update, Update::from_json);
        store = apply_update(&store, &update, chain.head_slot()).unwrap();
        assert_eq!(store.period(), period);
        assert!(store.knows_next_sync_committee());
    }
    store = poll(&store, &chain);

    // And on, slot by slot, over the next end of a period.
    for slot in (end..end + period).filter(|slot| has_block(*slot)) {
        assert!(chain.push(slot, ExecutionBlock::synthetic(slot)));
        store = poll(&store, &chain);
        if !store.knows_next_sync_committee() {
            let update = &chain.updates(store.period(), 1)[0];
            let update = read(&network, update, Update::from_json);
            store = apply_update(&store, &update, chain.head_slot()).unwrap();
        }
    }
    assert_eq!(store.period(), 11);
}

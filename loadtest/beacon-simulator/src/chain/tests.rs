use super::*;
use crate::{Fork, Preset, ssz::hash};

fn chain(preset: Preset, fork: Fork, slots: impl IntoIterator<Item = u64>) -> BeaconChain {
    let mut chain = BeaconChain::new(Spec::local(preset, fork));
    for slot in slots {
        assert!(chain.push(slot, ExecutionBlock::synthetic(slot)));
    }
    chain
}

fn root(value: &Value) -> Root {
    hex::decode(&value.as_str().unwrap()[2..]).unwrap().try_into().unwrap()
}

fn folded(leaf: Root, branch: &Value, generalized: usize) -> Root {
    let branch = branch.as_array().unwrap();
    assert_eq!(branch.len(), generalized.ilog2() as usize);
    let mut index = generalized;
    branch.iter().fold(leaf, |node, sibling| {
        let right = index % 2 == 1;
        index /= 2;
        if right { hash(&root(sibling), &node) } else { hash(&node, &root(sibling)) }
    })
}

#[test]
fn the_parent_is_signed_and_the_lag_decides_what_is_final() {
    let mut chain = chain(Preset::Minimal, Fork::Fulu, 100..=117);
    assert_eq!((chain.head_slot(), chain.attested_slot(), chain.finalized_slot()), (117, 116, 100));
    // Two slots missed.
    assert!(chain.push(120, ExecutionBlock::synthetic(120)));
    let update = chain.optimistic_update().unwrap();
    assert_eq!(update["data"]["signature_slot"], "120");
    assert_eq!(update["data"]["attested_header"]["beacon"]["slot"], "117");
    assert_eq!(chain.finalized_slot(), 101);
    assert!(!chain.push(120, ExecutionBlock::synthetic(1)), "no second block in a slot");
}

#[test]
fn branches_lead_to_the_state_root_at_the_forks_own_indices() {
    for (fork, current, next, finality) in [
        (Fork::Capella, 54, 55, 105),
        (Fork::Deneb, 54, 55, 105),
        (Fork::Electra, 86, 87, 169),
        (Fork::Fulu, 86, 87, 169),
    ] {
        let chain = chain(Preset::Minimal, fork, 640..=660);
        let bootstrap = chain.bootstrap(chain.finalized_root()).unwrap();
        assert_eq!(bootstrap["version"], fork.name());
        let data = &bootstrap["data"];
        let state = root(&data["header"]["beacon"]["state_root"]);
        let committee = chain.committee(10).root;
        assert_eq!(folded(committee, &data["current_sync_committee_branch"], current), state);

        let [update] = &chain.updates(10, 5)[..] else { panic!("one period, one update") };
        let data = &update["data"];
        let state = root(&data["attested_header"]["beacon"]["state_root"]);
        let committee = chain.committee(11).root;
        assert_eq!(folded(committee, &data["next_sync_committee_branch"], next), state);
        let finalized = chain.finalized_root();
        assert_eq!(folded(finalized, &data["finality_branch"], finality), state);
    }
}

#[test]
fn a_block_names_its_parent_and_its_payload() {
    for fork in Fork::ALL {
        let chain = chain(Preset::Mainnet, fork, 8_000..=8_080);
        let block = chain.block(8_070).unwrap();
        let message = &block["data"]["message"];
        assert_eq!(root(&message["parent_root"]), chain.blocks[&8_069].root);
        assert_eq!(message["body"]["execution_payload"]["block_number"], "8070");
        assert_eq!(block["finalized"], false);
    }
}

#[test]
fn only_final_blocks_have_a_bootstrap() {
    let chain = chain(Preset::Minimal, Fork::Electra, 0..=30);
    assert!(chain.bootstrap(chain.finalized_root()).is_some());
    assert!(chain.bootstrap(chain.blocks[&0].root).is_some());
    assert!(chain.bootstrap(chain.head().unwrap().root).is_none());
    assert!(chain.bootstrap([0; 32]).is_none());
}

#[test]
fn a_period_has_one_update_with_all_in_it() {
    let chain = chain(Preset::Minimal, Fork::Fulu, 0..64 * 3 + 40);
    let updates = chain.updates(0, 10);
    assert_eq!(updates.len(), 4);
    for (period, update) in (0..).zip(updates) {
        let slot = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
        let data = &update["data"];
        for header in ["attested_header", "finalized_header"] {
            assert_eq!(chain.spec.period_of(slot(&data[header]["beacon"]["slot"])), period);
        }
        assert_eq!(chain.spec.period_of(slot(&data["signature_slot"])), period);
    }
    assert_eq!(chain.updates(1, 2).len(), 2);
    assert!(chain.updates(9, u64::MAX).is_empty());
}

#[test]
fn a_rewind_goes_no_further_than_the_finalized_block() {
    let mut chain = chain(Preset::Minimal, Fork::Fulu, 0..=40);
    let (finalized, root) = (chain.finalized_slot(), chain.finalized_root());
    chain.rewind(35);
    assert_eq!(chain.head_slot(), 35);
    chain.rewind(3);
    assert_eq!(chain.head_slot(), finalized);
    assert!(chain.push(41, ExecutionBlock::synthetic(41)));
    // What is signed now proves less than what was signed before.
    assert_eq!((chain.attested_slot(), chain.finalized_slot()), (finalized, finalized));
    assert_eq!(chain.finalized_root(), root);
    assert!(chain.push(42, ExecutionBlock::synthetic(42)));
    assert_eq!(chain.blocks[&41].parent_root, root);
    assert!(chain.finalized_slot() >= finalized);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut spec = Spec::local(Preset::Minimal, Fork::Fulu);
    spec.finality_lag = 1;
    let mut chain = BeaconChain::new(spec);
    // A few blocks a period, and more periods than are kept.
    for period in 0..150 {
        for slot in 0..4 {
            chain.push(period * 64 + slot, ExecutionBlock::synthetic(slot));
        }
    }
    assert_eq!((chain.best.len(), chain.milestones.len()), (MAX_UPDATES, MAX_UPDATES));
    assert!(chain.bootstrap(chain.milestones[&0].root).is_some());
    assert_eq!(chain.updates(0, 1_000).len(), MAX_UPDATES);
}

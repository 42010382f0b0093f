//! The rules of light-client/sync-protocol.md (altair, as capella, deneb and electra amend it), in their order.
//!
//! Deviations, each marked where it is: two thirds of the committee for every update (the specification takes one member,
//! and two thirds for finality only); a container must have its header's shape; a refused update changes nothing at all.

use std::{cmp::Ordering, sync::Arc};

use alloy_primitives::B256;

use super::{
    Bootstrap, Epoch, Fork, Header, LightClientError, Network, Slot, Store, Update, Which,
    committee::Committee, merkle, store::check_size,
};

/// `DOMAIN_SYNC_COMMITTEE` (altair, beacon-chain.md).
const DOMAIN_SYNC_COMMITTEE: [u8; 4] = [7, 0, 0, 0];

/// `initialize_light_client_store`: a store that begins at the block that `trusted_block_root` names.
///
/// # Errors
/// The rule of the specification that `bootstrap` breaks.
pub fn bootstrap(
    network: Arc<Network>,
    trusted_block_root: B256,
    bootstrap: &Bootstrap,
) -> Result<Store, LightClientError> {
    let Bootstrap { fork, header, committee, branch } = bootstrap;
    check_size(&network, committee.size())?;
    header.check(Which::Checkpoint, &network)?;
    if header.root() != trusted_block_root {
        return Err(LightClientError::CheckpointRoot {
            expected: trusted_block_root,
            found: header.root(),
        });
    }
    let slot_fork = check_shape(*fork, header, Which::Checkpoint, &network)?;
    let expected = header.beacon().state_root;
    let index = merkle::current_sync_committee(slot_fork);
    let found = merkle::branch_root(committee.root(), branch, index);
    if found != Some(expected) {
        let found = found.unwrap_or_default();
        return Err(LightClientError::CommitteeBranch { expected, found });
    }
    Ok(Store {
        network,
        finalized: Arc::clone(header),
        optimistic: Arc::clone(header),
        current_committee: Arc::clone(committee),
        next_committee: None,
        best_valid_update: None,
        participation: None,
    })
}

/// `process_light_client_update`: the store after `update`, which was fetched in `current_slot` by a clock that is
/// trusted. The other two kinds of update come in through their [`AsRef`].
///
/// An update that holds but has nothing newer gives back the store as it was.
///
/// Deviation: where the specification leaves a half-changed store behind a failed assertion, here is an error only.
///
/// # Errors
/// The rule of the specification that `update` breaks.
pub fn apply_update(
    store: &Store,
    update: &Update,
    current_slot: Slot,
) -> Result<Store, LightClientError> {
    validate(store, update, current_slot)?;
    let mut next = store.clone();
    if store.best_valid_update.as_ref().is_none_or(|best| is_better(&store.network, update, best)) {
        next.best_valid_update = Some(Arc::new(update.clone()));
    }
    // Deviation: no safety threshold. Two thirds, checked above, are above any.
    if update.attested().slot() > next.optimistic.slot() {
        next.optimistic = Arc::clone(&update.signed.attested);
        next.participation = Some(update.participation());
    }
    let period_of = |header: &Header| store.network.period_of(header.slot());
    let supplies_next_committee = !store.knows_next_sync_committee()
        && update.has_next_sync_committee()
        && update.has_finality()
        && store.network.period_of(update.finalized_slot()) == period_of(update.attested());
    if update.finalized_slot() > store.finalized.slot() || supplies_next_committee {
        apply(&mut next, update, update.finalized.as_ref())?;
        next.best_valid_update = None;
    }
    Ok(next)
}

/// `process_light_client_store_force_update`: takes an unfinalized header for finalized, after a period without finality.
///
/// For conformance only. A follower must never call it: what it forces may be reorganised away, and one who can keep
/// honest updates from a client for a day could pick what it believes. A follower rather becomes stale.
#[must_use]
pub fn force_update(store: &Store, current_slot: Slot) -> Store {
    let timeout = store.finalized.slot().saturating_add(store.network.preset.slots_per_period());
    let Some(best) = store.best_valid_update.as_ref().filter(|_| current_slot > timeout) else {
        return store.clone();
    };
    let finalized = if best.finalized_slot() <= store.finalized.slot() {
        Some(&best.signed.attested)
    } else {
        best.finalized.as_ref()
    };
    let mut next = store.clone();
    next.best_valid_update = None;
    match apply(&mut next, best, finalized) {
        Ok(()) => next,
        Err(_) => store.clone(),
    }
}

/// `validate_light_client_update`.
fn validate(store: &Store, update: &Update, current_slot: Slot) -> Result<(), LightClientError> {
    let network = &*store.network;
    check_size(network, update.signed.signers.len())?;
    check_participation(update)?;

    // The update skips no period.
    let attested = update.attested();
    attested.check(Which::Attested, network)?;
    let attested_fork = check_shape(update.signed.fork, attested, Which::Attested, network)?;
    check_slots(update, current_slot)?;
    let store_period = store.period();
    let signature_period = network.period_of(update.signature_slot());
    let latest = if store.knows_next_sync_committee() {
        store_period.saturating_add(1)
    } else {
        store_period
    };
    if signature_period < store_period || signature_period > latest {
        return Err(LightClientError::UpdatePeriod {
            store: store_period,
            latest,
            found: signature_period,
        });
    }

    // It is relevant.
    let attested_period = network.period_of(attested.slot());
    let supplies_next_committee = !store.knows_next_sync_committee()
        && update.has_next_sync_committee()
        && attested_period == store_period;
    if attested.slot() <= store.finalized.slot() && !supplies_next_committee {
        return Err(LightClientError::UpdateNotNewer {
            expected: store.finalized.slot(),
            found: attested.slot(),
        });
    }

    check_finality(update, attested_fork, network)?;
    let known = store.next_committee.as_deref().filter(|_| attested_period == store_period);
    check_next_committee(update, attested_fork, known)?;

    // Periods were checked above: where it is not the store's, it is the one after, whose committee is known.
    let committee = match &store.next_committee {
        Some(next) if signature_period != store_period => next,
        _ => &store.current_committee,
    };
    let signing_root = signing_root(network, attested, update.signature_slot());
    committee.verify(&update.signed.signers, signing_root, &update.signed.signature)
}

/// Two thirds of the committee.
///
/// Deviation: the specification takes `MIN_SYNC_COMMITTEE_PARTICIPANTS`, which is one, for a header that is not
/// finalized. One member's word, bought or stolen, must not kill, roll back or pause an edge.
fn check_participation(update: &Update) -> Result<(), LightClientError> {
    let participation = update.participation();
    let expected = participation.of.saturating_mul(2).div_ceil(3);
    if participation.voted < expected {
        return Err(LightClientError::Participation {
            expected,
            of: participation.of,
            found: participation.voted,
        });
    }
    Ok(())
}

/// Deviation: the specification upgrades an older container for a newer store; on the wire, though, a container has the
/// shape of its attested header's fork (light-client/p2p-interface.md), and no other is taken here. It gives back that
/// fork.
fn check_shape(
    found: Fork,
    header: &Header,
    which: Which,
    network: &Network,
) -> Result<Fork, LightClientError> {
    let expected = header.fork(which, network)?;
    let shape = |fork| match fork {
        Fork::Altair | Fork::Bellatrix => Fork::Altair,
        Fork::Capella => Fork::Capella,
        Fork::Deneb => Fork::Deneb,
        Fork::Electra | Fork::Fulu => Fork::Electra,
    };
    if shape(expected) == shape(found) {
        Ok(expected)
    } else {
        Err(LightClientError::ForkMismatch { which, slot: header.slot(), expected, found })
    }
}

fn check_slots(update: &Update, current_slot: Slot) -> Result<(), LightClientError> {
    let signature = update.signature_slot();
    let attested = update.attested().slot();
    let finalized = update.finalized_slot();
    if signature > current_slot {
        return Err(LightClientError::SignatureSlotFuture {
            expected: current_slot,
            found: signature,
        });
    }
    if signature <= attested || attested < finalized {
        return Err(LightClientError::SlotOrder { signature, attested, finalized });
    }
    Ok(())
}

/// The finalized header is the one that the attested state has finalized.
fn check_finality(update: &Update, fork: Fork, network: &Network) -> Result<(), LightClientError> {
    let finalized = update.finalized();
    if !update.has_finality() {
        return match finalized {
            None => Ok(()),
            Some(header) => Err(LightClientError::FinalizedUnproven { slot: header.slot() }),
        };
    }
    let leaf = match finalized {
        // A state that has finalized nothing yet has a zero root there.
        None => B256::ZERO,
        Some(header) if header.slot() == 0 => {
            return Err(LightClientError::FinalizedGenesis { found: header.root() });
        }
        Some(header) => {
            header.check(Which::Finalized, network)?;
            header.root()
        }
    };
    let expected = update.attested().beacon().state_root;
    let found = merkle::branch_root(leaf, &update.finality_branch, merkle::finalized_root(fork));
    if found == Some(expected) {
        return Ok(());
    }
    Err(LightClientError::FinalityBranch { expected, found: found.unwrap_or_default() })
}

/// The next committee is the one of the attested state, and the known one where that is for the same period.
fn check_next_committee(
    update: &Update,
    fork: Fork,
    known: Option<&Committee>,
) -> Result<(), LightClientError> {
    let committee = update.next_committee.as_deref();
    if !update.has_next_sync_committee() {
        return match committee {
            None => Ok(()),
            Some(committee) => {
                Err(LightClientError::NextCommitteeUnproven { committee: committee.root() })
            }
        };
    }
    let found = committee.map(Committee::root).unwrap_or_default();
    if let Some(known) = known
        && known.root() != found
    {
        return Err(LightClientError::NextCommitteeMismatch { expected: known.root(), found });
    }
    let expected = update.attested().beacon().state_root;
    let index = merkle::next_sync_committee(fork);
    // An empty committee signs nothing: to take it would be to know none.
    let found = committee.and_then(|committee| {
        merkle::branch_root(committee.root(), &update.next_committee_branch, index)
    });
    if found == Some(expected) {
        return Ok(());
    }
    Err(LightClientError::NextCommitteeBranch { expected, found: found.unwrap_or_default() })
}

/// What the committee signs: `compute_signing_root` (phase0, beacon-chain.md) of the attested header in the domain of the
/// slot before the signature's.
fn signing_root(network: &Network, attested: &Header, signature_slot: Slot) -> B256 {
    let epoch = network.epoch_of(signature_slot.max(1).saturating_sub(1));
    merkle::hash_pair(attested.root(), domain(network, epoch))
}

/// `compute_domain` (phase0, beacon-chain.md): the type, then the first 28 bytes of the fork data's root.
fn domain(network: &Network, epoch: Epoch) -> B256 {
    let version = B256::right_padding_from(&network.fork_version_at(epoch));
    let fork_data_root = merkle::hash_pair(version, network.genesis_validators_root);
    let mut domain = B256::right_padding_from(&DOMAIN_SYNC_COMMITTEE);
    for (target, byte) in domain.iter_mut().skip(DOMAIN_SYNC_COMMITTEE.len()).zip(fork_data_root) {
        *target = byte;
    }
    domain
}

/// `apply_light_client_update`, with the finalized header apart: a forced update has another.
fn apply(
    store: &mut Store,
    update: &Update,
    finalized: Option<&Arc<Header>>,
) -> Result<(), LightClientError> {
    let store_period = store.period();
    let found = store.network.period_of(finalized.map_or(0, |header| header.slot()));
    match store.next_committee.clone() {
        None if found != store_period => {
            return Err(LightClientError::UpdatePeriod {
                store: store_period,
                latest: store_period,
                found,
            });
        }
        None => store.next_committee.clone_from(&update.next_committee),
        Some(next) if found == store_period.saturating_add(1) => {
            store.current_committee = next;
            store.next_committee.clone_from(&update.next_committee);
        }
        Some(_) => {}
    }
    if let Some(finalized) = finalized
        && finalized.slot() > store.finalized.slot()
    {
        store.finalized = Arc::clone(finalized);
        if finalized.slot() > store.optimistic.slot() {
            store.optimistic = Arc::clone(finalized);
            store.participation = Some(update.participation());
        }
    }
    Ok(())
}

/// `is_better_update`. What it says of updates without two thirds is left out: there are none here.
fn is_better(network: &Network, new: &Update, old: &Update) -> bool {
    let period_of = |slot| network.period_of(slot);
    let has_relevant_committee = |update: &Update| {
        update.has_next_sync_committee()
            && period_of(update.attested().slot()) == period_of(update.signature_slot())
    };
    let has_committee_finality = |update: &Update| {
        update.has_finality()
            && period_of(update.finalized_slot()) == period_of(update.attested().slot())
    };
    let voted = |update: &Update| update.participation().voted;
    has_relevant_committee(new)
        .cmp(&has_relevant_committee(old))
        .then_with(|| new.has_finality().cmp(&old.has_finality()))
        .then_with(|| has_committee_finality(new).cmp(&has_committee_finality(old)))
        .then_with(|| voted(new).cmp(&voted(old)))
        // Older data changes the best less often.
        .then_with(|| old.attested().slot().cmp(&new.attested().slot()))
        .then_with(|| old.signature_slot().cmp(&new.signature_slot()))
        == Ordering::Greater
}

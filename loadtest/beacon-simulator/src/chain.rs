//! The chain.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::{
    block::{Block, Draft},
    execution::ExecutionBlock,
    json::{self, versioned},
    keys::{Aggregate, Committee, Committees, signing_root},
    spec::Spec,
    ssz::Root,
};

/// `MAX_REQUEST_LIGHT_CLIENT_UPDATES`: so many are given at once, and so many are kept.
const MAX_UPDATES: usize = 128;
/// So many of the newest blocks are kept: what a client may take its bootstrap from.
const MAX_BLOCKS: usize = 4_096;

/// A beacon chain, without clock or socket: whoever has it pushes execution blocks, and each becomes the payload of a slot.
///
/// What a light client verifies is real: roots, branches, committees that change with each period, and one BLS signature a
/// slot, made by the committee of the slot that the next block is in (`sync_committee_period(signature_slot)`). A few seats
/// are absent from each, as on a real network.
///
/// The rest is not there. Of the state there are clock, finalized checkpoint and the two committees; its other fields are
/// filler. Of a payload there is what its header says, without transactions and withdrawals: their roots are those of empty
/// lists, whatever the execution chain has, since no light client reads them. There are no validators but the committees',
/// so a block is final once one at least [`Spec::finality_lag`] slots above it is signed, and nobody has voted for it.
///
/// Bounded: the newest 4,096 blocks, and for each of the last 128 periods its best update and its first final block.
/// A clone is a snapshot; it shares the blocks.
#[derive(Clone, Debug)]
pub struct BeaconChain {
    spec: Spec,
    committees: Committees,
    /// By slot.
    blocks: BTreeMap<u64, Arc<Block>>,
    /// The first final block of each period, and the first of all.
    milestones: BTreeMap<u64, Arc<Block>>,
    newest: Option<Signed>,
    /// The newest of those that prove the newest block final. After a reorganization this is not [`Self::newest`] at once.
    finality: Option<Signed>,
    /// The best update of each period.
    best: BTreeMap<u64, Signed>,
}

/// A block with the signature that the next one brought.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) attested: Arc<Block>,
    /// That of the attested state.
    pub(crate) finalized: Option<Arc<Block>>,
    pub(crate) aggregate: Aggregate,
    pub(crate) signature_slot: u64,
}

impl BeaconChain {
    /// Without any block.
    pub fn new(spec: Spec) -> Self {
        Self {
            committees: Committees::new(spec.preset),
            spec,
            blocks: BTreeMap::new(),
            milestones: BTreeMap::new(),
            newest: None,
            finality: None,
            best: BTreeMap::new(),
        }
    }

    /// What kind of chain it is.
    pub const fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Appends the block of a slot; that of the slot before gets its signature thereby. Slots may be missed. Says `false`
    /// and does nothing where the slot is not above the head's.
    pub fn push(&mut self, slot: u64, execution: ExecutionBlock) -> bool {
        let parent = self.head().cloned();
        if parent.as_ref().is_some_and(|parent| slot <= parent.slot) {
            return false;
        }
        let aggregate = match &parent {
            Some(parent) => self.attest(parent, slot),
            None => Aggregate::none(self.spec.preset),
        };
        // The blocks of this slot's past are all there is.
        let finalized = slot
            .checked_sub(self.spec.finality_lag)
            .and_then(|newest| self.blocks.range(..=newest).next_back())
            .map(|(slot, block)| (*slot, block.root));
        let period = self.spec.period_of(slot);
        let block = Block::new(
            &self.spec,
            Draft {
                slot,
                parent_root: parent.map_or([0; 32], |parent| parent.root),
                aggregate,
                execution,
                current: &self.committees.get(period),
                next: &self.committees.get(period + 1),
                finalized,
            },
        );
        self.blocks.insert(slot, Arc::new(block));
        self.forget();
        true
    }

    /// Drops the blocks above a slot, as a reorganization does. Those up to the finalized one stay whatever the slot. What
    /// was signed remains signed.
    pub fn rewind(&mut self, slot: u64) {
        let last = slot.max(self.finalized_slot());
        self.blocks.retain(|slot, _| *slot <= last);
    }

    /// Slot of the newest block; 0 where there is none.
    pub fn head_slot(&self) -> u64 {
        self.head().map_or(0, |head| head.slot)
    }

    /// Slot of the newest signed block: the optimistic head. 0 where there is none.
    pub fn attested_slot(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.attested.slot)
    }

    /// Slot of the newest final block; 0 where there is none. It never goes back.
    pub fn finalized_slot(&self) -> u64 {
        self.finalized().map_or(0, |finalized| finalized.slot)
    }

    /// Root of the newest final block; zeros where there is none.
    pub fn finalized_root(&self) -> Root {
        self.finalized().map_or([0; 32], |finalized| finalized.root)
    }

    /// Payload of the newest signed block.
    pub fn attested_execution(&self) -> Option<&ExecutionBlock> {
        self.newest.as_ref().map(|newest| &newest.attested.execution)
    }

    /// Payload of the newest final block.
    pub fn finalized_execution(&self) -> Option<&ExecutionBlock> {
        self.finalized().map(|finalized| &finalized.execution)
    }

    /// `/eth/v1/beacon/light_client/bootstrap/{root}`: of any final block that is still kept.
    pub fn bootstrap(&self, root: Root) -> Option<Value> {
        let finalized = self.finalized_slot();
        let block = self.kept().find(|block| block.root == root && block.slot <= finalized)?;
        Some(self.bootstrap_of(block))
    }

    /// `/eth/v1/beacon/light_client/updates`: the best of each period that has one; at most 128.
    pub fn updates(&self, start_period: u64, count: u64) -> Vec<Value> {
        self.best(start_period, count).map(|signed| self.update(signed)).collect()
    }

    /// `/eth/v1/beacon/light_client/finality_update`.
    pub fn finality_update(&self) -> Option<Value> {
        self.finality().map(|signed| self.finality_update_of(signed))
    }

    /// `/eth/v1/beacon/light_client/optimistic_update`.
    pub fn optimistic_update(&self) -> Option<Value> {
        self.newest().map(|newest| self.optimistic_update_of(newest))
    }

    /// `/eth/v2/beacon/blocks/{slot}`: its root is that of the header, so that real Helios, which reads whole blocks, takes it.
    pub fn block(&self, slot: u64) -> Option<Value> {
        let block = self.at(slot)?;
        let mut answer =
            versioned(self.spec.fork.name(), json::signed_block(self.spec.fork, block));
        answer["execution_optimistic"] = Value::Bool(false);
        answer["finalized"] = Value::Bool(slot <= self.finalized_slot());
        Some(answer)
    }
}

impl BeaconChain {
    pub(crate) fn head(&self) -> Option<&Arc<Block>> {
        self.blocks.last_key_value().map(|(_, block)| block)
    }

    fn at(&self, slot: u64) -> Option<&Arc<Block>> {
        self.blocks.get(&slot).or_else(|| self.milestones.get(&slot))
    }

    /// The newest first.
    fn kept(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.blocks.values().rev().chain(self.milestones.values().rev())
    }

    pub(crate) fn block_root(&self, slot: u64) -> Option<Root> {
        self.at(slot).map(|block| block.root)
    }

    pub(crate) fn slot_of(&self, root: Root) -> Option<u64> {
        self.kept().find(|block| block.root == root).map(|block| block.slot)
    }

    /// Down to the newest final one, and with it.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.blocks.range(self.finalized_slot()..).rev().map(|(_, block)| block)
    }

    pub(crate) fn finalized(&self) -> Option<&Arc<Block>> {
        self.finality.as_ref()?.finalized.as_ref()
    }

    pub(crate) const fn finality(&self) -> Option<&Signed> {
        self.finality.as_ref()
    }

    pub(crate) const fn newest(&self) -> Option<&Signed> {
        self.newest.as_ref()
    }

    pub(crate) fn best(&self, start_period: u64, count: u64) -> impl Iterator<Item = &Signed> {
        let end = start_period.saturating_add(count);
        self.best.range(start_period..end).map(|(_, signed)| signed).take(MAX_UPDATES)
    }

    /// The oldest signed block that proves another final, of those that are still kept.
    pub(crate) fn oldest_final(&self) -> Option<Signed> {
        let mut pairs = self.blocks.values().zip(self.blocks.values().skip(1));
        pairs.find_map(|(attested, next)| {
            let (slot, _) = attested.finalized?;
            Some(Signed {
                attested: Arc::clone(attested),
                finalized: Some(Arc::clone(self.blocks.get(&slot)?)),
                aggregate: next.aggregate.clone(),
                signature_slot: next.slot,
            })
        })
    }

    pub(crate) fn committee(&self, period: u64) -> Arc<Committee> {
        self.committees.get(period)
    }

    /// The signature of the slot's committee, by the seats that sign.
    pub(crate) fn sign(
        &self,
        root: &Root,
        signature_slot: u64,
        fork_version: [u8; 4],
        signs: impl Fn(usize) -> bool,
    ) -> Aggregate {
        let signed = signing_root(root, fork_version, &self.spec.genesis_validators_root);
        self.committee(self.spec.period_of(signature_slot)).sign(&signed, signs)
    }

    pub(crate) fn bootstrap_of(&self, block: &Block) -> Value {
        let current = self.committee(self.spec.period_of(block.slot));
        self.versioned(json::bootstrap(self.spec.fork, block, &current))
    }

    pub(crate) fn update(&self, signed: &Signed) -> Value {
        let next = self.committee(self.spec.period_of(signed.attested.slot) + 1);
        self.versioned(self.parts(signed, Some(&next)).whole())
    }

    pub(crate) fn finality_update_of(&self, signed: &Signed) -> Value {
        self.versioned(self.parts(signed, None).finality())
    }

    pub(crate) fn optimistic_update_of(&self, signed: &Signed) -> Value {
        self.versioned(self.parts(signed, None).optimistic())
    }

    fn parts<'p>(&self, signed: &'p Signed, next: Option<&'p Committee>) -> json::Update<'p> {
        json::Update {
            fork: self.spec.fork,
            preset: self.spec.preset,
            attested: &signed.attested,
            next,
            finalized: signed.finalized.as_deref(),
            aggregate: &signed.aggregate,
            signature_slot: signed.signature_slot,
        }
    }

    fn versioned(&self, data: Value) -> Value {
        versioned(self.spec.fork.name(), data)
    }

    /// Signs the head, and keeps what follows from it.
    fn attest(&mut self, attested: &Arc<Block>, signature_slot: u64) -> Aggregate {
        // One seat in 61 is absent, each slot another.
        let absent = (signature_slot % 61) as usize;
        let present = |seat| seat % 61 != absent;
        let aggregate = self.sign(&attested.root, signature_slot, self.spec.fork_version, present);
        let finalized = attested.finalized.and_then(|(slot, _)| self.blocks.get(&slot)).cloned();
        let signed = Signed {
            attested: Arc::clone(attested),
            finalized,
            aggregate: aggregate.clone(),
            signature_slot,
        };
        self.keep(&signed);
        if signed
            .finalized
            .as_ref()
            .is_some_and(|finalized| finalized.slot >= self.finalized_slot())
        {
            self.finality = Some(signed.clone());
        }
        self.newest = Some(signed);
        aggregate
    }

    fn keep(&mut self, signed: &Signed) {
        let period = self.spec.period_of(signed.attested.slot);
        if let Some(finalized) = &signed.finalized {
            let of = self.spec.period_of(finalized.slot);
            let slots = self.spec.period_start(of)..self.spec.period_start(of + 1);
            if self.milestones.range(slots).next().is_none() {
                self.milestones.insert(finalized.slot, Arc::clone(finalized));
            }
        }
        // Without a signature of its own period an update brings no next committee: `create_light_client_update`.
        if self.spec.period_of(signed.signature_slot) != period {
            return;
        }
        // As `is_better_update` has it, but the newest of equals, which leads a client further.
        if self.best.get(&period).is_none_or(|kept| self.rank(signed) >= self.rank(kept)) {
            self.best.insert(period, signed.clone());
        }
    }

    /// Has finality, and that of the attested block's own period.
    fn rank(&self, signed: &Signed) -> (bool, bool) {
        let period = |block: &Block| self.spec.period_of(block.slot);
        let finalized = signed.finalized.as_deref().map(period);
        (finalized.is_some(), finalized == Some(period(&signed.attested)))
    }

    fn forget(&mut self) {
        let finalized = self.finalized_slot();
        while self.blocks.len() > MAX_BLOCKS
            && self.blocks.first_key_value().is_some_and(|(slot, _)| *slot < finalized)
        {
            self.blocks.pop_first();
        }
        while self.best.len() > MAX_UPDATES {
            self.best.pop_first();
        }
        // The very first stays: it may be in somebody's configuration.
        while self.milestones.len() > MAX_UPDATES {
            let second = self.milestones.keys().nth(1).copied();
            second.and_then(|slot| self.milestones.remove(&slot));
        }
    }
}

#[cfg(test)]
mod tests;

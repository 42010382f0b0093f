//! Updates as a hostile server, or a hostile committee, would make them.

use serde_json::Value;

use crate::{
    block::{Block, Draft},
    chain::BeaconChain,
    execution::ExecutionBlock,
    json::{self, versioned},
    keys::{Aggregate, signing_root},
    spec::Spec,
    ssz::Root,
};

/// Which seats of the signing committee sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signers {
    /// Every one.
    All,
    /// The first so many; none at all gives the point at infinity.
    First(usize),
    /// These seats; those beyond the committee are ignored.
    Seats(Vec<usize>),
}

impl Signers {
    pub(crate) fn has(&self, seat: usize) -> bool {
        match self {
            Self::All => true,
            Self::First(count) => seat < *count,
            Self::Seats(seats) => seats.contains(&seat),
        }
    }
}

/// An update to be forged: each field starts out honest ([`Forgery::honest`]) and may be set to a lie, which is then really
/// signed and really proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgery {
    /// Slot of the attested block.
    pub attested_slot: u64,
    /// Slot of the block that the attested state proves final. `None`: an update without finality.
    pub finalized_slot: Option<u64>,
    /// Slot of the signature: the first above the attested one, where it is honest.
    pub signature_slot: u64,
    /// Who signs.
    pub signers: Signers,
    /// The period whose committee signs: that of the signature slot, where it is honest.
    pub signing_period: u64,
    /// In the signature's domain.
    pub fork_version: [u8; 4],
    /// In the signature's domain.
    pub genesis_validators_root: [u8; 32],
    /// The period whose committee the attested state proves as its next one. `None`: an update without next committee
    /// (the state has the honest one).
    pub next_committee_period: Option<u64>,
    /// Payload of the attested block.
    pub attested_execution: ExecutionBlock,
    /// Payload of the finalized block.
    pub finalized_execution: ExecutionBlock,
    /// The answer's `version`.
    pub version: String,
}

impl Forgery {
    /// An update without any fault: attested at `attested_slot`, signed by everybody one slot later, final as far below as the
    /// spec's lag says, with the next committee.
    pub fn honest(spec: &Spec, attested_slot: u64) -> Self {
        let finalized_slot = attested_slot.saturating_sub(spec.finality_lag);
        let signature_slot = attested_slot.saturating_add(1);
        Self {
            attested_slot,
            finalized_slot: Some(finalized_slot),
            signature_slot,
            signers: Signers::All,
            signing_period: spec.period_of(signature_slot),
            fork_version: spec.fork_version,
            genesis_validators_root: spec.genesis_validators_root,
            next_committee_period: Some(spec.period_of(attested_slot).saturating_add(1)),
            attested_execution: ExecutionBlock::synthetic(attested_slot),
            finalized_execution: ExecutionBlock::synthetic(finalized_slot),
            version: spec.fork.name().into(),
        }
    }
}

impl BeaconChain {
    /// An update as [`Forgery`] says, `{"version": …, "data": …}`. Its blocks are synthetic: what this chain has makes no
    /// difference to it, so it may be empty.
    pub fn forge(&self, forgery: &Forgery) -> Value {
        let finalized = forgery.finalized_slot.map(|slot| {
            let period = self.spec().period_of(slot).saturating_add(1);
            self.forge_block(slot, period, None, &forgery.finalized_execution)
        });
        let attested_period = self.spec().period_of(forgery.attested_slot);
        let next_period = forgery.next_committee_period;
        let attested = self.forge_block(
            forgery.attested_slot,
            next_period.unwrap_or_else(|| attested_period.saturating_add(1)),
            finalized.as_ref().map(|finalized| (finalized.slot, finalized.root)),
            &forgery.attested_execution,
        );
        let signed =
            signing_root(&attested.root, forgery.fork_version, &forgery.genesis_validators_root);
        let aggregate =
            self.committee(forgery.signing_period).sign(&signed, |seat| forgery.signers.has(seat));
        let next = next_period.map(|period| self.committee(period));
        let update = json::Update {
            fork: self.spec().fork,
            preset: self.spec().preset,
            attested: &attested,
            next: next.as_deref(),
            finalized: finalized.as_ref(),
            aggregate: &aggregate,
            signature_slot: forgery.signature_slot,
        };
        versioned(&forgery.version, update.whole())
    }

    /// Root and bootstrap of a synthetic block at any slot.
    pub fn forge_bootstrap(&self, slot: u64, execution: &ExecutionBlock) -> (Root, Value) {
        let block = self.forge_block(slot, self.spec().period_of(slot) + 1, None, execution);
        (block.root, self.bootstrap_of(&block))
    }

    fn forge_block(
        &self,
        slot: u64,
        next_period: u64,
        finalized: Option<(u64, Root)>,
        execution: &ExecutionBlock,
    ) -> Block {
        let draft = Draft {
            slot,
            parent_root: [0x70; 32],
            aggregate: Aggregate::none(self.spec().preset),
            execution: execution.clone(),
            current: &self.committee(self.spec().period_of(slot)),
            next: &self.committee(next_period),
            finalized,
        };
        Block::new(self.spec(), draft)
    }
}

/// The finality update within an update: without next committee.
#[must_use]
pub fn finality_update_of(update: &Value) -> Value {
    without(update, &["next_sync_committee", "next_sync_committee_branch"])
}

/// The optimistic update within an update: without next committee and finality.
#[must_use]
pub fn optimistic_update_of(update: &Value) -> Value {
    let finality = ["finalized_header", "finality_branch"];
    without(&finality_update_of(update), &finality)
}

fn without(update: &Value, names: &[&str]) -> Value {
    let mut update = update.clone();
    if let Some(data) = update["data"].as_object_mut() {
        data.retain(|name, _| !names.contains(&name.as_str()));
    }
    update
}

//! An honest chain of mainnet's size, a client that follows it, and what each kind of answer is read and applied with.

use std::sync::Arc;

use alloy_primitives::{B256, hex};
use greenlight_beacon_simulator::{
    self as simulator, BeaconChain, ExecutionBlock, Forgery, Spec, finality_update_of,
    optimistic_update_of,
};
use greenlight_watcher::light_client::{
    Bootstrap, FinalityUpdate, Fork, ForkSchedule, LightClientError, Network, OptimisticUpdate,
    Preset, Store, Update, apply_update, bootstrap,
};
use serde_json::Value;

use crate::ssz;

/// Period of the client's checkpoint.
pub(crate) const PERIOD: u64 = 4;

/// What a server may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bootstrap,
    Update,
    FinalityUpdate,
    OptimisticUpdate,
}

/// A chain, and the network that a client takes it for.
pub(crate) struct Scene {
    pub(crate) chain: BeaconChain,
    pub(crate) network: Arc<Network>,
}

impl Scene {
    pub(crate) fn new(preset: simulator::Preset, fork: simulator::Fork) -> Self {
        let spec = Spec::local(preset, fork);
        let network = Network {
            name: "hostile".into(),
            preset: match preset {
                simulator::Preset::Mainnet => Preset::Mainnet,
                simulator::Preset::Minimal => Preset::Minimal,
            },
            genesis_time: spec.genesis_time,
            genesis_validators_root: spec.genesis_validators_root.into(),
            slot_duration: spec.slot_duration,
            forks: ForkSchedule {
                genesis: [0; 4],
                forks: vec![(Fork::from_name(fork.name()).unwrap(), 0, spec.fork_version)],
            },
        };
        Self { chain: BeaconChain::new(spec), network: network.into() }
    }

    pub(crate) fn mainnet() -> Self {
        Self::new(simulator::Preset::Mainnet, simulator::Fork::Fulu)
    }

    pub(crate) fn spec(&self) -> &Spec {
        self.chain.spec()
    }

    /// The slot that is so far into [`PERIOD`].
    pub(crate) fn slot(&self, offset: u64) -> u64 {
        self.spec().period_start(PERIOD) + offset
    }

    /// Of the last slot at which an update can still be final in [`PERIOD`].
    pub(crate) fn last_offset(&self) -> u64 {
        self.spec().preset.slots_per_period() - 2
    }

    /// What the client trusts, and the bootstrap that has it.
    pub(crate) fn checkpoint(&self) -> Answer {
        let (root, answer) =
            self.chain.forge_bootstrap(self.slot(1), &ExecutionBlock::synthetic(1));
        Answer::new(Kind::Bootstrap, &answer, root.into(), u64::MAX)
    }

    /// A client at its checkpoint: it does not know the next committee.
    pub(crate) fn fresh(&self) -> Store {
        self.checkpoint().bootstrap(&self.network).unwrap()
    }

    /// A client that knows the next committee and has a newer head.
    pub(crate) fn following(&self) -> Store {
        self.honest(Kind::Update, self.early()).update(&self.fresh()).unwrap()
    }

    /// Offset of the update that [`Self::following`] has seen.
    pub(crate) fn early(&self) -> u64 {
        self.spec().finality_lag + 10
    }

    /// Offset of the next one.
    pub(crate) fn later(&self) -> u64 {
        self.early() + 8
    }

    /// An answer without fault.
    pub(crate) fn honest(&self, kind: Kind, offset: u64) -> Answer {
        self.forged(kind, offset, |_| ())
    }

    /// An answer with a lie in it, which is really signed and really proven. Its slot is now.
    pub(crate) fn forged(&self, kind: Kind, offset: u64, lie: impl Fn(&mut Forgery)) -> Answer {
        let mut forgery = Forgery::honest(self.spec(), self.slot(offset));
        lie(&mut forgery);
        let update = self.chain.forge(&forgery);
        let answer = match kind {
            Kind::Bootstrap => unreachable!("nobody signs a bootstrap"),
            Kind::Update => update,
            Kind::FinalityUpdate => finality_update_of(&update),
            Kind::OptimisticUpdate => optimistic_update_of(&update),
        };
        Answer::new(kind, &answer, B256::ZERO, forgery.signature_slot)
    }
}

/// An answer of a server, and the circumstances in which it comes.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) kind: Kind,
    pub(crate) preset: Preset,
    pub(crate) version: String,
    pub(crate) data: Value,
    /// Of the client; for a bootstrap.
    pub(crate) trusted: B256,
    /// By the client's clock; for an update.
    pub(crate) current_slot: u64,
}

impl Answer {
    fn new(kind: Kind, answer: &Value, trusted: B256, current_slot: u64) -> Self {
        let data = answer["data"].clone();
        let committee = &data["sync_aggregate"]["sync_committee_bits"];
        let keys = &data["current_sync_committee"]["pubkeys"];
        let is_minimal = committee.as_str().is_some_and(|bits| bits.len() < 100)
            || keys.as_array().is_some_and(|keys| keys.len() < 100);
        Self {
            kind,
            preset: if is_minimal { Preset::Minimal } else { Preset::Mainnet },
            version: answer["version"].as_str().unwrap().into(),
            data,
            trusted,
            current_slot,
        }
    }

    fn fork(&self) -> Result<Fork, LightClientError> {
        Fork::from_name(&self.version)
    }

    pub(crate) fn json(&self) -> String {
        self.data.to_string()
    }

    pub(crate) fn ssz(&self) -> Vec<u8> {
        ssz::encode(self.kind, &self.data)
    }

    /// What the client makes of it as a bootstrap.
    pub(crate) fn bootstrap(&self, network: &Arc<Network>) -> Result<Store, LightClientError> {
        self.bootstrap_of(network, &Input::Json(&self.json()))
    }

    /// What the client makes of it as an update.
    pub(crate) fn update(&self, store: &Store) -> Result<Store, LightClientError> {
        self.update_of(store, &Input::Json(&self.json()))
    }

    /// The same with other bytes in the place of the data.
    pub(crate) fn bootstrap_of(
        &self,
        network: &Arc<Network>,
        input: &Input<'_>,
    ) -> Result<Store, LightClientError> {
        let (preset, fork) = (self.preset, self.fork()?);
        let data = match input {
            Input::Json(text) => Bootstrap::from_json(preset, fork, text)?,
            Input::Ssz(bytes) => Bootstrap::from_ssz(preset, fork, bytes)?,
        };
        bootstrap(Arc::clone(network), self.trusted, &data)
    }

    /// The same with other bytes in the place of the data.
    pub(crate) fn update_of(
        &self,
        store: &Store,
        input: &Input<'_>,
    ) -> Result<Store, LightClientError> {
        apply_update(store, &self.read(input)?, self.current_slot)
    }

    /// As an update of whatever kind.
    pub(crate) fn read(&self, input: &Input<'_>) -> Result<Update, LightClientError> {
        let (preset, fork) = (self.preset, self.fork()?);
        Ok(match (self.kind, input) {
            (Kind::Bootstrap, _) => unreachable!("no update"),
            (Kind::Update, Input::Json(text)) => Update::from_json(preset, fork, text)?,
            (Kind::Update, Input::Ssz(bytes)) => Update::from_ssz(preset, fork, bytes)?,
            (Kind::FinalityUpdate, Input::Json(text)) => {
                FinalityUpdate::from_json(preset, fork, text)?.into()
            }
            (Kind::FinalityUpdate, Input::Ssz(bytes)) => {
                FinalityUpdate::from_ssz(preset, fork, bytes)?.into()
            }
            (Kind::OptimisticUpdate, Input::Json(text)) => {
                OptimisticUpdate::from_json(preset, fork, text)?.into()
            }
            (Kind::OptimisticUpdate, Input::Ssz(bytes)) => {
                OptimisticUpdate::from_ssz(preset, fork, bytes)?.into()
            }
        })
    }

    /// What the client makes of it, whatever it is.
    pub(crate) fn outcome(&self, store: &Store) -> Result<Store, LightClientError> {
        self.outcome_of(store, &Input::Json(&self.json()))
    }

    /// The same with other bytes in the place of the data.
    pub(crate) fn outcome_of(
        &self,
        store: &Store,
        input: &Input<'_>,
    ) -> Result<Store, LightClientError> {
        match self.kind {
            Kind::Bootstrap => self.bootstrap_of(store.network(), input),
            _ => self.update_of(store, input),
        }
    }
}

/// The bytes of a container.
pub(crate) enum Input<'i> {
    Json(&'i str),
    Ssz(&'i [u8]),
}

/// Bytes of a JSON string of 0x-hex.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// 0x-hex.
pub(crate) fn text(bytes: &[u8]) -> Value {
    hex::encode_prefixed(bytes).into()
}

/// Inverts the lowest bit of the last byte.
pub(crate) fn flip(value: &mut Value) {
    let mut flipped = bytes(value);
    *flipped.last_mut().unwrap() ^= 1;
    *value = text(&flipped);
}

//! What the routes answer, truly and otherwise.

use std::{
    borrow::Cow,
    sync::{Arc, PoisonError},
};

use serde_json::{Map, Value, json};

use super::{Behaviour, Manner, Memory, Served};
use crate::{
    block::{Block, Draft},
    chain::{BeaconChain, Signed},
    json::hex,
    spec::Fork,
    ssz::Root,
};

/// `FAR_FUTURE_EPOCH`.
const NEVER: u64 = u64::MAX;

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    /// For the field `Eth-Consensus-Version`.
    pub(super) version: Option<String>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn text(body: &str) -> Self {
        Self { status: 200, content_type: "text/html", version: None, body: body.into() }
    }

    pub(super) fn error(status: u16, message: &str) -> Self {
        let error = json!({ "code": status, "message": message });
        Self { status, ..Self::json(&error) }
    }

    fn json(value: &Value) -> Self {
        let version = value.get("version").and_then(Value::as_str).map(ToOwned::to_owned);
        Self { status: 200, content_type: "application/json", version, body: value.to_string() }
    }

    fn found(value: Option<Value>, what: &str) -> Self {
        value.map_or_else(
            || Self::error(404, &format!("no such {what}")),
            |value| Self::json(&value),
        )
    }
}

pub(super) fn answer(served: &Served, target: &str) -> Answer {
    let behaviour = served.behaviour.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let now = served.chain.read().unwrap_or_else(PoisonError::into_inner);
    let chain: &BeaconChain = match &behaviour.memory {
        Memory::Chain(then) => then,
        Memory::None | Memory::Final(_) => &now,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Some(path) = path.strip_prefix("/eth/") else { return Answer::error(404, "no such route") };
    let teller = Teller { chain, behaviour: &behaviour };
    let segments: Vec<&str> = path.split('/').collect();
    match segments[..] {
        ["v1", "beacon", "light_client", "bootstrap", root] => match parse_root(root) {
            Some(root) => Answer::found(teller.bootstrap(root), "bootstrap"),
            None => Answer::error(400, "not a block root"),
        },
        ["v1", "beacon", "light_client", "updates"] => teller.updates(query),
        ["v1", "beacon", "light_client", "finality_update"] => {
            Answer::found(teller.finality_update(), "finality update")
        }
        ["v1", "beacon", "light_client", "optimistic_update"] => {
            Answer::found(teller.optimistic_update(), "optimistic update")
        }
        ["v1", "beacon", "genesis"] => Answer::json(&genesis(chain)),
        ["v1", "config", "spec"] => Answer::json(&config(chain, served.chain_id)),
        ["v1", "config", "fork_schedule"] => Answer::json(&fork_schedule(chain)),
        ["v1", "node", "version"] => {
            Answer::json(&json!({ "data": { "version": "greenlight-beacon-simulator" } }))
        }
        ["v1", "node", "health"] => Answer::text(""),
        ["v1", "node", "syncing"] => Answer::json(&syncing(chain)),
        ["v1", "beacon", "blocks", id, "root"] => {
            let root = slot_of(chain, id).and_then(|slot| chain.block_root(slot));
            let data = root.map(|root| json!({ "data": { "root": hex(&root) } }));
            Answer::found(data, "block")
        }
        ["v2", "beacon", "blocks", id] => {
            Answer::found(slot_of(chain, id).and_then(|slot| chain.block(slot)), "block")
        }
        _ => Answer::error(404, "no such route"),
    }
}

/// Tells of a chain in a manner.
struct Teller<'t> {
    chain: &'t BeaconChain,
    behaviour: &'t Behaviour,
}

impl Teller<'_> {
    fn bootstrap(&self, root: Root) -> Option<Value> {
        let bootstrap = self.chain.bootstrap(root)?;
        Some(self.altered(bootstrap, "/data/current_sync_committee_branch/0"))
    }

    fn updates(&self, query: &str) -> Answer {
        if self.behaviour.manner == Manner::NoUpdates {
            return Answer::error(500, "no updates");
        }
        let number = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(found, _)| *found == name)?.1.parse::<u64>().ok()
        };
        let (Some(start), Some(count)) = (number("start_period"), number("count")) else {
            return Answer::error(400, "start_period and count expected");
        };
        let told = |signed| {
            let update = self.chain.update(&self.signed(signed));
            self.altered(update, "/data/next_sync_committee_branch/0")
        };
        Answer::json(&self.chain.best(start, count).map(told).collect())
    }

    fn finality_update(&self) -> Option<Value> {
        let signed = match &self.behaviour.memory {
            Memory::Final(then) => then.as_ref(),
            Memory::None | Memory::Chain(_) => self.chain.finality(),
        };
        let update = self.chain.finality_update_of(&self.signed(signed?));
        Some(self.altered(update, "/data/finality_branch/0"))
    }

    fn optimistic_update(&self) -> Option<Value> {
        let update = self.chain.optimistic_update_of(&self.signed(self.chain.newest()?));
        Some(self.altered(update, "/data/attested_header/execution_branch/0"))
    }

    /// Another signature, or another block under it, where the manner wants one.
    fn signed<'s>(&self, signed: &'s Signed) -> Cow<'s, Signed> {
        let spec = self.chain.spec();
        let seats = spec.preset.sync_committee_size();
        let other = |attested: Arc<Block>, version: [u8; 4], signers: usize| {
            let signs = |seat| seat < signers;
            let slot = signed.signature_slot;
            let aggregate = self.chain.sign(&attested.root, slot, version, signs);
            Cow::Owned(Signed { attested, aggregate, ..signed.clone() })
        };
        let attested = || Arc::clone(&signed.attested);
        match self.behaviour.manner {
            Manner::OneShort => other(attested(), spec.fork_version, (2 * seats - 1) / 3),
            Manner::WrongForkVersion => {
                other(attested(), spec.fork_version.map(|byte| !byte), seats)
            }
            Manner::Equivocate => {
                other(Arc::new(twin(self.chain, &signed.attested)), spec.fork_version, seats / 3)
            }
            _ => Cow::Borrowed(signed),
        }
    }

    /// Alters a node of a branch, or the version's name.
    fn altered(&self, mut answer: Value, node: &str) -> Value {
        match self.behaviour.manner {
            Manner::ForgedBranch => {
                if let Some(Value::String(text)) = answer.pointer_mut(node) {
                    let other = if text.pop() == Some('0') { '1' } else { '0' };
                    text.push(other);
                }
            }
            Manner::UnknownFork => answer["version"] = json!("gloas"),
            _ => {}
        }
        answer
    }
}

/// The same block with another execution state.
fn twin(chain: &BeaconChain, block: &Block) -> Block {
    let mut execution = block.execution.clone();
    execution.hash[31] ^= 1;
    execution.state_root[31] ^= 1;
    let period = chain.spec().period_of(block.slot);
    let draft = Draft {
        slot: block.slot,
        parent_root: block.parent_root,
        aggregate: block.aggregate.clone(),
        execution,
        current: &chain.committee(period),
        next: &chain.committee(period + 1),
        finalized: block.finalized,
    };
    Block::new(chain.spec(), draft)
}

fn parse_root(text: &str) -> Option<Root> {
    ::hex::decode(text.strip_prefix("0x")?).ok()?.try_into().ok()
}

/// Of a block id: `head`, `finalized`, a slot or a root.
fn slot_of(chain: &BeaconChain, id: &str) -> Option<u64> {
    match id {
        "head" => Some(chain.head_slot()),
        "finalized" => Some(chain.finalized_slot()),
        _ => match parse_root(id) {
            Some(root) => chain.slot_of(root),
            None => id.parse().ok(),
        },
    }
}

fn genesis(chain: &BeaconChain) -> Value {
    let spec = chain.spec();
    json!({ "data": {
        "genesis_time": spec.genesis_time.to_string(),
        "genesis_validators_root": hex(&spec.genesis_validators_root),
        "genesis_fork_version": hex(&spec.fork_version),
    }})
}

fn config(chain: &BeaconChain, chain_id: u64) -> Value {
    let spec = chain.spec();
    let preset = spec.preset;
    let mut data: Map<String, Value> = Map::new();
    let mut set = |name: &str, value: String| data.insert(name.into(), Value::String(value));
    set("CONFIG_NAME", "greenlight-beacon-simulator".into());
    set("PRESET_BASE", preset.name().into());
    set("DEPOSIT_CHAIN_ID", chain_id.to_string());
    set("DEPOSIT_NETWORK_ID", chain_id.to_string());
    set("SECONDS_PER_SLOT", spec.slot_duration.as_secs().max(1).to_string());
    set("SLOT_DURATION_MS", spec.slot_ms().to_string());
    set("SLOTS_PER_EPOCH", preset.slots_per_epoch().to_string());
    set("EPOCHS_PER_SYNC_COMMITTEE_PERIOD", preset.epochs_per_sync_committee_period().to_string());
    set("SYNC_COMMITTEE_SIZE", preset.sync_committee_size().to_string());
    set("GENESIS_FORK_VERSION", hex(&spec.fork_version));
    for fork in Fork::ALL {
        let name = fork.name().to_uppercase();
        let in_force = fork == spec.fork;
        let version = if in_force { spec.fork_version } else { fork.mainnet_version() };
        set(&format!("{name}_FORK_VERSION"), hex(&version));
        let epoch = if fork <= spec.fork { 0 } else { NEVER };
        set(&format!("{name}_FORK_EPOCH"), epoch.to_string());
    }
    json!({ "data": data })
}

fn fork_schedule(chain: &BeaconChain) -> Value {
    let version = hex(&chain.spec().fork_version);
    json!({ "data": [{ "previous_version": version, "current_version": version, "epoch": "0" }] })
}

fn syncing(chain: &BeaconChain) -> Value {
    json!({ "data": {
        "head_slot": chain.head_slot().to_string(),
        "sync_distance": "0",
        "is_syncing": false,
        "is_optimistic": false,
        "el_offline": false,
    }})
}

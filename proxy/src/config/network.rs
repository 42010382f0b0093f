//! The networks that have a name, and the `[source.custom]` section for all others.

use std::collections::HashSet;

use greenlight_watcher::light_client::{Fork, ForkSchedule, Network, Preset};
use toml::de::DeValue;

use super::reader::Section;
use super::values::{self, DURATION, FORK_VERSION, ROOT};

/// The execution chain of a named network.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) name: &'static str,
    pub(super) id: u64,
}

/// The networks that the light client or Helios knows by name, mainnet first (chain ids: ethereum-lists/chains).
pub(super) const CHAINS: [Chain; 4] = [
    Chain { name: "mainnet", id: 1 },
    Chain { name: "sepolia", id: 11_155_111 },
    Chain { name: "hoodi", id: 560_048 },
    Chain { name: "holesky", id: 17_000 },
];

const NAME: &str = "1 to 32 of a-z, 0-9 and \"-\", and none of the known networks";
const FORKS: &str = "\"altair\", \"bellatrix\", \"capella\", \"deneb\", \"electra\" or \"fulu\"";
const EPOCH: &str = "the fork's first epoch, from 0 to 18446744073709551615";
/// The end of the year 9999.
const LATEST: u64 = 253_402_300_799;
/// `FAR_FUTURE_EPOCH` (consensus-specs, phase0/beacon-chain.md): a fork that is not scheduled.
const NEVER: u64 = u64::MAX;

pub(super) fn known(name: &str) -> Option<&'static Chain> {
    CHAINS.iter().find(|chain| chain.name == name)
}

/// What to call a chain of which only the id is known.
pub(super) fn name_of(chain_id: u64) -> String {
    let known = CHAINS.iter().find(|chain| chain.id == chain_id);
    known.map_or_else(|| format!("chain-{chain_id}"), |chain| chain.name.to_owned())
}

/// The network that `[source.custom]` describes, in the terms of consensus-specs' `configs/`.
pub(super) fn custom(section: Section<'_, '_>) -> Option<Network> {
    let name = section.or("name", "custom".to_owned(), NAME, name);
    let preset = section.or("preset", Preset::Mainnet, "\"mainnet\" or \"minimal\"", |value| {
        match value.as_str()? {
            "mainnet" => Some(Preset::Mainnet),
            "minimal" => Some(Preset::Minimal),
            _ => None,
        }
    });
    let genesis_time = section.required(
        "genesis_time",
        "the Unix seconds of slot 0, from 1 to 253402300799",
        values::integer(1, LATEST),
    );
    let genesis_validators_root = section.required("genesis_validators_root", ROOT, values::root);
    let slot_duration = section.required("slot_duration", DURATION, values::duration);
    let genesis = section.required("genesis_fork_version", FORK_VERSION, values::bytes);
    let forks = forks(&section, genesis);
    section.finish();
    Some(Network {
        name: name?,
        preset: preset?,
        genesis_time: genesis_time?,
        genesis_validators_root: genesis_validators_root?.into(),
        slot_duration: slot_duration?,
        forks: ForkSchedule { genesis: genesis?, forks: forks? },
    })
}

/// The name becomes a label of metrics.
fn name(value: &DeValue<'_>) -> Option<String> {
    let name = value.as_str()?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    ((1..=32).contains(&name.len()) && name.bytes().all(plain) && known(name).is_none())
        .then(|| name.to_owned())
}

/// Forks in their order. What is signed under one fork's version must not count under another's, so versions differ.
fn forks(section: &Section<'_, '_>, genesis: Option<[u8; 4]>) -> Option<Vec<(Fork, u64, [u8; 4])>> {
    let mut forks = Vec::new();
    let mut last: Option<Fork> = None;
    let mut reached = 0;
    let mut executes = false;
    let mut versions: HashSet<[u8; 4]> = genesis.into_iter().collect();
    for fork in section.sections("forks")? {
        let name = fork.required("name", FORKS, |value| Fork::from_name(value.as_str()?).ok());
        let epoch = fork.required("epoch", EPOCH, values::integer(0, NEVER));
        let version = fork.required("version", FORK_VERSION, values::bytes);
        if let Some(name) = name {
            if let Some(last) = last.filter(|last| *last >= name) {
                fork.mistake(format!("a fork that comes after {last}"), name.to_string());
            }
            last = Some(name);
            executes |= name >= Fork::Capella && epoch.is_none_or(|epoch| epoch != NEVER);
        }
        if let Some(epoch) = epoch {
            if epoch < reached {
                fork.mistake(format!("an epoch from {reached} on"), epoch.to_string());
            }
            reached = epoch;
        }
        if let Some(version) = version
            && !versions.insert(version)
        {
            let [a, b, c, d] = version;
            fork.mistake(
                "a version that neither genesis nor another fork has",
                format!("0x{a:02x}{b:02x}{c:02x}{d:02x} again"),
            );
        }
        fork.finish();
        forks.push(
            name.zip(epoch).zip(version).map(|((name, epoch), version)| (name, epoch, version)),
        );
    }
    // Of a fork whose name could not be read nothing more is said.
    if !executes && forks.iter().all(Option::is_some) {
        section.mistake(
            "a fork of \"forks\" from capella on: headers before it carry no execution state root",
            match last {
                None => "none".to_owned(),
                Some(last) if last < Fork::Capella => format!("none after {last}"),
                Some(_) => "none that comes".to_owned(),
            },
        );
    }
    forks.into_iter().collect()
}

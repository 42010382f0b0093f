//! The light client against the vectors of ethereum/consensus-spec-tests, step by step, through its public API.
//!
//! `CONSENSUS_SPEC_TESTS` names the folder; without it, `../shared/testdata/consensus-spec-tests` beside the repository,
//! and where there is none, the copy in `tests/data`. Every folder below it that has a `steps.yaml` and a
//! `bootstrap.ssz_snappy` is a case (consensus-specs, `tests/formats/light_client/sync.md`), whatever its preset and forks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test reads files and may panic"
)]

use std::{
    collections::BTreeMap,
    env, fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::B256;
use greenlight_watcher::light_client::{
    Bootstrap, Fork, ForkSchedule, Header, LightClientError, Network, Preset, Store, Update,
    apply_update, bootstrap, force_update,
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_yaml_ng::Value;
use sha2::{Digest, Sha256};

#[test]
fn every_vector_passes_step_by_step() {
    let folder = folder();
    let cases = cases(&folder);
    assert!(!cases.is_empty(), "{}: no case of light client sync", folder.display());
    let mut steps = 0;
    let mut cut_short = 0;
    for case in &cases {
        let ran = run(case);
        steps += ran.steps;
        cut_short += usize::from(ran.is_cut_short);
        println!(
            "{}: {} steps{}",
            case.strip_prefix(&folder).unwrap().display(),
            ran.steps,
            if ran.is_cut_short { ", up to a fork that is refused as unknown" } else { "" }
        );
    }
    println!(
        "{}: {} cases ran, {steps} steps, {cut_short} cases cut short by an unknown fork",
        folder.display(),
        cases.len()
    );
    assert!(steps > 0, "{}: expected a step of a fork that is known; found none", folder.display());
}

#[test]
fn a_config_is_read_for_its_forks_and_blobs_whatever_else_it_has() {
    let config = Config::parse(
        "# Mainnet's, shortened.
PRESET_BASE: 'mainnet'
CONFIG_NAME: 'mainnet'
TERMINAL_TOTAL_DIFFICULTY: 58750000000000000000000
TERMINAL_BLOCK_HASH_ACTIVATION_EPOCH: 18446744073709551615
DEPOSIT_CONTRACT_ADDRESS: 0x00000000219ab540356cBB839Cbe05303d7705Fa
GENESIS_FORK_VERSION: 0x00000000
ALTAIR_FORK_VERSION: '0x01000000'
ALTAIR_FORK_EPOCH: 74240
ELECTRA_FORK_VERSION: 0x05000000
ELECTRA_FORK_EPOCH: 364032
FULU_FORK_VERSION: 0x06000000
FULU_FORK_EPOCH: '411392'
GLOAS_FORK_VERSION: 0x07000000
GLOAS_FORK_EPOCH: 18446744073709551615
MAX_BLOBS_PER_BLOCK_ELECTRA: 9
BLOB_SCHEDULE:
  - EPOCH: 412672
    MAX_BLOBS_PER_BLOCK: 15
  - EPOCH: 419072
    MAX_BLOBS_PER_BLOCK: 21
",
    )
    .unwrap();
    assert_eq!((config.preset, config.genesis), (Preset::Mainnet, [0; 4]));
    let fork = |name: &str, epoch, version| (name.to_owned(), epoch, [version, 0, 0, 0]);
    assert_eq!(
        config.forks,
        [fork("altair", 74_240, 1), fork("electra", 364_032, 5), fork("fulu", 411_392, 6)]
    );
    assert_eq!(config.blob_schedule, [(364_032, 9), (412_672, 15), (419_072, 21)]);
}

#[test]
fn a_folder_without_vectors_has_no_cases() {
    let empty = tempfile::tempdir().unwrap();
    assert!(cases(empty.path()).is_empty());
}

fn folder() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent().unwrap();
    if let Some(named) = env::var_os("CONSENSUS_SPEC_TESTS") {
        // `join` of an absolute path is that path.
        return root.join(named);
    }
    let shared = root.join("../shared/testdata/consensus-spec-tests");
    if shared.is_dir() { shared } else { package.join("tests/data/consensus-spec-tests") }
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if folder.join("steps.yaml").is_file() && folder.join("bootstrap.ssz_snappy").is_file() {
        found.push(folder.to_owned());
    }
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(cases(&path));
        }
    }
    found.sort();
    found
}

struct Ran {
    steps: usize,
    is_cut_short: bool,
}

fn run(case: &Path) -> Ran {
    let meta: Meta = yaml(&case.join("meta.yaml"));
    let config = Config::read(&case.join("config.yaml"));
    let network = Arc::new(config.network(meta.genesis_validators_root));
    let preset = network.preset;
    let fork_of = |digest: &str| {
        let name = config
            .fork_of(digest, meta.genesis_validators_root)
            .unwrap_or_else(|| panic!("{}: no fork of digest {digest}", case.display()));
        Fork::from_name(&name)
    };

    let fork = fork_of(&meta.bootstrap_fork_digest);
    if is_unknown(&fork) {
        return Ran { steps: 0, is_cut_short: true };
    }
    let data = Bootstrap::from_ssz(preset, fork.unwrap(), &bytes(case, "bootstrap")).unwrap();
    let mut store = bootstrap(Arc::clone(&network), meta.trusted_block_root, &data).unwrap();

    let steps: Vec<Step> = yaml(&case.join("steps.yaml"));
    assert!(!steps.is_empty(), "{}: no steps", case.display());
    for (index, step) in steps.iter().enumerate() {
        let place = format!("{}, step {index}", case.display());
        let checks = match step {
            Step::ProcessUpdate { update_fork_digest, update, current_slot, checks } => {
                let fork = fork_of(update_fork_digest);
                if is_unknown(&fork) {
                    return Ran { steps: index, is_cut_short: true };
                }
                let update = Update::from_ssz(preset, fork.unwrap(), &bytes(case, update)).unwrap();
                store = apply_update(&store, &update, *current_slot)
                    .unwrap_or_else(|error| panic!("{place}: {}: {error}", error.reason()));
                checks
            }
            Step::ForceUpdate { current_slot, checks } => {
                store = force_update(&store, *current_slot);
                checks
            }
            // The store has one form for every fork.
            Step::UpgradeStore { checks } => checks,
        };
        check(&store, checks, &place);
        let kept = Store::from_json(Arc::clone(&network), &store.to_json()).unwrap();
        check(&kept, checks, &format!("{place}, kept"));
        assert_eq!(kept.to_json(), store.to_json(), "{place}");
    }
    Ran { steps: steps.len(), is_cut_short: false }
}

fn is_unknown(fork: &Result<Fork, LightClientError>) -> bool {
    fork.as_ref().is_err_and(|error| error.reason() == "unknown-fork")
}

fn check(store: &Store, checks: &Checks, place: &str) {
    let network = store.network();
    let read = |header: &Header, expected: &HeaderCheck| HeaderCheck {
        slot: header.slot(),
        beacon_root: header.root(),
        execution_root: expected.execution_root.map(|_| header.execution_root(network)),
    };
    let finalized = read(store.finalized(), &checks.finalized_header);
    let optimistic = read(store.optimistic(), &checks.optimistic_header);
    assert_eq!(finalized, checks.finalized_header, "{place}, finalized header");
    assert_eq!(optimistic, checks.optimistic_header, "{place}, optimistic header");
}

#[derive(Deserialize)]
struct Meta {
    genesis_validators_root: B256,
    trusted_block_root: B256,
    bootstrap_fork_digest: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    ProcessUpdate { update_fork_digest: String, update: String, current_slot: u64, checks: Checks },
    ForceUpdate { current_slot: u64, checks: Checks },
    UpgradeStore { checks: Checks },
}

#[derive(Deserialize)]
struct Checks {
    finalized_header: HeaderCheck,
    optimistic_header: HeaderCheck,
}

#[derive(Debug, PartialEq, Deserialize)]
struct HeaderCheck {
    slot: u64,
    beacon_root: B256,
    /// Absent while the store is of a fork before Capella.
    execution_root: Option<B256>,
}

/// A `config.yaml`: the forks that come, known here or not, and the blob schedule.
struct Config {
    preset: Preset,
    genesis: [u8; 4],
    /// First epoch and version by name, in the order of their versions.
    forks: Vec<(String, u64, [u8; 4])>,
    /// Epoch and blobs a block.
    blob_schedule: Vec<(u64, u64)>,
}

impl Config {
    fn read(path: &Path) -> Self {
        Self::parse(&text(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, serde_yaml_ng::Error> {
        let Values(values) = serde_yaml_ng::from_str(text)?;
        let number = |key: &str| values.get(key).map(number);
        let version = |name: &str| {
            let version = u32::try_from(number(&format!("{name}_FORK_VERSION")).unwrap()).unwrap();
            version.to_be_bytes()
        };
        let mut forks: Vec<_> = values
            .keys()
            .filter_map(|key| key.strip_suffix("_FORK_EPOCH"))
            .map(|name| (name, number(&format!("{name}_FORK_EPOCH")).unwrap()))
            .filter(|(_, epoch)| *epoch != u64::MAX)
            .map(|(name, epoch)| (name.to_lowercase(), epoch, version(name)))
            .collect();
        forks.sort_by_key(|(_, epoch, version)| (*epoch, *version));
        let mut blob_schedule = vec![(
            number("ELECTRA_FORK_EPOCH").unwrap_or(u64::MAX),
            number("MAX_BLOBS_PER_BLOCK_ELECTRA").unwrap_or(9),
        )];
        for entry in values.get("BLOB_SCHEDULE").and_then(Value::as_sequence).into_iter().flatten()
        {
            blob_schedule
                .push((self::number(&entry["EPOCH"]), self::number(&entry["MAX_BLOBS_PER_BLOCK"])));
        }
        let preset = match values["PRESET_BASE"].as_str().unwrap() {
            "minimal" => Preset::Minimal,
            "mainnet" => Preset::Mainnet,
            other => panic!("preset {other}"),
        };
        Ok(Self { preset, genesis: version("GENESIS"), forks, blob_schedule })
    }

    fn network(&self, genesis_validators_root: B256) -> Network {
        let known = |(name, epoch, version): &(String, u64, [u8; 4])| {
            Some((Fork::from_name(name).ok()?, *epoch, *version))
        };
        Network {
            name: "vectors".into(),
            preset: self.preset,
            genesis_time: 0,
            genesis_validators_root,
            slot_duration: Duration::from_secs(6),
            forks: ForkSchedule {
                genesis: self.genesis,
                forks: self.forks.iter().filter_map(known).collect(),
            },
        }
    }

    /// Undoes `compute_fork_digest` (phase0, beacon-chain.md; from Fulu on fulu, beacon-chain.md, which mixes in the blob
    /// parameters in force). Digests of Fulu without them, as early vectors have, are known as well.
    fn fork_of(&self, digest: &str, genesis_validators_root: B256) -> Option<String> {
        let fulu = self.forks.iter().find(|(name, ..)| name == "fulu").map(|(_, epoch, _)| *epoch);
        let fork_at = |epoch| self.forks.iter().rfind(|(_, first, _)| *first <= epoch);
        let epochs =
            self.forks.iter().map(|(_, epoch, _)| *epoch).chain(
                self.blob_schedule.iter().map(|(epoch, _)| *epoch).filter(|e| *e != u64::MAX),
            );
        for epoch in epochs {
            let Some((name, _, version)) = fork_at(epoch) else { continue };
            let mut base = fork_data_root(*version, genesis_validators_root);
            if hex(&base) == digest {
                return Some(name.clone());
            }
            if fulu.is_some_and(|first| first <= epoch) {
                let (from, blobs) = self
                    .blob_schedule
                    .iter()
                    .filter(|(from, _)| *from <= epoch)
                    .max_by_key(|(from, _)| *from)
                    .unwrap_or(&self.blob_schedule[0]);
                let parameters = Sha256::new()
                    .chain_update(from.to_le_bytes())
                    .chain_update(blobs.to_le_bytes());
                for (byte, mask) in base.iter_mut().zip(parameters.finalize()) {
                    *byte ^= mask;
                }
                if hex(&base) == digest {
                    return Some(name.clone());
                }
            }
        }
        None
    }
}

/// What of a `config.yaml` counts, by key. The rest is skipped unread: mainnet's has a number that no [`Value`] can hold.
struct Values(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Wanted)
    }
}

struct Wanted;

impl Wanted {
    fn has(key: &str) -> bool {
        key.ends_with("_FORK_EPOCH")
            || key.ends_with("_FORK_VERSION")
            || ["PRESET_BASE", "MAX_BLOBS_PER_BLOCK_ELECTRA", "BLOB_SCHEDULE"].contains(&key)
    }
}

impl<'de> Visitor<'de> for Wanted {
    type Value = Values;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the map of a configuration")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
        let mut values = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if Self::has(&key) {
                values.insert(key, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Values(values))
    }
}

/// `compute_fork_data_root` (phase0, beacon-chain.md).
fn fork_data_root(version: [u8; 4], genesis_validators_root: B256) -> [u8; 32] {
    Sha256::new()
        .chain_update(B256::right_padding_from(&version))
        .chain_update(genesis_validators_root)
        .finalize()
        .into()
}

/// The four bytes that a digest has.
fn hex(root: &[u8; 32]) -> String {
    format!("0x{}", hex::encode(&root[..4]))
}

/// Numbers and versions, quoted or not.
fn number(value: &Value) -> u64 {
    match value {
        Value::String(text) => match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
            None => text.parse().unwrap(),
        },
        value => value.as_u64().unwrap(),
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    // Steps are maps of one key.
    let value: Value = serde_yaml_ng::from_str(&text(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json = serde_json::to_value(value).unwrap();
    serde_json::from_value(json).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn bytes(case: &Path, name: &str) -> Vec<u8> {
    let path = case.join(format!("{name}.ssz_snappy"));
    let packed = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    snap::raw::Decoder::new().decompress_vec(&packed).unwrap()
}

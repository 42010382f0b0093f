use std::path::Path;
use std::time::Duration;

use greenlight_watcher::Adoption;
use greenlight_watcher::light_client::{Fork, Network, Preset};

use crate::config::{Config, Heads, Mistake};

pub(in crate::config) const ROOT: &str =
    "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95";

pub(in crate::config) const LIGHT_CLIENT: &str = r#"
checkpoint = "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"
beacon_urls = ["http://beacon-a:5052", "http://beacon-b:5052"]
"#;

pub(in crate::config) const HELIOS: &str = r#"
kind = "helios"
helios_url = "http://127.0.0.1:8555"
"#;

pub(in crate::config) const RPC: &str = r#"
kind = "rpc"
chain_id = 31337
"#;

pub(in crate::config) const CUSTOM: &str = r#"
network = "custom"
checkpoint = "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"
beacon_urls = ["http://beacon-a:5052", "http://beacon-b:5052"]
[source.custom]
preset = "minimal"
genesis_time = 1700000000
genesis_validators_root = "0x212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f"
slot_duration = "1500ms"
genesis_fork_version = "0x10000038"
forks = [
  { name = "capella", epoch = 0, version = "0x40000038" },
  { name = "electra", epoch = 0, version = "0x60000038" },
  { name = "fulu", epoch = 18446744073709551615, version = "0x70000038" },
]
"#;

/// A whole file whose `[source]` has these keys beside those of every kind. They begin on line 9.
fn parse(source: &str) -> Result<Config, Vec<Mistake>> {
    let text = format!(
        "[listen]\nhttp = [\"127.0.0.1:8080\"]\n[upstream]\naddress = \"127.0.0.1:8000\"\n\
         [state]\ndir = \"state\"\n[source]\nregistry = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\n\
         urls = [\"http://node-a:8545\", \"http://node-b:8545\"]{source}"
    );
    Config::parse(&text, Path::new("/etc/greenlight"))
}

pub(in crate::config) fn valid(source: &str) -> Config {
    parse(source).unwrap_or_else(|mistakes| panic!("{source}\n{mistakes:?}"))
}

fn mistakes(source: &str) -> Vec<String> {
    let Err(mistakes) = parse(source) else { panic!("no mistake in {source}") };
    mistakes.iter().map(ToString::to_string).collect()
}

pub(in crate::config) fn changed(source: &str, line: &str, by: &str) -> String {
    assert!(source.contains(line), "{line}");
    source.replace(line, by)
}

#[test]
fn a_light_client_on_mainnet_is_the_default() {
    let source = valid(LIGHT_CLIENT).source;
    assert_eq!((source.kind(), source.network().as_str()), ("light-client", "mainnet"));
    assert_eq!(source.adoption, Adoption::Finalized);
    assert_eq!(source.max_staleness, Duration::from_hours(1));
    assert_eq!(source.max_finality_age, Duration::from_hours(2));
    let Heads::LightClient { network, checkpoint, max_checkpoint_age, beacon_urls } = source.heads
    else {
        panic!("{:?}", source.heads)
    };
    assert_eq!(network, Network::mainnet());
    assert_eq!(checkpoint[..2], [0x4b, 0x36]);
    assert_eq!(max_checkpoint_age, Duration::from_hours(14 * 24));
    assert_eq!(beacon_urls.len(), 2);
}

#[test]
fn networks_have_names() {
    for name in ["mainnet", "sepolia", "hoodi"] {
        let source = valid(&format!("\nnetwork = \"{name}\"{LIGHT_CLIENT}")).source;
        assert!(matches!(&source.heads, Heads::LightClient { network, .. }
            if Some(network) == Network::named(name).as_ref()));
    }
    for name in ["mainnet", "sepolia", "holesky"] {
        let source = valid(&format!("\nnetwork = \"{name}\"{HELIOS}")).source;
        assert_eq!(source.network(), name);
    }
}

#[test]
fn a_network_of_ones_own_is_described() {
    let source = valid(CUSTOM).source;
    assert_eq!(source.network(), "custom");
    let Heads::LightClient { network, .. } = source.heads else { panic!("{:?}", source.heads) };
    assert_eq!((network.preset, network.genesis_time), (Preset::Minimal, 1_700_000_000));
    assert_eq!(network.slot_duration, Duration::from_millis(1500));
    assert_eq!(network.forks.genesis, [0x10, 0, 0, 0x38]);
    assert_eq!(network.fork_at(7), Some(Fork::Electra));
    assert_eq!(network.fork_version_at(7), [0x60, 0, 0, 0x38]);
    let named = changed(CUSTOM, "preset = \"minimal\"", "name = \"my-devnet-7\"");
    let source = valid(&named).source;
    assert_eq!(source.network(), "my-devnet-7");
    assert!(matches!(source.heads, Heads::LightClient { network, .. }
        if network.preset == Preset::Mainnet));
}

#[test]
fn helios_is_told_its_chain_by_name_or_by_id() {
    let chain = |keys: &str| match valid(&format!("{HELIOS}{keys}")).source {
        source @ crate::config::Source { heads: Heads::Helios { chain_id, .. }, .. } => {
            assert_eq!(source.adoption, Adoption::Finalized);
            (chain_id, source.network())
        }
        source => panic!("{source:?}"),
    };
    assert_eq!(chain(""), (1, "mainnet".to_owned()));
    assert_eq!(chain("network = \"sepolia\""), (11_155_111, "sepolia".to_owned()));
    assert_eq!(chain("chain_id = 560048"), (560_048, "hoodi".to_owned()));
    assert_eq!(chain("chain_id = 100"), (100, "chain-100".to_owned()));
    assert_eq!(chain("network = \"mainnet\"\nchain_id = 1"), (1, "mainnet".to_owned()));
}

#[test]
fn an_rpc_stays_below_the_newest_head() {
    let source = valid(RPC).source;
    assert_eq!((source.kind(), source.network().as_str()), ("rpc", "chain-31337"));
    assert_eq!(source.adoption, Adoption::Depth(64));
    let source = valid(&format!("{RPC}adoption_depth = 100000")).source;
    assert_eq!(source.adoption, Adoption::Depth(100_000));
}

#[test]
fn a_depth_replaces_finality_within_what_can_be_walked() {
    for source in [LIGHT_CLIENT, HELIOS] {
        for depth in [0, 1, 128] {
            let source = valid(&format!("{source}adoption_depth = {depth}")).source;
            assert_eq!(source.adoption, Adoption::Depth(depth));
        }
        let found = mistakes(&format!("{source}adoption_depth = 129"));
        let expected =
            "source.adoption_depth: expected a number of blocks from 0 to 128, found 129";
        assert!(found.len() == 1 && found[0].ends_with(expected), "{found:?}");
    }
}

#[test]
fn a_key_of_another_kind_names_the_kinds_that_have_it() {
    let light_client = "\"light-client\"";
    let followers = "\"light-client\" or \"helios\"";
    let by_chain = "\"helios\" or \"rpc\"";
    let checkpoint = format!("checkpoint = \"{ROOT}\"");
    let keys = [
        ("network = \"mainnet\"", followers),
        ("max_finality_age = \"2h\"", followers),
        (&checkpoint, light_client),
        ("max_checkpoint_age = \"14d\"", light_client),
        ("beacon_urls = [\"http://b:5052\"]", light_client),
        ("custom = { preset = \"large\" }", light_client),
        ("helios_url = \"http://127.0.0.1:8555\"", "\"helios\""),
        ("chain_id = 31337", by_chain),
    ];
    for (source, kind) in [(LIGHT_CLIENT, light_client), (HELIOS, "\"helios\""), (RPC, "\"rpc\"")] {
        let mut foreign = 0;
        for (key, kinds) in keys.iter().filter(|(_, kinds)| !kinds.contains(kind)) {
            let found = mistakes(&format!("{source}{key}"));
            let name = key.split(' ').next().unwrap();
            let default = if kind == light_client { ", the default" } else { "" };
            let expected = format!(
                "source.{name}: expected this key only with kind = {kinds}, found it with kind = {kind}{default}"
            );
            assert!(found.len() == 1 && found[0].ends_with(&expected), "{found:?}\n{expected}");
            foreign += 1;
        }
        assert!(foreign > 1, "{kind}");
    }
}

#[test]
fn every_kind_lists_all_that_is_missing() {
    let cases: [(&str, &[&str]); 5] = [
        (
            "",
            &[
                "source.checkpoint: expected a root: \"0x\" and 64 hex digits, not all of them 0, found nothing",
                "source: expected at least one URL under \"beacon_urls\", found none",
            ],
        ),
        ("kind = \"helios\"", &["source.helios_url: expected an \"http://\""]),
        (
            "kind = \"rpc\"",
            &["source.chain_id: expected a chain id from 1 to 18446744073709551615, found nothing"],
        ),
        (
            "network = \"custom\"",
            &[
                "source.custom: expected a section [source.custom]",
                "source.checkpoint: expected",
                "under \"beacon_urls\"",
            ],
        ),
        (
            "network = \"custom\"\n[source.custom]",
            &[
                "source.checkpoint: expected",
                "under \"beacon_urls\"",
                "source.custom.genesis_time: expected the Unix seconds of slot 0",
                "source.custom.genesis_validators_root: expected a root",
                "source.custom.slot_duration: expected a duration",
                "source.custom.genesis_fork_version: expected a fork's version: \"0x\" and 8 hex digits, found nothing",
                "source.custom: expected a fork of \"forks\" from capella on: headers before it carry no execution \
                 state root, found none",
            ],
        ),
    ];
    for (source, expected) in cases {
        let found = mistakes(&format!("\n{source}"));
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for expected in expected {
            assert!(found.iter().any(|found| found.contains(expected)), "{expected}\n{found:#?}");
        }
    }
}

#[test]
fn an_unknown_kind_hides_no_other_mistake() {
    let found = mistakes(
        "\nkind = \"light\"\ncheckpoint = \"latest\"\nhelios_url = \"localhost\"\nchain_id = 0\nurl = 1",
    );
    let expected = [
        "line 10: source.kind: expected \"light-client\", \"helios\" or \"rpc\", found \"light\"",
        "line 11: source.checkpoint: expected a root",
        "line 12: source.helios_url: expected an \"http://\"",
        "line 13: source.chain_id: expected a chain id from 1 to 18446744073709551615, found 0",
        "line 14: source: expected only kind, network, custom,",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn each_mistake_of_a_source_names_its_key() {
    let zeros = format!("0x{}", "0".repeat(64));
    let cases: &[(&str, &str, &str, &str)] = &[
        (
            LIGHT_CLIENT,
            ROOT,
            &zeros,
            "source.checkpoint: expected a root: \"0x\" and 64 hex digits, not all",
        ),
        (LIGHT_CLIENT, ROOT, &zeros, "found only zeros"),
        (LIGHT_CLIENT, ROOT, &ROOT[..65], "source.checkpoint: expected a root"),
        (LIGHT_CLIENT, ROOT, &ROOT[..65], "found 63 hex digits"),
        (LIGHT_CLIENT, ROOT, "0x4", "found 1 hex digit"),
        (LIGHT_CLIENT, ROOT, "0x", "found 0 hex digits"),
        (LIGHT_CLIENT, ROOT, &ROOT[2..], "found 64 hex digits without \"0x\""),
        (LIGHT_CLIENT, "0x4b", "0xé", "found 'é' among the digits"),
        (LIGHT_CLIENT, ROOT, "latest", "found \"latest\""),
        (
            LIGHT_CLIENT,
            "[\"http://beacon-a:5052\", \"http://beacon-b:5052\"]",
            "[]",
            "line 11: source.beacon_urls: expected at least one URL, found an empty list",
        ),
        (
            LIGHT_CLIENT,
            "checkpoint",
            "network = \"goerli\"\ncheckpoint",
            "source.network: expected \"mainnet\"",
        ),
        (
            LIGHT_CLIENT,
            "checkpoint",
            "network = \"custom\"\ncheckpoint",
            "source.custom: expected a section",
        ),
        (
            LIGHT_CLIENT,
            "checkpoint",
            "max_checkpoint_age = 14\ncheckpoint",
            "source.max_checkpoint_age",
        ),
        (
            LIGHT_CLIENT,
            "checkpoint",
            "max_finality_age = \"0s\"\ncheckpoint",
            "source.max_finality_age",
        ),
        (
            LIGHT_CLIENT,
            "http://beacon-b:5052",
            "beacon-b:5052",
            "source.beacon_urls[1]: expected an \"http://\"",
        ),
        (
            HELIOS,
            "kind",
            "network = \"custom\"\nkind",
            "source.network: expected \"mainnet\", \"sepolia\" or \"holesky\", or instead only the \"chain_id\", found \"custom\"",
        ),
        (HELIOS, "kind", "network = \"hoodi\"\nkind", "found \"hoodi\""),
        (LIGHT_CLIENT, "checkpoint", "network = \"holesky\"\ncheckpoint", "found \"holesky\""),
        (
            HELIOS,
            "kind",
            "network = \"sepolia\"\nchain_id = 1\nkind",
            "source.chain_id: expected 11155111, the chain of network = \"sepolia\", found 1",
        ),
        (
            HELIOS,
            "http://127.0.0.1:8555",
            "127.0.0.1:8555",
            "source.helios_url: expected an \"http://\"",
        ),
        (
            CUSTOM,
            "network = \"custom\"\n",
            "",
            "source.custom: expected network = \"custom\" beside this section, found no \"network\"",
        ),
        (
            CUSTOM,
            "network = \"custom\"\n",
            "network = \"hoodi\"\n",
            "source.custom: expected network = \"custom\" beside this section, found network = \"hoodi\"",
        ),
        (
            CUSTOM,
            "\"minimal\"",
            "\"tiny\"",
            "source.custom.preset: expected \"mainnet\" or \"minimal\"",
        ),
        (
            CUSTOM,
            "preset",
            "name = \"mainnet\"\npreset",
            "source.custom.name: expected 1 to 32 of a-z",
        ),
        (CUSTOM, "preset", "name = \"a\\\"b\"\npreset", "source.custom.name"),
        (CUSTOM, "preset", "name = \"\"\npreset", "source.custom.name"),
        (CUSTOM, "1700000000", "0", "source.custom.genesis_time"),
        (
            CUSTOM,
            "1700000000",
            "18446744073709551615",
            "the Unix seconds of slot 0, from 1 to 253402300799, found 18446744073709551615",
        ),
        (CUSTOM, "0x212f", "212f", "source.custom.genesis_validators_root"),
        (CUSTOM, "\"1500ms\"", "12", "source.custom.slot_duration: expected a duration"),
        (CUSTOM, "0x10000038", "0x100000", "source.custom.genesis_fork_version"),
        (
            CUSTOM,
            "\"capella\"",
            "\"gloas\"",
            "source.custom.forks[0].name: expected \"altair\", \"bellatrix\"",
        ),
        (
            CUSTOM,
            "\"0x60000038\"",
            "6",
            "source.custom.forks[1].version: expected a fork's version",
        ),
        (
            CUSTOM,
            "\"fulu\", epoch = 18446744073709551615",
            "\"fulu\"",
            "source.custom.forks[2].epoch",
        ),
        (
            CUSTOM,
            "\"fulu\"",
            "\"deneb\"",
            "source.custom.forks[2]: expected a fork that comes after electra, found deneb",
        ),
        (
            CUSTOM,
            "\"electra\"",
            "\"capella\"",
            "expected a fork that comes after capella, found capella",
        ),
        (
            CUSTOM,
            "\"capella\", epoch = 0",
            "\"capella\", epoch = 9",
            "source.custom.forks[1]: expected an epoch from 9 on, found 0",
        ),
        (
            CUSTOM,
            "0x70000038",
            "0x40000038",
            "source.custom.forks[2]: expected a version that neither genesis nor another fork has, found 0x40000038 again",
        ),
        (
            CUSTOM,
            "0x40000038",
            "0x10000038",
            "source.custom.forks[0]: expected a version that neither",
        ),
        (
            CUSTOM,
            "{ name = \"capella\",",
            "{ nam = 1, name = \"capella\",",
            "did you mean \"name\"?",
        ),
    ];
    for (source, line, by, expected) in cases {
        let found = mistakes(&changed(source, line, by));
        assert!(found.len() == 1 && found[0].contains(expected), "{by}\n{expected}\n{found:#?}");
    }
}

#[test]
fn what_is_no_table_lacks_no_keys() {
    let (before, _) = CUSTOM.split_once("[source.custom]").unwrap();
    let found = mistakes(&format!("{before}custom = \"x\""));
    assert_eq!(found, ["line 13: source.custom: expected a table, found \"x\""]);
    let (before, _) = CUSTOM.split_once("forks").unwrap();
    let found = mistakes(&format!("{before}forks = [1, 2]"));
    let expected = [0, 1].map(|index| {
        format!("line 19: source.custom.forks[{index}]: expected a table, found {}", index + 1)
    });
    assert_eq!(found, expected);
    let found = mistakes(&format!("{before}forks = 1"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("forks: expected tables written [[source.custom.forks]], found 1"));
}

#[test]
fn a_network_without_execution_roots_is_refused() {
    let (before, _) = CUSTOM.split_once("forks").unwrap();
    let cases = [
        ("[]", "found none"),
        (
            "[{ name = \"bellatrix\", epoch = 0, version = \"0x30000038\" }]",
            "found none after bellatrix",
        ),
        (
            "[{ name = \"capella\", epoch = 18446744073709551615, version = \"0x40000038\" }]",
            "found none that comes",
        ),
    ];
    for (forks, expected) in cases {
        let found = mistakes(&format!("{before}forks = {forks}"));
        assert!(
            found.len() == 1
                && found[0].contains("source.custom: expected a fork of \"forks\" from capella on")
                && found[0].ends_with(expected),
            "{found:?}"
        );
    }
}

/// What `production.toml` shows in comments is as valid as the rest of it.
#[test]
fn the_other_kinds_that_the_production_file_shows_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let text = std::fs::read_to_string(folder.join("production.toml")).unwrap();
    let uncommented = |text: &str, from: &str, to: &str| {
        let (_, rest) = text.split_once(from).unwrap();
        let (part, _) = rest.split_once(to).unwrap();
        part.lines()
            .map(|line| line.strip_prefix("# ").unwrap_or(""))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let custom = uncommented(&text, "in the chain's config.yaml.\n", "\n\n").replace("0x…", ROOT);
    let light = format!("\nnetwork = \"custom\"{LIGHT_CLIENT}{custom}\n");
    assert_eq!(valid(&light).source.network(), "my-devnet");
    let helios = uncommented(&text, "all others above stay as they are.\n", "\n\n");
    assert_eq!(valid(&format!("\n{helios}\n")).source.kind(), "helios");
}

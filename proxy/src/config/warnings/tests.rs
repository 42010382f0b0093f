use std::path::Path;

use crate::config::Config;
use crate::config::source::tests::{CUSTOM, HELIOS, LIGHT_CLIENT, ROOT, RPC, changed, valid};

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let route = "\n[[route]]\nblock_below = 30\n";
    let warnings = |source: &str| valid(&format!("{source}{route}")).warnings();
    for source in [LIGHT_CLIENT, HELIOS, CUSTOM] {
        assert_eq!(warnings(source), [""; 0], "{source}");
    }
    let mainnet = |keys: &str| format!("{LIGHT_CLIENT}{keys}\n");
    let checkpoint = format!("0x{}", "0123456789abcdef".repeat(4));
    let cases = [
        (
            RPC.to_owned(),
            "source.kind = \"rpc\" believes the headers it is given: for development only",
        ),
        (changed(LIGHT_CLIENT, ROOT, &checkpoint), "source.checkpoint is the sample's"),
        (
            changed(LIGHT_CLIENT, ", \"http://beacon-b:5052\"", ""),
            "source.beacon_urls has one endpoint",
        ),
        (
            changed(LIGHT_CLIENT, "http://beacon-b:5052", "http://beacon-a:5052/b"),
            "source.beacon_urls has one",
        ),
        (
            mainnet("max_checkpoint_age = \"30d\""),
            "source.max_checkpoint_age is beyond the weak subjectivity",
        ),
        (mainnet("max_staleness = \"59s\""), "source.max_staleness is below 5 slots"),
        (
            mainnet("max_finality_age = \"25m\"\nmax_staleness = \"20m\""),
            "source.max_finality_age is below 4 epochs",
        ),
        (
            mainnet("max_finality_age = \"59m\""),
            "source.max_finality_age is below max_staleness, which",
        ),
        (mainnet("max_checkpoint_age = \"23h\""), "source.max_checkpoint_age is below one day"),
        (mainnet("max_checkpoint_age = \"25m\""), "source.max_checkpoint_age is below 4 epochs"),
        (mainnet("poll = \"61m\""), "source.poll is above max_staleness"),
        (mainnet("deadline = \"61m\""), "source.deadline is above max_staleness"),
        (mainnet("adoption_depth = 0"), "source.adoption_depth = 0 adopts"),
        (format!("{HELIOS}max_staleness = \"20s\"\n"), "source.max_staleness is below"),
        (
            changed(HELIOS, "127.0.0.1", "helios.internal"),
            "source.helios_url is not on this machine",
        ),
    ];
    for (source, expected) in &cases {
        let found = warnings(source);
        assert!(
            found.len() == 1 && found[0].starts_with(expected),
            "{source}\n{expected}\n{found:?}"
        );
    }
    let least = "max_checkpoint_age = \"24h\"\nmax_finality_age = \"60m\"\npoll = \"60m\"";
    assert_eq!(warnings(&mainnet(least)), [""; 0]);
    let local = changed(HELIOS, "127.0.0.1", "[::1]");
    assert_eq!(warnings(&local), [""; 0]);
    let ages = "max_checkpoint_age = \"1h\"\nbeacon_urls";
    assert_eq!(warnings(&changed(CUSTOM, "beacon_urls", ages)), [""; 0], "its epochs are 12 s");
    let short = changed(CUSTOM, "beacon_urls", "max_staleness = \"8s\"\nbeacon_urls");
    assert_eq!(warnings(&short), [""; 0], "slots are 1.5 s");
    assert!(warnings(&changed(&short, "8s", "7s"))[0].contains("max_staleness"));
}

#[test]
fn one_rpc_is_one_word() {
    for source in [LIGHT_CLIENT, HELIOS] {
        let text = format!(
            "[listen]\nhttp = [\"127.0.0.1:8080\"]\n[upstream]\naddress = \"127.0.0.1:8000\"\n[state]\ndir = \"s\"\n\
             [[route]]\n[source]\nregistry = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\n\
             urls = [\"http://node-a:8545\"]{source}"
        );
        let found = Config::parse(&text, Path::new("/")).unwrap().warnings();
        assert!(
            found.len() == 1 && found[0].starts_with("source.urls has one endpoint"),
            "{found:?}"
        );
    }
}

#[test]
fn the_shipped_production_file_asks_for_a_checkpoint_and_a_registry() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let text = std::fs::read_to_string(folder.join("production.toml")).unwrap();
    let config = Config::parse(&text, &folder).unwrap();
    assert_eq!(
        (config.source.kind(), config.source.network().as_str()),
        ("light-client", "mainnet")
    );
    let warnings = config.warnings();
    assert!(
        warnings.len() == 2
            && warnings[0].contains("checkpoint is the sample's")
            && warnings[1].contains("registry is the sample's"),
        "{warnings:?}"
    );
}

use std::path::Path;
use std::time::Duration;

use super::{Config, Mistake, StaleMode};

mod policy;

const SMALLEST: &str = r#"
[listen]
http = ["127.0.0.1:8080"]
[upstream]
address = "127.0.0.1:8000"
[source]
kind = "rpc"
urls = ["http://127.0.0.1:8545"]
registry = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
chain_id = 31337
[state]
dir = "state"
"#;

fn parse(text: &str) -> Result<Config, Vec<Mistake>> {
    Config::parse(text, Path::new("/etc/greenlight"))
}

fn mistakes(text: &str) -> Vec<String> {
    parse(text).expect_err("a mistake").iter().map(ToString::to_string).collect()
}

/// The smallest valid file with one line of it replaced.
fn changed(line: &str, by: &str) -> String {
    assert!(SMALLEST.contains(line), "{line}");
    SMALLEST.replace(line, by)
}

#[test]
fn the_smallest_file_takes_its_defaults() {
    let config = parse(SMALLEST).expect("valid");
    assert_eq!(config.listen.admin, "127.0.0.1:9100".parse().unwrap());
    assert_eq!(config.source.stale_mode, StaleMode::LastGood);
    assert_eq!(config.source.registry[..2], [0x5f, 0xbd]);
    assert_eq!(config.state.dir, Path::new("/etc/greenlight/state"));
    assert!(config.client.trusted_proxies.is_empty() && config.routes.is_empty());
    assert!(config.listen.threads >= 1);
}

#[test]
fn every_shipped_sample_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let mut samples = 0;
    for entry in std::fs::read_dir(folder).expect("config/") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            // Certificates are the operator's own.
            let text = std::fs::read_to_string(&path).expect("sample");
            if let Err(mistakes) = parse(&text) {
                panic!("{}: {mistakes:?}", path.display());
            }
            samples += 1;
        }
    }
    assert!(samples >= 2, "dev.toml and production.toml");
}

#[test]
fn three_mistakes_of_three_kinds_are_all_reported() {
    let text = SMALLEST
        .replace("http = [\"127.0.0.1:8080\"]", "http = [\"127.0.0.1:99999\"]\nthread = 4")
        .replace("chain_id = 31337", "chain_id = \"one\"");
    assert_eq!(
        mistakes(&text),
        [
            "line 3: listen.http[0]: expected an address and port such as \"127.0.0.1:8080\", found \"127.0.0.1:99999\"",
            "line 4: listen: expected only http, tls, admin, fingerprints, threads, found the unknown key \"thread\" (did you mean \
             \"threads\"?)",
            "line 11: source.chain_id: expected a chain id from 1 to 18446744073709551615, found \"one\"",
        ]
    );
}

#[test]
fn a_key_that_is_read_twice_is_named_once() {
    let text = SMALLEST.replace("[upstream]", "admin = \"0.0.0.0:1\"\nbogus = 1\n[upstream]");
    let found = mistakes(&text);
    assert!(found[1].contains("only http, tls, admin, fingerprints, threads, found"), "{found:?}");
}

#[test]
fn faults_of_syntax_do_not_hide_the_others() {
    let text = changed("chain_id = 31337", "chain_id = = 1\npoll = \"soon\"");
    let found = mistakes(&text);
    assert!(found[0].starts_with("line 10: expected valid TOML"), "{found:?}");
    assert!(
        found.last().unwrap().starts_with("line 11: source.poll: expected a duration"),
        "{found:?}"
    );
}

#[test]
fn each_mistake_names_its_key() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "http = [\"127.0.0.1:8080\"]",
            "http = \"127.0.0.1:8080\"",
            "line 3: listen.http: expected a list",
        ),
        ("http = [\"127.0.0.1:8080\"]", "http = []", "listen: expected an address under \"http\""),
        (
            "http = [\"127.0.0.1:8080\"]",
            "http = [\"127.0.0.1:8080\", \"127.0.0.1:8080\"]",
            "127.0.0.1:8080 twice",
        ),
        ("http = [\"127.0.0.1:8080\"]", "http = [\"127.0.0.1:9100\"]", "127.0.0.1:9100 twice"),
        (
            "[upstream]",
            "admin = \"0.0.0.0:9100\"\n[upstream]",
            "line 4: listen.admin: expected a loopback address",
        ),
        ("[upstream]", "threads = 0\n[upstream]", "listen.threads: expected a number of threads"),
        ("[upstream]", "threads = -3\n[upstream]", "found -3"),
        (
            "[upstream]",
            "[[listen.tls]]\naddress = \"[::]:443\"\n[upstream]",
            "listen.tls[0].cert: expected the path",
        ),
        (
            "[upstream]",
            "[[listen.tls]]\naddress = \"[::]:443\"\ncert = \"no.pem\"\nkey = \"no.key\"\n[upstream]",
            "listen.tls[0]: expected a readable certificate",
        ),
        ("address = \"127.0.0.1:8000\"", "", "line 4: upstream.address: expected a host and port"),
        (
            "address = \"127.0.0.1:8000\"",
            "address = \"127.0.0.1\"",
            "line 5: upstream.address: expected a host and port",
        ),
        ("address = \"127.0.0.1:8000\"", "address = \"1.2.3:80\"", "upstream.address"),
        ("address = \"127.0.0.1:8000\"", "address = \"a b:80\"", "upstream.address"),
        (
            "address = \"127.0.0.1:8000\"",
            "address = \"origin:80\"\nsni = \"x\"",
            "\"sni\" only together with tls",
        ),
        (
            "address = \"127.0.0.1:8000\"",
            "address = \"127.0.0.1:443\"\ntls = true",
            "upstream: expected \"sni\"",
        ),
        (
            "address = \"127.0.0.1:8000\"",
            "address = \"o:80\"\nca = \"no.pem\"",
            "upstream: expected readable certificates",
        ),
        (
            "address = \"127.0.0.1:8000\"",
            "address = \"o:80\"\nca = \"/dev/null\"",
            "found no certificate in the file",
        ),
        (
            "address = \"127.0.0.1:8000\"",
            "address = \"o:80\"\nread_timeout = \"0s\"",
            "a duration above zero",
        ),
        (
            "address = \"127.0.0.1:8000\"",
            "address = \"o:80\"\nread_timeout = \"5\"",
            "upstream.read_timeout",
        ),
        (
            "[source]",
            "[client]\ntrusted_proxies = [\"10.0.0.1/8\"]\n[source]",
            "client.trusted_proxies[0]: expected a network",
        ),
        (
            "[source]",
            "[client]\nheader = \"x forwarded\"\n[source]",
            "client.header: expected the name of a header",
        ),
        (
            "urls = [\"http://127.0.0.1:8545\"]",
            "urls = []",
            "line 8: source.urls: expected at least one URL, found an empty list",
        ),
        (
            "urls = [\"http://127.0.0.1:8545\"]",
            "urls = [\"127.0.0.1:8545\"]",
            "source.urls[0]: expected an \"http://\"",
        ),
        ("chain_id = 31337", "chain_id = 0", "source.chain_id"),
        (
            "chain_id = 31337",
            "chain_id = 1\nstale_mode = \"block-all\"",
            "expected \"last-good\" or \"allow-all\"",
        ),
        (
            "registry = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"",
            "registry = \"0x5F\"",
            "40 hex digits",
        ),
        ("dir = \"state\"", "", "state.dir: expected the path of a folder, found nothing"),
        (
            "[state]",
            "[[route]]\npath_prefix = \"api\"\n[state]",
            "route[0].path_prefix: expected a path",
        ),
        (
            "[state]",
            "[[route]]\nblock_below = 101\n[state]",
            "route[0].block_below: expected a score",
        ),
        (
            "[state]",
            "[[route]]\nhost = \"a.example:80\"\n[state]",
            "route[0].host: expected a host name",
        ),
        (
            "[state]",
            "[[route]]\nhost = \"A.example\"\n[[route]]\nhost = \"a.example\"\n[state]",
            "a.example/ twice",
        ),
        (
            "[state]",
            "[[route]]\nshadow = \"yes\"\n[state]",
            "route[0].shadow: expected true or false",
        ),
        ("[state]", "[route]\nshadow = true\n[state]", "route: expected tables written [[route]]"),
        ("[state]", "[limits]\nrate_slots = 1\n[state]", "limits.rate_slots"),
        ("[state]", "[limits]\nclient_slots = 2000000\n[state]", "limits.client_slots"),
        (
            "[state]",
            "[limits]\nfault_bound = 18446744073709551616\n[state]",
            "a number of faults from 1 to 18446744073709551615, found 18446744073709551616",
        ),
        (
            "dir = \"state\"",
            "dir = \"state\"\nsoak = \"3651d\"",
            "at most \"3650d\", found \"3651d\"",
        ),
        ("[state]", "[log]\nlevel = \"loud\"\n[state]", "log.level: expected \"error\""),
        (
            "[state]",
            "[shutdown]\ngrace = 5\n[state]",
            "shutdown.grace: expected a duration such as",
        ),
        ("[state]", "[telemetry]\n[state]", "expected only listen, upstream"),
        ("[state]", "log = \"text\"\n[state]", "unknown key \"log\""),
    ];
    for (line, by, expected) in cases {
        let found = mistakes(&changed(line, by)).join("\n");
        assert!(found.contains(expected), "{by}\nexpected {expected}\nfound {found}");
    }
}

#[test]
fn an_empty_file_lists_all_that_is_missing() {
    let found = mistakes("").join("\n");
    for key in [
        "listen:",
        "upstream.address",
        "source: expected at least one URL under \"urls\"",
        "source: expected at least one URL under \"beacon_urls\"",
        "source.checkpoint",
        "source.registry",
        "state.dir",
    ] {
        assert!(found.contains(key), "{key} not in {found}");
    }
}

#[test]
fn values_of_clients_are_escaped_and_cut() {
    let long = "x".repeat(1000);
    let found =
        mistakes(&changed("chain_id = 31337", &format!("chain_id = \"\\u001b{long}\""))).join("\n");
    assert!(found.contains('…') && found.len() < 300, "{found}");
}

#[test]
fn mistakes_tell_no_keys() {
    let urls = "urls = [\"http://127.0.0.1:8545\"]";
    let chain = "chain_id = 31337";
    let cases = [
        (urls, "urls = [\"wss://node.example/KEY\"]", "found \"wss://node.example…\""),
        (urls, "urls = [\"http//user:KEY@node\"]", "found a text that begins with neither"),
        (urls, "urls = [\"node.example/KEY\"]", "found a text that begins with neither"),
        (urls, "urls = \"node.example/KEY\"", "found a text that begins with neither"),
        (urls, "urls = \"https://user:KEY@node/KEY\"", "found \"https://node…\""),
        (urls, "urls = [\"https://node/KEY]", "expected valid TOML"),
        (urls, "urls = [https://node/KEY]", "expected valid TOML"),
        (urls, "urls = https://node/KEY", "expected valid TOML"),
        (urls, "urls = [\"https://node/\\KEY\"]", "expected valid TOML"),
        (urls, "urls = [\"https://node/\"KEY\"]", "expected valid TOML"),
        (chain, "chain_id = \"https://node/KEY\"", "found \"https://node…\""),
        (chain, "chain_id = \"user:KEY@node\"", "found a text with \"//\" or \"@\" in it"),
    ];
    for (line, by, expected) in cases {
        let found = mistakes(&changed(line, by)).join("\n");
        assert!(found.contains(expected) && !found.contains("KEY"), "{by}\n{expected}\n{found}");
    }
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    let zeros = Config::load(Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(zeros.ends_with("/dev/zero: expected at most 1048576 bytes, found more"), "{zeros}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greenlight.toml");
    let text = format!("{SMALLEST}#");
    std::fs::write(&path, format!("{text}{}", "x".repeat((1 << 20) - text.len()))).unwrap();
    assert!(Config::load(&path).is_ok());
    std::fs::write(&path, [SMALLEST.as_bytes(), b"# \xff"].concat()).unwrap();
    let encoding = Config::load(&path).unwrap_err().to_string();
    assert!(encoding.contains("expected UTF-8, found invalid utf-8 sequence"), "{encoding}");
}

#[test]
fn durations_are_numbers_with_units() {
    for (text, millis) in
        [("500ms", 500), ("2s", 2_000), ("1m30s", 90_000), ("6h", 21_600_000), ("1d", 86_400_000)]
    {
        let config =
            parse(&changed("chain_id = 31337", &format!("chain_id = 1\npoll = \"{text}\"")))
                .expect(text);
        assert_eq!(config.source.poll, Duration::from_millis(millis));
    }
    for text in ["", "2", "s", "2 s", "-1s", "1.5s", "2w", "99999999999999999999s", "9999999d"] {
        let found =
            parse(&changed("chain_id = 31337", &format!("chain_id = 1\npoll = \"{text}\"")));
        assert!(found.is_err(), "{text}");
    }
}

#[test]
fn recording_is_off_until_a_file_is_named() {
    assert_eq!(parse(SMALLEST).expect("valid").record, None);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requests.ndjson");
    let with = |keys: &str| format!("{SMALLEST}[record]\nfile = {file:?}\n{keys}");
    let record = parse(&with("")).expect("valid").record.expect("a record");
    assert_eq!(record.file, file);
    assert_eq!((record.sample, record.max_bytes, record.max_per_second), (0.01, 64 << 20, 100));
    assert_eq!(parse(&with("sample = 1")).expect("valid").record.unwrap().sample, 1.0);
    for (keys, key) in [
        ("sample = 0", "record.sample: "),
        ("sample = 1.5", "record.sample: "),
        ("sample = nan", "record.sample: "),
        ("sample = \"all\"", "record.sample: "),
        ("max_bytes = 1", "record.max_bytes: "),
        ("max_per_second = 0", "record.max_per_second: "),
        ("rotate = true", "record: expected only "),
    ] {
        let found = mistakes(&with(keys));
        assert!(found.len() == 1 && found[0].contains(key), "{keys}: {found:?}");
    }
    for file in ["/dev/full", "/nonexistent/folder/file"] {
        let found = mistakes(&format!("{SMALLEST}[record]\nfile = {file:?}"));
        assert!(found.len() == 1 && found[0].contains(file), "{found:?}");
    }
    assert!(mistakes(&format!("{SMALLEST}[record]"))[0].contains("record.file: "));
}

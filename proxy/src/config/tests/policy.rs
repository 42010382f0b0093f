//! What is done with scores, and what is told of it.

use std::{fs, path::Path, time::Duration};

use greenlight_bot::RateLimit;

use super::{SMALLEST, mistakes, parse};
use crate::config::{Config, Mistake, Route};

/// The smallest valid file with more at its end, where line 13 begins.
fn with(more: &str) -> String {
    format!("{SMALLEST}{more}")
}

fn parse_in(folder: &Path, more: &str) -> Result<Config, Vec<String>> {
    Config::parse(&with(more), folder)
        .map_err(|mistakes| mistakes.iter().map(Mistake::to_string).collect())
}

const DURATION: &str = "expected a duration above zero such as \"500ms\", \"2s\", \"1m30s\" or \"6h\", at most \"3650d\"";

#[test]
fn a_route_says_whom_it_is_for_and_what_is_done() {
    let more = r#"
[[route]]
host = "Shop.Example"
path_prefix = "/login"
methods = ["POST", "PROPFIND"]
tag_below = 90
log_below = 0x50
rate_limit_below = 60
rate_limit = { requests = 5, per = "1m30s" }
challenge_below = 40
block_below = 20
shadow = true
[[route]]
path_prefix = "/health"
exempt = true
[[route]]
rate_limit_below = 100
"#;
    let [login, health, every]: [Route; 3] =
        parse(&with(more)).expect("valid").routes.try_into().expect("three");
    let nothing = Route {
        host: None,
        path_prefix: "/".to_owned(),
        methods: Vec::new(),
        tag_below: 0,
        log_below: 0,
        rate_limit_below: 0,
        rate_limit: RateLimit::default(),
        challenge_below: 0,
        block_below: 0,
        shadow: false,
        exempt: false,
    };
    let expected = Route {
        host: Some("shop.example".to_owned()),
        path_prefix: "/login".to_owned(),
        methods: vec!["POST".to_owned(), "PROPFIND".to_owned()],
        tag_below: 90,
        log_below: 80,
        rate_limit_below: 60,
        rate_limit: RateLimit::new(5, Duration::from_secs(90)),
        challenge_below: 40,
        block_below: 20,
        shadow: true,
        exempt: false,
    };
    assert_eq!(login, expected);
    assert_eq!(
        health,
        Route { path_prefix: "/health".to_owned(), exempt: true, ..nothing.clone() }
    );
    assert_eq!(every, Route { rate_limit_below: 100, ..nothing });
}

#[test]
fn each_mistake_of_a_route_says_what_was_expected_and_what_came() {
    for (keys, expected) in [
        (
            "methods = [\"GET\", \"post\"]",
            "line 14: route[0].methods[1]: expected a method such as \"POST\", in capitals, found \"post\"",
        ),
        (
            "methods = \"POST\"",
            "line 14: route[0].methods: expected a list, each element a method such as \"POST\", in capitals, found \"POST\"",
        ),
        (
            "rate_limit_below = 101",
            "line 14: route[0].rate_limit_below: expected a score from 1 to 100, or 0 for never, found 101",
        ),
        (
            "challenge_below = -1",
            "line 14: route[0].challenge_below: expected a score from 1 to 100, or 0 for never, found -1",
        ),
        (
            "challenge_below = \"30\"",
            "line 14: route[0].challenge_below: expected a score from 1 to 100, or 0 for never, found \"30\"",
        ),
        (
            "rate_limit = { requests = 5, per = \"1m\" }",
            "line 13: route[0]: expected \"rate_limit_below\" beside \"rate_limit\", found none",
        ),
        (
            "rate_limit_below = 30\nrate_limit = { requests = 0, per = \"1m\" }",
            "line 15: route[0].rate_limit.requests: expected a number of requests from 1 to 1000000, found 0",
        ),
        (
            "rate_limit_below = 30\nrate_limit = { requests = 5, per = \"1m\", burst = 3 }",
            "line 15: route[0].rate_limit: expected only requests, per, found the unknown key \"burst\"",
        ),
        (
            "rate_limit_below = 30\nrate_limit = 5",
            "line 15: route[0].rate_limit: expected a table, found 5",
        ),
        (
            "rate_limit_below = 30\nrate_limit = { requests = 5, per = \"0s\" }",
            &format!("line 15: route[0].rate_limit.per: {DURATION}, found \"0s\""),
        ),
        (
            "rate_limit_below = 30\nrate_limit = { requests = 5 }",
            &format!("line 15: route[0].rate_limit.per: {DURATION}, found nothing"),
        ),
        (
            "exempt = true\nblock_below = 30",
            "line 13: route[0]: expected no threshold beside exempt = true, found \"block_below\"",
        ),
        ("exempt = \"no\"", "line 14: route[0].exempt: expected true or false, found \"no\""),
        ("shadow = 1", "line 14: route[0].shadow: expected true or false, found 1"),
        (
            "rate_limit_below = 30\nchallenge_below = 30",
            "line 13: route[0]: expected a \"rate_limit_below\" above \"challenge_below\", which goes before it, found 30",
        ),
        (
            "methods = [\"GET\", \"PUT\"]\n[[route]]\nmethods = [\"PUT\", \"GET\"]",
            "line 15: route[1]: expected each host, path_prefix and methods once, found / twice",
        ),
    ] {
        assert_eq!(mistakes(&with(&format!("[[route]]\n{keys}"))), [expected], "{keys}");
    }
    for host in ["b\u{fc}cher.example", "a/b", "a@b", "a..b", "*.a", "a:80", "[::1]", "."] {
        let found = mistakes(&with(&format!("[[route]]\nhost = {host:?}")));
        let expected = "line 14: route[0].host: expected a host name without a port, found ";
        assert!(
            matches!(found.as_slice(), [one] if one.starts_with(expected)),
            "{host}: {found:?}"
        );
    }
    for prefix in ["/a?b", "/a#b", "/%61", "//a", "/a//b", "/./a", "/a/..", "/a\\b", "a", ""] {
        let found = mistakes(&with(&format!("[[route]]\npath_prefix = '{prefix}'")));
        assert!(
            matches!(found.as_slice(), [one] if one.starts_with(
                "line 14: route[0].path_prefix: expected a path as it is once decoded and resolved, which begins with \"/\" and has no query, found "
            )),
            "{prefix}: {found:?}"
        );
    }
    let spelled = "[[route]]\nhost = \"A.example.\"\npath_prefix = \"/caf\u{e9} au lait/.well-known/\"\n[[route]]\nhost = \"0::1\"";
    let routes = parse(&with(spelled)).expect("valid").routes;
    let hosts: Vec<_> = routes.iter().map(|route| route.host.as_deref()).collect();
    assert_eq!(hosts, [Some("a.example"), Some("::1")]);
    let twice = "[[route]]\nhost = \"a.example\"\nmethods = [\"GET\"]\n[[route]]\nhost = \"A.Example.\"\nmethods = [\"GET\", \"GET\"]";
    assert_eq!(
        mistakes(&with(twice)),
        [
            "line 16: route[1]: expected each host, path_prefix and methods once, found a.example/ twice"
        ]
    );
    let apart = "[[route]]\nmethods = [\"GET\"]\n[[route]]\nmethods = [\"PUT\"]\n[[route]]";
    assert_eq!(parse(&with(apart)).expect("valid").routes.len(), 3);
    let logged = "[[route]]\nlog_below = 20\nblock_below = 30";
    assert!(parse(&with(logged)).is_ok(), "what is blocked is logged, too");
}

#[test]
fn lists_are_of_the_file_and_of_files_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("deny.txt"), "# bad\n203.0.113.0/24\n\n2001:db8::/32 # worse")
        .unwrap();
    fs::write(folder.path().join("bad.txt"), "203.0.113.1\nnot one\n10.0.0.0/33\n10.0.0.1/8")
        .unwrap();
    fs::write(folder.path().join("latin.txt"), b"192.0.2.1 # caf\xe9").unwrap();
    fs::write(folder.path().join("vast.txt"), "#".repeat((8 << 20) + 1)).unwrap();
    let more = "[lists]\nallow = [\"203.0.113.9\"]\ndeny = [\"198.51.100.0/24\"]\ndeny_file = \"deny.txt\"";
    let lists = parse_in(folder.path(), more).expect("valid").lists;
    let denied = |address: &str| lists.deny.contains(address.parse().unwrap());
    assert!(denied("203.0.113.1") && denied("198.51.100.255") && denied("2001:db8::1"));
    assert!(!denied("203.0.114.1") && lists.allow.contains([203, 0, 113, 9].into()));
    assert!(parse(SMALLEST).expect("valid").lists.deny.is_empty());

    let readable = |key: &str, found: &str| {
        format!(
            "line 13: lists: expected a regular file of text, at most 8388608 bytes, as {key:?}, found {found}"
        )
    };
    let network = "expected a network such as \"10.0.0.0/8\" with no host bits, or one address";
    for (keys, expected) in [
        ("allow = [\"10.0.0.1/8\"]", format!("line 14: lists.allow[0]: {network}, found \"10.0.0.1/8\"")),
        ("deny = \"10.0.0.1\"", format!("line 14: lists.deny: expected a list, each element {}, found \"10.0.0.1\"", &network["expected ".len()..])),
        ("allow_file = 1", "line 14: lists.allow_file: expected the path of a list of networks, found 1".to_owned()),
        ("denny = []", "line 14: lists: expected only allow, allow_file, deny, deny_file, found the unknown key \"denny\" (did you mean \"deny\"?)".to_owned()),
        ("deny_file = \"none.txt\"", readable("deny_file", "No such file or directory (os error 2)")),
        ("deny_file = \"/dev/zero\"", readable("deny_file", "something else than a regular file")),
        ("allow_file = \"vast.txt\"", readable("allow_file", "more than 8388608 bytes")),
        ("allow_file = \"latin.txt\"", readable("allow_file", "incomplete utf-8 byte sequence from index 15")),
    ] {
        assert_eq!(parse_in(folder.path(), &format!("[lists]\n{keys}")).unwrap_err(), [expected], "{keys}");
    }
    let in_file = |line: u8, found: &str| {
        format!(
            "line 13: lists: {network} on each line of \"allow_file\", found {found:?} on line {line}"
        )
    };
    assert_eq!(
        parse_in(folder.path(), "[lists]\nallow_file = \"bad.txt\"").unwrap_err(),
        [in_file(2, "not one"), in_file(3, "10.0.0.0/33"), in_file(4, "10.0.0.1/8")]
    );
}

#[test]
fn secrets_of_challenges_are_read_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("now", " a secret of today's\n");
    write("before", "a secret of yesterday's");
    write("short", "short  \n\n           ");
    write("vast", &"s".repeat(4097));
    let client = Some([192, 0, 2, 1].into());
    let config = parse_in(
        folder.path(),
        "[challenge]\nsecret_file = \"now\"\nprevious_secret_file = \"before\"\nlifetime = \"1h\"",
    );
    let challenges = config.expect("valid").challenges;
    assert_eq!(challenges.lifetime, Duration::from_hours(1));
    let shared = challenges.shared.expect("a secret");
    let issued = |secret: &[u8]| {
        let challenge = greenlight_bot::Challenge::new(secret).unwrap();
        challenge.with_lifetime(Duration::from_hours(1)).issue(client, "a", 1_000)
    };
    assert_eq!(
        shared.issue(client, "a", 1_000),
        issued(b"a secret of today's"),
        "without the space around it"
    );
    assert!(shared.verify(issued(b"a secret of yesterday's").as_bytes(), client, "a", 1_000));
    assert!(parse(SMALLEST).expect("valid").challenges.shared.is_none());

    let secret = "expected a secret of 16 to 4096 bytes in";
    for (keys, expected) in [
        ("secret_file = \"short\"", &[format!("line 13: challenge: {secret} \"secret_file\", found 5 bytes")][..]),
        (
            "secret_file = \"none\"\nprevious_secret_file = \"short\"",
            &[
                format!("line 13: challenge: {secret} \"secret_file\", found No such file or directory (os error 2)"),
                format!("line 13: challenge: {secret} \"previous_secret_file\", found 5 bytes"),
            ],
        ),
        (
            "secret_file = \"/dev/zero\"",
            &[format!("line 13: challenge: {secret} \"secret_file\", found something else than a regular file")],
        ),
        (
            "secret_file = \"vast\"",
            &[format!("line 13: challenge: {secret} \"secret_file\", found more than 4096 bytes")],
        ),
        (
            "previous_secret_file = \"before\"",
            &["line 13: challenge: expected \"secret_file\" beside \"previous_secret_file\", found none".to_owned()],
        ),
        (
            "secret_file = 5\nlifetime = \"0s\"\nsecrets = 1",
            &[
                "line 14: challenge.secret_file: expected the path of a secret, found 5".to_owned(),
                format!("line 15: challenge.lifetime: {DURATION}, found \"0s\""),
                "line 16: challenge: expected only secret_file, previous_secret_file, lifetime, found the unknown key \"secrets\"".to_owned(),
            ],
        ),
    ] {
        assert_eq!(parse_in(folder.path(), &format!("[challenge]\n{keys}")).unwrap_err(), expected, "{keys}");
    }
}

#[test]
fn switches_and_bounds_are_as_they_are_written() {
    let config = parse(SMALLEST).expect("valid");
    assert!(config.bots_enabled && !config.tells_reasons && config.listen.fingerprints);
    assert_eq!((config.limits.client_slots, config.limits.rate_slots), (16_384, 65_536));

    let more = "[headers]\nreasons = true\n[bots]\nenabled = false\n[limits]\nclient_slots = 256\n[crawlers]\nknown = false\ndns = \"off\"";
    let text = with(more).replace("[upstream]", "fingerprints = false\n[upstream]");
    let config = parse(&text).expect("valid");
    assert!(!config.bots_enabled && config.tells_reasons && !config.listen.fingerprints);
    assert_eq!(config.limits.client_slots, 256);
    assert!(config.crawlers.crawlers.is_empty() && config.crawlers.dns.is_none());
    let most = with("[limits]\nclient_slots = 1_048_576");
    assert_eq!(parse(&most).expect("valid").limits.client_slots, 1 << 20);
}

#[test]
fn one_mistake_in_each_section_is_told_with_all_the_others() {
    let more = r#"[[route]]
exempt = "no"
[lists]
allow = [7]
[challenge]
lifetime = 7
[headers]
reasons = "yes"
[bots]
enable = true
[crawlers]
known = 1
dns = "maybe"
[[crawlers.crawler]]
action = "praise"
domain = []
[record]
file = "r"
sample = 0
[limits]
client_slots = 255
"#;
    let text = with(more).replace("[upstream]", "fingerprints = 1\n[upstream]");
    let folder = tempfile::tempdir().unwrap();
    let found = Config::parse(&text, folder.path()).unwrap_err();
    let found: Vec<String> = found.iter().map(Mistake::to_string).collect();
    assert_eq!(
        found,
        [
            "line 4: listen.fingerprints: expected true or false, found 1".to_owned(),
            "line 15: route[0].exempt: expected true or false, found \"no\"".to_owned(),
            "line 17: lists.allow[0]: expected a network such as \"10.0.0.0/8\" with no host bits, or one address, found 7".to_owned(),
            format!("line 19: challenge.lifetime: {DURATION}, found 7"),
            "line 21: headers.reasons: expected true or false, found \"yes\"".to_owned(),
            "line 23: bots: expected only enabled, found the unknown key \"enable\" (did you mean \"enabled\"?)".to_owned(),
            "line 25: crawlers.known: expected true or false, found 1".to_owned(),
            "line 26: crawlers.dns: expected \"system\", \"off\" or a list of name servers such as [\"127.0.0.1:53\"], found \"maybe\"".to_owned(),
            "line 27: crawlers.crawler[0].name: expected a name of a-z, 0-9 and \"-\", found nothing".to_owned(),
            "line 28: crawlers.crawler[0].action: expected \"allow\", \"score\" or \"block\", found \"praise\"".to_owned(),
            "line 29: crawlers.crawler[0]: expected only name, user_agents, networks, network_files, domains, keys, key_files, action, found the unknown key \"domain\" (did you mean \"domains\"?)".to_owned(),
            "line 32: record.sample: expected a share above 0 and at most 1, such as 0.01, found 0".to_owned(),
            "line 34: limits.client_slots: expected a number from 256 to 1048576, found 255".to_owned(),
        ]
    );
}

use std::net::IpAddr;

use greenlight_artifact::{Digest, Draft, Feature, Key, Row, Schema};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use rows::{features, numbered};

use super::{CompileError, CompiledModel};
use crate::{ClientActivity, Fired, RequestView};

#[path = "../../tests/support/rows.rs"]
mod rows;
mod signals;

fn model(rows: &[(&str, &str)]) -> CompiledModel {
    CompiledModel::compile(&numbered(features(rows))).unwrap()
}

struct Request {
    method: &'static str,
    path: String,
    version: Version,
    client: Option<IpAddr>,
    headers: Vec<(&'static str, Vec<u8>)>,
    rate: u64,
}

impl Default for Request {
    fn default() -> Self {
        let headers = Vec::new();
        Self {
            method: "GET",
            path: "/".into(),
            version: Version::HTTP_11,
            client: None,
            headers,
            rate: 0,
        }
    }
}

/// The rows of `rows` that fire, by index.
fn fired(rows: &[(&str, &str)], request: &Request) -> Vec<u8> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value).unwrap(),
        );
    }
    let Request { method, path, version, client, rate, .. } = request;
    let view = RequestView::new(method, path, *version, &headers).with_client(*client);
    model(rows).score(&view, &ClientActivity::of_rate(*rate)).fired.rows().collect()
}

fn with(headers: &[(&'static str, &str)]) -> Request {
    Request {
        headers: headers.iter().map(|(name, value)| (*name, value.as_bytes().into())).collect(),
        ..<_>::default()
    }
}

fn path(path: &str) -> Request {
    Request { path: path.into(), ..<_>::default() }
}

fn client(address: &str) -> Request {
    Request { client: Some(address.parse().unwrap()), ..<_>::default() }
}

#[test]
fn user_agent_contains_ignores_case_and_finds_what_overlaps() {
    let rows = [
        ("ua-contains", "bot"),
        ("ua-contains", "googlebot"),
        ("ua-contains", "googlebot/2"),
        ("ua-contains", "lebot/"),
        ("ua-contains", "curl"),
        ("ua-contains", "o"),
    ];
    let googlebot = with(&[("user-agent", "Mozilla/5.0 (compatible; GoogleBot/2.1)")]);
    assert_eq!(fired(&rows, &googlebot), [0, 1, 2, 3, 5]);
    assert_eq!(fired(&rows, &with(&[("user-agent", "CURL/8.0")])), [4]);
    assert_eq!(fired(&rows, &with(&[("user-agent", "cur l")])), [0; 0]);
    assert_eq!(fired(&rows, &with(&[("x-other", "curl")])), [0; 0]);
    assert_eq!(fired(&rows, &with(&[])), [0; 0]);
    // Of a repeated field each value counts, and none runs into the next.
    assert_eq!(
        fired(&rows, &with(&[("user-agent", "cu"), ("user-agent", "rl"), ("user-agent", "robot")])),
        [0, 5]
    );
}

#[test]
fn texts_match_punctuation_and_spaces_exactly() {
    let rows = [
        ("ua-contains", "a b"),
        ("ua-contains", "@"),
        ("ua-contains", "`"),
        ("ua-contains", "[x]"),
    ];
    assert_eq!(fired(&rows, &with(&[("user-agent", "A B [X]")])), [0, 3]);
    // 0x40 and 0x60 differ in the bit that tells cases apart, as do 0x5b and 0x7b.
    assert_eq!(fired(&rows, &with(&[("user-agent", "@")])), [1]);
    assert_eq!(fired(&rows, &with(&[("user-agent", "` {x}")])), [2]);
}

#[test]
fn user_agent_empty_means_none_or_empty() {
    let rows = [("ua-empty", ""), ("header-absent", "user-agent")];
    assert_eq!(fired(&rows, &with(&[])), [0, 1]);
    assert_eq!(fired(&rows, &with(&[("user-agent", "")])), [0]);
    assert_eq!(fired(&rows, &with(&[("user-agent", "x")])), [0; 0]);
    assert_eq!(fired(&rows, &with(&[("user-agent", ""), ("user-agent", "x")])), [0; 0]);
}

#[test]
fn header_present_and_absent() {
    let rows = [
        ("header-present", "accept"),
        ("header-absent", "accept"),
        ("header-absent", "sec-fetch-mode"),
    ];
    assert_eq!(fired(&rows, &with(&[("Accept", "*/*")])), [0, 2]);
    assert_eq!(fired(&rows, &with(&[("accept", ""), ("sec-fetch-mode", "cors")])), [0]);
    assert_eq!(fired(&rows, &with(&[])), [1, 2]);
}

#[test]
fn header_equals_the_whole_value_in_any_case() {
    let rows = [
        ("header-equals", "accept:*/*"),
        ("header-equals", "connection:close"),
        ("header-equals", "x:a:b"),
        ("header-equals", "accept:text/html"),
    ];
    assert_eq!(fired(&rows, &with(&[("accept", "*/*"), ("connection", "CLOSE")])), [0, 1]);
    assert_eq!(fired(&rows, &with(&[("accept", "*/*;q=1"), ("connection", "closed")])), [0; 0]);
    assert_eq!(fired(&rows, &with(&[("x", "A:B")])), [2]);
    assert_eq!(
        fired(&rows, &with(&[("x", "z"), ("x", "a:b")])),
        [2],
        "one of the values is enough"
    );
    assert_eq!(fired(&rows, &with(&[("accept", &"*/*".repeat(20))])), [0; 0]);
}

#[test]
fn header_contains_in_any_case() {
    let rows = [("header-contains", "accept-encoding:zstd"), ("header-contains", "accept:html")];
    assert_eq!(fired(&rows, &with(&[("accept-encoding", "gzip, ZSTD;q=1")])), [0]);
    assert_eq!(fired(&rows, &with(&[("accept", "text/HTML"), ("accept-encoding", "gzip")])), [1]);
    assert_eq!(fired(&rows, &with(&[("accept", "zstd"), ("accept-encoding", "html")])), [0; 0]);
}

#[test]
fn method_is_exact() {
    let rows = [("method", "GET"), ("method", "HEAD"), ("method", "get")];
    assert_eq!(fired(&rows, &Request::default()), [0]);
    assert_eq!(fired(&rows, &Request { method: "HEAD", ..<_>::default() }), [1]);
    assert_eq!(fired(&rows, &Request { method: "get", ..<_>::default() }), [2]);
    assert_eq!(fired(&rows, &Request { method: "GETS", ..<_>::default() }), [0; 0]);
}

#[test]
fn path_prefix_finds_all_that_nest_and_none_inside() {
    let rows = [
        ("path-prefix", "/"),
        ("path-prefix", "/wp-"),
        ("path-prefix", "/wp-login.php"),
        ("path-prefix", "/WP-"),
    ];
    assert_eq!(fired(&rows, &path("/wp-login.php")), [0, 1, 2]);
    assert_eq!(fired(&rows, &path("/wp-admin")), [0, 1]);
    assert_eq!(fired(&rows, &path("/x/wp-login.php")), [0]);
    assert_eq!(fired(&rows, &path("/WP-x")), [0, 3]);
    assert_eq!(fired(&rows, &path("*")), [0; 0]);
    assert_eq!(fired(&rows, &path("")), [0; 0]);
    let longest = "/0123456789012345678901234567";
    assert_eq!(fired(&[("path-prefix", &longest[..28])], &path(longest)), [0]);
}

#[test]
fn path_contains_is_case_sensitive() {
    let rows = [
        ("path-contains", ".env"),
        ("path-contains", "/.git/"),
        ("path-contains", "../"),
        ("path-contains", "nv"),
    ];
    assert_eq!(fired(&rows, &path("/app/.env")), [0, 3]);
    assert_eq!(fired(&rows, &path("/.git/../.ENV")), [1, 2]);
    assert_eq!(fired(&rows, &path("/")), [0; 0]);
}

#[test]
fn client_networks_nest_and_end_where_they_end() {
    let rows = [
        ("client-cidr-v4", "10.0.0.0/8"),
        ("client-cidr-v4", "10.1.0.0/16"),
        ("client-cidr-v4", "10.1.2.3/32"),
        ("client-cidr-v4", "255.0.0.0/8"),
        ("client-cidr-v6", "2001:db8::/32"),
        ("client-cidr-v6", "2001:db8:1::/48"),
        ("client-cidr-v6", "ffff::/16"),
    ];
    let cases: [(&str, &[u8]); 15] = [
        ("9.255.255.255", &[]),
        ("10.0.0.0", &[0]),
        ("10.0.255.255", &[0]),
        ("10.1.0.0", &[0, 1]),
        ("10.1.2.3", &[0, 1, 2]),
        ("10.1.2.4", &[0, 1]),
        ("10.2.0.0", &[0]),
        ("11.0.0.0", &[]),
        ("255.255.255.255", &[3]),
        ("::ffff:10.1.2.3", &[0, 1, 2]),
        ("2001:db8::1", &[4]),
        ("2001:db8:1:ffff::", &[4, 5]),
        ("2001:db9::", &[]),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &[6]),
        ("::", &[]),
    ];
    for (address, expected) in cases {
        assert_eq!(fired(&rows, &client(address)), expected, "{address}");
    }
    assert_eq!(fired(&rows, &Request::default()), [0; 0]);
    let everyone = [("client-cidr-v4", "0.0.0.0/0"), ("client-cidr-v6", "::/0")];
    assert_eq!(fired(&everyone, &client("0.0.0.0")), [0]);
    assert_eq!(fired(&everyone, &client("255.255.255.255")), [0]);
    assert_eq!(fired(&everyone, &client("::")), [1]);
}

#[test]
fn rates_fire_above_their_number() {
    let rows =
        [("request-rate", "20"), ("request-rate", "5"), ("request-rate", "18446744073709551615")];
    let at = |rate| Request { rate, ..<_>::default() };
    assert_eq!(fired(&rows, &at(5)), [0; 0]);
    assert_eq!(fired(&rows, &at(6)), [1]);
    assert_eq!(fired(&rows, &at(20)), [1]);
    assert_eq!(fired(&rows, &at(21)), [0, 1]);
    assert_eq!(fired(&rows, &at(u64::MAX)), [0, 1]);
    assert!(model(&rows).reads_activity() && !model(&[("ua-empty", "")]).reads_activity());
}

#[test]
fn versions_are_told_by_their_number() {
    let rows = [
        ("http-version", "10"),
        ("http-version", "11"),
        ("http-version", "20"),
        ("http-version", "12"),
    ];
    for (version, expected) in [
        (Version::HTTP_10, &[0_u8][..]),
        (Version::HTTP_11, &[1]),
        (Version::HTTP_2, &[2]),
        (Version::HTTP_3, &[]),
    ] {
        assert_eq!(fired(&rows, &Request { version, ..<_>::default() }), expected);
    }
}

#[test]
fn the_same_argument_under_two_keys_fires_both() {
    for row in [
        ("ua-contains", "curl"),
        ("header-equals", "user-agent:curl"),
        ("header-present", "user-agent"),
        ("header-absent", "accept"),
        ("method", "GET"),
        ("path-prefix", "/"),
        ("path-contains", "/"),
        ("client-cidr-v4", "192.0.2.0/24"),
        ("request-rate", "1"),
        ("http-version", "11"),
    ] {
        let request = Request {
            client: Some([192, 0, 2, 1].into()),
            rate: 2,
            ..with(&[("user-agent", "curl")])
        };
        assert_eq!(fired(&[row, row], &request), [0, 1], "{row:?}");
    }
}

#[test]
fn bytes_that_are_not_text_are_no_hindrance() {
    let rows = [("ua-contains", "bot"), ("header-equals", "user-agent:\u{20}x"), ("ua-empty", "")];
    let raw =
        |bytes: &[u8]| Request { headers: vec![("user-agent", bytes.into())], ..<_>::default() };
    assert_eq!(fired(&rows, &raw(b"\xff\xfe\x80bot\xc3")), [0]);
    assert_eq!(fired(&rows, &raw(b"\xff")), [0; 0]);
    assert_eq!(fired(&rows, &raw(&[b"b".repeat(1 << 20), b"ot".to_vec()].concat())), [0]);
}

#[test]
fn the_logit_is_the_intercept_and_what_fired() {
    let feature = |kind, argument| Feature::parse(kind, argument).unwrap();
    let row =
        |key, feature: &Feature, weight| Row::of(Key::from_text(key, 0).unwrap(), feature, weight);
    let rows = vec![
        row("a", &feature("method", "GET"), 1_500),
        row("b", &feature("http-version", "11"), -250),
        row("c", &feature("method", "PUT"), 9_000),
    ];
    let draft = Draft { intercept: -1_000, engine: 1, created_at: 0, label: String::new(), rows };
    let artifact = draft.encode(&[Schema::ENGINE_1]).unwrap();
    let model = CompiledModel::compile(&artifact).unwrap();
    let headers = HeaderMap::new();
    let view = RequestView::new("GET", "/", Version::HTTP_11, &headers);
    let scored = model.score(&view, &ClientActivity::default());
    // 1 + round(98 · 1/(1 + e^0.25)) = 1 + round(42.9)
    assert_eq!((scored.logit_milli, scored.score.get()), (250, 44));
    assert_eq!(scored.fired.rows().collect::<Vec<_>>(), [0, 1]);
    assert_eq!((model.len(), model.is_empty(), model.digest()), (3, false, artifact.digest()));
    assert_eq!(
        (model.row_key(2).map(|key| key.to_string()), model.row_weight(2)),
        (Some("c".into()), Some(9_000))
    );
    assert_eq!((model.row_key(3), model.row_weight(3)), (None, None));
}

#[test]
fn two_hundred_rows_of_the_longest_texts_compile() {
    let texts: Vec<String> =
        (0..200).map(|index| format!("{index:03}").repeat(10)[..28].to_string()).collect();
    let rows: Vec<(&str, &str)> = texts.iter().map(|text| ("ua-contains", text.as_str())).collect();
    let all = with(&[("user-agent", &texts.concat())]);
    assert_eq!(fired(&rows, &all).len(), 200);
    assert_eq!(fired(&rows, &with(&[("user-agent", &texts[199])])), [199]);
}

#[test]
fn another_engine_is_refused() {
    let schema = Schema { engine: 2, ..Schema::ENGINE_1 };
    let mut draft = Draft::from(&numbered(features(&[("ua-empty", "")])));
    draft.engine = 2;
    let error = CompiledModel::compile(&draft.encode(&[schema]).unwrap()).unwrap_err();
    assert_eq!(error, CompileError::Engine { expected: 1, found: 2 });
    assert_eq!(error.to_string(), "engine: expected 1, found 2");
    assert_eq!(error.reason(), "engine-unsupported");
}

#[test]
fn a_kind_of_a_wider_schema_is_refused() {
    let mut schema = Schema::ENGINE_1;
    // Kind 31, a fingerprint of cost 1.
    schema.word[31] = 0x81;
    let row = Row {
        key: Key::from_text("ja4", 0).unwrap(),
        kind: 31,
        flags: 0,
        weight: 1,
        argument: [1; 28],
    };
    let draft =
        Draft { intercept: 0, engine: 1, created_at: 0, label: String::new(), rows: vec![row] };
    let artifact = draft.encode(&[schema]).unwrap();
    let error = CompiledModel::compile(&artifact).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 0 (ja4): expected a kind of engine 1, found kind 31 with flags 0"
    );
    assert_eq!(error.reason(), "kind-unsupported");
    assert_ne!(artifact.digest(), Digest([0; 32]));
}

#[test]
fn a_set_of_rows_holds_each_of_256() {
    let mut all = Fired::NONE;
    assert!(all.is_empty());
    for row in 0..=u8::MAX {
        assert!(!all.contains(row));
        all.insert(&Fired::row(row));
        assert!(all.contains(row));
        assert_eq!(all.len(), usize::from(row) + 1);
    }
    assert!(all.rows().eq(0..=u8::MAX));
    all.remove(&Fired::row(64));
    assert!(!all.contains(64) && all.contains(63) && all.contains(65));
}

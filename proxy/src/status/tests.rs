use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{describe, fetch, span};

#[test]
fn a_light_client_shows_heads_ages_and_who_answered() {
    let status = json!({
        "mode": "active",
        "artifact": { "id": 7, "digest": "0xabcd", "rows": 42, "phase": "good" },
        "sequence": 12,
        "head": { "number": 23_812_345, "age_ms": 14_250, "kill": false, "rollback": true, "paused": true },
        "stale": false,
        "source": {
            "kind": "light-client",
            "network": "mainnet",
            "newest": { "slot": 13_164_123, "number": 23_812_345, "age_ms": 14_250 },
            "finalized": { "slot": 13_164_032, "number": 23_812_254, "age_ms": 1_106_000 },
            "participation": { "voted": 498, "of": 512 },
            "period": 1606,
            "endpoint": "beacon-a.internal:5052",
            "rpc": "node-b.internal:8545",
            "failures": 0, "last_reason": null, "last_error": null,
        },
        "quarantine": [{ "digest": "0xbad", "reason": "row-order" }],
        "proxy": { "faults": 0, "uptime_seconds": 60 },
    });
    assert_eq!(
        describe(&status),
        "\
mode        active
artifact    0xabcd (good)
id          7
rows        42
sequence    12
head        23812345, 14.2 s old
bits        rollback paused
source      light-client mainnet
newest      slot 13164123, block 23812345, 14.2 s old, 498 of 512 signed
finalized   slot 13164032, block 23812254, 18 min 26 s old
period      1606
endpoint    beacon-a.internal:5052
rpc         node-b.internal:8545
quarantine  0xbad (row-order)
faults      0
up          60 s
"
    );
}

#[test]
fn a_failing_source_shows_why() {
    let status = json!({
        "mode": "allow-all",
        "reason": "no-last-good",
        "stale": true,
        "source": {
            "kind": "light-client",
            "network": "my-devnet",
            "endpoint": "beacon-a.internal:5052",
            "rpc": "node-a.internal:8545",
            "failures": 4,
            "last_reason": "beacon-status",
            "last_error": "beacon-a.internal:5052: expected 200; found 500",
            "apis": [
                { "api": "beacon", "endpoints": [
                    { "endpoint": "beacon-a.internal:5052", "failures": 4, "last_reason": "beacon-http-status" },
                    { "endpoint": "beacon-b.internal:5052", "failures": 1, "last_reason": "signature" },
                ] },
                { "api": "rpc", "endpoints": [
                    { "endpoint": "node-a.internal:8545", "failures": 0, "last_reason": "rpc-deadline" },
                ] },
            ],
        },
        "proxy": { "faults": 0, "uptime_seconds": 1 },
    });
    assert_eq!(
        describe(&status),
        "\
mode        allow-all (no-last-good)
source      light-client my-devnet (stale)
endpoint    beacon-a.internal:5052
rpc         node-a.internal:8545
failures    4
error       beacon-a.internal:5052: expected 200; found 500 (beacon-status)
failing     beacon beacon-a.internal:5052, 4 in a row, beacon-http-status
failing     beacon beacon-b.internal:5052, 1 in a row, signature
faults      0
up          1 s
"
    );
}

#[test]
fn a_source_without_slots_shows_blocks() {
    let status = json!({
        "source": {
            "kind": "rpc", "network": "chain-31337", "period": null, "participation": null, "finalized": null,
            "newest": { "slot": null, "number": 7, "age_ms": 0 },
        },
    });
    let text = describe(&status);
    assert!(text.contains("\nnewest      block 7, 0.0 s old\n"), "{text}");
    assert!(!text.contains("finalized") && !text.contains("signed"), "{text}");
}

#[test]
fn what_an_endpoint_answered_does_not_steer_the_terminal() {
    let status = json!({ "source": { "last_error": "a\u{1b}[2J\u{9b}b\r\nmode active" } });
    let text = describe(&status);
    let error = text.lines().find(|line| line.starts_with("error")).unwrap();
    assert_eq!(error, "error       a\\u{1b}[2J\\u{9b}b\\r\\nmode active");
}

/// What `fetch` makes of an address where this is answered.
fn fetched(answer: &'static str) -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = format!("http://{}", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
        stream.write_all(format!("{head}{answer}").as_bytes()).unwrap();
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let fetched = runtime.block_on(fetch(&admin));
    served.join().unwrap();
    fetched.map(|(text, _)| text).map_err(|error| error.to_string())
}

#[test]
fn what_answers_other_json_is_no_edge() {
    for answer in [
        "{}",
        "[]",
        "1",
        "null",
        r#"{"mode":"active"}"#,
        r#"{"mode":1,"proxy":{"uptime_seconds":1}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}"#,
    ] {
        let error = fetched(answer).unwrap_err();
        assert!(error.contains("/status is not an edge: expected"), "{answer}: {error}");
    }
    let edge = r#"{"mode":"allow-all","proxy":{"uptime_seconds":0}}"#;
    assert_eq!(fetched(edge).unwrap(), edge);
}

#[test]
fn ages_have_their_two_largest_units() {
    let cases = [
        (0, "0.0 s"),
        (59_900, "59.9 s"),
        (60_000, "1 min 0 s"),
        (3_599_999, "59 min 59 s"),
        (3_660_000, "1 h 1 min"),
        (86_400_000, "1 d 0 h"),
        (1_216_800_000, "14 d 2 h"),
    ];
    for (millis, expected) in cases {
        assert_eq!(span(Duration::from_millis(millis)), expected);
    }
}

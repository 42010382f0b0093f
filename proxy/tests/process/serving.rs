//! The real binary as a process: what requests see while things around it fail.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{
    Edge, answer, config, echo, free_address, get, keep_artifact, origin, read_head, send,
};

#[test]
fn with_a_dead_source_it_serves_at_once_says_so_and_ends_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let edge = Edge::start(&config(folder.path(), origin(echo), ""));
    let (status, head) = get(
        edge.http,
        "/hello?x=1",
        &[
            ("X-Bot-Score", "99"),
            ("x_bot_verdict", "allow"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x_forwarded_for", "6.6.6.6"),
            ("x_real-ip", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
        ],
    );
    assert_eq!(status, 200);
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("get /hello?x=1 http/1.1\r\n"), "{head}");
    for line in [
        "x-bot-score: 0\r\n",
        "x-bot-verdict: unscored\r\n",
        "x-forwarded-for: 127.0.0.1\r\n",
        "x-forwarded-proto: http\r\n",
    ] {
        assert!(head.contains(line), "{line} not in {head}");
    }
    for forged in [": 99\r\n", "x_bot", "6.6.6.6", "x-bot-artifact"] {
        assert!(!head.contains(forged), "{forged} in {head}");
    }

    edge.wait_for("a failed look", |edge| edge.status()["source"]["failures"].as_u64() > Some(0));
    let status = edge.status();
    assert_eq!((&status["mode"], &status["reason"]), (&"allow-all".into(), &"no-last-good".into()));
    assert_eq!(
        (&status["proxy"]["serving"], &status["proxy"]["engine"]),
        (&true.into(), &serde_json::Value::Null)
    );
    edge.settles_at("greenlight_requests_total{action=\"unscored\"}", 1);
    edge.settles_at("greenlight_forged_requests_total", 1);

    let begun = Instant::now();
    edge.signal("TERM");
    assert_eq!(edge.end(), 0);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "the grace period of 20 s is not waited for without need"
    );
}

#[test]
fn the_last_good_artifact_blocks_the_first_bot() {
    let folder = tempfile::tempdir().unwrap();
    let digest = keep_artifact(folder.path());
    let edge = Edge::start(&config(folder.path(), origin(echo), ""));
    let (status, body) = get(edge.http, "/first", &[("user-agent", "evil/1.0")]);
    assert_eq!((status, body.as_str()), (403, "Forbidden\n"));
    let (status, head) = get(edge.http, "/", &[("user-agent", "Mozilla/5.0")]);
    assert_eq!(status, 200);
    assert!(head.contains(&format!("x-bot-artifact: {}\r\n", &digest[2..18])), "{head}");
    assert!(head.contains("x-bot-verdict: allow\r\n"), "{head}");

    let status = edge.status();
    assert_eq!(
        (&status["mode"], &status["proxy"]["engine"]),
        (&"active".into(), &digest.as_str().into())
    );
    edge.settles_at("greenlight_requests_total{action=\"block\"}", 1);
    edge.settles_at("greenlight_responses_total{class=\"4xx\",source=\"proxy\"}", 1);
    edge.settles_at("greenlight_score_count", 2);
    edge.wait_for("the access log", |edge| edge.log().contains("\"verdict\":\"block\""));
    let log = edge.log();
    let line = log.lines().find(|line| line.contains("\"verdict\":\"block\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["path"], &line["status"], &line["reasons"]),
        (&"/first".into(), &403.into(), &"ua.evil+9000".into())
    );
    assert!(line["client"].is_null(), "no client address at INFO: {line}");
}

#[test]
fn a_state_folder_that_cannot_be_used_does_not_stop_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state"), "a file where a folder should be").unwrap();
    let edge = Edge::start(&config(folder.path(), origin(echo), ""));
    assert_eq!(get(edge.http, "/", &[]).0, 200);
    edge.settles_at("greenlight_store_failing", 1);
    edge.signal("INT");
    assert_eq!(edge.end(), 0);
}

/// As in a container that holds this binary and nothing else.
#[test]
fn a_limit_of_file_sizes_is_a_full_disk_and_not_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), origin(echo), "");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 0; exec \"$0\" run --config \"$1\""]);
    command.arg(env!("CARGO_BIN_EXE_greenlight")).arg(&config);
    let edge = Edge::start_by(command);
    edge.wait_for("missed evidence", |edge| edge.status()["evidence_missed"].as_u64() > Some(0));
    assert_eq!(get(edge.http, "/", &[]).0, 200);
}

#[test]
fn without_root_certificates_it_serves_and_follows() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), origin(echo), "");
    let edge = Edge::start_with(
        &config,
        &[("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")],
    );
    assert_eq!(get(edge.http, "/", &[]).0, 200);
    edge.wait_for("a look at the chain", |edge| {
        edge.status()["source"]["failures"].as_u64() > Some(0)
    });
    assert_eq!(edge.status()["source"]["last_reason"], "rpc-unreachable");
}

#[test]
fn an_upstream_that_is_gone_is_its_own_502() {
    let folder = tempfile::tempdir().unwrap();
    let edge = Edge::start(&config(folder.path(), free_address(), ""));
    assert_eq!(get(edge.http, "/", &[]).0, 502);
    edge.settles_at("greenlight_responses_total{class=\"5xx\",source=\"upstream\"}", 1);
    edge.settles_at("greenlight_responses_total{class=\"5xx\",source=\"proxy\"}", 0);
    edge.settles_at("greenlight_upstream_faults_total{reason=\"connect\"}", 1);
}

#[test]
fn an_upstream_that_is_silent_is_its_own_504() {
    let folder = tempfile::tempdir().unwrap();
    let silent = origin(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let edge = Edge::start(&config(folder.path(), silent, ""));
    assert_eq!(get(edge.http, "/", &[]).0, 504);
    edge.settles_at("greenlight_upstream_faults_total{reason=\"timeout\"}", 1);
}

/// The upstream closes each connection after one answer without having said so: the next request finds a stale
/// connection in the pool.
#[test]
fn a_stale_connection_is_not_the_clients_problem() {
    let folder = tempfile::tempdir().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let closing = origin(move |stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        if read_head(&mut reader).is_some() {
            (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
            // Reads the next request before it closes, so that only the answer fails.
            let _ = read_head(&mut reader);
        }
    });
    let edge = Edge::start(&config(folder.path(), closing, ""));
    for _ in 0..20 {
        assert_eq!(get(edge.http, "/", &[]), (200, "ok".to_owned()));
    }
    assert!(connections.load(Ordering::Relaxed) >= 10);
    assert!(edge.metric("greenlight_upstream_retries_total") >= 1);
}

#[test]
fn sigterm_lets_requests_under_way_finish_and_takes_no_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let slow = origin(|stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while read_head(&mut reader).is_some() {
            thread::sleep(Duration::from_secs(2));
            let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nslow");
        }
    });
    let edge = Edge::start(&config(folder.path(), slow, ""));
    let http = edge.http;
    let request = thread::spawn(move || get(http, "/", &[]));
    edge.wait_for("the request", |edge| edge.metric("greenlight_requests_in_flight") == 1);
    edge.signal("TERM");
    edge.wait_for("the listener to close", |_| TcpStream::connect(http).is_err());
    assert_eq!(request.join().unwrap(), (200, "slow".to_owned()));
    assert_eq!(edge.end(), 0);
}

#[test]
fn a_websocket_passes() {
    let folder = tempfile::tempdir().unwrap();
    let echoing = origin(|stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let head = read_head(&mut reader).unwrap().to_ascii_lowercase();
        assert!(head.contains("upgrade: websocket\r\n"), "{head}");
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        (&stream).write_all(switch).unwrap();
        let mut frame = [0; 4];
        reader.read_exact(&mut frame).unwrap();
        frame.reverse();
        (&stream).write_all(&frame).unwrap();
    });
    let edge = Edge::start(&config(folder.path(), echoing, ""));
    let mut stream = TcpStream::connect(edge.http).unwrap();
    let upgrade = "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    assert!(read_head(&mut reader).unwrap().starts_with("HTTP/1.1 101"));
    stream.write_all(&[1, 2, 3, 4]).unwrap();
    let mut frame = [0; 4];
    reader.read_exact(&mut frame).unwrap();
    assert_eq!(frame, [4, 3, 2, 1]);
}

#[test]
fn whatever_a_client_sends_is_never_a_5xx_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let edge = Edge::start(&config(folder.path(), origin(echo), ""));
    let many = "a: b\r\n".repeat(300);
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(20_000));
    let nominations =
        format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: {}close\r\n\r\n", "z, ".repeat(200));
    let requests = [
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.0\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: a b\r\n\r\n".to_owned(),
        "GET http://a/ HTTP/1.1\r\nhost: b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: host\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: :path\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: x-forwarded-for\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: a\r\nuser-agent: \u{7f}\u{ff}\"\\\r\n\r\n".to_owned(),
        "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
        "CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 2\r\n\r\nx".to_owned(),
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n"),
        long,
        nominations,
        "GET /%00%ff/../..//\u{e9} HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\r\n\r\n".to_owned(),
    ];
    for request in &requests {
        let mut stream = TcpStream::connect(edge.http).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let status: u16 = answer.split(' ').nth(1).map_or(0, |code| code.parse().unwrap());
        let shown: String = request.chars().take(60).collect();
        assert!(status < 500, "{shown:?} was answered {answer:.80}");
    }
    edge.settles_at("greenlight_responses_total{class=\"5xx\",source=\"proxy\"}", 0);
    assert_eq!(get(edge.http, "/", &[]).0, 200);
}

#[test]
fn the_admin_listener_answers_only_what_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let edge = Edge::start(&config(folder.path(), origin(echo), ""));
    let ask = |request: &str| {
        send(edge.admin, format!("{request}\r\nconnection: close\r\n\r\n").as_bytes())
    };
    assert_eq!(ask("GET /status HTTP/1.1\r\nhost: evil.example").0, 421);
    assert_eq!(ask("GET /status HTTP/1.1\r\nhost: [::1]:9100").0, 200);
    assert_eq!(ask("GET /healthz HTTP/1.1\r\nhost: localhost").1, "ok\n");
    assert_eq!(ask("POST /status HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0").0, 405);
    assert_eq!(ask("GET /etc/passwd HTTP/1.1\r\nhost: localhost").0, 404);
    let mut kept = TcpStream::connect(edge.admin).unwrap();
    let mut reader = BufReader::new(kept.try_clone().unwrap());
    for _ in 0..3 {
        kept.write_all(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
        let (status, text) = answer(&mut reader);
        assert_eq!(status, 200);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (_, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}

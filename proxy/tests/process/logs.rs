//! What clients can make the log say.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Edge, config, echo, get, keep_artifact, origin};
use crate::tls::add_tls;

/// Anyone can break a handshake or a request off. It says nothing about this proxy, and their address is not for the
/// log.
#[test]
fn what_clients_break_off_is_not_logged() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), origin(echo), "");
    add_tls(&path, folder.path());
    let edge = Edge::start(&path);
    for address in [edge.address("listening for HTTPS"), edge.http] {
        for request in ["GET / HTTP/1.1\r\nhost: a", "\u{16}\u{3}\u{1}\r\n\r\n", "GET", "\r\n\r\n"]
        {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
    }
    assert_eq!(get(edge.http, "/", &[]).0, 200);
    edge.signal("TERM");
    edge.wait_for("the end", |edge| edge.log().contains("\"stopped\""));
    let log = edge.log();
    for level in ["ERROR", "handshake"] {
        assert!(!log.contains(level), "{log}");
    }
}

#[test]
fn a_client_cannot_forge_a_line() {
    let folder = tempfile::tempdir().unwrap();
    keep_artifact(folder.path());
    let path = config(folder.path(), origin(echo), "");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("level = \"info\"", "level = \"trace\"")).unwrap();
    let edge = Edge::start(&path);
    let path = "/%0a{\"level\":\"ERROR\"}\u{9b}31m\u{202e}";
    assert_eq!(get(edge.http, path, &[("user-agent", "evil/1")]).0, 403);
    edge.wait_for("the access log", |edge| edge.log().contains("\"verdict\":\"block\""));
    for line in edge.log().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let plain = |text: &str| text.chars().all(|char| !char.is_control() && char != '\u{202e}');
        assert!(line["path"].as_str().is_none_or(plain), "{line}");
        assert_ne!(line["level"], "ERROR", "{line}");
    }
}

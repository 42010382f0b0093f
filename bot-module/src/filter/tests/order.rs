//! The order of header fields, as it comes over the wire of either protocol.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use super::{blocking, edge, filter};
use crate::{
    Fired, HeaderOrder,
    test_server::{
        Edge,
        frames::{
            END_HEADERS, END_STREAM, GET, HEADERS, OVER_HTTP, PREFACE, ROOT, SETTINGS, frame,
            literal,
        },
        spy::spy_on,
        wait_for,
    },
};

fn spied() -> (Edge, Arc<Mutex<Vec<String>>>) {
    let edge = edge(filter(blocking()));
    let seen = spy_on(edge.bots.engine(), Fired::NONE, |request| {
        HeaderOrder::of(request.headers).to_string()
    });
    (edge, seen)
}

#[test]
fn over_http1_fields_are_told_in_the_order_in_which_they_were_written() {
    let (edge, seen) = spied();
    let mut expected = Vec::new();
    for (fields, word) in [
        (&["Host", "User-Agent", "Accept"][..], "^huac$"),
        (&["User-Agent", "HOST", "accept", "X-Mine"], "^uha.c$"),
        (&["Host", "Cookie", "Accept", "Cookie", "X-Mine", "Accept", "User-Agent"], "^hka.uc$"),
        (&["Host", "X-Forwarded-For", "Accept-Language", "Via", "Accept-Encoding"], "^hlec$"),
        // What is taken out leaves its place to the last field.
        (&["Host", "X-Bot-Score", "User-Agent", "Accept"], "^hcua$"),
    ] {
        let fields: String = fields.iter().map(|name| format!("{name}: localhost\r\n")).collect();
        assert_eq!(edge.ask(&format!("GET / HTTP/1.1\r\n{fields}")).status, 200);
        expected.push(word);
    }
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn over_http2_fields_are_told_in_the_order_in_which_they_were_written() {
    let (edge, seen) = spied();
    for (fields, word) in [
        (&["user-agent", "accept", "accept-encoding"][..], "^uae$"),
        (&["accept", "x-mine", "user-agent"], "^a.u$"),
        (&["cookie", "accept", "cookie", "x-mine", "accept", "user-agent", "cookie"], "^ka.u$"),
        (&["accept-language", "x-bot-score", "user-agent", "accept"], "^lau$"),
    ] {
        let mut block = vec![GET, ROOT, OVER_HTTP];
        block.extend(literal(":authority", b"localhost"));
        for name in fields {
            block.extend(literal(name, b"x"));
        }
        let mut stream = edge.connect();
        stream.write_all(PREFACE).unwrap();
        stream.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)).unwrap();
        wait_for("the request", || !seen.lock().unwrap().is_empty());
        assert_eq!(seen.lock().unwrap().split_off(0), [word], "{fields:?}");
    }
}

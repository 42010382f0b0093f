use std::{
    io::{Read, Write},
    thread,
    time::{Duration, Instant},
};

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{BOT, HUMAN, blocking, edge, filter};
use crate::{
    filter::answer::{DRAIN_BYTES, LINGER_BYTES, READ_TIME},
    test_server::{
        frames::{
            self, DATA, END_HEADERS, END_STREAM, HEADERS, OVER_HTTP, PING, POST, PREFACE, ROOT,
            RST_STREAM, SETTINGS, frame, literal,
        },
        read_answer,
    },
};

#[test]
fn a_refused_connection_goes_on_when_the_body_was_small() {
    let edge = edge(filter(blocking()));
    let mut stream = edge.connect();
    for _ in 0..3 {
        stream.write_all(format!("{BOT}\r\n").as_bytes()).unwrap();
        let answer = read_answer(&mut stream);
        assert!(answer.status == 403 && answer.has("connection: keep-alive"), "{answer:?}");

        let post = "POST / HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/8.0\r\nContent-Length: 5000\r\n\r\n";
        stream.write_all(post.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(20));
        stream.write_all(&[b'x'; 5_000]).unwrap();
        let answer = read_answer(&mut stream);
        assert!(answer.status == 403 && answer.has("connection: keep-alive"), "{answer:?}");

        let chunked = "POST / HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(format!("{chunked}3\r\nabc\r\n0\r\n\r\n").as_bytes()).unwrap();
        let answer = read_answer(&mut stream);
        assert!(answer.status == 403 && answer.has("connection: keep-alive"), "{answer:?}");
    }
    stream.write_all(format!("{HUMAN}\r\n").as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
}

#[test]
fn a_client_that_is_still_sending_when_it_is_answered_is_not_reset() {
    let edge = edge(filter(blocking()));
    let mut stream = edge.connect();
    let (first, rest) = (2 * DRAIN_BYTES, LINGER_BYTES / 2);
    let length = first + rest;
    let post = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.0\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(post.as_bytes()).unwrap();
    stream.write_all(&vec![b'x'; first]).unwrap();
    let answer = read_answer(&mut stream);
    assert!(answer.status == 403 && answer.has("connection: close"), "{answer:?}");
    for _ in 0..4 {
        thread::sleep(Duration::from_millis(10));
        stream.write_all(&vec![b'x'; rest / 4]).expect("a connection that is still read");
    }
    assert_eq!(stream.read(&mut [0; 16]).expect("an orderly end"), 0);
}

#[test]
fn a_body_that_never_comes_holds_nobody_up() {
    let edge = edge(filter(blocking()));
    let mut stream = edge.connect();
    let post = "POST / HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.0\r\nContent-Length: 10\r\n\r\n";
    let begun = Instant::now();
    stream.write_all(post.as_bytes()).unwrap();
    let answer = read_answer(&mut stream);
    assert!(answer.status == 403 && answer.has("connection: close"), "{answer:?}");
    assert_eq!(stream.read(&mut [0; 16]).expect("an orderly end"), 0);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_client_that_waits_to_send_its_body_is_answered_at_once() {
    let edge = edge(filter(blocking()));
    let mut stream = edge.connect();
    let post = "POST / HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.0\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n";
    let begun = Instant::now();
    stream.write_all(post.as_bytes()).unwrap();
    let answer = read_answer(&mut stream);
    assert!(answer.status == 403 && answer.has("connection: close"), "{answer:?}");
    assert!(begun.elapsed() < READ_TIME);
}

#[test]
fn the_answer_to_head_has_no_body() {
    let edge = edge(filter(blocking()));
    let mut stream = edge.connect();
    let head = "HEAD / HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.0\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 403 ") && all.ends_with("\r\n\r\n"), "{all}");
}

#[tokio::test]
async fn an_http2_stream_with_a_small_body_is_answered_and_not_reset() {
    let edge = edge(filter(blocking()));
    let mut stream = TcpStream::connect(edge.clear).await.unwrap();
    let fields = [
        vec![POST, ROOT, OVER_HTTP],
        literal(":authority", b"example.com"),
        literal("user-agent", b"curl/8.0"),
        literal("content-length", b"20000"),
    ];
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream.write_all(&frame(HEADERS, END_HEADERS, 1, &fields.concat())).await.unwrap();
    stream.write_all(&frame(DATA, 0, 1, &[b'x'; 10_000])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    stream.write_all(&frame(DATA, END_STREAM, 1, &[b'x'; 10_000])).await.unwrap();

    let mut kinds = Vec::new();
    loop {
        let read = frames::read(&mut stream).await.expect("a frame");
        match (read.kind, read.stream) {
            (DATA, 1) => {
                assert_eq!((read.payload.as_slice(), read.flags), (&b"no bots\n"[..], END_STREAM));
                // Its echo comes after whatever else there is to say about the stream.
                stream.write_all(&frame(PING, 0, 0, &[0; 8])).await.unwrap();
            }
            (PING, 0) => break,
            (kind, 1) => kinds.push(kind),
            _ => {}
        }
    }
    assert!(kinds.contains(&HEADERS) && !kinds.contains(&RST_STREAM), "{kinds:?}");
    assert_eq!((edge.bots.counters().blocked, edge.reached_origin()), (1, 0));
}

//! An orderly end reaches connections through [`crate::connection::FingerprintApp`].

use std::io::{Read, Write};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    BotFilter, Engine, EngineLimits, Policy,
    test_server::{
        Edge, LONG, Setup,
        frames::{
            self, DATA, END_HEADERS, END_STREAM, GET, GOAWAY, HEADERS, OVER_HTTP, PING, PREFACE,
            RST_STREAM, SETTINGS, frame, literal,
        },
        read_answer, wait_for,
    },
};

fn edge() -> Edge {
    let engine = Engine::new(EngineLimits::default());
    Edge::start(Setup::of(BotFilter::builder(engine, Policy::new(Vec::new())).build()))
}

#[test]
fn a_request_under_way_is_finished_and_connections_are_closed() {
    let edge = edge();
    let mut idle = edge.connect();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(read_answer(&mut idle).has("connection: keep-alive"));
    let mut busy = edge.connect();
    busy.write_all(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    wait_for("the request at the origin", || edge.reached_origin() == 2);

    edge.shut_down();
    assert_eq!(idle.read(&mut [0]).expect("an orderly end"), 0);
    edge.origin.release();
    let answer = read_answer(&mut busy);
    assert_eq!(answer.status, 200);
    assert!(answer.body.starts_with("GET /held HTTP/1.1\r\n"), "{answer:?}");
    assert_eq!(busy.read(&mut [0]).expect("an orderly end"), 0);
}

/// Ends the server while it holds a request over HTTP/2.
async fn is_told_to_go_away(edge: &Edge, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let block =
        [vec![GET, OVER_HTTP], literal(":path", b"/held"), literal(":authority", b"localhost")];
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    let request = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block.concat());
    stream.write_all(&request).await.unwrap();
    stream.flush().await.unwrap();
    wait_for("the request at the origin", || edge.reached_origin() == 1);

    edge.shut_down();
    let (mut farewells, mut body) = (0, Vec::new());
    while let Some(read) = frames::read(&mut stream).await {
        assert_ne!(read.kind, RST_STREAM, "{read:?}");
        match (read.kind, read.stream) {
            (GOAWAY, 0) => {
                // NO_ERROR (RFC 9113, 6.8 and 7).
                assert_eq!(read.payload[4..8], [0; 4], "{read:?}");
                assert!(farewells > 0 || body.is_empty(), "told before the answer");
                farewells += 1;
                edge.origin.release();
            }
            // Its echo tells the server that what was sent before has come.
            (PING, 0) if read.flags == 0 => {
                stream.write_all(&frame(PING, 1, 0, &read.payload)).await.unwrap();
                stream.flush().await.unwrap();
            }
            (HEADERS, 1) => assert_eq!(read.payload[0], 0x88, "an indexed 200"),
            (DATA, 1) => body.extend(read.payload),
            _ => {}
        }
    }
    assert!(farewells > 0 && body.starts_with(b"GET /held HTTP/1.1\r\n"), "{farewells} {body:?}");
}

#[tokio::test]
async fn http2_is_told_to_go_away_and_its_request_is_finished() {
    let over_tls = edge();
    let stream = over_tls.connect_tls(&[b"h2"]).await;
    timeout(LONG, is_told_to_go_away(&over_tls, stream)).await.expect("an end");
    let clear = edge();
    let stream = TcpStream::connect(clear.clear).await.unwrap();
    timeout(LONG, is_told_to_go_away(&clear, stream)).await.expect("an end");
}

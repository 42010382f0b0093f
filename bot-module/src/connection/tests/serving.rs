//! Through a real Pingora server, with clients whose every byte is kept.

use std::{
    io::{Read, Write},
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use pingora_core::tls::{ClientConfig, ServerName, TlsConnector};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};

use crate::{
    BotFilter, Engine, EngineLimits, Fired, Policy,
    connection::{http2_opening, ja4},
    test_server::{Edge, LONG, Setup, next_answer, spy::spy_on},
};

/// What scoring was shown of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    tls: bool,
    ja4: Option<String>,
    http2: Option<String>,
}

/// A server whose scoring is spied on.
struct Spied {
    edge: Edge,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Spied {
    fn start(with_reader: bool, client: Option<IpAddr>) -> Self {
        let engine = Engine::new(EngineLimits::default().with_max_scoring(LONG));
        let seen = spy_on(&engine, Fired::row(0), |request| Seen {
            tls: request.tls,
            ja4: request.ja4.map(ToOwned::to_owned),
            http2: request.http2.map(ToOwned::to_owned),
        });
        let bots = BotFilter::builder(engine, Policy::new(Vec::new())).build();
        let edge = Edge::start(Setup { with_reader, client, ..Setup::of(bots) });
        Self { edge, seen }
    }

    /// What was seen since this was last asked.
    fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

/// Keeps what is written, and writes it in pieces of at most `piece` bytes.
struct Kept<S> {
    stream: S,
    piece: usize,
    written: Arc<Mutex<Vec<u8>>>,
}

impl<S> Kept<S> {
    fn new(stream: S, piece: usize) -> (Self, Arc<Mutex<Vec<u8>>>) {
        let written = Arc::new(Mutex::new(Vec::new()));
        (Self { stream, piece, written: Arc::clone(&written) }, written)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Kept<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Kept<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let bytes = &bytes[..bytes.len().min(self.piece)];
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.written.lock().unwrap().extend_from_slice(&bytes[..count]);
        }
        written
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What a client's side of a connection sent.
struct Sent {
    raw: Arc<Mutex<Vec<u8>>>,
    plain: Arc<Mutex<Vec<u8>>>,
}

impl Sent {
    fn ja4(&self) -> Option<String> {
        ja4(&self.raw.lock().unwrap()).ok()
    }

    fn http2(&self) -> Option<String> {
        http2_opening(&self.plain.lock().unwrap()).ok()
    }
}

async fn connect(
    edge: &Edge,
    client: ClientConfig,
    piece: usize,
) -> (impl AsyncRead + AsyncWrite + Unpin + Send + 'static, Sent) {
    let stream = TcpStream::connect(edge.tls).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (stream, raw) = Kept::new(stream, piece);
    let name = ServerName::try_from("localhost").unwrap();
    let connecting = TlsConnector::from(Arc::new(client)).connect(name, stream);
    let stream = tokio::time::timeout(LONG, connecting).await.unwrap().unwrap();
    let (stream, plain) = Kept::new(stream, usize::MAX);
    (stream, Sent { raw, plain })
}

/// Asks twice on one connection over HTTP/1.1.
async fn ask_twice(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let answer = tokio::time::timeout(LONG, next_answer(stream)).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

async fn ask_twice_over_http2(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let (mut requests, connection) = h2::client::Builder::new()
        .initial_window_size(131_072)
        .initial_connection_window_size(1_000_000)
        .max_header_list_size(77_777)
        .handshake::<_, bytes::Bytes>(stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    for _ in 0..2 {
        let request = http::Request::get("https://localhost/").body(()).unwrap();
        let (response, _) = requests.send_request(request, true).unwrap();
        let response = tokio::time::timeout(LONG, response).await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn both_fingerprints_are_those_of_the_bytes_that_the_client_sent() {
    let spied = Spied::start(true, None);
    for piece in [usize::MAX, 1] {
        let (stream, sent) = connect(&spied.edge, spied.edge.client(&[b"h2"]), piece).await;
        ask_twice_over_http2(stream).await;
        let expected = Seen { tls: true, ja4: sent.ja4(), http2: sent.http2() };
        let http2 = expected.http2.as_deref().unwrap();
        assert!(http2.contains("4:131072") && http2.contains("6:77777"), "{http2}");
        assert!(http2.ends_with(&format!("|{}|0", 1_000_000 - 65_535)), "{http2}");
        assert!(expected.ja4.as_deref().unwrap().starts_with("t13d"));
        assert_eq!(spied.seen(), [expected.clone(), expected]);
    }
}

#[tokio::test]
async fn http1_over_tls_has_the_one_fingerprint_and_clear_text_none() {
    let spied = Spied::start(true, None);
    let (mut stream, sent) =
        connect(&spied.edge, spied.edge.client(&[b"http/1.1"]), usize::MAX).await;
    ask_twice(&mut stream).await;
    let expected = Seen { tls: true, ja4: sent.ja4(), http2: None };
    assert!(expected.ja4.is_some());
    assert_eq!(spied.seen(), [expected.clone(), expected]);

    ask_twice(&mut TcpStream::connect(spied.edge.clear).await.unwrap()).await;
    assert_eq!(spied.seen(), [Seen::default(), Seen::default()]);
}

#[tokio::test]
async fn http2_in_clear_text_has_its_fingerprint() {
    let spied = Spied::start(true, None);
    let (stream, plain) =
        Kept::new(TcpStream::connect(spied.edge.clear).await.unwrap(), usize::MAX);
    ask_twice_over_http2(stream).await;
    let http2 = http2_opening(&plain.lock().unwrap()).ok();
    assert!(http2.is_some());
    let expected = Seen { tls: false, ja4: None, http2 };
    assert_eq!(spied.seen(), [expected.clone(), expected]);
}

#[tokio::test]
async fn a_hello_over_many_records_is_read_and_one_that_is_too_long_is_served_without() {
    let spied = Spied::start(true, None);
    let mut client = spied.edge.client(&[b"http/1.1"]);
    client.max_fragment_size = Some(64);
    let (mut stream, sent) = connect(&spied.edge, client, usize::MAX).await;
    ask_twice(&mut stream).await;
    assert!(sent.ja4().is_some());
    assert_eq!(spied.seen()[0].ja4, sent.ja4());

    let many: Vec<Vec<u8>> = (0..90_u8).map(|n| vec![n; 250]).collect();
    let names: Vec<&[u8]> =
        [&b"http/1.1"[..]].into_iter().chain(many.iter().map(Vec::as_slice)).collect();
    let (mut stream, sent) = connect(&spied.edge, spied.edge.client(&names), usize::MAX).await;
    ask_twice(&mut stream).await;
    assert!(sent.raw.lock().unwrap().len() > super::MAX_HELLO_BYTES);
    assert_eq!(spied.seen()[0], Seen { tls: true, ja4: None, http2: None });
}

#[tokio::test]
async fn behind_another_proxy_the_connection_is_not_the_clients() {
    let spied = Spied::start(true, Some([203, 0, 113, 9].into()));
    let (stream, _) = connect(&spied.edge, spied.edge.client(&[b"h2"]), usize::MAX).await;
    ask_twice_over_http2(stream).await;
    assert_eq!(spied.seen(), [Seen::default(), Seen::default()]);

    let mapped = "::ffff:127.0.0.1".parse().unwrap();
    let spied = Spied::start(true, Some(mapped));
    let (stream, sent) = connect(&spied.edge, spied.edge.client(&[b"h2"]), usize::MAX).await;
    ask_twice_over_http2(stream).await;
    assert_eq!(spied.seen()[0], Seen { tls: true, ja4: sent.ja4(), http2: sent.http2() });
}

#[tokio::test]
async fn without_the_reader_there_is_no_fingerprint() {
    let spied = Spied::start(false, None);
    let (stream, _) = connect(&spied.edge, spied.edge.client(&[b"h2"]), usize::MAX).await;
    ask_twice_over_http2(stream).await;
    let expected = Seen { tls: true, ja4: None, http2: None };
    assert_eq!(spied.seen(), [expected.clone(), expected]);
}

#[tokio::test]
async fn who_sends_nothing_or_half_a_hello_or_no_tls_holds_nobody() {
    let spied = Spied::start(true, None);
    let (_stream, sent) = connect(&spied.edge, spied.edge.client(&[b"h2"]), usize::MAX).await;
    let hello = sent.raw.lock().unwrap()[..100].to_vec();
    let open = |bytes: &[u8]| {
        let mut stream = std::net::TcpStream::connect(spied.edge.tls).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    let mut held: Vec<_> = (0..20).map(|_| open(&[])).collect();
    held.extend((0..20).map(|count| open(&hello[..=count * 4])));
    for odd in [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &[22, 3, 1, 0, 0, 1], &[0; 64]] {
        // Whatever rustls answers, it ends the connection, and does so for what has come already.
        let mut stream = open(odd);
        stream.set_read_timeout(Some(LONG)).unwrap();
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }
    let (mut stream, sent) =
        connect(&spied.edge, spied.edge.client(&[b"http/1.1"]), usize::MAX).await;
    ask_twice(&mut stream).await;
    assert_eq!(spied.seen()[0].ja4, sent.ja4());
    drop(held);
}

//! For tests: a real Pingora server with the filter in it, raw clients on one side and an origin that echoes on the other.
#![allow(clippy::arithmetic_side_effects, reason = "for tests")]

pub(crate) mod frames;
pub(crate) mod spy;

use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    os::fd::IntoRawFd,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use pingora_core::{
    Error, Result,
    apps::HttpServerOptions,
    listeners::tls::TlsSettings,
    modules::http::HttpModules,
    server::{
        ListenFds, RunArgs, Server, ShutdownSignal, ShutdownSignalWatch, ShutdownWatch,
        configuration::ServerConf,
    },
    services::{Service, listening},
    tls::{
        CertificateDer, ClientConfig, ClientTlsStream, RootCertStore, ServerName, TlsConnector,
        install_default_crypto_provider,
    },
    upstreams::peer::HttpPeer,
};
use pingora_proxy::{ProxyHttp, Session, http_proxy};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::Notify,
};

use crate::{
    BotFilter,
    connection::{ClientHelloReader, FingerprintApp},
    policy::Verdict,
};

/// No step of a test takes this long.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// An origin that answers with the head of the request as the body, and counts. It has no page `/missing`, and answers
/// for `/held` once it is told to.
pub(crate) struct Origin {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    held: Arc<(Mutex<bool>, Condvar)>,
}

impl Origin {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let held = Arc::new((Mutex::new(true), Condvar::new()));
        let (counter, gate) = (Arc::clone(&requests), Arc::clone(&held));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (counter, gate) = (Arc::clone(&counter), Arc::clone(&gate));
                thread::spawn(move || echo(stream.unwrap(), &counter, &gate));
            }
        });
        Self { address, requests, held }
    }

    /// Answers the requests for `/held`.
    pub(crate) fn release(&self) {
        *self.held.0.lock().unwrap() = false;
        self.held.1.notify_all();
    }
}

fn echo(mut stream: TcpStream, requests: &AtomicUsize, held: &(Mutex<bool>, Condvar)) {
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(read) => head.extend(&chunk[..read]),
        }
        // A body may follow in the same piece; it is not read.
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            head.truncate(end + 4);
        }
    }
    requests.fetch_add(1, Ordering::SeqCst);
    if head.starts_with(b"GET /held ") {
        drop(held.1.wait_while(held.0.lock().unwrap(), |held| *held).unwrap());
    }
    let length = head.len();
    let status = if head.starts_with(b"GET /missing ") { "404 Not Found" } else { "200 OK" };
    let answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // Whether the proxy still waits is for the test to say.
    let _ = stream.write_all(&[answer.as_bytes(), &head].concat());
}

/// How the server is put together.
pub(crate) struct Setup {
    pub(crate) bots: BotFilter,
    /// Whether the filter's module is added.
    pub(crate) with_module: bool,
    /// Whether the hello of TLS is read.
    pub(crate) with_reader: bool,
    /// Who the proxy says that its client is.
    pub(crate) client: Option<IpAddr>,
}

impl Setup {
    /// With all that is ours.
    pub(crate) fn of(bots: BotFilter) -> Self {
        Self { bots, with_module: true, with_reader: true, client: None }
    }
}

struct Proxy {
    setup: Setup,
    origin: SocketAddr,
    seen: Arc<Mutex<Vec<Verdict>>>,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = ();

    fn new_ctx(&self) {}

    fn init_downstream_modules(&self, modules: &mut HttpModules) {
        if self.setup.with_module {
            modules.add_module(self.setup.bots.module());
        }
    }

    async fn request_filter(&self, session: &mut Session, (): &mut ()) -> Result<bool> {
        self.setup.bots.request_filter(session, self.setup.client).await
    }

    async fn upstream_peer(&self, _session: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.origin, false, String::new())))
    }

    async fn logging(&self, session: &mut Session, _error: Option<&Error>, (): &mut ()) {
        self.seen.lock().unwrap().extend(BotFilter::verdict(session));
    }
}

/// A server that listens in clear text, with HTTP/2 for clients that open with its preface, and over TLS. It ends with
/// this.
pub(crate) struct Edge {
    pub(crate) clear: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) bots: BotFilter,
    pub(crate) origin: Origin,
    certificate: CertificateDer<'static>,
    seen: Arc<Mutex<Vec<Verdict>>>,
    stop: Arc<Stop>,
}

impl Edge {
    pub(crate) fn start(setup: Setup) -> Self {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let origin = Origin::start();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(Stop::default());
        let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [clear, tls] = [0, 1].map(|at: usize| sockets[at].local_addr().unwrap());
        let bots = setup.bots.clone();
        let (pem, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
        let proxy = Proxy { setup, origin: origin.address, seen: Arc::clone(&seen) };
        let stopping = Arc::clone(&stop);
        thread::spawn(move || serve(proxy, sockets, &pem, &key, stopping));
        Self { clear, tls, bots, origin, certificate: pair.cert.der().clone(), seen, stop }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        readable(TcpStream::connect(self.clear).unwrap())
    }

    /// A connection of the client 127.0.0.`last`.
    pub(crate) fn connect_from(&self, last: u8) -> TcpStream {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
            socket.connect(self.clear).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        readable(stream)
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, head: &str) -> Answer {
        ask_on(&mut self.connect(), head)
    }

    /// One request of the client 127.0.0.`last`.
    pub(crate) fn ask_from(&self, last: u8, head: &str) -> Answer {
        ask_on(&mut self.connect_from(last), head)
    }

    /// A client over TLS that trusts this server and offers these protocols.
    pub(crate) fn client(&self, alpn: &[&[u8]]) -> ClientConfig {
        install_default_crypto_provider();
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut client =
            ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        client.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        client
    }

    pub(crate) async fn connect_tls(
        &self,
        alpn: &[&[u8]],
    ) -> ClientTlsStream<tokio::net::TcpStream> {
        let stream = tokio::net::TcpStream::connect(self.tls).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connecting = TlsConnector::from(Arc::new(self.client(alpn))).connect(name, stream);
        tokio::time::timeout(LONG, connecting).await.unwrap().unwrap()
    }

    /// The verdicts that the logging phase saw, which comes after the answer: once there are `count`.
    pub(crate) fn verdicts(&self, count: usize) -> Vec<Verdict> {
        wait_for("verdicts", || self.seen.lock().unwrap().len() >= count);
        let seen = self.seen.lock().unwrap().clone();
        assert_eq!(seen.len(), count);
        seen
    }

    pub(crate) fn reached_origin(&self) -> usize {
        self.origin.requests.load(Ordering::SeqCst)
    }

    /// Asks the server to end as an operator would, and returns at once.
    pub(crate) fn shut_down(&self) {
        self.stop.graceful.notify_one();
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.origin.release();
        self.stop.fast.notify_one();
    }
}

pub(crate) fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LONG, "waited for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn readable(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

fn ask_on(stream: &mut TcpStream, head: &str) -> Answer {
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
    read_answer(stream)
}

#[derive(Default)]
struct Stop {
    graceful: Notify,
    fast: Notify,
}

struct Signals(Arc<Stop>);

#[async_trait]
impl ShutdownSignalWatch for Signals {
    async fn recv(&self) -> ShutdownSignal {
        tokio::select! {
            () = self.0.graceful.notified() => ShutdownSignal::GracefulTerminate,
            () = self.0.fast.notified() => ShutdownSignal::FastShutdown,
        }
    }
}

fn serve(proxy: Proxy, sockets: [TcpListener; 2], pem: &str, key: &str, stop: Arc<Stop>) {
    let folder = tempfile::tempdir().unwrap();
    let (pem_path, key_path) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&pem_path, pem).unwrap();
    std::fs::write(&key_path, key).unwrap();
    let mut settings =
        TlsSettings::intermediate(pem_path.to_str().unwrap(), key_path.to_str().unwrap()).unwrap();
    settings.enable_h2();

    // One thread: what holds it holds everyone.
    let conf = ServerConf { threads: 1, ..ServerConf::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let with_reader = proxy.setup.with_reader;
    let mut app = http_proxy(&server.configuration, proxy);
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    app.server_options = Some(options);
    let mut service = listening::Service::new("proxy".to_owned(), FingerprintApp::new(app));
    if with_reader {
        service.endpoints().set_pre_tls_callback(Arc::new(ClientHelloReader));
    }
    let [clear, tls] = sockets.each_ref().map(|socket| socket.local_addr().unwrap().to_string());
    service.add_tcp(&clear);
    service.add_tls_with_settings(&tls, None, settings);
    let addresses = [clear, tls];
    let sockets = addresses.into_iter().zip(sockets).collect();
    server.add_service(Prebound { service, sockets });
    server.run(RunArgs { shutdown_signal: Box::new(Signals(stop)) });
}

/// A service whose sockets listen already, handed over as those of a process before: a port that was only asked for
/// could be another's by the time that it is bound.
struct Prebound<S> {
    service: S,
    sockets: Vec<(String, TcpListener)>,
}

#[async_trait]
impl<S: Service> Service for Prebound<S> {
    async fn start_service(
        &mut self,
        fds: Option<ListenFds>,
        shutdown: ShutdownWatch,
        listeners_per_fd: usize,
    ) {
        for (address, socket) in self.sockets.drain(..) {
            socket.set_nonblocking(true).unwrap();
            fds.as_ref().unwrap().lock().add(address, socket.into_raw_fd());
        }
        self.service.start_service(fds, shutdown, listeners_per_fd).await;
    }

    fn name(&self) -> &str {
        self.service.name()
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    /// What was sent, with what is not UTF-8 replaced.
    pub(crate) body: String,
    pub(crate) raw_body: Vec<u8>,
}

impl Answer {
    fn new(head: String, raw_body: Vec<u8>) -> Self {
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = String::from_utf8_lossy(&raw_body).into_owned();
        Self { status, head, body, raw_body }
    }

    /// Whether it has this line in its head, in lower case.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.head.to_ascii_lowercase().lines().any(|line| line == field)
    }

    /// The value of a field of the answer.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        values(&self.head, name).first().copied()
    }

    /// The values of a field that the origin was sent.
    pub(crate) fn sent(&self, name: &str) -> Vec<&str> {
        values(&self.body, name)
    }
}

fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

/// Reads one answer, by its length.
pub(crate) fn read_answer(stream: &mut impl Read) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the head of an answer");
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut body = vec![0; length(&head)];
    stream.read_exact(&mut body).expect("the body of an answer");
    Answer::new(head, body)
}

/// The same, of a stream that does not block.
pub(crate) async fn next_answer(stream: &mut (impl AsyncRead + Unpin)) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("the head of an answer"));
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut body = vec![0; length(&head)];
    stream.read_exact(&mut body).await.expect("the body of an answer");
    Answer::new(head, body)
}

/// The length that the head of an answer gives its body.
fn length(head: &str) -> usize {
    values(head, "content-length").first().unwrap().parse().unwrap()
}

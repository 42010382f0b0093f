//! Through a real Pingora server, with a raw client on one side and an origin that echoes on the other.
#![allow(clippy::arithmetic_side_effects, reason = "a test")]

mod crawlers;
mod judging;
mod logged;
mod told_client;

use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use greenlight_artifact::{Digest, Draft, Feature, Key, Row, Schema};
use pingora_core::{
    Error, Result,
    apps::HttpServerOptions,
    modules::http::HttpModules,
    server::{RunArgs, Server, ShutdownSignal, ShutdownSignalWatch, configuration::ServerConf},
    upstreams::peer::HttpPeer,
};
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};

use super::{
    BotFilter, FilterCounters,
    answer::{DRAIN_BYTES, LINGER_BYTES, READ_TIME},
    fields::is_ours,
};
use crate::{
    ClientActivity, CompiledModel, Engine, EngineLimits, Policy, RequestView, Route, Scored,
    engine::Scorer,
    policy::{Action, Verdict},
};

/// An origin that answers with the head of the request as the body, and counts. It has no page `/missing`.
struct Origin {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Origin {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let counter = Arc::clone(&counter);
                thread::spawn(move || echo(stream.unwrap(), &counter));
            }
        });
        Self { address, requests }
    }
}

fn echo(mut stream: TcpStream, requests: &AtomicUsize) {
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(read) => head.extend(&chunk[..read]),
        }
    }
    requests.fetch_add(1, Ordering::SeqCst);
    let length = head.len();
    let status = if head.starts_with(b"GET /missing ") { "404 Not Found" } else { "200 OK" };
    let answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(&[answer.as_bytes(), &head].concat()).unwrap();
}

struct Proxy {
    bots: BotFilter,
    origin: SocketAddr,
    with_module: bool,
    client: Option<IpAddr>,
    seen: Arc<Mutex<Vec<Verdict>>>,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = ();

    fn new_ctx(&self) {}

    fn init_downstream_modules(&self, modules: &mut HttpModules) {
        if self.with_module {
            modules.add_module(self.bots.module());
        }
    }

    async fn request_filter(&self, session: &mut Session, (): &mut ()) -> Result<bool> {
        self.bots.request_filter(session, self.client).await
    }

    async fn upstream_peer(&self, _session: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.origin, false, String::new())))
    }

    async fn logging(&self, session: &mut Session, _error: Option<&Error>, (): &mut ()) {
        self.seen.lock().unwrap().extend(BotFilter::verdict(session));
    }
}

/// Never asks for a shutdown: the server lives as long as the test.
struct Forever;

#[async_trait]
impl ShutdownSignalWatch for Forever {
    async fn recv(&self) -> ShutdownSignal {
        std::future::pending().await
    }
}

struct Edge {
    address: SocketAddr,
    bots: BotFilter,
    origin: Origin,
    seen: Arc<Mutex<Vec<Verdict>>>,
}

#[derive(Clone, Copy)]
struct Options {
    route_in_shadow: bool,
    with_module: bool,
    client: Option<IpAddr>,
}

const DEFAULT: Options = Options { route_in_shadow: false, with_module: true, client: None };

impl Edge {
    fn start(options: Options) -> Self {
        let origin = Origin::start();
        let route = Route {
            block_below: 30,
            tag_below: 70,
            shadow: options.route_in_shadow,
            ..Route::default()
        };
        let engine = Engine::new(EngineLimits::default());
        let bots =
            BotFilter::builder(engine, Policy::new(vec![route])).block_body("no bots\n").build();
        let seen = Arc::new(Mutex::new(Vec::new()));
        // The port is free when it is asked for, and another process may be quicker to take it.
        let address = (0..5)
            .find_map(|_| {
                let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
                let proxy = Proxy {
                    bots: bots.clone(),
                    origin: origin.address,
                    with_module: options.with_module,
                    client: options.client,
                    seen: Arc::clone(&seen),
                };
                thread::spawn(move || serve(proxy, free));
                let deadline = Instant::now() + Duration::from_secs(10);
                while Instant::now() < deadline {
                    match TcpStream::connect(free) {
                        Ok(_) => return Some(free),
                        Err(_) => thread::sleep(Duration::from_millis(10)),
                    }
                }
                None
            })
            .expect("a proxy that listens");
        Self { address, bots, origin, seen }
    }

    fn with_model(options: Options) -> Self {
        let edge = Self::start(options);
        edge.bots.engine().install(model());
        edge
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// One request on a connection of its own.
    fn ask(&self, head: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
        read_answer(&mut stream)
    }

    /// The verdicts that the logging phase saw, which comes after the answer: once there are `count`.
    fn verdicts(&self, count: usize) -> Vec<Verdict> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let seen = self.seen.lock().unwrap().clone();
            if seen.len() >= count || Instant::now() > deadline {
                assert_eq!(seen.len(), count);
                return seen;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn reached_origin(&self) -> usize {
        self.origin.requests.load(Ordering::SeqCst)
    }
}

fn serve(proxy: Proxy, address: SocketAddr) {
    let conf = ServerConf { threads: 1, ..ServerConf::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut service = http_proxy_service(&server.configuration, proxy);
    // HTTP/2 without TLS, for clients that open with its preface.
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    service.app_logic_mut().unwrap().server_options = Some(options);
    service.add_tcp(&address.to_string());
    server.add_service(service);
    server.run(RunArgs { shutdown_signal: Box::new(Forever) });
}

/// Blocks curl and the network 203.0.113.0/24; all else is a human of score 94.
fn model() -> CompiledModel {
    let row = |key, kind, argument| {
        Row::of(Key::from_text(key, 0).unwrap(), &Feature::parse(kind, argument).unwrap(), 8_000)
    };
    let rows = vec![
        row("net.bad", "client-cidr-v4", "203.0.113.0/24"),
        row("ua.curl", "ua-contains", "curl/"),
    ];
    let draft = Draft { intercept: -3_000, engine: 1, created_at: 0, label: String::new(), rows };
    CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).unwrap()).unwrap()
}

const HUMAN: &str = "GET /page?q=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: Mozilla/5.0\r\n";
const BOT: &str = "GET /page HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/8.0\r\n";

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn has(&self, field: &str) -> bool {
        self.head.to_ascii_lowercase().lines().any(|line| line == field)
    }

    /// The values of a field that the origin was sent.
    fn sent(&self, name: &str) -> Vec<&str> {
        let fields = self.body.lines().filter_map(|line| line.split_once(": "));
        fields
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }
}

/// Reads one answer, by its length.
fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the head of an answer");
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let lower = head.to_ascii_lowercase();
    let length = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap()
        .parse()
        .unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("the body of an answer");
    Answer { status, head, body: String::from_utf8(body).unwrap() }
}

#[test]
fn refuses_a_bot_and_tells_the_origin_about_others() {
    let edge = Edge::with_model(DEFAULT);
    let bot = edge.ask(BOT);
    assert_eq!((bot.status, bot.body.as_str()), (403, "no bots\n"));
    assert!(
        bot.has("cache-control: no-store") && bot.has("content-type: text/plain; charset=utf-8"),
        "{bot:?}"
    );
    assert_eq!(edge.reached_origin(), 0);

    let human = edge.ask(HUMAN);
    assert_eq!(human.status, 200);
    assert!(human.body.starts_with("GET /page?q=1 HTTP/1.1\r\n"));
    assert_eq!(human.sent("x-bot-score"), ["94"]);
    assert_eq!(human.sent("x-bot-verdict"), ["allow"]);
    assert_eq!(human.sent("x-bot-artifact"), [model().digest().short()]);

    let FilterCounters { allowed, blocked, unscored, forged, .. } = edge.bots.counters();
    assert_eq!((allowed, blocked, unscored, forged), (1, 1, 0, 0));
    let actions: Vec<Action> = edge.verdicts(2).iter().map(|verdict| verdict.action).collect();
    assert_eq!(actions, [Action::Block, Action::Allow]);
}

#[test]
fn without_a_model_a_bot_passes_unscored_and_unlabelled() {
    let edge = Edge::start(DEFAULT);
    let answer = edge.ask(BOT);
    assert_eq!(answer.status, 200);
    assert_eq!(
        (answer.sent("x-bot-score"), answer.sent("x-bot-verdict")),
        (vec!["0"], vec!["unscored"])
    );
    assert_eq!(answer.sent("x-bot-artifact"), [""; 0]);
    assert_eq!(edge.bots.counters().unscored, 1);
}

#[test]
fn in_shadow_the_origin_learns_what_would_have_been_done() {
    let edge = Edge::with_model(Options { route_in_shadow: true, ..DEFAULT });
    let answer = edge.ask(BOT);
    assert_eq!((answer.status, answer.sent("x-bot-verdict")), (200, vec!["block"]));
    assert_eq!((edge.bots.counters().shadowed, edge.bots.counters().blocked), (1, 0));
}

#[test]
fn what_a_client_says_about_itself_never_reaches_the_origin() {
    for with_module in [true, false] {
        let edge = Edge::with_model(Options { with_module, ..DEFAULT });
        let answer = edge.ask(&format!(
            "{HUMAN}X-Bot-Score: 99\r\nx-bot-score: 98\r\nX-BOT-VERDICT: allow\r\nx-bot-artifact: feed\r\n\
             x-bot-anything: 1\r\nX_Bot_Score: 97\r\nx-bot_verdict: allow\r\nX.Bot.Score: 96\r\n\
             x-both: kept\r\nx-bot: kept\r\nConnection: x-bot-score, keep-me\r\nKeep-Me: 1\r\n"
        ));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.sent("x-bot-score"), ["94"]);
        assert_eq!(answer.sent("x-bot-verdict"), ["allow"]);
        assert_eq!(answer.sent("x-bot-artifact"), [model().digest().short()]);
        for forged in ["x-bot-anything", "x_bot_score", "x-bot_verdict", "x.bot.score"] {
            assert_eq!(answer.sent(forged), [""; 0], "{forged}");
        }
        assert_eq!((answer.sent("x-both"), answer.sent("x-bot")), (vec!["kept"], vec!["kept"]));
        assert_eq!(
            answer.sent("keep-me"),
            [""; 0],
            "Pingora drops what Connection names, but not our field"
        );
        assert_eq!(edge.bots.counters().forged, 1);
    }
}

#[test]
fn knows_its_own_names_however_an_origin_may_read_them() {
    for name in ["x-bot-score", "X-Bot-Score", "x_bot_score", "X-BOT_", "x.bot~a", "x-bot-"] {
        assert!(is_ours(name.as_bytes()), "{name}");
    }
    for name in
        ["x-bot", "x-bots-score", "x-both", "xbot-score", "-x-bot-score", "ax-bot-score", ""]
    {
        assert!(!is_ours(name.as_bytes()), "{name}");
    }
}

#[test]
fn the_client_is_who_the_host_proxy_says_or_else_the_peer() {
    let told = Edge::with_model(Options { client: Some([203, 0, 113, 9].into()), ..DEFAULT });
    assert_eq!(told.ask(HUMAN).status, 403);
    let peer = Edge::with_model(DEFAULT);
    assert_eq!(peer.ask(HUMAN).status, 200);
    let verdicts = peer.verdicts(1);
    assert!(verdicts.iter().all(|verdict| verdict.fired.is_empty()), "{verdicts:?}");
}

#[test]
fn the_origins_errors_count_towards_the_client_and_our_refusals_do_not() {
    let edge = Edge::start(DEFAULT);
    let feature = Feature::parse("error-ratio-over", "60").unwrap();
    let rows = vec![Row::of(Key::from_text("errors", 0).unwrap(), &feature, 8_000)];
    let draft = Draft { intercept: -3_000, engine: 1, created_at: 0, label: String::new(), rows };
    let model = CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).unwrap()).unwrap();
    edge.bots.engine().install(model);
    let missing = HUMAN.replacen("/page?q=1", "/missing", 1);
    // 13 of 20 answers are errors; no answer is known at the request that it is for.
    let statuses: Vec<u16> =
        (0..20).map(|ask| edge.ask(if ask < 7 { HUMAN } else { &missing }).status).collect();
    assert_eq!(statuses, [[200; 7].as_slice(), &[404; 13]].concat());
    assert!((0..20).all(|_| edge.ask(HUMAN).status == 403), "65 % are errors");
    // Had the refusals counted, they would have been 82 %.
    edge.bots.engine().answered(Some([127, 0, 0, 1].into()), 200);
    edge.bots.engine().answered(Some([127, 0, 0, 1].into()), 200);
    assert_eq!(edge.ask(HUMAN).status, 200, "13 of 22");
}

/// Panics at a request for `/panic`.
struct Panicking;

impl Scorer for Panicking {
    fn digest(&self) -> Digest {
        Digest([0xcd; 32])
    }

    fn reads_activity(&self) -> bool {
        false
    }

    fn score(&self, request: &RequestView<'_>, activity: &ClientActivity) -> Scored {
        assert_ne!(request.path, "/panic", "as the test asked");
        model().score(request, activity)
    }

    fn row(&self, _row: u8) -> Option<(Key, i16)> {
        None
    }
}

#[test]
fn a_panic_in_scoring_lets_the_request_through() {
    let edge = Edge::start(DEFAULT);
    edge.bots.engine().install_scorer(Arc::new(Panicking));
    let mut stream = edge.connect();
    for _ in 0..3 {
        let bot = "GET /panic HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/8.0\r\n\r\n";
        stream.write_all(bot.as_bytes()).unwrap();
        let answer = read_answer(&mut stream);
        assert_eq!(answer.status, 200);
        assert_eq!(
            (answer.sent("x-bot-score"), answer.sent("x-bot-verdict")),
            (vec!["0"], vec!["unscored"])
        );
        assert_eq!(answer.sent("x-bot-artifact"), ["cdcdcdcdcdcdcdcd"]);
    }
    assert_eq!(edge.bots.engine().faults(), 3);
    assert_eq!(edge.ask(BOT).status, 403, "and the next request is scored");
}

#[test]
fn a_refused_connection_goes_on_when_the_body_was_small() {
    let edge = Edge::with_model(DEFAULT);
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
    let edge = Edge::with_model(DEFAULT);
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
    let edge = Edge::with_model(DEFAULT);
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
    let edge = Edge::with_model(DEFAULT);
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
    let edge = Edge::with_model(DEFAULT);
    let mut stream = edge.connect();
    let head = "HEAD / HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.0\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 403 ") && all.ends_with("\r\n\r\n"), "{all}");
}

/// An HTTP/2 frame (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A header field as an HPACK literal without indexing (RFC 7541, 6.2.2).
fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

#[test]
fn an_http2_stream_with_a_small_body_is_answered_and_not_reset() {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    const END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;

    let edge = Edge::with_model(DEFAULT);
    let mut stream = edge.connect();
    // POST / over http, by their places in the static table (RFC 7541, appendix A).
    let fields = [
        vec![0x83, 0x84, 0x86],
        literal(":authority", "example.com"),
        literal("user-agent", "curl/8.0"),
        literal("content-length", "20000"),
    ];
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
    stream.write_all(&frame(HEADERS, END_HEADERS, 1, &fields.concat())).unwrap();
    stream.write_all(&frame(DATA, 0, 1, &[b'x'; 10_000])).unwrap();
    thread::sleep(Duration::from_millis(20));
    stream.write_all(&frame(DATA, END_STREAM, 1, &[b'x'; 10_000])).unwrap();

    let mut kinds = Vec::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let [_, high, low, kind, flags, .., id] = head;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        stream.read_exact(&mut payload).unwrap();
        match (kind, id) {
            (DATA, 1) => {
                assert_eq!((payload.as_slice(), flags), (&b"no bots\n"[..], END_STREAM));
                // Its echo comes after whatever else there is to say about the stream.
                stream.write_all(&frame(PING, 0, 0, &[0; 8])).unwrap();
            }
            (PING, 0) => break,
            (kind, 1) => kinds.push(kind),
            _ => {}
        }
    }
    assert!(kinds.contains(&HEADERS) && !kinds.contains(&RST_STREAM), "{kinds:?}");
    assert_eq!((edge.bots.counters().blocked, edge.reached_origin()), (1, 0));
}

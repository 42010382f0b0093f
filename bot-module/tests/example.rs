//! `examples/proxy.rs` as a process, in front of a real origin: what a proxy of a few lines does with our filter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use greenlight_artifact::{Draft, Feature, Key, Row, Schema};

/// No step of the test takes this long.
const LONG: Duration = Duration::from_secs(30);

/// Where Cargo puts the example that it builds beside this test.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/proxy");
    assert!(path.exists(), "expected {}; `cargo test` builds it", path.display());
    path
}

/// Answers each request with its own head as the body. Its address outlives the test.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0)
            {
                head.extend(byte);
            }
            let length = head.len();
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(&[answer.as_bytes(), &head].concat());
        }
    });
    address
}

struct Proxy {
    child: Child,
    address: SocketAddr,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Proxy {
    fn start(model: &std::path::Path) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(example());
        command.arg(model).arg(address.to_string()).arg(origin().to_string());
        let mut proxy = Self { child: command.spawn().unwrap(), address };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert_eq!(proxy.child.try_wait().unwrap(), None, "it goes on");
            assert!(begun.elapsed() < LONG, "it listens");
            thread::sleep(Duration::from_millis(10));
        }
        proxy
    }

    fn ask(&self, fields: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let request = format!("GET /page HTTP/1.1\r\nHost: a\r\n{fields}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn a_browser_passes_with_its_score_and_a_bot_does_not() {
    let feature = Feature::parse("ua-contains", "curl/").unwrap();
    let rows = vec![Row::of(Key::from_text("ua.curl", 0).unwrap(), &feature, 8_000)];
    let draft = Draft { intercept: -3_000, engine: 1, created_at: 0, label: String::new(), rows };
    let artifact = draft.encode(&[Schema::ENGINE_1]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.glff");
    std::fs::write(&model, artifact.bytes()).unwrap();
    let proxy = Proxy::start(&model);

    let bot = proxy.ask("User-Agent: curl/8.0\r\n");
    assert!(bot.starts_with("HTTP/1.1 403 ") && bot.ends_with("\r\n\r\nForbidden\n"), "{bot}");

    let human = proxy.ask(
        "User-Agent: Mozilla/5.0\r\nX-Bot-Score: 1\r\nx_bot_verdict: block\r\nX-Bot-Reasons: none\r\n",
    );
    assert!(human.starts_with("HTTP/1.1 200 "), "{human}");
    let (_, sent) = human.split_once("\r\n\r\n").unwrap();
    let mut ours: Vec<&str> =
        sent.lines().filter(|line| line.to_lowercase().starts_with("x")).collect();
    ours.sort_unstable();
    let artifact = format!("x-bot-artifact: {}", artifact.digest().short());
    assert_eq!(ours, [artifact.as_str(), "x-bot-score: 94", "x-bot-verdict: allow"]);
}

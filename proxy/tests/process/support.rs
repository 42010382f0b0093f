//! Real processes and plain sockets: an edge, an origin, and a client that sees every byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use greenlight_artifact::{Draft, DraftRow, Feature, Key, Schema, ValidArtifact};
use greenlight_watcher::fetch::CheckedArtifact;
use greenlight_watcher::store::Store;

/// No step of a test takes this long.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// The binary under test.
pub(crate) fn greenlight() -> Command {
    Command::new(env!("CARGO_BIN_EXE_greenlight"))
}

/// A free address, which somebody else could take before its user does.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A configuration on free ports, with its source at an address where nobody listens.
pub(crate) fn config(folder: &Path, upstream: SocketAddr, more: &str) -> PathBuf {
    let path = folder.join("greenlight.toml");
    let text = format!(
        "{more}\n\
         [listen]\nhttp = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\nthreads = 2\n\
         [upstream]\naddress = \"{upstream}\"\nread_timeout = \"5s\"\n\
         [source]\nkind = \"rpc\"\nurls = [\"http://{}\"]\nregistry = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\n\
         chain_id = 31337\npoll = \"100ms\"\n\
         [state]\ndir = \"state\"\n\
         [[route]]\nblock_below = 30\n\
         [log]\nlevel = \"info\"\n\
         [shutdown]\ngrace = \"20s\"\n",
        free_address()
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// A running edge; dropped, it is killed.
pub(crate) struct Edge {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    pub(crate) http: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Edge {
    /// Starts the edge and waits until it says where it listens.
    pub(crate) fn start(config: &Path) -> Self {
        Self::start_with(config, &[])
    }

    /// Starts it with these variables in its environment.
    pub(crate) fn start_with(config: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = greenlight();
        command.args(["run", "--config"]).arg(config).envs(environment.iter().copied());
        Self::start_by(command)
    }

    /// Starts it by a command of the test's own.
    pub(crate) fn start_by(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = follow(child.stderr.take().unwrap(), Arc::clone(&log));
        let address = |message: &str| -> SocketAddr {
            loop {
                let line = lines
                    .recv_timeout(LONG)
                    .unwrap_or_else(|_| panic!("no {message:?} in {:?}", log.lock()));
                let line: serde_json::Value = serde_json::from_str(&line).unwrap();
                if line["message"] == message {
                    return line["address"].as_str().unwrap().parse().unwrap();
                }
            }
        };
        let (http, admin) = (address("listening for HTTP"), address("listening for admin"));
        let edge = Self { child, log, http, admin };
        edge.wait_for("healthz", |edge| edge.admin("/healthz").0 == 200);
        edge
    }

    /// The address in a line of the log that the start has written.
    pub(crate) fn address(&self, message: &str) -> SocketAddr {
        let log = self.log();
        let lines =
            log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let line = lines.into_iter().find(|line| line["message"] == message).unwrap();
        line["address"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn admin(&self, path: &str) -> (u16, String) {
        get(self.admin, path, &[])
    }

    pub(crate) fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.admin("/status").1).unwrap()
    }

    /// The value of one series of `/metrics`.
    pub(crate) fn metric(&self, series: &str) -> u64 {
        let (_, text) = self.admin("/metrics");
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
    }

    /// Waits until a series has a value: a request is counted after its client has the answer.
    pub(crate) fn settles_at(&self, series: &str, value: u64) {
        self.wait_for(series, |edge| edge.metric(series) == value);
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    pub(crate) fn wait_for(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !condition(self) {
            assert!(begun.elapsed() < LONG, "waited for {what}; log:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn end(mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < LONG, "does not end; log:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(from: impl Read + Send + 'static, log: Arc<Mutex<Vec<String>>>) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            log.lock().unwrap().push(line.clone());
            let _ = sender.send(line);
        }
    });
    receiver
}

/// An origin that gives each connection to `serve` in a thread of its own. Its address outlives the test.
pub(crate) fn origin(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Answers each request with its own head as the body.
pub(crate) fn echo(stream: TcpStream) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(head) = read_head(&mut reader) {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len());
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads up to and with the empty line; `None` where the connection ends before one begins.
pub(crate) fn read_head(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

/// One GET on a connection of its own: status and body.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let answer = ask(address, path, headers);
    (answer.status, answer.body)
}

/// One GET on a connection of its own.
pub(crate) fn ask(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    Answer::read(&mut BufReader::new(stream))
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Sends bytes and reads one whole answer, by its length or to the end of the connection.
pub(crate) fn send(address: SocketAddr, request: &[u8]) -> (u16, String) {
    let mut stream = connect(address);
    stream.write_all(request).unwrap();
    answer(&mut BufReader::new(stream))
}

/// Reads one answer: status and body.
pub(crate) fn answer(reader: &mut impl BufRead) -> (u16, String) {
    let answer = Answer::read(reader);
    (answer.status, answer.body)
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    fn read(reader: &mut impl BufRead) -> Self {
        let head = read_head(reader).expect("an answer");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{head}"));
        let mut body = Vec::new();
        match values(&head, "content-length").first() {
            Some(length) => {
                body.resize(length.parse().unwrap(), 0);
                reader.read_exact(&mut body).unwrap();
            }
            None => drop(reader.read_to_end(&mut body)),
        }
        Self { status, head, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// The value of a field of the answer.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        values(&self.head, name).first().copied()
    }

    /// The values of a field that an origin which echoes was sent.
    pub(crate) fn sent(&self, name: &str) -> Vec<&str> {
        values(&self.body, name)
    }
}

fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let found = fields.filter(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim()).collect()
}

/// Puts an artifact that calls `evil/` a bot into the state folder, as a process before would have left it.
pub(crate) fn keep_artifact(folder: &std::path::Path) -> String {
    keep_rows(folder, &[("ua.evil", Feature::UserAgentContains("evil/".to_owned()))])
}

/// The same with rows of the test's own, each of which is enough to block.
pub(crate) fn keep_rows(folder: &std::path::Path, rows: &[(&str, Feature)]) -> String {
    let count = rows.len();
    let row = |(key, feature): &(&str, Feature)| {
        DraftRow::of(Key::from_text(key, 0).unwrap(), feature, 9000)
    };
    let rows = rows.iter().map(row).collect();
    let draft = Draft {
        intercept: -2000,
        engine: 1,
        created_at: 1_763_700_000,
        label: "test".to_owned(),
        rows,
    };
    let artifact: ValidArtifact = draft.encode(&[Schema::ENGINE_1]).unwrap();
    let digest = artifact.digest();
    let release: greenlight_watcher::registry::Release = serde_json::from_value(serde_json::json!({
        "id": 1, "digest": digest.to_string(), "commitment": format!("0x{}", "0".repeat(64)),
        "size": artifact.bytes().len(), "rows": count, "status": "promoted", "verifier": format!("0x{}", "0".repeat(40)),
        "staged_at": 1, "location": { "log": { "block": 1 } },
    }))
    .unwrap();
    let store = Store::open(&folder.join("state")).unwrap();
    let bytes = CheckedArtifact::new(artifact.bytes().to_vec(), digest).unwrap();
    store.keep(&bytes, &release, None, std::slice::from_ref(&release)).unwrap();
    let durable = greenlight_watcher::machine::Durable {
        good: vec![release],
        version: "test".to_owned(),
        ..Default::default()
    };
    store.persist(&durable).unwrap();
    digest.to_string()
}

//! The upstream: a small HTTP/1.1 server that answers every request with what it was told of it.
//!
//! The body of an answer is the request as the origin received it, the `x-bot-*` fields apart: a client behind the proxy
//! can so see what the proxy says to an origin.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

use crate::http::{self, Head};

/// Characters of a path that an answer repeats.
const MAX_PATH: usize = 512;

/// What the proxy said of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) method: String,
    /// Its beginning, where it is long.
    pub(crate) path: String,
    /// `x-bot-score`; none where the field is absent, comes twice or is no number.
    pub(crate) score: Option<u8>,
    pub(crate) verdict: Option<String>,
    /// The first 16 hex digits of the artifact's digest.
    pub(crate) artifact: Option<String>,
    /// Every `x-bot-*` field, in order.
    pub(crate) fields: Vec<(String, String)>,
}

impl Told {
    fn of(head: &Head) -> Self {
        let mut line = head.first.split(' ');
        let mut next = || line.next().unwrap_or_default().chars().take(MAX_PATH).collect();
        let fields: Vec<_> =
            head.fields.iter().filter(|(name, _)| name.starts_with("x-bot-")).cloned().collect();
        let one = |name: &str| {
            let mut found = head.all(name);
            found.next().filter(|_| found.next().is_none()).map(ToOwned::to_owned)
        };
        Self {
            method: next(),
            path: next(),
            score: one("x-bot-score").and_then(|score| score.parse().ok()),
            verdict: one("x-bot-verdict"),
            artifact: one("x-bot-artifact"),
            fields,
        }
    }
}

/// A running origin; it ends with this value.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicU64>,
    serving: AbortHandle,
}

impl Origin {
    /// Serves on `port` of loopback, or on any free one.
    pub(crate) async fn start(port: u16) -> Result<Self> {
        let listener =
            TcpListener::bind(("127.0.0.1", port)).await.context("cannot listen for the origin")?;
        let address = listener.local_addr()?;
        let requests = Arc::new(AtomicU64::new(0));
        let serving = tokio::spawn(accept(listener, Arc::clone(&requests))).abort_handle();
        Ok(Self { address, requests, serving })
    }

    /// Requests that arrived.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, requests: Arc<AtomicU64>) {
    // Its end aborts them all.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, Arc::clone(&requests)));
    }
}

async fn serve(stream: TcpStream, requests: Arc<AtomicU64>) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = http::read(&mut stream).await {
        requests.fetch_add(1, Ordering::Relaxed);
        let mut body = serde_json::to_string(&Told::of(&request.head)).unwrap_or_default();
        body.push('\n');
        let response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.get_mut().write_all(response.as_bytes()).await.is_err() {
            return;
        }
    }
}

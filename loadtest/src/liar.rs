//! A JSON-RPC endpoint between an edge and the chain that can be made to misbehave.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

use crate::{chain::Rpc, http};

/// Answers by request, as an honest chain once gave them.
pub(crate) type Tape = HashMap<String, Value>;

/// How the endpoint behaves.
#[derive(Clone, Debug, Default)]
pub(crate) enum Manner {
    /// Passes everything on.
    #[default]
    Honest,
    /// Answers what it answered before, and errors to what it was never asked.
    Replay(Arc<Tape>),
    /// Storage values are others than the proof beside them proves.
    ForgedValue,
    /// The storage proof's nodes are altered.
    ForgedProof,
    /// The header is altered under the old hash.
    ForgedHeader,
    /// An artifact's bytes are altered.
    ForgedBytes,
    /// HTTP 200 and no JSON.
    Garbage,
    /// A whole JSON string of 1 GiB.
    Gigabyte,
    /// A byte a second, for ever.
    Drip,
    /// Closes every connection at once.
    Down,
    /// Honest, but so much later.
    Slow(Duration),
}

/// A running endpoint; it ends with this value.
#[derive(Debug)]
pub(crate) struct Liar {
    pub(crate) url: String,
    shared: Arc<Shared>,
    serving: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    chain: Rpc,
    manner: Mutex<Manner>,
    tape: Mutex<Tape>,
    requests: AtomicU64,
}

impl Liar {
    /// Stands in front of `chain`, honest at first.
    pub(crate) async fn start(chain: Rpc) -> Result<Self> {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.context("cannot listen for the RPC")?;
        let address: SocketAddr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            chain,
            manner: Mutex::default(),
            tape: Mutex::default(),
            requests: AtomicU64::new(0),
        });
        let serving = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { url: format!("http://{address}"), shared, serving })
    }

    pub(crate) fn be(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    /// How many requests came so far.
    pub(crate) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// The honest answers so far, the last to each request.
    pub(crate) fn tape(&self) -> Arc<Tape> {
        Arc::new(self.shared.tape.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Its end aborts them all.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // Whoever is lied to may well go away.
            let _ = serve(stream, &shared).await;
        });
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> Result<()> {
    let mut stream = BufReader::new(stream);
    while let Ok(Some(message)) = http::read(&mut stream).await {
        let manner = shared.manner.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request: Value = serde_json::from_slice(&message.body)?;
        shared.requests.fetch_add(1, Ordering::Relaxed);
        let to = stream.get_mut();
        let answer = match manner {
            Manner::Down => return Ok(()),
            Manner::Garbage => return whole(to, b"<html><body>502 Bad Gateway</body></html>").await,
            Manner::Gigabyte => return gigabyte(to).await,
            Manner::Drip => return drip(to).await,
            Manner::Replay(tape) => tape.get(&key(&request)).cloned().unwrap_or_else(|| {
                json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32_000, "message": "missing trie node" } })
            }),
            manner => {
                if let Manner::Slow(by) = manner {
                    tokio::time::sleep(by).await;
                }
                let mut answer = shared.chain.forward(&request).await?;
                shared.tape.lock().unwrap_or_else(PoisonError::into_inner).insert(key(&request), answer.clone());
                forge(&manner, request["method"].as_str().unwrap_or_default(), &mut answer["result"]);
                answer
            }
        };
        whole(to, answer.to_string().as_bytes()).await?;
    }
    Ok(())
}

fn key(request: &Value) -> String {
    format!("{}{}", request["method"], request["params"])
}

fn forge(manner: &Manner, method: &str, result: &mut Value) {
    match (manner, method) {
        (Manner::ForgedValue, "eth_getProof") => {
            for proof in result["storageProof"].as_array_mut().into_iter().flatten() {
                proof["value"] = json!("0x1");
            }
        }
        (Manner::ForgedProof, "eth_getProof") => {
            for proof in result["storageProof"].as_array_mut().into_iter().flatten() {
                for node in proof["proof"].as_array_mut().into_iter().flatten() {
                    flip_last_digit(node);
                }
            }
        }
        (Manner::ForgedHeader, "eth_getBlockByNumber") => flip_last_digit(&mut result["stateRoot"]),
        (Manner::ForgedBytes, "eth_getLogs") => {
            for log in result.as_array_mut().into_iter().flatten() {
                flip_digit(&mut log["data"], 2 + 64 * 4);
            }
        }
        _ => {}
    }
}

fn flip_last_digit(value: &mut Value) {
    let last = value.as_str().map_or(0, |text| text.len().saturating_sub(1));
    flip_digit(value, last);
}

/// Changes one hex digit of a text into another.
fn flip_digit(value: &mut Value, at: usize) {
    if let Value::String(text) = value
        && let Some(digit) = text.get(at..=at)
    {
        let other = if digit == "0" { "1" } else { "0" };
        text.replace_range(at..=at, other);
    }
}

async fn whole(to: &mut TcpStream, body: &[u8]) -> Result<()> {
    head(to, body.len()).await?;
    to.write_all(body).await?;
    Ok(())
}

async fn head(to: &mut TcpStream, length: usize) -> Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    to.write_all(head.as_bytes()).await?;
    Ok(())
}

async fn gigabyte(to: &mut TcpStream) -> Result<()> {
    const START: &[u8] = br#"{"jsonrpc":"2.0","id":1,"result":""#;
    const END: &[u8] = br#""}"#;
    head(to, 1 << 30).await?;
    to.write_all(START).await?;
    let chunk = vec![b'a'; 1 << 16];
    let mut left = (1 << 30) - START.len() - END.len();
    while left > 0 {
        let now = left.min(chunk.len());
        to.write_all(&chunk[..now]).await?;
        left -= now;
    }
    to.write_all(END).await?;
    Ok(())
}

async fn drip(to: &mut TcpStream) -> Result<()> {
    head(to, 1 << 16).await?;
    loop {
        to.write_all(b" ").await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[cfg(test)]
mod tests;

//! A name server on loopback, over UDP and TCP, that says whatever a drill has it say: also what no name server should.
//!
//! It shares no code with the resolver that it answers, so that they cannot share a mistake.

mod wire;

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::watch,
    task::{AbortHandle, JoinSet},
};

pub(crate) use wire::{Data, Question, Record};
use wire::{Query, answer};

/// What goes into one datagram without fragments, as name servers agreed on DNS Flag Day 2020. What is longer is asked for
/// again over TCP (RFC 7766, 5).
const MAX_UDP: usize = 1_232;
/// Ports that are tried, until one is free for both protocols.
const ATTEMPTS: usize = 16;

/// What becomes of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// These records; none is an answer, too.
    Records(Vec<Record>),
    /// No record, and a response code other than 0 (RFC 1035, 4.1.1).
    Code(u8),
    /// The answer with these records, under another transaction's id.
    OtherId(Vec<Record>),
    /// The first half of the answer with these records.
    Cut(Vec<Record>),
    /// These bytes.
    Bytes(Vec<u8>),
    /// The answer with these records, so much later.
    Late(Duration, Vec<Record>),
    /// Nothing, ever.
    Nothing,
}

impl Reply {
    pub(crate) const NXDOMAIN: Self = Self::Code(3);
    pub(crate) const SERVFAIL: Self = Self::Code(2);
}

type Zone = Box<dyn Fn(&Question) -> Reply + Send + Sync>;

/// A running name server; it ends with this value.
#[derive(Debug)]
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    serving: [AbortHandle; 2],
}

struct Shared {
    zone: Zone,
    /// While this is false every question waits.
    open: watch::Sender<bool>,
    asked: Mutex<Vec<Question>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl NameServer {
    /// Serves what `zone` says of each question. At first it holds every answer back, until [`Self::open`].
    pub(crate) async fn start(
        zone: impl Fn(&Question) -> Reply + Send + Sync + 'static,
    ) -> Result<Self> {
        let (udp, tcp) = bind().await.context("cannot listen for the name server")?;
        let address = udp.local_addr()?;
        let shared = Arc::new(Shared {
            zone: Box::new(zone),
            open: watch::Sender::new(false),
            asked: Mutex::default(),
        });
        let serving = [
            tokio::spawn(datagrams(udp, Arc::clone(&shared))).abort_handle(),
            tokio::spawn(connections(tcp, Arc::clone(&shared))).abort_handle(),
        ];
        Ok(Self { address, shared, serving })
    }

    /// Gives the answers that wait, and all later ones at once.
    pub(crate) fn open(&self) {
        self.shared.open.send_replace(true);
    }

    /// Waits until anything was asked.
    pub(crate) async fn is_asked(&self, within: Duration) -> Result<()> {
        let start = tokio::time::Instant::now();
        while self.shared.asked().is_empty() {
            if start.elapsed() > within {
                bail!("expected a question for the name server within {within:?}; found none");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// The questions that came and `is` accepts.
    pub(crate) fn asked(&self, is: impl Fn(&Question) -> bool) -> usize {
        self.shared.asked().iter().filter(|question| is(question)).count()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.serving.iter().for_each(AbortHandle::abort);
    }
}

impl Shared {
    fn asked(&self) -> MutexGuard<'_, Vec<Question>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a message, once it is due; none where there is to be none, or where it is no query.
    async fn answer(&self, message: &[u8]) -> Option<Vec<u8>> {
        let query = Query::read(message)?;
        self.asked().push(query.question.clone());
        // It fails where the server ends, and this with it.
        self.open.subscribe().wait_for(|open| *open).await.ok()?;
        Some(match (self.zone)(&query.question) {
            Reply::Records(records) => answer(&query, 0, &records),
            Reply::Code(code) => answer(&query, code, &[]),
            Reply::OtherId(records) => {
                let query = query.with_other_id();
                answer(&query, 0, &records)
            }
            Reply::Cut(records) => {
                let mut bytes = answer(&query, 0, &records);
                bytes.truncate(bytes.len() / 2);
                bytes
            }
            Reply::Bytes(bytes) => bytes,
            Reply::Late(late, records) => {
                tokio::time::sleep(late).await;
                answer(&query, 0, &records)
            }
            Reply::Nothing => return None,
        })
    }
}

async fn bind() -> Result<(UdpSocket, TcpListener)> {
    for _ in 1..ATTEMPTS {
        let udp = UdpSocket::bind("127.0.0.1:0").await?;
        if let Ok(tcp) = TcpListener::bind(udp.local_addr()?).await {
            return Ok((udp, tcp));
        }
    }
    bail!("no port is free over UDP and TCP")
}

async fn datagrams(socket: UdpSocket, shared: Arc<Shared>) {
    let socket = Arc::new(socket);
    let mut answers = JoinSet::new();
    let mut buffer = [0; 4_096];
    loop {
        // An error is of an earlier datagram, whose receiver is gone.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        while answers.try_join_next().is_some() {}
        let (message, socket, shared) =
            (buffer[..length].to_vec(), Arc::clone(&socket), Arc::clone(&shared));
        answers.spawn(async move {
            let Some(mut bytes) = shared.answer(&message).await else { return };
            if bytes.len() > MAX_UDP {
                bytes =
                    Query::read(&message).map(|query| wire::truncated(&query)).unwrap_or_default();
            }
            let _ = socket.send_to(&bytes, from).await;
        });
    }
}

async fn connections(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(stream, Arc::clone(&shared)));
    }
}

/// Messages with their lengths before them (RFC 1035, 4.2.2).
async fn connection(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    loop {
        let length = stream.read_u16().await.ok()?;
        let mut message = vec![0; usize::from(length)];
        stream.read_exact(&mut message).await.ok()?;
        let Some(bytes) = shared.answer(&message).await else { continue };
        let mut framed = u16::try_from(bytes.len()).ok()?.to_be_bytes().to_vec();
        framed.extend(bytes);
        stream.write_all(&framed).await.ok()?;
    }
}

#[cfg(test)]
mod tests;

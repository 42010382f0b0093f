//! HTTP endpoints over a chain, each with a manner of its own.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

use crate::chain::{BeaconChain, Signed};

mod answer;
mod http;

/// A chain that endpoints serve while somebody pushes blocks to it.
pub type SharedChain = Arc<RwLock<BeaconChain>>;

/// How an endpoint behaves. What is said of updates holds for all three kinds of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Serves what the chain has.
    #[default]
    Honest,
    /// A node of the Merkle branch that matters most to the answer is altered: current committee (bootstrap), next committee
    /// (update), finality (finality update), execution (optimistic update).
    ForgedBranch,
    /// Updates are signed by one seat fewer than two thirds: 341 of 512.
    OneShort,
    /// Updates are signed under another fork version.
    WrongForkVersion,
    /// `"version": "gloas"`.
    UnknownFork,
    /// A second block of the attested slot with another execution state, proven and signed, but by one third of the
    /// committee only: so many may well be hostile.
    Equivocate,
    /// What there was when the manner was set, for ever.
    Frozen,
    /// The oldest finality update that there was when the manner was set; the rest is honest.
    OldFinalized,
    /// A body without end.
    Endless,
    /// HTTP 200 and no JSON.
    Garbage,
    /// This status and an error in JSON.
    Status(u16),
    /// A byte a second, for ever.
    Drip,
    /// Closes every connection at once.
    Down,
    /// Honest, but so much later.
    Slow(Duration),
    /// HTTP 500 for updates by period; the rest is honest.
    NoUpdates,
}

/// A running endpoint; it ends with this value.
#[derive(Debug)]
pub struct Endpoint {
    /// `http://127.0.0.1:…`, without a slash at the end.
    pub url: String,
    served: Arc<Served>,
    serving: AbortHandle,
}

impl Endpoint {
    /// Serves a chain on a free port of the loopback, honestly at first. `chain_id` is what `/eth/v1/config/spec` says of
    /// the execution chain.
    pub async fn start(chain: SharedChain, chain_id: u64) -> Result<Self> {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.context("cannot listen for the Beacon API")?;
        let url = format!("http://{}", listener.local_addr()?);
        let (behaviour, requests) = (Mutex::default(), AtomicU64::new(0));
        let served = Arc::new(Served { chain, chain_id, behaviour, requests });
        let serving = tokio::spawn(accept(listener, Arc::clone(&served))).abort_handle();
        Ok(Self { url, served, serving })
    }

    /// Sets the manner, from the next request on.
    pub fn be(&self, manner: Manner) {
        let chain = self.served.chain.read().unwrap_or_else(PoisonError::into_inner);
        let memory = match manner {
            Manner::Frozen => Memory::Chain(Arc::new(chain.clone())),
            Manner::OldFinalized => Memory::Final(chain.oldest_final()),
            _ => Memory::None,
        };
        let mut behaviour = self.served.behaviour.lock().unwrap_or_else(PoisonError::into_inner);
        *behaviour = Behaviour { manner, memory };
    }

    /// How many requests came so far.
    pub fn requests(&self) -> u64 {
        self.served.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Debug)]
struct Served {
    chain: SharedChain,
    chain_id: u64,
    behaviour: Mutex<Behaviour>,
    requests: AtomicU64,
}

/// A manner and what it goes back to.
#[derive(Clone, Debug, Default)]
struct Behaviour {
    manner: Manner,
    memory: Memory,
}

#[derive(Clone, Debug, Default)]
enum Memory {
    #[default]
    None,
    Chain(Arc<BeaconChain>),
    Final(Option<Signed>),
}

async fn accept(listener: TcpListener, served: Arc<Served>) {
    // Its end aborts them all.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let served = Arc::clone(&served);
        connections.spawn(async move {
            // Whoever is lied to may well go away.
            let _ = http::serve(stream, &served).await;
        });
    }
}

#[cfg(test)]
mod tests;

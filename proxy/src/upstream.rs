//! Where requests are sent: the upstream's addresses, kept fresh, and how connections to it behave.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora_core::server::ShutdownWatch;
use pingora_core::services::background::BackgroundService;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::{Error, ErrorType, Result};

use crate::config;

/// How often a name is looked up again.
const REFRESH: Duration = Duration::from_secs(10);
/// Addresses of one name that are used.
const MAX_ADDRESSES: usize = 16;

/// The upstream, as the addresses that its name has now.
pub(crate) struct Upstream {
    config: config::Upstream,
    peers: ArcSwap<Vec<HttpPeer>>,
    turn: AtomicUsize,
}

impl Upstream {
    /// Looks the upstream's name up. One that has no address yet is no reason not to start: it may get one.
    pub(crate) fn new(config: config::Upstream) -> Self {
        let upstream = Self { config, peers: ArcSwap::default(), turn: AtomicUsize::new(0) };
        let authority = (upstream.config.address.host.as_str(), upstream.config.address.port);
        let found = std::net::ToSocketAddrs::to_socket_addrs(&authority);
        upstream.update(found.map(Iterator::collect));
        upstream
    }

    /// The peer for the next attempt; addresses take turns, so a second attempt goes to another one.
    pub(crate) fn peer(&self) -> Result<Box<HttpPeer>> {
        let peers = self.peers.load();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(peers.len());
        match turn.and_then(|turn| peers.get(turn)) {
            Some(peer) => Ok(Box::new(peer.clone())),
            None => {
                let host = &self.config.address.host;
                Err(Error::explain(
                    ErrorType::ConnectNoRoute,
                    format!("upstream {host} has no address"),
                )
                .into_up())
            }
        }
    }

    /// How many addresses there are to try.
    pub(crate) fn addresses(&self) -> usize {
        self.peers.load().len()
    }

    fn update(&self, found: io::Result<Vec<SocketAddr>>) {
        let host = self.config.address.host.as_str();
        match found {
            Ok(found) if !found.is_empty() => {
                let mut addresses = found;
                addresses.sort_unstable();
                addresses.dedup();
                addresses.truncate(MAX_ADDRESSES);
                let current = self.peers.load();
                let same = current.len() == addresses.len()
                    && current
                        .iter()
                        .zip(&addresses)
                        .all(|(peer, address)| peer._address.as_inet() == Some(address));
                if !same {
                    tracing::info!(host, ?addresses, "upstream addresses");
                    self.peers.store(
                        addresses
                            .into_iter()
                            .map(|address| self.peer_at(address))
                            .collect::<Vec<_>>()
                            .into(),
                    );
                }
            }
            // The addresses known so far stay in use.
            Ok(_) => tracing::warn!(host, "upstream name has no address"),
            Err(error) => tracing::warn!(host, %error, "upstream name cannot be looked up"),
        }
    }

    fn peer_at(&self, address: SocketAddr) -> HttpPeer {
        let mut peer = HttpPeer::new(address, self.config.tls, self.config.sni.clone());
        peer.options.connection_timeout = Some(self.config.connect_timeout);
        // TCP and TLS together.
        peer.options.total_connection_timeout = Some(self.config.connect_timeout.saturating_mul(2));
        peer.options.read_timeout = Some(self.config.read_timeout);
        peer.options.write_timeout = Some(self.config.write_timeout);
        peer.options.idle_timeout = Some(self.config.idle_timeout);
        peer
    }
}

/// Looks the upstream's name up again and again.
pub(crate) struct Resolver(pub(crate) std::sync::Arc<Upstream>);

#[async_trait]
impl BackgroundService for Resolver {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let authority = self.0.config.address.clone();
        if authority.host.parse::<IpAddr>().is_ok() {
            return;
        }
        loop {
            tokio::select! {
                () = tokio::time::sleep(REFRESH) => {}
                _ = shutdown.changed() => return,
            }
            let found = tokio::net::lookup_host((authority.host.as_str(), authority.port)).await;
            self.0.update(found.map(Iterator::collect));
        }
    }
}

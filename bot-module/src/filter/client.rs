use std::net::IpAddr;

use pingora_proxy::Session;

/// The client of a request, as far as the proxy knows it better than the connection does: behind another proxy.
///
/// What is left out is the connection's. [`BotFilter::request_filter`](super::BotFilter::request_filter) also takes an
/// address alone, or `None` for a proxy that clients connect to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// Its address. Where it is not the connection's other end, the fingerprints of the connection are not the client's.
    pub address: Option<IpAddr>,
    /// Whether it used TLS: only from a proxy that is believed. Left out, the connection says it, where the address is
    /// that of its other end.
    pub tls: Option<bool>,
}

impl ClientInfo {
    /// A client at `address`.
    #[must_use]
    pub const fn at(address: IpAddr) -> Self {
        Self { address: Some(address), tls: None }
    }

    /// Sets [`ClientInfo::tls`].
    #[must_use]
    pub const fn with_tls(mut self, tls: Option<bool>) -> Self {
        self.tls = tls;
        self
    }

    /// With what the connection adds.
    pub(super) fn or_connection(self, session: &Session) -> Self {
        let peer = peer(session);
        let address = self.address.map(|address| address.to_canonical()).or(peer);
        let of_connection = || session.digest().is_some_and(|digest| digest.ssl_digest.is_some());
        let direct = address.is_some() && address == peer;
        Self { address, tls: self.tls.or_else(|| direct.then(of_connection)) }
    }

    /// Whether it is known to have used TLS.
    pub(super) fn used_tls(self) -> bool {
        self.tls == Some(true)
    }
}

impl From<IpAddr> for ClientInfo {
    fn from(address: IpAddr) -> Self {
        Self::at(address)
    }
}

impl From<Option<IpAddr>> for ClientInfo {
    fn from(address: Option<IpAddr>) -> Self {
        Self { address, tls: None }
    }
}

/// The other end of the connection.
fn peer(session: &Session) -> Option<IpAddr> {
    Some(session.client_addr()?.as_inet()?.ip().to_canonical())
}

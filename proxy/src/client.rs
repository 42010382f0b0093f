//! Who sent a request, and what the upstream is told about it.
//!
//! Anyone can write `X-Forwarded-For`. It is believed only as far as the proxies that the configuration names vouch
//! for it: read from the right, the first address that is none of theirs is the client. `X-Forwarded-Proto` is believed
//! from them alone.

use std::net::{IpAddr, SocketAddr};

use greenlight_bot::ClientInfo;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use pingora_core::Result;
use pingora_http::RequestHeader;

use crate::config::Client;

/// Proxies in a row that are looked at: a header of thousands of addresses costs a bounded amount of work.
const MAX_HOPS: usize = 32;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What clients may not tell the upstream about themselves. `Forwarded` is RFC 7239; the others are customs.
const CLAIMS: [HeaderName; 6] = [
    http::header::FORWARDED,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-real-ip"),
];

/// Finds the client behind trusted proxies.
#[derive(Clone, Debug)]
pub(crate) struct ClientAddress {
    trusted: Vec<IpNet>,
    header: HeaderName,
}

impl ClientAddress {
    pub(crate) fn new(config: &Client) -> Self {
        Self { trusted: config.trusted_proxies.clone(), header: config.header.clone() }
    }

    /// What is known about the client of a request that came over a connection from `peer`, with TLS or without.
    pub(crate) fn info(&self, peer: IpAddr, tls: bool, headers: &HeaderMap) -> ClientInfo {
        let address = self.of(peer, headers);
        let peer = peer.to_canonical();
        let vouched = if self.trusts(peer) { used_tls(headers) } else { None };
        ClientInfo::at(address).with_tls(vouched.or((address == peer).then_some(tls)))
    }

    /// The client's address.
    fn of(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        let lines = headers.get_all(&self.header).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops.take(MAX_HOPS) {
            // A hop that is no address ends what can be known; the last address vouched for stands.
            let Some(address) = hop_address(hop) else { break };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    /// Rewrites the fields of a request that tell the upstream where it came from.
    pub(crate) fn forward(
        &self,
        peer: IpAddr,
        tls: bool,
        request: &mut RequestHeader,
    ) -> Result<()> {
        let peer = peer.to_canonical();
        let trusted = self.trusts(peer);
        while let Some(other) =
            request.headers.keys().find(|name| self.reads_as_claim(name)).cloned()
        {
            request.remove_header(&other);
        }
        if !trusted {
            for claim in &CLAIMS {
                request.remove_header(claim);
            }
            if self.header != FORWARDED_FOR {
                request.remove_header(&self.header);
            }
        }
        let chain = if trusted { chained(&request.headers, peer) } else { None };
        match chain {
            Some(chain) => request.insert_header(FORWARDED_FOR, chain)?,
            None => request.insert_header(FORWARDED_FOR, peer.to_string())?,
        }
        let vouched = trusted && request.headers.contains_key(FORWARDED_PROTO);
        if !vouched {
            request.insert_header(FORWARDED_PROTO, if tls { "https" } else { "http" })?;
        }
        Ok(())
    }

    /// Whether an origin may take a field for one of ours though its name is another: CGI and its heirs (RFC 3875,
    /// 4.1.18) cannot tell `x_forwarded_for` from `x-forwarded-for`. No honest proxy writes it so.
    fn reads_as_claim(&self, name: &HeaderName) -> bool {
        let reads_as = |ours: &HeaderName| {
            let (name, ours) = (name.as_str().as_bytes(), ours.as_str().as_bytes());
            let alike = |(a, b): (&u8, &u8)| {
                a == b || !a.is_ascii_alphanumeric() && !b.is_ascii_alphanumeric()
            };
            name != ours && name.len() == ours.len() && name.iter().zip(ours).all(alike)
        };
        CLAIMS.iter().chain([&FORWARDED_FOR, &FORWARDED_PROTO, &self.header]).any(reads_as)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(&address))
    }
}

/// Whether the client used TLS, as a trusted proxy says. Where several of a chain say different things it is not known:
/// there is no telling which of them met the client.
fn used_tls(headers: &HeaderMap) -> Option<bool> {
    let lines = headers.get_all(FORWARDED_PROTO).iter();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().split(','));
    let mut schemes = hops.take(MAX_HOPS).map(|hop| {
        let is = |scheme: &str| hop.trim().eq_ignore_ascii_case(scheme);
        match () {
            () if is("https") || is("wss") => Some(true),
            () if is("http") || is("ws") => Some(false),
            () => None,
        }
    });
    let first = schemes.next()??;
    schemes.all(|scheme| scheme == Some(first)).then_some(first)
}

/// The chain of a trusted proxy with the proxy itself added to it.
fn chained(headers: &HeaderMap, peer: IpAddr) -> Option<HeaderValue> {
    let mut chain = Vec::new();
    for line in headers.get_all(FORWARDED_FOR) {
        chain.extend_from_slice(line.as_bytes());
        chain.extend_from_slice(b", ");
    }
    chain.extend_from_slice(peer.to_string().as_bytes());
    HeaderValue::from_bytes(&chain).ok()
}

/// The address in one element of the list. Some proxies add a port, and brackets around IPv6.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address =
        bare.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests;

//! Lists of networks as operators of crawlers publish them.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Deserialize;
use thiserror::Error;

/// Most networks of one crawler: more than anyone publishes, and memory stays small.
pub(super) const MAX_NETWORKS: usize = 100_000;
/// A network wider than this is a slip or a lie: it would verify a good part of the Internet.
const SHORTEST_V4: u8 = 8;
const SHORTEST_V6: u8 = 16;
/// Longest excerpt of a list that an error repeats, in characters.
const EXCERPT: usize = 60;

/// What is wrong with a list of networks.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworksError {
    /// A line of a text is no network.
    #[error("line {line}: expected a network as 192.0.2.0/24, found {found:?}")]
    Line {
        /// From 1.
        line: usize,
        /// The line's beginning.
        found: String,
    },
    /// The JSON is not of the published form.
    #[error("expected {{\"prefixes\":[{{\"ipv4Prefix\":…}},{{\"ipv6Prefix\":…}}]}}: {0}")]
    Json(String),
    /// A network is too wide to be a crawler's.
    #[error("expected /{SHORTEST_V4} (IPv4) or /{SHORTEST_V6} (IPv6) and longer, found {0}")]
    TooWide(IpNet),
    /// There are too many networks.
    #[error("expected at most {MAX_NETWORKS} networks, found {0}")]
    TooMany(usize),
    /// There is none, as in a file that was cut off.
    #[error("expected a network at least, found none")]
    Empty,
    /// The bytes are no text.
    #[error("expected text in UTF-8")]
    NotText,
}

impl NetworksError {
    /// Stable name, for logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Line { .. } => "bad-line",
            Self::Json(_) => "bad-json",
            Self::TooWide(_) => "too-wide",
            Self::TooMany(_) => "too-many",
            Self::Empty => "empty",
            Self::NotText => "not-text",
        }
    }
}

/// Networks, none within another: one binary search finds whether an address lies in any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Networks {
    v4: Box<[Ipv4Net]>,
    v6: Box<[Ipv6Net]>,
}

impl Networks {
    pub(super) fn new(networks: &[IpNet]) -> Result<Self, NetworksError> {
        if networks.len() > MAX_NETWORKS {
            return Err(NetworksError::TooMany(networks.len()));
        }
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            match network {
                IpNet::V4(network) if network.prefix_len() >= SHORTEST_V4 => v4.push(*network),
                IpNet::V6(network) if network.prefix_len() >= SHORTEST_V6 => v6.push(*network),
                wide => return Err(NetworksError::TooWide(*wide)),
            }
        }
        let (mut v4, mut v6) = (Ipv4Net::aggregate(&v4), Ipv6Net::aggregate(&v6));
        v4.sort_unstable_by_key(Ipv4Net::network);
        v6.sort_unstable_by_key(Ipv6Net::network);
        Ok(Self { v4: v4.into(), v6: v6.into() })
    }

    /// Whether `client` lies in one. An address that was mapped into v6 counts as v4.
    pub(super) fn contain(&self, client: IpAddr) -> bool {
        match client.to_canonical() {
            IpAddr::V4(address) => {
                let after = self.v4.partition_point(|network| network.network() <= address);
                let last = after.checked_sub(1).and_then(|at| self.v4.get(at));
                last.is_some_and(|network| network.contains(&address))
            }
            IpAddr::V6(address) => {
                let after = self.v6.partition_point(|network| network.network() <= address);
                let last = after.checked_sub(1).and_then(|at| self.v6.get(at));
                last.is_some_and(|network| network.contains(&address))
            }
        }
    }
}

/// Reads a list: the JSON that Google, Bing, Apple and OpenAI publish, or a text with a network a line, where `#` begins
/// a comment and an address stands for itself.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<IpNet>, NetworksError> {
    let text = std::str::from_utf8(bytes).map_err(|_| NetworksError::NotText)?;
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let networks = if text.trim_start().starts_with('{') { of_json(text) } else { of_lines(text) }?;
    match networks.len() {
        0 => Err(NetworksError::Empty),
        count if count > MAX_NETWORKS => Err(NetworksError::TooMany(count)),
        _ => Networks::new(&networks).map(|_| networks),
    }
}

fn of_lines(text: &str) -> Result<Vec<IpNet>, NetworksError> {
    let mut networks = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        let network = network(entry).ok_or_else(|| NetworksError::Line {
            line: at.saturating_add(1),
            found: excerpt(entry),
        })?;
        networks.push(network);
    }
    Ok(networks)
}

#[derive(Deserialize)]
struct Published {
    prefixes: Vec<Prefix>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Prefix {
    ipv4_prefix: Option<String>,
    ipv6_prefix: Option<String>,
}

fn of_json(text: &str) -> Result<Vec<IpNet>, NetworksError> {
    let published: Published =
        serde_json::from_str(text).map_err(|error| NetworksError::Json(error.to_string()))?;
    let entries = published.prefixes.into_iter().flat_map(|prefix| {
        // An entry with neither says nothing that could be misunderstood.
        [prefix.ipv4_prefix, prefix.ipv6_prefix].into_iter().flatten()
    });
    let read = |entry: String| {
        network(&entry)
            .ok_or_else(|| NetworksError::Json(format!("{:?} is no network", excerpt(&entry))))
    };
    entries.map(read).collect()
}

fn network(entry: &str) -> Option<IpNet> {
    let network = entry.parse().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)).ok()?;
    Some(network.trunc())
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

#[cfg(test)]
mod tests;

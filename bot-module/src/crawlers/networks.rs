//! Lists of networks as operators of crawlers publish them.

use ipnet::IpNet;
use serde::Deserialize;
use thiserror::Error;

use crate::networks::{ListError, Networks, excerpt, lines, network};

/// Most networks of one crawler: more than anyone publishes, and memory stays small.
pub(super) const MAX_NETWORKS: usize = 100_000;
/// A network wider than this is a slip or a lie: it would verify a good part of the Internet.
const SHORTEST_V4: u8 = 8;
const SHORTEST_V6: u8 = 16;

/// What is wrong with a list of networks.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworksError {
    /// A line of a text is no network.
    #[error(transparent)]
    Line(#[from] ListError),
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
            Self::Line(_) => "bad-line",
            Self::Json(_) => "bad-json",
            Self::TooWide(_) => "too-wide",
            Self::TooMany(_) => "too-many",
            Self::Empty => "empty",
            Self::NotText => "not-text",
        }
    }
}

/// The set of a crawler's networks, which all count towards the bound.
pub(super) fn set_of(networks: &[IpNet]) -> Result<Networks, NetworksError> {
    if networks.len() > MAX_NETWORKS {
        return Err(NetworksError::TooMany(networks.len()));
    }
    let is_wide = |network: &IpNet| match network {
        IpNet::V4(network) => network.prefix_len() < SHORTEST_V4,
        IpNet::V6(network) => network.prefix_len() < SHORTEST_V6,
    };
    match networks.iter().find(|network| is_wide(network)) {
        Some(wide) => Err(NetworksError::TooWide(*wide)),
        None => Ok(networks.iter().copied().collect()),
    }
}

/// Reads a list: the JSON that Google, Bing, Apple and OpenAI publish, or a text as
/// [`Networks::parse`] reads it.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<IpNet>, NetworksError> {
    let text = std::str::from_utf8(bytes).map_err(|_| NetworksError::NotText)?;
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let networks = if text.trim_start().starts_with('{') {
        of_json(text)?
    } else {
        lines(text).collect::<Result<_, _>>()?
    };
    if networks.is_empty() {
        return Err(NetworksError::Empty);
    }
    set_of(&networks).map(|_| networks)
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

#[cfg(test)]
mod tests;

//! What an operator says about crawlers, and what can be wrong with it.

use std::path::PathBuf;

use ipnet::IpNet;
use thiserror::Error;

use super::dns::MAX_CRAWLERS;
use super::files::FileError;
use super::networks::NetworksError;
use super::signature::KeyError;

/// A crawler and what proves it. Without any proof it is not known: a user agent alone says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crawler {
    /// For logs and metrics: 1 to 32 of a-z, 0-9 and `-`.
    pub name: String,
    /// A user agent that contains one of these, in any ASCII case, claims to be it.
    pub user_agents: Vec<String>,
    /// It comes from these networks.
    pub networks: Vec<IpNet>,
    /// And from these in files: a network a line, or `{"prefixes":[{"ipv4Prefix":…},{"ipv6Prefix":…}]}`.
    pub network_files: Vec<PathBuf>,
    /// Its addresses have names under these domains, which have these addresses.
    pub domains: Vec<String>,
    /// It signs with these Ed25519 keys: the `x` of a JWK (RFC 8037, 2), base64url.
    pub keys: Vec<String>,
    /// And with these in files: JWK sets (RFC 7517, 5).
    pub key_files: Vec<PathBuf>,
    /// What is done with it once it is verified.
    pub action: CrawlerAction,
}

impl Crawler {
    pub(super) fn has_networks(&self) -> bool {
        !self.networks.is_empty() || !self.network_files.is_empty()
    }

    pub(super) fn has_keys(&self) -> bool {
        !self.keys.is_empty() || !self.key_files.is_empty()
    }
}

/// What is done with a verified crawler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrawlerAction {
    /// It passes, and is not scored.
    #[default]
    Allow,
    /// It is scored as every other client.
    Score,
    /// It is refused.
    Block,
}

/// What is wrong with a crawler's settings.
#[derive(Clone, Debug, Error)]
#[error("{crawler}: {key}: {problem}")]
#[non_exhaustive]
pub struct CrawlerError {
    /// The crawler's name.
    pub crawler: String,
    /// The field of [`Crawler`], or `authorities`.
    pub key: &'static str,
    /// What.
    pub problem: CrawlerProblem,
}

/// What can be wrong with a crawler's settings.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum CrawlerProblem {
    /// The name is none.
    #[error("expected 1 to 32 of a-z, 0-9 and \"-\", found {0:?}")]
    Name(String),
    /// Another crawler has the name.
    #[error("expected a name of its own, found {0:?} twice")]
    Twice(String),
    /// There are too many crawlers.
    #[error("expected at most {MAX_CRAWLERS} crawlers, found {0}")]
    TooMany(usize),
    /// A user agent's part is empty, long, or not printable ASCII.
    #[error("expected 3 to 64 printable ASCII characters, found {0:?}")]
    UserAgent(String),
    /// A domain is none, or a top-level domain.
    #[error("expected a domain as googlebot.com, found {0:?}")]
    Domain(String),
    /// Networks are not right.
    #[error(transparent)]
    Networks(#[from] NetworksError),
    /// A key is not right.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file is not right.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: FileError,
    },
    /// Signatures count for names of the site only, and there is none.
    #[error("expected the names of this site, for which signatures count, found none")]
    NoAuthority,
}

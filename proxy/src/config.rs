//! The configuration file: what `greenlight run` needs to know, checked as a whole before anything starts.
//!
//! Reading goes from TOML text to [`Config`] in one step. A [`Config`] is valid by construction; a file that is not
//! gives every mistake at once, with the key, the line, what was expected and what was found.

mod crawlers;
mod file;
mod network;
mod policy;
mod reader;
mod record;
mod sections;
mod source;
mod url;
mod values;
mod warnings;

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use greenlight_bot::AddressLists;
use greenlight_watcher::Adoption;
use greenlight_watcher::light_client::Network;
use http::header::HeaderName;
use ipnet::IpNet;

pub(crate) use crawlers::CrawlerSettings;
pub(crate) use policy::{Challenges, Route};
pub(crate) use reader::Mistake;
use reader::{Document, Section};
pub(crate) use record::Record;
pub(crate) use values::Authority;

/// Against a file without end, such as a device; a pipe is as welcome as a file.
const MAX_FILE: usize = 1 << 20;

/// A valid configuration.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) listen: Listen,
    pub(crate) upstream: Upstream,
    pub(crate) client: Client,
    pub(crate) source: Source,
    pub(crate) state: State,
    pub(crate) routes: Vec<Route>,
    pub(crate) lists: AddressLists,
    pub(crate) challenges: Challenges,
    /// Whether the origin is told which rows fired.
    pub(crate) tells_reasons: bool,
    /// Whether requests are scored and acted on at all.
    pub(crate) bots_enabled: bool,
    pub(crate) crawlers: CrawlerSettings,
    pub(crate) limits: Limits,
    pub(crate) log: Log,
    pub(crate) record: Option<Record>,
    pub(crate) shutdown: Shutdown,
}

/// Where requests come in.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    pub(crate) http: Vec<SocketAddr>,
    pub(crate) tls: Vec<TlsListener>,
    /// Whether fingerprints are taken of connections over TLS.
    pub(crate) fingerprints: bool,
    /// `/healthz`, `/status` and `/metrics`; always a loopback address.
    pub(crate) admin: SocketAddr,
    /// Threads that serve requests.
    pub(crate) threads: usize,
}

/// A listener that speaks TLS, with HTTP/2 offered by ALPN.
#[derive(Clone, Debug)]
pub(crate) struct TlsListener {
    pub(crate) address: SocketAddr,
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// Where requests go to.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) address: Authority,
    pub(crate) tls: bool,
    /// Name that the upstream's certificate must carry.
    pub(crate) sni: String,
    /// Certificates that may vouch for the upstream's; the system's where there are none.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) write_timeout: Duration,
    /// How long an unused connection stays in the pool.
    pub(crate) idle_timeout: Duration,
    /// Connections that the pool keeps.
    pub(crate) keep_alive: usize,
}

/// How the client's address is found behind other proxies.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) header: HeaderName,
}

/// Where the edge learns what it may run.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) heads: Heads,
    /// Execution RPCs, for proofs and bytes.
    pub(crate) urls: Vec<String>,
    pub(crate) registry: [u8; 20],
    pub(crate) poll: Duration,
    pub(crate) deadline: Duration,
    pub(crate) adoption: Adoption,
    pub(crate) max_staleness: Duration,
    pub(crate) max_finality_age: Duration,
    pub(crate) stale_mode: StaleMode,
}

/// Whose word heads are taken on, with what only that kind of source needs.
#[derive(Clone, Debug)]
pub(crate) enum Heads {
    /// The sync committees', from a checkpoint on.
    LightClient {
        network: Network,
        /// Root of a finalized beacon block.
        checkpoint: [u8; 32],
        max_checkpoint_age: Duration,
        beacon_urls: Vec<String>,
    },
    /// That of a Helios beside the edge.
    Helios { url: String, chain_id: u64 },
    /// That of the RPC itself.
    Rpc { chain_id: u64 },
}

impl Source {
    /// What `kind` says.
    pub(crate) fn kind(&self) -> &'static str {
        match self.heads {
            Heads::LightClient { .. } => "light-client",
            Heads::Helios { .. } => "helios",
            Heads::Rpc { .. } => "rpc",
        }
    }

    /// The network's name, of a-z, 0-9 and "-": what `[source]` calls it, or "chain-" and the id.
    pub(crate) fn network(&self) -> String {
        match &self.heads {
            Heads::LightClient { network, .. } => network.name.clone(),
            Heads::Helios { chain_id, .. } | Heads::Rpc { chain_id } => network::name_of(*chain_id),
        }
    }
}

/// What an edge does once its newest verified head is older than `max_staleness`, or its finalized one than
/// `max_finality_age`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StaleMode {
    LastGood,
    AllowAll,
}

/// What the edge keeps on disk.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) dir: PathBuf,
    pub(crate) soak: Duration,
    pub(crate) edge_id: String,
}

/// Bounds on memory, time and faults.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Clients whose request rate is remembered.
    pub(crate) rate_slots: u32,
    /// Clients whose behaviour is remembered.
    pub(crate) client_slots: u32,
    /// Time after which a score is thrown away.
    pub(crate) overrun: Duration,
    /// Faults of the scorer after which an artifact is given up.
    pub(crate) fault_bound: u64,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: tracing::Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Json,
    Text,
}

/// How long requests under way may take once the process is asked to end.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown {
    pub(crate) grace: Duration,
}

/// Why there is no [`Config`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the configuration file {}: {source}", .path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the configuration file {}: expected at most {MAX_FILE} bytes, found more", .path.display())]
    TooLong { path: PathBuf },
    #[error("the configuration file {}: expected UTF-8, found {source}", .path.display())]
    Encoding { path: PathBuf, source: std::str::Utf8Error },
    #[error("{} has {}", .path.display(), Listing(.mistakes))]
    Mistakes { path: PathBuf, mistakes: Vec<Mistake> },
}

struct Listing<'a>(&'a [Mistake]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [_] => f.write_str("1 mistake:")?,
            several => write!(f, "{} mistakes:", several.len())?,
        }
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl Config {
    /// Reads and checks the file at `path`. Relative paths inside it are relative to its folder.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = read(path)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|source| ConfigError::Encoding { path: path.to_owned(), source })?;
        // The parent of a bare name is the empty path, which is no folder that could be looked into.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        Self::parse(text, folder)
            .map_err(|mistakes| ConfigError::Mistakes { path: path.to_owned(), mistakes })
    }

    /// What is valid and yet probably not meant, or not fit for production.
    pub(crate) fn warnings(&self) -> Vec<String> {
        warnings::warnings(self)
    }

    /// Checks the text of a configuration file that lies in `folder`.
    pub(crate) fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Mistake>> {
        let document = Document::new(text);
        let table = document.parse();
        let config = sections::config(Section::root(&document, &table), folder);
        let mistakes = document.into_mistakes();
        match config {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => Err(mistakes),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let one_more = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).map_err(failed)?.take(one_more).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_FILE {
        return Err(ConfigError::TooLong { path: path.to_owned() });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;

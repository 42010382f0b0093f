//! Where names and addresses are asked for.

use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
    ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use thiserror::Error;

/// Records of one answer that are looked at. A name server may send as many as fit into 64 KiB.
const MAX_RECORDS: usize = 64;

/// Asks DNS. Its futures run in [`Crawlers::work`](super::Crawlers::work), each within a deadline.
#[async_trait]
pub trait Resolver: Debug + Send + Sync + 'static {
    /// The names of an address: its PTR records (RFC 1035, 3.5; RFC 3596, 2.5), in any notation.
    async fn names(&self, address: IpAddr) -> Result<Vec<String>, LookupError>;

    /// The addresses of a name, of the family of `like`: its A or AAAA records.
    async fn addresses(&self, name: &str, like: IpAddr) -> Result<Vec<IpAddr>, LookupError>;
}

/// Why DNS gave no records.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupError {
    /// There is none: NXDOMAIN, or an answer without records.
    #[error("there is no such record")]
    NoRecord,
    /// It could not be found out: SERVFAIL, no answer, or one that makes no sense.
    #[error("DNS did not answer")]
    Failed,
}

impl LookupError {
    /// Stable name, for logs.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoRecord => "no-record",
            Self::Failed => "failed",
        }
    }
}

/// Which name servers are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameServers {
    /// Those of `/etc/resolv.conf`.
    System,
    /// These, over UDP, and over TCP where an answer does not fit.
    These(Vec<SocketAddr>),
}

/// A stub resolver: it believes its name servers, so the way to them must be trusted.
#[derive(Clone)]
pub struct DnsResolver(TokioResolver);

/// The resolver could not be made, as where `/etc/resolv.conf` cannot be read.
#[derive(Clone, Debug, Error)]
#[error("no resolver: {0}")]
pub struct ResolverError(String);

impl DnsResolver {
    /// A resolver that waits for each answer for `timeout` and asks twice.
    ///
    /// # Errors
    /// Where the system's configuration cannot be read.
    pub fn new(servers: &NameServers, timeout: Duration) -> Result<Self, ResolverError> {
        let failed = |error: NetError| ResolverError(error.to_string());
        let mut builder: ResolverBuilder<TokioRuntimeProvider> = match servers {
            NameServers::System => TokioResolver::builder_tokio().map_err(failed)?,
            NameServers::These(servers) => {
                let config = ResolverConfig::from_name_servers(
                    servers.iter().map(|address| name_server(*address)).collect(),
                );
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options: &mut ResolverOpts = builder.options_mut();
        options.timeout = timeout;
        options.attempts = 1;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        // A proof must come from DNS, and is kept by its own cache.
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        builder.build().map(Self).map_err(failed)
    }
}

impl Debug for DnsResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DnsResolver").finish_non_exhaustive()
    }
}

#[async_trait]
impl Resolver for DnsResolver {
    async fn names(&self, address: IpAddr) -> Result<Vec<String>, LookupError> {
        self.look_up(Name::from(address), RecordType::PTR, |data| match data {
            RData::PTR(name) => Some(name.0.to_ascii()),
            _ => None,
        })
        .await
    }

    async fn addresses(&self, name: &str, like: IpAddr) -> Result<Vec<IpAddr>, LookupError> {
        let mut name = Name::from_ascii(name).map_err(|_| LookupError::NoRecord)?;
        // So that no search domain is tried.
        name.set_fqdn(true);
        let kind = if like.is_ipv4() { RecordType::A } else { RecordType::AAAA };
        self.look_up(name, kind, |data| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        })
        .await
    }
}

impl DnsResolver {
    async fn look_up<T>(
        &self,
        name: Name,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, LookupError> {
        match self.0.lookup(name, kind).await {
            Ok(lookup) => Ok(lookup
                .answers()
                .iter()
                .filter_map(|record| read(&record.data))
                .take(MAX_RECORDS)
                .collect()),
            Err(error) if error.is_no_records_found() => Err(LookupError::NoRecord),
            Err(_) => Err(LookupError::Failed),
        }
    }
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let at_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    NameServerConfig::new(
        address.ip(),
        true,
        vec![at_port(ConnectionConfig::udp()), at_port(ConnectionConfig::tcp())],
    )
}

//! From settings to [`Crawlers`]: every mistake is found before any request is.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use arc_swap::ArcSwap;
use ipnet::IpNet;

use super::dns::{Dns, DnsLimits, MAX_CRAWLERS};
use super::files::{FileError, Followed, Listed};
use super::resolver::Resolver;
use super::settings::{Crawler, CrawlerError, CrawlerProblem};
use super::signature::{self, Key};
use super::{Crawlers, Inner, Known, Lists, keys_of, names, networks, networks_of};
use crate::claim::CrawlerName;

/// Makes [`Crawlers`].
#[derive(Debug, Default)]
pub struct CrawlersBuilder {
    crawlers: Vec<Crawler>,
    authorities: Vec<String>,
    limits: DnsLimits,
    resolver: Option<Arc<dyn Resolver>>,
}

impl CrawlersBuilder {
    /// Adds a crawler.
    #[must_use]
    pub fn crawler(mut self, crawler: Crawler) -> Self {
        self.crawlers.push(crawler);
        self
    }

    /// Adds a name of this site, as clients send it in `Host`: with its port where that is neither 80 nor 443.
    /// Signatures count only for these, since another site could repeat one that was made for it.
    #[must_use]
    pub fn authority(mut self, name: impl Into<String>) -> Self {
        self.authorities.push(name.into().to_ascii_lowercase());
        self
    }

    /// Whom to ask for names and addresses. Without one, domains prove nothing.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// Bounds of the lookups in DNS.
    #[must_use]
    pub fn dns_limits(mut self, limits: DnsLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Reads the files, and checks everything.
    ///
    /// # Errors
    /// Every mistake.
    pub fn build(self) -> Result<Crawlers, Vec<CrawlerError>> {
        let mut errors = Vec::new();
        let of_all = |key, problem| CrawlerError { crawler: String::new(), key, problem };
        if self.crawlers.len() > MAX_CRAWLERS {
            errors.push(of_all("crawler", CrawlerProblem::TooMany(self.crawlers.len())));
        }
        let (mut known, mut domains, mut lists) = (Vec::new(), Vec::new(), Lists::default());
        for (index, crawler) in self.crawlers.iter().enumerate() {
            let mut refuse = |key, problem| {
                errors.push(CrawlerError { crawler: crawler.name.clone(), key, problem });
            };
            if self.crawlers.iter().take(index).any(|other| other.name == crawler.name) {
                refuse("name", CrawlerProblem::Twice(crawler.name.clone()));
            }
            if crawler.has_keys() && self.authorities.is_empty() {
                refuse("authorities", CrawlerProblem::NoAuthority);
            }
            domains.push(read_domains(crawler, &mut refuse));
            lists.networks.push(read_networks(crawler, &mut refuse));
            lists.keys.push(read_keys(crawler, &mut refuse));
            known.extend(self.known(crawler, lists.networks.last(), &mut refuse));
        }
        let keys = keys_of(&lists.keys).map_err(|error| of_all("keys", error.into()));
        let user_agents = self.user_agents(&mut errors).map_err(|error| {
            // It fails where all parts together are gigabytes.
            of_all("user_agents", CrawlerProblem::UserAgent(error.to_string()))
        });
        match (keys, user_agents) {
            (Ok(keys), Ok((user_agents, of_user_agent))) if errors.is_empty() => {
                Ok(Crawlers(Arc::new(Inner {
                    crawlers: known.into(),
                    user_agents,
                    of_user_agent: of_user_agent.into(),
                    dns: Arc::new(Dns::new(domains, self.limits)),
                    resolver: self.resolver,
                    keys: ArcSwap::from_pointee(keys),
                    authorities: self.authorities.into(),
                    lists: Mutex::new(lists),
                    files_refused: AtomicU64::new(0),
                })))
            }
            (keys, user_agents) => {
                errors.extend(keys.err());
                errors.extend(user_agents.err());
                Err(errors)
            }
        }
    }

    /// What requests need of one crawler; none where it has a mistake.
    fn known(
        &self,
        crawler: &Crawler,
        listed: Option<&Listed<IpNet>>,
        refuse: &mut impl FnMut(&'static str, CrawlerProblem),
    ) -> Option<Known> {
        let name = CrawlerName::new(&crawler.name);
        if name.is_none() {
            refuse("name", CrawlerProblem::Name(crawler.name.clone()));
        }
        let networks = networks_of(listed?).map_err(|error| refuse("networks", error.into()));
        Some(Known {
            name: name?,
            action: crawler.action,
            networks: ArcSwap::from_pointee(networks.ok()?),
            has_networks: crawler.has_networks(),
            has_domains: !crawler.domains.is_empty() && self.resolver.is_some(),
            has_keys: crawler.has_keys(),
            verified: AtomicU64::new(0),
            unverified: AtomicU64::new(0),
            undecided: AtomicU64::new(0),
        })
    }

    /// What searches user agents for the parts of all crawlers, and the crawler of each part.
    fn user_agents(
        &self,
        errors: &mut Vec<CrawlerError>,
    ) -> Result<(AhoCorasick, Vec<usize>), aho_corasick::BuildError> {
        let (mut parts, mut of_part) = (Vec::new(), Vec::new());
        for (index, crawler) in self.crawlers.iter().enumerate() {
            for part in &crawler.user_agents {
                if !is_user_agent(part) {
                    let problem = CrawlerProblem::UserAgent(part.clone());
                    let crawler = crawler.name.clone();
                    errors.push(CrawlerError { crawler, key: "user_agents", problem });
                }
                parts.push(part.as_str());
                of_part.push(index);
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(parts)?;
        Ok((automaton, of_part))
    }
}

fn read_domains(
    crawler: &Crawler,
    refuse: &mut impl FnMut(&'static str, CrawlerProblem),
) -> Box<[String]> {
    let mut read = |domain: &String| {
        let name = names::host_name(domain);
        if name.is_none() {
            refuse("domains", CrawlerProblem::Domain(domain.clone()));
        }
        name
    };
    crawler.domains.iter().filter_map(&mut read).collect()
}

fn read_networks(
    crawler: &Crawler,
    refuse: &mut impl FnMut(&'static str, CrawlerProblem),
) -> Listed<IpNet> {
    let parse = |bytes: &[u8]| Ok(networks::parse(bytes)?);
    let files =
        open(&crawler.network_files, parse, &mut |problem| refuse("network_files", problem));
    Listed::new(crawler.networks.clone(), files)
}

fn read_keys(
    crawler: &Crawler,
    refuse: &mut impl FnMut(&'static str, CrawlerProblem),
) -> Listed<Key> {
    let parse = |bytes: &[u8]| Ok(signature::parse(bytes)?);
    let files = open(&crawler.key_files, parse, &mut |problem| refuse("key_files", problem));
    let mut read = |key: &String| Key::new(key).map_err(|error| refuse("keys", error.into())).ok();
    Listed::new(crawler.keys.iter().filter_map(&mut read).collect(), files)
}

fn open<T>(
    paths: &[PathBuf],
    parse: fn(&[u8]) -> Result<Vec<T>, FileError>,
    refuse: &mut impl FnMut(CrawlerProblem),
) -> Vec<Followed<Vec<T>>> {
    let mut open = |path: &PathBuf| {
        let problem = |error| CrawlerProblem::File { path: path.clone(), error };
        Followed::open(path, parse).map_err(|error| refuse(problem(error))).ok()
    };
    paths.iter().filter_map(&mut open).collect()
}

fn is_user_agent(part: &str) -> bool {
    (3..=64).contains(&part.len()) && part.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

//! `[crawlers]` and its `[[crawlers.crawler]]`: whose claims to be a crawler are looked into, and how.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use greenlight_bot::{
    Crawler, CrawlerAction, CrawlerError, CrawlerProblem, Crawlers, CrawlersBuilder, DnsLimits,
    NameServers, known_crawlers,
};
use toml::de::DeValue;

use super::reader::Section;
use super::values::{self, BOOLEAN, CIDR, DURATION, TEXT};

/// The known crawlers and how their proofs are found.
#[derive(Clone, Debug)]
pub(crate) struct CrawlerSettings {
    pub(crate) crawlers: Vec<Crawler>,
    /// Names of this site, for which signatures count.
    pub(crate) authorities: Vec<String>,
    /// Whom to ask; no one where DNS proves nothing.
    pub(crate) dns: Option<NameServers>,
    pub(crate) dns_timeout: Duration,
    pub(crate) dns_cache: u64,
}

impl CrawlerSettings {
    /// With what the settings say but a resolver.
    pub(crate) fn builder(&self) -> CrawlersBuilder {
        let mut limits = DnsLimits::default();
        limits.entries = usize::try_from(self.dns_cache).unwrap_or(limits.entries);
        // Two questions, each asked once more at most.
        limits.deadline = self.dns_timeout.saturating_mul(2);
        let builder = Crawlers::builder().dns_limits(limits);
        let builder = self.crawlers.iter().cloned().fold(builder, CrawlersBuilder::crawler);
        self.authorities.iter().fold(builder, |builder, name| builder.authority(name))
    }
}

pub(super) fn crawlers(section: Section<'_, '_>, folder: &Path) -> Option<CrawlerSettings> {
    let known = section.or("known", true, BOOLEAN, values::boolean);
    let dns = section.or(
        "dns",
        Some(NameServers::System),
        "\"system\", \"off\" or a list of name servers such as [\"127.0.0.1:53\"]",
        name_servers,
    );
    let dns_timeout = section.or("dns_timeout", Duration::from_secs(2), DURATION, values::duration);
    let dns_cache = section.or(
        "dns_cache",
        16_384,
        "a number of addresses from 64 to 1048576",
        values::integer(64, 1 << 20),
    );
    let authorities = section.list("authorities", "a name of this site as in Host", values::text);
    let mut crawlers = if known == Some(true) { known_crawlers() } else { Vec::new() };
    let mut named: Vec<String> = Vec::new();
    let given = section.sections("crawler");
    let mut complete = known.is_some() && given.is_some();
    let section_of = &section;
    for each in given.into_iter().flatten() {
        match crawler(each, folder, &mut crawlers, authorities.as_deref().unwrap_or_default()) {
            Some(name) if named.contains(&name) => {
                complete = false;
                section_of.mistake("each name once", format!("{name:?} twice"));
            }
            Some(name) => named.push(name),
            None => complete = false,
        }
    }
    let settings = CrawlerSettings {
        crawlers,
        authorities: authorities?,
        dns: dns?,
        dns_timeout: dns_timeout?,
        dns_cache: dns_cache?,
    };
    if complete && let Err(errors) = settings.builder().build() {
        for error in errors {
            let (expected, found) = said(&error.problem);
            section.mistake(format!("in {:?} {expected}", error.key), found);
        }
    }
    section.finish();
    Some(settings)
}

/// One crawler, put in place of the known one of its name, whose keys stand where it gives none; its name.
fn crawler(
    section: Section<'_, '_>,
    folder: &Path,
    crawlers: &mut Vec<Crawler>,
    authorities: &[String],
) -> Option<String> {
    let name = section.required("name", "a name of a-z, 0-9 and \"-\"", values::text);
    let user_agents = section.list("user_agents", TEXT, values::text);
    let networks = section.list("networks", CIDR, values::cidr);
    let network_files = section.list(
        "network_files",
        "the path of a list of networks",
        super::sections::path(folder),
    );
    let domains = section.list("domains", "a domain such as \"googlebot.com\"", values::text);
    let keys = section.list("keys", "the \"x\" of an Ed25519 JWK", values::text);
    let key_files =
        section.list("key_files", "the path of a JWK set", super::sections::path(folder));
    let action =
        section.or("action", CrawlerAction::Allow, "\"allow\", \"score\" or \"block\"", action);
    let given = || {
        Some(Crawler {
            name: name?,
            user_agents: user_agents?,
            networks: networks?,
            network_files: network_files?,
            domains: domains?,
            keys: keys?,
            key_files: key_files?,
            action: action?,
        })
    };
    let valid = given().filter(|given| {
        let errors = alone(given, authorities).err().unwrap_or_default();
        for error in &errors {
            let (expected, found) = said(&error.problem);
            match error.key {
                // Not a key of the crawler.
                "authorities" => {
                    section.mistake(format!("in crawlers.authorities {expected}"), found)
                }
                key => match section.get(key) {
                    Some(entry) => entry.contradicts(expected, found),
                    None => section.mistake(expected, found),
                },
            }
        }
        errors.is_empty()
    });
    section.finish();
    let given = valid?;
    let name = given.name.clone();
    match crawlers.iter_mut().find(|known| known.name == name) {
        Some(known) => {
            let or = |given: Vec<String>, known: &mut Vec<String>| {
                if given.is_empty() { std::mem::take(known) } else { given }
            };
            *known = Crawler {
                user_agents: or(given.user_agents, &mut known.user_agents),
                domains: or(given.domains, &mut known.domains),
                ..Crawler { user_agents: Vec::new(), domains: Vec::new(), ..given }
            };
        }
        None => crawlers.push(given),
    }
    Some(name)
}

/// Checks a crawler by itself, so that what is wrong has its place.
fn alone(crawler: &Crawler, authorities: &[String]) -> Result<(), Vec<CrawlerError>> {
    let builder = Crawlers::builder().crawler(crawler.clone());
    authorities.iter().fold(builder, |builder, name| builder.authority(name)).build().map(drop)
}

/// What was expected and what found, as problems say it: "…: expected …, found …".
fn said(problem: &CrawlerProblem) -> (String, String) {
    let (text, file) = match problem {
        CrawlerProblem::File { path, error } => {
            (error.to_string(), format!(" in {}", path.display()))
        }
        other => (other.to_string(), String::new()),
    };
    let Some((place, rest)) = text.split_once("expected ") else {
        return ("what can be used".to_owned(), format!("{text}{file}"));
    };
    let (expected, found) = rest.rsplit_once(", found ").unwrap_or((rest, "something else"));
    (expected.to_owned(), format!("{place}{found}{file}"))
}

fn name_servers(value: &DeValue<'_>) -> Option<Option<NameServers>> {
    if let Some(text) = value.as_str() {
        return match text {
            "system" => Some(Some(NameServers::System)),
            "off" => Some(None),
            _ => None,
        };
    }
    let servers = value.as_array()?.iter().map(|server| values::address(server.get_ref()));
    let servers: Vec<SocketAddr> = servers.collect::<Option<_>>()?;
    (!servers.is_empty()).then_some(Some(NameServers::These(servers)))
}

fn action(value: &DeValue<'_>) -> Option<CrawlerAction> {
    match value.as_str()? {
        "allow" => Some(CrawlerAction::Allow),
        "score" => Some(CrawlerAction::Score),
        "block" => Some(CrawlerAction::Block),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

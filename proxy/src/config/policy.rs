//! What is done with scores: `[[route]]`, `[lists]`, `[challenge]`, `[headers]` and `[bots]`.

use std::collections::HashSet;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use greenlight_bot::{AddressLists, Challenge, ListError, Networks, RateLimit};
use toml::de::DeValue;

use super::file;
use super::reader::Section;
use super::values::{self, BOOLEAN, CIDR, DURATION};

/// Most requests that a limit may allow: what a counter holds.
const MAX_REQUESTS: u64 = 1_000_000;
/// Most bytes of a list of networks: some half a million of them.
const MAX_LIST: u64 = 8 << 20;
/// Most bytes of a secret, which is no use beyond HMAC's block.
const MAX_SECRET: u64 = 4096;
const PATH_PREFIX: &str =
    "a path as it is once decoded and resolved, which begins with \"/\" and has no query";
const METHOD: &str = "a method such as \"POST\", in capitals";

/// What is done with a score, for the requests that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) host: Option<String>,
    pub(crate) path_prefix: String,
    /// Empty for every method.
    pub(crate) methods: Vec<String>,
    pub(crate) tag_below: u8,
    pub(crate) log_below: u8,
    pub(crate) rate_limit_below: u8,
    pub(crate) rate_limit: RateLimit,
    pub(crate) challenge_below: u8,
    pub(crate) block_below: u8,
    pub(crate) shadow: bool,
    pub(crate) exempt: bool,
}

/// What makes and verifies the cookies of challenges.
#[derive(Clone, Debug)]
pub(crate) struct Challenges {
    pub(crate) lifetime: Duration,
    /// Without a secret of the operator's the process takes one of its own.
    pub(crate) shared: Option<Challenge>,
}

pub(super) fn routes(sections: Vec<Section<'_, '_>>) -> Option<Vec<Route>> {
    let mut seen = HashSet::new();
    let routes: Vec<Option<Route>> =
        sections.into_iter().map(|section| route(section, &mut seen)).collect();
    routes.into_iter().collect()
}

fn route(
    section: Section<'_, '_>,
    seen: &mut HashSet<(Option<String>, String, Vec<String>)>,
) -> Option<Route> {
    let host = section.optional("host", "a host name without a port", host);
    let path_prefix = section.or("path_prefix", "/".to_owned(), PATH_PREFIX, path_prefix);
    let methods = section.list("methods", METHOD, method);
    let threshold = |key| {
        section.or(key, 0, "a score from 1 to 100, or 0 for never", |value| {
            u8::try_from(values::integer(0, 100)(value)?).ok()
        })
    };
    let tag_below = threshold("tag_below");
    let log_below = threshold("log_below");
    let rate_limit_below = threshold("rate_limit_below");
    let challenge_below = threshold("challenge_below");
    let block_below = threshold("block_below");
    let has_limit = section.get("rate_limit").is_some();
    let rate_limit = if has_limit {
        rate_limit(section.section("rate_limit"))
    } else {
        Some(RateLimit::default())
    };
    let shadow = section.or("shadow", false, BOOLEAN, values::boolean);
    let exempt = section.or("exempt", false, BOOLEAN, values::boolean);

    let thresholds = [
        ("tag_below", tag_below),
        ("log_below", log_below),
        ("rate_limit_below", rate_limit_below),
        ("challenge_below", challenge_below),
        ("block_below", block_below),
    ];
    if exempt == Some(true) {
        for (key, threshold) in thresholds {
            if threshold.is_some_and(|threshold| threshold > 0) {
                section.mistake("no threshold beside exempt = true", format!("{key:?}"));
            }
        }
    } else {
        // A request is given the most severe action: a milder one with a threshold no higher never comes about. What is
        // logged is logged whatever else is done.
        for (index, (key, threshold)) in thresholds.iter().enumerate() {
            let Some(threshold) = threshold.filter(|threshold| *threshold > 0) else { continue };
            let hides =
                |other: &&(&str, Option<u8>)| other.1.is_some_and(|other| other >= threshold);
            let hidden = thresholds.iter().skip(index.saturating_add(1)).find(hides);
            if let Some((other, _)) = hidden.filter(|_| *key != "log_below") {
                section.mistake(
                    format!("a {key:?} above {other:?}, which goes before it"),
                    threshold.to_string(),
                );
            }
        }
    }
    if has_limit && rate_limit_below == Some(0) {
        section.mistake("\"rate_limit_below\" beside \"rate_limit\"", "none");
    }
    if let (Some(host), Some(prefix), Some(methods)) = (&host, &path_prefix, &methods) {
        let mut sorted = methods.clone();
        sorted.sort();
        sorted.dedup();
        if !seen.insert((host.clone(), prefix.clone(), sorted)) {
            let host = host.clone().unwrap_or_default();
            section.mistake(
                "each host, path_prefix and methods once",
                format!("{host}{prefix} twice"),
            );
        }
    }
    section.finish();
    Some(Route {
        host: host?,
        path_prefix: path_prefix?,
        methods: methods?,
        tag_below: tag_below?,
        log_below: log_below?,
        rate_limit_below: rate_limit_below?,
        rate_limit: rate_limit?,
        challenge_below: challenge_below?,
        block_below: block_below?,
        shadow: shadow?,
        exempt: exempt?,
    })
}

fn rate_limit(section: Section<'_, '_>) -> Option<RateLimit> {
    let requests = section.required(
        "requests",
        "a number of requests from 1 to 1000000",
        values::integer(1, MAX_REQUESTS),
    );
    let per = section.required("per", DURATION, values::duration);
    section.finish();
    Some(RateLimit::new(u32::try_from(requests?).ok()?, per?))
}

pub(super) fn lists(section: Section<'_, '_>, folder: &Path) -> Option<AddressLists> {
    let allow = list(&section, "allow", "allow_file", folder);
    let deny = list(&section, "deny", "deny_file", folder);
    section.finish();
    let mut lists = AddressLists::default();
    lists.allow = allow?;
    lists.deny = deny?;
    Some(lists)
}

/// The networks under `key`, and those of the file that is named under `file`.
fn list(
    section: &Section<'_, '_>,
    key: &'static str,
    file: &'static str,
    folder: &Path,
) -> Option<Networks> {
    let inline = section.list(key, CIDR, values::cidr);
    let path = section.optional(file, "the path of a list of networks", path(folder));
    let read = match path? {
        None => Some(Networks::default()),
        Some(path) => match read_list(&path) {
            Ok(Ok(networks)) => Some(networks),
            Ok(Err(errors)) => {
                for error in errors.iter().take(10) {
                    section.mistake(
                        format!("{CIDR} on each line of {file:?}"),
                        format!("{:?} on line {}", error.found, error.line),
                    );
                }
                None
            }
            Err(found) => {
                section.mistake(
                    format!("a regular file of text, at most {MAX_LIST} bytes, as {file:?}"),
                    found,
                );
                None
            }
        },
    };
    Some(read?.with(inline?))
}

fn read_list(path: &Path) -> Result<Result<Networks, Vec<ListError>>, String> {
    let text = String::from_utf8(file::read(path, MAX_LIST)?).map_err(|error| error.to_string())?;
    Ok(Networks::parse(&text))
}

pub(super) fn challenges(section: Section<'_, '_>, folder: &Path) -> Option<Challenges> {
    let secret = section.optional("secret_file", "the path of a secret", path(folder));
    let previous = section.optional("previous_secret_file", "the path of a secret", path(folder));
    let lifetime = section.or("lifetime", Duration::from_hours(24), DURATION, values::duration);
    let load = |key: &str, path: &Path| {
        let read = file::read(path, MAX_SECRET).map(|bytes| bytes.trim_ascii().to_vec());
        let found = match read.map(|secret| (Challenge::new(&secret), secret)) {
            Ok((Ok(_), secret)) => return Some(secret),
            Ok((Err(error), _)) => format!("{} bytes", error.found),
            Err(found) => found,
        };
        section.mistake(format!("a secret of 16 to {MAX_SECRET} bytes in {key:?}"), found);
        None
    };
    let shared = secret.zip(previous).and_then(|given| match given {
        (None, None) => Some(None),
        (None, Some(_)) => {
            section.mistake("\"secret_file\" beside \"previous_secret_file\"", "none");
            None
        }
        (Some(secret), previous) => {
            let secret = load("secret_file", &secret);
            let previous = match previous {
                None => Some(None),
                Some(previous) => load("previous_secret_file", &previous).map(Some),
            };
            let challenge = Challenge::new(&secret?);
            let both = match previous? {
                None => challenge,
                Some(previous) => challenge.and_then(|one| one.with_previous(&previous)),
            };
            both.ok().map(Some)
        }
    });
    section.finish();
    let (shared, lifetime) = (shared?, lifetime?);
    Some(Challenges { shared: shared.map(|shared| shared.with_lifetime(lifetime)), lifetime })
}

/// `[headers]`: whether the origin is told reasons.
pub(super) fn tells_reasons(section: Section<'_, '_>) -> Option<bool> {
    let reasons = section.or("reasons", false, BOOLEAN, values::boolean);
    section.finish();
    reasons
}

/// `[bots]`: whether requests are scored at all.
pub(super) fn is_enabled(section: Section<'_, '_>) -> Option<bool> {
    let enabled = section.or("enabled", true, BOOLEAN, values::boolean);
    section.finish();
    enabled
}

fn path(folder: &Path) -> impl Fn(&DeValue<'_>) -> Option<PathBuf> {
    move |value| Some(value.as_str()?).filter(|text| !text.is_empty()).map(|text| folder.join(text))
}

/// A method of RFC 9110, RFC 5789 (PATCH) or WebDAV, as it goes over the wire: methods are case-sensitive.
fn method(value: &DeValue<'_>) -> Option<String> {
    const KNOWN: [&str; 16] = [
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "CONNECT",
        "OPTIONS",
        "TRACE",
        "PATCH",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
    ];
    values::text(value).filter(|method| KNOWN.contains(&method.as_str()))
}

/// What no request's path is read as would never match, and leave a strict route without effect: paths are matched
/// without their query, and once escapes, slashes in a row and dot segments are gone.
fn path_prefix(value: &DeValue<'_>) -> Option<String> {
    let text = value.as_str().filter(|text| (1..=255).contains(&text.len()))?;
    let segments = text.strip_prefix('/')?.split('/');
    let odd = |char: char| char.is_control() || matches!(char, '?' | '#' | '%' | '\\');
    let last = segments.clone().count();
    let resolved = (1..).zip(segments).all(|(index, segment)| match segment {
        "." | ".." => false,
        segment => !segment.is_empty() || index == last,
    });
    (resolved && !text.contains(odd)).then(|| text.to_owned())
}

/// Hosts are compared without regard to case (RFC 9110, section 4.2.3), without the port and the dot of the root. What is
/// no name, as one of other letters than ASCII's, comes in no request.
fn host(value: &DeValue<'_>) -> Option<String> {
    let text = values::text(value)?;
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Some(address.to_string());
    }
    let name = text.strip_suffix('.').unwrap_or(&text);
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.split('.').all(label).then(|| name.to_ascii_lowercase())
}

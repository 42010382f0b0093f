//! The plainest reading of engine 1: each row by itself, by what the table of kinds says, with allocations and floats.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use greenlight_artifact::{Cidr, FORWARDING_FIELDS, Feature, HEADER_ORDER_CODES, HeaderTest};
use greenlight_bot::{ClientActivity, CrawlerClaim, RequestView};
use http::Version;

/// The published table: a second copy could only fall behind.
#[path = "../../src/signals/scanner_path.rs"]
pub mod scanner_path;

/// Whether a row with this feature fires on a request.
pub fn fires(feature: &Feature, request: &RequestView<'_>, activity: &ClientActivity) -> bool {
    let values = |name: &str| -> Vec<Vec<u8>> {
        let values = request.headers.get_all(name).iter();
        values.map(|value| value.as_bytes().to_ascii_lowercase()).collect()
    };
    let path = request.path.as_bytes();
    match feature {
        Feature::UserAgentContains(text) => {
            values("user-agent").iter().any(|value| contains(value, text))
        }
        Feature::UserAgentEmpty => values("user-agent").iter().all(Vec::is_empty),
        Feature::UserAgentLongerThan(bytes) => {
            values("user-agent").iter().any(|value| value.len() as u64 > *bytes)
        }
        Feature::UserAgentShorterThan(bytes) => {
            let values = values("user-agent");
            values.iter().any(|value| (value.len() as u64) < *bytes)
                || values.is_empty() && *bytes > 0
        }
        Feature::CrawlerUnverified => request.crawler == CrawlerClaim::Unverified,
        Feature::HintsMissing => hints_missing(request),
        Feature::HintsContradict => hints_contradict(request),
        Feature::Header { name, test: HeaderTest::Present } => request.headers.contains_key(name),
        Feature::Header { name, test: HeaderTest::Absent } => !request.headers.contains_key(name),
        Feature::Header { name, test: HeaderTest::Equals(text) } => {
            values(name).iter().any(|value| value == text.as_bytes())
        }
        Feature::Header { name, test: HeaderTest::Contains(text) } => {
            values(name).iter().any(|value| contains(value, text))
        }
        Feature::HeaderCountOver(count) => field_count(request) > *count,
        Feature::HeaderCountUnder(count) => field_count(request) < *count,
        Feature::HeaderLongerThan(bytes) => own_fields(request).iter().any(|(name, value)| {
            name != "cookie" && name != "authorization" && value.len() as u64 > *bytes
        }),
        Feature::HeaderRepeated => {
            let fields = own_fields(request);
            let names: BTreeSet<&String> = fields.iter().map(|(name, _)| name).collect();
            let count = |name| fields.iter().filter(|(other, _)| other == name).count();
            names.into_iter().any(|name| name != "cookie" && count(name) > 1)
        }
        Feature::HeaderOrder(text) => contains(header_order(request).as_bytes(), text),
        Feature::AcceptLanguageMalformed => {
            values("accept-language").iter().any(|value| !is_accept_language(value))
        }
        Feature::Http1Fields => {
            let of_http1 =
                ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];
            [Version::HTTP_2, Version::HTTP_3].contains(&request.version)
                && (of_http1.iter().any(|name| request.headers.contains_key(*name))
                    || values("te").iter().any(|value| value != b"trailers"))
        }
        Feature::Method(method) => request.method == method,
        Feature::PathPrefix(text) => path.starts_with(text.as_bytes()),
        Feature::PathContains(text) => contains(path, text),
        Feature::PathDepthOver(depth) => {
            request.path.split('/').filter(|segment| !segment.is_empty()).count() as u64 > *depth
        }
        Feature::PathEntropyOver(hundredths) => {
            path.len() >= 8 && entropy(&path[..path.len().min(1_024)]) > *hundredths
        }
        Feature::ScannerPath => {
            scanner_path::TEXTS.iter().any(|text| contains(&path.to_ascii_lowercase(), text))
        }
        Feature::Client(Cidr { address, prefix }) => match (request.client, address) {
            (Some(IpAddr::V4(client)), IpAddr::V4(network)) => (0..*prefix)
                .all(|bit| (client.to_bits() ^ network.to_bits()) >> (31 - bit) & 1 == 0),
            (Some(IpAddr::V6(client)), IpAddr::V6(network)) => (0..*prefix)
                .all(|bit| (client.to_bits() ^ network.to_bits()) >> (127 - bit) & 1 == 0),
            _ => false,
        },
        Feature::RequestRate(over) => activity.requests_last_second > *over,
        Feature::DistinctPathsOver(over) => activity.distinct_paths > *over,
        Feature::ErrorRatioOver(over) => {
            activity.error_percent.is_some_and(|percent| percent > *over)
        }
        Feature::GapVariationUnder(under) => {
            activity.gap_variation_percent.is_some_and(|percent| percent < *under)
        }
        Feature::Ja4Contains(text) => request.ja4.is_some_and(|ja4| ja4.contains(text)),
        Feature::Http2Contains(text) => request.http2.is_some_and(|http2| http2.contains(text)),
        Feature::HttpVersion(number) => {
            *number == u64::from(format!("{:?}", request.version) == "HTTP/1.0") * 10
                || *number == u64::from(request.version == Version::HTTP_11) * 11
                || *number == u64::from(request.version == Version::HTTP_2) * 20
                || *number == u64::from(request.version == Version::HTTP_3) * 30
        }
        other => panic!("a kind that the naive scorer does not know: {other:?}"),
    }
}

fn contains(haystack: &[u8], text: &str) -> bool {
    haystack.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The fields that no proxy added.
fn own_fields(request: &RequestView<'_>) -> Vec<(String, Vec<u8>)> {
    let fields = request.headers.iter();
    fields
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .filter(|(name, _)| !FORWARDING_FIELDS.contains(&name.as_str()))
        .collect()
}

fn field_count(request: &RequestView<'_>) -> u64 {
    let fields = own_fields(request);
    let others = fields.iter().filter(|(name, _)| name != "cookie").count();
    others as u64 + u64::from(request.headers.contains_key("cookie"))
}

fn header_order(request: &RequestView<'_>) -> String {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in own_fields(request) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let code = |name: &String| {
        HEADER_ORDER_CODES
            .iter()
            .find(|(_, known)| known == name)
            .map_or('.', |(code, _)| *code as char)
    };
    let word: String = names.iter().map(code).collect();
    if names.len() > 62 { format!("^{}", &word[..62]) } else { format!("^{word}$") }
}

fn is_accept_language(value: &[u8]) -> bool {
    let Ok(value) = str::from_utf8(value) else { return false };
    let white = [' ', '\t'];
    value.split(',').all(|element| {
        let mut parts = element.trim_matches(white).split(';');
        let range = parts.next().unwrap_or("").trim_matches(white);
        let subtags: Vec<&str> = range.split('-').collect();
        let fits = |subtag: &&str| {
            (1..=8).contains(&subtag.len())
                && subtag.chars().all(|char| char.is_ascii_alphanumeric())
        };
        let is_range = range == "*"
            || subtags.iter().all(fits)
                && subtags[0].chars().all(|char| char.is_ascii_alphabetic());
        let is_weight = |weight: &str| {
            let Some(number) = weight
                .trim_matches(white)
                .to_ascii_lowercase()
                .strip_prefix("q=")
                .map(String::from)
            else {
                return false;
            };
            let form = number.chars().enumerate().all(|(at, char)| match at {
                0 => char == '0' || char == '1',
                1 => char == '.',
                _ => char.is_ascii_digit(),
            });
            form && (1..=5).contains(&number.len())
                && number.trim_end_matches('.').parse::<f64>().is_ok_and(|number| number <= 1.0)
        };
        is_range && parts.next().is_none_or(is_weight) && parts.next().is_none()
    })
}

fn entropy(path: &[u8]) -> u64 {
    let mut counts: BTreeMap<u8, f64> = BTreeMap::new();
    for byte in path {
        *counts.entry(*byte).or_default() += 1.0;
    }
    let length = path.len() as f64;
    let bits: f64 = counts.values().map(|count| count / length * (length / count).log2()).sum();
    // Far less than what tells any two entropies apart, and more than the error of a sum of floats.
    (bits * 100.0 + 1e-7).round() as u64
}

/// The first value, lossily as text.
fn first(request: &RequestView<'_>, name: &str) -> Option<String> {
    let value = request.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The number behind the first `Chrome/` that has one.
fn chrome(agent: &str) -> Option<u32> {
    let digits =
        |after: &str| -> String { after.chars().take_while(char::is_ascii_digit).collect() };
    let number = agent.split("Chrome/").skip(1).map(digits).find(|digits| !digits.is_empty())?;
    Some(number.parse().unwrap_or(u32::MAX))
}

fn platform(agent: &str) -> Option<&'static str> {
    let has = |text: &str| agent.contains(text);
    match () {
        () if has("Android") => Some("Android"),
        () if has("Windows NT") => Some("Windows"),
        () if has("Macintosh") => Some("macOS"),
        () if has("CrOS ") => Some("Chrome OS"),
        () if has("X11") && has("Linux") => Some("Linux"),
        () => None,
    }
}

fn hints_missing(request: &RequestView<'_>) -> bool {
    let Some(agent) = first(request, "user-agent") else { return false };
    let upgrades = request.headers.contains_key("upgrade")
        && ![Version::HTTP_2, Version::HTTP_3].contains(&request.version);
    let embedded = ["; wv)", "Version/", "Electron/"].iter().any(|text| agent.contains(text));
    request.tls
        && !request.headers.contains_key("sec-ch-ua")
        && !["OPTIONS", "CONNECT"].contains(&request.method)
        && !upgrades
        && !embedded
        && platform(&agent).is_some()
        && chrome(&agent).is_some_and(|version| version >= 90)
}

fn hints_contradict(request: &RequestView<'_>) -> bool {
    let hints = ["sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"];
    let Some(agent) = first(request, "user-agent").filter(|agent| !agent.is_empty()) else {
        return false;
    };
    if hints.iter().all(|name| !request.headers.contains_key(*name)) {
        return false;
    }
    let Some(version) = chrome(&agent) else { return true };
    if hints.iter().any(|name| request.headers.get_all(*name).iter().count() > 1) {
        return true;
    }
    let mobile = first(request, hints[1])
        .is_some_and(|mobile| mobile != if agent.contains("Mobile") { "?1" } else { "?0" });
    let platform = first(request, hints[2]).is_some_and(|hint| {
        let Some((name, "")) = string(hint.trim_matches(' ')) else { return true };
        let name = if name == "Chromium OS" { "Chrome OS".into() } else { name };
        let known = ["Windows", "macOS", "Linux", "Android", "Chrome OS"].contains(&name.as_str());
        known && platform(&agent).is_some_and(|platform| platform != name)
    });
    let brands = first(request, hints[0]).is_some_and(|list| match brands(&list) {
        None => true,
        Some(mut brands) => {
            brands.retain(|(name, _)| {
                name.chars().filter(char::is_ascii_alphanumeric).collect::<String>() != "NotABrand"
            });
            let named = |brand: &str| brands.iter().any(|(name, _)| name == brand);
            let of_chromium: Vec<_> =
                brands.iter().filter(|(name, _)| name == "Chromium").collect();
            let other = ["Edg/", "EdgA/", "OPR/"].iter().any(|text| agent.contains(text));
            named("HeadlessChrome") && !agent.contains("HeadlessChrome/")
                || named("Google Chrome") && other
                || if of_chromium.is_empty() {
                    brands.iter().all(|(_, major)| *major != Some(version))
                } else {
                    of_chromium.iter().any(|(_, major)| *major != Some(version))
                }
        }
    });
    mobile || platform || brands
}

/// A list of strings with parameters, as each string and the number of its `v`; `None` where it is none.
fn brands(list: &str) -> Option<Vec<(String, Option<u32>)>> {
    let mut brands = Vec::new();
    let mut rest = list.trim_start_matches(' ');
    loop {
        let (name, mut after) = string(rest)?;
        let mut version = None;
        while let Some(parameter) = after.strip_prefix(';') {
            let parameter = parameter.trim_start_matches(' ');
            let is_key = |char: char| {
                char.is_ascii_lowercase() || char.is_ascii_digit() || "_-.*".contains(char)
            };
            let end = parameter.find(|char| !is_key(char)).unwrap_or(parameter.len());
            let (key, behind) = parameter.split_at(end);
            if !key.starts_with(|char: char| char.is_ascii_lowercase() || char == '*') {
                return None;
            }
            let (value, behind) = match behind.strip_prefix('=') {
                None => (String::new(), behind),
                Some(value) if value.starts_with('"') => string(value)?,
                Some(value) => {
                    let is_plain = |char: char| char.is_ascii_graphic() && !",;\"".contains(char);
                    let end = value.find(|char| !is_plain(char)).unwrap_or(value.len());
                    if end == 0 {
                        return None;
                    }
                    (value[..end].into(), &value[end..])
                }
            };
            if key == "v" {
                let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
                version = (!digits.is_empty()).then(|| digits.parse().unwrap_or(u32::MAX));
            }
            after = behind;
        }
        brands.push((name, version));
        let white = [' ', '\t'];
        rest = after.trim_start_matches(white);
        if rest.is_empty() {
            return Some(brands);
        }
        rest = rest.strip_prefix(',')?.trim_start_matches(white);
    }
}

/// What stands between the quotes that a text begins with, undone escapes left in, and what follows.
fn string(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, char) in inside.char_indices() {
        match char {
            '"' | '\\' if escaped => escaped = false,
            _ if escaped => return None,
            '\\' => escaped = true,
            '"' => return Some((inside[..at].into(), &inside[at + 1..])),
            ' '..='~' => {}
            _ => return None,
        }
    }
    None
}

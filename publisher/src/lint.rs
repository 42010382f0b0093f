//! `greenlightctl lint`: every invariant, and then what no invariant can tell: rows that obey the format and still cannot
//! do what their author seems to mean.

use std::{fmt, path::Path};

use greenlight_artifact::{
    Feature, HEADER_ORDER_CODES, HEADER_ORDER_OTHER, HeaderTest, Key, Row, ValidArtifact,
};
use serde::Serialize;

use crate::{
    build::Summary,
    error::{Error, Exit},
    files::{self, Format},
    report::Report,
};

/// Fields that servers send and clients do not.
const RESPONSE_FIELDS: [&str; 12] = [
    "age",
    "alt-svc",
    "content-security-policy",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "www-authenticate",
];

/// Names that look like a field's and are not, and the field's.
const MISSPELT_FIELDS: [(&str, &str); 9] = [
    ("accept-charsets", "accept-charset"),
    ("accept-encodings", "accept-encoding"),
    ("accept-languages", "accept-language"),
    ("cookies", "cookie"),
    ("forwarded-for", "x-forwarded-for"),
    ("referrer", "referer"),
    ("useragent", "user-agent"),
    ("user-agents", "user-agent"),
    ("x-forward-for", "x-forwarded-for"),
];

/// RFC 9110, section 9, and PATCH of RFC 5789.
const METHODS: [&str; 9] =
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// The versions that a request can have, as the kind counts them.
const VERSIONS: [u64; 4] = [10, 11, 20, 30];

/// What edges count at most of a client's different paths.
const MOST_PATHS: u64 = 1_597;

/// And of its requests within a second.
const MOST_REQUESTS: u64 = 2_097_150;

/// 8 bits, in the hundredths that the kind counts in.
const MOST_ENTROPY: u64 = 800;

/// Checks a source or an artifact.
pub(crate) fn run(
    file: &Path,
    format: Option<Format>,
    deny_warnings: bool,
) -> Result<Report, Error> {
    let artifact = files::load(file, format)?;
    let linted = Linted { summary: Summary::of(&artifact), warnings: warnings(&artifact) };
    let exit = if deny_warnings && !linted.warnings.is_empty() { Exit::Failed } else { Exit::Ok };
    Ok(Report::of(&linted).with_exit(exit))
}

#[derive(Serialize)]
struct Linted {
    #[serde(flatten)]
    summary: Summary,
    warnings: Vec<Warning>,
}

/// Something that is allowed and yet likely a mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Warning {
    /// Stable name.
    reason: &'static str,
    /// The row's key; absent where it is about the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    message: String,
}

fn warnings(artifact: &ValidArtifact) -> Vec<Warning> {
    let rows: Vec<Row> = artifact.rows().collect();
    let mut warnings = Vec::new();
    for row in &rows {
        if row.weight == 0 {
            warnings.push(Warning::of(
                row.key,
                "zero-weight",
                "it costs time and changes no score".into(),
            ));
        }
        if let Some(feature) = Feature::of_row(row) {
            warnings.extend(
                alone(&feature).map(|(reason, message)| Warning::of(row.key, reason, message)),
            );
        }
    }
    pairs(&rows, &mut warnings);
    whole(artifact, &rows, &mut warnings);
    warnings
}

/// What is odd about a feature by itself.
fn alone(feature: &Feature) -> Option<(&'static str, String)> {
    let never = |why: String| Some(("never-fires", why));
    match feature {
        Feature::HttpVersion(version) if !VERSIONS.contains(version) => {
            never(format!("no request has HTTP version {version}: expected one of {VERSIONS:?}"))
        }
        Feature::Header { name, test } => header(name, test),
        Feature::Method(method) if METHODS.contains(&method.to_ascii_uppercase().as_str()) => {
            let upper = method.to_ascii_uppercase();
            if *method == upper {
                None
            } else {
                never(format!("methods are matched exactly: {method} is not {upper}"))
            }
        }
        Feature::Method(method) => {
            let known = METHODS.join(", ");
            Some(("unknown-method", format!("expected one of {known}: few sites know {method}")))
        }
        Feature::PathPrefix(prefix) if !prefix.starts_with('/') => {
            never(format!("paths begin with '/': {prefix} is a prefix of none"))
        }
        Feature::PathPrefix(prefix) if prefix == "/" => always("every path begins with '/'"),
        Feature::PathContains(text) if text == "/" => always("every path contains '/'"),
        Feature::PathPrefix(text) | Feature::PathContains(text) if text.contains(['?', '#']) => {
            never(format!("paths are matched without query and fragment: {text} is in none"))
        }
        Feature::Client(cidr) if cidr.prefix == 0 => always("every address of its family is in it"),
        Feature::ErrorRatioOver(percent) if *percent >= 100 => {
            never(format!("no more than 100 % of requests fail: {percent} is not exceeded"))
        }
        Feature::DistinctPathsOver(paths) if *paths >= MOST_PATHS => {
            never(format!("edges count no more than {MOST_PATHS} paths: {paths} is not exceeded"))
        }
        Feature::RequestRate(rate) if *rate >= MOST_REQUESTS => never(format!(
            "edges count no more than {MOST_REQUESTS} requests a second: {rate} is not exceeded"
        )),
        Feature::PathEntropyOver(hundredths) if *hundredths >= MOST_ENTROPY => never(format!(
            "a byte has no more than 8 bits, and so {MOST_ENTROPY} hundredths: {hundredths} is not exceeded"
        )),
        Feature::HeaderOrder(text) => header_order(text),
        Feature::Ja4Contains(text) if text.contains(|char: char| !is_of_ja4(char)) => {
            never(format!(
                "a JA4 fingerprint has digits, lower-case letters and '_' alone: {text} is in none"
            ))
        }
        _ => None,
    }
}

fn always(why: &str) -> Option<(&'static str, String)> {
    Some(("always-fires", format!("{why}: the intercept can say the same")))
}

const fn is_of_ja4(char: char) -> bool {
    char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_'
}

/// What is odd about a text of the word for the order of header fields: `^`, letters, `$`.
fn header_order(text: &str) -> Option<(&'static str, String)> {
    let never = |why: String| Some(("never-fires", why));
    let fields = text.strip_prefix('^').unwrap_or(text);
    let fields = fields.strip_suffix('$').unwrap_or(fields);
    if fields.is_empty() && text != "^$" {
        return always("every word begins with '^', and nearly every one ends with '$'");
    }
    let is_code = |byte: &u8| {
        *byte == HEADER_ORDER_OTHER || HEADER_ORDER_CODES.iter().any(|(code, _)| code == byte)
    };
    if let Some(stranger) = fields.bytes().find(|byte| !is_code(byte)) {
        let stranger = char::from(stranger);
        return never(format!("no field is {stranger:?} in the word for their order"));
    }
    let twice = |(at, byte): (usize, &u8)| {
        *byte != HEADER_ORDER_OTHER
            && fields.as_bytes().get(..at).is_some_and(|before| before.contains(byte))
    };
    if let Some((_, twice)) = fields.as_bytes().iter().enumerate().find(|place| twice(*place)) {
        let twice = char::from(*twice);
        return never(format!(
            "each letter stands once in the word: {twice:?} stands twice in {text}"
        ));
    }
    None
}

fn header(name: &str, test: &HeaderTest) -> Option<(&'static str, String)> {
    if let HeaderTest::Equals(value) | HeaderTest::Contains(value) = test {
        let trimmed = value.trim_matches(' ').len() == value.len();
        if matches!(test, HeaderTest::Equals(_)) && !trimmed {
            let why = "field values have no space at their ends (RFC 9110, section 5.5)";
            return Some(("never-fires", why.into()));
        }
    }
    let effect = if *test == HeaderTest::Absent { "fires on every request" } else { "never fires" };
    if name.starts_with("x-bot-") {
        return Some((
            "never-seen-header",
            format!("edges strip {name} from requests first: it {effect}"),
        ));
    }
    if RESPONSE_FIELDS.contains(&name) {
        return Some(("never-seen-header", format!("{name} is a field of responses: it {effect}")));
    }
    if let Some((_, meant)) = MISSPELT_FIELDS.iter().find(|(misspelt, _)| *misspelt == name) {
        return Some((
            "never-seen-header",
            format!("{name} is no request field: was {meant} meant? it {effect}"),
        ));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return Some(("never-seen-header", format!("no field is called {name}: it {effect}")));
    }
    None
}

/// What two rows say twice.
fn pairs(rows: &[Row], warnings: &mut Vec<Warning>) {
    for (index, row) in rows.iter().enumerate() {
        let earlier = rows.get(..index).unwrap_or_default();
        let same = |other: &&Row| {
            (other.kind, other.flags, other.argument) == (row.kind, row.flags, row.argument)
        };
        if let Some(first) = earlier.iter().find(same) {
            let message = format!("it fires exactly when {} does: their weights add up", first.key);
            warnings.push(Warning::of(row.key, "duplicate-feature", message));
        }
        let Some(feature) = Feature::of_row(row) else { continue };
        for (other, other_feature) in
            earlier.iter().filter_map(|other| Some((other, Feature::of_row(other)?)))
        {
            if complement(&feature, &other_feature) {
                let message = format!(
                    "it fires exactly when {} does not: one of the two and the intercept say it",
                    other.key
                );
                warnings.push(Warning::of(row.key, "complement", message));
            }
            if implies(&feature, &other_feature) && opposed(row, other) {
                warnings.push(shadowed(row, other));
            } else if implies(&other_feature, &feature) && opposed(row, other) {
                warnings.push(shadowed(other, row));
            }
        }
    }
}

fn complement(one: &Feature, other: &Feature) -> bool {
    use HeaderTest::{Absent, Present};
    match (one, other) {
        (Feature::Header { name, test }, Feature::Header { name: other, test: other_test }) => {
            name == other && matches!((test, other_test), (Present, Absent) | (Absent, Present))
        }
        _ => false,
    }
}

/// A row inside another of the same sign is a refinement, and common. Where the signs differ and the inner one is not
/// the stronger, it can never have its way.
fn opposed(one: &Row, other: &Row) -> bool {
    one.weight.signum().saturating_mul(other.weight.signum()) < 0
}

fn shadowed(inner: &Row, outer: &Row) -> Warning {
    let (inner_weight, outer_weight) = (inner.weight, outer.weight);
    let verdict = if inner_weight.unsigned_abs() <= outer_weight.unsigned_abs() {
        "and outweighs it"
    } else {
        "against it"
    };
    let message = format!(
        "{} ({outer_weight}) fires whenever it ({inner_weight}) does, {verdict}",
        outer.key
    );
    Warning::of(inner.key, "shadowed", message)
}

/// Whether `outer` fires whenever `inner` does, the two being different.
fn implies(inner: &Feature, outer: &Feature) -> bool {
    use HeaderTest::{Contains, Equals, Present};
    if inner == outer {
        return false;
    }
    match (inner, outer) {
        (Feature::UserAgentContains(inner), Feature::UserAgentContains(outer))
        | (
            Feature::PathContains(inner) | Feature::PathPrefix(inner),
            Feature::PathContains(outer),
        ) => inner.contains(outer.as_str()),
        (Feature::PathPrefix(inner), Feature::PathPrefix(outer)) => {
            inner.starts_with(outer.as_str())
        }
        (
            Feature::Header { name: inner, test: inner_test },
            Feature::Header { name: outer, test: outer_test },
        ) => {
            inner == outer
                && match (inner_test, outer_test) {
                    (Equals(_) | Contains(_), Present) => true,
                    (Equals(inner) | Contains(inner), Contains(outer)) => {
                        inner.contains(outer.as_str())
                    }
                    _ => false,
                }
        }
        (Feature::Client(inner), Feature::Client(outer)) => {
            inner.prefix > outer.prefix && inner.address.is_ipv4() == outer.address.is_ipv4() && {
                let width: u32 = if outer.address.is_ipv4() { 32 } else { 128 };
                let bits = |address: std::net::IpAddr| match address {
                    std::net::IpAddr::V4(address) => u128::from(address.to_bits()),
                    std::net::IpAddr::V6(address) => address.to_bits(),
                };
                let host = width.saturating_sub(u32::from(outer.prefix));
                let network = |address| bits(address).checked_shr(host).unwrap_or(0);
                network(inner.address) == network(outer.address)
            }
        }
        (Feature::UserAgentLongerThan(inner), Feature::UserAgentLongerThan(outer))
        | (Feature::HeaderCountOver(inner), Feature::HeaderCountOver(outer))
        | (Feature::HeaderLongerThan(inner), Feature::HeaderLongerThan(outer))
        | (Feature::PathDepthOver(inner), Feature::PathDepthOver(outer))
        | (Feature::PathEntropyOver(inner), Feature::PathEntropyOver(outer))
        | (Feature::RequestRate(inner), Feature::RequestRate(outer))
        | (Feature::DistinctPathsOver(inner), Feature::DistinctPathsOver(outer))
        | (Feature::ErrorRatioOver(inner), Feature::ErrorRatioOver(outer)) => inner > outer,
        (Feature::UserAgentShorterThan(inner), Feature::UserAgentShorterThan(outer))
        | (Feature::HeaderCountUnder(inner), Feature::HeaderCountUnder(outer))
        | (Feature::GapVariationUnder(inner), Feature::GapVariationUnder(outer)) => inner < outer,
        (Feature::UserAgentEmpty, Feature::UserAgentShorterThan(_)) => true,
        (Feature::HeaderOrder(inner), Feature::HeaderOrder(outer))
        | (Feature::Ja4Contains(inner), Feature::Ja4Contains(outer))
        | (Feature::Http2Contains(inner), Feature::Http2Contains(outer)) => {
            inner.contains(outer.as_str())
        }
        _ => false,
    }
}

/// What is odd about the table as a whole.
fn whole(artifact: &ValidArtifact, rows: &[Row], warnings: &mut Vec<Warning>) {
    let mut warn = |reason, message: String| warnings.push(Warning { reason, key: None, message });
    let header = artifact.header();
    let intercept = i64::from(header.intercept);
    let sum = |wanted: fn(&i64) -> bool| {
        rows.iter()
            .map(|row| i64::from(row.weight))
            .filter(wanted)
            .fold(intercept, i64::saturating_add)
    };
    let (highest, lowest) = (sum(|weight| *weight > 0), sum(|weight| *weight < 0));
    if highest <= 0 {
        warn(
            "never-bot",
            format!(
                "no request can be called a bot: all weights together reach {highest} milli-logit"
            ),
        );
    }
    if lowest >= 0 {
        warn(
            "always-bot",
            format!("every request is called a bot: none gets below {lowest} milli-logit"),
        );
    } else if intercept >= 0 {
        let message = format!(
            "a request for which no row fires is called a bot: the intercept is {intercept} milli-logit"
        );
        warn("bot-by-default", message);
    }
    if header.created_at == 0 {
        warn(
            "created-at",
            "created_at is 1970: expected Unix seconds of the artifact's making".into(),
        );
    } else if header.created_at > 1_u64 << 34 {
        // Year 2514; milliseconds of today lie far beyond it.
        warn(
            "created-at",
            format!(
                "created_at is {}: expected Unix seconds; are these milliseconds?",
                header.created_at
            ),
        );
    }
    if header.label.is_empty() {
        warn("no-label", "without a label people can tell artifacts apart by digest alone".into());
    }
}

impl Warning {
    fn of(key: Key, reason: &'static str, message: String) -> Self {
        Self { reason, key: Some(key.to_string()), message }
    }
}

impl fmt::Display for Linted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary)?;
        writeln!(f, "valid      every invariant of format 1 holds")?;
        write!(f, "warnings   {}", self.warnings.len())?;
        for Warning { reason, key, message } in &self.warnings {
            match key {
                Some(key) => write!(f, "\n  {reason}: {key}: {message}")?,
                None => write!(f, "\n  {reason}: {message}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

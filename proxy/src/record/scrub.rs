//! What is left of a request when it is recorded.
//!
//! | part | in the file |
//! |---|---|
//! | query | nothing |
//! | path | each segment that is not a plain word is masked: letters as `x`, digits as `0`, all else as `_`, at most 64 |
//! | header fields | every name in its order; the values of the fields below; of all others an empty value |
//! | client | the network: /24 of IPv4, /48 of IPv6; whether it used TLS |
//! | fingerprints of TLS and HTTP/2 | as they are: all who use the same program have the same |
//! | known crawlers | what became of the claim to be one, as the request was judged |
//! | `x-bot-*` | nothing: they are this proxy's |
//!
//! A word of a path or a user agent can still be somebody's secret: the file is for its owner's eyes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use greenlight_bot::recorded::RecordedRequest;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::Seen;

/// Longest value and longest mask that is kept.
const MAX_VALUE: usize = 1024;
const MAX_MASK: usize = 64;
/// Longest plain word of a path, and the most digits in one.
const MAX_WORD: usize = 24;
const MAX_DIGITS: usize = 4;

/// Fields whose values say what a client is and not who: negotiation, caching and what browsers add by themselves.
const KEPT: [&str; 34] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "device-memory",
    "dnt",
    "downlink",
    "ect",
    "expect",
    "keep-alive",
    "pragma",
    "priority",
    "proxy-connection",
    "range",
    "rtt",
    "save-data",
    "sec-ch-prefers-color-scheme",
    "sec-ch-ua",
    "sec-ch-ua-arch",
    "sec-ch-ua-bitness",
    "sec-ch-ua-full-version-list",
    "sec-ch-ua-mobile",
    "sec-ch-ua-model",
    "sec-ch-ua-platform",
    "sec-ch-ua-platform-version",
    "te",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
];

/// What is kept of a request, but when it came.
pub(super) fn scrub(seen: &Seen<'_>) -> RecordedRequest {
    let header = seen.header;
    let path = header.uri.path();
    let path = if path.starts_with('/') { masked(path) } else { "*".to_owned() };
    let headers = headers(&header.headers);
    let mut request = RecordedRequest::new(method(&header.method), &path, header.version, headers);
    let short = |text: &str| (text.len() <= MAX_VALUE).then(|| text.to_owned());
    request.client = seen.client.address.map(network);
    request.tls = seen.client.tls == Some(true);
    request.ja4 = seen.ja4.and_then(short);
    request.http2 = seen.http2.and_then(short);
    request.crawler = seen.claim;
    request.status = StatusCode::from_u16(seen.status).ok();
    request
}

fn headers(all: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(all.len());
    for (name, value) in all {
        if name.as_str().starts_with("x-bot-") {
            continue;
        }
        let kept = keeps_value(name) && value.len() <= MAX_VALUE;
        let value = if kept { value.clone() } else { HeaderValue::from_static("") };
        headers.append(name.clone(), value);
    }
    headers
}

fn keeps_value(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("sec-fetch-") || name == "sec-gpc" || KEPT.contains(&name)
}

/// A method of somebody's own making may say anything.
fn method(method: &Method) -> Method {
    let plain = method.as_str().len() <= 16
        && method.as_str().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if plain { method.clone() } else { Method::from_bytes(b"OTHER").unwrap_or_default() }
}

fn masked(path: &str) -> String {
    let mut masked = String::with_capacity(path.len());
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            masked.push('/');
        }
        if is_word(segment) {
            masked.push_str(segment);
        } else {
            masked.extend(segment.chars().take(MAX_MASK).map(mask));
        }
    }
    masked
}

/// Whether a segment is something like `login`, `wp-login.php` or `2024`, and not an identifier, a token or an address.
fn is_word(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let upper = segment.bytes().any(|byte| byte.is_ascii_uppercase());
    let lower = segment.bytes().any(|byte| byte.is_ascii_lowercase());
    // Twelve characters in both cases with a digit among them are rather drawn than named.
    let drawn = segment.len() >= 12 && upper && lower && digits > 0;
    segment.len() <= MAX_WORD && digits <= MAX_DIGITS && segment.bytes().all(plain) && !drawn
}

fn mask(char: char) -> char {
    if char.is_ascii_digit() {
        '0'
    } else if char.is_ascii_alphabetic() {
        'x'
    } else {
        '_'
    }
}

/// The network that an address belongs to, as its first address.
pub(super) fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & !0xff).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !((1 << 80) - 1)).into(),
    }
}

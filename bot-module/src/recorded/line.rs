//! The line: JSON text to a request and back.

use std::{borrow::Cow, net::IpAddr, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Label, MAX_LINE, RecordedRequest};
use crate::claim::CrawlerClaim;

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// It is longer than [`MAX_LINE`].
    #[error("expected at most {MAX_LINE} bytes, found a longer line")]
    TooLong,
    /// It is no JSON object of the format's keys.
    #[error("column {column}: {message}")]
    #[non_exhaustive]
    Json {
        /// Where, in bytes from 1.
        column: usize,
        /// What.
        message: String,
    },
    /// The method is none.
    #[error("method: expected a token such as GET, found {found:?}")]
    #[non_exhaustive]
    Method {
        /// Its beginning.
        found: String,
    },
    /// The path is none.
    #[error("path: expected one that begins with \"/\", or \"*\", found {found:?}")]
    #[non_exhaustive]
    Path {
        /// Its beginning.
        found: String,
    },
    /// The version is none of HTTP's.
    #[error("version: expected \"1.0\", \"1.1\", \"2\" or \"3\", found {found:?}")]
    #[non_exhaustive]
    Version {
        /// Its beginning.
        found: String,
    },
    /// The client is no address.
    #[error("client: expected an IP address, found {found:?}")]
    #[non_exhaustive]
    Client {
        /// Its beginning.
        found: String,
    },
    /// The time is none.
    #[error("at: expected a decimal number of seconds from 0 on, found {found:?}")]
    #[non_exhaustive]
    At {
        /// Its beginning.
        found: String,
    },
    /// The status is none.
    #[error("status: expected a number from 100 to 999, found {found}")]
    #[non_exhaustive]
    Status {
        /// The number.
        found: u16,
    },
    /// The name of a header field is none.
    #[error("headers[{index}]: expected a field name, found {found:?}")]
    #[non_exhaustive]
    HeaderName {
        /// Which field, from 0.
        index: usize,
        /// Its beginning.
        found: String,
    },
    /// The value of a header field is none.
    #[error("headers[{index}]: expected a field value without line ends, found {found:?}")]
    #[non_exhaustive]
    HeaderValue {
        /// Which field, from 0.
        index: usize,
        /// Its beginning.
        found: String,
    },
    /// There are more header fields than a map holds.
    #[error("headers: expected at most 24576 names, found {found} fields")]
    #[non_exhaustive]
    Fields {
        /// How many there are.
        found: usize,
    },
}

impl LineError {
    /// A stable, short name of the defect, for logs and answers of programs.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLong => "line-too-long",
            Self::Json { .. } => "json",
            Self::Method { .. } => "method",
            Self::Path { .. } => "path",
            Self::Version { .. } => "version",
            Self::Client { .. } => "client",
            Self::At { .. } => "at",
            Self::Status { .. } => "status",
            Self::HeaderName { .. } => "header-name",
            Self::HeaderValue { .. } => "header-value",
            Self::Fields { .. } => "header-fields",
        }
    }
}

/// The line as written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest<'a> {
    method: Cow<'a, str>,
    path: Cow<'a, str>,
    version: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<Cow<'a, str>>,
    headers: Vec<(Cow<'a, str>, RawValueOf<'a>)>,
    /// As text: a float would round it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tls: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ja4: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    http2: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crawler: Option<RawCrawler>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Cow<'a, str>>,
}

/// A field's value.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a field value: text, or a list of bytes")]
enum RawValueOf<'a> {
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

impl RawValueOf<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawCrawler {
    Verified,
    Unverified,
    Undecided,
}

pub(super) fn parse(line: &[u8]) -> Result<RecordedRequest, LineError> {
    let raw: RawRequest<'_> = serde_json::from_slice(line).map_err(json)?;
    let method =
        raw.method.parse().map_err(|_| LineError::Method { found: excerpt(&raw.method) })?;
    let path = without_query(&raw.path);
    if !path.starts_with('/') && path != "*" {
        return Err(LineError::Path { found: excerpt(&raw.path) });
    }
    let version = match raw.version.strip_prefix("HTTP/").unwrap_or(&raw.version) {
        "1.0" => Version::HTTP_10,
        "1.1" => Version::HTTP_11,
        "2" | "2.0" => Version::HTTP_2,
        "3" | "3.0" => Version::HTTP_3,
        _ => return Err(LineError::Version { found: excerpt(&raw.version) }),
    };
    let client = |text: &str| -> Result<IpAddr, LineError> {
        text.parse().map_err(|_| LineError::Client { found: excerpt(text) })
    };
    let at = |raw: &RawValue| {
        seconds(raw.get()).ok_or_else(|| LineError::At { found: excerpt(raw.get()) })
    };
    let status = |found| StatusCode::from_u16(found).map_err(|_| LineError::Status { found });
    let text = |text: Cow<'_, str>| text.into_owned();
    Ok(RecordedRequest {
        method,
        path: path.to_owned(),
        version,
        headers: headers(&raw.headers)?,
        client: raw.client.as_deref().map(client).transpose()?,
        at: raw.at.as_deref().map(at).transpose()?,
        tls: raw.tls,
        ja4: raw.ja4.map(text),
        http2: raw.http2.map(text),
        crawler: match raw.crawler {
            None => CrawlerClaim::None,
            Some(RawCrawler::Verified) => CrawlerClaim::Verified,
            Some(RawCrawler::Unverified) => CrawlerClaim::Unverified,
            Some(RawCrawler::Undecided) => CrawlerClaim::Undecided,
        },
        status: raw.status.map(status).transpose()?,
        label: raw.label,
        source: raw.source.map(text),
    })
}

fn headers(raw: &[(Cow<'_, str>, RawValueOf<'_>)]) -> Result<HeaderMap, LineError> {
    let mut headers = HeaderMap::with_capacity(raw.len().min(64));
    for (index, (name, value)) in raw.iter().enumerate() {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| LineError::HeaderName { index, found: excerpt(name) })?;
        let bytes = value.bytes();
        let value = HeaderValue::from_bytes(bytes).map_err(|_| LineError::HeaderValue {
            index,
            found: excerpt(&String::from_utf8_lossy(bytes)),
        })?;
        headers.try_append(name, value).map_err(|_| LineError::Fields { found: raw.len() })?;
    }
    Ok(headers)
}

pub(super) fn write(request: &RecordedRequest) -> String {
    let value = |value: &HeaderValue| match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => RawValueOf::Text(Cow::Owned(text.to_owned())),
        Err(_) => RawValueOf::Bytes(Cow::Owned(value.as_bytes().to_owned())),
    };
    let version = match request.version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    };
    let raw = RawRequest {
        method: request.method.as_str().into(),
        path: request.path.as_str().into(),
        version: version.into(),
        client: request.client.map(|client| client.to_string().into()),
        headers: request
            .headers
            .iter()
            .map(|(name, field)| (name.as_str().into(), value(field)))
            .collect(),
        at: request.at.and_then(|at| RawValue::from_string(decimal(at)).ok()),
        tls: request.tls,
        ja4: request.ja4.as_deref().map(Cow::Borrowed),
        http2: request.http2.as_deref().map(Cow::Borrowed),
        crawler: match request.crawler {
            CrawlerClaim::None => None,
            CrawlerClaim::Verified => Some(RawCrawler::Verified),
            CrawlerClaim::Unverified => Some(RawCrawler::Unverified),
            CrawlerClaim::Undecided => Some(RawCrawler::Undecided),
        },
        status: request.status.map(|status| status.as_u16()),
        label: request.label,
        source: request.source.as_deref().map(Cow::Borrowed),
    };
    // Text, numbers and lists of them: nothing that JSON cannot say. Of ASCII's controls it leaves DEL as it is.
    serde_json::to_string(&raw).unwrap_or_default().replace('\u{7f}', "\\u007f")
}

/// `1.25` → 1.25 s. Digits beyond nanoseconds are cut off; neither signs nor exponents.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let nanos = format!("{fraction:0<9}");
    Some(Duration::new(whole.parse().ok()?, nanos.get(..9)?.parse().ok()?))
}

fn decimal(at: Duration) -> String {
    let text = format!("{}.{:09}", at.as_secs(), at.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or_default()
}

fn json(error: serde_json::Error) -> LineError {
    let text = error.to_string();
    // The line is known better by whoever reads the file.
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    LineError::Json { column: error.column(), message: message.to_owned() }
}

fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

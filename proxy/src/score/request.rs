//! A recorded request: one line of JSON.

use std::io::{self, BufRead};
use std::net::IpAddr;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version};
use serde::Deserialize;

/// Longest line. The headers of a request that a proxy accepts are far shorter; a file without line ends must not
/// fill the memory.
pub(super) const MAX_LINE: usize = 1 << 20;

/// What a request is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Label {
    Bot,
    Human,
}

impl Label {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Human => "human",
        }
    }
}

/// The line as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest {
    method: String,
    path: String,
    version: String,
    #[serde(default)]
    client: Option<String>,
    headers: Vec<(String, String)>,
    #[serde(default)]
    label: Option<Label>,
    #[serde(default)]
    source: Option<String>,
}

/// A request that can be scored.
#[derive(Debug)]
pub(super) struct RecordedRequest {
    pub(super) method: Method,
    /// Without the query.
    pub(super) path: String,
    pub(super) version: Version,
    pub(super) client: Option<IpAddr>,
    pub(super) headers: HeaderMap,
    pub(super) label: Option<Label>,
    /// Where the request comes from; the summary counts by it.
    pub(super) source: Option<String>,
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LineError {
    #[error("expected at most {MAX_LINE} bytes, found a longer line")]
    TooLong,
    #[error("column {column}: {message}")]
    Json { column: usize, message: String },
    #[error("method: expected a token such as GET, found {found:?}")]
    Method { found: String },
    #[error("path: expected one that begins with \"/\", or \"*\", found {found:?}")]
    Path { found: String },
    #[error("version: expected \"1.0\", \"1.1\", \"2\" or \"3\", found {found:?}")]
    Version { found: String },
    #[error("client: expected an IP address, found {found:?}")]
    Client { found: String },
    #[error("headers[{index}]: expected a field name, found {found:?}")]
    HeaderName { index: usize, found: String },
    #[error("headers[{index}]: expected a field value without line ends, found {found:?}")]
    HeaderValue { index: usize, found: String },
}

impl LineError {
    /// Stable name of the defect.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::TooLong => "line-too-long",
            Self::Json { .. } => "json",
            Self::Method { .. } => "method",
            Self::Path { .. } => "path",
            Self::Version { .. } => "version",
            Self::Client { .. } => "client",
            Self::HeaderName { .. } => "header-name",
            Self::HeaderValue { .. } => "header-value",
        }
    }
}

impl RecordedRequest {
    pub(super) fn parse(line: &[u8]) -> Result<Self, LineError> {
        let raw: RawRequest = serde_json::from_slice(line).map_err(|error| {
            let text = error.to_string();
            // The line is known better by whoever reads the file.
            let message =
                text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
            LineError::Json { column: error.column(), message: message.to_owned() }
        })?;
        let method =
            raw.method.parse().map_err(|_| LineError::Method { found: excerpt(&raw.method) })?;
        let path = raw.path.split(['?', '#']).next().unwrap_or_default();
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
        let client = match &raw.client {
            Some(text) => {
                Some(text.parse().map_err(|_| LineError::Client { found: excerpt(text) })?)
            }
            None => None,
        };
        let mut headers = HeaderMap::with_capacity(raw.headers.len().min(64));
        for (index, (name, value)) in raw.headers.iter().enumerate() {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| LineError::HeaderName { index, found: excerpt(name) })?;
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| LineError::HeaderValue { index, found: excerpt(value) })?;
            // A map holds 32 768 fields; a line of this length can name more.
            headers.try_append(name, value).map_err(|_| LineError::HeaderName {
                index,
                found: "too many fields".to_owned(),
            })?;
        }
        Ok(Self {
            method,
            path: path.to_owned(),
            version,
            client,
            headers,
            label: raw.label,
            source: raw.source,
        })
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

/// One line of a file.
pub(super) enum Line {
    Text,
    TooLong,
    End,
}

/// Reads a line into `buffer`, without its end and never beyond [`MAX_LINE`]; what is longer is skipped as a whole.
pub(super) fn read_line(input: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<Line> {
    buffer.clear();
    let mut too_long = false;
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok(match (too_long, buffer.is_empty()) {
                (true, _) => Line::TooLong,
                (false, true) => Line::End,
                (false, false) => Line::Text,
            });
        }
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let text = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        too_long |= buffer.len().saturating_add(text.len()) > MAX_LINE;
        if !too_long {
            buffer.extend_from_slice(text);
        }
        let used = text.len().saturating_add(usize::from(end.is_some()));
        input.consume(used);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Text });
        }
    }
}

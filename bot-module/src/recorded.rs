//! Recorded requests, one line of JSON each (NDJSON): what a replay scores and what a model is trained on.
//!
//! | key | value |
//! |---|---|
//! | `method` | the method |
//! | `path` | the path as sent, undecoded; a query is dropped |
//! | `version` | `1.0`, `1.1`, `2` or `3` |
//! | `client` | optional: the client's IP address |
//! | `headers` | a list of `[name, value]` in their order; a value is text or, where it is not UTF-8, a list of its bytes |
//! | `at` | optional: when, in seconds since any origin that all lines share, a decimal number down to nanoseconds |
//! | `tls` | optional: whether the client used TLS |
//! | `ja4`, `http2` | optional: the connection's fingerprints, see [`RequestView`] |
//! | `crawler` | optional: `verified`, `unverified` or `undecided`, where the client says that it is a known crawler |
//! | `status` | optional: the status of the origin's answer |
//! | `label` | optional: what the request is known to be, `bot` or `human` |
//! | `source` | optional: where the request comes from |
//!
//! Other keys are refused. Lines are untrusted: no bytes panic, and [`Reader`] holds no more than [`MAX_LINE`] of them.
//!
//! ```
//! use greenlight_bot::recorded::{Label, Reader, RecordedRequest};
//!
//! let line = r#"{"method":"GET","path":"/","version":"2","headers":[["user-agent","curl/8.5.0"]],"label":"bot"}"#;
//! let request = RecordedRequest::parse(line.as_bytes()).unwrap();
//! assert_eq!(request.label, Some(Label::Bot));
//! assert_eq!(request.view().headers["user-agent"], "curl/8.5.0");
//! assert_eq!(request.to_line(), line);
//!
//! let requests: Vec<_> = Reader::new(line.as_bytes()).map(Result::unwrap).collect();
//! assert_eq!((requests.len(), requests[0].number), (1, 1));
//! ```

mod line;
mod reader;

use std::{net::IpAddr, time::Duration};

use http::{HeaderMap, Method, StatusCode, Version};
use serde::{Deserialize, Serialize};

pub use line::LineError;
pub use reader::{MAX_LINE, NumberedLine, Reader};

use crate::{claim::CrawlerClaim, request::RequestView};

/// What a request is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// A program's that acts by itself.
    Bot,
    /// A person's, by a browser.
    Human,
}

impl Label {
    /// The word for it: `bot` or `human`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Human => "human",
        }
    }
}

/// A request that can be scored. Without what a line does not say, its parts are as in [`RequestView`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method.
    pub method: Method,
    /// The path as sent, undecoded and without the query: begins with `/`, or is `*`.
    pub path: String,
    /// The HTTP version.
    pub version: Version,
    /// The header fields. Fields of one name keep their order, and so do names by their first field.
    pub headers: HeaderMap,
    /// The client's address.
    pub client: Option<IpAddr>,
    /// When the request came, since an origin that all requests of a file share.
    pub at: Option<Duration>,
    /// Whether the client used TLS.
    pub tls: bool,
    /// The JA4 fingerprint of its TLS handshake.
    pub ja4: Option<String>,
    /// The fingerprint of how it opened HTTP/2.
    pub http2: Option<String>,
    /// What became of its claim to come from a known crawler.
    pub crawler: CrawlerClaim,
    /// The status that the origin answered it with. What the edge answers by itself counts for nothing in a replay.
    pub status: Option<StatusCode>,
    /// What it is known to be.
    pub label: Option<Label>,
    /// Where it comes from.
    pub source: Option<String>,
}

impl RecordedRequest {
    /// A request without the optional parts. A query or fragment in `path` is dropped.
    #[must_use]
    pub fn new(method: Method, path: &str, version: Version, headers: HeaderMap) -> Self {
        Self {
            method,
            path: line::without_query(path).to_owned(),
            version,
            headers,
            client: None,
            at: None,
            tls: false,
            ja4: None,
            http2: None,
            crawler: CrawlerClaim::None,
            status: None,
            label: None,
            source: None,
        }
    }

    /// Reads one line, with or without its end.
    ///
    /// # Errors
    /// [`LineError`], the first defect that is found.
    pub fn parse(line: &[u8]) -> Result<Self, LineError> {
        line::parse(line)
    }

    /// Writes the line, without its end. [`RecordedRequest::parse`] gives an equal request back, provided that the path
    /// begins with `/` or is `*` and the version is one that the format knows. A line has no line ends in it: JSON escapes
    /// them, though not all that a terminal obeys.
    #[must_use]
    pub fn to_line(&self) -> String {
        line::write(self)
    }

    /// The request as scoring sees it.
    #[must_use]
    pub fn view(&self) -> RequestView<'_> {
        RequestView::new(self.method.as_str(), &self.path, self.version, &self.headers)
            .with_client(self.client)
            .with_tls(self.tls)
            .with_ja4(self.ja4.as_deref())
            .with_http2(self.http2.as_deref())
            .with_crawler(self.crawler)
    }
}

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use http::{HeaderMap, Version};

use crate::claim::CrawlerClaim;

/// What scoring sees of a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestView<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The path as sent, undecoded, without the query. Bytes that are not UTF-8 may be replaced: no row asks for them.
    pub path: &'a str,
    /// The HTTP version that the client spoke.
    pub version: Version,
    /// The request's header fields, without the pseudo-header fields of HTTP/2: where a client sends `:authority` there
    /// is no `host`. Each value of a repeated field counts by itself, and so does each of the pieces into which HTTP/2
    /// clients may cut `cookie` (RFC 9113, 8.2.3).
    pub headers: &'a HeaderMap,
    /// The client's address, as the host proxy decided it. Rows about addresses and about what a client did before do
    /// not fire without one.
    pub client: Option<IpAddr>,
    /// Whether the client is known to have used TLS. Browsers send client hints over TLS only.
    pub tls: bool,
    /// The JA4 fingerprint of the client's TLS handshake, where it was seen.
    pub ja4: Option<&'a str>,
    /// The fingerprint of how the client opened HTTP/2, where it was seen.
    pub http2: Option<&'a str>,
    /// Whether the client says that it is a known crawler, and whether it is.
    pub crawler: CrawlerClaim,
}

impl<'a> RequestView<'a> {
    /// A request of an unknown client over an unknown connection.
    #[must_use]
    pub const fn new(
        method: &'a str,
        path: &'a str,
        version: Version,
        headers: &'a HeaderMap,
    ) -> Self {
        Self {
            method,
            path,
            version,
            headers,
            client: None,
            tls: false,
            ja4: None,
            http2: None,
            crawler: CrawlerClaim::None,
        }
    }

    /// Sets [`RequestView::client`].
    #[must_use]
    pub const fn with_client(mut self, client: Option<IpAddr>) -> Self {
        self.client = client;
        self
    }

    /// Sets [`RequestView::tls`].
    #[must_use]
    pub const fn with_tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Sets [`RequestView::ja4`].
    #[must_use]
    pub const fn with_ja4(mut self, fingerprint: Option<&'a str>) -> Self {
        self.ja4 = fingerprint;
        self
    }

    /// Sets [`RequestView::http2`].
    #[must_use]
    pub const fn with_http2(mut self, fingerprint: Option<&'a str>) -> Self {
        self.http2 = fingerprint;
        self
    }

    /// Sets [`RequestView::crawler`].
    #[must_use]
    pub const fn with_crawler(mut self, claim: CrawlerClaim) -> Self {
        self.crawler = claim;
        self
    }
}

/// What a client did before and up to a request: what rows about a client's behaviour ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientActivity {
    /// Requests within the last second, the present one included.
    pub requests_last_second: u64,
    /// Different paths of late, the present one included.
    pub distinct_paths: u64,
    /// The share, in percent, of its requests of late that were answered with 4xx; `None` while they are too few to tell.
    pub error_percent: Option<u64>,
    /// How much the gaps between its requests vary: their standard deviation in percent of their mean; `None` while they
    /// are too few to tell.
    pub gap_variation_percent: Option<u64>,
}

impl ClientActivity {
    /// A client of which only the rate is known.
    #[must_use]
    pub const fn of_rate(requests_last_second: u64) -> Self {
        Self {
            requests_last_second,
            distinct_paths: 0,
            error_percent: None,
            gap_variation_percent: None,
        }
    }
}

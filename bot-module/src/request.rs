use std::net::IpAddr;

use http::{HeaderMap, Version};

/// What scoring sees of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The path as sent, undecoded, without the query. Bytes that are not UTF-8 may be replaced: no row asks for them.
    pub path: &'a str,
    /// The HTTP version that the client spoke.
    pub version: Version,
    /// The client's address, as the host proxy decided it. Rows about addresses and rates do not fire without one.
    pub client: Option<IpAddr>,
    /// The request's header fields, without the pseudo-header fields of HTTP/2: where a client sends `:authority` there
    /// is no `host`. Each value of a repeated field counts by itself, and so does each of the pieces into which HTTP/2
    /// clients may cut `cookie` (RFC 9113, 8.2.3).
    pub headers: &'a HeaderMap,
}

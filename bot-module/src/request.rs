use std::net::IpAddr;

use http::{HeaderMap, Version};

/// What scoring sees of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The path as sent, undecoded, without the query.
    pub path: &'a str,
    /// The HTTP version that the client spoke.
    pub version: Version,
    /// The client's address, as the host proxy decided it. Rows about addresses and rates do not fire without one.
    pub client: Option<IpAddr>,
    /// The request's header fields.
    pub headers: &'a HeaderMap,
}

//! How endpoints do, for people and metrics.

use std::collections::BTreeMap;

use serde::Serialize;

/// How the endpoints of one kind do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ApiReport {
    /// `beacon`, `helios` or `rpc`.
    pub api: &'static str,
    /// The endpoints, as configured.
    pub endpoints: Vec<EndpointReport>,
    /// Calls that failed since start, by the stable name of the failure.
    pub errors: BTreeMap<&'static str, u64>,
}

/// How an endpoint does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EndpointReport {
    /// Host and port.
    pub endpoint: String,
    /// Failures in a row; 0 while it is of use.
    pub failures: u32,
    /// Milliseconds for which others are asked before it.
    pub aside_ms: u64,
    /// The stable name of its last failure, however long ago.
    pub last_reason: Option<&'static str>,
    /// Its last failure.
    pub last_error: Option<String>,
}

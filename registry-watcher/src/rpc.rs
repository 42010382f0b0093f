//! JSON-RPC 2.0 over HTTP to endpoints that may be down, slow, broken or lying.

#![allow(clippy::disallowed_methods, reason = "performs network calls and keeps their deadlines")]

use std::{
    error::Error,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::back_off::back_off;

/// The most bytes of an answer that are read. A mainnet block without transaction bodies has about 100 kB, an
/// artifact as event data 26 kB; an endless answer must not fill the memory.
pub const MAX_ANSWER: usize = 1 << 20;

/// Endpoints that serve the same chain, tried in turn.
///
/// A failed endpoint is put aside for a while that doubles with each failure in a row, and one that lied for longer;
/// while all are aside, the one that is due first is tried.
#[derive(Debug)]
pub struct RpcPool {
    client: reqwest::Client,
    deadline: Duration,
    endpoints: Mutex<Vec<Endpoint>>,
}

#[derive(Debug)]
struct Endpoint {
    url: String,
    label: String,
    failures: u32,
    aside_until: Option<Instant>,
}

/// Why a call had no usable answer. With several endpoints, what the last one tried did.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RpcError {
    /// No connection, or one that broke.
    #[error("{endpoint}: {problem}")]
    Unreachable {
        /// Host and port.
        endpoint: String,
        /// What the network said.
        problem: String,
    },
    /// Too slow.
    #[error("{endpoint}: expected an answer within {deadline:?}; found none")]
    Deadline {
        /// Host and port.
        endpoint: String,
        /// The configured deadline.
        deadline: Duration,
    },
    /// Another HTTP status than 200.
    #[error("{endpoint}: expected HTTP 200; found {found}")]
    HttpStatus {
        /// Host and port.
        endpoint: String,
        /// The status.
        found: u16,
    },
    /// Larger than any honest answer.
    #[error("{endpoint}: expected at most {max} bytes; found more")]
    TooLarge {
        /// Host and port.
        endpoint: String,
        /// The cap.
        max: usize,
    },
    /// Not JSON-RPC, or not the result that the method has.
    #[error("{endpoint}: expected the result of {method}; {problem}")]
    Garbage {
        /// Host and port.
        endpoint: String,
        /// The method called.
        method: &'static str,
        /// What the parser said.
        problem: String,
    },
    /// The endpoint answered with an error of its own.
    #[error("{endpoint}: {method} answered error {code}: {message}")]
    Answer {
        /// Host and port.
        endpoint: String,
        /// The method called.
        method: &'static str,
        /// JSON-RPC error code.
        code: i64,
        /// Its message, cut short.
        message: String,
    },
    /// An answer that does not verify.
    #[error("{endpoint}: {method} does not verify: {problem}")]
    Lie {
        /// Host and port.
        endpoint: String,
        /// The method called.
        method: &'static str,
        /// The stable name of what failed.
        reason: &'static str,
        /// What failed.
        problem: String,
    },
    /// An answer that may be honest, from an endpoint that knows less than another did.
    #[error("{endpoint}: {method} is behind: {problem}")]
    Behind {
        /// Host and port.
        endpoint: String,
        /// The method called.
        method: &'static str,
        /// The stable name of what is behind.
        reason: &'static str,
        /// Expected and found.
        problem: String,
    },
    /// There is no endpoint to ask.
    #[error("expected at least one RPC endpoint; found none")]
    NoEndpoint,
}

impl RpcError {
    /// The stable name of the error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "rpc-unreachable",
            Self::Deadline { .. } => "rpc-deadline",
            Self::HttpStatus { .. } => "rpc-http-status",
            Self::TooLarge { .. } => "rpc-too-large",
            Self::Garbage { .. } => "rpc-garbage",
            Self::Answer { .. } => "rpc-error",
            Self::Lie { reason, .. } | Self::Behind { reason, .. } => reason,
            Self::NoEndpoint => "rpc-none",
        }
    }
}

/// A check of an answer, whose failure has a stable name.
pub trait Reason: std::fmt::Display {
    /// The stable name.
    fn reason(&self) -> &'static str;

    /// Whether an honest endpoint can fail the check too, because it is behind the others.
    fn is_behind(&self) -> bool {
        false
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Option<Value>,
    #[serde(default)]
    error: Option<AnswerError>,
}

#[derive(Deserialize)]
struct AnswerError {
    code: i64,
    message: String,
}

impl RpcPool {
    /// A pool over `urls`, each call of which ends within `deadline`.
    ///
    /// # Errors
    /// What the TLS set-up said, where there is none.
    pub fn new(urls: &[String], deadline: Duration) -> Result<Self, reqwest::Error> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(deadline)
            // An RPC that redirects could point anywhere, also into the operator's network.
            .redirect(reqwest::redirect::Policy::none());
        // Where there are no root certificates, as in a minimal container, the client could not even be built.
        if !urls.iter().any(|url| url.to_ascii_lowercase().starts_with("https:")) {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build()?;
        let endpoints = urls
            .iter()
            .map(|url| Endpoint {
                url: url.clone(),
                label: label(url),
                failures: 0,
                aside_until: None,
            })
            .collect();
        Ok(Self { client, deadline, endpoints: Mutex::new(endpoints) })
    }

    /// Calls `method` and checks its result; the first endpoint whose answer passes is believed.
    ///
    /// # Errors
    /// [`RpcError`] of the last endpoint tried.
    pub async fn call_checked<T: DeserializeOwned, R, E: Reason>(
        &self,
        method: &'static str,
        params: &Value,
        check: impl Fn(T) -> Result<R, E> + Send + Sync,
    ) -> Result<R, RpcError> {
        let mut last = RpcError::NoEndpoint;
        for (index, url, label) in self.in_turn() {
            let answer = self.call::<T>(&url, &label, method, params).await.and_then(|value| {
                check(value).map_err(|error| {
                    let (endpoint, reason) = (label.clone(), error.reason());
                    let problem = short(&error.to_string());
                    if error.is_behind() {
                        RpcError::Behind { endpoint, method, reason, problem }
                    } else {
                        RpcError::Lie { endpoint, method, reason, problem }
                    }
                })
            });
            self.report(index, answer.as_ref().err());
            match answer {
                Ok(value) => return Ok(value),
                Err(error) => {
                    tracing::debug!(%error, reason = error.reason(), "rpc call failed");
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// Host and port of the endpoint that is asked first.
    #[must_use]
    pub fn preferred(&self) -> Option<String> {
        self.in_turn().into_iter().next().map(|(_, _, label)| label)
    }

    /// Endpoints that are due, in configured order; or, while none is, the one that is due first.
    fn in_turn(&self) -> Vec<(usize, String, String)> {
        let endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let pick = |(index, endpoint): (usize, &Endpoint)| {
            (index, endpoint.url.clone(), endpoint.label.clone())
        };
        let is_due = |endpoint: &Endpoint| endpoint.aside_until.is_none_or(|until| until <= now);
        let due: Vec<_> = endpoints
            .iter()
            .enumerate()
            .filter(|(_, endpoint)| is_due(endpoint))
            .map(pick)
            .collect();
        if due.is_empty() {
            return endpoints
                .iter()
                .enumerate()
                .min_by_key(|(_, e)| e.aside_until)
                .map(pick)
                .into_iter()
                .collect();
        }
        due
    }

    fn report(&self, index: usize, error: Option<&RpcError>) {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(endpoint) = endpoints.get_mut(index) else { return };
        match error {
            None => {
                endpoint.failures = 0;
                endpoint.aside_until = None;
            }
            Some(error) => {
                endpoint.failures = endpoint.failures.saturating_add(1);
                let first = if matches!(error, RpcError::Lie { .. }) { 30_000 } else { 500 };
                let aside = back_off(first, endpoint.failures, rand::random());
                endpoint.aside_until = Instant::now().checked_add(Duration::from_millis(aside));
            }
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        url: &str,
        endpoint: &str,
        method: &'static str,
        params: &Value,
    ) -> Result<T, RpcError> {
        let body =
            match tokio::time::timeout(self.deadline, self.post(url, endpoint, method, params))
                .await
            {
                Ok(body) => body?,
                Err(_) => {
                    return Err(RpcError::Deadline {
                        endpoint: endpoint.into(),
                        deadline: self.deadline,
                    });
                }
            };
        let garbage = |error: serde_json::Error| RpcError::Garbage {
            endpoint: endpoint.into(),
            method,
            problem: short(&error.to_string()),
        };
        let answer: Answer = serde_json::from_slice(&body).map_err(garbage)?;
        if let Some(error) = answer.error {
            let message = short(&error.message);
            return Err(RpcError::Answer {
                endpoint: endpoint.into(),
                method,
                code: error.code,
                message,
            });
        }
        serde_json::from_value(answer.result.unwrap_or(Value::Null)).map_err(garbage)
    }

    async fn post(
        &self,
        url: &str,
        endpoint: &str,
        method: &'static str,
        params: &Value,
    ) -> Result<Vec<u8>, RpcError> {
        let unreachable = |error: reqwest::Error| RpcError::Unreachable {
            endpoint: endpoint.into(),
            problem: innermost(&error.without_url()),
        };
        let request =
            serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut response = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .body(request.to_string())
            .send()
            .await
            .map_err(unreachable)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(RpcError::HttpStatus {
                endpoint: endpoint.into(),
                found: response.status().as_u16(),
            });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
                return Err(RpcError::TooLarge { endpoint: endpoint.into(), max: MAX_ANSWER });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// The most characters of an error that repeats what an endpoint sent: it ends up in logs, status and evidence.
const MAX_SAID: usize = 500;

fn short(text: &str) -> String {
    text.chars().take(MAX_SAID).flat_map(escaped).collect()
}

/// A control character could forge or garble a line of a log or a terminal.
fn escaped(char: char) -> impl Iterator<Item = char> {
    let (plain, escape) =
        if char.is_control() { (None, Some(char.escape_default())) } else { (Some(char), None) };
    plain.into_iter().chain(escape.into_iter().flatten())
}

/// Host and port of a URL: a path or user part may hold a key that must not reach logs.
fn label(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(url) => match (url.host_str(), url.port_or_known_default()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            _ => "rpc".into(),
        },
        Err(_) => "rpc".into(),
    }
}

/// The last cause of an error: the one that says something.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests;

//! JSON-RPC 2.0 over HTTP.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

pub use crate::endpoints::{Api, Blame, CallError, Reason};
use crate::endpoints::{ApiReport, Ask, Endpoints, Request, Turn, refused, short};

/// The most bytes of an answer that are read. A mainnet block without transaction bodies has about 100 kB, an
/// artifact as event data 26 kB; an endless answer must not fill the memory.
pub const MAX_ANSWER: usize = 1 << 20;

/// JSON-RPC endpoints of one chain, tried in turn: one that failed is put aside for a while, one that lied for longer.
#[derive(Debug)]
pub struct RpcPool {
    endpoints: Endpoints,
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
        Ok(Self { endpoints: Endpoints::new(Api::JsonRpc, urls, deadline)? })
    }

    /// Calls `method` and checks its result; the first endpoint whose answer passes is believed.
    ///
    /// # Errors
    /// [`CallError`] of the last endpoint tried.
    pub async fn call_checked<T: DeserializeOwned, R, E: Reason>(
        &self,
        method: &'static str,
        params: &Value,
        check: impl Fn(T) -> Result<R, E> + Send + Sync,
    ) -> Result<R, CallError> {
        let body =
            serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let ask = Ask { call: method, max: MAX_ANSWER, request: Request::Post(&body) };
        let read = |turn: &Turn, body: &[u8]| {
            check(self.result(turn, method, body)?).map_err(|error| refused(turn, method, &error))
        };
        self.endpoints.ask(ask, read).await
    }

    /// Host and port of the endpoint that is asked first.
    #[must_use]
    pub fn preferred(&self) -> Option<String> {
        self.endpoints.preferred()
    }

    /// The longest that one call may take.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.endpoints.deadline()
    }

    /// How the endpoints do, which are `api`.
    pub(crate) fn report_as(&self, api: &'static str) -> ApiReport {
        self.endpoints.report_as(api)
    }

    /// See [`Endpoints::take_lies`].
    pub(crate) fn take_lies(&self) -> Vec<String> {
        self.endpoints.take_lies()
    }

    fn result<T: DeserializeOwned>(
        &self,
        turn: &Turn,
        method: &'static str,
        body: &[u8],
    ) -> Result<T, CallError> {
        let garbage = |error: serde_json::Error| self.endpoints.garbage(turn, method, &error);
        let answer: Answer = serde_json::from_slice(body).map_err(garbage)?;
        if let Some(AnswerError { code, message }) = answer.error {
            let (endpoint, message) = (turn.label.clone(), short(&message));
            return Err(CallError::Answer { endpoint, call: method, code, message });
        }
        serde_json::from_value(answer.result.unwrap_or(Value::Null)).map_err(garbage)
    }
}

#[cfg(test)]
mod tests;

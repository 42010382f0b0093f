//! HTTP endpoints that serve the same chain and may be down, slow, broken, behind or lying.
//!
//! What JSON-RPC ([`crate::rpc`]) and the Beacon API ([`crate::beacon`]) have in common: turns, back-off, caps, deadlines,
//! and errors that can be shown to people.

#![allow(clippy::disallowed_methods, reason = "performs network calls and keeps their deadlines")]

mod error;
mod report;

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{back_off::back_off, millis::millis};
pub use error::{Api, Blame, CallError, Reason};
pub(crate) use error::{refused, short};
pub use report::{ApiReport, EndpointReport};

/// Endpoints that serve the same chain, tried in turn.
///
/// A failed endpoint is put aside for a while that doubles with each failure in a row, and one that lied for longer;
/// while all are aside, the one that is due first is tried.
#[derive(Debug)]
pub(crate) struct Endpoints {
    api: Api,
    client: reqwest::Client,
    deadline: Duration,
    ledger: Mutex<Ledger>,
}

/// What became of the calls.
#[derive(Debug, Default)]
struct Ledger {
    list: Vec<Endpoint>,
    /// Calls that failed since start, by reason.
    errors: BTreeMap<&'static str, u64>,
    /// Lies that are to go on record.
    lies: Vec<String>,
}

#[derive(Debug)]
struct Endpoint {
    url: String,
    label: String,
    /// In a row.
    failures: u32,
    aside_until: Option<Instant>,
    last_error: Option<(&'static str, String)>,
    /// When a lie last went on record, by reason.
    lied: BTreeMap<&'static str, Instant>,
}

/// The most lies that wait to go on record.
const MAX_LIES: usize = 32;
/// How long a lie that is on record is not recorded again: an endpoint may lie at every look, and be of use in between.
const LIE_AGAIN: Duration = Duration::from_secs(3_600);

/// One endpoint, whose turn it is.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    index: usize,
    url: String,
    /// Host and port.
    pub(crate) label: String,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// A JSON-RPC method, or the template of a REST route: what errors name.
    pub(crate) call: &'static str,
    /// The most bytes of an answer that are read: an endless one must not fill the memory.
    pub(crate) max: usize,
    pub(crate) request: Request<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Request<'a> {
    /// The JSON body of a POST to the endpoint's URL.
    Post(&'a Value),
    /// Path, below the endpoint's URL, and query of a GET.
    Get(&'a str, &'a [(&'static str, String)]),
}

impl Endpoints {
    /// Each call ends within `deadline`.
    ///
    /// # Errors
    /// What the TLS set-up said, where there is none.
    pub(crate) fn new(
        api: Api,
        urls: &[String],
        deadline: Duration,
    ) -> Result<Self, reqwest::Error> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(deadline)
            // An endpoint that redirects could point anywhere, also into the operator's network.
            .redirect(reqwest::redirect::Policy::none());
        // Where there are no root certificates, as in a minimal container, the client could not even be built.
        if !urls.iter().any(|url| url.to_ascii_lowercase().starts_with("https:")) {
            builder = builder.tls_certs_only([]);
        }
        let list = urls
            .iter()
            .map(|url| Endpoint {
                url: url.clone(),
                label: label(url),
                failures: 0,
                aside_until: None,
                last_error: None,
                lied: BTreeMap::new(),
            })
            .collect();
        let ledger = Mutex::new(Ledger { list, ..Ledger::default() });
        Ok(Self { api, client: builder.build()?, deadline, ledger })
    }

    /// Host and port of the endpoint that is asked first.
    pub(crate) fn preferred(&self) -> Option<String> {
        self.in_turn().into_iter().next().map(|turn| turn.label)
    }

    /// Endpoints that are due, in configured order; or, while none is, the one that is due first.
    pub(crate) fn in_turn(&self) -> Vec<Turn> {
        let now = Instant::now();
        let is_due = |endpoint: &Endpoint| endpoint.aside_until.is_none_or(|until| until <= now);
        let ledger = self.ledger();
        let due = ledger.turns(is_due);
        if !due.is_empty() {
            return due;
        }
        let first = ledger.list.iter().filter_map(|endpoint| endpoint.aside_until).min();
        ledger.turns(|endpoint| endpoint.aside_until == first).into_iter().take(1).collect()
    }

    /// The longest that one call may take.
    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// How the endpoints do.
    pub(crate) fn report_as(&self, api: &'static str) -> ApiReport {
        let now = Instant::now();
        let ledger = self.ledger();
        let endpoint = |endpoint: &Endpoint| {
            let aside = endpoint.aside_until.map(|until| until.saturating_duration_since(now));
            EndpointReport {
                endpoint: endpoint.label.clone(),
                failures: endpoint.failures,
                aside_ms: millis(aside.unwrap_or_default()),
                last_reason: endpoint.last_error.as_ref().map(|(reason, _)| *reason),
                last_error: endpoint.last_error.as_ref().map(|(_, text)| text.clone()),
            }
        };
        let endpoints = ledger.list.iter().map(endpoint).collect();
        ApiReport { api, endpoints, errors: ledger.errors.clone() }
    }

    /// The lies that were not handed out yet: once an hour for each endpoint and reason.
    pub(crate) fn take_lies(&self) -> Vec<String> {
        std::mem::take(&mut self.ledger().lies)
    }

    /// Asks the endpoints in turn; the first whose answer `read` takes is believed.
    ///
    /// # Errors
    /// [`CallError`] of the last endpoint tried.
    pub(crate) async fn ask<R>(
        &self,
        ask: Ask<'_>,
        read: impl Fn(&Turn, &[u8]) -> Result<R, CallError> + Send + Sync,
    ) -> Result<R, CallError> {
        let mut last = CallError::NoEndpoint { api: self.api };
        for turn in self.in_turn() {
            match self.ask_one(&turn, ask, |body| read(&turn, body)).await {
                Ok(value) => {
                    self.accept(&turn);
                    return Ok(value);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Asks one endpoint, and puts it aside if it fails. Whoever asks says what became of the answer, by
    /// [`accept`](Self::accept) or [`refuse`](Self::refuse).
    ///
    /// # Errors
    /// [`CallError`].
    pub(crate) async fn ask_one<R>(
        &self,
        turn: &Turn,
        ask: Ask<'_>,
        read: impl Fn(&[u8]) -> Result<R, CallError> + Send + Sync,
    ) -> Result<R, CallError> {
        let body = match tokio::time::timeout(self.deadline, self.exchange(turn, ask)).await {
            Ok(body) => body,
            Err(_) => Err(CallError::Deadline {
                api: self.api,
                endpoint: turn.label.clone(),
                deadline: self.deadline,
            }),
        };
        body.and_then(|body| read(&body)).inspect_err(|error| self.report(turn, Some(error)))
    }

    /// Forgives an endpoint that was of use.
    pub(crate) fn accept(&self, turn: &Turn) {
        self.report(turn, None);
    }

    /// Puts an endpoint aside for an answer that was found wanting later.
    pub(crate) fn refuse(
        &self,
        turn: &Turn,
        call: &'static str,
        why: &(impl Reason + ?Sized),
    ) -> CallError {
        let error = refused(turn, call, why);
        self.report(turn, Some(&error));
        error
    }

    /// An answer that is not what `call` answers.
    pub(crate) fn garbage(
        &self,
        turn: &Turn,
        call: &'static str,
        problem: &dyn std::fmt::Display,
    ) -> CallError {
        let (endpoint, problem) = (turn.label.clone(), short(&problem.to_string()));
        CallError::Garbage { api: self.api, endpoint, call, problem }
    }

    pub(crate) fn report(&self, turn: &Turn, error: Option<&CallError>) {
        let mut guard = self.ledger();
        let Ledger { list, errors, lies } = &mut *guard;
        let Some(endpoint) = list.get_mut(turn.index) else { return };
        let Some(error) = error else {
            endpoint.failures = 0;
            endpoint.aside_until = None;
            return;
        };
        let reason = error.reason();
        tracing::debug!(%error, reason, "call failed");
        let count = errors.entry(reason).or_default();
        *count = count.saturating_add(1);
        endpoint.last_error = Some((reason, error.to_string()));
        endpoint.failures = endpoint.failures.saturating_add(1);
        let is_lie = matches!(error, CallError::Lie { .. });
        let now = Instant::now();
        let is_on_record =
            endpoint.lied.get(reason).is_some_and(|at| now.duration_since(*at) < LIE_AGAIN);
        if is_lie && !is_on_record && lies.len() < MAX_LIES {
            endpoint.lied.insert(reason, now);
            lies.push(format!("{reason}: {error}"));
        }
        let first = if is_lie { 30_000 } else { 500 };
        let aside = back_off(first, endpoint.failures, rand::random());
        endpoint.aside_until = now.checked_add(Duration::from_millis(aside));
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(&self, turn: &Turn, ask: Ask<'_>) -> Result<Vec<u8>, CallError> {
        let (api, endpoint, call) = (self.api, turn.label.clone(), ask.call);
        let unreachable = |error: reqwest::Error| CallError::Unreachable {
            api,
            endpoint: turn.label.clone(),
            problem: short(&innermost(&error.without_url())),
        };
        let request = match ask.request {
            Request::Post(body) => self
                .client
                .post(&turn.url)
                .header("content-type", "application/json")
                .body(body.to_string()),
            Request::Get(path, query) => {
                self.client.get(below(&turn.url, path, query)).header("accept", "application/json")
            }
        };
        let mut response = request.send().await.map_err(unreachable)?;
        if response.status() != reqwest::StatusCode::OK {
            let found = response.status().as_u16();
            return Err(CallError::HttpStatus { api, endpoint, call, found });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len().saturating_add(chunk.len()) > ask.max {
                return Err(CallError::TooLarge { api, endpoint, call, max: ask.max });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    #[cfg(test)]
    pub(crate) fn is_aside(&self, index: usize) -> bool {
        self.ledger().list[index].aside_until.is_some()
    }
}

impl Ledger {
    /// Those that are `meant`, in configured order.
    fn turns(&self, meant: impl Fn(&Endpoint) -> bool) -> Vec<Turn> {
        let turn = |(index, endpoint): (usize, &Endpoint)| Turn {
            index,
            url: endpoint.url.clone(),
            label: endpoint.label.clone(),
        };
        self.list.iter().enumerate().filter(|(_, endpoint)| meant(endpoint)).map(turn).collect()
    }
}

/// A route below a base URL, whose own path and query (either may hold a key) stay.
fn below(base: &str, path: &str, query: &[(&'static str, String)]) -> String {
    let (base, kept) = base.split_once('?').unwrap_or((base, ""));
    let mut url = format!("{}{path}", base.trim_end_matches('/'));
    let own = (!kept.is_empty()).then(|| kept.to_owned());
    let pairs = query.iter().map(|(key, value)| format!("{key}={value}"));
    for (index, pair) in pairs.chain(own).enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        url.push_str(&pair);
    }
    url
}

/// Host and port of a URL: a path or user part may hold a key that must not reach logs.
fn label(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(url) => match (url.host_str(), url.port_or_known_default()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            _ => "endpoint".into(),
        },
        Err(_) => "endpoint".into(),
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

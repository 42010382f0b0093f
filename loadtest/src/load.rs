//! Bounded load on the proxy, from loopback to loopback, and what became of every request of it.
//!
//! Clients keep their connections, each sends human requests and bot requests in turn over all routes, and each comes
//! under many client addresses (through `X-Forwarded-For` of a trusted proxy), so that rows about request rates stay
//! quiet: a score then depends on the request and the artifact alone.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde::{Serialize, Serializer};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use crate::{
    http::{Broken, Client, Response},
    origin::Told,
};

/// No scene sends more.
const MAX_REQUESTS: u64 = 400_000;
/// No scene lasts longer, a long soak apart.
const MAX_TIME: Duration = Duration::from_secs(600);
/// A response that takes this long is a failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who a request seems to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Who {
    Human,
    Bot,
}

/// The routes of the harness's configuration: one for each thing that the proxy can do with a low score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Route {
    Block,
    Tag,
    Log,
    Shadow,
}

impl Route {
    pub(crate) const ALL: [Self; 4] = [Self::Block, Self::Tag, Self::Log, Self::Shadow];

    const fn path(self) -> &'static str {
        match self {
            Self::Block => "/",
            Self::Tag => "/tag/page",
            Self::Log => "/log/page",
            Self::Shadow => "/shadow/page",
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Seen {
    pub(crate) who: Who,
    pub(crate) route: Route,
    pub(crate) status: u16,
    /// As the origin received it; none where the request did not reach it.
    pub(crate) score: Option<u8>,
    pub(crate) verdict: Option<String>,
    pub(crate) artifact: Option<String>,
}

impl Seen {
    fn of(who: Who, route: Route, response: &Response) -> Result<Self, Broken> {
        let told = match response.status {
            200 => Some(
                serde_json::from_slice::<Told>(&response.body)
                    .map_err(|error| Broken::Malformed(format!("the origin's answer: {error}")))?,
            ),
            _ => None,
        };
        let (score, verdict, artifact) =
            told.map_or((None, None, None), |told| (told.score, told.verdict, told.artifact));
        Ok(Self { who, route, status: response.status, score, verdict, artifact })
    }

    /// Let through without a score.
    pub(crate) fn is_unscored(&self) -> bool {
        self.status == 200 && self.score == Some(0)
    }
}

/// Requests as bytes, without the field that names their client.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    browser: Vec<(String, String)>,
}

/// Programs that say what they are, with the fields that their libraries send.
const BOTS: [&str; 3] = [
    "User-Agent: curl/8.5.0\r\nAccept: */*\r\n",
    "User-Agent: python-requests/2.32.3\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\n",
    "User-Agent: Scrapy/2.11.2 (+https://scrapy.org)\r\nAccept-Encoding: gzip, deflate\r\n",
];

impl Requests {
    /// `browser` is config/sample/browser.json: a real browser's fields in their order.
    pub(crate) fn new(browser: &str) -> Result<Self> {
        let fields: Vec<(String, String)> =
            serde_json::from_str(browser).context("browser.json")?;
        Ok(Self {
            browser: fields
                .into_iter()
                .filter(|(name, _)| !name.eq_ignore_ascii_case("connection"))
                .collect(),
        })
    }

    /// A field of the browser's request.
    pub(crate) fn browser_field(&self, name: &str) -> Option<&str> {
        self.browser
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The browser's request for a path, straight from it.
    pub(crate) fn direct(&self, path: &str) -> Vec<u8> {
        let mut text = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in &self.browser {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.into_bytes()
    }

    /// The `turn`th request of a kind; its client address follows from the turn. Some carry a body, some forge a score.
    pub(crate) fn bytes(&self, who: Who, route: Route, turn: u64) -> Vec<u8> {
        let post = turn % 16 == 7;
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 198.51.100.{}\r\n",
            if post { "POST" } else { "GET" },
            route.path(),
            turn % 250 + 1
        );
        match who {
            Who::Human => self.browser.iter().for_each(|(name, value)| {
                text.push_str(&format!("{name}: {value}\r\n"));
            }),
            Who::Bot => text.push_str(BOTS[usize::try_from(turn).unwrap_or(0) % BOTS.len()]),
        }
        if turn % 5 == 3 {
            text.push_str("X-Bot-Score: 99\r\nX-Bot-Verdict: allow\r\n");
        }
        text.push_str(if post { "Content-Length: 11\r\n\r\nhello=world" } else { "\r\n" });
        text.into_bytes()
    }
}

/// Counts of a load.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) fivexx: u64,
    /// No connection could be made.
    pub(crate) refused: u64,
    pub(crate) resets: u64,
    pub(crate) early_ends: u64,
    pub(crate) timeouts: u64,
    pub(crate) malformed: u64,
    /// How the first few failures read.
    pub(crate) failures: Vec<String>,
    #[serde(serialize_with = "as_list")]
    pub(crate) seen: BTreeMap<Seen, u64>,
}

/// JSON has no keys of several fields.
fn as_list<S: Serializer>(seen: &BTreeMap<Seen, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Counted<'s> {
        #[serde(flatten)]
        seen: &'s Seen,
        count: u64,
    }
    serializer.collect_seq(seen.iter().map(|(seen, count)| Counted { seen, count: *count }))
}

impl Tally {
    /// Exchanges that ended without a whole response, whatever the way.
    pub(crate) const fn broken(&self) -> u64 {
        self.refused + self.resets + self.early_ends + self.timeouts + self.malformed
    }

    /// How many requests `matches` accepts.
    pub(crate) fn count(&self, matches: impl Fn(&Seen) -> bool) -> u64 {
        self.seen.iter().filter(|(seen, _)| matches(seen)).map(|(_, count)| count).sum()
    }

    fn add(&mut self, outcome: Result<Seen, Broken>) {
        let status = outcome.as_ref().map(|seen| seen.status).map_err(Clone::clone);
        self.add_status(status, || match &outcome {
            Ok(seen) => format!("{:?} on {:?}", seen.who, seen.route),
            Err(_) => String::new(),
        });
        if let Ok(seen) = outcome {
            *self.seen.entry(seen).or_default() += 1;
        }
    }

    /// Counts a request of which only the status counts, or its lack.
    fn add_status(&mut self, outcome: Result<u16, Broken>, what: impl FnOnce() -> String) {
        self.requests += 1;
        match outcome {
            Ok(status) if status >= 500 => {
                self.fivexx += 1;
                self.note(format!("{status} for {}", what()));
            }
            Ok(_) => {}
            Err(broken) => {
                *match broken {
                    Broken::Refused(_) => &mut self.refused,
                    Broken::Reset(_) => &mut self.resets,
                    Broken::EarlyEnd => &mut self.early_ends,
                    Broken::Timeout => &mut self.timeouts,
                    Broken::Malformed(_) => &mut self.malformed,
                } += 1;
                self.note(broken.to_string());
            }
        }
    }

    fn note(&mut self, failure: String) {
        if self.failures.len() < 10 {
            self.failures.push(failure);
        }
    }

    /// What was counted since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let mut seen = self.seen.clone();
        for (key, count) in &before.seen {
            if let Some(now) = seen.get_mut(key) {
                *now -= count;
            }
        }
        seen.retain(|_, count| *count > 0);
        Self {
            requests: self.requests - before.requests,
            fivexx: self.fivexx - before.fivexx,
            refused: self.refused - before.refused,
            resets: self.resets - before.resets,
            early_ends: self.early_ends - before.early_ends,
            timeouts: self.timeouts - before.timeouts,
            malformed: self.malformed - before.malformed,
            failures: self.failures.get(before.failures.len()..).unwrap_or_default().to_vec(),
            seen,
        }
    }
}

/// Counts that several loads, one after the other, add to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<Mutex<Tally>>);

impl Counter {
    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts so far.
    pub(crate) fn read(&self) -> Tally {
        self.lock().clone()
    }
}

/// A running load.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    clients: JoinSet<()>,
}

/// How much load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Volume {
    pub(crate) clients: u64,
    /// Between a client's response and its next request.
    pub(crate) pause: Duration,
    /// At most.
    pub(crate) lasts: Duration,
}

impl Volume {
    /// Some hundred requests a second: every change happens amid requests, and two cores carry several scenes at once.
    pub(crate) const DEFAULT: Self =
        Self { clients: 8, pause: Duration::from_millis(25), lasts: MAX_TIME };
    /// For one of many edges, or for many minutes.
    pub(crate) const LIGHT: Self =
        Self { clients: 2, pause: Duration::from_millis(50), lasts: MAX_TIME };
}

impl Load {
    /// Starts clients that send requests to `to` until stopped, or until the bounds of this module.
    pub(crate) fn start(
        to: SocketAddr,
        requests: &Arc<Requests>,
        counter: &Counter,
        volume: Volume,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let until = Instant::now() + volume.lasts;
        let mut clients = JoinSet::new();
        for client in 0..volume.clients {
            let worker = Worker {
                client: Client::new(to, PATIENCE),
                requests: Arc::clone(requests),
                counter: counter.clone(),
                pause: volume.pause,
                // Clients start at different turns, so that at any time all kinds of requests are in flight.
                turn: client * 1_009,
            };
            clients.spawn(worker.run(stopped.clone(), until));
        }
        Self { stop, clients }
    }

    /// Lets every client finish its request.
    pub(crate) async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.clients.join_next().await.is_some() {}
    }
}

struct Worker {
    client: Client,
    requests: Arc<Requests>,
    counter: Counter,
    pause: Duration,
    turn: u64,
}

impl Worker {
    async fn run(mut self, mut stopped: watch::Receiver<bool>, until: Instant) {
        while !*stopped.borrow()
            && Instant::now() < until
            && self.counter.lock().requests < MAX_REQUESTS
        {
            self.turn += 1;
            let who = if self.turn.is_multiple_of(2) { Who::Human } else { Who::Bot };
            let route = Route::ALL[usize::try_from(self.turn / 2).unwrap_or(0) % Route::ALL.len()];
            let outcome = send(&mut self.client, &self.requests, who, route, self.turn).await;
            self.counter.lock().add(outcome);
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => {}
                () = tokio::time::sleep(self.pause) => {}
            }
        }
    }
}

async fn send(
    client: &mut Client,
    requests: &Requests,
    who: Who,
    route: Route,
    turn: u64,
) -> Result<Seen, Broken> {
    let response = client.exchange(&requests.bytes(who, route, turn)).await?;
    Seen::of(who, route, &response)
}

/// Single requests beside a load, which count like all others.
#[derive(Debug)]
pub(crate) struct Probe {
    client: Client,
    requests: Arc<Requests>,
    counter: Counter,
    turn: u64,
}

impl Probe {
    pub(crate) fn new(to: SocketAddr, requests: &Arc<Requests>, counter: &Counter) -> Self {
        Self {
            client: Client::new(to, PATIENCE),
            requests: Arc::clone(requests),
            counter: counter.clone(),
            turn: 0,
        }
    }

    /// Sends one request.
    pub(crate) async fn send(&mut self, who: Who, route: Route) -> Result<Seen> {
        // Of three bots always the first, of sixteen requests never one with a body.
        self.turn += 3 * 16;
        let outcome = send(&mut self.client, &self.requests, who, route, self.turn).await;
        self.counter.lock().add(outcome.clone());
        outcome.map_err(|broken| anyhow::anyhow!("{who:?} on {route:?}: {broken}"))
    }
}

/// Requests of any bytes over one connection; how they end counts like all others.
#[derive(Debug)]
pub(crate) struct Raw {
    client: Client,
    counter: Counter,
}

impl Raw {
    pub(crate) fn new(to: SocketAddr, counter: &Counter) -> Self {
        Self { client: Client::new(to, 3 * PATIENCE), counter: counter.clone() }
    }

    /// Sends one request. `None` where it had no whole response, which the counter knows.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Option<Response> {
        let outcome = self.client.exchange(request).await;
        let status = outcome.as_ref().map(|response| response.status).map_err(Clone::clone);
        let excerpt = || request.escape_ascii().take(200).map(char::from).collect();
        self.counter.lock().add_status(status, excerpt);
        outcome.ok()
    }
}

#[cfg(test)]
mod tests;

//! Counters of the proxy and their exposition for Prometheus. Every label has a fixed set of values: nothing that a
//! client or an endpoint sends, nor any digest, ever becomes one.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::record::Recording;

/// Upper bounds of the score histogram.
const SCORE_BOUNDS: [u8; 11] = [1, 9, 19, 29, 39, 49, 59, 69, 79, 89, 99];
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// Who made a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The upstream, or its failure.
    Upstream,
    /// This proxy.
    Proxy,
}

impl Source {
    const ALL: [Self; 2] = [Self::Upstream, Self::Proxy];

    fn label(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Proxy => "proxy",
        }
    }
}

/// How the upstream failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpstreamFault {
    Connect,
    Timeout,
    Closed,
    Protocol,
}

impl UpstreamFault {
    const ALL: [Self; 4] = [Self::Connect, Self::Timeout, Self::Closed, Self::Protocol];

    /// Stable name, for logs and metrics.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) recording: Recording,
    responses: [[AtomicU64; 6]; 2],
    faults: [AtomicU64; 4],
    retries: AtomicU64,
    scores: [AtomicU64; 11],
    score_sum: AtomicU64,
    in_flight: AtomicU64,
}

/// A request under way, until it is dropped.
pub(crate) struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a response; a status of 0 says that the client was gone before there was one.
    pub(crate) fn response(&self, status: u16, source: Source) {
        let class = usize::from(status.checked_div(100).unwrap_or(0));
        let of_source = self.responses.get(source as usize);
        bump(of_source.and_then(|classes| classes.get(class)));
    }

    pub(crate) fn upstream_fault(&self, fault: UpstreamFault) {
        bump(self.faults.get(fault as usize));
    }

    pub(crate) fn retry(&self) {
        bump(Some(&self.retries));
    }

    pub(crate) fn score(&self, score: u8) {
        let bucket = SCORE_BOUNDS.iter().position(|&bound| score <= bound);
        bump(bucket.and_then(|bucket| self.scores.get(bucket)));
        self.score_sum.fetch_add(u64::from(score), Ordering::Relaxed);
    }

    /// Writes the proxy's own families.
    pub(crate) fn write(&self, out: &mut Exposition) {
        out.family(
            "greenlight_responses_total",
            "counter",
            "Responses by status class and by who made them.",
        );
        for (source, classes) in Source::ALL.iter().zip(&self.responses) {
            for (class, count) in CLASSES.iter().zip(classes) {
                out.sample(
                    "greenlight_responses_total",
                    &[("class", class), ("source", source.label())],
                    read(count),
                );
            }
        }
        out.family(
            "greenlight_upstream_faults_total",
            "counter",
            "Requests that the upstream failed, by how.",
        );
        for (fault, count) in UpstreamFault::ALL.iter().zip(&self.faults) {
            out.sample(
                "greenlight_upstream_faults_total",
                &[("reason", fault.reason())],
                read(count),
            );
        }
        out.counter(
            "greenlight_upstream_retries_total",
            "Attempts repeated on another connection.",
            read(&self.retries),
        );
        out.gauge("greenlight_requests_in_flight", "Requests under way.", self.in_flight());

        self.recording.write(out);
        out.family(
            "greenlight_score",
            "histogram",
            "Scores given: 1 surely a bot, 99 surely a human.",
        );
        let mut total: u64 = 0;
        for (bound, count) in SCORE_BOUNDS.iter().zip(&self.scores) {
            total = total.saturating_add(read(count));
            out.sample("greenlight_score_bucket", &[("le", &bound.to_string())], total);
        }
        out.sample("greenlight_score_bucket", &[("le", "+Inf")], total);
        out.sample("greenlight_score_sum", &[], read(&self.score_sum));
        out.sample("greenlight_score_count", &[], total);
    }
}

fn bump(counter: Option<&AtomicU64>) {
    if let Some(counter) = counter {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Text in Prometheus' exposition format 0.0.4.
#[derive(Debug, Default)]
pub(crate) struct Exposition(String);

impl Exposition {
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Label values are compiled in, or a network's name of a-z, 0-9 and "-": they need no escaping.
    pub(crate) fn sample(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        value: impl std::fmt::Display,
    ) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{text}\"", if index == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    pub(crate) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, &[], value);
    }

    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests;

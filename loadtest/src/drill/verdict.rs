use serde::Serialize;
use tokio::time::Instant;

use super::Drill;
use crate::{
    load::Tally,
    scene::{Findings, Journal},
    tools::Tools,
};

/// How a drill went.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) drill: String,
    pub(crate) pass: bool,
    requests: u64,
    fivexx: u64,
    /// Exchanges that ended without a whole response, whatever the way; `load` tells the ways apart.
    resets: u64,
    seconds: f64,
    failures: Vec<String>,
    /// The last lines of its last edge, where the drill failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    edge_said: Option<String>,
    facts: serde_json::Map<String, serde_json::Value>,
    load: Tally,
}

impl Drill {
    pub(crate) fn new(tools: Tools) -> Self {
        Self { tools, journal: Journal::default(), findings: Findings::default() }
    }

    /// What holds for every drill, beside what this one found.
    pub(crate) fn verdict(
        self,
        name: String,
        start: Instant,
        outcome: anyhow::Result<()>,
    ) -> Verdict {
        let Self { journal, mut findings, .. } = self;
        if let Err(error) = outcome {
            findings.failures.push(format!("{error:#}"));
        }
        let load = journal.counter.read();
        findings.equal("responses of 5xx", load.fivexx, 0);
        findings.equal("broken exchanges", load.broken(), 0);
        findings.equal("panics of the edge", journal.panics(), Vec::new());
        findings.expect(load.requests > 0, || "expected load; found none".into());
        Verdict {
            drill: name,
            pass: findings.failures.is_empty(),
            requests: load.requests,
            fivexx: load.fivexx,
            resets: load.broken(),
            seconds: (start.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            edge_said: if findings.failures.is_empty() { None } else { Some(journal.tail(60)) },
            failures: findings.failures,
            facts: findings.facts,
            load,
        }
    }
}

impl Verdict {
    /// One line on stdout whatever happened; the reasons of a failure on stderr.
    pub(crate) fn print(&self, title: &str) {
        let Self { drill, requests, fivexx, resets, .. } = self;
        let verdict = if self.pass { "pass" } else { "fail" };
        println!("{title} {verdict} requests={requests} fivexx={fivexx} resets={resets}");
        for failure in self.failures.iter().chain(&self.load.failures) {
            eprintln!("  {drill}: {}", failure.replace('\n', "\n    "));
        }
    }
}

//! An edge: `greenlight run` as a process, with a configuration and a state folder of its own.

mod settings;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use greenlight_watcher::evidence::{self, Line};
use rustix::process::Pid;
use serde_json::Value;
use tokio::time::Instant;

pub(crate) use settings::{Heads, LightClient, Proofs, Settings};

use crate::{
    process::{Process, Said},
    tools::Tools,
};

/// A running edge.
#[derive(Debug)]
pub(crate) struct Edge {
    process: Process,
    http: reqwest::Client,
    /// Where it takes requests.
    pub(crate) address: SocketAddr,
    /// The same over TLS, where it is configured.
    pub(crate) https: Option<SocketAddr>,
    pub(crate) admin: SocketAddr,
    state: PathBuf,
    /// From the start of the process until it said that it serves.
    pub(crate) ready_in: Duration,
}

impl Edge {
    /// Starts one and waits until `/healthz` says that it serves.
    pub(crate) async fn start(tools: &Tools, settings: &Settings) -> Result<Self> {
        let start = Instant::now();
        let mut process = Process::start("greenlight", settings.command(tools)?)?;
        let within = Duration::from_secs(30);
        let address = process.line(within, |line| listening(line, "listening for HTTP")).await?;
        let mut https = None;
        let admin = |line: &str| {
            https = https.or_else(|| listening(line, "listening for HTTPS"));
            listening(line, "listening for admin")
        };
        let admin = process.line(within, admin).await?;
        process.listen_no_more();
        let http =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        let mut edge = Self {
            process,
            http,
            address,
            https,
            admin,
            state: settings.state.clone(),
            ready_in: Duration::ZERO,
        };
        while edge.get("/healthz").await.is_err() {
            if !edge.process.is_running() || start.elapsed() > within {
                bail!("greenlight does not serve; it said:\n{}", edge.process.said().tail(20));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        edge.ready_in = start.elapsed();
        Ok(edge)
    }

    async fn get(&self, path: &str) -> Result<String> {
        let response = self
            .http
            .get(format!("http://{}{path}", self.admin))
            .send()
            .await?
            .error_for_status()?;
        Ok(response.text().await?)
    }

    /// `/status`.
    pub(crate) async fn status(&self) -> Result<Value> {
        serde_json::from_str(&self.get("/status").await?).context("/status")
    }

    /// A metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> Result<f64> {
        let text = self.get("/metrics").await?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).with_context(|| format!("no metric {name}"))
    }

    /// Every series of `/metrics`, by its name with its labels.
    pub(crate) async fn series(&self) -> Result<BTreeMap<String, f64>> {
        let text = self.get("/metrics").await?;
        let series = text.lines().filter(|line| !line.starts_with('#'));
        let pair = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        series.map(|line| pair(line).with_context(|| format!("/metrics: {line}"))).collect()
    }

    /// The operator's break-glass file: while it is there, everything is allowed.
    pub(crate) fn break_glass(&self) -> PathBuf {
        self.state.join("allow-all")
    }

    /// Polls `/status` until `holds`, and returns it.
    pub(crate) async fn until(
        &self,
        what: &str,
        within: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let start = Instant::now();
        loop {
            let status = self.status().await?;
            if holds(&status) {
                return Ok(status);
            }
            if start.elapsed() > within {
                bail!("expected {what} within {within:?}; found {status}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until this artifact runs.
    pub(crate) async fn runs(&self, digest: &str, within: Duration) -> Result<Value> {
        self.until(&format!("{digest} to run"), within, |status| {
            status["artifact"]["digest"] == digest
        })
        .await
    }

    /// Waits until this artifact runs, has soaked and is on disk, with the record that says so.
    pub(crate) async fn keeps(&self, digest: &str, within: Duration) -> Result<Value> {
        let file = self.state.join("artifacts").join(format!("{digest}.glff"));
        let is_good = |status: &Value| {
            status["artifact"]["digest"] == digest && status["artifact"]["phase"] == "good"
        };
        let is_recorded = || {
            let text = fs::read_to_string(self.state.join("durable.json")).ok()?;
            let record: Value = serde_json::from_str(unsealed(&text)?).ok()?;
            record["good"].as_array()?.iter().find(|one| one["digest"] == digest).map(drop)
        };
        self.until(&format!("{digest} to be good"), within, |status| {
            is_good(status) && file.exists() && is_recorded().is_some()
        })
        .await
    }

    /// Waits until this artifact will not be tried again, and says why.
    pub(crate) async fn quarantines(&self, digest: &str, within: Duration) -> Result<String> {
        let reason = |status: &Value| {
            let one =
                status["quarantine"].as_array()?.iter().find(|one| one["digest"] == digest)?;
            one["reason"].as_str().map(ToOwned::to_owned)
        };
        let what = format!("{digest} in quarantine");
        let status = self.until(&what, within, |status| reason(status).is_some()).await?;
        reason(&status).context("a reason")
    }

    /// The process's resident set in MiB.
    pub(crate) fn rss_mib(&self) -> Result<f64> {
        self.process.rss_mib()
    }

    pub(crate) const fn pid(&self) -> Pid {
        self.process.pid()
    }

    /// Whether the process is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    pub(crate) fn said(&self) -> Said {
        self.process.said()
    }

    /// What the edge recorded, if its chain of hashes holds.
    pub(crate) fn evidence(&self) -> Result<Vec<Line>> {
        evidence_in(&self.state)
    }

    /// SIGTERM; a graceful end is exit code 0.
    pub(crate) async fn end(self) -> Result<()> {
        let said = self.process.said();
        let status = self.process.end(Duration::from_secs(20)).await?;
        if status.success() {
            Ok(())
        } else {
            bail!("greenlight ended with {status}; it said:\n{}", said.tail(20))
        }
    }

    /// SIGKILL.
    pub(crate) async fn kill(self) -> Result<()> {
        self.process.kill().await
    }
}

/// What an edge with this state folder recorded, if its chain of hashes holds.
pub(crate) fn evidence_in(state: &Path) -> Result<Vec<Line>> {
    let path = state.join("evidence.ndjson");
    evidence::verify(&path).with_context(|| path.display().to_string())?;
    let text = fs::read_to_string(&path)?;
    text.lines().map(|line| serde_json::from_str(line).context("evidence")).collect()
}

fn listening(line: &str, message: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["message"] == message).then(|| line["address"].as_str()?.parse().ok())?
}

/// The JSON of a durable record: all but its last line, the checksum.
pub(crate) fn unsealed(text: &str) -> Option<&str> {
    text.trim_end().rsplit_once('\n').map(|(json, _)| json)
}

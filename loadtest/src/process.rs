//! Child processes whose output is read as it comes, which never outlive the harness and are never waited for without end.

use std::{
    collections::VecDeque,
    fs,
    process::{ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

/// Lines that are kept to tell what a process said.
const KEPT: usize = 400;

/// The longest that a program takes which is run to its end, on a busy machine: Forge and Go compile for the first time, and
/// greenlightctl derives the development key.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What must be over within `limit`; an error where it is not.
pub(crate) async fn limited<T>(
    limit: Duration,
    what: impl Future<Output = Result<T>>,
) -> Result<T> {
    timeout(limit, what).await.unwrap_or_else(|_| bail!("not over after {limit:?}"))
}

/// Runs a program to its end, and kills it where that does not come `within`.
pub(crate) async fn run(name: &str, mut command: Command, within: Duration) -> Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.kill_on_drop(true).spawn().with_context(|| format!("cannot start {name}"))?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let ended = timeout(within, async {
        tokio::try_join!(
            read_all(child.stdout.take(), &mut stdout),
            read_all(child.stderr.take(), &mut stderr),
            child.wait(),
        )
    });
    let Ok(ended) = ended.await else {
        bail!(
            "{name} was not over within {within:?} and was killed; it said:\n{}\n{}",
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr)
        );
    };
    let ((), (), status) = ended.with_context(|| format!("cannot read {name}"))?;
    Ok(Output { status, stdout, stderr })
}

async fn read_all(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> std::io::Result<()> {
    match from {
        Some(mut from) => from.read_to_end(into).await.map(drop),
        None => Ok(()),
    }
}

/// A running child. Dropped, it is killed; [`Process::end`] lets it finish first.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    pid: Pid,
    said: Said,
    lines: mpsc::UnboundedReceiver<String>,
}

/// What a process has written last, and whether a thread of it panicked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said(Arc<Mutex<Spoken>>);

#[derive(Debug, Default)]
struct Spoken {
    last: VecDeque<String>,
    panics: Vec<String>,
    lines: u64,
    /// The first few lines that are not one JSON object each.
    odd: Vec<String>,
}

impl Said {
    fn hear(&self, line: &str) {
        let mut spoken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if line.contains("panicked at") {
            spoken.panics.push(line.to_owned());
        }
        spoken.lines += 1;
        if spoken.odd.len() < 5 && !is_object(line) {
            spoken.odd.push(line.to_owned());
        }
        if spoken.last.len() == KEPT {
            spoken.last.pop_front();
        }
        spoken.last.push_back(line.to_owned());
    }

    pub(crate) fn panics(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).panics.clone()
    }

    /// How many lines there were, and the first few that are not one JSON object of visible text each.
    pub(crate) fn lines(&self) -> (u64, Vec<String>) {
        let spoken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (spoken.lines, spoken.odd.clone())
    }

    /// The last of the lines that are kept which `matches` accepts.
    pub(crate) fn last(&self, matches: impl Fn(&str) -> bool) -> Option<String> {
        let spoken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spoken.last.iter().rev().find(|line| matches(line)).cloned()
    }

    pub(crate) fn tail(&self, lines: usize) -> String {
        let spoken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = spoken.last.len().saturating_sub(lines);
        spoken.last.iter().skip(skip).cloned().collect::<Vec<_>>().join("\n")
    }
}

impl Process {
    /// Starts `command` in a process group of its own, so that a Ctrl-C in the terminal reaches the harness alone,
    /// which then ends its children in order.
    pub(crate) fn start(name: &'static str, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).kill_on_drop(true).spawn().with_context(|| {
            format!("cannot start {name}: {:?}", command.as_std().get_program())
        })?;
        let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let pid = pid.with_context(|| format!("{name} ended at once"))?;
        let said = Said::default();
        let (sender, lines) = mpsc::unbounded_channel();
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(hear(stdout, said.clone(), sender.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(hear(stderr, said.clone(), sender));
        }
        Ok(Self { name, child, pid, said, lines })
    }

    pub(crate) const fn pid(&self) -> Pid {
        self.pid
    }

    pub(crate) fn said(&self) -> Said {
        self.said.clone()
    }

    /// The first answer that `find` gives to a line that the process writes from now on.
    pub(crate) async fn line<T>(
        &mut self,
        within: Duration,
        mut find: impl FnMut(&str) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + within;
        loop {
            match timeout_at(deadline, self.lines.recv()).await {
                Ok(Some(line)) => {
                    if let Some(found) = find(&line) {
                        return Ok(found);
                    }
                }
                Ok(None) => {
                    let status = self.child.wait().await?;
                    bail!("{} ended ({status}); it said:\n{}", self.name, self.said.tail(20));
                }
                Err(_) => bail!(
                    "{} did not get ready within {within:?}; it said:\n{}",
                    self.name,
                    self.said.tail(20)
                ),
            }
        }
    }

    /// Waits for no more lines: they are then kept only as far as [`Process::said`] goes back.
    pub(crate) fn listen_no_more(&mut self) {
        self.lines.close();
        while self.lines.try_recv().is_ok() {}
    }

    /// Its resident set in MiB.
    pub(crate) fn rss_mib(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.pid.as_raw_nonzero());
        let text = fs::read_to_string(&path).context(path)?;
        let kib = text.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok()
        });
        Ok((kib.context("no VmRSS")? / 102.4).round() / 10.0)
    }

    /// Whether it is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGTERM, and SIGKILL where that does not end it in time.
    pub(crate) async fn end(mut self, within: Duration) -> Result<ExitStatus> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Ok(status);
        }
        // Not yet waited for, so the pid is still this child's.
        let _ = kill_process(self.pid, Signal::TERM);
        match timeout(within, self.child.wait()).await {
            Ok(status) => status.context("wait"),
            Err(_) => {
                self.child.kill().await.context("kill")?;
                bail!("{} did not end within {within:?} of SIGTERM and was killed", self.name)
            }
        }
    }

    /// SIGKILL: a crash, as far as the process can tell.
    pub(crate) async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("kill")
    }
}

async fn hear(from: impl AsyncRead + Unpin, said: Said, lines: mpsc::UnboundedSender<String>) {
    let mut from = BufReader::new(from).split(b'\n');
    while let Ok(Some(line)) = from.next_segment().await {
        let line = String::from_utf8_lossy(&line).into_owned();
        said.hear(&line);
        // Nobody waits for lines any more: they are still kept above.
        let _ = lines.send(line);
    }
}

/// Whether a line is one JSON object, with nothing in it that a terminal obeys and nothing that was not UTF-8.
fn is_object(line: &str) -> bool {
    !line.chars().any(|char| char.is_control() || char == char::REPLACEMENT_CHARACTER)
        && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).is_ok()
}

#[cfg(test)]
mod tests;

//! Records a sample of the requests for `greenlight score`, without what could identify or impersonate anyone.
//!
//! A request never waits for it: what is recorded goes into a bounded queue, and a thread of its own writes it. What does
//! not fit, be it the queue, the second, the file or the disk, is dropped and counted.

mod file;
mod scrub;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use greenlight_bot::recorded::RecordedRequest;
use greenlight_bot::{ClientInfo, CrawlerClaim};
use pingora_http::RequestHeader;
use serde_json::{Value, json};

use crate::config::Record;
use crate::metrics::{Exposition, Metrics};
use file::RecordFile;

/// Requests that wait for the writer. Each is at most as large as the headers that Pingora accepts.
const QUEUE: usize = 256;
/// Longest that the end of the process waits for the writer.
const DRAIN: Duration = Duration::from_secs(1);

/// What became of the requests that the sample drew.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    recorded: AtomicU64,
    dropped: [AtomicU64; 4],
}

/// Why a request that the sample drew is not in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// The second has its requests.
    Rate,
    /// The writer cannot follow.
    Queue,
    /// The file has its size.
    Full,
    /// The file cannot be opened or written.
    Write,
}

impl Dropped {
    const ALL: [Self; 4] = [Self::Rate, Self::Queue, Self::Full, Self::Write];

    /// Stable name, for logs and metrics.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Queue => "queue",
            Self::Full => "full",
            Self::Write => "write",
        }
    }
}

impl Recording {
    fn drop_one(&self, why: Dropped) {
        let Some(counter) = self.dropped.get(why as usize) else { return };
        let total = counter.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        // Every request may be dropped: 1, 2, 4, 8 … are logged.
        if total.is_power_of_two() && why != Dropped::Rate {
            tracing::warn!(reason = why.reason(), total, "request not recorded");
        }
    }

    /// How many requests were recorded, and of the sample not.
    pub(crate) fn status(&self) -> Value {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let dropped: serde_json::Map<String, Value> = (Dropped::ALL.iter().zip(&self.dropped))
            .map(|(why, count)| (why.reason().to_owned(), read(count).into()))
            .collect();
        json!({ "recorded": read(&self.recorded), "dropped": dropped })
    }

    /// Writes the families; there with zeros where nothing is recorded.
    pub(crate) fn write(&self, out: &mut Exposition) {
        out.counter(
            "greenlight_recorded_requests_total",
            "Requests recorded for replays.",
            self.recorded.load(Ordering::Relaxed),
        );
        let name = "greenlight_record_dropped_total";
        out.family(name, "counter", "Requests of the sample that were not recorded, by why.");
        for (why, count) in Dropped::ALL.iter().zip(&self.dropped) {
            out.sample(name, &[("reason", why.reason())], count.load(Ordering::Relaxed));
        }
    }
}

/// A request as the proxy met it.
pub(crate) struct Seen<'a> {
    pub(crate) header: &'a RequestHeader,
    pub(crate) client: ClientInfo,
    /// The fingerprints of its connection, where that is its own.
    pub(crate) ja4: Option<&'a str>,
    pub(crate) http2: Option<&'a str>,
    pub(crate) claim: CrawlerClaim,
    /// The status that the origin answered with; 0 for none, as where the edge answered by itself: in a replay its own
    /// verdicts must not count among the client's errors.
    pub(crate) status: u16,
}

/// Takes requests in; dropped, its thread writes what waits and ends.
pub(crate) struct Recorder {
    queue: SyncSender<RecordedRequest>,
    sample: f64,
    limit: SecondLimit,
    started: Instant,
    /// Requests that wait or are being written.
    pending: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
}

impl Recorder {
    /// Starts the writer. A file that cannot be used is said in the log, and what would be in it is counted as dropped.
    pub(crate) fn start(config: &Record, metrics: Arc<Metrics>) -> Self {
        let file = RecordFile::open(&config.file, config.max_bytes);
        match &file {
            Ok(_) => {
                tracing::info!(file = %config.file.display(), sample = config.sample, "recording requests")
            }
            Err(error) => {
                tracing::error!(reason = error.reason(), file = %config.file.display(), "requests are not recorded: {error}");
            }
        }
        let (queue, requests) = sync_channel(QUEUE);
        let pending = Arc::new(AtomicU64::new(0));
        let writer =
            Writer { file: file.ok(), latest: Duration::ZERO, metrics: Arc::clone(&metrics) };
        let waiting = Arc::clone(&pending);
        let thread = thread::Builder::new().name("record".to_owned());
        if let Err(error) = thread.spawn(move || writer.run(&requests, &waiting)) {
            tracing::error!(reason = "no-thread", %error, "requests are not recorded");
        }
        Self {
            queue,
            sample: config.sample,
            limit: SecondLimit::new(config.max_per_second),
            started: Instant::now(),
            pending,
            metrics,
        }
    }

    /// Records the request, if the sample draws it and there is room. Each request is drawn by itself, so that the sample
    /// favours none; of a client's many requests the file has only as many as were drawn.
    pub(crate) fn offer(&self, seen: &Seen<'_>) {
        if rand::random::<f64>() >= self.sample {
            return;
        }
        let recording = &self.metrics.recording;
        if !self.limit.admits(self.started.elapsed().as_secs()) {
            return recording.drop_one(Dropped::Rate);
        }
        let request = scrub::scrub(seen);
        self.pending.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.queue.try_send(request) {
            self.pending.fetch_sub(1, Ordering::Relaxed);
            recording.drop_one(match error {
                TrySendError::Full(_) => Dropped::Queue,
                TrySendError::Disconnected(_) => Dropped::Write,
            });
        }
    }

    /// Waits until what was taken in is written, within bounds.
    pub(crate) fn drain(&self) {
        let begun = Instant::now();
        while self.pending.load(Ordering::Acquire) > 0 && begun.elapsed() < DRAIN {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

struct Writer {
    file: Option<RecordFile>,
    /// The time on the last line.
    latest: Duration,
    metrics: Arc<Metrics>,
}

impl Writer {
    fn run(mut self, requests: &Receiver<RecordedRequest>, pending: &AtomicU64) {
        for request in requests {
            match self.write(request) {
                Ok(()) => {
                    self.metrics.recording.recorded.fetch_add(1, Ordering::Relaxed);
                }
                Err(why) => self.metrics.recording.drop_one(why),
            }
            pending.fetch_sub(1, Ordering::Release);
        }
    }

    /// A line has the time at which its request was done with, so that times ascend; a clock that is set back makes them
    /// stand still.
    fn write(&mut self, mut request: RecordedRequest) -> Result<(), Dropped> {
        let file = self.file.as_mut().ok_or(Dropped::Write)?;
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        self.latest = self
            .latest
            .max(Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX)));
        request.at = Some(self.latest);
        file.append(&request.to_line())
    }
}

/// At most so many in each second.
struct SecondLimit {
    most: u32,
    /// The second in the upper half, how many it had in the lower.
    state: AtomicU64,
}

impl SecondLimit {
    const fn new(most: u32) -> Self {
        Self { most, state: AtomicU64::new(0) }
    }

    fn admits(&self, second: u64) -> bool {
        let second = second & u64::from(u32::MAX);
        let next = |state: u64| {
            let used = if state >> 32 == second { state & u64::from(u32::MAX) } else { 0 };
            (used < u64::from(self.most)).then(|| second << 32 | used.saturating_add(1))
        };
        self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests;

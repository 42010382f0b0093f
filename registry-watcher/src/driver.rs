//! Performs the machine's commands and reports back.
//!
//! It polls the chain, reads proofs, fetches bytes, writes files and hands models to the engine, all on its own
//! threads. If it panics, what runs goes on running, and it is started again with back-off from the state it had.

#![allow(
    clippy::disallowed_methods,
    reason = "owns the clock: reads time and hands it to the machine"
)]

mod allowance;
mod boot;
mod desk;
mod watch;

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use alloy_primitives::Address;
use tokio::{sync::mpsc, task::JoinSet, time::MissedTickBehavior};

use crate::{
    back_off::back_off,
    config::Config,
    engine::Engine,
    fetch::LogSource,
    machine::{Command, Event, Millis, State, step},
    millis::millis,
    registry::{ReadError, RegistryReader},
    rpc::RpcPool,
    source::{News, Note, Past, Upstream},
    status::StatusHandle,
};
use allowance::Allowance;
use desk::Desk;
use watch::{Looked, Report, watch_heads};

/// Follows the registry and keeps an engine on what it says.
pub struct Watcher<E: Engine> {
    config: Config,
    desk: Desk<E>,
    rpcs: Arc<RpcPool>,
    upstream: Upstream,
    state: Arc<Mutex<State>>,
    clock: Clock,
}

/// Milliseconds since long before the watcher was opened.
#[derive(Clone, Copy, Debug)]
struct Clock {
    began: Instant,
}

impl Clock {
    /// What reads when the watcher is opened: heads came to be before that, up to a century.
    const OPENED: Millis = 100 * 365 * 86_400_000;

    fn now(self) -> Millis {
        let since = millis(self.began.elapsed());
        Self::OPENED.saturating_add(since)
    }

    /// Unix milliseconds, for the evidence: nothing is decided by the host's clock.
    fn unix() -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(since)
    }
}

impl<E: Engine> Watcher<E> {
    /// Opens the state folder and puts the engine on the last good artifact, or on allow-all if there is none.
    ///
    /// A state folder that cannot be used is recorded and shown in the status; serving does not depend on it.
    ///
    /// # Errors
    /// What the TLS set-up for RPC calls said, where there is none.
    pub fn open(config: Config, engine: Arc<E>) -> Result<(Self, StatusHandle), reqwest::Error> {
        let rpcs = Arc::new(RpcPool::new(&config.rpc_urls, config.deadline)?);
        let upstream = Upstream::of(&config)?;
        let clock = Clock { began: Instant::now() };
        let (desk, state) = boot::boot(&config, engine, clock);
        let status = desk.status_handle();
        let watcher =
            Self { config, desk, rpcs, upstream, state: Arc::new(Mutex::new(state)), clock };
        Ok((watcher, status))
    }

    /// Follows the chain until `shutdown`. Does not return before, and does not panic.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut failures = 0_u32;
        loop {
            let began = Instant::now();
            let shift = Shift {
                config: self.config.clone(),
                desk: self.desk.clone(),
                rpcs: Arc::clone(&self.rpcs),
                upstream: self.upstream.clone(),
                state: Arc::clone(&self.state),
                clock: self.clock,
                reported: None,
                allowance: Allowance::default(),
            };
            let mut work = tokio::spawn(shift.work());
            let ended = tokio::select! {
                () = &mut shutdown => {
                    work.abort();
                    return;
                }
                ended = &mut work => ended,
            };
            if began.elapsed() > Duration::from_secs(60) {
                failures = 0;
            }
            failures = failures.saturating_add(1);
            let why =
                ended.map_or_else(|error| error.to_string(), |()| "a task of it ended".into());
            tracing::error!(why, failures, "the watcher is started again");
            self.desk.restarted(Clock::unix(), &why);
            // What was under way went with the tasks that did it.
            self.state.lock().unwrap_or_else(PoisonError::into_inner).pursuit = None;
            let wait = Duration::from_millis(back_off(500, failures, rand::random()));
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

/// One run of the loop, from a start to a panic or the end.
struct Shift<E: Engine> {
    config: Config,
    desk: Desk<E>,
    rpcs: Arc<RpcPool>,
    upstream: Upstream,
    state: Arc<Mutex<State>>,
    clock: Clock,
    /// The stable name of the source's failure that is on record.
    reported: Option<&'static str>,
    /// For lines of evidence that whoever is behind an endpoint can cause.
    allowance: Allowance,
}

impl<E: Engine> Shift<E> {
    async fn work(mut self) {
        let registry: Address = self.config.registry;
        let reader = RegistryReader::new(Arc::clone(&self.rpcs), registry);
        let logs = Arc::new(LogSource::new(Arc::clone(&self.rpcs), registry));
        let past = Past { floor: self.floor(), kept: self.desk.kept_light_client(Clock::unix()) };
        let source = self.upstream.open(&self.config, &self.rpcs, &past);
        self.desk.source_is(&source);
        let (reports, mut inbox) = mpsc::channel(64);
        let mut tasks = JoinSet::new();
        tasks.spawn(watch_heads(source, reader.clone(), self.config.poll, reports.clone()));
        let mut tick = tokio::time::interval(
            self.config.poll.clamp(Duration::from_millis(50), Duration::from_secs(1)),
        );
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut errands = watch::Errands { reader, artifacts: logs, reports, look: None };
        loop {
            let event = tokio::select! {
                report = inbox.recv() => match report {
                    Some(Report::Looked(looked)) => self.looked(*looked, &mut errands),
                    Some(Report::Did(event)) => Some(event),
                    Some(Report::Fetched(artifact)) => Some(Event::Fetched(self.desk.take_in(artifact))),
                    None => return,
                },
                _ = tick.tick() => {
                    for event in self.reopen() {
                        self.advance(event, &mut tasks, &errands);
                    }
                    self.advance(Event::Override(self.desk.overridden()), &mut tasks, &errands);
                    self.advance(Event::Faults(self.desk.faults()), &mut tasks, &errands);
                    self.desk.persist_pending();
                    Some(Event::Tick)
                }
                // The watch never ends by itself: it panicked, or an errand did.
                Some(ended) = tasks.join_next() => match ended {
                    Ok(()) => None,
                    Err(_) => return,
                },
            };
            if let Some(event) = event {
                self.advance(event, &mut tasks, &errands);
            }
        }
    }

    fn reopen(&self) -> Vec<Event> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.desk.reopen(&state, Clock::unix())
    }

    /// The number of the newest block that counted, before a restart too.
    fn floor(&self) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.view.or(state.durable.view).map_or(0, |view| view.newest.block.number)
    }

    /// Writes down what the source asks for, and who lied about storage and bytes.
    fn heard(&mut self, news: News) {
        let lies = self.rpcs.take_lies().into_iter().map(Note::of_lie);
        for note in news.notes.into_iter().chain(lies) {
            self.record_limited(note.event, &note.detail);
        }
        if let Some(json) = news.keep {
            self.desk.keep_light_client(json);
        }
    }

    /// Records what endpoints can repeat at will, as long as there is room for it. Whether there was.
    fn record_limited(&mut self, event: &str, detail: &str) -> bool {
        let Some(left_out) = self.allowance.take(self.clock.now()) else { return false };
        let detail = match left_out {
            0 => detail.to_owned(),
            _ => format!("{detail} ({left_out} more were left out before)"),
        };
        self.desk.record(Clock::unix(), event, None, &detail);
        true
    }

    fn looked(&mut self, looked: Looked, errands: &mut watch::Errands) -> Option<Event> {
        let Looked { look, mut report, news } = looked;
        self.heard(news);
        let error = match &look {
            Ok(seen) => seen.adoptable.as_ref().err(),
            Err(error) => Some(error),
        };
        report.apis.push(self.rpcs.report_as("rpc"));
        self.desk.source_answered(error, report, self.rpcs.preferred());
        // Once for each kind of failure, not at every poll.
        let reason = error.map(ReadError::reason);
        if let Some(error) = error {
            if self.reported != reason
                && self.record_limited("source-failed", &format!("{}: {error}", error.reason()))
            {
                self.reported = reason;
            }
        } else if self.reported.take().is_some() {
            self.desk.record(Clock::unix(), "source-recovered", None, "");
        }
        let seen = look.ok()?;
        let event = seen.event();
        errands.look = Some(seen);
        Some(event)
    }

    /// Steps the machine and performs what it says, until nothing is left to do at once.
    fn advance(&mut self, event: Event, tasks: &mut JoinSet<()>, errands: &watch::Errands) {
        let shared = Arc::clone(&self.state);
        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let now = self.clock.now();
            let (next, commands) = step(&state, event, now);
            *state = next;
            // What requests meet comes first, then what people see of it; files take their time.
            let (urgent, rest): (Vec<_>, Vec<_>) =
                commands.into_iter().partition(Command::is_urgent);
            for command in urgent {
                events.extend(self.desk.perform(command, &state, Clock::unix(), tasks, errands));
            }
            self.desk.follow(&state, now);
            for command in rest {
                events.extend(self.desk.perform(command, &state, Clock::unix(), tasks, errands));
            }
        }
    }
}

use std::{
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use greenlight_artifact::{Digest, Key};

use crate::{
    clients::{Clients, Secret},
    fired::Fired,
    model::{CompiledModel, Scored},
    request::{ClientActivity, RequestView},
    score::Score,
};

/// What an engine may use. Fixed at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineLimits {
    /// Counters in each of the four rows of the table of request rates; 8 bytes each. More make collisions rarer.
    pub rate_slots: u32,
    /// Clients whose behaviour of late is remembered: their paths, errors and gaps; 128 bytes each, rounded up to whole
    /// fours. With more clients than these within ten minutes, those not seen for longest are forgotten.
    pub client_slots: u32,
    /// The longest that scoring one request may take, by the wall clock. Beyond it the request passes unscored.
    ///
    /// The work is linear in the request's size, so this is far above what any request needs: it must not be reached
    /// because a busy machine took the thread off its core.
    pub max_scoring: Duration,
}

impl Default for EngineLimits {
    /// 65 536 slots for rates (2 MiB), 16 384 for clients (2 MiB), 50 ms.
    fn default() -> Self {
        Self { rate_slots: 1 << 16, client_slots: 1 << 14, max_scoring: Duration::from_millis(50) }
    }
}

impl EngineLimits {
    /// Sets [`EngineLimits::rate_slots`].
    #[must_use]
    pub const fn with_rate_slots(mut self, slots: u32) -> Self {
        self.rate_slots = slots;
        self
    }

    /// Sets [`EngineLimits::client_slots`].
    #[must_use]
    pub const fn with_client_slots(mut self, slots: u32) -> Self {
        self.client_slots = slots;
        self
    }

    /// Sets [`EngineLimits::max_scoring`].
    #[must_use]
    pub const fn with_max_scoring(mut self, bound: Duration) -> Self {
        self.max_scoring = bound;
        self
    }
}

/// The model that runs now, shared by everyone who holds a clone. Swapping it never waits for a request, nor does a
/// request ever wait for a swap.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    active: ArcSwap<Active>,
    limits: EngineLimits,
    clients: Clients,
    started: Instant,
    scored: AtomicU64,
    idle: AtomicU64,
    panics: AtomicU64,
    overruns: AtomicU64,
}

/// All that changes with a swap, in one piece: no request sees half of it.
struct Active {
    scorer: Option<Arc<dyn Scorer>>,
}

/// What an engine can run.
pub(crate) trait Scorer: Send + Sync {
    fn digest(&self) -> Digest;
    /// Whether a row asks for what the client did before, or how often.
    fn reads_activity(&self) -> bool;
    /// Whether a row asks for more of it than the rate.
    fn reads_behaviour(&self) -> bool {
        false
    }
    fn score(&self, request: &RequestView<'_>, activity: &ClientActivity) -> Scored;
    fn row(&self, row: u8) -> Option<(Key, i16)>;
}

impl Scorer for CompiledModel {
    fn digest(&self) -> Digest {
        self.digest()
    }

    fn reads_activity(&self) -> bool {
        self.reads_activity()
    }

    fn reads_behaviour(&self) -> bool {
        self.reads_behaviour()
    }

    fn score(&self, request: &RequestView<'_>, activity: &ClientActivity) -> Scored {
        self.score(request, activity)
    }

    fn row(&self, row: u8) -> Option<(Key, i16)> {
        self.row_key(row).zip(self.row_weight(row))
    }
}

/// What the engine says about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The score; [`Score::UNSCORED`] when no model runs, or when scoring failed.
    pub score: Score,
    /// The logit behind it, in thousandths; 0 without a score.
    pub logit_milli: i64,
    /// The artifact that ran, or failed to; none when the engine allows all.
    pub digest: Option<Digest>,
    /// The artifact's rows that fired; none without a score.
    pub fired: Fired,
}

/// A row that fired, and what it added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// The row's key.
    pub key: Key,
    /// Its weight, in thousandths of a logit; positive leans to bot.
    pub weight: i16,
}

/// Running totals since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineCounters {
    /// Requests that were given a score.
    pub scored: u64,
    /// Requests that met no model.
    pub idle: u64,
    /// Requests unscored because scoring panicked.
    pub panics: u64,
    /// Requests unscored because scoring took too long.
    pub overruns: u64,
}

impl Engine {
    /// An engine that allows all until a model is installed. All memory for what clients do is taken here.
    #[must_use]
    pub fn new(limits: EngineLimits) -> Self {
        Self::with_secret(limits, Secret::random())
    }

    /// An engine for replays: the same requests at the same times give the same evaluations in every run. Not for
    /// traffic, where clients that know how they are told apart could hide behind each other.
    #[must_use]
    pub fn for_replay(limits: EngineLimits) -> Self {
        Self::with_secret(limits, Secret::known())
    }

    fn with_secret(limits: EngineLimits, secret: Secret) -> Self {
        Self(Arc::new(Inner {
            active: ArcSwap::from_pointee(Active { scorer: None }),
            limits,
            clients: Clients::new(limits.rate_slots, limits.client_slots, secret),
            started: Instant::now(),
            scored: AtomicU64::new(0),
            idle: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            overruns: AtomicU64::new(0),
        }))
    }

    /// Runs `model` from the next request on. What clients do is recorded while a model that asks for it runs, no more of
    /// it than it asks for, and outlives a swap.
    pub fn install(&self, model: impl Into<Arc<CompiledModel>>) {
        self.install_scorer(model.into());
    }

    pub(crate) fn install_scorer(&self, scorer: Arc<dyn Scorer>) {
        self.0.active.store(Arc::new(Active { scorer: Some(scorer) }));
    }

    /// Runs no model from the next request on: every request passes unscored.
    pub fn allow_all(&self) {
        self.0.active.store(Arc::new(Active { scorer: None }));
    }

    /// The digest of the artifact that runs now; `None` when the engine allows all.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.0.active.load().scorer.as_ref().map(|scorer| scorer.digest())
    }

    /// Evaluates a request now. Never panics and allocates nothing, unless scoring itself panics.
    #[must_use]
    pub fn evaluate(&self, request: &RequestView<'_>) -> Evaluation {
        let started = &self.0.started;
        self.run(request, started.elapsed(), || started.elapsed())
    }

    /// Evaluates a request as if at `now`, a time since an origin of the caller's that stays the same between calls. For
    /// replays, on an engine of their own: the result does not depend on the clock, and nothing overruns.
    #[must_use]
    pub fn evaluate_at(&self, request: &RequestView<'_>, now: Duration) -> Evaluation {
        self.run(request, now, || now)
    }

    /// Tells what status the origin answered a client's request with, now. Counts towards the share of errors, and only
    /// while a model runs that asks for behaviour. Never panics and allocates nothing.
    ///
    /// Only final answers of the origin count: not those that the proxy gives in its place, which would turn a verdict
    /// into evidence for itself. Errors are 4xx, except 401 and 429.
    pub fn answered(&self, client: Option<IpAddr>, status: u16) {
        self.answered_at(client, status, self.0.started.elapsed());
    }

    /// As [`Self::answered`], at a time as [`Self::evaluate_at`] takes.
    pub fn answered_at(&self, client: Option<IpAddr>, status: u16, now: Duration) {
        let inner = &*self.0;
        let active = inner.active.load();
        let reads = active.scorer.as_deref().is_some_and(Scorer::reads_behaviour);
        if let Some(client) = client.filter(|_| reads) {
            inner.clients.answered(client, status, now);
        }
    }

    fn run(
        &self,
        request: &RequestView<'_>,
        begun: Duration,
        clock: impl Fn() -> Duration,
    ) -> Evaluation {
        let inner = &*self.0;
        let active = inner.active.load();
        let Some(scorer) = active.scorer.as_deref() else {
            inner.idle.fetch_add(1, Ordering::Relaxed);
            return Evaluation::unscored(None);
        };
        // Scoring reads shared tables and, of what it writes, only atomic counters outlive it: a panic tears nothing.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let activity = match request.client {
                Some(client) if scorer.reads_activity() => {
                    inner.clients.observe(client, request.path, begun, scorer.reads_behaviour())
                }
                _ => ClientActivity::default(),
            };
            scorer.score(request, &activity)
        }));
        let Ok(scored) = outcome else {
            inner.fault(&inner.panics, scorer.digest(), "scorer-panicked");
            return Evaluation::unscored(Some(scorer.digest()));
        };
        if clock().saturating_sub(begun) > inner.limits.max_scoring {
            inner.fault(&inner.overruns, scorer.digest(), "scorer-overran");
            return Evaluation::unscored(Some(scorer.digest()));
        }
        inner.scored.fetch_add(1, Ordering::Relaxed);
        let Scored { score, logit_milli, fired } = scored;
        Evaluation { score, logit_milli, digest: Some(scorer.digest()), fired }
    }

    /// The rows behind an evaluation, the heaviest first; empty when its artifact has since been swapped out.
    #[must_use]
    pub fn reasons(&self, digest: Option<Digest>, fired: Fired) -> Vec<Reason> {
        let active = self.0.active.load();
        let Some(scorer) =
            active.scorer.as_deref().filter(|scorer| Some(scorer.digest()) == digest)
        else {
            return Vec::new();
        };
        let rows = fired.rows().filter_map(|row| scorer.row(row));
        let mut reasons: Vec<Reason> = rows.map(|(key, weight)| Reason { key, weight }).collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.weight.unsigned_abs()));
        reasons
    }

    /// Panics and overruns of scoring since start.
    #[must_use]
    pub fn faults(&self) -> u64 {
        let counters = self.counters();
        counters.panics.saturating_add(counters.overruns)
    }

    /// Totals since start.
    #[must_use]
    pub fn counters(&self) -> EngineCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EngineCounters {
            scored: read(&self.0.scored),
            idle: read(&self.0.idle),
            panics: read(&self.0.panics),
            overruns: read(&self.0.overruns),
        }
    }
}

impl Inner {
    fn fault(&self, counter: &AtomicU64, digest: Digest, reason: &'static str) {
        let total = counter.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        // A fault may come with every request: 1, 2, 4, 8 … are logged.
        if total.is_power_of_two() {
            tracing::error!(target: "greenlight_bot::engine", reason, total, artifact = %digest, "request passed unscored");
        }
    }
}

impl Evaluation {
    const fn unscored(digest: Option<Digest>) -> Self {
        Self { score: Score::UNSCORED, logit_milli: 0, digest, fired: Fired::NONE }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("digest", &self.digest())
            .field("counters", &self.counters())
            .finish()
    }
}

#[cfg(test)]
mod tests;

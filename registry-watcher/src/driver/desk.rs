use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use greenlight_artifact::{Defect, Digest, ValidArtifact};
use tokio::{sync::watch, task::JoinSet};

use super::{boot::open_evidence, watch::Errands};
use crate::{
    engine::{CompileRefused, Engine},
    evidence::Evidence,
    fetch::CheckedArtifact,
    machine::{Command, Durable, Event, Millis, Running, State},
    registry::{ReadError, Release},
    source::HeadSource,
    status::{SourceReport, Status, StatusHandle},
    store::{Store, StoreError, overridden},
};

/// Everything that commands act on. It outlives a shift of the driver.
pub(super) struct Desk<E: Engine> {
    engine: Arc<E>,
    /// The state folder.
    dir: Arc<Path>,
    papers: Arc<Mutex<Papers<E::Model>>>,
    status: Arc<watch::Sender<Arc<Status>>>,
}

impl<E: Engine> Clone for Desk<E> {
    fn clone(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            dir: Arc::clone(&self.dir),
            papers: Arc::clone(&self.papers),
            status: Arc::clone(&self.status),
        }
    }
}

struct Papers<M> {
    store: Option<Store>,
    evidence: Option<Evidence>,
    /// Lines of evidence that had no file to go to.
    missed: u64,
    /// Bytes of what runs or is on its way.
    artifacts: BTreeMap<Digest, CheckedArtifact>,
    /// What was compiled last and is not yet installed.
    compiled: Option<(Digest, M)>,
    /// What could not be written down yet.
    pending: Option<Durable>,
    /// What a light client wants kept and is not yet.
    light_client: Option<String>,
}

impl<M> Papers<M> {
    fn persist_pending(&mut self) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        if let Some(durable) = &self.pending {
            store.persist(durable)?;
            self.pending = None;
        }
        if let Some(json) = &self.light_client {
            store.keep_light_client(json)?;
            self.light_client = None;
        }
        Ok(())
    }
}

impl<E: Engine> Desk<E> {
    pub(super) fn new(
        engine: Arc<E>,
        dir: &Path,
        store: Option<Store>,
        evidence: Option<Evidence>,
    ) -> Self {
        let papers = Papers {
            store,
            evidence,
            missed: 0,
            artifacts: BTreeMap::new(),
            compiled: None,
            pending: None,
            light_client: None,
        };
        let (status, _) = watch::channel(Arc::new(Status::default()));
        Self {
            engine,
            dir: dir.into(),
            papers: Arc::new(Mutex::new(papers)),
            status: Arc::new(status),
        }
    }

    pub(super) fn status_handle(&self) -> StatusHandle {
        StatusHandle(self.status.subscribe())
    }

    pub(super) fn faults(&self) -> u64 {
        self.engine.faults()
    }

    /// Performs one command. What is done at once comes back as the event to step with next.
    pub(super) fn perform(
        &self,
        command: Command,
        state: &State,
        unix: u64,
        tasks: &mut JoinSet<()>,
        errands: &Errands,
    ) -> Option<Event> {
        match command {
            Command::Resolve { id, at } => {
                tasks.spawn(errands.resolve(id, at));
                None
            }
            Command::Fetch(release) => match self.read_back(&release, unix) {
                Some(artifact) => Some(Event::Fetched(self.take_in(artifact))),
                None => {
                    tasks.spawn(errands.fetch(release));
                    None
                }
            },
            Command::Compile(release) => Some(self.compile(&release)),
            Command::Install(release) => {
                self.install(release.digest);
                None
            }
            Command::AllowAll(why) => {
                tracing::warn!(why = why.reason(), "every request is allowed, unscored");
                self.engine.allow_all();
                None
            }
            Command::Keep(release) => self.keep(&release, state, unix),
            Command::Persist(durable) => {
                self.papers().pending = Some(durable);
                self.persist_pending();
                None
            }
            Command::Record { event, digest, detail } => {
                self.record(unix, event, digest, &detail);
                None
            }
        }
    }

    /// Holds bytes for the steps that come.
    pub(super) fn take_in(&self, artifact: CheckedArtifact) -> Digest {
        let digest = artifact.digest();
        self.papers().artifacts.insert(digest, artifact);
        digest
    }

    /// Checks and compiles the bytes of `release`, which are held.
    pub(super) fn compile(&self, release: &Release) -> Event {
        let digest = release.digest;
        let Some(artifact) = self.papers().artifacts.get(&digest).cloned() else {
            return Event::Refused {
                digest,
                reason: "bytes-lost",
                message: "expected bytes at hand; found none".into(),
            };
        };
        match self.model_of(release, artifact.bytes()) {
            Ok(model) => {
                self.papers().compiled = Some((digest, model));
                Event::Compiled(digest)
            }
            Err(CompileRefused { reason, message }) => {
                self.change_status(|status| status.refusals = status.refusals.saturating_add(1));
                Event::Refused { digest, reason, message }
            }
        }
    }

    fn model_of(&self, release: &Release, bytes: &[u8]) -> Result<E::Model, CompileRefused> {
        let defect = |defect: Defect| CompileRefused {
            reason: defect.reason(),
            message: defect.to_string(),
        };
        let artifact = ValidArtifact::check(bytes, self.engine.schemas()).map_err(defect)?;
        release.hold(&artifact).map_err(|error| CompileRefused {
            reason: error.reason(),
            message: error.to_string(),
        })?;
        let compiled = catch_unwind(AssertUnwindSafe(|| self.engine.compile(&artifact)));
        compiled.unwrap_or_else(|_| {
            Err(CompileRefused {
                reason: "compile-panic",
                message: "expected a model; the compiler panicked".into(),
            })
        })
    }

    /// Gives what was compiled to the engine.
    pub(super) fn install(&self, digest: Digest) {
        let compiled = self.papers().compiled.take_if(|(compiled, _)| *compiled == digest);
        if let Some((_, model)) = compiled {
            self.engine.install(model);
            tracing::info!(%digest, "adopted");
            self.change_status(|status| status.adoptions = status.adoptions.saturating_add(1));
        }
    }

    pub(super) fn allow_all(&self) {
        self.engine.allow_all();
    }

    // -------------------------------------------------------------------------------------------------------- files

    /// The bytes of a release that may well not be at hand.
    fn read_back(&self, release: &Release, unix: u64) -> Option<CheckedArtifact> {
        if let Some(artifact) = self.papers().artifacts.get(&release.digest) {
            return Some(artifact.clone());
        }
        match self.load(release)? {
            Ok(artifact) => Some(artifact),
            Err(error) if error.reason() == "not-kept" => None,
            Err(error) => {
                self.cache_refused(release, &error, unix);
                None
            }
        }
    }

    /// The bytes of a release that is on record as kept.
    pub(super) fn kept_copy(&self, release: &Release, unix: u64) -> Option<CheckedArtifact> {
        self.load(release)?.map_err(|error| self.cache_refused(release, &error, unix)).ok()
    }

    fn load(&self, release: &Release) -> Option<Result<CheckedArtifact, StoreError>> {
        Some(self.papers().store.as_ref()?.load(release.digest))
    }

    fn cache_refused(&self, release: &Release, error: &StoreError, unix: u64) {
        self.store_failed(unix, "cache-refused", Some(release.digest), error);
    }

    fn keep(&self, release: &Release, state: &State, unix: u64) -> Option<Event> {
        let outcome = {
            let papers = self.papers();
            let artifact = papers.artifacts.get(&release.digest)?;
            match &papers.store {
                Some(store) => store.keep(artifact, release, state.view.as_ref(), &state.good),
                // Said already, and tried again with the folder.
                None => return Some(Event::KeepFailed(release.digest)),
            }
        };
        match outcome {
            Ok(()) => {
                self.change_status(|status| status.store_error = None);
                None
            }
            Err(error) => {
                self.store_failed(unix, "keep-failed", Some(release.digest), &error);
                Some(Event::KeepFailed(release.digest))
            }
        }
    }

    /// Opens again what of the state folder could not be opened, or is no longer where it was. What was good and is
    /// not in the folder comes back as an event.
    pub(super) fn reopen(&self, state: &State, unix: u64) -> Vec<Event> {
        let mut papers = self.papers();
        papers.store.take_if(|store| !store.is_in_place());
        if let Some(gone) = papers.evidence.take_if(|evidence| !evidence.is_in_place()) {
            papers.missed = papers.missed.saturating_add(gone.missed());
        }
        if papers.store.is_some() && papers.evidence.is_some() {
            return Vec::new();
        }
        let opened = papers.store.is_none().then(|| Store::open(&self.dir)).transpose();
        let reopened = match opened {
            Ok(store) => {
                let reopened = store.is_some();
                papers.store = store.or(papers.store.take());
                reopened
            }
            Err(error) => {
                drop(papers);
                self.show_store_error(&error);
                return Vec::new();
            }
        };
        let mut note = None;
        if papers.evidence.is_none()
            && let Ok((mut evidence, set_aside)) = open_evidence(&self.dir, unix)
        {
            evidence.owe(std::mem::take(&mut papers.missed));
            papers.evidence = Some(evidence);
            note = set_aside;
        }
        let lost: Vec<Event> = match &papers.store {
            Some(store) if reopened => {
                let gone = state.good.iter().filter(|good| !store.has(good.digest));
                gone.map(|good| Event::KeepFailed(good.digest)).collect()
            }
            _ => Vec::new(),
        };
        if reopened {
            papers.pending.get_or_insert_with(|| state.durable.clone());
        }
        let recorded = papers.evidence.is_some();
        drop(papers);
        if let Some(note) = note {
            self.record(unix, "evidence-set-aside", None, &note);
        }
        if reopened {
            self.change_status(|status| status.store_error = None);
        }
        if reopened || recorded {
            self.record(unix, "state-reopened", None, "");
        }
        lost
    }

    /// What a light client left, if it is whole.
    pub(super) fn kept_light_client(&self, unix: u64) -> Option<String> {
        let kept = self.papers().store.as_ref()?.light_client();
        kept.unwrap_or_else(|error| {
            self.store_failed(unix, "state-refused", None, &error);
            None
        })
    }

    /// Keeps what a light client goes on from, as soon as it can be written.
    pub(super) fn keep_light_client(&self, json: String) {
        self.papers().light_client = Some(json);
        self.persist_pending();
    }

    /// Writes down what is to outlive the process, if anything waits for it; the next tick tries again.
    pub(super) fn persist_pending(&self) {
        let outcome = self.papers().persist_pending();
        if let Err(error) = outcome {
            self.show_store_error(&error);
        }
    }

    pub(super) fn store_failed(
        &self,
        unix: u64,
        event: &str,
        digest: Option<Digest>,
        error: &StoreError,
    ) {
        // Once, not at every retry.
        if self.show_store_error(error) {
            self.record(unix, event, digest, &format!("{}: {error}", error.reason()));
        }
    }

    /// Whether the error is another than the one that is shown.
    fn show_store_error(&self, error: &StoreError) -> bool {
        let text = error.to_string();
        let is_new = self.status.borrow().store_error.as_ref() != Some(&text);
        if is_new {
            tracing::warn!(%error, reason = error.reason(), "the state folder cannot be used");
            self.change_status(|status| status.store_error = Some(text));
        }
        is_new
    }

    pub(super) fn overridden(&self) -> bool {
        overridden(&self.dir)
    }

    /// Appends to the evidence and to the log.
    pub(super) fn record(&self, unix: u64, event: &str, digest: Option<Digest>, detail: &str) {
        tracing::info!(event, digest = digest.map(|digest| digest.short()), detail, "evidence");
        let missed = {
            let papers = &mut *self.papers();
            match &mut papers.evidence {
                Some(evidence) => {
                    evidence.append(unix, event, digest, detail);
                    evidence.missed()
                }
                None => {
                    papers.missed = papers.missed.saturating_add(1);
                    papers.missed
                }
            }
        };
        self.change_status(|status| status.evidence_missed = missed);
    }

    // ------------------------------------------------------------------------------------------------------- status

    pub(super) fn follow(&self, state: &State, now: Millis) {
        self.change_status(|status| status.follow(state, now));
        let runs = match &state.running {
            Running::Artifact { release, .. } => Some(release.digest),
            Running::AllowAll { .. } => None,
        };
        let on_its_way = state.pursuit.as_ref().and_then(crate::machine::Pursuit::digest);
        self.papers()
            .artifacts
            .retain(|digest, _| Some(*digest) == runs || Some(*digest) == on_its_way);
    }

    pub(super) fn source_is(&self, source: &impl HeadSource) {
        let kind = source.kind();
        if kind == "rpc" {
            tracing::warn!("source \"rpc\" takes headers on an RPC's word: for development only");
        }
        self.change_status(|status| status.source.kind = kind);
    }

    pub(super) fn source_answered(
        &self,
        error: Option<&ReadError>,
        report: SourceReport,
        rpc: Option<String>,
    ) {
        self.change_status(|status| {
            status.source.report = report;
            status.source.rpc = rpc;
            status.source.failures =
                if error.is_some() { status.source.failures.saturating_add(1) } else { 0 };
            status.source.last_reason = error.map(ReadError::reason);
            status.source.last_error = error.map(ToString::to_string);
        });
    }

    pub(super) fn restarted(&self, unix: u64, why: &str) {
        self.change_status(|status| status.restarts = status.restarts.saturating_add(1));
        self.record(unix, "watcher-restarted", None, why);
    }

    fn change_status(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(|status| change(Arc::make_mut(status)));
    }

    fn papers(&self) -> MutexGuard<'_, Papers<E::Model>> {
        self.papers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

//! How a turn moves the state, and what it can ask of it.

use greenlight_artifact::Digest;

use super::{Command, Failure, Pursuit, Quarantined, Running, Stage, Why, step::Turn};
use crate::{back_off::back_off, registry::ArtifactId};

/// How many refused artifacts are remembered; a control plane gone wild must not fill the memory.
const QUARANTINE_KEPT: usize = 64;

impl Turn {
    /// Takes a pursuit to `stage` and performs it.
    pub(super) fn pursue(&mut self, id: ArtifactId, stage: Stage, failures: u32) {
        self.state.pursuit = Some(Pursuit { id, stage, failures, retry_at: None });
        self.perform_stage();
    }

    /// Tries a failed stage again once its time has come.
    pub(super) fn retry(&mut self) {
        let Some(pursuit) = &mut self.state.pursuit else { return };
        if pursuit.retry_at.take_if(|at| *at <= self.now).is_some() {
            self.perform_stage();
        }
    }

    fn perform_stage(&mut self) {
        let Some(Pursuit { id, stage, .. }) = &self.state.pursuit else { return };
        let command = match stage {
            Stage::Resolving => {
                // Without a view nothing is wanted, so there is nothing to resolve.
                let Some(view) = self.state.view.or(self.state.durable.view) else { return };
                let at = view.rolled_back().unwrap_or(view.adoptable).block;
                Command::Resolve { id: *id, at }
            }
            Stage::Fetching(release) => Command::Fetch(release.clone()),
            Stage::Compiling(release) => Command::Compile(release.clone()),
        };
        self.commands.push(command);
    }

    /// A stage failed and may succeed later. While nothing runs, a good artifact is tried in between.
    pub(super) fn failed(&mut self, event: &'static str, digest: Option<Digest>, why: &Failure) {
        let Some(pursuit) = &mut self.state.pursuit else { return };
        pursuit.failures = pursuit.failures.saturating_add(1);
        pursuit.retry_at = Some(self.now.saturating_add(back_off(
            self.state.settings.retry,
            pursuit.failures,
            why.jitter,
        )));
        let pursuit = pursuit.clone();
        if pursuit.failures == 1 {
            self.record(
                event,
                digest,
                format!("artifact {}: {}: {}", pursuit.id, why.reason, why.message),
            );
        }
        if self.is_running() {
            return;
        }
        let is_good = self.state.good.iter().any(|good| good.id == pursuit.id);
        match (is_good, self.wanted()) {
            (false, _) => {
                if let Some(good) = self.state.good.first().cloned() {
                    self.pursue(good.id, Stage::Fetching(good), pursuit.failures);
                }
            }
            // Back to what is wanted, after the delay.
            (true, Some(wanted)) if wanted != pursuit.id && !self.is_quarantined_id(wanted) => {
                self.state.pursuit =
                    Some(Pursuit { id: wanted, stage: Stage::Resolving, ..pursuit });
            }
            (true, _) => {}
        }
    }

    pub(super) fn quarantine(
        &mut self,
        id: ArtifactId,
        digest: Digest,
        reason: &'static str,
        message: String,
    ) {
        self.state.good.retain(|good| good.digest != digest);
        if self.is_quarantined(id, digest) {
            return;
        }
        self.record("quarantined", Some(digest), format!("artifact {id}: {reason}: {message}"));
        self.state.quarantine.push_back(Quarantined { id, digest, reason: reason.into(), message });
        while self.state.quarantine.len() > QUARANTINE_KEPT {
            self.state.quarantine.pop_front();
        }
    }

    /// Ends `digest` wherever it is: running, or on its way.
    pub(super) fn give_up(&mut self, digest: Digest, why: Why) {
        if self.runs(digest) {
            self.stop(why);
        }
        self.state.pursuit.take_if(|pursuit| match &pursuit.stage {
            Stage::Fetching(release) | Stage::Compiling(release) => release.digest == digest,
            Stage::Resolving => self.state.quarantine.iter().any(|q| q.id == pursuit.id),
        });
    }

    pub(super) fn stop(&mut self, why: Why) {
        self.state.running = Running::AllowAll { why };
        self.commands.push(Command::AllowAll(why));
        self.record("allow-all", None, why.reason().into());
    }

    pub(super) fn record(&mut self, event: &'static str, digest: Option<Digest>, detail: String) {
        self.commands.push(Command::Record { event, digest, detail });
    }

    // ---------------------------------------------------------------------------------------------------- questions

    pub(super) const fn is_running(&self) -> bool {
        matches!(self.state.running, Running::Artifact { .. })
    }

    pub(super) fn runs(&self, digest: Digest) -> bool {
        matches!(&self.state.running, Running::Artifact { release, .. } if release.digest == digest)
    }

    pub(super) fn runs_id(&self, id: ArtifactId) -> bool {
        matches!(&self.state.running, Running::Artifact { release, .. } if release.id == id)
    }

    pub(super) fn is_quarantined(&self, id: ArtifactId, digest: Digest) -> bool {
        self.state.quarantine.iter().any(|q| q.id == id || q.digest == digest)
    }

    pub(super) fn is_quarantined_id(&self, id: ArtifactId) -> bool {
        self.state.quarantine.iter().any(|q| q.id == id)
    }

    /// The artifact that a rollback in force took out.
    pub(super) fn rolled_back_from(&self) -> Option<ArtifactId> {
        let at = self.state.view?.rolled_back()?;
        (at.head.current != at.head.rollback_to).then_some(at.head.current)
    }

    /// Whether this edge is in the first `bps` of 10 000 for `candidate`. Each candidate draws its own slice, so that
    /// the same edges do not always go first.
    pub(super) fn in_canary(&self, candidate: ArtifactId, bps: u16) -> bool {
        let seed = [self.state.settings.edge_id.as_bytes(), &candidate.to_be_bytes()].concat();
        let draw =
            Digest::of(&seed).0.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        draw.checked_rem(10_000).is_some_and(|draw| draw < u64::from(bps))
    }
}

impl Pursuit {
    pub(super) fn is(&self, id: ArtifactId, stage: &Stage) -> bool {
        self.id == id && self.stage == *stage
    }
}

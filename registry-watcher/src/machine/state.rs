use std::collections::VecDeque;

use greenlight_artifact::Digest;
use serde::{Deserialize, Serialize};

use crate::{
    config::StaleMode,
    registry::{ArtifactId, Head, Release},
    source::BlockRef,
};

/// Milliseconds on a monotonic clock whose zero means nothing.
pub type Millis = u64;

/// This version of Greenlight.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Why a revoked artifact is in quarantine.
pub(super) const REVOKED: &str = "revoked";

/// What an operator chose, fixed while the machine runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The age of the newest head beyond which the source is stale.
    pub max_staleness: Millis,
    /// The age of the finalized head beyond which it is, where there is one.
    pub max_finality_age: Millis,
    /// What a stale source means for requests.
    pub stale_mode: StaleMode,
    /// How long an artifact must run before it counts as good.
    pub soak: Millis,
    /// Scorer faults of one artifact, within a window of ten minutes, beyond which it is given up.
    pub fault_bound: u64,
    /// The first retry's delay; later ones double.
    pub retry: Millis,
    /// This edge's name, for canary slices.
    pub edge_id: String,
}

/// A verified head and what the registry says there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadAt {
    /// The block.
    pub block: BlockRef,
    /// The registry's head word.
    pub head: Head,
}

/// The two heads of one look at the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The newest.
    pub newest: HeadAt,
    /// The one to adopt from.
    pub adoptable: HeadAt,
}

/// How old heads were when they were seen, by the clock of a source that has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// The newest head's; without one, its age counts from when it advanced.
    pub newest: Option<Millis>,
    /// The finalized head's.
    pub finalized: Option<Millis>,
}

/// What requests meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Running {
    /// Nothing: every request is allowed, unscored.
    AllowAll {
        /// Why.
        why: Why,
    },
    /// An artifact.
    Artifact {
        /// Which.
        release: Release,
        /// When it began to run.
        since: Millis,
        /// Scorer faults before the running window.
        faults_before: u64,
        /// When the running window of scorer faults began.
        faults_since: Millis,
        /// Whether it has soaked.
        good: bool,
    },
}

/// Why an edge allows everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// No artifact was ever good here, and none is verified yet.
    NoLastGood,
    /// The registry's kill bit.
    Kill,
    /// The operator's local override.
    Override,
    /// The view of the chain is too old, and the operator chose this.
    Stale,
    /// Scoring failed too often and nothing good is left to run.
    Faults,
    /// What ran was revoked and nothing good is left to run.
    Revoked,
    /// What ran was rolled back, its successor cannot be had and nothing good is left to run.
    RolledBack,
    /// The registry has no artifact to run.
    NothingPromoted,
}

impl Why {
    /// The stable name.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoLastGood => "no-last-good",
            Self::Kill => "kill",
            Self::Override => "override",
            Self::Stale => "stale",
            Self::Faults => "scorer-faults",
            Self::Revoked => "revoked",
            Self::RolledBack => "rolled-back",
            Self::NothingPromoted => "nothing-promoted",
        }
    }
}

/// An artifact that will not be tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Its number.
    pub id: ArtifactId,
    /// Its digest.
    #[serde(with = "crate::registry::digest_text")]
    pub digest: Digest,
    /// The stable name of what is wrong with it.
    pub reason: String,
    /// What is wrong with it.
    pub message: String,
}

/// How far the artifact that is wanted has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pursuit {
    /// Its number.
    pub id: ArtifactId,
    /// Where it stands.
    pub stage: Stage,
    /// Failures in a row at this stage.
    pub failures: u32,
    /// When to try again; `None` while a try is under way.
    pub retry_at: Option<Millis>,
}

impl Pursuit {
    /// The digest on its way, once it is known.
    #[must_use]
    pub const fn digest(&self) -> Option<Digest> {
        match &self.stage {
            Stage::Resolving => None,
            Stage::Fetching(release) | Stage::Compiling(release) => Some(release.digest),
        }
    }
}

/// A pursuit's stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its record is being read.
    Resolving,
    /// Its bytes are being fetched.
    Fetching(Release),
    /// It is being checked and compiled.
    Compiling(Release),
}

/// The machine's whole memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The operator's choices.
    pub settings: Settings,
    /// The last view that counted; `None` until the chain was seen.
    pub view: Option<View>,
    /// What was last asked to be written down. Its view is the floor below which none counts, and, until the chain is
    /// seen, the orders that are obeyed.
    pub durable: Durable,
    /// Whether the last view was below the floor.
    pub behind: bool,
    /// Whose standing could not be read when the head changed; asked again with the next view.
    pub unanswered: Vec<ArtifactId>,
    /// When the newest head came to be; before any was seen, when the machine began.
    pub newest_at: Millis,
    /// When the finalized head came to be, where one was seen.
    pub finalized_at: Option<Millis>,
    /// Whether the view is too old.
    pub stale: bool,
    /// Whether the operator's local override is set.
    pub overridden: bool,
    /// What requests meet.
    pub running: Running,
    /// What is under way.
    pub pursuit: Option<Pursuit>,
    /// The last two that reached good, newest first.
    pub good: Vec<Release>,
    /// What will not be tried again, oldest first.
    pub quarantine: VecDeque<Quarantined>,
    /// The scorer's running total of faults.
    pub faults: u64,
}

/// What outlives the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Durable {
    /// The view at which the registry's head last changed: sequence and block never go below it.
    pub view: Option<View>,
    /// The last two that reached good, newest first.
    pub good: Vec<Release>,
    /// What will not be tried again.
    pub quarantine: VecDeque<Quarantined>,
    /// The version of Greenlight that wrote this.
    pub version: String,
}

impl State {
    /// The state at boot: what was written down, and which good artifact came up from disk.
    #[must_use]
    pub fn boot(
        settings: Settings,
        durable: Durable,
        loaded: Option<Release>,
        faults: u64,
        now: Millis,
    ) -> Self {
        let running = match (durable.boot_order().err(), loaded) {
            (Some(why), _) => Running::AllowAll { why },
            (None, Some(release)) => Running::Artifact {
                release,
                since: now,
                faults_before: faults,
                faults_since: now,
                good: true,
            },
            (None, None) => Running::AllowAll { why: Why::NoLastGood },
        };
        Self {
            settings,
            view: None,
            good: durable.good.clone(),
            quarantine: durable.quarantine_under(VERSION),
            durable,
            behind: false,
            unanswered: Vec::new(),
            newest_at: now,
            finalized_at: None,
            stale: false,
            overridden: false,
            running,
            pursuit: None,
            faults,
        }
    }
}

impl Durable {
    /// Which artifacts to try at boot, best first.
    ///
    /// # Errors
    /// Why nothing may run, where the last orders said so.
    pub fn boot_order(&self) -> Result<&[Release], Why> {
        match self.view {
            Some(view) if view.killed() => Err(Why::Kill),
            _ => Ok(&self.good),
        }
    }
}

impl Durable {
    /// What stays in quarantine under this version: another one may know what the one before refused, but what was
    /// revoked stays so.
    fn quarantine_under(&self, version: &str) -> VecDeque<Quarantined> {
        let stays = |q: &&Quarantined| self.version == version || q.reason == REVOKED;
        self.quarantine.iter().filter(stays).cloned().collect()
    }
}

impl View {
    /// Killed at either head: a kill counts from the newest, its end only from the adoptable.
    #[must_use]
    pub const fn killed(&self) -> bool {
        self.newest.head.kill || self.adoptable.head.kill
    }

    /// Paused at either head.
    #[must_use]
    pub const fn paused(&self) -> bool {
        self.newest.head.paused || self.adoptable.head.paused
    }

    /// The head at which a rollback is ordered: the newest before the adoptable.
    #[must_use]
    pub fn rolled_back(&self) -> Option<HeadAt> {
        [self.newest, self.adoptable].into_iter().find(|at| at.head.rollback)
    }

    /// What of this view counts above `floor`. A newest head that goes back makes the whole view worthless; an adoptable
    /// one that does (a deeper `adoption_depth` than before) gives way to the floor's, so that a kill is not missed for
    /// it.
    #[must_use]
    pub fn above(&self, floor: &Self) -> Option<Self> {
        let adoptable = if self.adoptable.block.number >= floor.adoptable.block.number
            && self.adoptable.head.sequence >= floor.adoptable.head.sequence
        {
            self.adoptable
        } else {
            floor.adoptable
        };
        let advances = self.newest.block.number >= floor.newest.block.number;
        (advances && self.newest.head.sequence >= adoptable.head.sequence)
            .then_some(Self { newest: self.newest, adoptable })
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The chain was seen, by proof.
    Seen(View, Ages),
    /// The newest head was seen, by proof; the adoptable one could not be read.
    SeenNewest(HeadAt, Ages),
    /// A record was read, by proof.
    Resolved(Release),
    /// A record could not be read.
    ResolveFailed {
        /// Which.
        id: ArtifactId,
        /// Why.
        why: Failure,
    },
    /// A release's bytes are at hand, and their digest is right.
    Fetched(Digest),
    /// They could not be had.
    FetchFailed {
        /// Whose.
        digest: Digest,
        /// Why.
        why: Failure,
    },
    /// An artifact is valid and compiled.
    Compiled(Digest),
    /// An artifact breaks an invariant, or cannot be compiled.
    Refused {
        /// Which.
        digest: Digest,
        /// The stable name of what is wrong.
        reason: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A good artifact could not be written to disk.
    KeepFailed(Digest),
    /// The scorer's running total of faults.
    Faults(u64),
    /// The operator's local override was found set or not.
    Override(bool),
    /// Time passed.
    Tick,
}

/// A failure that may pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its stable name.
    pub reason: &'static str,
    /// What happened.
    pub message: String,
    /// 0 to 255, for the retry's delay.
    pub jitter: u8,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Read a record by proof at a head that was seen.
    Resolve {
        /// Which.
        id: ArtifactId,
        /// Where.
        at: BlockRef,
    },
    /// Get a release's bytes: from disk if they are there, else from its location.
    Fetch(Release),
    /// Check the invariants of fetched bytes, hold them to the release's commitment, and compile them.
    Compile(Release),
    /// Run a compiled artifact.
    Install(Release),
    /// Run nothing.
    AllowAll(Why),
    /// Keep a soaked artifact's bytes on disk, with what proved it.
    Keep(Release),
    /// Write down what must outlive the process.
    Persist(Durable),
    /// Append to the evidence.
    Record {
        /// The stable name of what happened.
        event: &'static str,
        /// What it is about.
        digest: Option<Digest>,
        /// Its details.
        detail: String,
    },
}

impl Command {
    /// Whether it changes what requests meet.
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        matches!(self, Self::Install(_) | Self::AllowAll(_))
    }
}

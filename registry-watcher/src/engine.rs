use greenlight_artifact::{Schema, ValidArtifact};

/// What runs artifacts: the proxy's scoring engine, or a test's.
pub trait Engine: Send + Sync + 'static {
    /// A compiled artifact.
    type Model: Send + 'static;

    /// What artifacts are checked against: the engines whose artifacts this can run.
    fn schemas(&self) -> &[Schema];

    /// Turns an artifact into what can run.
    ///
    /// # Errors
    /// [`CompileRefused`], for which the artifact is quarantined.
    fn compile(&self, artifact: &ValidArtifact) -> Result<Self::Model, CompileRefused>;

    /// Runs `model` from now on, for every request that starts after this returns.
    fn install(&self, model: Self::Model);

    /// Runs nothing from now on: every request is allowed, unscored.
    fn allow_all(&self);

    /// How many times scoring has failed (a panic or an overrun) since the engine was made.
    fn faults(&self) -> u64;
}

/// An artifact that is valid and yet cannot be run by this engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileRefused {
    /// The stable name of what is wrong.
    pub reason: &'static str,
    /// What is wrong: expected and found.
    pub message: String,
}

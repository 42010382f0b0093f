//! The gate, end to end: what it takes for an artifact to become current at an edge, and every shortcut refused.
//!
//! The publisher is a Safe of two owners in three. The way is: propose, two signatures, schedule, wait, execute, and the edge
//! adopts from a finalized head. Each attempt to save a step of it is made as far as it gets, past what `greenlightctl`
//! itself would not send, and is refused for its own reason.

mod late;
mod proofs;

use std::{
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use alloy::primitives::Address;
use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::Value;

use crate::{
    artifacts,
    chain::{Account, GUARDIANS, PUBLISHER, PUBLISHERS},
    ctl::{Ctl, Ended},
    edge::Edge,
    process::limited,
    report::Report,
    scene::{Journal, SOON, Scene, Setup, Staged},
    signals,
    tools::Tools,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write what was found as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Long enough that what comes too early surely does, however slow the machine is.
const DELAY: u32 = 6;

/// A minute and a half on a quiet machine.
const LIMIT: Duration = Duration::from_secs(600);

/// One attempt, what it should meet and what it met.
#[derive(Debug, Serialize)]
pub(crate) struct Attempt {
    route: &'static str,
    attempt: &'static str,
    expected: Outcome,
    found: Outcome,
}

/// Who refused, and the stable name of the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Outcome {
    by: By,
    reason: String,
}

/// Who has the last word on an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    /// Nobody refused.
    Nobody,
    /// The control plane's program, before anything was sent.
    Program,
    /// A contract.
    Contract,
    /// Time, or a guardian: what was scheduled or signed is void.
    Void,
    /// The edge.
    Edge,
    /// It failed otherwise.
    Failure,
}

const PASSES: Refusal = (By::Nobody, "");

/// What is expected.
type Refusal = (By, &'static str);

impl From<Refusal> for Outcome {
    fn from((by, reason): Refusal) -> Self {
        Self { by, reason: reason.into() }
    }
}

impl From<&Ended> for Outcome {
    fn from(ended: &Ended) -> Self {
        let (code, reason) = ended.refusal();
        let by = match code {
            0 => By::Nobody,
            2 => By::Program,
            3 => By::Contract,
            6 => By::Void,
            _ => By::Failure,
        };
        Self { by, reason: reason.into() }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, reason } = self;
        match by {
            By::Nobody => f.write_str("passes"),
            By::Program => write!(f, "greenlightctl: {reason}"),
            By::Contract => write!(f, "contract: {reason}"),
            By::Void => write!(f, "void: {reason}"),
            By::Edge => write!(f, "edge: {reason}"),
            By::Failure => write!(f, "failed: {reason}"),
        }
    }
}

/// The table of attempts.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    attempts: Vec<Attempt>,
}

impl Gate {
    /// Notes and prints what became of an attempt.
    fn note(
        &mut self,
        route: &'static str,
        attempt: &'static str,
        expected: Refusal,
        found: impl Into<Outcome>,
    ) {
        let noted = Attempt { route, attempt, expected: expected.into(), found: found.into() };
        println!("{noted}");
        self.attempts.push(noted);
    }

    fn passes(&self) -> bool {
        self.attempts.iter().all(|attempt| attempt.expected == attempt.found)
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { route, attempt, expected, found } = self;
        write!(f, "{route:9} {attempt:52} {found}")?;
        if expected != found {
            write!(f, "; EXPECTED {expected}")?;
        }
        Ok(())
    }
}

/// Runs everything and prints a line for each attempt.
pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let report = Report::create(args.json.as_deref())?;
    let tools = Tools::find()?;
    let mut gate = Gate::default();
    tokio::select! {
        ended = limited(LIMIT, everything(&tools, &mut gate)) => ended?,
        signal = signals::ended() => bail!("ended by {signal}"),
    }
    report.write(&gate.attempts)?;
    let (all, refused) = (gate.attempts.len(), gate.attempts.iter());
    let refused = refused.filter(|attempt| attempt.found.by != By::Nobody).count();
    let verdict = if gate.passes() { "pass" } else { "fail" };
    println!("gate {verdict} attempts={all} refused={refused}");
    Ok(if gate.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn everything(tools: &Tools, gate: &mut Gate) -> Result<()> {
    let journal = Journal::default();
    let setup = Setup { delay: DELAY, ..Setup::QUICK };
    let scene = Scene::start(tools, setup, &journal).await?;
    let edge = scene.edge(&scene.settings()).await?;
    let load = scene.load(&edge);

    let calldata = Route { name: "calldata", verifier: scene.deployment.verifier, proves: false };
    let verifier = scene.deployment.verifiers.groth16;
    let groth16 = Route { name: "groth16", verifier, proves: true };
    let mut runs = None;
    for route in [&calldata, &groth16] {
        let staged = route.stage(&scene, &format!("{}-first", route.name)).await?;
        route.whole_way(gate, &scene, &edge, &staged).await.context(route.name)?;
        route
            .cancelled(gate, &scene)
            .await
            .with_context(|| format!("{}, cancelled", route.name))?;
        runs = Some(staged);
    }
    wrong_roles(gate, &scene, &groth16).await.context("roles")?;
    proofs::run(gate, &scene, &edge, &groth16).await.context("proofs")?;
    for route in [&calldata, &groth16] {
        route.stopped(gate, &scene).await.with_context(|| format!("{}, stopped", route.name))?;
    }
    let (status, runs) = (edge.status().await?, runs.context("no route")?);
    anyhow::ensure!(
        status["artifact"]["digest"] == runs.digest.as_str(),
        "expected {} to run after all that was refused; found {status}",
        runs.digest
    );

    load.stop().await;
    let load = journal.counter.read();
    anyhow::ensure!(
        (load.fivexx, load.broken()) == (0, 0) && load.requests > 0 && journal.panics().is_empty(),
        "expected no 5xx, no reset and no panic; found {load:?}"
    );
    edge.end().await?;
    scene.end().await?;
    late::run(tools, gate).await.context("late")?;
    proofs::development_key(tools, gate).await.context("development key")
}

/// A way past the gate: by the verifier that an artifact is staged through.
struct Route {
    name: &'static str,
    verifier: Address,
    proves: bool,
}

/// A proposal to the publisher's Safe, as its owners hand it around.
struct Proposal {
    file: String,
}

impl Proposal {
    /// To promote an artifact.
    async fn new(ctl: &Ctl, dir: &Path, id: &str) -> Result<Self> {
        let file = dir.join(format!("promote-{id}.json")).display().to_string();
        let propose = ["propose", "promote", id, "--safe", "publisher", "--out", &file];
        ctl.run(PUBLISHER, propose).await?.done()?;
        Ok(Self { file })
    }

    /// The same, which two owners signed, and which is scheduled.
    async fn scheduled(ctl: &Ctl, dir: &Path, id: &str) -> Result<Self> {
        let proposal = Self::new(ctl, dir, id).await?;
        proposal.sign(ctl, &PUBLISHERS[..2]).await?;
        proposal.execute(ctl, &["--no-wait"]).await?.done()?;
        Ok(proposal)
    }

    async fn sign(&self, ctl: &Ctl, owners: &[Account]) -> Result<()> {
        for owner in owners {
            ctl.run(*owner, ["sign", &self.file]).await?.done()?;
        }
        Ok(())
    }

    async fn execute(&self, ctl: &Ctl, flags: &[&str]) -> Result<Ended> {
        let arguments = [&["execute", self.file.as_str()], flags].concat();
        ctl.run(PUBLISHERS[0], arguments).await
    }
}

impl Route {
    async fn stage(&self, scene: &Scene, label: &str) -> Result<Staged> {
        let bytes = artifacts::labelled(&scene.sample, label)?;
        let ended = self.try_stage(scene, label, bytes.bytes()).await?;
        let id = id_of(&ended.done()?)?;
        Ok(Staged { id, digest: artifacts::digest(bytes.bytes()) })
    }

    async fn try_stage(&self, scene: &Scene, label: &str, bytes: &[u8]) -> Result<Ended> {
        let file = scene.file(&format!("{label}.glff"), bytes)?.display().to_string();
        let verifier = self.verifier.to_string();
        let mut stage = vec!["stage", file.as_str(), "--verifier", &verifier];
        let proof;
        if self.proves {
            proof = prove(scene, &file).await?;
            stage.extend(["--proof", proof.as_str()]);
        }
        scene.ctl.run(PUBLISHER, stage).await
    }

    /// Propose, sign, schedule, wait, execute, adopt; and on the way what comes before its time.
    async fn whole_way(
        &self,
        gate: &mut Gate,
        scene: &Scene,
        edge: &Edge,
        staged: &Staged,
    ) -> Result<()> {
        let (ctl, name) = (&scene.ctl, self.name);
        let proposal = Proposal::new(ctl, scene.dir.path(), &staged.id.to_string()).await?;
        proposal.sign(ctl, &PUBLISHERS[..1]).await?;
        let ended = proposal.execute(ctl, &[]).await?;
        gate.note(name, "promote with one signature of two", (By::Program, "signatures"), &ended);
        let ended = proposal.execute(ctl, &["--unchecked"]).await?;
        let attempt = "promote with one signature of two, sent all the same";
        gate.note(name, attempt, (By::Contract, "safe-signatures"), &ended);

        proposal.sign(ctl, &PUBLISHERS[1..2]).await?;
        let ended = proposal.execute(ctl, &["--no-wait"]).await?;
        gate.note(name, "schedule with two signatures", PASSES, &ended);
        let ended = proposal.execute(ctl, &["--unchecked"]).await?;
        gate.note(name, "promote before the timelock is over", (By::Contract, "not-ready"), &ended);
        // It waits for what is left of the timelock.
        let ended = proposal.execute(ctl, &[]).await?;
        gate.note(name, "promote after it", PASSES, &ended);
        edge.keeps(&staged.digest, SOON).await.context("adoption")?;
        let ended = proposal.execute(ctl, &[]).await?;
        gate.note(name, "the same signatures again", (By::Program, "already-executed"), &ended);
        let ended = proposal.execute(ctl, &["--unchecked"]).await?;
        let attempt = "the same signatures again, sent all the same";
        gate.note(name, attempt, (By::Contract, "safe-signatures"), &ended);
        Ok(())
    }

    /// Scheduled, and cancelled by the guardian.
    async fn cancelled(&self, gate: &mut Gate, scene: &Scene) -> Result<()> {
        let (ctl, name) = (&scene.ctl, self.name);
        let id = self.stage(scene, &format!("{name}-cancelled")).await?.id.to_string();
        let proposal = Proposal::scheduled(ctl, scene.dir.path(), &id).await?;
        ctl.run(GUARDIANS[0], ["cancel", &id]).await?.done()?;
        let ended = proposal.execute(ctl, &[]).await?;
        gate.note(name, "promote what a guardian cancelled", (By::Void, "cancelled"), &ended);
        let ended = proposal.execute(ctl, &["--unchecked"]).await?;
        let attempt = "promote what a guardian cancelled, sent all the same";
        gate.note(name, attempt, (By::Contract, "not-scheduled"), &ended);
        Ok(())
    }

    /// Scheduled, and then its verifier is stopped. Ends the route.
    async fn stopped(&self, gate: &mut Gate, scene: &Scene) -> Result<()> {
        let (ctl, name) = (&scene.ctl, self.name);
        let id = self.stage(scene, &format!("{name}-stopped")).await?.id.to_string();
        let proposal = Proposal::scheduled(ctl, scene.dir.path(), &id).await?;
        let verifier = self.verifier.to_string();
        ctl.run(GUARDIANS[0], ["stop-verifier", &verifier]).await?.done()?;
        let ended = proposal.execute(ctl, &[]).await?;
        let refused = (By::Contract, "verifier-not-active");
        gate.note(name, "promote what a stopped verifier vouched for", refused, &ended);
        let label = format!("{name}-after-the-stop");
        let bytes = artifacts::labelled(&scene.sample, &label)?;
        let ended = self.try_stage(scene, &label, bytes.bytes()).await?;
        gate.note(name, "stage through a stopped verifier", refused, &ended);
        Ok(())
    }
}

/// Proves the artifact in a file, and says where the proof is.
async fn prove(scene: &Scene, file: &str) -> Result<String> {
    let proof = file.replace(".glff", ".glpf");
    scene.ctl.run(PUBLISHER, ["prove", file, "--out", &proof]).await?.done()?;
    Ok(proof)
}

/// Who may not do what, in transactions that are mined.
async fn wrong_roles(gate: &mut Gate, scene: &Scene, route: &Route) -> Result<()> {
    let staged = route.stage(scene, "not-by-guardians").await?.id.to_string();
    let guardian = ["promote", staged.as_str(), "--unchecked"];
    let refused = (By::Contract, "unauthorized");
    let ended = scene.ctl.run(GUARDIANS[0], guardian).await?;
    gate.note("roles", "promote by the guardian", refused, &ended);
    let ended = scene.ctl.run(PUBLISHERS[0], ["kill", "--unchecked"]).await?;
    gate.note("roles", "kill by the publisher", refused, &ended);
    Ok(())
}

/// The id in what `stage` says.
fn id_of(staged: &Value) -> Result<u64> {
    staged["id"].as_u64().context("stage said no id")
}

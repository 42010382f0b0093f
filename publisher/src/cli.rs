//! The command line.

use std::{path::PathBuf, str::FromStr};

use alloy::primitives::Address;
use clap::{Args, Parser, Subcommand};
use greenlight_artifact::Digest;

use crate::{
    error::Error,
    files::Format,
    operation::TimelockArgs,
    registry::RegistryArgs,
    report::Report,
    safe::{execute::ExecuteArgs, propose::Proposed, sign::SignArgs},
    stage::StageArgs,
    train::TrainArgs,
    transaction::SenderArgs,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed (also: build --check or train --check found a difference, lint --deny-warnings found one)
  2  wrong usage or bad input; nothing was sent
  3  refused by a contract
  4  the chain cannot be reached, or what answers is no usable RPC
  5  waited in vain; the same command goes on from where this one stopped
  6  what was scheduled was cancelled, was not executed in time, or is void because the head moved; what was signed is void
     because the Safe's nonce was used

Keys come from --keystore or GREENLIGHT_PRIVATE_KEY, never from an argument.";

/// The control plane of Greenlight: builds feature files and moves the registry that edges obey.
#[derive(Debug, Parser)]
#[command(name = "greenlightctl", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// One JSON object on stdout, for machines.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build an artifact from a JSON, CSV or Parquet source.
    Build {
        /// The source; .json, .csv or .parquet says which.
        source: PathBuf,
        /// Where to write the artifact.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// How to read the source, whatever it is called.
        #[arg(long)]
        format: Option<Format>,
        /// Write nothing; fail unless the file holds exactly what the source builds to.
        #[arg(long)]
        check: bool,
    },
    /// Check a source or an artifact against every invariant, and warn of rows that cannot do what they seem to.
    Lint {
        /// The source (.json, .csv, .parquet) or artifact (anything else).
        file: PathBuf,
        /// How to read the file, whatever it is called.
        #[arg(long)]
        format: Option<Format>,
        /// Exit with 1 if there are warnings.
        #[arg(long)]
        deny_warnings: bool,
    },
    /// Run the zkVMs' checker program here: what it publishes of a source, what it reads, and the evidence of its receipt.
    Journal {
        /// The source; .json, .csv or .parquet says which.
        source: PathBuf,
        /// How to read the source, whatever it is called.
        #[arg(long)]
        format: Option<Format>,
        /// Where to write the program's input, for a zkVM to prove.
        #[arg(long, value_name = "FILE")]
        input: Option<PathBuf>,
        /// The zkVM's proof, as its verifier contract takes it.
        #[arg(long, value_name = "FILE", requires = "evidence")]
        seal: Option<PathBuf>,
        /// Where to write the evidence to stage with: the journal and the proof.
        #[arg(long, value_name = "FILE", requires = "seal")]
        evidence: Option<PathBuf>,
    },
    /// Learn an artifact from labelled requests, and report on how it does on others.
    Train(TrainArgs),
    /// Prove that an artifact obeys every invariant, so that its bytes need not be checked on chain.
    Prove {
        /// The artifact.
        file: PathBuf,
        /// Where to write the proof.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The proving key of a ceremony; without it, the development key, under which anyone can forge.
        #[arg(long, value_name = "FILE")]
        proving_key: Option<PathBuf>,
    },
    /// Check a proof of an artifact, without a chain.
    Verify {
        /// The artifact.
        file: PathBuf,
        /// The proof, as `prove` writes it.
        #[arg(long, value_name = "FILE")]
        proof: PathBuf,
    },
    /// Put an artifact on chain, where a verifier checks it or a proof of it; moves no edge.
    Stage {
        #[command(flatten)]
        stage: StageArgs,
        /// For drills: send any bytes, neither checked nor rehearsed, so that the contract itself refuses them.
        #[arg(long)]
        unchecked: bool,
        #[command(flatten)]
        sender: SenderArgs,
    },
    #[command(flatten)]
    Act(Acts<Act>),
    /// Cancel what is scheduled: an artifact's promotions, or one operation.
    Cancel {
        /// Id of the artifact, or id of the operation as `status` shows it.
        #[arg(value_name = "ID|OPERATION")]
        target: Scheduled,
        #[command(flatten)]
        sender: SenderArgs,
    },
    /// Write down an act for a Safe's owners to sign.
    Propose {
        #[command(subcommand)]
        act: Proposed,
    },
    /// Look at a proposal and sign it, without a chain.
    Sign(SignArgs),
    /// Do what enough of a Safe's owners signed.
    Execute(ExecuteArgs),
    /// What edges are told to run, and what is scheduled.
    Status {
        /// How many of the newest artifacts to show.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Every change of the registry, oldest first.
    History {
        /// Show only the newest so many.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        #[command(flatten)]
        registry: RegistryArgs,
    },
}

/// Acts on the registry, each with the arguments that go with it.
#[derive(Debug, Subcommand)]
pub(crate) enum Acts<T: Args> {
    /// Make a staged artifact current: schedule, wait for the timelock, execute.
    Promote {
        /// Id or digest of the artifact.
        #[arg(value_name = "ID|DIGEST")]
        target: Target,
        /// Basis points of the edges that run it as a canary; 10000 is all of them and makes it current.
        #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        canary_bps: u16,
        #[command(flatten)]
        with: T,
    },
    /// Make every edge run an artifact that was current before.
    Rollback {
        /// Id or digest of the artifact.
        #[arg(value_name = "ID|DIGEST")]
        target: Target,
        #[command(flatten)]
        with: T,
    },
    /// Make every edge allow everything.
    Kill(T),
    /// Take the kill back, after the timelock.
    Revive(T),
    /// Make edges keep what they run and adopt nothing.
    Pause(T),
    /// Take the pause back, after the timelock.
    Resume(T),
    /// Bar an artifact for ever.
    Revoke {
        /// Id or digest of the artifact.
        #[arg(value_name = "ID|DIGEST")]
        target: Target,
        #[command(flatten)]
        with: T,
    },
    /// Let artifacts be staged through a verifier, after the timelock.
    AddVerifier {
        /// Its address.
        verifier: Address,
        #[command(flatten)]
        with: T,
    },
    /// Stop a verifier for ever: nothing is staged through it, and what was is promoted no more.
    StopVerifier {
        /// Its address.
        verifier: Address,
        #[command(flatten)]
        with: T,
    },
}

/// What acts take that a key does at once.
#[derive(Args, Clone, Debug)]
pub(crate) struct Act {
    #[command(flatten)]
    pub(crate) timelock: TimelockArgs,
    #[command(flatten)]
    pub(crate) sender: SenderArgs,
}

impl Command {
    /// The subcommand's name.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Build { .. } => "build",
            Self::Lint { .. } => "lint",
            Self::Journal { .. } => "journal",
            Self::Train(_) => "train",
            Self::Prove { .. } => "prove",
            Self::Verify { .. } => "verify",
            Self::Stage { .. } => "stage",
            Self::Act(act) => act.name(),
            Self::Cancel { .. } => "cancel",
            Self::Propose { .. } => "propose",
            Self::Sign(_) => "sign",
            Self::Execute(_) => "execute",
            Self::Status { .. } => "status",
            Self::History { .. } => "history",
        }
    }

    /// Does it.
    pub(crate) async fn run(self) -> Result<Report, Error> {
        use crate::{build, change, history, journal, lint, proof, safe, stage, status, train};
        match self {
            Self::Build { source, out, format, check } => build::run(&source, format, &out, check),
            Self::Lint { file, format, deny_warnings } => lint::run(&file, format, deny_warnings),
            Self::Journal { source, format, input, seal, evidence } => journal::run(
                &source,
                format,
                input.as_deref(),
                seal.as_deref().zip(evidence.as_deref()),
            ),
            Self::Train(args) => train::run(&args),
            Self::Prove { file, out, proving_key } => {
                proof::prove(&file, proving_key.as_deref(), &out)
            }
            Self::Verify { file, proof } => proof::verify(&file, &proof),
            Self::Stage { stage, unchecked, sender } => {
                stage::run(&stage, unchecked, &sender).await
            }
            Self::Act(act) => change::run(act).await,
            Self::Cancel { target, sender } => change::cancel(target, &sender).await,
            Self::Propose { act } => safe::propose::run(act).await,
            Self::Sign(args) => safe::sign::run(&args),
            Self::Execute(args) => safe::execute::run(&args).await,
            Self::Status { limit, registry } => status::run(limit, &registry).await,
            Self::History { limit, registry } => history::run(limit, &registry).await,
        }
    }
}

impl<T: Args> Acts<T> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Promote { .. } => "promote",
            Self::Rollback { .. } => "rollback",
            Self::Kill(_) => "kill",
            Self::Revive(_) => "revive",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Revoke { .. } => "revoke",
            Self::AddVerifier { .. } => "add-verifier",
            Self::StopVerifier { .. } => "stop-verifier",
        }
    }
}

/// An artifact as a command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// By its number.
    Id(u32),
    /// By its content.
    Digest(Digest),
}

/// Something scheduled as a command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheduled {
    /// The promotions of an artifact.
    Artifact(u32),
    /// One operation of the AccessManager.
    Operation(alloy::primitives::B256),
}

/// A number or 32 bytes in hex were expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number, or 0x and 64 hex digits; found {found:?}")]
pub(crate) struct NameError {
    found: String,
}

fn number_or_word(text: &str) -> Result<Result<u32, Digest>, NameError> {
    let refuse = || NameError { found: text.into() };
    // 64 digits without 0x could be meant as a number; with it they cannot.
    if text.starts_with("0x") {
        text.parse().map(Err).map_err(|_| refuse())
    } else {
        text.parse().map(Ok).map_err(|_| refuse())
    }
}

impl FromStr for Target {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        number_or_word(text).map(|parsed| parsed.map_or_else(Self::Digest, Self::Id))
    }
}

impl FromStr for Scheduled {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        number_or_word(text)
            .map(|parsed| parsed.map_or_else(|word| Self::Operation(word.0.into()), Self::Artifact))
    }
}

#[cfg(test)]
mod tests;

//! `greenlight`: a reverse proxy whose bot filter only runs what a smart contract has green-lit.
//!
//! The program is [`main`]; a library, so that drills can build the edge of another version.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | failed for a reason outside the command line and the configuration |
//! | 2 | the command line or the configuration is wrong |
//! | 3 | an address cannot be listened on |
//! | 4 | an artifact was refused, or lines of a request file were |
//! | 5 | the edge's admin listener does not answer, or is not an edge's |

mod admin;
mod check;
mod client;
mod config;
mod crawlers;
mod listen;
mod logging;
mod metrics;
mod proxy;
mod record;
mod run;
mod score;
mod status;
mod tls;
mod upstream;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use greenlight_artifact::Schema;

use config::Config;

/// How a command ended, other than well.
#[derive(Clone, Copy, Debug)]
enum Exit {
    Failed = 1,
    Config = 2,
    Listen = 3,
    Input = 4,
    Unreachable = 5,
}

/// A reverse proxy whose bot filter only runs what a smart contract has green-lit.
///
/// Exit codes: 0 done · 1 failed · 2 wrong command line or configuration · 3 an address cannot be listened on ·
/// 4 artifact or request lines refused · 5 no edge answers.
#[derive(Parser)]
#[command(name = "greenlight", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve requests until told to stop (SIGTERM: finish what is under way; SIGINT: at once).
    Run {
        /// Configuration file, TOML.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Check a configuration file: say what it was understood to mean, or everything that is wrong with it.
    Check {
        /// Configuration file, TOML.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Ask a running edge what it runs and why.
    Status {
        /// The edge's admin listener.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9100")]
        admin: String,
        /// Print the edge's answer as it is.
        #[arg(long)]
        json: bool,
    },
    /// Score recorded requests with an artifact, and measure it where they are labelled.
    Score(score::Args),
}

/// Does what the command line says, as an edge that runs artifacts of the engines of `schemas`.
#[must_use]
pub fn main(schemas: &'static [Schema]) -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run { config } => load(&config).and_then(|config| run::run(config, schemas)),
        Command::Check { config } => load(&config).and_then(|valid| check::check(&config, &valid)),
        Command::Status { admin, json } => status::status(&admin, json),
        Command::Score(args) => score::score(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => ExitCode::from(exit as u8),
    }
}

/// An error with all that caused it: libraries leave the cause out of the text.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

fn load(path: &std::path::Path) -> Result<Config, Exit> {
    Config::load(path).map_err(|error| {
        eprintln!("greenlight: {error}");
        Exit::Config
    })
}

//! Greenlight's control plane on the command line: builds feature files, and moves the registry that edges obey.

mod abi;
mod build;
mod chain;
mod change;
mod cli;
mod error;
mod files;
mod history;
mod journal;
mod lint;
mod operation;
mod past;
mod proof;
mod rebuilt;
mod refusal;
mod registry;
mod report;
mod safe;
mod schedule;
mod signer;
mod stage;
mod status;
mod train;
mod transaction;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let command = cli.command.name();
    let outcome = cli.command.run().await;
    ExitCode::from(report::print(command, outcome, cli.json) as u8)
}

//! Runs Greenlight's real binaries on a local chain: the demo, the chaos drills, the soak and the measurements.
//!
//! Everything here is a process of its own, as in production: anvil, the edge (`greenlight`), the control plane's program
//! (`greenlightctl`). In this process are the beacon chain over anvil, the origin, the clients and, where a drill needs
//! one, a lying RPC endpoint. The keys are those of anvil's well-known accounts; they exist in this crate and no other.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "judges others and serves no one: a panic here fails a drill"
)]

mod artifacts;
mod chain;
mod clients;
mod clock;
mod cost;
mod ctl;
mod demo;
mod deploy;
mod dns;
mod drill;
mod edge;
mod gate;
mod http;
mod liar;
mod load;
mod origin;
mod process;
mod report;
mod scene;
mod signals;
mod soak;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use report::Misuse;

/// Runs Greenlight's real binaries on a local chain.
#[derive(Debug, Parser)]
#[command(name = "greenlight-loadtest", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The main job, from a source file to a blocked bot, on a local chain.
    Demo(demo::Args),
    /// Faults put into a running edge under load.
    Drill(drill::Args),
    /// What it takes to become current, and every shortcut refused.
    Gate(gate::Args),
    /// What real clients are taken for: curl, wget, Go, Node, Chromium and others.
    Clients(clients::Args),
    /// CPU time of a request: bot module on, off, and bare Pingora.
    Cost(cost::Args),
    /// Minutes of a chain in seconds, over ends of sync committee periods.
    Soak(soak::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(args) => demo::run(args).await,
        Command::Drill(args) => drill::run(args).await,
        Command::Gate(args) => gate::run(args).await,
        Command::Clients(args) => clients::run(args).await,
        Command::Cost(args) => cost::run(args).await,
        Command::Soak(args) => soak::run(args).await,
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("greenlight-loadtest: {error:#}");
            if error.is::<Misuse>() { Misuse::EXIT_CODE.into() } else { ExitCode::FAILURE }
        }
    }
}

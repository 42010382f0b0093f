//! Runs Greenlight's real binaries on a local chain: the demo and the chaos drills.
//!
//! Everything here is a process of its own, as in production: anvil, the edge (`greenlight`), the control plane's program
//! (`greenlightctl`). In this process are the origin, the clients and, where a drill needs one, a lying RPC endpoint. The
//! keys are those of anvil's well-known accounts; they exist in this crate and no other.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "judges others and serves no one: a panic here fails a drill"
)]

mod artifacts;
mod chain;
mod ctl;
mod demo;
mod deploy;
mod drill;
mod edge;
mod http;
mod liar;
mod load;
mod origin;
mod process;
mod scene;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

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
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = async {
        match Cli::parse().command {
            Command::Demo(args) => demo::run(args).await,
            Command::Drill(args) => drill::run(args).await,
        }
    };
    let outcome = tokio::select! {
        outcome = command => outcome,
        // Leaving the future drops it, which ends the processes that it started.
        signal = ended_by_signal() => Err(anyhow::anyhow!("ended by {signal}")),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("greenlight-loadtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A signal that ends the program and that the command has not taken for itself.
async fn ended_by_signal() -> &'static str {
    let kinds = [
        (SignalKind::interrupt(), "SIGINT"),
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::hangup(), "SIGHUP"),
    ];
    let mut signals = tokio::task::JoinSet::new();
    for (kind, name) in kinds {
        if let Ok(mut signal) = signal(kind) {
            signals.spawn(async move {
                signal.recv().await;
                name
            });
        }
    }
    match signals.join_next().await {
        Some(Ok(name)) => name,
        _ => std::future::pending().await,
    }
}

//! Serves the Beacon API over an execution chain until standard input ends, as the network that real Helios takes for
//! mainnet: `cargo run -p greenlight-beacon-simulator --example serve -- http://127.0.0.1:8545`.
//! Its only line of output is JSON: `{"url": "http://…", "checkpoint": "0x…"}`.

use std::io::Read as _;

use anyhow::{Context as _, Result};
use greenlight_beacon_simulator::{Idle, Simulator, Spec};

#[tokio::main]
async fn main() -> Result<()> {
    let execution = std::env::args().nth(1).context("expected the URL of an execution RPC")?;
    let simulator = Simulator::start(Spec::mainnet(), &execution).await?;
    simulator.when_idle(Idle::Mine);
    let endpoint = simulator.endpoint().await?;
    println!(
        "{}",
        serde_json::json!({ "url": endpoint.url, "checkpoint": simulator.checkpoint() })
    );
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

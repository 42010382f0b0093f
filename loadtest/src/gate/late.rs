//! What comes too late. Weeks pass, so that it has a chain of its own, which no edge follows.

use anyhow::{Context as _, Result};
use greenlight_artifact::{Schema, ValidArtifact};
use serde_json::json;

use super::{By, DELAY, Gate, Proposal, id_of};
use crate::{
    artifacts,
    chain::{Blocks, Chain, PUBLISHER},
    ctl::Ctl,
    deploy::{STAGING_PERIOD, deploy},
    scene::Setup,
    tools::Tools,
};

/// AccessManager's, after a schedule's time.
const WEEK: u64 = 7 * 86_400;

pub(super) async fn run(tools: &Tools, gate: &mut Gate) -> Result<()> {
    let dir = tempfile::Builder::new().prefix("greenlight-").tempdir()?;
    let chain = Chain::start(tools, Blocks::ByTransaction, 0).await?;
    let file = dir.path().join("deployment.json");
    let setup = Setup { blocks: Blocks::ByTransaction, delay: DELAY, ..Setup::QUICK };
    deploy(tools, &chain, &setup, &file).await?;
    let ctl = Ctl::new(tools, &chain.rpc.url, file, setup.holding);
    let sample = std::fs::read(tools.root.join("config/sample.glff"))?;
    let sample = ValidArtifact::check(&sample, &[Schema::ENGINE_1])?;
    let stage = async |label: &str| -> Result<String> {
        let file = dir.path().join(format!("{label}.glff"));
        std::fs::write(&file, artifacts::labelled(&sample, label)?.bytes())?;
        let file = file.display().to_string();
        let staged = ctl.run(PUBLISHER, ["stage", &file]).await?.done()?;
        Ok(id_of(&staged)?.to_string())
    };
    let pass = async |seconds: u64| -> Result<()> {
        chain.rpc.call("evm_increaseTime", json!([seconds])).await?;
        chain.rpc.call("evm_mine", json!([])).await.map(drop)
    };

    let id = stage("late").await?;
    let proposal = Proposal::scheduled(&ctl, dir.path(), &id).await?;
    pass(u64::from(DELAY) + WEEK).await?;
    let ended = proposal.execute(&ctl, &[]).await?;
    gate.note("calldata", "promote a week after it was due", (By::Void, "expired"), &ended);
    let ended = proposal.execute(&ctl, &["--unchecked"]).await?;
    let attempt = "promote a week after it was due, sent all the same";
    gate.note("calldata", attempt, (By::Contract, "expired"), &ended);

    // Scheduled within the period, due after it.
    let id = stage("old").await?;
    pass(STAGING_PERIOD - u64::from(DELAY) - 60).await?;
    let proposal = Proposal::scheduled(&ctl, dir.path(), &id).await?;
    pass(u64::from(DELAY) + 60).await?;
    let refused = (By::Contract, "staging-expired");
    let ended = proposal.execute(&ctl, &[]).await?;
    gate.note("calldata", "promote what was staged a month ago", refused, &ended);
    let ended = proposal.execute(&ctl, &["--unchecked"]).await?;
    let attempt = "promote what was staged a month ago, sent all the same";
    gate.note("calldata", attempt, refused, &ended);
    chain.end().await.context("anvil")
}

//! Drill 17: what is not final is reorganised away, and endpoints forge what they can.
//!
//! A promotion that the newest head shows and finality never reaches is not adopted. A kill at the newest head is obeyed
//! while it stands, and forgotten with its block. Of three RPCs one forges storage proofs; a beacon endpoint forges
//! branches, signs for a seat too few, under another fork's version or for a second block of the same slot, or names a fork
//! that nobody knows: each has its name in status and evidence, and no head ever comes from it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use greenlight_beacon_simulator::Manner as Beacon;
use serde_json::{Value, json};

use super::{Drill, named, recovers};
use crate::{
    artifacts,
    chain::{GUARDIAN, PUBLISHER},
    edge::{Edge, Settings},
    liar::{Liar, Manner},
    scene::{SOON, Scene, Setup, Staged},
};

/// Time enough between a block and its finality to take it away.
const SETUP: Setup = Setup { slot: Duration::from_millis(500), finality_lag: 10, ..Setup::QUICK };

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, SETUP, &drill.journal).await?;
    let liar = Liar::start(scene.rpc().clone()).await?;
    liar.be(Manner::ForgedProof);
    let first = scene.publish("first").await?;
    // The liar is asked first.
    let rpc = scene.rpc().url.clone();
    let rpc_urls = vec![liar.url.clone(), rpc.clone(), rpc];
    let settings = Settings { rpc_urls, ..scene.settings() };
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.keeps(&first.digest, SOON).await?;

    let before = drill.journal.counter.read();
    let second = promotion(drill, &scene, &edge, &first).await.context("a promotion")?;
    drill.none_let_through(&before);
    kill(drill, &scene, &edge, &first).await.context("a kill")?;
    let before = drill.journal.counter.read();
    forgeries(drill, &scene, &edge).await?;

    // The very promotion that was taken away, made again and left standing.
    scene.promote(&second).await?;
    edge.keeps(&second.digest, SOON).await.context("a promotion that stands")?;
    drill.none_let_through(&before);
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;
    edge.end().await?;

    // Alone, the liar among the RPCs has its name too.
    let settings = Settings { rpc_urls: vec![liar.url.clone()], ..settings };
    let edge = scene.edge(&settings).await?;
    let load = scene.light_load(&edge);
    named(&edge, &["storage-proof"]).await.context("a lying RPC alone")?;
    drill.findings.recorded(&edge.evidence()?, "source-failed", None, "storage-proof");
    drill.findings.equal(
        "beside a lying RPC alone: what runs",
        &edge.status().await?["artifact"]["digest"],
        &json!(second.digest),
    );
    load.stop().await;
    edge.end().await?;
    scene.end().await
}

/// A promotion that becomes known and never final.
async fn promotion(
    drill: &mut Drill,
    scene: &Scene,
    edge: &Edge,
    first: &Staged,
) -> Result<Staged> {
    let second =
        scene.stage("second", artifacts::labelled(&scene.sample, "second")?.bytes()).await?;
    let (id, current) = (second.id.to_string(), |status: &Value| status["head"]["current"].clone());
    scene.ctl.run(PUBLISHER, ["promote", &id, "--no-wait"]).await?.done()?;
    let fork = Fork::at(scene).await?;
    scene.promote(&second).await?;
    let seen = edge
        .until("the promotion at the newest head", SOON, |status| current(status) == second.id)
        .await?;
    fork.take_back(scene).await?;
    edge.until("the head without the promotion", SOON, |status| current(status) == first.id)
        .await?;
    // By then the block that held it would be final.
    let gone = seen["head"]["number"].as_u64().context("head.number")?;
    edge.until("finality beyond the block that is gone", SOON, |status| {
        status["head"]["adoptable"].as_u64() > Some(gone)
    })
    .await?;
    let evidence = edge.evidence()?;
    let adopted = evidence
        .iter()
        .filter(|line| line.event == "adopted" && line.digest.as_deref() == Some(&second.digest));
    drill.findings.equal("times that it was adopted", adopted.count(), 0);
    drill.findings.recorded(&evidence, "head-changed", None, &format!("current {},", second.id));
    drill.findings.recorded(&evidence, "head-behind", None, "expected at least block");
    drill.findings.equal(
        "what runs",
        &edge.status().await?["artifact"]["digest"],
        &json!(first.digest),
    );
    Ok(second)
}

/// A kill that becomes known and goes with its block.
async fn kill(drill: &mut Drill, scene: &Scene, edge: &Edge, first: &Staged) -> Result<()> {
    let fork = Fork::at(scene).await?;
    scene.ctl.run(GUARDIAN, ["kill"]).await?.done()?;
    edge.until("the kill at the newest head", SOON, |status| status["reason"] == "kill").await?;
    fork.take_back(scene).await?;
    let status = edge.runs(&first.digest, SOON).await.context("after the kill's block is gone")?;
    drill.findings.equal("the kill bit then", &status["head"]["kill"], &json!(false));
    drill.findings.recorded(&edge.evidence()?, "allow-all", None, "kill");
    Ok(())
}

/// What an endpoint can forge, while it is alone and while an honest one stands behind it.
async fn forgeries(drill: &mut Drill, scene: &Scene, edge: &Edge) -> Result<()> {
    let manners: [(Beacon, &[&'static str]); 5] = [
        (
            Beacon::ForgedBranch,
            &["execution-branch-attested", "execution-branch-finalized", "finality-branch"],
        ),
        (Beacon::OneShort, &["participation"]),
        (Beacon::WrongForkVersion, &["signature"]),
        (Beacon::UnknownFork, &["unknown-fork"]),
        (Beacon::Equivocate, &["participation"]),
    ];
    let slot = |status: &Value| status["source"]["newest"]["slot"].as_u64();
    for (manner, reasons) in manners {
        let name = format!("{manner:?}");
        scene.endpoint.be(manner);
        // What comes from now on is forged; what was asked for before may still arrive.
        let last = scene.beacon.head_slot();
        let (reason, _) = named(edge, reasons).await.with_context(|| name.clone())?;
        tokio::time::sleep(2 * SETUP.slot).await;
        let found = slot(&edge.status().await?);
        drill.findings.expect(found.is_some() && found <= Some(last), || {
            format!("{name}: expected no head beyond slot {last}; found {found:?}")
        });
        drill.findings.recorded(&edge.evidence()?, "source-failed", None, reason);
        drill.findings.fact(&name, reason);
        scene.endpoint.be(Beacon::Honest);
        let status = recovers(edge).await.context(name)?;
        edge.until("a newer head", SOON, |now| slot(now) > slot(&status)).await?;
    }
    Ok(())
}

/// A point of both chains that they can go back to, as long as it is not final.
struct Fork {
    snapshot: Value,
}

impl Fork {
    async fn at(scene: &Scene) -> Result<Self> {
        let snapshot = scene.rpc().call("evm_snapshot", json!([])).await?;
        Ok(Self { snapshot })
    }

    /// Everything since is gone, and the chains go on from there.
    async fn take_back(self, scene: &Scene) -> Result<()> {
        let reverted = scene.rpc().call("evm_revert", json!([self.snapshot])).await?;
        anyhow::ensure!(reverted == true, "evm_revert: {reverted}");
        Ok(())
    }
}

//! Drill 5: the kill bit changes 1,000 times under load: 500 kills by the guardian, 500 revivals by operations, each a
//! transaction of its own in a block of its own, some 20 ms apart.
//!
//! Meanwhile every kind of action is in flight: the load goes over routes that block, tag, log and shadow. An edge sees
//! the chain slot by slot and so a part of the changes only; the facts say how many. Whatever it has seen, a request meets
//! either the whole artifact or nothing of it: it is never half scored, never blocked unscored, and it never fails.

use std::{collections::BTreeSet, time::Duration};

use alloy::sol_types::SolCall as _;
use anyhow::{Context as _, Result};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Drill;
use crate::{
    chain::{Blocks, GUARDIAN, SPARE},
    deploy::{self, Holding, OPERATIONS_ROLE, Registry},
    edge::Settings,
    load::{Route, Who},
    scene::{SOON, Scene, Setup},
};

const CHANGES: u64 = 1_000;
const APART: Duration = Duration::from_millis(20);

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let setup = Setup {
        blocks: Blocks::ByTransaction,
        slot: Duration::from_millis(400),
        holding: Holding::Accounts,
        ..Setup::QUICK
    };
    let scene = Scene::start(&drill.tools, setup, &drill.journal).await?;
    let registry = scene.deployment.registry;
    // A second holder of the operations role, without a delay, only so that the bit can change back that fast.
    deploy::grant(scene.rpc(), &scene.deployment, OPERATIONS_ROLE, SPARE.address).await?;

    let staged = scene.publish("first").await?;
    let settings = Settings { poll: Duration::from_millis(50), ..scene.settings() };
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.keeps(&staged.digest, SOON).await?;

    let before = drill.journal.counter.read();
    let (recorded_before, start) = (edge.evidence()?.len(), Instant::now());
    let mut beat = interval(APART);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for change in 0..CHANGES {
        beat.tick().await;
        let (from, data) = if change % 2 == 0 {
            (GUARDIAN, Registry::killCall {}.abi_encode())
        } else {
            // The promotion was the head's first change.
            (SPARE, Registry::reviveCall { sequence: change + 1 }.abi_encode())
        };
        scene
            .rpc()
            .act(from.address, registry, data)
            .await
            .with_context(|| format!("change {change}"))?;
    }
    let seconds = start.elapsed().as_secs_f64();
    // The promotion and all changes, one sequence number each.
    edge.until("the last change", SOON, |status| status["sequence"] == CHANGES + 1).await?;
    let status = edge.runs(&staged.digest, SOON).await.context("after the last revival")?;
    drill.findings.equal("scorer faults", &status["proxy"]["faults"], &json!(0));
    drill.findings.equal("watcher restarts", &status["restarts"], &json!(0));
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;

    let window = drill.journal.counter.read().since(&before);
    let artifact =
        Some(staged.digest.trim_start_matches("0x").chars().take(16).collect::<String>());
    let findings = &mut drill.findings;
    for (who, route) in
        [Who::Human, Who::Bot].into_iter().flat_map(|who| Route::ALL.map(|route| (who, route)))
    {
        let outcomes: BTreeSet<_> = window
            .seen
            .keys()
            .filter(|seen| seen.who == who && seen.route == route)
            .map(|seen| {
                (
                    seen.status,
                    seen.verdict.clone(),
                    seen.score.is_none_or(|score| score > 0),
                    seen.artifact.clone(),
                )
            })
            .collect();
        let passed = |verdict: &str| (200, Some(verdict.to_owned()), true, artifact.clone());
        let scored = match (who, route) {
            (Who::Human, _) => passed("allow"),
            (Who::Bot, Route::Block) => (403, None, true, None),
            (Who::Bot, Route::Tag) => passed("tag"),
            (Who::Bot, Route::Log) => passed("log"),
            (Who::Bot, Route::Shadow) => passed("block"),
        };
        let unscored = (200, Some("unscored".to_owned()), false, None);
        findings.equal(
            &format!("{who:?} on {route:?}"),
            outcomes,
            BTreeSet::from([scored, unscored]),
        );
    }
    let evidence = edge.evidence()?;
    let new = evidence.get(recorded_before..).unwrap_or_default();
    let count = |event: &str| new.iter().filter(|line| line.event == event).count();
    findings.recorded(new, "allow-all", None, "kill");
    findings.recorded(new, "adopted", Some(&staged.digest), "");
    findings.fact("changes", CHANGES);
    findings.fact("seconds", (seconds * 10.0).round() / 10.0);
    findings.fact("changes_seen_by_the_edge", count("head-changed"));
    findings.fact("times_killed_at_the_edge", count("allow-all"));
    findings.fact("bypasses", window.count(|seen| seen.who == Who::Bot && seen.is_unscored()));
    findings.fact("blocked", window.count(|seen| seen.status == 403));
    edge.end().await?;
    scene.end().await
}

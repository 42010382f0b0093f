//! Drill 3: the control plane is taken over, and makes good and bad artifacts current in turn, every 5 seconds.
//!
//! So that bad artifacts can become current at all, operations add a verifier that vouches for anything. What is tested
//! is then the edge's own check: each bad digest is refused once, with one line of evidence, however often it comes
//! back; requests see good artifacts alone, and the same scores all the time.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::Drill;
use crate::{
    artifacts, deploy,
    load::{Route, Who},
    scene::{SOON, Scene, Setup},
};

const ROUNDS: usize = 2;
const EVERY: Duration = Duration::from_secs(5);

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let (edge, load, first) = scene.running("first").await?;
    let second =
        scene.stage("second", artifacts::labelled(&scene.sample, "second")?.bytes()).await?;

    let verifier = deploy::drill_contract(&drill.tools, scene.rpc(), "PermissiveVerifier").await?;
    deploy::add_verifier(scene.rpc(), &scene.deployment, verifier).await?;
    let mut bad = Vec::new();
    for (name, rows) in [("twice-180", 180), ("twice-75", 75)] {
        let bytes = artifacts::doubled(&scene.sample, rows);
        let by_it = ["--unchecked", "--verifier", &verifier.to_string()];
        bad.push(scene.stage_with(name, &bytes, &by_it).await?);
    }

    let before = drill.journal.counter.read();
    let mut next = Instant::now();
    for _ in 0..ROUNDS {
        for staged in [&bad[0], &second, &bad[1], &first] {
            sleep_until(next).await;
            next += EVERY;
            scene.promote(staged).await?;
            if bad.iter().any(|bad| bad.id == staged.id) {
                edge.quarantines(&staged.digest, SOON).await?;
            } else {
                edge.runs(&staged.digest, SOON).await?;
            }
        }
    }
    // However often they came.
    drill.findings.equal("artifacts refused", &edge.status().await?["refusals"], &json!(bad.len()));
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;

    let window = drill.journal.counter.read().since(&before);
    let findings = &mut drill.findings;
    let good: BTreeSet<String> =
        [&first, &second].iter().map(|staged| short(&staged.digest)).collect();
    let ran: BTreeSet<String> =
        window.seen.keys().filter_map(|seen| seen.artifact.clone()).collect();
    findings.equal("artifacts that scored", ran, good);
    for who in [Who::Human, Who::Bot] {
        for route in Route::ALL {
            let outcomes: BTreeSet<_> = window
                .seen
                .keys()
                .filter(|seen| seen.who == who && seen.route == route)
                .map(|seen| {
                    (seen.status, seen.score.is_some_and(|score| score < 30), seen.verdict.clone())
                })
                .collect();
            let expected = match (who, route) {
                (Who::Human, _) => (200, false, Some("allow".to_owned())),
                (Who::Bot, Route::Block) => (403, false, None),
                (Who::Bot, Route::Tag) => (200, true, Some("tag".to_owned())),
                (Who::Bot, Route::Log) => (200, true, Some("log".to_owned())),
                (Who::Bot, Route::Shadow) => (200, true, Some("block".to_owned())),
            };
            findings.equal(&format!("{who:?} on {route:?}"), outcomes, BTreeSet::from([expected]));
        }
    }
    let humans: BTreeSet<_> =
        window.seen.keys().filter(|seen| seen.who == Who::Human).map(|seen| seen.score).collect();
    findings.expect(humans.len() == 1, || {
        format!("expected one steady score for a browser; found {humans:?}")
    });
    findings.fact("human_score", json!(humans));
    let evidence = edge.evidence()?;
    for (staged, reason) in bad.iter().zip(["size", "key-duplicate"]) {
        let orders = format!("current {},", staged.id);
        // A change is recorded when the newest head has it, and again when the adoptable one has.
        let came: BTreeSet<_> = evidence
            .iter()
            .filter(|line| line.event == "head-changed" && line.detail.contains(&orders))
            .filter_map(|line| Some(line.detail.split_once("sequence ")?.1.split_once(' ')?.0))
            .collect();
        findings.equal(&format!("times that {reason} came"), came.len(), ROUNDS);
        let quarantined = evidence.iter().filter(|line| {
            line.event == "quarantined"
                && line.digest.as_deref() == Some(&staged.digest)
                && line.detail.contains(reason)
        });
        findings.equal(&format!("lines of evidence on {reason}"), quarantined.count(), 1);
    }
    edge.end().await?;
    scene.end().await
}

fn short(digest: &str) -> String {
    digest.trim_start_matches("0x").chars().take(16).collect()
}

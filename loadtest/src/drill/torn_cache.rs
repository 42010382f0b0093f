//! Drill 18: what an edge keeps on disk is damaged, and it boots with the chain out of reach. It serves at once: from the
//! newest good artifact whose original bytes are there, else from the one before, else allowing everything.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use greenlight_artifact::{Schema, ValidArtifact};
use serde_json::json;

use super::{Drill, copy};
use crate::{
    artifacts,
    edge::Settings,
    load::{Route, Who},
    scene::{SOON, Scene, Setup, Staged, evidence},
};

/// Does something to a state folder.
type Damage<'c> = Box<dyn Fn(&Path) -> Result<()> + Send + Sync + 'c>;

/// What the edge must do with a damaged folder.
struct Case<'c> {
    name: &'c str,
    damage: Damage<'c>,
    /// What runs; nothing is allow-all.
    runs: Option<&'c Staged>,
    /// The evidence that names the damage: event and reason.
    recorded: &'c [(&'c str, &'c str)],
}

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let (edge, load, first) = scene.running("first").await?;
    let second = scene.publish("second").await?;
    edge.keeps(&second.digest, SOON).await?;
    // Its last orders are on disk before the edge says that it runs; a crash from here on loses nothing.
    load.stop().await;
    edge.kill().await?;
    let whole = scene.settings().state;

    let file = |state: &Path, staged: &Staged| {
        state.join("artifacts").join(format!("{}.glff", staged.digest))
    };
    let truncate = |state: &Path, staged: &Staged| {
        let path = file(state, staged);
        let bytes = fs::read(&path)?;
        fs::write(&path, &bytes[..bytes.len() / 2]).context("truncate")
    };
    let tear = |state: &Path, name: &str| {
        let text = fs::read_to_string(state.join(name)).with_context(|| name.to_owned())?;
        fs::write(state.join(name), &text[..text.len() / 2]).context("tear")
    };
    let cases = [
        Case {
            name: "whole",
            damage: Box::new(|_| Ok(())),
            runs: Some(&second),
            recorded: &[("resumed", "from disk")],
        },
        Case {
            name: "truncated",
            damage: Box::new(|state| truncate(state, &second)),
            runs: Some(&first),
            recorded: &[("cache-refused", "cache-digest"), ("resumed", "from disk")],
        },
        Case {
            name: "re-encoded",
            damage: Box::new(|state| {
                let path = file(state, &second);
                let artifact = ValidArtifact::check(&fs::read(&path)?, &[Schema::ENGINE_1])?;
                fs::write(&path, artifacts::reencoded(&artifact)).context("re-encode")
            }),
            runs: Some(&first),
            recorded: &[("cache-refused", "cache-digest")],
        },
        Case {
            // What a file system can leave of a file that was never fsynced: its length, and zeros.
            name: "never-fsynced",
            damage: Box::new(|state| {
                let path = file(state, &second);
                let length = fs::metadata(&path)?.len();
                fs::write(&path, vec![0; usize::try_from(length)?]).context("zero")
            }),
            runs: Some(&first),
            recorded: &[("cache-refused", "cache-digest")],
        },
        Case {
            name: "emptied-and-gone",
            damage: Box::new(|state| {
                fs::write(file(state, &second), [])?;
                fs::remove_file(file(state, &first)).context("remove")
            }),
            runs: None,
            recorded: &[
                ("cache-refused", "cache-digest"),
                ("cache-refused", "not-kept"),
                ("allow-all", "no-last-good"),
            ],
        },
        Case {
            name: "light-client-torn",
            damage: Box::new(|state| tear(state, "light-client.json")),
            runs: Some(&second),
            recorded: &[("state-refused", "cache-torn"), ("resumed", "from disk")],
        },
        Case {
            name: "record-torn",
            damage: Box::new(|state| tear(state, "durable.json")),
            runs: Some(&first),
            recorded: &[("state-refused", "cache-torn")],
        },
        Case {
            name: "every-record-torn",
            damage: Box::new(|state| {
                tear(state, "light-client.json")?;
                tear(state, "durable.json")?;
                tear(state, "durable.prev.json")
            }),
            runs: None,
            recorded: &[("state-refused", "cache-torn"), ("allow-all", "no-last-good")],
        },
    ];
    for case in &cases {
        let state = scene.dir.path().join(case.name);
        copy(&whole, &state)?;
        (case.damage)(&state).with_context(|| case.name.to_owned())?;
        let settings = Settings { state: state.clone(), ..scene.settings() }.offline();
        boot(drill, &scene, &settings, case).await.with_context(|| case.name.to_owned())?;
    }

    // With the chain back, the worst of them comes back to what the registry names.
    let state = scene.dir.path().join("every-record-torn");
    let settings = Settings { state, ..scene.settings() };
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.keeps(&second.digest, SOON).await.context("with the chain back")?;
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;
    edge.end().await?;
    scene.end().await
}

/// Boots an edge on a damaged folder and looks at what it makes of its first requests.
async fn boot(
    drill: &mut Drill,
    scene: &Scene,
    settings: &Settings,
    case: &Case<'_>,
) -> Result<()> {
    let Case { name, runs, recorded, .. } = case;
    let edge = scene.edge(settings).await?;
    let mut probe = scene.probe(&edge);
    let (bot, human) =
        (probe.send(Who::Bot, Route::Block).await?, probe.send(Who::Human, Route::Block).await?);
    let load = scene.load(&edge);
    let findings = &mut drill.findings;
    findings.fact(&format!("{name}_serves_in_ms"), u64::try_from(edge.ready_in.as_millis())?);
    let scored = runs.is_some();
    findings.equal(
        &format!("{name}: the first bot"),
        (bot.status, bot.score),
        if scored { (403, None) } else { (200, Some(0)) },
    );
    findings.equal(
        &format!("{name}: the first human"),
        (human.status, human.score != Some(0)),
        (200, scored),
    );
    let status = edge.status().await?;
    let expected = runs.map_or(json!(null), |staged| json!(staged.digest));
    findings.equal(&format!("{name}: what runs"), &status["artifact"]["digest"], &expected);
    findings.equal(
        &format!("{name}: mode"),
        &status["mode"],
        &json!(if scored { "active" } else { "allow-all" }),
    );
    let source = edge
        .until("an unreachable source", SOON, |status| !status["source"]["last_reason"].is_null())
        .await?;
    findings.equal(
        &format!("{name}: source"),
        &source["source"]["last_reason"],
        &json!("beacon-unreachable"),
    );
    load.stop().await;
    edge.end().await?;
    let evidence = evidence(&settings.state)?;
    for (event, text) in *recorded {
        findings.recorded(&evidence, event, None, text);
    }
    Ok(())
}

//! Drill 2: exactly 200 rows are accepted and run; 201 break the size, 150 with duplicates the uniqueness.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{Drill, refused};
use crate::{
    artifacts,
    chain::PUBLISHER,
    scene::{SOON, Scene, Setup},
};

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let (edge, load, _) = scene.running("first").await?;

    let cases = [
        ("201-rows", artifacts::with_rows(&scene.sample, 201)?, "size"),
        ("150-rows-with-duplicates", artifacts::doubled(&scene.sample, 75), "key-duplicate"),
    ];
    for (name, bytes, reason) in cases {
        let file = scene.file(&format!("{name}.glff"), &bytes)?;
        let checked = scene.ctl.run(PUBLISHER, [Path::new("stage"), &file]).await?;
        refused(checked.refusal(), 2, reason)
            .with_context(|| format!("{name} through the publisher"))?;
        let unchecked =
            scene.ctl.run(PUBLISHER, [Path::new("stage"), &file, Path::new("--unchecked")]).await?;
        refused(unchecked.refusal(), 3, reason)
            .with_context(|| format!("{name} into the registry"))?;
    }

    let full = scene.stage("200-rows", &artifacts::with_rows(&scene.sample, 200)?).await?;
    scene.promote(&full).await?;
    let status = edge.keeps(&full.digest, SOON).await?;
    drill.findings.equal("rows that run", &status["artifact"]["rows"], &json!(200));
    drill.findings.equal("quarantine", &status["quarantine"], &json!([]));
    drill.findings.fact("rss_mib", edge.rss_mib()?);

    load.stop().await;
    drill.findings.recorded(&edge.evidence()?, "adopted", Some(&full.digest), "");
    edge.end().await?;
    scene.end().await
}

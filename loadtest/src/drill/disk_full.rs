//! No room on the disk of an edge: neither its cache nor its evidence can be written. Requests notice nothing, adoption
//! goes on, and once there is room again everything is written, the gap in the evidence included.
//!
//! The cache's writes are led to `/dev/full`, which answers each with ENOSPC, as a full file system does. The evidence
//! is kept from growing by the process's limit on file sizes (RLIMIT_FSIZE), which can be lifted while it runs.

use std::{fs, io::ErrorKind, os::unix::fs::symlink, time::Duration};

use anyhow::{Context as _, Result};
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::json;

use super::Drill;
use crate::{
    artifacts,
    edge::Settings,
    scene::{SOON, Scene, Setup},
};

pub(super) async fn run(drill: &mut Drill) -> Result<()> {
    let scene = Scene::start(&drill.tools, Setup::QUICK, &drill.journal).await?;
    let settings = Settings { survives_file_limit: true, ..scene.settings() };
    let first = scene.publish("first").await?;
    let edge = scene.edge(&settings).await?;
    let load = scene.load(&edge);
    edge.keeps(&first.digest, SOON).await?;
    let before = drill.journal.counter.read();

    // Files are written beside their name first, with this extension.
    let second = artifacts::labelled(&scene.sample, "second")?;
    let folder = settings.state.join("artifacts");
    let blocked =
        [settings.state.join("durable.tmp"), folder.join(format!("{}.tmp", second.digest()))];
    for path in &blocked {
        // The edge may be writing under that name at this very moment.
        while let Err(error) = symlink("/dev/full", path) {
            anyhow::ensure!(
                error.kind() == ErrorKind::AlreadyExists,
                "{}: {error}",
                path.display()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let length = fs::metadata(settings.state.join("evidence.ndjson"))?.len();
    let unlimited = prlimit(
        Some(edge.pid()),
        Resource::Fsize,
        Rlimit { current: Some(length), maximum: None },
    )?;

    let second = scene.publish("second").await?;
    edge.runs(&second.digest, SOON).await.context("with the disk full")?;
    let status = edge
        .until("the error in the status", SOON, |status| status["store_error"].is_string())
        .await?;
    let error = status["store_error"].as_str().unwrap_or_default().to_owned();
    drill.findings.expect(error.contains("No space left on device"), || {
        format!("expected ENOSPC; found {error:?}")
    });
    let status = edge
        .until("missed evidence", SOON, |status| status["evidence_missed"].as_u64() > Some(0))
        .await?;
    drill.findings.fact("evidence_missed", status["evidence_missed"].clone());
    drill.findings.fact("store_error", error);
    let kept = folder.join(format!("{}.glff", second.digest));
    tokio::time::sleep(settings.soak * 3).await;
    drill.findings.expect(!kept.exists(), || {
        "expected that the disk is full; found the artifact on it".into()
    });

    for path in &blocked {
        fs::remove_file(path).with_context(|| path.display().to_string())?;
    }
    prlimit(Some(edge.pid()), Resource::Fsize, unlimited)?;
    edge.keeps(&second.digest, SOON).await.context("with room again")?;
    edge.until("no error in the status", SOON, |status| status["store_error"].is_null()).await?;
    // The next thing that happens brings the gap into the evidence.
    let third = scene.publish("third").await?;
    edge.keeps(&third.digest, SOON).await?;
    let status = edge.status().await?;
    drill.findings.equal("missed evidence", &status["evidence_missed"], &json!(0));
    drill.findings.recorded(&edge.evidence()?, "gap", None, "lines could not be written");
    drill.findings.fact("rss_mib", edge.rss_mib()?);
    load.stop().await;
    drill.none_let_through(&before);
    edge.end().await?;
    scene.end().await
}

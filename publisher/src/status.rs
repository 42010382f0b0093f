//! `greenlightctl status`: what edges are told to run, read at one block.

use std::fmt;

use alloy::primitives::Address;
use serde::Serialize;

use crate::{
    abi::IConfigRegistry as Abi,
    chain::Pin,
    error::Error,
    registry::{HeadView, RecordView, RegistryArgs},
    report::{Report, time},
    schedule::Pending,
};

/// Reads the head, what it makes edges run, the newest `limit` artifacts and what is scheduled.
pub(crate) async fn run(limit: u32, registry: &RegistryArgs) -> Result<Report, Error> {
    let registry = registry.connect().await?;
    let block = registry.chain.latest().await?;
    let head = registry.head(block.id()).await?;
    let last_id = registry.view(&Abi::lastIdCall {}, block.id()).await?;
    let mut artifacts = Vec::new();
    for id in last_id.saturating_sub(limit).saturating_add(1)..=last_id {
        artifacts.extend(registry.record(id, block.id()).await?);
    }
    // A target may be older than the artifacts shown.
    let effective = match head.effective() {
        0 => None,
        id => registry.record(id, block.id()).await?,
    };
    Ok(Report::of(&State {
        chain_id: registry.chain_id,
        registry: registry.address,
        manager: registry.manager,
        block,
        mode: if effective.is_some() { "active" } else { "allow-all" },
        head,
        effective,
        last_id,
        artifacts,
        pending: registry.pending(block).await?,
    }))
}

#[derive(Serialize)]
struct State {
    chain_id: u64,
    registry: Address,
    manager: Address,
    block: Pin,
    mode: &'static str,
    head: HeadView,
    effective: Option<RecordView>,
    last_id: u32,
    artifacts: Vec<RecordView>,
    pending: Vec<Pending>,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "registry   {} on chain {}", self.registry, self.chain_id)?;
        writeln!(f, "block      {} at {}", self.block.number, time(self.block.timestamp))?;
        writeln!(f, "edges      {}", self.head)?;
        if let Some(effective) = &self.effective {
            writeln!(f, "digest     {}", effective.digest)?;
        }
        write!(f, "sequence   {}", self.head.sequence)?;
        if self.head.changed_at > 0 {
            write!(f, ", since {}", time(self.head.changed_at))?;
        }
        if !self.artifacts.is_empty() {
            write!(f, "\n\n{:>5}  {:<8}  {:>4}  {:<20}  digest", "id", "status", "rows", "staged")?;
        }
        for artifact in self.artifacts.iter().rev() {
            let RecordView { id, status, rows, staged_at, digest, .. } = artifact;
            write!(f, "\n{id:>5}  {status:<8}  {rows:>4}  {:<20}  {digest}", time(*staged_at))?;
        }
        let older = usize::try_from(self.last_id)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.artifacts.len());
        if older > 0 {
            write!(f, "\n       and {older} older")?;
        }
        for (index, pending) in self.pending.iter().enumerate() {
            write!(f, "{}{pending}", if index == 0 { "\n\nscheduled\n  " } else { "\n  " })?;
        }
        Ok(())
    }
}

impl fmt::Display for HeadView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = if self.rolled_back { self.rollback_to } else { self.current };
        match (self.killed, target) {
            (true, _) => write!(f, "allow everything (killed; would run {target} once revived)")?,
            (false, 0) => write!(f, "allow everything (nothing was promoted yet)")?,
            (false, _) => write!(f, "run artifact {target}")?,
        }
        if self.rolled_back {
            write!(f, ", rolled back from {}", self.current)?;
        }
        if self.candidate > 0 {
            write!(f, ", canary {} on {} basis points", self.candidate, self.canary_bps)?;
        }
        if self.paused {
            write!(f, ", paused")?;
        }
        Ok(())
    }
}

//! Heads on the word of a Helios process beside the edge.
//!
//! Helios (0.11.1) verifies sync committees too, and less strictly than [`crate::light_client`] does:
//!
//! - its `latest` may rest on few signatures, after a start on one of 512 (`safety_threshold` in
//!   ethereum/consensus-core/src/consensus_core.rs). So the adoptable head is the finalized one unless the operator chose a
//!   depth;
//! - its `finalized` may be of any age. So the age of both heads is told here, by their blocks' timestamps;
//! - it gives no answer for `latest` when that is older than a minute (`check_head_age` in core/src/client/node.rs).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    HeadSource, Heads, HostTime, News, Note, SourceError, Time, VerifiedHead,
    clock::SlotClock,
    rpc::{Block, HeaderError, expect_chain},
};
use crate::{
    config::Adoption,
    machine::Ages,
    rpc::{CallError, RpcPool},
    status::{HeadReport, SourceReport},
};

/// Of every chain that Helios knows.
const SLOT: Duration = Duration::from_secs(12);

/// Takes heads from a Helios process, over its JSON-RPC.
#[derive(Debug)]
pub struct HeliosSource {
    helios: Arc<RpcPool>,
    chain_id: u64,
    adoption: Adoption,
    clock: SlotClock,
    /// The newest and the finalized head of the last look.
    last: Option<(VerifiedHead, VerifiedHead)>,
    /// The failure to read a head by its depth that is in the log.
    depth_failed: Option<&'static str>,
}

impl HeliosSource {
    /// A source that asks the process behind `helios`, which must be on the chain of that id.
    #[must_use]
    pub fn new(helios: Arc<RpcPool>, chain_id: u64, adoption: Adoption) -> Self {
        let clock = SlotClock::new(Box::new(HostTime::default()));
        Self { helios, chain_id, adoption, clock, last: None, depth_failed: None }
    }

    /// Tells the time by other clocks than the host's.
    #[must_use]
    pub fn with_time(mut self, time: Box<dyn Time>) -> Self {
        self.clock = SlotClock::new(time);
        self
    }

    /// What to adopt from: the finalized head, or the one as deep below the newest as the operator chose, whichever is
    /// newer.
    async fn adoptable(&mut self, newest: &VerifiedHead, finalized: VerifiedHead) -> VerifiedHead {
        let Adoption::Depth(depth) = self.adoption else { return finalized };
        let number = newest.block().number.saturating_sub(depth);
        if number <= finalized.block().number {
            return finalized;
        }
        if depth == 0 {
            return newest.clone();
        }
        let deep = block(&self.helios, &format!("{number:#x}"), Some(number)).await;
        let failure = deep.as_ref().err();
        if let Some(error) = failure
            && self.depth_failed != Some(error.reason())
        {
            tracing::warn!(%error, reason = error.reason(), "no head of that depth, adopting from the finalized one");
        }
        self.depth_failed = failure.map(CallError::reason);
        // What cannot be read must not hide the newest head, where a kill may be.
        deep.unwrap_or(finalized)
    }

    fn ages(&self, newest: &VerifiedHead, finalized: &VerifiedHead) -> Ages {
        let age = |head: &VerifiedHead| Some(self.clock.age_of(head.block().timestamp));
        Ages { newest: age(newest), finalized: age(finalized) }
    }

    fn head_report(&self, head: &VerifiedHead) -> HeadReport {
        let block = head.block();
        let age_ms = self.clock.age_of(block.timestamp);
        HeadReport { slot: None, block, state_root: head.state_root(), age_ms }
    }
}

/// The block of that tag, or of that number.
async fn block(
    helios: &RpcPool,
    tag: &str,
    number: Option<u64>,
) -> Result<VerifiedHead, CallError> {
    let params = serde_json::json!([tag, false]);
    helios
        .call_checked("eth_getBlockByNumber", &params, |block: Block| {
            let head = verified(&block)?;
            match (number, head.block().number) {
                (Some(expected), found) if expected != found => {
                    Err(HeaderError::Number { expected, found })
                }
                _ => Ok(head),
            }
        })
        .await
}

/// A block as Helios gives it.
///
/// Of blocks that it read from the beacon chain, `latest` and `finalized` among them, it leaves out what that chain does not
/// carry in them: parent beacon block root (EIP-4788) and requests hash (EIP-7685) (`payload_to_block` in
/// ethereum/src/consensus.rs). Those cannot be hashed, and their hash and state root are believed: it is Helios that is
/// trusted here. All others must hash to their hash.
fn verified(block: &Block) -> Result<VerifiedHead, HeaderError> {
    let header = &block.header;
    // EIP-4844 came with EIP-4788: a header has both or none.
    let is_cut = header.blob_gas_used.is_some() && header.parent_beacon_block_root.is_none();
    if is_cut { Ok(block.head()) } else { block.hashed() }
}

/// Helios's own error for a head that it does not stand by, and the sidecar's before there is one.
fn out_of_sync(error: CallError) -> SourceError {
    match error {
        CallError::Answer { ref message, .. }
            if message.contains("out of sync") || message.contains("not in sync") =>
        {
            SourceError::OutOfSync(error)
        }
        error => SourceError::Call(error),
    }
}

#[async_trait]
impl HeadSource for HeliosSource {
    fn kind(&self) -> &'static str {
        "helios"
    }

    async fn heads(&mut self) -> Result<Heads, SourceError> {
        expect_chain(&self.helios, self.chain_id).await?;
        // In this order, so that what becomes final meanwhile is not newer than the newest.
        let finalized = block(&self.helios, "finalized", None).await.map_err(out_of_sync)?;
        let latest = block(&self.helios, "latest", None).await.map_err(out_of_sync)?;
        let is_behind = latest.block().number < finalized.block().number;
        let newest = if is_behind { finalized.clone() } else { latest };
        let timestamp = newest.block().timestamp;
        if self.clock.is_of_future(timestamp) {
            // It would never be old.
            let now = self.clock.now_ms() / 1_000;
            return Err(SourceError::HeadFromFuture { timestamp, now });
        }
        let known = self.last.as_ref().map_or(0, |(newest, _)| newest.block().timestamp);
        if timestamp > known {
            self.clock.witness_at(timestamp.saturating_mul(1_000), SLOT);
        }
        self.last = Some((newest.clone(), finalized.clone()));
        let ages = self.ages(&newest, &finalized);
        let adoptable = self.adoptable(&newest, finalized).await;
        Ok(Heads { newest, adoptable, ages })
    }

    fn report(&self) -> SourceReport {
        let (newest, finalized) = self.last.as_ref().map(|(n, f)| (n, f)).unzip();
        SourceReport {
            endpoint: self.helios.preferred(),
            newest: newest.map(|head| self.head_report(head)),
            finalized: finalized.map(|head| self.head_report(head)),
            apis: vec![self.helios.report_as("helios")],
            ..SourceReport::default()
        }
    }

    fn news(&mut self) -> News {
        let notes = self.helios.take_lies().into_iter().map(Note::of_lie).collect();
        News { notes, keep: None }
    }
}

#[cfg(test)]
mod tests;

//! Ancestors of a verified head, by the parent hashes of execution headers.

use std::{collections::BTreeMap, sync::Arc};

use alloy_consensus::Header;
use alloy_primitives::B256;

use crate::{
    rpc::{CallError, RpcPool},
    source::{BlockRef, HeaderError, VerifiedHead},
};

/// The most blocks that are walked back: what a node without an archive has the state of (geth keeps 128).
pub(super) const MAX_DEPTH: u64 = 128;
/// The most headers that are fetched for one look: a walk goes on with the next, so that a kill does not wait for it.
const MAX_FETCHES: u32 = 32;
/// Blocks that are remembered below the one that was last asked for, for reorganizations.
const SLACK: u64 = 16;
/// The most blocks that are remembered: branches without end must not fill the memory.
const MAX_BLOCKS: usize = 1_024;

/// An execution block whose hash a verified head leads to.
#[derive(Clone, Debug)]
pub(super) struct Ancestor {
    pub(super) head: VerifiedHead,
    pub(super) parent: B256,
}

/// Blocks that were walked over or were heads themselves, by hash.
#[derive(Debug, Default)]
pub(super) struct Ancestry {
    blocks: BTreeMap<B256, Ancestor>,
}

impl Ancestry {
    /// Remembers a verified head, so that the walk from its children costs nothing.
    pub(super) fn remember(&mut self, block: Ancestor) {
        if self.blocks.len() >= MAX_BLOCKS {
            self.blocks.clear();
        }
        self.blocks.insert(block.head.block.hash, block);
    }

    /// The ancestor of `head` with that number; `None` where the walk to it is not yet at its end.
    ///
    /// A header counts only if its fields hash to what its child names as its parent.
    ///
    /// # Errors
    /// [`CallError`] of the last RPC tried.
    pub(super) async fn ancestor(
        &mut self,
        rpcs: &Arc<RpcPool>,
        head: &Ancestor,
        number: u64,
    ) -> Result<Option<VerifiedHead>, CallError> {
        let lowest = number.saturating_sub(SLACK);
        self.blocks.retain(|_, block| block.head.block.number >= lowest);
        self.remember(head.clone());
        let mut at = head.clone();
        let mut fetched = 0_u32;
        while at.head.block.number > number {
            at = match self.blocks.get(&at.parent) {
                Some(parent) => parent.clone(),
                None if fetched >= MAX_FETCHES => return Ok(None),
                None => {
                    fetched = fetched.saturating_add(1);
                    let parent = parent_of(rpcs, &at).await?;
                    self.remember(parent.clone());
                    parent
                }
            };
        }
        Ok(Some(at.head))
    }
}

async fn parent_of(rpcs: &Arc<RpcPool>, child: &Ancestor) -> Result<Ancestor, CallError> {
    let hash = child.parent;
    // Without the bodies of its transactions.
    let params = serde_json::json!([hash, false]);
    rpcs.call_checked("eth_getBlockByHash", &params, |header: Header| {
        let found = header.hash_slow();
        if found != hash {
            return Err(HeaderError::Parent { expected: hash, found });
        }
        let (number, timestamp) = (header.number, header.timestamp);
        let expected = child.head.block.number.saturating_sub(1);
        if number != expected {
            return Err(HeaderError::Number { expected, found: number });
        }
        let block = BlockRef { number, hash, timestamp };
        let head = VerifiedHead { block, state_root: header.state_root };
        Ok(Ancestor { head, parent: header.parent_hash })
    })
    .await
}

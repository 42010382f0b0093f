//! A beacon chain that follows a running execution chain.

use std::{
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, ensure};
use tokio::{task::AbortHandle, time::sleep};

use self::rpc::Rpc;
use crate::{
    chain::BeaconChain,
    json::hex,
    server::{Endpoint, SharedChain},
    spec::Spec,
};

mod rpc;

/// A running simulator; it ends with this value.
///
/// At the start of each slot, by the wall clock, it takes the execution chain's newest block as that slot's payload. Where
/// there is none that is new, see [`Idle`]. Where the execution chain cannot be reached, the slot is missed.
///
/// Before a block is appended, and its parent signed thereby, the execution chain is asked whether it still has the
/// parent's payload. If not, there was a reorganization (`anvil_reorg`, `evm_revert`): the beacon blocks whose payloads are gone
/// are dropped, and the new block is appended to the newest that is left. Whatever is below a payload that the execution
/// chain has, it has too; so a block that vanished is never made final. An execution chain that goes back on what is final
/// already, which a real one cannot, is followed from the finalized block on.
#[derive(Debug)]
pub struct Simulator {
    spec: Spec,
    chain_id: u64,
    following: Arc<Following>,
    task: AbortHandle,
}

/// What becomes of a slot for which the execution chain has no new block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Idle {
    /// The slot is missed.
    #[default]
    Miss,
    /// The execution chain is told to make a block (`evm_mine`), as a proposer tells its own on a real chain. Its timestamps
    /// then run ahead of the wall clock where slots are shorter than a second, since they rise with each block.
    Mine,
}

impl Simulator {
    /// Starts with a past, so that there are a finalized block, its bootstrap and an update for its period at once: the last
    /// `2 · finality_lag + 5` slots before now, each with a block. Their payloads are the execution chain's newest
    /// blocks; where it has fewer, its oldest is the payload of several slots.
    ///
    /// An error where so many slots have not passed since genesis, where the lag leaves no room for finality within a
    /// period, or where the execution chain does not answer.
    pub async fn start(spec: Spec, execution_rpc: &str) -> Result<Self> {
        let most = spec.preset.slots_per_period().saturating_sub(3);
        let lag = spec.finality_lag;
        ensure!(lag < most, "a finality lag of {lag} slots, less than {most} expected");
        let now = spec.slot_at(unix_ms());
        let past = 2 * lag + 5;
        ensure!(now >= past, "slot {now} now, at least {past} expected: genesis is too late");

        let rpc = Rpc::new(execution_rpc)?;
        let chain_id = rpc.chain_id().await?;
        let mut chain = BeaconChain::new(spec.clone());
        let newest = rpc.newest().await?.number;
        // The current slot has the newest.
        for slot in now + 1 - past..=now {
            let number = newest.saturating_sub(now - slot);
            let block = rpc.block(number).await?;
            chain.push(slot, block.with_context(|| format!("block {number} has gone"))?);
        }

        let following = Arc::new(Following {
            rpc,
            chain: Arc::new(RwLock::new(chain)),
            held: AtomicBool::new(false),
            mines: AtomicBool::new(false),
        });
        let task = tokio::spawn(follow(spec.clone(), Arc::clone(&following))).abort_handle();
        Ok(Self { spec, chain_id, following, task })
    }

    /// An HTTP endpoint over the chain. Any number may run; each has a manner of its own.
    pub async fn endpoint(&self) -> Result<Endpoint> {
        Endpoint::start(Arc::clone(&self.following.chain), self.chain_id).await
    }

    /// Root of the newest final block, 0x-hex.
    pub fn checkpoint(&self) -> String {
        hex(&self.following.read().finalized_root())
    }

    /// What kind of chain it is.
    pub const fn spec(&self) -> &Spec {
        &self.spec
    }

    /// A snapshot of the chain.
    pub fn chain(&self) -> BeaconChain {
        self.following.read().clone()
    }

    /// Slot of the newest block.
    pub fn head_slot(&self) -> u64 {
        self.following.read().head_slot()
    }

    /// Slot of the newest signed block: the optimistic head.
    pub fn attested_slot(&self) -> u64 {
        self.following.read().attested_slot()
    }

    /// Slot of the newest final block.
    pub fn finalized_slot(&self) -> u64 {
        self.following.read().finalized_slot()
    }

    /// The slot at the wall clock's time, whether it has a block or not.
    pub fn current_slot(&self) -> u64 {
        self.spec.slot_at(unix_ms())
    }

    /// No further block until [`Self::resume`]: every slot is missed.
    pub fn hold(&self) {
        self.following.held.store(true, Ordering::Relaxed);
    }

    /// Blocks again, from the next slot on.
    pub fn resume(&self) {
        self.following.held.store(false, Ordering::Relaxed);
    }

    /// What becomes of slots for which the execution chain has no new block: [`Idle::Miss`] at first.
    pub fn when_idle(&self, idle: Idle) {
        self.following.mines.store(idle == Idle::Mine, Ordering::Relaxed);
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug)]
struct Following {
    rpc: Rpc,
    chain: SharedChain,
    held: AtomicBool,
    mines: AtomicBool,
}

async fn follow(spec: Spec, following: Arc<Following>) {
    loop {
        let now = unix_ms();
        let slot = spec.slot_at(now).saturating_add(1);
        sleep(Duration::from_millis(spec.slot_start_ms(slot).saturating_sub(now))).await;
        // A sleep may end early by the wall clock.
        if spec.slot_at(unix_ms()) < slot {
            continue;
        }
        if !following.held.load(Ordering::Relaxed) {
            // Whatever went wrong, the slot is missed and the next may be better.
            let _ = following.produce(slot).await;
        }
    }
}

impl Following {
    fn read(&self) -> RwLockReadGuard<'_, BeaconChain> {
        self.chain.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BeaconChain> {
        self.chain.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the block of a slot, unless it is missed.
    async fn produce(&self, slot: u64) -> Result<()> {
        let mut newest = self.rpc.newest().await?;
        if Some(newest.hash) == self.head_payload() {
            if !self.mines.load(Ordering::Relaxed) {
                return Ok(());
            }
            self.rpc.mine().await?;
            newest = self.rpc.newest().await?;
        }
        if let Some(left) = self.newest_left().await? {
            self.write().rewind(left);
        }
        // After a reorganization the newest may be one that the chain has had all along.
        if Some(newest.hash) != self.head_payload() {
            self.write().push(slot, newest);
        }
        Ok(())
    }

    fn head_payload(&self) -> Option<[u8; 32]> {
        self.read().head().map(|head| head.execution.hash)
    }

    /// Slot of the newest block whose payload the execution chain still has; that of the finalized one where it has none.
    async fn newest_left(&self) -> Result<Option<u64>> {
        let blocks: Vec<_> = self.read().newest_first().cloned().collect();
        for block in &blocks {
            let found = self.rpc.block(block.execution.number).await?;
            if found.is_some_and(|found| found.hash == block.execution.hash) {
                return Ok(Some(block.slot));
            }
        }
        Ok(blocks.last().map(|finalized| finalized.slot))
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

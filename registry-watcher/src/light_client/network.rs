//! What a beacon chain is told apart by: preset, genesis, forks and their versions.

use std::{fmt, time::Duration};

use alloy_primitives::{B256, b256};
use serde::{Deserialize, Serialize};

use super::LightClientError;

/// Number of a slot, from 0 at genesis.
pub type Slot = u64;
/// Number of an epoch, from 0 at genesis.
pub type Epoch = u64;

/// Sizes that are fixed when a client of the chain is built (consensus-specs, `presets/`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Of real chains.
    Mainnet,
    /// Of most test vectors.
    Minimal,
}

impl Preset {
    /// `SYNC_COMMITTEE_SIZE`, in keys.
    #[must_use]
    pub const fn sync_committee_size(self) -> usize {
        match self {
            Self::Mainnet => 512,
            Self::Minimal => 32,
        }
    }

    /// `SLOTS_PER_EPOCH`.
    #[must_use]
    pub const fn slots_per_epoch(self) -> u64 {
        match self {
            Self::Mainnet => 32,
            Self::Minimal => 8,
        }
    }

    /// `EPOCHS_PER_SYNC_COMMITTEE_PERIOD`.
    #[must_use]
    pub const fn epochs_per_sync_committee_period(self) -> u64 {
        match self {
            Self::Mainnet => 256,
            Self::Minimal => 8,
        }
    }

    /// Slots of a sync committee period; also `UPDATE_TIMEOUT`.
    #[must_use]
    pub const fn slots_per_period(self) -> u64 {
        self.slots_per_epoch().saturating_mul(self.epochs_per_sync_committee_period())
    }
}

/// The forks of the beacon chain that have a light client, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fork {
    /// Brought sync committees.
    Altair,
    /// The merge; nothing new for a light client.
    Bellatrix,
    /// Brought execution headers.
    Capella,
    /// Brought the two blob gas fields of execution headers.
    Deneb,
    /// Moved committees and checkpoint in the state (deeper branches).
    Electra,
    /// Nothing new for a light client.
    Fulu,
}

impl Fork {
    /// Every fork, in order.
    pub const ALL: [Self; 6] =
        [Self::Altair, Self::Bellatrix, Self::Capella, Self::Deneb, Self::Electra, Self::Fulu];

    /// Its name as the Beacon API's `version` member has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Altair => "altair",
            Self::Bellatrix => "bellatrix",
            Self::Capella => "capella",
            Self::Deneb => "deneb",
            Self::Electra => "electra",
            Self::Fulu => "fulu",
        }
    }

    /// The fork that the Beacon API's `version` member names.
    ///
    /// # Errors
    /// [`LightClientError::UnknownFork`] for any other name.
    pub fn from_name(name: &str) -> Result<Self, LightClientError> {
        Self::ALL
            .into_iter()
            .find(|fork| fork.name() == name)
            .ok_or_else(|| LightClientError::unknown_fork(name))
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// When each fork comes, and the version that its signatures are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkSchedule {
    /// `GENESIS_FORK_VERSION`.
    pub genesis: [u8; 4],
    /// Fork, first epoch, version. Later forks do not come at earlier epochs; a fork that is not named never comes.
    pub forks: Vec<(Fork, Epoch, [u8; 4])>,
}

impl ForkSchedule {
    /// The last fork that has come by `epoch`, with its version.
    fn at(&self, epoch: Epoch) -> Option<(Fork, [u8; 4])> {
        self.forks
            .iter()
            .filter(|(_, first, _)| *first <= epoch)
            .max_by_key(|(fork, ..)| *fork)
            .map(|(fork, _, version)| (*fork, *version))
    }
}

/// One beacon chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// For people: "mainnet".
    pub name: String,
    /// Its sizes.
    pub preset: Preset,
    /// Unix seconds of slot 0.
    pub genesis_time: u64,
    /// What every signature of the chain is bound to.
    pub genesis_validators_root: B256,
    /// Length of a slot.
    pub slot_duration: Duration,
    /// Its forks.
    pub forks: ForkSchedule,
}

impl Network {
    /// Ethereum. From eth-clients/mainnet and consensus-specs, `configs/mainnet.yaml`.
    #[must_use]
    pub fn mainnet() -> Self {
        Self {
            name: "mainnet".into(),
            preset: Preset::Mainnet,
            genesis_time: 1_606_824_023,
            genesis_validators_root: b256!(
                "4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"
            ),
            slot_duration: Duration::from_secs(12),
            forks: ForkSchedule {
                genesis: [0, 0, 0, 0],
                forks: vec![
                    (Fork::Altair, 74_240, [1, 0, 0, 0]),
                    (Fork::Bellatrix, 144_896, [2, 0, 0, 0]),
                    (Fork::Capella, 194_048, [3, 0, 0, 0]),
                    (Fork::Deneb, 269_568, [4, 0, 0, 0]),
                    (Fork::Electra, 364_032, [5, 0, 0, 0]),
                    (Fork::Fulu, 411_392, [6, 0, 0, 0]),
                ],
            },
        }
    }

    /// The Sepolia test network. From eth-clients/sepolia, `metadata/config.yaml`.
    #[must_use]
    pub fn sepolia() -> Self {
        Self {
            name: "sepolia".into(),
            preset: Preset::Mainnet,
            genesis_time: 1_655_733_600,
            genesis_validators_root: b256!(
                "d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078"
            ),
            slot_duration: Duration::from_secs(12),
            forks: ForkSchedule {
                genesis: [0x90, 0, 0, 0x69],
                forks: vec![
                    (Fork::Altair, 50, [0x90, 0, 0, 0x70]),
                    (Fork::Bellatrix, 100, [0x90, 0, 0, 0x71]),
                    (Fork::Capella, 56_832, [0x90, 0, 0, 0x72]),
                    (Fork::Deneb, 132_608, [0x90, 0, 0, 0x73]),
                    (Fork::Electra, 222_464, [0x90, 0, 0, 0x74]),
                    (Fork::Fulu, 272_640, [0x90, 0, 0, 0x75]),
                ],
            },
        }
    }

    /// The Hoodi test network. From eth-clients/hoodi, `metadata/config.yaml`.
    #[must_use]
    pub fn hoodi() -> Self {
        Self {
            name: "hoodi".into(),
            preset: Preset::Mainnet,
            genesis_time: 1_742_213_400,
            genesis_validators_root: b256!(
                "212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f"
            ),
            slot_duration: Duration::from_secs(12),
            forks: ForkSchedule {
                genesis: [0x10, 0, 0x09, 0x10],
                forks: vec![
                    (Fork::Altair, 0, [0x20, 0, 0x09, 0x10]),
                    (Fork::Bellatrix, 0, [0x30, 0, 0x09, 0x10]),
                    (Fork::Capella, 0, [0x40, 0, 0x09, 0x10]),
                    (Fork::Deneb, 0, [0x50, 0, 0x09, 0x10]),
                    (Fork::Electra, 2_048, [0x60, 0, 0x09, 0x10]),
                    (Fork::Fulu, 50_688, [0x70, 0, 0x09, 0x10]),
                ],
            },
        }
    }

    /// The network of that name, if it is one of the three above.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mainnet" => Some(Self::mainnet()),
            "sepolia" => Some(Self::sepolia()),
            "hoodi" => Some(Self::hoodi()),
            _ => None,
        }
    }

    /// The slot at `unix_ms` milliseconds; 0 before genesis.
    #[must_use]
    pub fn slot_at(&self, unix_ms: u64) -> Slot {
        unix_ms
            .saturating_sub(self.genesis_time.saturating_mul(1000))
            .checked_div(self.slot_ms())
            .unwrap_or(0)
    }

    /// Unix milliseconds at which `slot` begins.
    #[must_use]
    pub fn slot_start_ms(&self, slot: Slot) -> u64 {
        self.genesis_time.saturating_mul(1000).saturating_add(slot.saturating_mul(self.slot_ms()))
    }

    /// `compute_epoch_at_slot` (phase0, beacon-chain.md).
    #[must_use]
    pub const fn epoch_of(&self, slot: Slot) -> Epoch {
        // Never zero, so never `None`.
        match slot.checked_div(self.preset.slots_per_epoch()) {
            Some(epoch) => epoch,
            None => 0,
        }
    }

    /// `compute_sync_committee_period_at_slot` (altair, light-client/sync-protocol.md).
    #[must_use]
    pub const fn period_of(&self, slot: Slot) -> u64 {
        match slot.checked_div(self.preset.slots_per_period()) {
            Some(period) => period,
            None => 0,
        }
    }

    /// The fork in force at `epoch`; `None` before Altair.
    #[must_use]
    pub fn fork_at(&self, epoch: Epoch) -> Option<Fork> {
        self.forks.at(epoch).map(|(fork, _)| fork)
    }

    /// `compute_fork_version` (fulu, fork.md).
    #[must_use]
    pub fn fork_version_at(&self, epoch: Epoch) -> [u8; 4] {
        self.forks.at(epoch).map_or(self.forks.genesis, |(_, version)| version)
    }

    fn slot_ms(&self) -> u64 {
        u64::try_from(self.slot_duration.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;

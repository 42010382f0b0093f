//! What kind of chain is simulated: preset, fork, clock.

use std::time::Duration;

/// The sizes that the consensus specs fix per preset (`presets/{mainnet,minimal}`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// 512 seats, 32 slots an epoch, 256 epochs a period.
    Mainnet,
    /// 32 seats, 8 slots an epoch, 8 epochs a period.
    Minimal,
}

impl Preset {
    /// `PRESET_BASE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Minimal => "minimal",
        }
    }

    /// `SYNC_COMMITTEE_SIZE`.
    pub const fn sync_committee_size(self) -> usize {
        match self {
            Self::Mainnet => 512,
            Self::Minimal => 32,
        }
    }

    /// `SLOTS_PER_EPOCH`.
    pub const fn slots_per_epoch(self) -> u64 {
        match self {
            Self::Mainnet => 32,
            Self::Minimal => 8,
        }
    }

    /// `EPOCHS_PER_SYNC_COMMITTEE_PERIOD`.
    pub const fn epochs_per_sync_committee_period(self) -> u64 {
        match self {
            Self::Mainnet => 256,
            Self::Minimal => 8,
        }
    }

    /// Slots of a sync committee period: 8,192 or 64.
    pub const fn slots_per_period(self) -> u64 {
        self.slots_per_epoch() * self.epochs_per_sync_committee_period()
    }
}

/// A fork whose containers the simulator can write. One fork holds for the whole chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fork {
    /// The first with an execution header in the light client's.
    Capella,
    /// Adds the two blob fields to the execution header.
    Deneb,
    /// A state of more than 32 fields: each branch into it is one longer.
    Electra,
    /// The light client's containers are those of Electra.
    Fulu,
}

impl Fork {
    /// All of them, oldest first.
    pub const ALL: [Self; 4] = [Self::Capella, Self::Deneb, Self::Electra, Self::Fulu];

    /// The `version` of the Beacon API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capella => "capella",
            Self::Deneb => "deneb",
            Self::Electra => "electra",
            Self::Fulu => "fulu",
        }
    }

    /// The fork's version on mainnet (`configs/mainnet.yaml`).
    pub const fn mainnet_version(self) -> [u8; 4] {
        match self {
            Self::Capella => [3, 0, 0, 0],
            Self::Deneb => [4, 0, 0, 0],
            Self::Electra => [5, 0, 0, 0],
            Self::Fulu => [6, 0, 0, 0],
        }
    }
}

/// A simulated network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The sizes.
    pub preset: Preset,
    /// Start of slot 0, Unix seconds.
    pub genesis_time: u64,
    /// In every signature's domain.
    pub genesis_validators_root: [u8; 32],
    /// Whole milliseconds, at least one; real networks have 12 s.
    pub slot_duration: Duration,
    /// In force at every slot.
    pub fork: Fork,
    /// In force at every slot.
    pub fork_version: [u8; 4],
    /// A block is final once one at least so many slots above it is attested. On real chains this takes two epochs or
    /// more; a demo cannot wait for 64 slots. Must leave room within a period.
    pub finality_lag: u64,
}

impl Spec {
    /// Ethereum's mainnet in all that a light client is told of it, and Fulu at every slot. Real Helios, which knows
    /// mainnet by name only, takes this for it.
    pub const fn mainnet() -> Self {
        Self {
            preset: Preset::Mainnet,
            genesis_time: 1_606_824_023,
            genesis_validators_root: [
                0x4b, 0x36, 0x3d, 0xb9, 0x4e, 0x28, 0x61, 0x20, 0xd7, 0x6e, 0xb9, 0x05, 0x34, 0x0f,
                0xdd, 0x4e, 0x54, 0xbf, 0xe9, 0xf0, 0x6b, 0xf3, 0x3f, 0xf6, 0xcf, 0x5a, 0xd2, 0x7f,
                0x51, 0x1b, 0xfe, 0x95,
            ],
            slot_duration: Duration::from_secs(12),
            fork: Fork::Fulu,
            fork_version: Fork::Fulu.mainnet_version(),
            finality_lag: 64,
        }
    }

    /// A network of its own: genesis root 0x47…47, the fork's mainnet version with 0x47 as its last byte, 12 s slots, two
    /// epochs to finality, and mainnet's genesis time.
    pub const fn local(preset: Preset, fork: Fork) -> Self {
        let [number, ..] = fork.mainnet_version();
        Self {
            preset,
            genesis_validators_root: [0x47; 32],
            fork,
            fork_version: [number, 0, 0, 0x47],
            finality_lag: 2 * preset.slots_per_epoch(),
            ..Self::mainnet()
        }
    }

    /// The same with a genesis time (whole seconds) such that `slot` has begun at `unix_ms`, by less than a second.
    /// Slots that do not fit before the Unix epoch are cut off.
    #[must_use]
    pub fn with_slot_at(mut self, slot: u64, unix_ms: u64) -> Self {
        self.genesis_time = unix_ms.saturating_sub(slot.saturating_mul(self.slot_ms())) / 1_000;
        self
    }

    /// Length of a slot in milliseconds, at least one.
    pub fn slot_ms(&self) -> u64 {
        u64::try_from(self.slot_duration.as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// The slot at a Unix time in milliseconds; 0 before genesis.
    pub fn slot_at(&self, unix_ms: u64) -> u64 {
        unix_ms.saturating_sub(self.genesis_time.saturating_mul(1_000)) / self.slot_ms()
    }

    /// When a slot begins, Unix milliseconds.
    pub fn slot_start_ms(&self, slot: u64) -> u64 {
        self.genesis_time.saturating_mul(1_000).saturating_add(slot.saturating_mul(self.slot_ms()))
    }

    /// `compute_epoch_at_slot`.
    pub const fn epoch_of(&self, slot: u64) -> u64 {
        slot / self.preset.slots_per_epoch()
    }

    /// `compute_sync_committee_period_at_slot`.
    pub const fn period_of(&self, slot: u64) -> u64 {
        slot / self.preset.slots_per_period()
    }

    /// The first slot of a period.
    pub const fn period_start(&self, period: u64) -> u64 {
        period.saturating_mul(self.preset.slots_per_period())
    }
}

//! What the registry contract's storage says, read by proof.
//!
//! Storage layout of `contracts/src/ConfigRegistry.sol`, which pins it in a test of its own:
//!
//! | slot | what |
//! |---|---|
//! | 1 | the [`Head`] |
//! | 3 | `mapping(uint32 id => Record)`; a record takes four slots from `keccak256(id ‖ 3)` |

mod proof;
mod reader;

use alloy_primitives::{Address, B256, U256, keccak256};
use greenlight_artifact::{Commitment, Digest, ValidArtifact};
use serde::{Deserialize, Serialize};

pub use proof::{AccountProof, ProofError, StorageProof, verify_storage};
pub use reader::{ReadError, RegistryReader};

/// Slot of the head word.
pub const HEAD_SLOT: U256 = U256::from_limbs([1, 0, 0, 0]);
/// Slot of the mapping from id to record.
pub const RECORDS_SLOT: U256 = U256::from_limbs([3, 0, 0, 0]);

/// The number of an artifact in the registry, from 1.
pub type ArtifactId = u32;

/// The registry's one word that every edge follows.
///
/// From the least significant bit: flags u8 · sequence u64 · current u32 · rollbackTo u32 · candidate u32 ·
/// canaryBps u16 · changedAt u40.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Run nothing: allow every request, unscored.
    pub kill: bool,
    /// Run `rollback_to` in place of `current`.
    pub rollback: bool,
    /// Adopt nothing new.
    pub paused: bool,
    /// Rises by one at every change.
    pub sequence: u64,
    /// The promoted artifact; 0 before the first.
    pub current: ArtifactId,
    /// What to run while `rollback` is set.
    pub rollback_to: ArtifactId,
    /// The artifact that the canary slice of edges runs; 0 for none.
    pub candidate: ArtifactId,
    /// Size of that slice, in basis points.
    pub canary_bps: u16,
    /// Unix seconds of the last change.
    pub changed_at: u64,
}

impl Head {
    /// Reads the head word. Bits that this version does not know are refused: what they ask for cannot be honoured.
    ///
    /// # Errors
    /// [`LayoutError`] naming the bits.
    pub fn from_word(word: U256) -> Result<Self, LayoutError> {
        let flags = bits(word, 0, 8);
        if flags > 7 {
            return Err(LayoutError::Flags { found: flags });
        }
        let beyond = word.wrapping_shr(224);
        if beyond != U256::ZERO {
            return Err(LayoutError::Unused { field: "head", found: beyond });
        }
        Ok(Self {
            kill: flags & 1 != 0,
            rollback: flags & 2 != 0,
            paused: flags & 4 != 0,
            sequence: bits(word, 8, 64),
            current: narrow(bits(word, 72, 32)),
            rollback_to: narrow(bits(word, 104, 32)),
            candidate: narrow(bits(word, 136, 32)),
            canary_bps: u16::try_from(bits(word, 168, 16)).unwrap_or(u16::MAX),
            changed_at: bits(word, 184, 40),
        })
    }

    /// What edges outside the canary slice should run: none while killed, and none before the first promotion.
    #[must_use]
    pub const fn effective(&self) -> Option<ArtifactId> {
        let id = if self.rollback { self.rollback_to } else { self.current };
        if self.kill || id == 0 { None } else { Some(id) }
    }
}

/// Where an artifact's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Location {
    /// In the data of an `ArtifactBytes` event of this block.
    Log {
        /// The block's number.
        block: u64,
    },
    /// In a blob (EIP-4844).
    Blob {
        /// Its versioned hash.
        versioned_hash: B256,
    },
}

/// An artifact's standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordStatus {
    /// Proven, not yet promoted.
    Staged,
    /// Is or was current.
    Promoted,
    /// Never to run again.
    Revoked,
}

/// One artifact as the registry records it, proven at a verified head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its number.
    pub id: ArtifactId,
    /// Keccak-256 of its bytes.
    #[serde(with = "digest_text")]
    pub digest: Digest,
    /// Its Poseidon commitment in the Groth16 route; zero in routes that need none, because what vouches for the bytes has
    /// read them.
    pub commitment: B256,
    /// Bytes.
    pub size: u16,
    /// Rows.
    pub rows: u8,
    /// Standing.
    pub status: RecordStatus,
    /// The verifier contract that accepted it.
    pub verifier: Address,
    /// Unix seconds of its staging.
    pub staged_at: u64,
    /// Where its bytes are.
    pub location: Location,
}

impl Release {
    /// The four slots of record `id`.
    #[must_use]
    pub fn slots(id: ArtifactId) -> [U256; 4] {
        let mut preimage = [0_u8; 64];
        let words = [U256::from(id), RECORDS_SLOT];
        for (target, byte) in
            preimage.iter_mut().zip(words.iter().flat_map(|word| word.to_be_bytes::<32>()))
        {
            *target = byte;
        }
        let base = U256::from_be_bytes(keccak256(preimage).0);
        [0_u8, 1, 2, 3].map(|offset| base.wrapping_add(U256::from(offset)))
    }

    /// Reads a record's four words: digest, commitment, meta, location.
    ///
    /// Meta, from the least significant bit: verifier (160) · size u16 · rows u8 · status u8 · stagedAt u40 ·
    /// locationKind u8.
    ///
    /// # Errors
    /// [`LayoutError`] where there is no such record, or its words mean nothing to this version.
    pub fn from_words(
        id: ArtifactId,
        [digest, commitment, meta, location]: [U256; 4],
    ) -> Result<Self, LayoutError> {
        let status = match bits(meta, 184, 8) {
            0 => return Err(LayoutError::NoRecord { id }),
            1 => RecordStatus::Staged,
            2 => RecordStatus::Promoted,
            3 => RecordStatus::Revoked,
            found => return Err(LayoutError::Status { id, found }),
        };
        let location = match bits(meta, 232, 8) {
            1 => Location::Log {
                block: u64::try_from(location)
                    .map_err(|_| LayoutError::Unused { field: "location", found: location })?,
            },
            2 => Location::Blob { versioned_hash: B256::from(location.to_be_bytes::<32>()) },
            found => return Err(LayoutError::LocationKind { id, found }),
        };
        Ok(Self {
            id,
            digest: Digest(digest.to_be_bytes()),
            commitment: B256::from(commitment.to_be_bytes::<32>()),
            size: u16::try_from(bits(meta, 160, 16)).unwrap_or(u16::MAX),
            rows: u8::try_from(bits(meta, 176, 8)).unwrap_or(u8::MAX),
            status,
            verifier: Address::from_word(B256::from(meta.to_be_bytes::<32>())),
            staged_at: bits(meta, 192, 40),
            location,
        })
    }
}

impl Release {
    /// Holds bytes that obey the format to the commitment that a proof was bound to. A proof vouches for the bytes behind a
    /// commitment, and their digest is the publisher's word: whoever has the bytes compares. A release without a commitment
    /// asks for nothing.
    ///
    /// It takes some milliseconds where there is a commitment.
    ///
    /// # Errors
    /// [`CommitmentError`].
    pub fn hold(&self, artifact: &ValidArtifact) -> Result<(), CommitmentError> {
        if self.commitment.is_zero() {
            return Ok(());
        }
        let found = artifact.commitment();
        if found.0 != self.commitment.0 {
            return Err(CommitmentError { expected: Commitment(self.commitment.0), found });
        }
        Ok(())
    }
}

/// A proof was about other bytes than those that the release's digest names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("commitment: expected {expected}, as proven; found {found}")]
pub struct CommitmentError {
    /// The release's.
    pub expected: Commitment,
    /// That of the bytes.
    pub found: Commitment,
}

impl CommitmentError {
    /// The stable name of the error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        "commitment"
    }
}

/// Storage words that this version cannot read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A flag without a meaning here.
    #[error("head flags: expected KILL 1, ROLLBACK 2, PAUSED 4; found {found:#x}")]
    Flags {
        /// The flags byte.
        found: u64,
    },
    /// Bits beyond the layout.
    #[error("{field}: expected no bits beyond the layout; found {found:#x}")]
    Unused {
        /// Where.
        field: &'static str,
        /// The bits.
        found: U256,
    },
    /// The registry has no record of this id.
    #[error("record {id}: expected a staged artifact; found none")]
    NoRecord {
        /// The id.
        id: ArtifactId,
    },
    /// A status without a meaning here.
    #[error("record {id}, status: expected 1 to 3; found {found}")]
    Status {
        /// The id.
        id: ArtifactId,
        /// The status byte.
        found: u64,
    },
    /// A location without a meaning here.
    #[error("record {id}, location kind: expected 1 (log) or 2 (blob); found {found}")]
    LocationKind {
        /// The id.
        id: ArtifactId,
        /// The location kind.
        found: u64,
    },
}

impl LayoutError {
    /// The stable name of the error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Flags { .. } => "head-flags",
            Self::Unused { .. } => "layout",
            Self::NoRecord { .. } => "no-record",
            Self::Status { .. } => "record-status",
            Self::LocationKind { .. } => "location-kind",
        }
    }
}

/// `width` bits (at most 64) of `word` from bit `offset` on.
fn bits(word: U256, offset: usize, width: u32) -> u64 {
    let mask = u64::MAX.checked_shr(64_u32.saturating_sub(width)).unwrap_or(0);
    word.wrapping_shr(offset).as_limbs().first().copied().unwrap_or(0) & mask
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Digests in files and status are hex text.
pub(crate) mod digest_text {
    use greenlight_artifact::Digest;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(
        digest: &Digest,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(digest)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Digest, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;

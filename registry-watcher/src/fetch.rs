//! Where artifact bytes come from. Whoever serves them, the digest decides.

mod log;

use async_trait::async_trait;
use greenlight_artifact::Digest;

pub use log::LogSource;

use crate::{
    registry::Release,
    rpc::{CallError, Reason},
};

/// Bytes whose Keccak-256 is the one that a proven release names. Whether they obey the format is not yet known.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckedArtifact {
    bytes: Vec<u8>,
    digest: Digest,
}

impl CheckedArtifact {
    /// Holds `bytes` to `expected`.
    ///
    /// # Errors
    /// [`BytesError::Digest`].
    pub fn new(bytes: Vec<u8>, expected: Digest) -> Result<Self, BytesError> {
        let found = Digest::of(&bytes);
        if found != expected {
            return Err(BytesError::Digest { expected, found });
        }
        Ok(Self { bytes, digest: expected })
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Their digest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

impl std::fmt::Debug for CheckedArtifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CheckedArtifact({}, {} bytes)", self.digest, self.bytes.len())
    }
}

/// Bytes that are not the release's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BytesError {
    /// Other bytes.
    #[error("digest: expected {expected}; found {found}")]
    Digest {
        /// The release's.
        expected: Digest,
        /// That of the bytes.
        found: Digest,
    },
    /// More or fewer bytes.
    #[error("size: expected {expected} bytes; found {found}")]
    Size {
        /// The release's.
        expected: usize,
        /// What came.
        found: usize,
    },
    /// Not one event with one byte string.
    #[error("event: expected one ArtifactBytes event; found {found}")]
    Event {
        /// What came.
        found: String,
    },
}

impl BytesError {
    /// The stable name of the error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Digest { .. } => "bytes-digest",
            Self::Size { .. } => "bytes-size",
            Self::Event { .. } => "bytes-event",
        }
    }
}

impl Reason for BytesError {
    fn reason(&self) -> &'static str {
        self.reason()
    }
}

/// A kind of place that holds artifacts.
#[async_trait]
pub trait ArtifactSource: Send + Sync {
    /// The bytes of `release`, read under a cap and a deadline.
    ///
    /// # Errors
    /// [`CallError`] of the last endpoint tried.
    async fn fetch(&self, release: &Release) -> Result<CheckedArtifact, CallError>;
}

use alloc::string::String;
use core::{fmt, str::FromStr};

use sha3::{Digest as _, Keccak256};

/// Keccak-256 of an artifact's bytes: its identity on chain and at every edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Keccak256::digest(bytes).into())
    }

    /// The first 8 bytes as 16 hex digits: what logs and response headers carry.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(self.0.first_chunk::<8>().unwrap_or(&[0; 8]))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A digest was expected as 64 hex digits, with or without `0x`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hex digits, with or without 0x; found {found:?}")]
pub struct DigestParseError {
    /// What stood there.
    pub found: String,
}

impl FromStr for Digest {
    type Err = DigestParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes)
            .map_err(|_| DigestParseError { found: text.into() })?;
        Ok(Self(bytes))
    }
}

#[cfg(feature = "source")]
impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

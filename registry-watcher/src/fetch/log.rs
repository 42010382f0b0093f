use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use async_trait::async_trait;
use serde::Deserialize;

use super::{ArtifactSource, BytesError, CheckedArtifact};
use crate::{
    registry::{Location, Release},
    rpc::{CallError, RpcPool},
};

/// Reads artifacts out of the registry's own `ArtifactBytes` events.
#[derive(Clone, Debug)]
pub struct LogSource {
    rpcs: Arc<RpcPool>,
    registry: Address,
}

/// `ArtifactBytes(uint32 indexed id, bytes32 indexed digest, bytes data)`.
const EVENT: &str = "ArtifactBytes(uint32,bytes32,bytes)";

#[derive(Deserialize)]
struct Log {
    data: Bytes,
}

impl LogSource {
    /// Events of the registry at `registry`.
    #[must_use]
    pub const fn new(rpcs: Arc<RpcPool>, registry: Address) -> Self {
        Self { rpcs, registry }
    }
}

#[async_trait]
impl ArtifactSource for LogSource {
    async fn fetch(&self, release: &Release) -> Result<CheckedArtifact, CallError> {
        let block = match release.location {
            Location::Log { block } => block,
            Location::Blob { versioned_hash } => {
                return Err(CallError::BlobNotFetched { versioned_hash });
            }
        };
        let block = format!("{block:#x}");
        let topics =
            [keccak256(EVENT), B256::from(U256::from(release.id)), B256::from(release.digest.0)];
        let filter = serde_json::json!([{ "address": self.registry, "fromBlock": block, "toBlock": block, "topics": topics }]);
        self.rpcs
            .call_checked("eth_getLogs", &filter, |logs: Vec<Log>| {
                let [log] = logs.as_slice() else {
                    return Err(BytesError::Event { found: format!("{} events", logs.len()) });
                };
                CheckedArtifact::new(
                    byte_string(&log.data, usize::from(release.size))?,
                    release.digest,
                )
            })
            .await
    }
}

/// The one dynamic `bytes` of event data (Solidity ABI): offset, length, bytes padded to a word.
fn byte_string(data: &[u8], expected: usize) -> Result<Vec<u8>, BytesError> {
    let event = |found: &str| BytesError::Event { found: found.into() };
    let (words, _) = data.as_chunks::<32>();
    let [offset, length, ..] = words else { return Err(event("data of less than two words")) };
    if U256::from_be_bytes(*offset) != U256::from(32) {
        return Err(event("data at another offset"));
    }
    let found = usize::try_from(U256::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if found != expected {
        return Err(BytesError::Size { expected, found });
    }
    let bytes = data.get(64..).and_then(|rest| rest.get(..expected));
    bytes.map(<[u8]>::to_vec).ok_or_else(|| event("less data than its length says"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(offset: u64, length: u64, bytes: &[u8]) -> Vec<u8> {
        [&U256::from(offset).to_be_bytes::<32>(), &U256::from(length).to_be_bytes::<32>(), bytes]
            .concat()
    }

    #[test]
    fn only_one_whole_byte_string_of_the_expected_size_is_read() {
        assert_eq!(byte_string(&data(32, 3, b"abc\0\0"), 3).unwrap(), b"abc");
        assert_eq!(
            byte_string(&data(32, 4, b"abcd"), 3),
            Err(BytesError::Size { expected: 3, found: 4 })
        );
        assert_eq!(
            byte_string(&data(32, u64::MAX, b"abcd"), 3).unwrap_err().reason(),
            "bytes-size"
        );
        assert_eq!(byte_string(&data(64, 3, b"abc"), 3).unwrap_err().reason(), "bytes-event");
        assert_eq!(byte_string(&data(32, 3, b"ab"), 3).unwrap_err().reason(), "bytes-event");
        assert_eq!(byte_string(&[0; 63], 3).unwrap_err().reason(), "bytes-event");
    }
}

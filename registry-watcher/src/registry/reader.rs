use std::sync::Arc;

use alloy_primitives::{Address, U256};

use super::{
    AccountProof, ArtifactId, HEAD_SLOT, Head, LayoutError, ProofError, Release, verify_storage,
};
use crate::{
    rpc::{CallError, RpcPool},
    source::{SourceError, VerifiedHead},
};

/// Reads the registry's storage through RPCs that need not be trusted: each answer is checked against the state root
/// of a verified head, and an RPC whose answer fails is put aside for the next.
#[derive(Clone, Debug)]
pub struct RegistryReader {
    rpcs: Arc<RpcPool>,
    registry: Address,
}

/// A value of the registry's storage that could not be had.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No RPC answered with a proof that holds.
    #[error(transparent)]
    Rpc(#[from] CallError),
    /// There was no verified head to read at.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The storage is proven, and means nothing to this version.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

impl ReadError {
    /// The stable name of the error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Rpc(error) => error.reason(),
            Self::Source(error) => error.reason(),
            Self::Layout(error) => error.reason(),
        }
    }
}

impl RegistryReader {
    /// A reader of the registry at `registry`.
    #[must_use]
    pub const fn new(rpcs: Arc<RpcPool>, registry: Address) -> Self {
        Self { rpcs, registry }
    }

    /// The registry's head at a verified head.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn head(&self, at: &VerifiedHead) -> Result<Head, ReadError> {
        let [word] = self.slots(at, [HEAD_SLOT]).await?;
        Ok(Head::from_word(word)?)
    }

    /// The record of `id` at a verified head.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn release(&self, id: ArtifactId, at: &VerifiedHead) -> Result<Release, ReadError> {
        Ok(Release::from_words(id, self.slots(at, Release::slots(id)).await?)?)
    }

    async fn slots<const N: usize>(
        &self,
        at: &VerifiedHead,
        slots: [U256; N],
    ) -> Result<[U256; N], CallError> {
        let keys: Vec<String> = slots.iter().map(|slot| format!("{slot:#066x}")).collect();
        // By hash (EIP-1898): an RPC that has not seen the block, or has another in its place, says so and is not taken for
        // a liar; and a block that lost its place is proven all the same.
        let block = serde_json::json!({ "blockHash": at.block().hash });
        let params = serde_json::json!([self.registry, keys, block]);
        self.rpcs
            .call_checked(
                "eth_getProof",
                &params,
                |answer: AccountProof| -> Result<[U256; N], ProofError> {
                    let values = verify_storage(at.state_root(), self.registry, &slots, &answer)?;
                    let found = values.len();
                    values.try_into().map_err(|_| ProofError::Depth { max: N, found })
                },
            )
            .await
    }
}

//! A sync committee and the signatures of its members.
//!
//! # Which key a signature is checked with
//!
//! `FastAggregateVerify` adds up the signers' public keys. Each key travels compressed, and its decompression costs more
//! than its addition by far, so a new committee would cost 512 of them. Here it costs one: a `SyncCommittee` carries
//! `aggregate_pubkey`, the sum of all its keys, so the signers' sum is that less the keys of the absent. At least two
//! thirds sign, so the absent are always the fewer; on a healthy chain they are a handful, and each key is decompressed
//! once a period.
//!
//! It is sound because `aggregate_pubkey` is part of what is hashed. Before a committee is believed, its root, over all
//! the keys and the aggregate, is shown to lie in a state that the checkpoint, or two thirds of the committee before,
//! vouch for. In every valid state the aggregate is the sum, since `get_next_sync_committee` (altair, beacon-chain.md)
//! computes it as `eth_aggregate_pubkeys` of the keys. Who could have a wrong aggregate accepted could have a committee
//! of their own keys accepted as well. Likewise the registry of validators holds valid keys with a proof of possession
//! only, so the sums of members are safe from rogue keys.
//!
//! Each key that is used is checked all the same to be a point of the group and not infinity (`KeyValidate`), and a sum
//! that is infinity verifies nothing.

use std::{fmt, sync::OnceLock};

use alloy_primitives::{B256, FixedBytes};
use blst::{
    BLST_ERROR,
    min_pk::{AggregatePublicKey, PublicKey, Signature},
};

use super::{LightClientError, merkle};

/// Ciphersuite of the beacon chain's signatures (phase0, beacon-chain.md, "BLS signatures").
const DOMAIN_SEPARATION_TAG: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// `SyncCommittee`, hashed once; keys are decompressed once each, when first needed.
pub(super) struct Committee {
    keys: Box<[Key]>,
    aggregate: Key,
    root: B256,
}

/// A public key. Its point is a function of its bytes, so that keeping it changes nothing that can be seen.
struct Key {
    bytes: FixedBytes<48>,
    point: OnceLock<Option<Box<PublicKey>>>,
}

impl Key {
    const fn new(bytes: FixedBytes<48>) -> Self {
        Self { bytes, point: OnceLock::new() }
    }

    /// Its point; `None` where `KeyValidate` fails.
    fn point(&self) -> Option<&PublicKey> {
        self.point
            .get_or_init(|| PublicKey::key_validate(self.bytes.as_slice()).ok().map(Box::new))
            .as_deref()
    }
}

impl Committee {
    pub(super) fn new(keys: Vec<FixedBytes<48>>, aggregate: FixedBytes<48>) -> Self {
        let root = root(&keys, &aggregate);
        Self {
            keys: keys.into_iter().map(Key::new).collect(),
            aggregate: Key::new(aggregate),
            root,
        }
    }

    /// Its SSZ root.
    pub(super) const fn root(&self) -> B256 {
        self.root
    }

    /// How many keys it has.
    pub(super) const fn size(&self) -> usize {
        self.keys.len()
    }

    /// Whether it is `SyncCommittee()`.
    pub(super) fn is_empty(&self) -> bool {
        self.aggregate.bytes.is_zero() && self.keys.iter().all(|key| key.bytes.is_zero())
    }

    /// Its members' keys and their sum, compressed.
    pub(super) fn to_bytes(&self) -> (Vec<FixedBytes<48>>, FixedBytes<48>) {
        (self.keys.iter().map(|key| key.bytes).collect(), self.aggregate.bytes)
    }

    /// `FastAggregateVerify` of the members that `signers` marks.
    ///
    /// # Errors
    /// [`LightClientError::SignatureEncoding`], [`LightClientError::CommitteeKey`], [`LightClientError::Signature`].
    pub(super) fn verify(
        &self,
        signers: &[bool],
        signing_root: B256,
        signature: &FixedBytes<96>,
    ) -> Result<(), LightClientError> {
        let signature = Signature::sig_validate(signature.as_slice(), true).map_err(|problem| {
            LightClientError::SignatureEncoding { problem: format!("{problem:?}") }
        })?;
        let key = self.sum_of(signers)?;
        let message = signing_root.as_slice();
        match signature.verify(false, message, DOMAIN_SEPARATION_TAG, &[], &key, false) {
            BLST_ERROR::BLST_SUCCESS => Ok(()),
            _ => Err(LightClientError::Signature {
                participants: u16::try_from(signers.iter().filter(|signed| **signed).count())
                    .unwrap_or(u16::MAX),
                signing_root,
            }),
        }
    }

    /// The sum of the signers' keys: everyone's less the absent's.
    fn sum_of(&self, signers: &[bool]) -> Result<PublicKey, LightClientError> {
        let everyone = self
            .aggregate
            .point()
            .ok_or_else(|| LightClientError::CommitteeKey { place: "aggregate".into() })?;
        let mut absent: Option<AggregatePublicKey> = None;
        for (index, (key, signed)) in self.keys.iter().zip(signers).enumerate() {
            if *signed {
                continue;
            }
            let point = AggregatePublicKey::from_public_key(
                key.point()
                    .ok_or_else(|| LightClientError::CommitteeKey { place: index.to_string() })?,
            );
            match &mut absent {
                Some(sum) => sum.add_aggregate(&point),
                None => absent = Some(point),
            }
        }
        let Some(absent) = absent else {
            return Ok(*everyone);
        };
        let mut sum = AggregatePublicKey::from_public_key(everyone);
        sum.sub_aggregate(&absent);
        Ok(sum.to_public_key())
    }
}

/// `hash_tree_root` of a `SyncCommittee`.
fn root(keys: &[FixedBytes<48>], aggregate: &FixedBytes<48>) -> B256 {
    let leaf = |key: &FixedBytes<48>| tree_hash::merkle_root(key.as_slice(), 2);
    let leaves: Vec<u8> = keys.iter().flat_map(|key| leaf(key).0).collect();
    merkle::hash_pair(tree_hash::merkle_root(&leaves, keys.len()), leaf(aggregate))
}

impl PartialEq for Committee {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root
    }
}

impl Eq for Committee {}

impl fmt::Debug for Committee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Committee")
            .field("root", &self.root)
            .field("size", &self.size())
            .finish()
    }
}

#[cfg(test)]
mod tests;

//! Validators' keys, sync committees and their signatures.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use blst::min_pk::SecretKey;
use sha2::{Digest as _, Sha256};

use crate::{
    spec::Preset,
    ssz::{Root, Tree, byte_vector, hash, padded},
};

/// Hash to curve for Ethereum's signatures (consensus-specs `phase0/beacon-chain.md`, "BLS signatures").
const DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
/// `DOMAIN_SYNC_COMMITTEE`.
const DOMAIN: [u8; 4] = [7, 0, 0, 0];
/// The point at infinity of G2, compressed: what an aggregate of no signature is.
pub(crate) const INFINITY: [u8; 96] = {
    let mut bytes = [0; 96];
    bytes[0] = 0xc0;
    bytes
};

/// A number modulo the order of BLS12-381's groups, least significant word first. Secret keys are added up before they
/// sign, so that a committee's signature costs as much as that of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scalar([u64; 4]);

impl Scalar {
    const ZERO: Self = Self([0; 4]);
    const ORDER: [u64; 4] = [
        0xffff_ffff_0000_0001,
        0x53bd_a402_fffe_5bfe,
        0x3339_d808_09a1_d805,
        0x73ed_a753_299d_7d48,
    ];

    /// Of validator `index`: `sha256(index)` as all test networks have it (eth2.0-pm `interop/mocked_start`).
    fn interop(index: u64) -> Self {
        let digest = Sha256::digest(padded(&index.to_le_bytes()));
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(digest.chunks_exact(8)) {
            *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        // The order is more than a third of 2^256.
        Self(words).reduced().reduced()
    }

    fn plus(self, other: Self) -> Self {
        let mut words = [0; 4];
        let mut carry = 0_u128;
        for ((word, left), right) in words.iter_mut().zip(self.0).zip(other.0) {
            carry += u128::from(left) + u128::from(right);
            *word = carry as u64;
            carry >>= 64;
        }
        // Two numbers below the order, which is below 2^255, do not carry out.
        Self(words).reduced()
    }

    /// Less the order, where it is not below it.
    fn reduced(self) -> Self {
        let mut words = [0; 4];
        let mut borrow = false;
        for ((word, left), right) in words.iter_mut().zip(self.0).zip(Self::ORDER) {
            let (difference, first) = left.overflowing_sub(right);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            *word = difference;
            borrow = first || second;
        }
        if borrow { self } else { Self(words) }
    }

    /// `None` for zero.
    fn secret(self) -> Option<SecretKey> {
        let mut bytes = [0; 32];
        for (to, word) in bytes.rchunks_exact_mut(8).zip(self.0) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        SecretKey::from_bytes(&bytes).ok()
    }

    /// Zeros for zero.
    fn public(self) -> [u8; 48] {
        self.secret().map_or([0; 48], |secret| secret.sk_to_pk().compress())
    }
}

#[derive(Debug)]
struct Validator {
    secret: Scalar,
    public: [u8; 48],
    /// Hash tree root of the public key.
    root: Root,
}

/// The validators of a preset's chains: twice as many as there are seats.
fn validators(preset: Preset) -> &'static [Validator] {
    static MAINNET: OnceLock<Vec<Validator>> = OnceLock::new();
    static MINIMAL: OnceLock<Vec<Validator>> = OnceLock::new();
    let pool = match preset {
        Preset::Mainnet => &MAINNET,
        Preset::Minimal => &MINIMAL,
    };
    pool.get_or_init(|| {
        let validator = |index| {
            let secret = Scalar::interop(index);
            let public = secret.public();
            Validator { secret, public, root: byte_vector(&public) }
        };
        (0..2 * preset.sync_committee_size() as u64).map(validator).collect()
    })
}

/// A sync committee.
#[derive(Debug)]
pub(crate) struct Committee {
    preset: Preset,
    /// The validator on each seat. One may have several, as on a real network with few validators.
    seats: Vec<usize>,
    pub(crate) aggregate: [u8; 48],
    /// Hash tree root of the `SyncCommittee`.
    pub(crate) root: Root,
}

impl Committee {
    /// That of a period: seats are drawn by hash.
    fn new(preset: Preset, period: u64) -> Self {
        let pool = validators(preset);
        let size = preset.sync_committee_size();
        let seats: Vec<usize> = (0..size as u64)
            .map(|seat| {
                let drawn = Sha256::new().chain_update(period.to_le_bytes());
                let drawn = drawn.chain_update(seat.to_le_bytes()).finalize();
                usize::from(u16::from_le_bytes([drawn[0], drawn[1]])) % pool.len()
            })
            .collect();
        let aggregate = sum(pool, seats.iter()).public();
        let keys: Vec<Root> = seats.iter().map(|validator| pool[*validator].root).collect();
        let root = hash(&Tree::new(&keys).root(), &byte_vector(&aggregate));
        Self { preset, seats, aggregate, root }
    }

    pub(crate) fn public_keys(&self) -> impl Iterator<Item = &'static [u8; 48]> {
        let pool = validators(self.preset);
        self.seats.iter().map(|validator| &pool[*validator].public)
    }

    /// The aggregate of the signatures of the seats that sign.
    pub(crate) fn sign(&self, signing_root: &Root, signs: impl Fn(usize) -> bool) -> Aggregate {
        let mut bits = vec![0; self.seats.len() / 8];
        let mut signing = Vec::new();
        for (seat, validator) in self.seats.iter().enumerate() {
            if signs(seat) {
                bits[seat / 8] |= 1 << (seat % 8);
                signing.push(validator);
            }
        }
        let secret = sum(validators(self.preset), signing.into_iter()).secret();
        let signature =
            secret.map_or(INFINITY, |secret| secret.sign(signing_root, DST, &[]).compress());
        Aggregate { bits, signature }
    }
}

fn sum<'s>(pool: &[Validator], seats: impl Iterator<Item = &'s usize>) -> Scalar {
    seats.fold(Scalar::ZERO, |sum, validator| sum.plus(pool[*validator].secret))
}

/// A `SyncAggregate`.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    /// A bit a seat, the least significant first.
    pub(crate) bits: Vec<u8>,
    pub(crate) signature: [u8; 96],
}

impl Aggregate {
    /// Of no signature.
    pub(crate) fn none(preset: Preset) -> Self {
        Self { bits: vec![0; preset.sync_committee_size() / 8], signature: INFINITY }
    }

    pub(crate) fn root(&self) -> Root {
        hash(&byte_vector(&self.bits), &byte_vector(&self.signature))
    }
}

/// What a committee signs: a block's root in the domain of fork and network (consensus-specs `altair/validator.md`,
/// `get_sync_committee_message`; `phase0/beacon-chain.md`, `compute_domain`, `compute_signing_root`).
pub(crate) fn signing_root(
    block_root: &Root,
    fork_version: [u8; 4],
    genesis_validators_root: &Root,
) -> Root {
    let fork_data = hash(&padded(&fork_version), genesis_validators_root);
    let mut domain = [0; 32];
    domain[..4].copy_from_slice(&DOMAIN);
    domain[4..].copy_from_slice(&fork_data[..28]);
    hash(block_root, &domain)
}

/// The committees of one preset by period, the newest kept.
#[derive(Clone, Debug)]
pub(crate) struct Committees {
    preset: Preset,
    kept: Arc<Mutex<BTreeMap<u64, Arc<Committee>>>>,
}

impl Committees {
    const KEPT: usize = 8;

    pub(crate) fn new(preset: Preset) -> Self {
        Self { preset, kept: Arc::default() }
    }

    pub(crate) fn get(&self, period: u64) -> Arc<Committee> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(committee) = kept.get(&period) {
            return Arc::clone(committee);
        }
        let committee = Arc::new(Committee::new(self.preset, period));
        kept.insert(period, Arc::clone(&committee));
        if kept.len() > Self::KEPT {
            kept.pop_first();
        }
        committee
    }
}

#[cfg(test)]
mod tests;

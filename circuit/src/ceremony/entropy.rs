//! Where secrets come from: chance, or a beacon.

use std::ops::RangeInclusive;

use ark_bn254::Fr;
use ark_ff::{PrimeField as _, Zero as _};
use rand::{TryRngCore as _, rand_core::OsError, rngs::OsRng};
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use super::ChainError;

/// The bounds of a beacon's iterations, as powers of two. 2^40 take a day or more.
pub const ITERATIONS: RangeInclusive<u8> = 10..=40;

/// The most text that is mixed into secrets.
pub const MAX_ENTROPY: u64 = 1 << 20;

/// Field elements that nobody can guess: SHA-512 over 64 bytes of the operating system's randomness, a text of one's own and
/// the element's number, reduced. Good as long as one of both cannot be guessed.
///
/// # Errors
///
/// The operating system gives no randomness.
pub fn random<const N: usize>(text: &[u8]) -> Result<Zeroizing<[Fr; N]>, OsError> {
    let mut random = Zeroizing::new([0; 64]);
    OsRng.try_fill_bytes(&mut *random)?;
    Ok(secrets("greenlight random", &[&*random, text]))
}

/// A public value that nobody could foresee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beacon {
    /// The value: the hash of a block or a round of drand that was named before it came to be.
    pub value: [u8; 32],
    /// SHA-256 is iterated 2 to the power of this, so that whoever could influence the value a little cannot try many.
    pub iterations: u8,
}

impl Beacon {
    /// The secrets that anyone derives from it. They depend on the transcript, which names the phase.
    pub(super) fn secrets<const N: usize>(
        &self,
        transcript: &[u8; 32],
    ) -> Result<Zeroizing<[Fr; N]>, ChainError> {
        if !ITERATIONS.contains(&self.iterations) {
            return Err(ChainError::Iterations { found: self.iterations });
        }
        let mut value = self.value;
        for _ in 0..1_u64 << self.iterations {
            value = Sha256::digest(value).into();
        }
        Ok(secrets("greenlight ceremony beacon", &[transcript, &value]))
    }
}

fn secrets<const N: usize>(domain: &str, parts: &[&[u8]]) -> Zeroizing<[Fr; N]> {
    let mut secrets = Zeroizing::new([Fr::zero(); N]);
    for (number, secret) in (0_u8..).zip(secrets.iter_mut()) {
        let mut hash = Sha512::new_with_prefix(domain);
        hash.update([number]);
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let bytes: Zeroizing<[u8; 64]> = Zeroizing::new(hash.finalize().into());
        *secret = Fr::from_be_bytes_mod_order(&*bytes);
    }
    secrets
}

//! Signatures of owners, as wallets give them and Safes take them.

use alloy::primitives::{Address, B256, Bytes, Signature, eip191_hash_message};

use super::error::SafeError;

/// A signature of 65 bytes, `r ‖ s ‖ v`: v is 27 or 28 where the hash itself was signed (EIP-712), 31 or 32 where it was
/// signed as a message (`eth_sign`, EIP-191), which is how a Safe tells them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnerSignature(Bytes);

impl OwnerSignature {
    pub(crate) fn new(bytes: Bytes) -> Result<Self, SafeError> {
        let problem = |problem: String| SafeError::Signature { problem };
        if bytes.len() != 65 {
            return Err(problem(format!("found {} bytes", bytes.len())));
        }
        match bytes.last() {
            Some(27 | 28 | 31 | 32) => Ok(Self(bytes)),
            Some(v) => Err(problem(format!("found {v}"))),
            None => Err(problem("found nothing".into())),
        }
    }

    /// What a key of this machine signed.
    pub(crate) fn of(signature: &Signature) -> Self {
        Self(signature.as_bytes().into())
    }

    pub(crate) const fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Whose it is, if it is one of this hash; of any other it is somebody's too, whom nobody knows.
    pub(crate) fn signer(&self, safe_tx_hash: B256) -> Option<Address> {
        let (head, v) = self.0.split_last_chunk::<1>()?;
        let [v] = *v;
        let (hash, v) = if v >= 31 {
            (eip191_hash_message(safe_tx_hash), v.saturating_sub(4))
        } else {
            (safe_tx_hash, v)
        };
        let signature = Signature::from_bytes_and_parity(head, v == 28);
        signature.recover_address_from_prehash(&hash).ok()
    }
}

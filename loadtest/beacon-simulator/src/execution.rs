//! The execution blocks that become payloads.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// An execution block as far as an execution payload's header tells of it. Its transactions and withdrawals are left out:
/// see [`crate::BeaconChain`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of `ExecutionPayload`, specs/deneb/beacon-chain.md")]
pub struct ExecutionBlock {
    pub number: u64,
    pub hash: [u8; 32],
    pub parent_hash: [u8; 32],
    pub state_root: [u8; 32],
    pub receipts_root: [u8; 32],
    pub logs_bloom: [u8; 256],
    pub prev_randao: [u8; 32],
    pub fee_recipient: [u8; 20],
    pub gas_limit: u64,
    pub gas_used: u64,
    /// Unix seconds, as the execution chain has it: not bound to the slot's time, which it is on a real chain.
    pub timestamp: u64,
    /// At most 32 bytes.
    pub extra_data: Vec<u8>,
    pub base_fee_per_gas: u128,
    pub blob_gas_used: u64,
    pub excess_blob_gas: u64,
}

impl ExecutionBlock {
    /// From an answer to `eth_getBlockByNumber` or `eth_getBlockByHash`. The blob fields may be absent.
    pub fn from_rpc(block: &Value) -> Result<Self> {
        let optional =
            |name: &str| if block[name].is_null() { Ok(0) } else { quantity(&block[name]) };
        let extra_data = bytes(&block["extraData"]).context("extraData")?;
        ensure!(
            extra_data.len() <= 32,
            "extraData of {} bytes, at most 32 expected",
            extra_data.len()
        );
        Ok(Self {
            number: quantity(&block["number"])?.try_into()?,
            hash: array(&block["hash"]).context("hash")?,
            parent_hash: array(&block["parentHash"]).context("parentHash")?,
            state_root: array(&block["stateRoot"]).context("stateRoot")?,
            receipts_root: array(&block["receiptsRoot"]).context("receiptsRoot")?,
            logs_bloom: array(&block["logsBloom"]).context("logsBloom")?,
            prev_randao: array(&block["mixHash"]).context("mixHash")?,
            fee_recipient: array(&block["miner"]).context("miner")?,
            gas_limit: quantity(&block["gasLimit"])?.try_into()?,
            gas_used: quantity(&block["gasUsed"])?.try_into()?,
            timestamp: quantity(&block["timestamp"])?.try_into()?,
            extra_data,
            base_fee_per_gas: optional("baseFeePerGas")?,
            blob_gas_used: optional("blobGasUsed")?.try_into()?,
            excess_blob_gas: optional("excessBlobGas")?.try_into()?,
        })
    }

    /// A block of no chain, every field filled and different from every other number's.
    pub fn synthetic(number: u64) -> Self {
        let filled = |what: &str, number: u64| -> [u8; 32] {
            Sha256::new().chain_update(what).chain_update(number.to_le_bytes()).finalize().into()
        };
        let mut fee_recipient = [0; 20];
        fee_recipient.copy_from_slice(&filled("fee_recipient", number)[..20]);
        let mut logs_bloom = [0; 256];
        for (chunk, index) in logs_bloom.chunks_exact_mut(32).zip(0_u64..) {
            chunk
                .copy_from_slice(&filled("logs_bloom", number.wrapping_mul(8).wrapping_add(index)));
        }
        Self {
            number,
            hash: filled("hash", number),
            parent_hash: filled("hash", number.wrapping_sub(1)),
            state_root: filled("state_root", number),
            receipts_root: filled("receipts_root", number),
            logs_bloom,
            prev_randao: filled("prev_randao", number),
            fee_recipient,
            gas_limit: 30_000_000,
            gas_used: number % 30_000_000,
            timestamp: 1_600_000_000_u64.wrapping_add(number.wrapping_mul(12)),
            extra_data: format!("synthetic {number}").into_bytes(),
            base_fee_per_gas: 1_000_000_000 + u128::from(number),
            blob_gas_used: 131_072,
            excess_blob_gas: number,
        }
    }
}

impl ExecutionBlock {
    /// Zeros throughout.
    pub(crate) const fn zero() -> Self {
        Self {
            number: 0,
            hash: [0; 32],
            parent_hash: [0; 32],
            state_root: [0; 32],
            receipts_root: [0; 32],
            logs_bloom: [0; 256],
            prev_randao: [0; 32],
            fee_recipient: [0; 20],
            gas_limit: 0,
            gas_used: 0,
            timestamp: 0,
            extra_data: Vec::new(),
            base_fee_per_gas: 0,
            blob_gas_used: 0,
            excess_blob_gas: 0,
        }
    }
}

/// A JSON-RPC quantity.
pub(crate) fn quantity(value: &Value) -> Result<u128> {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
    digits
        .and_then(|digits| u128::from_str_radix(digits, 16).ok())
        .with_context(|| format!("not a quantity: {value}"))
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
    digits.and_then(|digits| hex::decode(digits).ok()).with_context(|| format!("not hex: {value}"))
}

fn array<const N: usize>(value: &Value) -> Result<[u8; N]> {
    let found = bytes(value)?;
    let length = found.len();
    found.try_into().ok().with_context(|| format!("{length} bytes where {N} are expected"))
}

//! Safes as holders of roles: what their owners are asked to sign, offline, in files that can be carried and inspected, and
//! how it is executed once enough of them did.

pub(crate) mod error;
pub(crate) mod execute;
mod proposal;
pub(crate) mod propose;
pub(crate) mod sign;
mod signature;
mod words;

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, Bytes, U256},
    providers::Provider as _,
    rpc::types::Filter,
    sol,
    sol_types::SolEvent as _,
};

use self::error::SafeError;
use crate::{
    error::{ChainError, Error},
    registry::Registry,
};

/// The releases whose EIP-712 domain and transactions are the ones below.
const VERSIONS: [&str; 2] = ["1.5.0", "1.4.1"];

sol! {
    /// What owners of a Safe sign: the EIP-712 struct of Safe 1.0.0 and later.
    #[derive(Debug)]
    struct SafeTx {
        address to;
        uint256 value;
        bytes data;
        uint8 operation;
        uint256 safeTxGas;
        uint256 baseGas;
        uint256 gasPrice;
        address gasToken;
        address refundReceiver;
        uint256 nonce;
    }

    /// The part of Safe 1.4.1 and 1.5.0 that is needed here.
    #[sol(abi)]
    #[derive(Debug)]
    interface ISafe {
        event ExecutionSuccess(bytes32 indexed txHash, uint256 payment);

        function VERSION() external view returns (string memory);
        function nonce() external view returns (uint256);
        function getThreshold() external view returns (uint256);
        function getOwners() external view returns (address[] memory);
        function execTransaction(
            address to,
            uint256 value,
            bytes calldata data,
            uint8 operation,
            uint256 safeTxGas,
            uint256 baseGas,
            uint256 gasPrice,
            address gasToken,
            address payable refundReceiver,
            bytes memory signatures
        ) external payable returns (bool success);
    }
}

/// A Safe as it is on chain.
#[derive(Clone, Debug)]
pub(crate) struct Safe {
    pub(crate) address: Address,
    pub(crate) version: String,
    /// In ascending order.
    pub(crate) owners: Vec<Address>,
    pub(crate) threshold: u64,
    /// That of the next transaction.
    pub(crate) nonce: u64,
}

impl Safe {
    /// Reads it, and refuses what is no Safe of a known release.
    pub(crate) async fn read(registry: &Registry, address: Address) -> Result<Self, Error> {
        let chain = &registry.chain;
        let latest = BlockId::latest();
        let no_safe = |problem: String| SafeError::NotASafe { address, problem };
        if chain.ask("eth_getCode", chain.provider.get_code_at(address)).await?.is_empty() {
            return Err(no_safe("found no contract".into()).into());
        }
        let version = match chain.view(address, &ISafe::VERSIONCall {}, latest).await {
            Ok(version) => version,
            Err(ChainError::Refused { .. } | ChainError::Answer { .. }) => {
                return Err(no_safe("found another contract".into()).into());
            }
            Err(error) => return Err(error.into()),
        };
        if !VERSIONS.contains(&version.as_str()) {
            let found = version.escape_debug();
            return Err(no_safe(format!("found version {found}")).into());
        }
        let mut owners = chain.view(address, &ISafe::getOwnersCall {}, latest).await?;
        owners.sort_unstable();
        let threshold = chain.view(address, &ISafe::getThresholdCall {}, latest).await?;
        Ok(Self {
            address,
            version,
            owners,
            threshold: threshold.saturating_to(),
            nonce: Self::nonce(registry, address).await?,
        })
    }

    /// The nonce of its next transaction.
    pub(crate) async fn nonce(registry: &Registry, address: Address) -> Result<u64, ChainError> {
        let nonce = registry.chain.view(address, &ISafe::nonceCall {}, BlockId::latest()).await?;
        Ok(nonce.saturating_to())
    }

    /// The transaction that executed `safe_tx_hash`, if one did.
    async fn executed(
        registry: &Registry,
        address: Address,
        safe_tx_hash: B256,
    ) -> Result<Option<B256>, ChainError> {
        let filter = Filter::new()
            .address(address)
            .event_signature(ISafe::ExecutionSuccess::SIGNATURE_HASH)
            .topic1(safe_tx_hash);
        let latest = registry.chain.latest().await?.number;
        let logs = registry.chain.logs(&filter, registry.from_block, latest).await?;
        Ok(logs.first().and_then(|log| log.transaction_hash))
    }
}

impl SafeTx {
    /// A plain call: no value, no DELEGATECALL, no refund of gas.
    fn call(to: Address, data: Bytes, nonce: u64) -> Self {
        Self {
            to,
            value: U256::ZERO,
            data,
            operation: 0,
            safeTxGas: U256::ZERO,
            baseGas: U256::ZERO,
            gasPrice: U256::ZERO,
            gasToken: Address::ZERO,
            refundReceiver: Address::ZERO,
            nonce: U256::from(nonce),
        }
    }
}

#[cfg(test)]
mod tests;

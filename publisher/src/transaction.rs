//! Signing, sending, and waiting until a transaction is mined.

use std::{
    fmt,
    time::{Duration, Instant},
};

use alloy::{
    eips::{BlockId, Encodable2718 as _, eip7594::BlobTransactionSidecarVariant},
    network::{EthereumWallet, NetworkTransactionBuilder as _, TransactionBuilder as _},
    primitives::{Address, B256, Bytes},
    providers::Provider as _,
    rpc::types::{Log, TransactionReceipt, TransactionRequest, state::StateOverride},
    signers::local::PrivateKeySigner,
    sol_types::SolEventInterface as _,
};
use clap::Args;
use serde::Serialize;

use crate::{
    abi::IConfigRegistry::IConfigRegistryEvents,
    chain::Chain,
    error::{ChainError, Error, SetupError},
    refusal::{INNER_CALL_FAILED, Refusal},
    registry::{Registry, RegistryArgs},
    report::time,
    safe::execute::Signed,
    signer::SignerArgs,
};

/// The most gas of one transaction (EIP-7825).
const GAS_CAP: u64 = 1 << 24;

/// How often to ask for a receipt.
const RECEIPT_POLL: Duration = Duration::from_millis(200);

/// What every command takes that sends a transaction.
#[derive(Args, Clone, Debug)]
pub(crate) struct SenderArgs {
    #[command(flatten)]
    registry: RegistryArgs,
    #[command(flatten)]
    signer: SignerArgs,
    /// How long to wait until a transaction is mined.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, help_heading = "Chain")]
    tx_timeout: u64,
}

/// An account that can act on the registry.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) registry: Registry,
    wallet: EthereumWallet,
    /// Signs and pays for the transactions.
    payer: Address,
    /// Whom registry and AccessManager see: the payer, or the Safe through which it acts.
    pub(crate) account: Address,
    /// What the Safe's owners signed, if it is one.
    through: Option<Signed>,
    /// What its transactions carry (EIP-4844).
    blobs: Option<BlobTransactionSidecarVariant>,
    timeout: Duration,
}

/// A transaction in a block.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mined {
    pub(crate) hash: B256,
    pub(crate) block: u64,
    /// The block's time, Unix seconds.
    pub(crate) timestamp: u64,
    pub(crate) gas_used: u64,
    pub(crate) from: Address,
    #[serde(skip)]
    pub(crate) logs: Vec<Log>,
}

/// Whether to ask the chain first what would become of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rehearsal {
    /// What would be refused is not sent.
    First,
    /// Sent whatever becomes of it, so that the refusal stands on chain.
    None,
}

impl SenderArgs {
    /// Reads the key first: a missing one needs no chain to be said.
    pub(crate) async fn connect(&self) -> Result<Sender, Error> {
        let signer: PrivateKeySigner = self.signer.signer()?;
        let payer = signer.address();
        let registry = self.registry.connect().await?;
        let timeout = Duration::from_secs(self.tx_timeout);
        let wallet = EthereumWallet::from(signer);
        let (account, through, blobs) = (payer, None, None);
        Ok(Sender { registry, wallet, payer, account, through, blobs, timeout })
    }
}

impl Sender {
    /// The same, acting through a Safe with what its owners signed.
    pub(crate) fn through(self, signed: Signed) -> Self {
        Self { account: signed.safe(), through: Some(signed), ..self }
    }

    /// The same, with blobs in its transactions.
    pub(crate) fn carrying(self, blobs: BlobTransactionSidecarVariant) -> Self {
        Self { blobs: Some(blobs), ..self }
    }

    /// Makes a call as the account and waits until it is mined.
    pub(crate) async fn send(
        &self,
        to: Address,
        data: Bytes,
        rehearsal: Rehearsal,
    ) -> Result<Mined, Error> {
        let Some(signed) = &self.through else { return self.transact(to, data, rehearsal).await };
        let execution = signed.execution(&self.registry, to, &data).await?;
        match self.transact(signed.safe(), execution, rehearsal).await {
            // Safe 1.4.1 says that the call failed, and not why.
            Err(Error::Chain(ChainError::Refused { refusal, transaction }))
                if refusal.reason == INNER_CALL_FAILED =>
            {
                let refusal = match self.registry.attempt(self.account, to, &data).await {
                    Err(ChainError::Refused { refusal, .. }) => refusal,
                    _ => refusal,
                };
                Err(ChainError::Refused { refusal, transaction }.into())
            }
            outcome => outcome,
        }
    }

    /// Sends a transaction and waits until it is mined.
    async fn transact(
        &self,
        to: Address,
        data: Bytes,
        rehearsal: Rehearsal,
    ) -> Result<Mined, Error> {
        let chain = &self.registry.chain;
        let provider = &chain.provider;
        let mut call =
            TransactionRequest::default().with_from(self.payer).with_to(to).with_input(data);
        if let Some(hashes) = self.versioned_hashes() {
            let base = chain.ask("eth_blobBaseFee", provider.get_blob_base_fee()).await?;
            call.blob_versioned_hashes = Some(hashes);
            // It rises by an eighth a block at most; one that is never used costs nothing.
            call.max_fee_per_blob_gas = Some(base.saturating_mul(2));
        }
        let gas = match rehearsal {
            Rehearsal::First => {
                // Against the pending block, as that is where it will run: a timelock may have passed only just now.
                let estimate = provider.estimate_gas(call.clone()).block(BlockId::pending());
                let gas = chain.ask("eth_estimateGas", estimate).await?;
                gas.saturating_add(gas / 5).min(GAS_CAP.max(gas))
            }
            Rehearsal::None => chain.block(BlockId::latest()).await?.header.gas_limit.min(GAS_CAP),
        };
        let fees = chain.ask("eth_feeHistory", provider.estimate_eip1559_fees()).await?;
        let nonce = provider.get_transaction_count(self.payer).pending();
        let mut request = call
            .clone()
            .with_nonce(chain.ask("eth_getTransactionCount", nonce).await?)
            .with_chain_id(self.registry.chain_id)
            .with_gas_limit(gas)
            .with_max_fee_per_gas(fees.max_fee_per_gas)
            .with_max_priority_fee_per_gas(fees.max_priority_fee_per_gas);
        request.sidecar = self.blobs.clone();
        let signed = request
            .build(&self.wallet)
            .await
            .map_err(|error| SetupError::Signing { problem: error.to_string() })?;
        let encoded = signed.encoded_2718();
        let sent = chain.ask("eth_sendRawTransaction", provider.send_raw_transaction(&encoded));
        let hash = *sent.await?.tx_hash();

        let receipt = self.receipt(hash).await?;
        let mined = mined(chain, &receipt).await?;
        if receipt.status() {
            return Ok(mined);
        }
        if receipt.gas_used >= gas {
            return Err(ChainError::OutOfGas { transaction: mined.into(), limit: gas }.into());
        }
        Err(ChainError::Refused {
            refusal: self.why(call, mined.block).await?,
            transaction: Some(mined.into()),
        }
        .into())
    }

    fn versioned_hashes(&self) -> Option<Vec<B256>> {
        self.blobs.as_ref().map(|blobs| blobs.versioned_hashes().collect())
    }

    async fn receipt(&self, hash: B256) -> Result<TransactionReceipt, ChainError> {
        let chain = &self.registry.chain;
        let start = Instant::now();
        loop {
            let asked = chain
                .ask("eth_getTransactionReceipt", chain.provider.get_transaction_receipt(hash))
                .await;
            match asked {
                Ok(Some(receipt)) => return Ok(receipt),
                // The transaction is out: an RPC that fails now is asked again for as long as there is time.
                Ok(None) | Err(ChainError::Unreachable { .. } | ChainError::Rpc { .. })
                    if start.elapsed() < self.timeout => {}
                Ok(None) => {
                    return Err(ChainError::NotMined { hash, seconds: self.timeout.as_secs() });
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(RECEIPT_POLL).await;
        }
    }

    /// Why a mined transaction failed: receipts do not say, so it is run again on the state that its block left. That
    /// its own failure left no trace is what makes this the same run.
    async fn why(&self, call: TransactionRequest, block: u64) -> Result<Refusal, ChainError> {
        match self
            .registry
            .chain
            .call(call, BlockId::number(block), StateOverride::default(), None)
            .await
        {
            Err(ChainError::Refused { refusal, .. }) => Ok(refusal),
            Err(error) => Err(error),
            Ok(_) => Ok(Refusal::unexplained()),
        }
    }
}

async fn mined(chain: &Chain, receipt: &TransactionReceipt) -> Result<Mined, ChainError> {
    let id = receipt.block_hash.map_or_else(BlockId::latest, BlockId::hash);
    let block = chain.pin(id).await?;
    Ok(Mined {
        hash: receipt.transaction_hash,
        block: block.number,
        timestamp: block.timestamp,
        gas_used: receipt.gas_used,
        from: receipt.from,
        logs: receipt.logs().to_vec(),
    })
}

impl Mined {
    /// The events of the registry in it.
    pub(crate) fn events(&self, registry: Address) -> impl Iterator<Item = IConfigRegistryEvents> {
        let ours = self.logs.iter().filter(move |log| log.address() == registry);
        ours.filter_map(|log| {
            IConfigRegistryEvents::decode_log(&log.inner).ok().map(|log| log.data)
        })
    }

    /// The head's sequence after it.
    pub(crate) fn sequence(&self, registry: Address) -> Option<u64> {
        self.events(registry).filter_map(|event| sequence(&event)).last()
    }
}

const fn sequence(event: &IConfigRegistryEvents) -> Option<u64> {
    use IConfigRegistryEvents as Events;
    match event {
        Events::Promoted(event) => Some(event.sequence),
        Events::RolledBack(event) => Some(event.sequence),
        Events::Killed(event) => Some(event.sequence),
        Events::Revived(event) => Some(event.sequence),
        Events::Paused(event) => Some(event.sequence),
        Events::Resumed(event) => Some(event.sequence),
        Events::Revoked(event) => Some(event.sequence),
        Events::ArtifactBytes(_)
        | Events::Staged(_)
        | Events::VerifierAdded(_)
        | Events::VerifierStopped(_) => None,
    }
}

impl fmt::Display for Mined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} in block {} at {}, {} gas",
            self.hash,
            self.block,
            time(self.timestamp),
            self.gas_used
        )
    }
}

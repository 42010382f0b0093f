//! The file that is carried from owner to owner.

use std::{collections::BTreeMap, fmt, path::Path};

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::{Eip712Domain, SolStruct as _, eip712_domain},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Safe, SafeTx, VERSIONS,
    error::SafeError,
    signature::OwnerSignature,
    words::{Meaning, Words},
};
use crate::{
    error::Error, files, registry::Registry, report::duration, schedule::Action, stage::Blob,
};

/// Two transactions with the bytes of the largest artifact in hex, and much room.
const MAX_FILE: u64 = 1 << 20;

/// As many acts as one file may ask for.
const MAX_TRANSACTIONS: usize = 64;

/// What a Safe is asked to do: the SafeTxs in the order of their nonces, and who signed them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Proposal {
    pub(crate) chain_id: u64,
    pub(crate) safe: Address,
    /// The Safe's release.
    pub(crate) version: String,
    pub(crate) registry: Address,
    /// The registry's AccessManager.
    pub(crate) manager: Address,
    /// As when it was proposed; the chain's at execution decide.
    pub(crate) owners: Vec<Address>,
    /// As when it was proposed; the chain's at execution decides.
    pub(crate) threshold: u64,
    /// Seconds from schedule to execution, as when it was proposed; absent for what needs no schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delay: Option<u32>,
    /// Seconds from then until the schedule expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expiration: Option<u32>,
    pub(crate) transactions: Vec<Transaction>,
}

/// A SafeTx with its signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Transaction {
    /// What `data` does, in words.
    pub(crate) meaning: String,
    pub(crate) to: Address,
    pub(crate) value: U256,
    pub(crate) data: Bytes,
    /// 0 is CALL, 1 DELEGATECALL.
    pub(crate) operation: u8,
    pub(crate) safe_tx_gas: U256,
    pub(crate) base_gas: U256,
    pub(crate) gas_price: U256,
    pub(crate) gas_token: Address,
    pub(crate) refund_receiver: Address,
    pub(crate) nonce: u64,
    pub(crate) safe_tx_hash: B256,
    /// By owner.
    pub(crate) signatures: BTreeMap<Address, Bytes>,
}

/// A proposal in which text, calldata, hashes and signatures agree, and nothing is unusual.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) proposal: Proposal,
    pub(crate) steps: Vec<Step>,
    pub(crate) work: Work,
}

/// A transaction of it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) nonce: u64,
    pub(crate) transaction: SafeTx,
    pub(crate) words: Words,
    pub(crate) hashes: Hashes,
    pub(crate) signatures: BTreeMap<Address, OwnerSignature>,
}

/// As hardware wallets and Safe{Wallet} show them.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Hashes {
    /// Of the EIP-712 domain.
    pub(crate) domain_hash: B256,
    /// Of the SafeTx.
    pub(crate) message_hash: B256,
    /// What is signed: both.
    pub(crate) safe_tx_hash: B256,
}

/// What the transactions come to together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// An act, with the schedule before it unless that is there already or is not needed.
    Act { action: Action, data: Bytes },
    /// Cancellations.
    Cancel,
}

impl Work {
    /// The blob that it stages, made of the artifact at `path`.
    pub(crate) fn blob(&self, path: Option<&Path>) -> Result<Option<Blob>, Error> {
        let expected = match self {
            Self::Act { action: Action::StageBlob { versioned_hash, .. }, .. } => {
                Some(*versioned_hash)
            }
            Self::Act { .. } | Self::Cancel => None,
        };
        let blob = match path {
            Some(path) => Some(Blob::of(files::artifact(path)?)?),
            None => None,
        };
        let found = blob.as_ref().map(|blob| blob.versioned_hash);
        if found != expected {
            return Err(SafeError::Blob { expected, found }.into());
        }
        Ok(blob)
    }
}

impl Proposal {
    /// A proposal of these calls to `safe`, from `nonce` on.
    pub(crate) fn new(
        registry: &Registry,
        safe: &Safe,
        nonce: u64,
        calls: Vec<(Address, Bytes)>,
    ) -> Result<Self, SafeError> {
        let domain = domain(registry.chain_id, safe.address);
        let mut transactions = Vec::new();
        for ((to, data), nonce) in calls.into_iter().zip(nonce..) {
            let words = Words::of(to, &data, registry.address, registry.manager)
                .map_err(|problem| SafeError::UnknownCall { nonce, problem })?;
            let transaction = SafeTx::call(to, data, nonce);
            transactions.push(Transaction {
                meaning: words.summary,
                safe_tx_hash: transaction.eip712_signing_hash(&domain),
                to,
                value: transaction.value,
                data: transaction.data,
                operation: transaction.operation,
                safe_tx_gas: transaction.safeTxGas,
                base_gas: transaction.baseGas,
                gas_price: transaction.gasPrice,
                gas_token: transaction.gasToken,
                refund_receiver: transaction.refundReceiver,
                nonce,
                signatures: BTreeMap::new(),
            });
        }
        Ok(Self {
            chain_id: registry.chain_id,
            safe: safe.address,
            version: safe.version.clone(),
            registry: registry.address,
            manager: registry.manager,
            owners: safe.owners.clone(),
            threshold: safe.threshold,
            delay: None,
            expiration: None,
            transactions,
        })
    }

    /// The same without signatures.
    pub(crate) fn unsigned(&self) -> Self {
        let mut unsigned = self.clone();
        for transaction in &mut unsigned.transactions {
            transaction.signatures.clear();
        }
        unsigned
    }

    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        serde_json::from_slice(&files::read_capped(path, MAX_FILE)?).map_err(|error| {
            let problem = format!("found {error}");
            SafeError::Proposal { path: path.into(), problem }.into()
        })
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| SafeError::Proposal {
            path: path.into(),
            problem: error.to_string(),
        })?;
        text.push(b'\n');
        Ok(files::write_bytes(path, &text)?)
    }

    /// Refuses a proposal for another deployment than this one.
    pub(crate) fn expect(
        &self,
        chain_id: Option<u64>,
        registry: Option<Address>,
        manager: Option<Address>,
    ) -> Result<(), SafeError> {
        let same = |what, expected: Option<String>, found: String| match expected {
            Some(expected) if expected != found => {
                Err(SafeError::OtherDeployment { what, expected, found })
            }
            _ => Ok(()),
        };
        let address = |address: Option<Address>| address.map(|address| address.to_string());
        same("chain id", chain_id.map(|id| id.to_string()), self.chain_id.to_string())?;
        same("registry", address(registry), self.registry.to_string())?;
        same("AccessManager", address(manager), self.manager.to_string())
    }

    /// Recomputes everything that the file says of itself.
    pub(crate) fn check(self) -> Result<Checked, SafeError> {
        let shape = |problem: String| SafeError::Shape { problem };
        if !VERSIONS.contains(&self.version.as_str()) {
            return Err(shape(format!(
                "version: expected 1.4.1 or 1.5.0; found {:?}",
                self.version
            )));
        }
        let count = self.transactions.len();
        if count == 0 || count > MAX_TRANSACTIONS {
            return Err(shape(format!(
                "expected 1 to {MAX_TRANSACTIONS} transactions; found {count}"
            )));
        }
        let domain = domain(self.chain_id, self.safe);
        let steps = self
            .transactions
            .iter()
            .map(|transaction| transaction.check(&domain, self.registry, self.manager))
            .collect::<Result<Vec<_>, _>>()?;
        for pair in steps.windows(2) {
            let [one, next] = pair else { continue };
            if one.nonce.checked_add(1) != Some(next.nonce) {
                let (one, next) = (one.nonce, next.nonce);
                return Err(shape(format!("nonces: expected one after {one}; found {next}")));
            }
        }
        let work = work(&steps).ok_or_else(|| {
            shape("expected one act, with its schedule before it where it needs one, or cancellations".into())
        })?;
        Ok(Checked { proposal: self, steps, work })
    }
}

impl Transaction {
    fn check(
        &self,
        domain: &Eip712Domain,
        registry: Address,
        manager: Address,
    ) -> Result<Step, SafeError> {
        self.refuse_unusual()?;
        let nonce = self.nonce;
        let words = Words::of(self.to, &self.data, registry, manager)
            .map_err(|problem| SafeError::UnknownCall { nonce, problem })?;
        if words.summary != self.meaning {
            let (expected, found) = (words.summary, self.meaning.clone());
            return Err(SafeError::Meaning { nonce, expected, found });
        }
        let transaction = SafeTx::call(self.to, self.data.clone(), nonce);
        let hashes = Hashes::of(&transaction, domain);
        if hashes.safe_tx_hash != self.safe_tx_hash {
            let (expected, found) = (hashes.safe_tx_hash, self.safe_tx_hash);
            return Err(SafeError::Hash { nonce, expected, found });
        }
        let mut signatures = BTreeMap::new();
        for (owner, bytes) in &self.signatures {
            let signature = OwnerSignature::new(bytes.clone())?;
            if signature.signer(hashes.safe_tx_hash) != Some(*owner) {
                return Err(SafeError::ForeignSignature { nonce, owner: *owner });
            }
            signatures.insert(*owner, signature);
        }
        Ok(Step { nonce, transaction, words, hashes, signatures })
    }

    /// An act on the registry needs none of this; whoever signs it all the same may give the Safe away.
    fn refuse_unusual(&self) -> Result<(), SafeError> {
        let zero = |field, found: U256| {
            let expected = "0";
            if found.is_zero() {
                Ok(())
            } else {
                Err(SafeError::Unusual {
                    nonce: self.nonce,
                    field,
                    expected,
                    found: found.to_string(),
                })
            }
        };
        if self.operation != 0 {
            let found = match self.operation {
                1 => "1 (DELEGATECALL)".into(),
                other => other.to_string(),
            };
            let (field, expected) = ("operation", "0 (CALL)");
            return Err(SafeError::Unusual { nonce: self.nonce, field, expected, found });
        }
        zero("value", self.value)?;
        zero("safeTxGas", self.safe_tx_gas)?;
        zero("baseGas", self.base_gas)?;
        zero("gasPrice", self.gas_price)?;
        zero("gasToken", self.gas_token.into_word().into())?;
        zero("refundReceiver", self.refund_receiver.into_word().into())
    }
}

impl Hashes {
    fn of(transaction: &SafeTx, domain: &Eip712Domain) -> Self {
        Self {
            domain_hash: domain.hash_struct(),
            message_hash: transaction.eip712_hash_struct(),
            safe_tx_hash: transaction.eip712_signing_hash(domain),
        }
    }
}

/// EIP-712 domain of Safe 1.3.0 and later: neither name nor version.
fn domain(chain_id: u64, safe: Address) -> Eip712Domain {
    eip712_domain! { chain_id: chain_id, verifying_contract: safe, }
}

fn work(steps: &[Step]) -> Option<Work> {
    let meaning = |step: &Step| step.words.meaning.clone();
    match steps {
        [act] => match meaning(act) {
            Meaning::Act(action) => Some(Work::Act { action, data: act.transaction.data.clone() }),
            Meaning::Cancel { .. } => Some(Work::Cancel),
            Meaning::Schedule { .. } => None,
        },
        [schedule, act] if matches!(meaning(schedule), Meaning::Schedule { .. }) => {
            let Meaning::Schedule { data, .. } = meaning(schedule) else { return None };
            let Meaning::Act(action) = meaning(act) else { return None };
            (data == act.transaction.data).then_some(Work::Act { action, data })
        }
        cancellations => cancellations
            .iter()
            .all(|step| matches!(step.words.meaning, Meaning::Cancel { .. }))
            .then_some(Work::Cancel),
    }
}

impl Checked {
    /// The owners, as the file says, that have signed every transaction.
    pub(crate) fn signed(&self) -> Vec<Address> {
        let everywhere =
            |owner: &&Address| self.steps.iter().all(|step| step.signatures.contains_key(*owner));
        self.proposal.owners.iter().filter(everywhere).copied().collect()
    }

    /// What other wallets sign with `eth_signTypedData_v4`, for each transaction.
    pub(crate) fn typed_data(&self) -> Vec<Value> {
        self.steps.iter().map(|step| typed_data(&self.proposal, &step.transaction)).collect()
    }

    /// Everything of it that a machine may want.
    pub(crate) fn json(&self) -> Value {
        let transactions: Vec<_> = self
            .steps
            .iter()
            .map(|step| {
                json!({
                    "nonce": step.nonce, "meaning": step.words.summary, "to": step.transaction.to,
                    "domain_hash": step.hashes.domain_hash, "message_hash": step.hashes.message_hash,
                    "safe_tx_hash": step.hashes.safe_tx_hash,
                    "signatures": step.signatures.keys().collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "chain_id": self.proposal.chain_id, "safe": self.proposal.safe, "version": self.proposal.version,
            "registry": self.proposal.registry, "threshold": self.proposal.threshold,
            "owners": self.proposal.owners, "delay": self.proposal.delay, "signed": self.signed(),
            "transactions": transactions,
        })
    }
}

/// EIP-712 typed data of one SafeTx. Numbers are decimal strings, which every wallet takes.
fn typed_data(proposal: &Proposal, transaction: &SafeTx) -> Value {
    let field = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    json!({
        "types": {
            "EIP712Domain": [field("chainId", "uint256"), field("verifyingContract", "address")],
            "SafeTx": [
                field("to", "address"), field("value", "uint256"), field("data", "bytes"),
                field("operation", "uint8"), field("safeTxGas", "uint256"), field("baseGas", "uint256"),
                field("gasPrice", "uint256"), field("gasToken", "address"),
                field("refundReceiver", "address"), field("nonce", "uint256"),
            ],
        },
        "primaryType": "SafeTx",
        "domain": { "chainId": proposal.chain_id, "verifyingContract": proposal.safe },
        "message": {
            "to": transaction.to, "value": transaction.value.to_string(), "data": transaction.data,
            "operation": transaction.operation, "safeTxGas": transaction.safeTxGas.to_string(),
            "baseGas": transaction.baseGas.to_string(), "gasPrice": transaction.gasPrice.to_string(),
            "gasToken": transaction.gasToken, "refundReceiver": transaction.refundReceiver,
            "nonce": transaction.nonce.to_string(),
        },
    })
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Proposal {
            chain_id, safe, version, registry, manager, owners, threshold, delay, ..
        } = &self.proposal;
        writeln!(f, "chain          {chain_id}")?;
        writeln!(
            f,
            "Safe           {safe}, version {version}, {threshold} of {} owners (as the proposer read it)",
            owners.len()
        )?;
        writeln!(f, "registry       {registry}")?;
        writeln!(f, "AccessManager  {manager}")?;
        if let Some(delay) = delay {
            write!(f, "timelock       {} from schedule to execution", duration(u64::from(*delay)))?;
            if let Some(expiration) = self.proposal.expiration {
                write!(f, ", expires {} after that", duration(u64::from(expiration)))?;
            }
            writeln!(f, " (as the proposer read it)")?;
        }
        let count = self.steps.len();
        for (index, step) in (1_u32..).zip(&self.steps) {
            write!(f, "\ntransaction {index} of {count}: {}\n{step}", step.words.summary)?;
        }
        write!(f, "\nsigned by      {} of {threshold} needed", self.signed().len())?;
        for owner in self.signed() {
            write!(f, "\n               {owner}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Words { contract, signature, arguments, .. } = &self.words;
        writeln!(f, "  nonce        {}", self.nonce)?;
        writeln!(f, "  to           {} ({contract})", self.transaction.to)?;
        writeln!(f, "  function     {signature}")?;
        for argument in arguments {
            let indent = " ".repeat(argument.depth.saturating_mul(2).saturating_add(4));
            writeln!(f, "{indent}{:<13} {}", argument.name, argument.value)?;
        }
        writeln!(f, "  operation    0 (CALL), value 0, no refund of gas")?;
        writeln!(f, "  domain hash  {}", self.hashes.domain_hash)?;
        writeln!(f, "  message hash {}", self.hashes.message_hash)?;
        writeln!(f, "  safeTxHash   {}", self.hashes.safe_tx_hash)
    }
}

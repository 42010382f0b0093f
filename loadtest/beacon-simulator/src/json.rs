//! The Beacon API's JSON: numbers as quoted decimals, bytes as 0x-hex.

use serde_json::{Value, json};

use crate::{
    block::{Block, GRAFFITI},
    execution::ExecutionBlock,
    keys::{Aggregate, Committee, INFINITY},
    spec::{Fork, Preset},
    ssz::{NO_TRANSACTIONS_DEPTH, NO_WITHDRAWALS_DEPTH, Root, empty_list},
};

pub(crate) fn hex(bytes: &[u8]) -> String {
    format!("0x{}", ::hex::encode(bytes))
}

fn branch(nodes: &[Root]) -> Value {
    nodes.iter().map(|node| hex(node)).collect()
}

/// An answer's envelope.
pub(crate) fn versioned(version: &str, data: Value) -> Value {
    json!({ "version": version, "data": data })
}

/// A `LightClientHeader`.
pub(crate) fn header(fork: Fork, block: &Block) -> Value {
    let execution = execution_header(fork, &block.execution);
    header_of(beacon_header(block), execution, &block.execution_branch)
}

/// A `LightClientHeader` of zeros, where there is none.
fn no_header(fork: Fork) -> Value {
    let none = [0; 32];
    let beacon = json!({
        "slot": "0",
        "proposer_index": "0",
        "parent_root": hex(&none),
        "state_root": hex(&none),
        "body_root": hex(&none),
    });
    let mut execution = execution_header(fork, &ExecutionBlock::zero());
    execution["transactions_root"] = json!(hex(&none));
    execution["withdrawals_root"] = json!(hex(&none));
    header_of(beacon, execution, &[none; 4])
}

fn header_of(beacon: Value, execution: Value, execution_branch: &[Root]) -> Value {
    json!({
        "beacon": beacon,
        "execution": execution,
        "execution_branch": branch(execution_branch),
    })
}

/// A `BeaconBlockHeader`.
pub(crate) fn beacon_header(block: &Block) -> Value {
    json!({
        "slot": block.slot.to_string(),
        "proposer_index": block.proposer_index.to_string(),
        "parent_root": hex(&block.parent_root),
        "state_root": hex(&block.state_root),
        "body_root": hex(&block.body_root),
    })
}

/// An `ExecutionPayloadHeader`.
fn execution_header(fork: Fork, block: &ExecutionBlock) -> Value {
    let mut header = execution(fork, block);
    header["transactions_root"] = json!(hex(&empty_list(NO_TRANSACTIONS_DEPTH)));
    header["withdrawals_root"] = json!(hex(&empty_list(NO_WITHDRAWALS_DEPTH)));
    header
}

/// An `ExecutionPayload`.
fn execution_payload(fork: Fork, block: &ExecutionBlock) -> Value {
    let mut payload = execution(fork, block);
    payload["transactions"] = json!([]);
    payload["withdrawals"] = json!([]);
    payload
}

fn execution(fork: Fork, block: &ExecutionBlock) -> Value {
    let mut execution = json!({
        "parent_hash": hex(&block.parent_hash),
        "fee_recipient": hex(&block.fee_recipient),
        "state_root": hex(&block.state_root),
        "receipts_root": hex(&block.receipts_root),
        "logs_bloom": hex(&block.logs_bloom),
        "prev_randao": hex(&block.prev_randao),
        "block_number": block.number.to_string(),
        "gas_limit": block.gas_limit.to_string(),
        "gas_used": block.gas_used.to_string(),
        "timestamp": block.timestamp.to_string(),
        "extra_data": hex(&block.extra_data),
        "base_fee_per_gas": block.base_fee_per_gas.to_string(),
        "block_hash": hex(&block.hash),
    });
    if fork >= Fork::Deneb {
        execution["blob_gas_used"] = json!(block.blob_gas_used.to_string());
        execution["excess_blob_gas"] = json!(block.excess_blob_gas.to_string());
    }
    execution
}

/// A `SyncCommittee`.
fn committee(committee: &Committee) -> Value {
    json!({
        "pubkeys": committee.public_keys().map(|key| hex(key)).collect::<Value>(),
        "aggregate_pubkey": hex(&committee.aggregate),
    })
}

fn no_committee(preset: Preset) -> Value {
    let none = hex(&[0; 48]);
    json!({ "pubkeys": vec![&none; preset.sync_committee_size()], "aggregate_pubkey": &none })
}

/// A `SyncAggregate`.
fn aggregate(aggregate: &Aggregate) -> Value {
    json!({
        "sync_committee_bits": hex(&aggregate.bits),
        "sync_committee_signature": hex(&aggregate.signature),
    })
}

/// A `LightClientBootstrap`.
pub(crate) fn bootstrap(fork: Fork, block: &Block, current: &Committee) -> Value {
    json!({
        "header": header(fork, block),
        "current_sync_committee": committee(current),
        "current_sync_committee_branch": branch(&block.current_committee_branch),
    })
}

/// What the three kinds of updates are made of.
pub(crate) struct Update<'u> {
    pub(crate) fork: Fork,
    pub(crate) preset: Preset,
    pub(crate) attested: &'u Block,
    pub(crate) next: Option<&'u Committee>,
    pub(crate) finalized: Option<&'u Block>,
    pub(crate) aggregate: &'u Aggregate,
    pub(crate) signature_slot: u64,
}

impl Update<'_> {
    /// A `LightClientOptimisticUpdate`.
    pub(crate) fn optimistic(&self) -> Value {
        json!({
            "attested_header": header(self.fork, self.attested),
            "sync_aggregate": aggregate(self.aggregate),
            "signature_slot": self.signature_slot.to_string(),
        })
    }

    /// A `LightClientFinalityUpdate`.
    pub(crate) fn finality(&self) -> Value {
        let mut update = self.optimistic();
        let proof = &self.attested.finality_branch;
        let (finalized, proof) = match self.finalized {
            Some(finalized) => (header(self.fork, finalized), branch(proof)),
            None => (no_header(self.fork), branch(&vec![[0; 32]; proof.len()])),
        };
        update["finalized_header"] = finalized;
        update["finality_branch"] = proof;
        update
    }

    /// A `LightClientUpdate`.
    pub(crate) fn whole(&self) -> Value {
        let mut update = self.finality();
        let proof = &self.attested.next_committee_branch;
        let (next, proof) = match self.next {
            Some(next) => (committee(next), branch(proof)),
            None => (no_committee(self.preset), branch(&vec![[0; 32]; proof.len()])),
        };
        update["next_sync_committee"] = next;
        update["next_sync_committee_branch"] = proof;
        update
    }
}

/// A `SignedBeaconBlock`. Nobody signed it: no light client looks at the proposer's signature.
pub(crate) fn signed_block(fork: Fork, block: &Block) -> Value {
    let mut body = json!({
        "randao_reveal": hex(&INFINITY),
        "eth1_data": {
            "deposit_root": hex(&[0; 32]),
            "deposit_count": "0",
            "block_hash": hex(&[0; 32]),
        },
        "graffiti": hex(&GRAFFITI),
        "proposer_slashings": [],
        "attester_slashings": [],
        "attestations": [],
        "deposits": [],
        "voluntary_exits": [],
        "sync_aggregate": aggregate(&block.aggregate),
        "execution_payload": execution_payload(fork, &block.execution),
        "bls_to_execution_changes": [],
    });
    if fork >= Fork::Deneb {
        body["blob_kzg_commitments"] = json!([]);
    }
    if fork >= Fork::Electra {
        body["execution_requests"] =
            json!({ "deposits": [], "withdrawals": [], "consolidations": [] });
    }
    json!({
        "message": {
            "slot": block.slot.to_string(),
            "proposer_index": block.proposer_index.to_string(),
            "parent_root": hex(&block.parent_root),
            "state_root": hex(&block.state_root),
            "body": body,
        },
        "signature": hex(&INFINITY),
    })
}

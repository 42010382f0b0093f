//! SSZ from the Beacon API's JSON: the client only reads it.

use alloy_primitives::U256;
use serde_json::Value;

use crate::scene::{Kind, bytes};

/// A part of a container.
enum Part {
    Fixed(Vec<u8>),
    Variable(Vec<u8>),
}

/// The container of that kind.
pub(crate) fn encode(kind: Kind, data: &Value) -> Vec<u8> {
    let attested = Part::Variable(header(&data["attested_header"]));
    let next = [
        Part::Fixed(committee(&data["next_sync_committee"])),
        Part::Fixed(nodes(&data["next_sync_committee_branch"])),
    ];
    let finality = [
        Part::Variable(header(&data["finalized_header"])),
        Part::Fixed(nodes(&data["finality_branch"])),
    ];
    let signed = [
        Part::Fixed(hex(&data["sync_aggregate"]["sync_committee_bits"])),
        Part::Fixed(hex(&data["sync_aggregate"]["sync_committee_signature"])),
        Part::Fixed(number(&data["signature_slot"])),
    ];
    let parts: Vec<Part> = match kind {
        Kind::Bootstrap => vec![
            Part::Variable(header(&data["header"])),
            Part::Fixed(committee(&data["current_sync_committee"])),
            Part::Fixed(nodes(&data["current_sync_committee_branch"])),
        ],
        Kind::Update => [attested].into_iter().chain(next).chain(finality).chain(signed).collect(),
        Kind::FinalityUpdate => [attested].into_iter().chain(finality).chain(signed).collect(),
        Kind::OptimisticUpdate => [attested].into_iter().chain(signed).collect(),
    };
    container(&parts)
}

fn container(parts: &[Part]) -> Vec<u8> {
    let length = |part: &Part| match part {
        Part::Fixed(bytes) => bytes.len(),
        Part::Variable(_) => 4,
    };
    let mut offset: usize = parts.iter().map(length).sum();
    let mut fixed: Vec<u8> = Vec::new();
    let mut variable: Vec<u8> = Vec::new();
    for part in parts {
        match part {
            Part::Fixed(bytes) => fixed.extend(bytes),
            Part::Variable(bytes) => {
                fixed.extend(u32::try_from(offset).unwrap().to_le_bytes());
                offset += bytes.len();
                variable.extend(bytes);
            }
        }
    }
    fixed.extend(variable);
    fixed
}

/// Every header here has an execution header.
fn header(header: &Value) -> Vec<u8> {
    if header.is_null() {
        return Vec::new();
    }
    container(&[
        Part::Fixed(fields(
            &header["beacon"],
            &["slot", "proposer_index", "parent_root", "state_root", "body_root"],
        )),
        Part::Variable(execution(&header["execution"])),
        Part::Fixed(nodes(&header["execution_branch"])),
    ])
}

fn execution(header: &Value) -> Vec<u8> {
    let before = fields(
        header,
        &[
            "parent_hash",
            "fee_recipient",
            "state_root",
            "receipts_root",
            "logs_bloom",
            "prev_randao",
            "block_number",
            "gas_limit",
            "gas_used",
            "timestamp",
        ],
    );
    let fee: U256 = header["base_fee_per_gas"].as_str().unwrap().parse().unwrap();
    let mut after = fee.to_le_bytes::<32>().to_vec();
    after.extend(fields(header, &["block_hash", "transactions_root", "withdrawals_root"]));
    if !header["blob_gas_used"].is_null() {
        after.extend(fields(header, &["blob_gas_used", "excess_blob_gas"]));
    }
    let extra = hex(&header["extra_data"]);
    container(&[Part::Fixed(before), Part::Variable(extra), Part::Fixed(after)])
}

fn fields(container: &Value, names: &[&str]) -> Vec<u8> {
    let field = |name: &&str| {
        let value = &container[*name];
        if value.as_str().unwrap().starts_with("0x") { hex(value) } else { number(value) }
    };
    names.iter().flat_map(field).collect()
}

fn committee(committee: &Value) -> Vec<u8> {
    let mut bytes = nodes(&committee["pubkeys"]);
    bytes.extend(hex(&committee["aggregate_pubkey"]));
    bytes
}

fn nodes(values: &Value) -> Vec<u8> {
    values.as_array().into_iter().flatten().flat_map(hex).collect()
}

/// None where there is no such member.
fn hex(value: &Value) -> Vec<u8> {
    if value.is_null() { Vec::new() } else { bytes(value) }
}

fn number(value: &Value) -> Vec<u8> {
    let Some(text) = value.as_str() else { return Vec::new() };
    text.parse::<u64>().unwrap().to_le_bytes().into()
}

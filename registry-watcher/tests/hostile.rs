//! What a hostile server, or the hostile part of a committee, may send: each lie is refused by the name of the rule that
//! it breaks, and the client believes afterwards what it believed before.
//!
//! `cases` is the table of lies about headers and committees (`edits` and `attempts` have them) and `proofs` that of
//! storage proofs; `leaves` changes every leaf of every container, and `mutations` bytes at random. All of it runs on
//! chains of the simulator, which shares no code with the client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

#[path = "hostile/attempts.rs"]
mod attempts;
#[path = "hostile/cases.rs"]
mod cases;
#[path = "hostile/edits.rs"]
mod edits;
#[path = "hostile/leaves.rs"]
mod leaves;
#[path = "hostile/mutations.rs"]
mod mutations;
#[path = "hostile/proofs.rs"]
mod proofs;
#[path = "hostile/scene.rs"]
mod scene;
#[path = "hostile/sign.rs"]
mod sign;
#[path = "hostile/ssz.rs"]
mod ssz;
#[path = "hostile/trie.rs"]
mod trie;

use std::collections::{BTreeMap, BTreeSet};

/// A lie, the reason that it is to be refused for, and what became of it.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) expected: &'static str,
    pub(crate) found: &'static str,
}

/// Every reason that there is, of the light client and of storage proofs.
const REASONS: [&str; 37] = [
    "account-proof",
    "before-altair",
    "blob-gas-before-deneb",
    "checkpoint-root",
    "committee-branch",
    "committee-key",
    "committee-size",
    "execution-before-capella",
    "execution-branch-attested",
    "execution-branch-checkpoint",
    "execution-branch-finalized",
    "finality-branch",
    "finalized-genesis",
    "finalized-unproven",
    "fork-mismatch",
    "json",
    "next-committee-branch",
    "next-committee-mismatch",
    "next-committee-unproven",
    "no-account",
    "no-code",
    "no-execution",
    "participation",
    "proof-account",
    "proof-depth",
    "proof-slots",
    "signature",
    "signature-encoding",
    "signature-slot-future",
    "slot-order",
    "ssz",
    "storage-proof",
    "store",
    "store-network",
    "unknown-fork",
    "update-not-newer",
    "update-period",
];

#[test]
fn every_lie_is_refused_by_the_rule_that_it_breaks() {
    let mut rows = cases::rows();
    rows.extend(proofs::rows());
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    for Row { name, expected, found } in &rows {
        println!("{found:<28} {name}{}", if found == expected { "" } else { "  <- WRONG" });
        *by_reason.entry(found).or_default() += 1;
    }
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    println!("{} hostile cases, {} reasons: {by_reason:?}", names.len(), by_reason.len());
    for Row { name, expected, found } in &rows {
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(names.len(), rows.len(), "two cases of one name");
    assert!(names.len() >= 40);
    assert!(by_reason.keys().eq(&REASONS), "a reason without a case, or one that nobody knows");
}

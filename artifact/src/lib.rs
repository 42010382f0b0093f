//! The canonical feature file of Greenlight, format version 1.
//!
//! An artifact is a 64-byte header and 1 to 200 rows of 64 bytes, big-endian and of fixed width, so that a contract,
//! a circuit and an edge all read it the same way. [`ValidArtifact::check`] is the only way in: it holds bytes that
//! obey every invariant, and nothing else can be compiled or adopted.
//!
//! ```text
//! header  0   4  magic "GLFF"           32  31  label, ASCII 0x20..=0x7e, zero-padded
//!         4   2  format = 1             63   1  zero
//!         6   2  row count, 1..=200
//!         8   4  intercept, i32 milli-logit
//!         12  4  engine (schema version)
//!         16  8  created at, Unix seconds
//!         24  8  zero
//! row     0  32  key ^[a-z][a-z0-9_.-]{0,30}$, zero-padded, last byte zero, strictly ascending
//!         32  1  kind                    33   1  flags
//!         34  2  weight, i16 milli-logit, |w| ≤ 10 000
//!         36 28  argument, typed by the kind's class in the engine's schema
//! ```
//!
//! The identity of an artifact is the [`Digest`] of these bytes: Keccak-256, as the EVM computes it. Proofs are bound to
//! a second hash of them that is cheap in a circuit, the `Commitment` (feature `commitment`).
//!
//! What a kind may carry is data, not code: a [`Schema`] is one 32-byte word per engine version. The check here, the
//! one in Solidity and a circuit's all read the same word.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod artifact;
#[cfg(feature = "commitment")]
pub mod commitment;
mod defect;
mod digest;
mod draft;
mod feature;
mod fields;
#[cfg(feature = "guest")]
pub mod guest;
mod layout;
mod schema;
#[cfg(feature = "source")]
pub mod source;

pub use artifact::{Header, Row, ValidArtifact};
#[cfg(feature = "commitment")]
pub use commitment::Commitment;
pub use defect::{ArgumentDefect, Defect};
pub use digest::{Digest, DigestParseError};
pub use draft::{Draft, DraftRow};
pub use feature::{Cidr, Feature, FeatureError, HeaderTest};
pub use fields::{FORWARDING_FIELDS, HEADER_ORDER_CODES, HEADER_ORDER_MOST, HEADER_ORDER_OTHER};
pub use layout::{
    ARGUMENT_LEN, FORMAT_VERSION, HEADER_LEN, Key, MAGIC, MAX_LABEL_LEN, MAX_LEN, MAX_ROWS,
    MAX_WEIGHT, MIN_LEN, ROW_LEN,
};
pub use schema::{ArgumentClass, KindCode, Schema};

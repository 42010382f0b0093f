//! The program run as its users run it: on files, and against a real chain.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking; clippy grants that to test functions alone"
)]

mod files;
mod history;
mod proof;
mod registry;
mod safes;
mod support;
mod train;

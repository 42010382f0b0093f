//! Reads an input, publishes its journal. Whatever is wrong with the input ends the run, which then has no receipt.

use std::io::Read as _;

use greenlight_artifact::guest;
use risc0_zkvm::guest::env;

fn main() {
    let mut input = Vec::new();
    env::stdin().read_to_end(&mut input).expect("the input");
    env::commit_slice(&guest::run(&input).expect("a source that makes an artifact"));
}

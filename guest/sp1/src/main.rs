//! Reads an input, publishes its journal. Whatever is wrong with the input ends the run, which then has no proof.
#![no_main]

use greenlight_artifact::guest;

sp1_zkvm::entrypoint!(main);

fn main() {
    let input = sp1_zkvm::io::read_vec();
    sp1_zkvm::io::commit_slice(&guest::run(&input).expect("a source that makes an artifact"));
}

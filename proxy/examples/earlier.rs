//! The edge as a version before this one would be, for the drill `version-skew`: the same program, to which engine 1 has no
//! kinds yet for what a connection shows of a client (`ja4-contains`, `http2-contains`).

use std::process::ExitCode;

use greenlight_artifact::Schema;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Kinds from here on are of the version after.
const FIRST_UNKNOWN: usize = 29;

const SCHEMAS: &[Schema] = &[earlier()];

const fn earlier() -> Schema {
    let mut schema = Schema::ENGINE_1;
    let (_, unknown) = schema.word.split_at_mut(FIRST_UNKNOWN);
    let mut left = unknown;
    while let Some((byte, rest)) = left.split_first_mut() {
        *byte = 0;
        left = rest;
    }
    schema
}

fn main() -> ExitCode {
    greenlight_edge::main(SCHEMAS)
}

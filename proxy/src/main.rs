//! The operator's program; see [`greenlight_edge`].

use std::process::ExitCode;

use greenlight_artifact::Schema;
use mimalloc::MiMalloc;

/// A proxied request allocates some dozens of times, most of them in Pingora.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    greenlight_edge::main(&[Schema::ENGINE_1])
}

//! The deciding code stays pure: it names nothing that reads a clock, a file, a socket or chance.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads source files and may panic"
)]

use std::{fs, path::Path};

#[test]
fn the_machine_does_no_io_and_reads_no_clock() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/machine");
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("tests.rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for word in [
            "std::fs",
            "std::net",
            "std::time",
            "std::thread",
            "tokio",
            "reqwest",
            "rand::",
            "async ",
            "now()",
        ] {
            assert!(!source.contains(word), "{} names {word}", path.display());
        }
        read += 1;
    }
    assert!(read >= 2, "the machine's files were not found");
}

//! What the house promises about itself: pure code stays pure, and the documents name tests that exist.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a test reads source files and may panic"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn the_machine_does_no_io_and_reads_no_clock() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/machine");
    let mut read = 0;
    for path in files(&folder) {
        if path.ends_with("tests.rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let impure = [
            "std::fs",
            "std::net",
            "std::time",
            "std::thread",
            "tokio",
            "reqwest",
            "rand::",
            "async ",
            "now()",
        ];
        for word in impure {
            assert!(!source.contains(word), "{} names {word}", path.display());
        }
        read += 1;
    }
    assert!(read >= 2, "the machine's files were not found");
}

#[test]
fn every_test_that_the_architecture_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let (_, table) = document.split_once("| invariant | test |").unwrap();
    let named: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.rsplit('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let folders = [
        "artifact",
        "bot-module",
        "contracts/test",
        "loadtest",
        "proxy",
        "publisher",
        "registry-watcher",
    ];
    let sources: String = folders
        .iter()
        .flat_map(|folder| files(&root.join(folder)))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let missing: Vec<_> = named
        .iter()
        .filter(|name| {
            !sources.contains(&format!("fn {name}("))
                && !sources.contains(&format!("function {name}("))
        })
        .collect();
    assert!(named.len() > 25, "the table was not read");
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

/// Rust and Solidity files below `folder`, without what tools put there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "node_modules", "corpus"].contains(&name.as_str()) {
            found.extend(files(&path));
        } else if name.ends_with(".rs") || name.ends_with(".sol") {
            found.push(path);
        }
    }
    found
}

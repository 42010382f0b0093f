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
    assert!(pure_files("machine", &["std::time"]) >= 2, "the machine's files were not found");
}

#[test]
fn the_light_client_does_no_io_and_reads_no_clock() {
    // Lengths of slots are durations; a clock is something else.
    let read = pure_files("light_client", &["Instant", "SystemTime"]);
    assert!(read >= 8, "the light client's files were not found");
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
        "circuit",
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

/// How many files `src/MODULE.rs` and the folder beside it have. None of them names IO, threads, randomness, or a word of
/// `clocks`.
fn pure_files(module: &str, clocks: &[&str]) -> usize {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = files(&sources.join(module));
    paths.push(sources.join(module).with_extension("rs"));
    paths.retain(|path| !path.ends_with("tests.rs"));
    let impure =
        ["std::fs", "std::net", "std::thread", "tokio", "reqwest", "rand::", "async ", "now()"];
    for path in &paths {
        let source = fs::read_to_string(path).unwrap();
        for word in impure.iter().chain(clocks) {
            assert!(!source.contains(word), "{} names {word}", path.display());
        }
    }
    paths.len()
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

#![allow(clippy::arithmetic_side_effects, reason = "a test may panic")]

use super::*;

fn filled(dir: &Path, lines: u64) -> PathBuf {
    let path = dir.join("evidence.ndjson");
    let mut evidence = Evidence::open(&path).unwrap();
    for n in 0..lines {
        evidence.append(
            1_000 + n,
            "adopted",
            Some(Digest::of(b"x")),
            "line \"with\" quotes\nand a newline",
        );
    }
    path
}

#[test]
fn a_chain_verifies_and_goes_on_across_openings() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path(), 3);
    assert_eq!(verify(&path).unwrap(), 3);
    filled(dir.path(), 2);
    assert_eq!(verify(&path).unwrap(), 5);
}

#[test]
fn every_changed_byte_and_every_dropped_or_moved_line_breaks_the_chain() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path(), 4);
    let good = std::fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        assert!(verify(&path).is_err(), "byte {at}");
    }
    let lines: Vec<&[u8]> = good.split_inclusive(|byte| *byte == b'\n').collect();
    for order in [&[0, 2, 3][..], &[1, 2, 3], &[0, 2, 1, 3], &[0, 0, 1, 2, 3]] {
        std::fs::write(&path, order.iter().flat_map(|n| lines[*n].to_vec()).collect::<Vec<_>>())
            .unwrap();
        assert!(matches!(verify(&path), Err(EvidenceError::Broken { .. })), "{order:?}");
    }
}

#[test]
fn a_torn_last_line_is_cut_and_recorded_as_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path(), 3);
    let good = std::fs::read(&path).unwrap();
    for cut in 1..200 {
        std::fs::write(&path, &good[..good.len() - cut]).unwrap();
        let whole = good[..good.len() - cut].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert!(verify(&path).is_err() || cut % 1_000 == 0, "cut {cut}");
        Evidence::open(&path).unwrap().append(9, "started", None, "");
        assert_eq!(verify(&path).unwrap(), whole + 2, "cut {cut}");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"gap\"") && text.contains("bytes of a torn line"), "cut {cut}");
    }
}

#[test]
fn a_broken_chain_is_not_continued() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path(), 3);
    let bad = std::fs::read_to_string(&path).unwrap().replacen("adopted", "removed", 1);
    std::fs::write(&path, &bad).unwrap();
    assert!(matches!(Evidence::open(&path), Err(EvidenceError::Broken { line: 1, .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), bad, "left as it is");
}

#[test]
fn a_full_disk_is_counted_and_becomes_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path(), 1);
    let mut evidence = Evidence::open(&path).unwrap();
    // A device that is always full, in place of the file.
    evidence.file = Some(OpenOptions::new().write(true).open("/dev/full").unwrap());
    evidence.append(1, "adopted", None, "lost");
    assert_eq!((evidence.missed(), verify(&path).unwrap()), (1, 1));
    // The file is opened anew, and there is space again.
    evidence.append(3, "stale", None, "");
    assert_eq!((evidence.missed(), verify(&path).unwrap()), (0, 3));
    assert!(std::fs::read_to_string(&path).unwrap().contains("lines could not be written"));
}

#[test]
fn a_long_detail_is_cut_to_a_line_that_can_be_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("evidence.ndjson");
    let details =
        ["\u{1}\"é", "\u{1}", "\"", "\\", "\u{8}", "\u{7f}", "é", "\u{1f600}", "a\n\r\t\u{c}"];
    for (n, detail) in (1..).zip(details) {
        let mut evidence = Evidence::open(&path).unwrap();
        evidence.append(1, "source-failed", None, &detail.repeat(100_000));
        assert_eq!(verify(&path).unwrap(), n, "{detail:?}");
    }
}

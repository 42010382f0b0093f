//! The ceremony's program as contributors run it. What it does to a circuit is tested where the library is.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking; clippy grants that to test functions alone"
)]

use std::{
    fs,
    io::Write as _,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

struct Ceremony(TempDir);

impl Ceremony {
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().into()
    }

    /// Runs the program in the ceremony's directory.
    fn run(&self, arguments: &[&str], stdin: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_greenlight-ceremony"))
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who does not read it may be gone.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, b"dice: 3 1 4 1 5");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str], because: &str) {
        let output = self.run(arguments, b"");
        let stderr = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(!output.status.success() && stderr.contains(because), "{output:?}");
    }
}

#[test]
fn contributors_take_turns_a_beacon_ends_them_and_everybody_verifies() {
    let ceremony = Ceremony(TempDir::new().unwrap());
    let transcript = |said: &str| said.trim().strip_prefix("transcript ").unwrap().to_owned();
    ceremony.succeeds(&["new", "--power", "4", "--out", "0"]);
    let first = transcript(&ceremony.succeeds(&["contribute", "0", "--out", "1"]));
    let second =
        transcript(&ceremony.succeeds(&["contribute", "1", "--entropy", "-", "--out", "2"]));
    assert!(ceremony.succeeds(&["verify", "2"]).ends_with("the phase is open\n"));
    ceremony.fails(&["prepare", "2", "--specialized", "k", "--out", "d"], "expected a beacon");

    let value = format!("0x{}", "b1".repeat(32));
    let beacon = ["beacon", "2", "--value", &value, "--iterations", "10", "--out", "end"];
    ceremony.succeeds(&beacon);
    let verified =
        ceremony.succeeds(&["verify", "end", "--contains", &first, "--contains", &second]);
    let lines: Vec<_> = verified.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].contains(&first) && lines[1].contains(&second), "{verified}");
    assert!(lines[2].ends_with(&format!("beacon {} iterated 2^10", &value[2..])), "{verified}");
    assert!(lines[3].ends_with("the phase is ended"));

    ceremony.fails(&["contribute", "end", "--out", "3"], "after the beacon");
    ceremony.fails(&["verify", "end", "--contains", &"00".repeat(32)], "found none");
    ceremony.fails(&["verify", "end", "--contains", "12"], "expected 32 bytes in hex");
    ceremony.fails(
        &["prepare", "end", "--specialized", "k", "--out", "d"],
        "powers of tau: the circuit needs 2^",
    );
    ceremony.fails(&["new", "--power", "21", "--out", "x"], "power: expected 1 to 20; found 21");
    assert!(!fs::exists(ceremony.path("3")).unwrap() && !fs::exists(ceremony.path("d")).unwrap());

    // One point exchanged for another, which is a point as well.
    let mut bytes = fs::read(ceremony.path("end")).unwrap();
    let last = bytes.len() - 256;
    bytes.copy_within(last..last + 128, last + 128);
    fs::write(ceremony.path("changed"), &bytes).unwrap();
    ceremony.fails(&["verify", "changed"], "beta in G2: the points are not in the ratio");
    fs::write(ceremony.path("cut"), &bytes[..last]).unwrap();
    ceremony.fails(&["verify", "cut"], "bytes of points; found");
}

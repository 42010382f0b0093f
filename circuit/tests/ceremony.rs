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

use greenlight_artifact::{Schema, ValidArtifact};
use greenlight_circuit::{
    assign,
    keys::ProvingKey,
    proof::{Evidence, prove},
    r1cs, statement,
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

fn transcript(said: &str) -> String {
    said.trim().strip_prefix("transcript ").unwrap().to_owned()
}

#[test]
fn contributors_take_turns_a_beacon_ends_them_and_everybody_verifies() {
    let ceremony = Ceremony(TempDir::new().unwrap());
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

/// README.md's way to a key, with the real circuit and a beacon that takes no time.
#[test]
#[ignore = "takes minutes; README.md has the command"]
fn both_phases_for_the_real_circuit_give_a_key_that_proves() {
    let ceremony = Ceremony(TempDir::new().unwrap());
    let value = format!("0x{}", "b1".repeat(32));
    let quick = ["--value", &value, "--iterations", "10"];
    let beacon = |file: &[&str], out: &str| {
        ceremony.succeeds(&[&["beacon"], file, &quick[..], &["--out", out]].concat());
    };
    ceremony.succeeds(&["new", "--out", "powers.0"]);
    let powers = transcript(&ceremony.succeeds(&["contribute", "powers.0", "--out", "powers.1"]));
    beacon(&["powers.1"], "powers.end");
    ceremony.succeeds(&["verify", "powers.end", "--contains", &powers]);

    let start = ["--specialized", "start.key"];
    ceremony.succeeds(&[&["prepare", "powers.end"], &start[..], &["--out", "delta.0"]].concat());
    ceremony.fails(&["contribute", "delta.0", "--out", "delta.1"], "give --specialized");
    let contribute = [&["contribute", "delta.0"], &start[..], &["--out", "delta.1"]].concat();
    let delta = transcript(&ceremony.succeeds(&contribute));
    let files = ["--powers", "powers.end", "--key", "proving.key", "--solidity", "Key.sol"];
    ceremony.fails(&[&["export", "delta.1"], &start[..], &files].concat(), "expected a beacon");
    beacon(&["delta.1", "--specialized", "start.key"], "delta.end");
    ceremony.fails(&["verify", "delta.end"], "give --powers");
    // Makes phase 2's beginning itself.
    let verified =
        ceremony.succeeds(&["verify", "delta.end", "--powers", "powers.end", "--contains", &delta]);
    assert!(verified.ends_with("the phase is ended\n"), "{verified}");
    let exported = ceremony.succeeds(&[&["export", "delta.end"], &start[..], &files].concat());

    let key = ProvingKey::load(ceremony.path("proving.key").as_ref()).unwrap();
    let hash = hex::encode(key.verifying_key().hash());
    assert!(exported.trim().ends_with(&format!("key hash 0x{hash}")), "{exported}");
    let solidity = fs::read_to_string(ceremony.path("Key.sol")).unwrap();
    assert!(solidity.contains("DEVELOPMENT = false") && solidity.contains(&hash), "{solidity}");
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/sample.glff");
    let schema = &Schema::ENGINE_1;
    let artifact = ValidArtifact::check(&fs::read(sample).unwrap(), &[Schema::ENGINE_1]).unwrap();
    let proof = prove(&key, r1cs(), &assign(&artifact, schema).unwrap()).unwrap();
    let evidence = Evidence { statement: statement(&artifact), proof };
    evidence.verify(&key.verifying_key(), schema).unwrap();
}

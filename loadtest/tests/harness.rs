//! The drills, the soak and the demo, each through the program as people run it.
//!
//! Needs what `cargo build --workspace` and `cd contracts && npm ci --ignore-scripts` make; `make test` does both first.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn harness() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenlight-loadtest"));
    command.current_dir(root()).stdin(Stdio::null());
    command
}

fn told(output: &Output) -> String {
    format!(
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[track_caller]
fn passes(arguments: &[&str], title: &str) {
    let output = harness().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let line = String::from_utf8(output.stdout).unwrap();
    let rest = line
        .trim_end()
        .strip_prefix(&format!("{title} pass requests="))
        .unwrap_or_else(|| panic!("{line}"));
    let (requests, rest) = rest.split_once(' ').unwrap();
    assert!(requests.parse::<u64>().unwrap() > 100, "{line}");
    assert_eq!(rest, "fivexx=0 resets=0");
    println!("{line}");
}

macro_rules! drills {
    ($(fn $test:ident() => $name:literal),+ $(,)?) => {
        $(#[test] fn $test() { passes(&["drill", $name], concat!("drill ", $name)); })+
    };
}

drills! {
    fn drill_duplicate_rows() => "duplicate-rows",
    fn drill_row_limits() => "row-limits",
    fn drill_flapping() => "flapping",
    fn drill_kill_storm() => "kill-storm",
    fn drill_kill_blind() => "kill-blind",
    fn drill_rollback_nowhere() => "rollback-nowhere",
    fn drill_restart_herd() => "restart-herd",
    fn drill_version_skew() => "version-skew",
    fn drill_cost_bomb() => "cost-bomb",
    fn drill_replay_old() => "replay-old",
    fn drill_frozen_chain() => "frozen-chain",
    fn drill_reorg() => "reorg",
    fn drill_torn_cache() => "torn-cache",
    fn drill_verifier_stopped() => "verifier-stopped",
    fn drill_hostile_client() => "hostile-client",
    fn drill_clock_skew() => "clock-skew",
    fn drill_bad_beacon() => "bad-beacon",
    fn drill_bad_rpc() => "bad-rpc",
    fn drill_disk_full() => "disk-full",
    fn drill_helios() => "helios",
}

/// Half an hour of a chain in a minute and a half, with the end of at least two sync committee periods.
#[test]
fn the_soak_stays_fresh_and_flat_over_ends_of_periods() {
    passes(&["soak", "--minutes", "30", "--speed", "20"], "soak");
}

/// Why shortcuts are refused.
const SHORTCUTS: [&str; 15] = [
    "already-executed",
    "already-promoted",
    "bytes-unavailable",
    "cancelled",
    "commitment",
    "development-key",
    "expired",
    "not-ready",
    "not-scheduled",
    "proof-of-another-artifact",
    "proof-refused",
    "safe-signatures",
    "staging-expired",
    "unauthorized",
    "verifier-not-active",
];

/// Every shortcut past the gate is refused for its own reason, and the way itself is open.
#[test]
fn the_gate_opens_for_what_took_every_step_and_for_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("gate.json");
    let output = harness().args(["gate", "--json"]).arg(&report).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let attempts: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let refused: BTreeSet<&str> = attempts
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|attempt| {
            attempt["found"]["reason"].as_str().filter(|reason| !reason.is_empty())
        })
        .collect();
    for reason in SHORTCUTS {
        assert!(refused.contains(reason), "{reason} not in {refused:?}");
    }
}

#[test]
fn a_soak_that_crosses_too_few_periods_is_refused() {
    let output = harness().args(["soak", "--preset", "mainnet"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--minutes 3277 or more"));
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_the_run() {
    for arguments in [
        &["demo", "--once", "--report"][..],
        &["drill", "row-limits", "--json"],
        &["soak", "--json"],
    ] {
        let output = harness().args(arguments).arg("/nonexistent/report.json").output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        let expected = "expected a report that can be written at /nonexistent/report.json; found:";
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_demo_goes_through_everything_once() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("demo.json");
    let output = harness().args(["demo", "--once", "--report"]).arg(&report).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let number = |pointer: &str| {
        report
            .pointer(pointer)
            .and_then(Value::as_u64)
            .unwrap_or_else(|| panic!("{pointer}: {report}"))
    };
    assert_eq!((number("/human/status"), number("/bot/status")), (200, 403));
    assert!(number("/human/score") >= 70 && (1..=29).contains(&number("/bot/score")), "{report}");
    assert!(number("/artifact/rows") >= 150 && number("/requests") > 1_000, "{report}");
    assert_eq!((number("/fivexx"), number("/resets")), (0, 0));
    assert_eq!(
        (&report["kill"]["mode"], &report["refused"]["reason"]),
        (&"allow-all".into(), &"key-duplicate".into())
    );
    assert!(number("/kill/ms") < 10_000, "{report}");
    assert_eq!(report["source"], "light-client", "{report}");
    let (newest, finalized) = (number("/verified/newest/slot"), number("/verified/finalized/slot"));
    assert!(finalized > 0 && newest >= finalized, "{report}");
    assert!(number("/verified/newest/number") >= number("/verified/finalized/number"), "{report}");
    let (voted, of) =
        (number("/verified/participation/voted"), number("/verified/participation/of"));
    assert!(of == 512 && voted * 3 >= of * 2, "{report}");
    assert!(number("/verified/period") > 0, "{report}");
    // No sooner than the finality that the simulator gives, and not much later.
    let lag = number("/adoption/slot_ms") * number("/adoption/finality_lag_slots");
    let most = lag + 3 * number("/adoption/slot_ms") + number("/adoption/poll_ms") + 3_000;
    assert!((lag..most).contains(&number("/adoption/ms")), "{report}");
    assert_eq!(report["rollback"]["digest"], report["artifact"]["digest"]);
    let built =
        greenlight_artifact::Digest::of(&fs::read(root().join("config/sample.glff")).unwrap());
    assert_eq!(
        report["artifact"]["digest"],
        built.to_string(),
        "the demo promotes the sample that is committed"
    );
}

/// A demo that runs until it is interrupted; dropped, it is.
struct Demo(Child);

impl Demo {
    fn interrupt(&self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.interrupt();
            let _ = self.0.wait();
        }
    }
}

/// Runs printed lines as somebody would who pastes them.
fn paste(line: &str) -> String {
    let output = Command::new("sh").args(["-ec", line]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{line}\n{}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn the_commands_of_the_demo_work_as_printed() {
    let child =
        harness().arg("demo").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut demo = Demo(child);
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut commands: Vec<String> = Vec::new();
    let mut addresses = Vec::new();
    let mut revive = String::new();
    let mut is_in_a_command = false;
    for line in lines.by_ref() {
        if line.starts_with("# ") {
            is_in_a_command = true;
            commands.push(String::new());
        } else if line.is_empty() {
            is_in_a_command = false;
        } else if let Some(command) = commands.last_mut().filter(|_| is_in_a_command) {
            command.push_str(&line);
            command.push('\n');
        }
        if let Some((_, rest)) =
            line.split_once("http://").filter(|_| !is_in_a_command && !line.contains("greenlight"))
        {
            addresses.push(rest.split(['/', ',', ' ']).next().unwrap().to_owned());
        }
        if let Some(command) = line.strip_prefix("To take the kill back: ") {
            command.clone_into(&mut revive);
        }
        if line.starts_with("Ctrl-C") {
            break;
        }
    }
    let [browser, bot, shadow, challenge, rollback, kill, status] = commands.as_slice() else {
        demo.0.kill().unwrap();
        let mut error = String::new();
        demo.0.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        panic!("expected seven commands; found {commands:?}\n{error}");
    };
    assert_eq!(addresses.len(), 5, "{addresses:?}");

    let passed = paste(browser);
    assert!(passed.starts_with("HTTP/1.1 200"), "{passed}");
    let body: Value = serde_json::from_str(passed.lines().last().unwrap()).unwrap();
    assert!(body["score"].as_u64().unwrap() >= 70, "{body}");
    assert!(paste(bot).starts_with("HTTP/1.1 403"));
    let told: Value = serde_json::from_str(&paste(shadow)).unwrap();
    assert_eq!(told["verdict"], "block", "{told}");
    assert!(told.to_string().contains("x-bot-reasons"), "{told}");
    let challenged = paste(challenge);
    assert!(challenged.starts_with("HTTP/1.1 307"), "{challenged}");
    let told: Value = serde_json::from_str(challenged.lines().last().unwrap()).unwrap();
    assert_eq!(told["verdict"], "challenge", "{challenged}");
    let first = paste(status);
    assert!(first.contains("active"), "{first}");

    paste(rollback);
    until("the rollback at the edge", || {
        paste(status) != first && paste(status).contains("active")
    });
    let digest = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("artifact"))
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .to_owned()
    };
    until("the first artifact", || digest(&paste(status)) != digest(&first));
    paste(kill);
    until("the kill at the edge", || paste(bot).starts_with("HTTP/1.1 200"));
    let killed = paste(status);
    assert!(killed.contains("allow-all"), "{killed}");
    paste(&revive);
    until("the revival at the edge", || paste(bot).starts_with("HTTP/1.1 403"));

    demo.interrupt();
    assert!(demo.0.wait().unwrap().success());
    for address in addresses {
        assert!(TcpStream::connect(&address).is_err(), "{address} is still served");
    }
}

#[test]
fn a_missing_program_is_named_with_the_command_that_builds_it() {
    let folder = tempfile::tempdir().unwrap();
    let alone = folder.path().join("greenlight-loadtest");
    fs::copy(env!("CARGO_BIN_EXE_greenlight-loadtest"), &alone).unwrap();
    let output =
        Command::new(alone).args(["drill", "row-limits"]).current_dir(root()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("cargo build -p greenlight"), "{error}");
}

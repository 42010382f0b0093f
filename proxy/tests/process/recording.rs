//! The real binary as a process: what is recorded of requests, and what is not.

use std::path::Path;
use std::process::Command;

use greenlight_artifact::{Draft, DraftRow, Feature, Key, Schema};

use crate::support::{Edge, config, echo, get, greenlight, keep_artifact, origin};

const ALL: &str = "[record]\nfile = \"requests.ndjson\"\nsample = 1\nmax_per_second = 10000\n";
const RECORDED: &str = "greenlight_recorded_requests_total";

fn dropped(why: &str) -> String {
    format!("greenlight_record_dropped_total{{reason=\"{why}\"}}")
}

fn lines(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("requests.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn nothing_is_recorded_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let edge = Edge::start(&config(folder.path(), origin(echo), ""));
    assert_eq!(get(edge.http, "/", &[]).0, 200);
    edge.settles_at("greenlight_responses_total{class=\"2xx\",source=\"upstream\"}", 1);
    assert_eq!(edge.metric(RECORDED), 0);
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut files: Vec<_> = files.collect();
    files.sort();
    assert_eq!(files, ["greenlight.toml", "state"]);
}

/// What is recorded has no secret of a request in it, ends with the process, and can be replayed as it is.
#[test]
fn a_recording_keeps_secrets_out_and_can_be_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let edge = Edge::start(&config(folder.path(), origin(echo), ALL));
    let requests: [(&str, &[(&str, &str)]); 3] = [
        ("/reset/hunter2@example.com?token=hunter2", &[("cookie", "sid=hunter2")]),
        ("/a", &[("authorization", "Bearer hunter2"), ("user-agent", "evil/1")]),
        (
            "/b",
            &[
                ("x-api-key", "hunter2"),
                ("referer", "https://hunter2.example/"),
                ("x-bot-score", "99"),
            ],
        ),
    ];
    for (path, headers) in requests {
        assert_eq!(get(edge.http, path, headers).0, 200);
    }
    edge.settles_at(RECORDED, 3);
    assert_eq!(edge.status()["proxy"]["recording"]["recorded"], 3);
    edge.signal("TERM");
    assert_eq!(edge.end(), 0);

    let file = folder.path().join("requests.ndjson");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("hunter2") && !text.contains("127.0.0.1"), "{text}");
    assert!(!text.contains("x-bot-"), "{text}");
    assert!(text.contains("\"evil/1\"") && text.contains("[\"cookie\",\"\"]"), "{text}");
    let lines = lines(folder.path());
    assert!(lines.iter().all(|line| line["client"] == "127.0.0.0" && line["status"] == 200));
    assert_eq!(lines[0]["path"], "/reset/xxxxxx0_xxxxxxx_xxx");

    let feature = Feature::UserAgentContains("evil/".to_owned());
    let rows = vec![DraftRow::of(Key::from_text("ua.evil", 0).unwrap(), &feature, 9000)];
    let draft = Draft { intercept: -2000, engine: 1, created_at: 1, label: String::new(), rows };
    let artifact = folder.path().join("a.glff");
    std::fs::write(&artifact, draft.encode(&[Schema::ENGINE_1]).unwrap().bytes()).unwrap();
    let mut score = greenlight();
    score.arg("score").arg("--artifact").arg(&artifact).arg("--requests").arg(&file);
    let output = score.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    assert!(stdout.contains("block    ua.evil+9000\n"), "{stdout}");
    assert!(stdout.contains(" 3 requests scored, 0 lines refused"), "{stdout}");
}

/// What an edge answers by itself is its verdict: in a replay it must not count as the origin's errors do.
#[test]
fn only_answers_of_the_origin_have_their_status_recorded() {
    let folder = tempfile::tempdir().unwrap();
    keep_artifact(folder.path());
    let edge = Edge::start(&config(folder.path(), origin(echo), ALL));
    for (agent, status) in [("evil/1", 403), ("kind/1", 200)] {
        assert_eq!(get(edge.http, "/", &[("user-agent", agent)]).0, status);
    }
    edge.settles_at(RECORDED, 2);
    edge.signal("TERM");
    assert_eq!(edge.end(), 0);
    let recorded = lines(folder.path());
    let status = |agent: &str| {
        let line = recorded.iter().find(|line| line.to_string().contains(agent)).unwrap();
        line["status"].as_u64()
    };
    assert_eq!((status("evil/1"), status("kind/1")), (None, Some(200)));
}

#[test]
fn a_recording_stops_at_its_bound_and_at_its_rate() {
    let folder = tempfile::tempdir().unwrap();
    let keys = ALL.replace("max_per_second = 10000", "max_bytes = 65536");
    let edge = Edge::start(&config(folder.path(), origin(echo), &keys));
    // A second has 100 of these lines, so it takes a few seconds to fill the file.
    let agent = "a".repeat(1000);
    let full = dropped("full");
    edge.wait_for("a full file", |edge| {
        assert_eq!(get(edge.http, "/", &[("user-agent", &agent)]).0, 200);
        edge.metric(&full) > 0
    });
    let size = folder.path().join("requests.ndjson").metadata().unwrap().len();
    assert!((60_000..=65_536).contains(&size), "{size}");
    assert_eq!(u64::try_from(lines(folder.path()).len()).unwrap(), edge.metric(RECORDED));
}

/// A disk that is full, as a limit of file sizes looks like it, costs lines and no request.
#[test]
fn a_full_disk_costs_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), origin(echo), ALL);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 1; exec \"$0\" run --config \"$1\""]);
    command.arg(env!("CARGO_BIN_EXE_greenlight")).arg(&path);
    let edge = Edge::start_by(command);
    for _ in 0..20 {
        assert_eq!(get(edge.http, "/", &[("user-agent", "evil/1")]).0, 200);
    }
    edge.wait_for("every request to be written or counted", |edge| {
        edge.metric(RECORDED) + edge.metric(&dropped("write")) == 20
    });
    assert!(edge.metric(&dropped("write")) > 0);
    // The line that was cut has been taken back.
    assert_eq!(u64::try_from(lines(folder.path()).len()).unwrap(), edge.metric(RECORDED));
}

#[test]
fn a_file_that_another_edge_records_to_is_left_alone() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Edge::start(&config(one.path(), origin(echo), ALL));
    let shared = format!("file = {:?}", one.path().join("requests.ndjson"));
    let keys = ALL.replace("file = \"requests.ndjson\"", &shared);
    let second = Edge::start(&config(two.path(), origin(echo), &keys));
    assert!(second.log().contains("record-locked"), "{}", second.log());
    assert_eq!(get(second.http, "/", &[]).0, 200);
    second.settles_at(&dropped("write"), 1);
    assert_eq!(get(first.http, "/", &[]).0, 200);
    first.settles_at(RECORDED, 1);
    assert_eq!(lines(one.path()).len(), 1);
}

//! Learning a feature file from requests.

use std::fs;

use crate::support::run;
use serde_json::{Value, json};
use tempfile::TempDir;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(TempDir::new().unwrap());
        files.write("train.ndjson", &requests(0));
        files.write("held.ndjson", &requests(1_000));
        files.write("candidates.json", &candidates().to_string());
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().into()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    fn train(&self, more: &[&str]) -> crate::support::Ended {
        let paths =
            ["train.ndjson", "held.ndjson", "candidates.json", "m.glff", "m.json", "report"];
        let [requests, held, candidates, out, source, report] = paths.map(|name| self.path(name));
        let mut arguments = vec![
            "train",
            "--requests",
            &requests,
            "--candidates",
            &candidates,
            "--out",
            &out,
            "--source-out",
            &source,
            "--report",
            &report,
        ];
        if !more.contains(&"--holdout-share") {
            arguments.extend(["--holdout", held.as_str()]);
        }
        arguments.extend(more);
        run(&arguments)
    }
}

fn request(agent: &str, language: bool, label: &str) -> String {
    let mut headers = vec![json!(["User-Agent", agent])];
    if language {
        headers.push(json!(["Accept-Language", "en"]));
    }
    let request = json!({
        "method": "GET", "path": "/", "version": "1.1", "headers": headers, "label": label,
        "source": format!("{label}s"),
    });
    format!("{request}\n")
}

fn requests(from: usize) -> String {
    let of = |at: usize| {
        let tool = ["curl", "wget"][at % 2];
        request(&format!("{tool}/{at}"), at.is_multiple_of(5), "bot")
            + &request(&format!("Mozilla/5.0 Firefox/{at}"), true, "human")
    };
    (from..from + 100).map(of).collect()
}

fn candidates() -> Value {
    json!({
        "label": "learnt", "intercept": 0, "created_at": 1_763_700_000,
        "rows": [
            { "key": "ua.curl", "kind": "ua-contains", "arg": "curl/", "weight": 1 },
            { "key": "ua.wget", "kind": "ua-contains", "arg": "wget/", "weight": 1 },
            { "key": "ua.firefox", "kind": "ua-contains", "arg": "firefox/", "weight": 0 },
            { "key": "no.language", "kind": "header-absent", "arg": "accept-language", "weight": -1 },
        ],
    })
}

#[test]
fn requests_become_an_artifact_and_a_report() {
    let files = Files::new();
    let trained = files.train(&[]).succeeded();
    assert_eq!(trained["rows"], 3, "the row whose sign is forbidden is not there: {trained}");
    assert_eq!(trained["label"], "learnt");
    let at_30 = &trained["holdout"]["thresholds"][29];
    assert_eq!((&at_30["recall"], &at_30["false_positive_rate"]), (&json!(1.0), &json!(0.0)));
    // What was written is what the source builds to.
    run(&["build", &files.path("m.json"), "--out", &files.path("m.glff"), "--check"]).succeeded();
    let report: Value =
        serde_json::from_str(&fs::read_to_string(files.path("report/report.json")).unwrap())
            .unwrap();
    assert_eq!(report["artifact"]["digest"], trained["digest"]);
    assert_eq!(report["rows"].as_array().unwrap().len(), 3);
    for (name, begins) in
        [("report.md", "# learnt"), ("roc.svg", "<svg "), ("calibration.svg", "<svg ")]
    {
        let text = fs::read_to_string(files.path(&format!("report/{name}"))).unwrap();
        assert!(text.starts_with(begins), "{name}: {text}");
    }
}

#[test]
fn without_candidates_they_are_mined_from_the_requests() {
    let files = Files::new();
    let paths = ["train.ndjson", "held.ndjson", "mined.glff", "mined.json"];
    let [requests, held, out, source] = paths.map(|name| files.path(name));
    let train = |more: &[&str]| {
        let arguments = [
            "train",
            "--requests",
            &requests,
            "--holdout",
            &held,
            "--out",
            &out,
            "--source-out",
            &source,
        ];
        run(&[&arguments[..], more].concat())
    };
    let trained = train(&["--mine", "20"]).succeeded();
    let at_30 = &trained["holdout"]["thresholds"][29];
    assert_eq!((&at_30["recall"], &at_30["false_positive_rate"]), (&json!(1.0), &json!(0.0)));
    train(&["--mine", "20", "--check"]).succeeded();
    let text = fs::read_to_string(&source).unwrap();
    assert!(text.contains("\"ua.curl\"") && text.contains("\"ua.wget\""), "{text}");
    files.write("train.ndjson", &(request("a/1", true, "bot") + &request("a/1", true, "human")));
    train(&[]).failed(2, "nothing-mined");
}

#[test]
fn check_compares_every_file_and_writes_none() {
    let files = Files::new();
    files.train(&["--check"]).failed(2, "io");
    files.train(&[]).succeeded();
    assert_eq!(files.train(&["--check"]).succeeded()["written"], false, "twice the same bytes");
    files.write("report/roc.svg", "<svg/>");
    files.train(&["--check"]).failed(1, "differs");
    assert_eq!(fs::read_to_string(files.path("report/roc.svg")).unwrap(), "<svg/>");
}

#[test]
fn fixed_rows_are_taken_as_they_are() {
    let files = Files::new();
    files.write(
        "fixed.json",
        &json!({ "intercept": 0, "created_at": 0, "rows": [
            { "key": "ua.mine", "kind": "ua-contains", "arg": "curl/", "weight": 777 },
        ]})
        .to_string(),
    );
    let fixed = files.path("fixed.json");
    files.train(&["--fixed", &fixed, "--rows", "2"]).succeeded();
    let source: Value =
        serde_json::from_str(&fs::read_to_string(files.path("m.json")).unwrap()).unwrap();
    let rows = source["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().any(|row| row["key"] == "ua.mine" && row["weight"] == 777), "{source}");
    assert!(
        rows.iter().all(|row| row["key"] != "ua.curl"),
        "the same feature is not learnt: {source}"
    );
    files.train(&["--fixed", &fixed, "--rows", "1"]).failed(2, "no-room");
}

#[test]
fn what_cannot_be_learnt_from_is_named() {
    let files = Files::new();
    let good = requests(0);
    let unlabelled = "{\"method\":\"GET\",\"path\":\"/\",\"version\":\"1.1\",\"headers\":[]}";
    for (content, reason, says) in [
        (format!("{good}{{\n"), "json", "line 201"),
        (format!("{good}\n{unlabelled}\n"), "no-label", "line 202"),
        (request("curl/8", false, "bot"), "one-class", "none of a human"),
        (String::new(), "one-class", "none of a bot"),
    ] {
        files.write("train.ndjson", &content);
        let error = files.train(&[]).failed(2, reason);
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
    files.write("train.ndjson", &good);
    files.write("held.ndjson", "");
    files.train(&[]).failed(2, "one-class");
    files.train(&["--holdout-share", "0.00001"]).failed(2, "holdout-empty");
    files.train(&["--holdout-share", "1"]).failed(2, "number");
    files.train(&["--holdout-share", "0.3"]).succeeded();
    files.train(&["--holdout-share", "0.3", "--ridge", "0"]).failed(2, "number");
    let silent = json!({ "intercept": 0, "created_at": 0, "rows": [
        { "key": "ua.lynx", "kind": "ua-contains", "arg": "lynx/", "weight": 0 },
    ]});
    files.write("candidates.json", &silent.to_string());
    files.train(&["--holdout-share", "0.3"]).failed(2, "nothing-fires");
}

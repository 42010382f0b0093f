use std::io::Cursor;
use std::path::PathBuf;

use greenlight_artifact::{Cidr, Draft, DraftRow, Feature, HeaderTest, Key, Schema};
use greenlight_bot::CompiledModel;

use super::{Args, Judge, Run, ScoreError};

/// A known bot, a hint of one, a hint of a browser, a network, and a rate that no recorded request has.
pub(super) fn rows() -> Vec<DraftRow> {
    let absent = Feature::Header { name: "accept-language".to_owned(), test: HeaderTest::Absent };
    let network = Cidr { address: "203.0.113.0".parse().unwrap(), prefix: 24 };
    vec![
        row("ua.curl", Feature::UserAgentContains("curl/".to_owned()), 4000),
        row("language.none", absent, 1500),
        row("ua.firefox", Feature::UserAgentContains("firefox/".to_owned()), -2500),
        row("net.lab", Feature::Client(network), 3000),
        row("rate.any", Feature::RequestRate(1), 9000),
    ]
}

pub(super) fn row(key: &str, feature: Feature, weight: i16) -> DraftRow {
    DraftRow::of(Key::from_text(key, 0).unwrap(), &feature, weight)
}

pub(super) fn model(rows: &[DraftRow], intercept: i32) -> CompiledModel {
    let draft = Draft {
        intercept,
        engine: 1,
        created_at: 1_763_700_000,
        label: "test".to_owned(),
        rows: rows.to_vec(),
    };
    CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).unwrap()).unwrap()
}

pub(super) fn args(json: bool) -> Args {
    Args {
        artifact: PathBuf::new(),
        against: None,
        requests: PathBuf::from("requests.ndjson"),
        bot_below: 30,
        json,
    }
}

fn run(input: &str, json: bool) -> (String, Result<(), ScoreError>) {
    let mut output = Vec::new();
    let judge = Judge::new(model(&rows(), -1000), 30);
    let result = Run::new(&args(json), judge, &mut output).all(Cursor::new(input));
    (String::from_utf8(output).unwrap(), result)
}

pub(super) const REQUESTS: &str = r#"
{"method":"GET","path":"/a?b=c","version":"1.1","client":"192.0.2.1","headers":[["User-Agent","curl/8.5.0"]],"label":"bot","source":"tools"}
{"method":"GET","path":"/","version":"2","client":"192.0.2.2","headers":[["User-Agent","Mozilla/5.0 Firefox/144.0"],["Accept-Language","de"]],"label":"human","source":"browsers"}
{"method":"GET","path":"/","version":"2","client":"203.0.113.9","headers":[["User-Agent","Mozilla/5.0 Firefox/144.0"]],"label":"human","source":"browsers"}

{"method":"POST","path":"/","version":"1.0","headers":[["User-Agent","Mozilla/5.0"],["Accept-Language","en"]],"label":"bot"}
{"method":"GET","path":"/","version":"3","client":"2001:db8::1","headers":[["User-Agent","Firefox/1"],["User-Agent","x"],["Accept-Language","en"]]}"#;

#[test]
fn answers_are_one_line_a_request() {
    let (output, result) = run(REQUESTS, false);
    result.unwrap();
    let digest = model(&rows(), -1000).digest();
    let expected = format!(
        " 2 block    ua.curl+4000 language.none+1500
96 allow    ua.firefox-2500
27 block    net.lab+3000 ua.firefox-2500 language.none+1500
73 allow
96 allow    ua.firefox-2500
# artifact {digest} (5 rows), 5 requests scored, 0 lines refused
#        1 of 2      called bots  browsers
#        1 of 1      called bots  tools
# bots      precision 50.00%, recall 50.00% (1 of 2 found) at score < 30
# browsers  false-positive rate 50.00% (1 of 2)
"
    );
    assert_eq!(output, expected);
}

#[test]
fn json_answers_end_with_the_summary() {
    let (output, result) = run(REQUESTS, true);
    result.unwrap();
    let lines: Vec<serde_json::Value> =
        output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(
        lines[0],
        serde_json::json!({ "score": 2, "verdict": "block", "reasons": [
            { "key": "ua.curl", "weight": 4000 }, { "key": "language.none", "weight": 1500 },
        ]})
    );
    let summary = &lines[5]["summary"];
    for (name, value) in [("precision", 0.5), ("recall", 0.5), ("false_positive_rate", 0.5)] {
        assert_eq!(summary[name], value);
    }
    for (name, count) in [
        ("requests", 5),
        ("labelled", 4),
        ("true_positive", 1),
        ("false_positive", 1),
        ("true_negative", 1),
    ] {
        assert_eq!(summary[name], count, "{name}");
    }
    assert_eq!(summary["by_source"]["browsers"]["false_positive"], 1);
}

#[test]
fn a_bad_line_is_named_and_the_others_are_scored() {
    let input = format!(
        "{}\n{{\"method\":\"GET\"}}\n{}",
        REQUESTS.trim(),
        REQUESTS.trim().lines().next().unwrap()
    );
    let (output, result) = run(&input, true);
    assert!(matches!(result, Err(ScoreError::Lines { refused: 1 })));
    let refused: Vec<&str> = output.lines().filter(|line| line.contains("\"error\"")).collect();
    let expected =
        "{\"line\":7,\"error\":\"json\",\"message\":\"column 16: missing field `path`\"}";
    assert_eq!(refused, [expected]);
    assert!(output.contains("\"requests\":6,\"refused_lines\":1"), "{output}");
}

#[test]
fn without_labels_there_are_no_rates() {
    let (output, result) = run(REQUESTS.lines().last().unwrap(), true);
    result.unwrap();
    assert!(
        output.contains("\"precision\":null,\"recall\":null,\"false_positive_rate\":null"),
        "{output}"
    );
}

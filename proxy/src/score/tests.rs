use std::io::Cursor;
use std::path::PathBuf;

use greenlight_artifact::{Cidr, Draft, DraftRow, Feature, HeaderTest, Key, Schema, ValidArtifact};

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

pub(super) fn model(rows: &[DraftRow], intercept: i32) -> ValidArtifact {
    let draft = Draft {
        intercept,
        engine: 1,
        created_at: 1_763_700_000,
        label: "test".to_owned(),
        rows: rows.to_vec(),
    };
    draft.encode(&[Schema::ENGINE_1]).unwrap()
}

pub(super) fn args(json: bool) -> Args {
    Args {
        artifact: PathBuf::new(),
        against: None,
        requests: PathBuf::from("requests.ndjson"),
        bot_below: 30,
        json,
        explain: false,
    }
}

fn run(input: &str, json: bool) -> (String, Result<(), ScoreError>) {
    let mut output = Vec::new();
    let judge = Judge::new(&model(&rows(), -1000), 30).unwrap();
    let result = Run::new(&args(json), judge).all(Cursor::new(input), &mut output);
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
# score < 30 is a bot      recall: bots found                   false positives: people called bots  precision
# browsers                 –                                    50.00% (1 of 2)                      0.00%
# tools                    100.00% (1 of 1, above 5.00%)        –                                    100.00%
# all                      50.00% (1 of 2)                      50.00% (1 of 2)                      50.00%
# above and below: with 95% confidence, where none was seen
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
    let browsers = &summary["by_source"]["browsers"];
    assert_eq!(
        (&browsers["false_positive"], &browsers["false_positive_rate"]),
        (&1.into(), &0.5.into())
    );
    assert_eq!(browsers["recall"], serde_json::Value::Null);
    let above = summary["by_source"]["tools"]["recall_above"].as_f64().unwrap();
    assert!((above - 0.05).abs() < 1e-9, "{above}");
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

/// Nothing seen in 3 000 cases: below 0.1 % by the rule of three.
#[test]
fn what_was_never_seen_has_a_bound() {
    let human = REQUESTS.lines().nth(2).unwrap();
    let (output, _) = run(&format!("{human}\n").repeat(3000), true);
    let summary: serde_json::Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    let below = summary["summary"]["false_positive_rate_below"].as_f64().unwrap();
    assert!((0.000_99..0.001).contains(&below), "{below}");
}

#[test]
fn rates_are_as_recorded_and_time_does_not_go_back() {
    let at = |at: &str| {
        format!(
            r#"{{"method":"GET","path":"/","version":"2","client":"192.0.2.7","headers":[["accept-language","de"]],"at":{at}}}"#
        )
    };
    let line = |output: &str, index: usize| output.lines().nth(index).unwrap().to_owned();
    let (output, result) =
        run(&[at("1000"), at("1000.25"), at("1030.5"), at("1030"), at("1031")].join("\n"), false);
    assert!(matches!(result, Err(ScoreError::Lines { refused: 1 })));
    assert_eq!(line(&output, 0), "73 allow");
    assert!(line(&output, 1).ends_with("rate.any+9000"), "{output}");
    assert_eq!(line(&output, 2), "73 allow");
    let refused = " - refused  line 4: at: expected no time before that of an earlier line, 1030.5 s, found 1030 s";
    assert_eq!(line(&output, 3), refused);
    let untimed = at("0").replace(",\"at\":0", "");
    let (untimed, _) = run(&format!("{untimed}\n{untimed}"), false);
    assert!(!untimed.contains("rate.any"), "{untimed}");
}

#[test]
fn an_explanation_is_the_sum_behind_the_score() {
    let explain = |json| {
        let args = Args { explain: true, ..args(json) };
        let mut output = Vec::new();
        let judge = Judge::new(&model(&rows(), -1000), 30).unwrap();
        Run::new(&args, judge).all(Cursor::new(REQUESTS), &mut output).unwrap();
        String::from_utf8(output).unwrap()
    };
    let text = explain(false);
    let expected = "\
line 2: score 2 block, logit +4500 milli
   +4000  ua.curl        ua-contains curl/
   +1500  language.none  header-absent accept-language
   -1000  intercept
line 3: score 96 allow, logit -3500 milli
   -2500  ua.firefox  ua-contains firefox/
   -1000  intercept
";
    assert!(text.starts_with(expected), "{text}");
    for answer in explain(true).lines().take(5) {
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        let reasons = answer["reasons"].as_array().unwrap();
        let weights: i64 = reasons.iter().map(|reason| reason["weight"].as_i64().unwrap()).sum();
        let sum = weights + answer["intercept"].as_i64().unwrap();
        assert_eq!(answer["logit_milli"], sum, "{answer}");
    }
}

/// A file may hold what a terminal obeys: in the name of a source, and in a line that is quoted for what is wrong with it.
#[test]
fn nothing_in_a_file_reaches_the_terminal_as_a_control_character() {
    let source = r#"{"method":"GET","path":"/","version":"2","headers":[],"label":"bot","source":"\u001b[31m\u009b\u202e"}"#;
    let key = r#"{"\u001b]0;owned\u0007\u009b":1}"#;
    for json in [false, true] {
        let (output, _) = run(&format!("{source}\n{key}"), json);
        let bad = |char: char| char.is_control() && char != '\n' || char == '\u{202e}';
        assert!(!output.contains(bad), "{output:?}");
        assert!(output.contains("owned"));
    }
}

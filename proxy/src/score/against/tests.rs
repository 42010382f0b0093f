use std::io::Cursor;

use greenlight_artifact::{DraftRow, Feature};

use super::super::tests::{REQUESTS, args, model, row, rows};
use super::{Comparison, Judge, ScoreError};

/// The rows that run now, less the one for a network, with less weight on a missing language, and with one for HTTP/1.0.
fn others() -> Vec<DraftRow> {
    let mut others = rows();
    others.truncate(3);
    let absent = others.remove(1);
    others.push(DraftRow { weight: 500, ..absent });
    others.push(row("version.old", Feature::HttpVersion(10), 4500));
    others
}

fn compare(input: &str, json: bool) -> (String, Result<(), ScoreError>) {
    let before = Judge::new(&model(&rows(), -1000), 30).unwrap();
    let after = Judge::new(&model(&others(), -1500), 30).unwrap();
    let mut output = Vec::new();
    let result = Comparison::new(&args(json), before, after).all(Cursor::new(input), &mut output);
    (String::from_utf8(output).unwrap(), result)
}

#[test]
fn who_changes_verdict_is_named_with_the_rows_that_do_it() {
    let (output, result) = compare(REQUESTS, false);
    result.unwrap();
    let (answers, closing): (Vec<&str>, Vec<&str>) =
        output.lines().partition(|line| !line.starts_with('#'));
    assert_eq!(
        answers,
        [
            "line 4 (human): 27 block → 96 allow  gone:net.lab+3000 language.none+1500→+500 intercept-1000→-1500",
            "line 6 (bot): 73 allow → 6 block  new:version.old+4500 intercept-1000→-1500",
        ]
    );
    assert_eq!(
        closing[0],
        "# of 5 requests 2 change verdict: 1 newly blocked, 1 no longer; scores move by 28.4 on average, 69 at most"
    );
    let sides: Vec<&&str> = closing.iter().filter(|line| line.starts_with("# all ")).collect();
    assert_eq!(
        closing.iter().filter(|line| **line == "# before" || **line == "# after").count(),
        2
    );
    assert!(sides[0].contains(" 50.00% (1 of 2)  "), "{sides:?}");
    assert!(sides[1].contains(" 100.00% (2 of 2, above 22.36%) "), "{sides:?}");
    assert!(sides[1].contains(" 0.00% (0 of 2, below 77.64%) "), "{sides:?}");
}

#[test]
fn json_names_the_same_and_a_bad_line_is_refused() {
    let (output, result) = compare(&format!("{REQUESTS}\nx"), true);
    assert!(matches!(result, Err(ScoreError::Lines { refused: 1 })));
    let lines: Vec<serde_json::Value> =
        output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[0],
        serde_json::json!({
            "line": 4, "label": "human", "source": "browsers",
            "before": { "score": 27, "verdict": "block" },
            "after": { "score": 96, "verdict": "allow" },
            "why": [
                { "key": "net.lab", "before": 3000, "after": null },
                { "key": "language.none", "before": 1500, "after": 500 },
                { "key": "intercept", "before": -1000, "after": -1500 },
            ],
        })
    );
    assert_eq!(lines[1]["why"][0]["before"], serde_json::Value::Null);
    assert_eq!(lines[2]["error"], "json");
    let totals = &lines[3]["comparison"];
    assert_eq!((&totals["newly_blocked"], &totals["no_longer_blocked"]), (&1.into(), &1.into()));
    assert_eq!(totals["after"]["refused_lines"], 1);
}

#[test]
fn an_artifact_against_itself_changes_nothing() {
    let judge = || Judge::new(&model(&rows(), -1000), 30).unwrap();
    let mut output = Vec::new();
    Comparison::new(&args(true), judge(), judge()).all(Cursor::new(REQUESTS), &mut output).unwrap();
    let output = String::from_utf8(output).unwrap();
    assert_eq!(output.lines().count(), 1, "{output}");
    let closing: serde_json::Value = serde_json::from_str(&output).unwrap();
    let totals = &closing["comparison"];
    assert_eq!(
        (&totals["changed"], &totals["score_moves"]),
        (&0.into(), &serde_json::json!({ "mean": 0.0, "most": 0 }))
    );
    assert_eq!(totals["before"], totals["after"]);
    assert_eq!(totals["after"]["requests"], 5);
}

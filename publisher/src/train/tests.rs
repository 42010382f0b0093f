use greenlight_artifact::{Draft, DraftRow, Feature, HeaderTest, Key};
use greenlight_bot::recorded::RecordedRequest;

use super::{
    TrainError, candidates,
    evaluation::{Evaluation, upper_bound_of_none},
    examples::{self, Example},
    fit::{Column, Problem},
    milli, mine,
};

fn column(fired: impl IntoIterator<Item = usize>, sign: i16, cost: u32) -> Column {
    Column { fired: fired.into_iter().collect(), sign, cost }
}

fn problem<'a>(columns: &'a [Column], bots: &'a [bool], rows: usize, budget: u32) -> Problem<'a> {
    Problem { columns, bots, ridge: 0.1, rows, budget }
}

/// 40 bots, then 60 humans.
fn bots() -> Vec<bool> {
    (0..100).map(|at| at < 40).collect()
}

#[test]
fn a_separable_toy_is_learnt() {
    let columns = [column(0..40, 0, 1), column(40..100, 0, 1), column((0..100).step_by(2), 0, 1)];
    let fitted = problem(&columns, &bots(), 200, 1_000).select().unwrap();
    let weight = |at: usize| fitted.weights.iter().find(|(column, _)| *column == at).unwrap().1;
    assert!(weight(0) > 1.5 && weight(1) < -1.5, "{fitted:?}");
    assert!(weight(2).abs() < 0.01, "what says nothing weighs nothing: {fitted:?}");
}

#[test]
fn the_fit_is_where_the_gradient_vanishes() {
    // One row that fires on 30 of 40 bots and 10 of 60 humans: with gradient g of the loss in its weight, g = 0.
    let columns = [column((0..30).chain(40..50), 0, 1)];
    let fitted = problem(&columns, &bots(), 200, 1_000).select().unwrap();
    let ((_, weight), intercept) = (fitted.weights[0], fitted.intercept);
    let chance = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    let (fires, silent) = (chance(intercept + weight), chance(intercept));
    assert!((40.0 * fires - 30.0 + 0.1 * weight).abs() < 1e-3, "{fitted:?}");
    assert!((40.0 * fires + 60.0 * silent - 40.0).abs() < 1e-3, "{fitted:?}");
}

#[test]
fn a_row_has_no_sign_that_it_must_not_have() {
    let columns = [column(0..30, -1, 1), column(50..100, 1, 1), column(5..40, 1, 1)];
    let fitted = problem(&columns, &bots(), 200, 1_000).select().unwrap();
    assert_eq!(fitted.weights.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [2]);
    let none = problem(&columns[..2], &bots(), 200, 1_000).select();
    assert_eq!(none.unwrap_err(), TrainError::NothingLearnt);
}

#[test]
fn the_rows_that_matter_least_go_first() {
    let columns: Vec<Column> = (0..20).map(|at| column(0..=at, 0, 1)).collect();
    let strong = column(0..40, 0, 1);
    let all: Vec<Column> = columns.into_iter().chain([strong]).collect();
    let fitted = problem(&all, &bots(), 3, 1_000).select().unwrap();
    assert_eq!(fitted.weights.len(), 3);
    assert!(fitted.weights.iter().any(|(at, _)| *at == 20), "{fitted:?}");
}

#[test]
fn the_cost_stays_within_the_budget() {
    let columns = [column(0..20, 1, 8), column(20..40, 1, 2), column(2..22, 1, 8)];
    let fitted = problem(&columns, &bots(), 200, 10).select().unwrap();
    let cost: u32 = fitted.weights.iter().map(|(at, _)| columns[*at].cost).sum();
    assert!(cost <= 10, "{fitted:?}");
    assert!(fitted.weights.iter().any(|(at, _)| *at == 1), "the cheap one stays: {fitted:?}");
}

#[test]
fn the_same_problem_has_the_same_answer() {
    let columns: Vec<Column> = (2..60).map(|step| column((0..100).step_by(step), 0, 4)).collect();
    let solve = || problem(&columns, &bots(), 20, 1_000).select().unwrap();
    let (one, other) = (solve(), solve());
    assert_eq!(one.weights, other.weights);
    assert!(one.weights.len() <= 20);
}

#[test]
fn weights_are_rounded_to_a_step() {
    assert_eq!([milli(1.234, 10), milli(-0.004, 10), milli(-1.236, 10)], [1230.0, 0.0, -1240.0]);
}

fn example(agent: &str, bot: bool) -> Example {
    let line = format!(
        r#"{{"method":"GET","path":"/","version":"1.1","headers":[["user-agent","{agent}"]],"source":"{}"}}"#,
        if bot { "tools" } else { "browsers" }
    );
    Example { request: RecordedRequest::parse(line.as_bytes()).unwrap(), bot }
}

fn agent_row(key: &str, text: &str, weight: i16) -> DraftRow {
    let key = Key::from_text(key, 0).unwrap();
    DraftRow::of(key, &Feature::UserAgentContains(text.into()), weight)
}

#[test]
fn candidates_are_evaluated_by_the_engine_in_tables_of_200() {
    let examples = [example("curl/8", true), example("Firefox/1", false), example("Curl", true)];
    let mut rows: Vec<DraftRow> =
        (0..450).rev().map(|at| agent_row(&format!("ua.{at}"), &format!("word{at}"), 1)).collect();
    rows[3] = agent_row("ua.curl", "curl", 1);
    rows[401] = agent_row("zz.firefox", "firefox", -1);
    // Fires where the first one does.
    rows[402] = agent_row("zz.curl", "url", 1);
    let columns = candidates::columns(&rows, &examples).unwrap();
    let firing: Vec<(usize, &[usize])> = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| !column.fired.is_empty())
        .map(|(at, column)| (at, column.fired.as_slice()))
        .collect();
    assert_eq!(firing, [(3, &[0, 2][..]), (401, &[1][..])]);
    let silent = candidates::columns(&rows[4..400], &examples).unwrap_err();
    assert_eq!(silent, TrainError::NothingFires { candidates: 396 });
}

#[test]
fn one_user_agent_is_on_one_side_of_the_split() {
    let examples: Vec<Example> =
        (0..2_000).map(|at| example(&format!("a/{}", at % 500), true)).collect();
    let (training, holdout) = examples::split(examples, 0.2);
    assert_eq!(examples::agents(training.iter()) + examples::agents(holdout.iter()), 500);
    let share = holdout.len() as f64 / 2_000.0;
    assert!((0.14..0.26).contains(&share), "{share}");
}

#[test]
fn figures_are_those_of_the_served_model() {
    let absent = Feature::Header { name: "accept".into(), test: HeaderTest::Absent };
    let rows = vec![
        agent_row("ua.bot", "bot", 3_000),
        agent_row("ua.browser", "browser", -3_000),
        DraftRow::of(Key::from_text("no.accept", 0).unwrap(), &absent, 0),
    ];
    let draft = Draft { intercept: 0, engine: 1, created_at: 1, label: String::new(), rows };
    let model = candidates::compile(&draft).unwrap();
    let examples = [
        example("bot one", true),
        example("bot two", true),
        example("browser-like", true),
        example("browser", false),
        example("something", false),
    ];
    let evaluation = Evaluation::of(&model, &examples, 30);
    let rates = evaluation.at(30).unwrap();
    assert_eq!((rates.true_positive, rates.false_positive), (2, 0));
    assert_eq!((rates.precision, rates.recall), (Some(1.0), 0.666_667));
    // Of six pairs the bots win four and tie in one.
    assert!((evaluation.roc_auc - 0.75).abs() < 1e-6, "{}", evaluation.roc_auc);
    let at_99 = evaluation.at(99).unwrap();
    assert_eq!((at_99.recall, at_99.false_positive_rate), (1.0, 1.0));
    let sources: Vec<(&str, usize, usize, Option<f64>)> = evaluation
        .sources
        .iter()
        .map(|of| (of.source.as_str(), of.requests, of.called_bot, of.upper_bound))
        .collect();
    assert_eq!(sources, [("browsers", 2, 0, Some(0.776_393)), ("tools", 3, 2, None)]);
}

#[test]
fn none_of_n_allows_a_rate_still() {
    // The rule of three: about 3 / n.
    assert!((upper_bound_of_none(300) - 0.009_936).abs() < 1e-6);
    assert!((upper_bound_of_none(0) - 1.0).abs() < 1e-9);
}

/// Bots with a word of their own and without a language, humans with words of their own; a few bots say something else.
fn told_apart() -> Vec<Example> {
    let of = |at: usize| {
        let bot = at.is_multiple_of(2);
        let (agent, language) = match bot {
            true if at < 10 => (format!("Some-Tool/{at} rare"), String::new()),
            true => (format!("Some-Tool/{at}"), String::new()),
            false => (format!("Mozilla/5.0 Lynx/{at}"), r#",["accept-language","en"]"#.into()),
        };
        let line = format!(
            r#"{{"method":"GET","path":"/","version":"1.1","headers":[["host","a"],["user-agent","{agent}"],["accept","*/*"]{language}]}}"#
        );
        Example { request: RecordedRequest::parse(line.as_bytes()).unwrap(), bot }
    };
    (0..100).map(of).collect()
}

#[test]
fn the_key_of_a_mined_row_says_what_it_looks_for_at_either_end_of_the_fields() {
    let of = |at: usize| {
        let bot = at.is_multiple_of(2);
        let (first, last) = if bot { ("accept", "te") } else { ("te", "accept") };
        let line = format!(
            r#"{{"method":"GET","path":"/","version":"1.1","headers":[["{first}","a"],["{last}","a"]]}}"#
        );
        Example { request: RecordedRequest::parse(line.as_bytes()).unwrap(), bot }
    };
    let mined = mine::mine(&(0..100).map(of).collect::<Vec<_>>(), 100).unwrap();
    let keys: Vec<String> = mined.rows.iter().map(|row| row.key.to_string()).collect();
    assert!(!keys.is_empty() && keys.iter().all(|key| key.starts_with("order.")), "{keys:?}");
}

#[test]
fn what_tells_requests_apart_is_mined_and_what_does_not_is_not() {
    let examples = told_apart();
    let mined = mine::mine(&examples, 100).unwrap();
    let rows: Vec<(String, i16)> =
        mined.rows.iter().map(|row| (row.key.to_string(), row.weight)).collect();
    let found = |key: &str| rows.iter().find(|(name, _)| name == key).map(|(_, weight)| *weight);
    assert_eq!(found("ua.some-tool"), Some(1), "{rows:?}");
    // What fires on the same requests is one candidate: of the bots this word, of the humans another, or their language.
    assert_eq!(rows.iter().map(|(_, sign)| *sign).collect::<Vec<_>>(), [-1, 1], "{rows:?}");
    assert_eq!(mined, mine::mine(&examples, 100).unwrap());
    assert_eq!(mine::mine(&examples, 1).unwrap().rows, mined.rows[..1]);
    candidates::compile(&mined).unwrap();

    let alike: Vec<Example> = (0..100).map(|at| example("same/1", at < 50)).collect();
    assert_eq!(mine::mine(&alike, 9).unwrap_err(), TrainError::NothingMined { requests: 100 });
    let few = &examples[..2 * (mine::MIN_REQUESTS - 1)];
    assert!(mine::mine(few, 9).is_err(), "too few to say anything");
}

//! What a run tells: figures as text, JSON and Markdown, and the model's source.

use std::fmt::Write as _;

use greenlight_artifact::{Feature, Row, ValidArtifact};
use serde::Serialize;
use serde_json::json;

use super::{
    Inputs, TrainError, Trained, candidates,
    evaluation::{Evaluation, Rates, ratio, upper_bound_of_none},
    examples::Example,
    fit::Column,
    plot::Plot,
};

/// What one row does to the requests that were learnt from.
#[derive(Debug, Serialize)]
pub(super) struct Contribution {
    key: String,
    kind: &'static str,
    arg: String,
    weight: i16,
    /// The part of the bots on whose requests it fires.
    bots: f64,
    /// The same of humans.
    humans: f64,
    /// What it adds to a bot's logit more than to a human's, on average, in milli-logits.
    separation: f64,
}

/// The contributions of all rows, the strongest first.
pub(super) fn contributions(
    artifact: &ValidArtifact,
    inputs: &Inputs,
    columns: &[Column],
) -> Result<Vec<Contribution>, TrainError> {
    let fixed = candidates::columns_of_any(&inputs.fixed, &inputs.training)?;
    let known = inputs.candidates.rows.iter().chain(&inputs.fixed);
    let rows: Vec<(&Row, &Column)> = known.zip(columns.iter().chain(&fixed)).collect();
    let all = |bot| inputs.training.iter().filter(|example| example.bot == bot).count();
    let (bots, humans) = (all(true), all(false));
    let mut contributions: Vec<Contribution> = artifact
        .rows()
        .filter_map(|row| {
            let (_, column) = rows.iter().find(|(known, _)| known.key == row.key)?;
            let feature = Feature::of_row(&row)?;
            let fired = column.fired.iter().filter_map(|at| inputs.training.get(*at));
            let of_bots = fired.clone().filter(|example: &&Example| example.bot).count();
            let of_humans = fired.count().saturating_sub(of_bots);
            let (bots, humans) = (ratio(of_bots, bots), ratio(of_humans, humans));
            Some(Contribution {
                key: row.key.to_string(),
                kind: feature.kind_name(),
                arg: feature.argument_text(),
                weight: row.weight,
                bots,
                humans,
                separation: (f64::from(row.weight) * (bots - humans) * 10.0).round() / 10.0,
            })
        })
        .collect();
    contributions.sort_by(|one, other| {
        other
            .separation
            .abs()
            .total_cmp(&one.separation.abs())
            .then_with(|| one.key.cmp(&other.key))
    });
    Ok(contributions)
}

/// The files of a report, by name.
pub(super) fn files(trained: &Trained, rows: &[Contribution]) -> [(&'static str, String); 4] {
    let evaluation = &trained.evaluation;
    let json = json!({
        "artifact": trained.summary,
        "learnt_from": trained.requests,
        "candidates": trained.candidates,
        "bot_below": trained.bot_below,
        "holdout": evaluation,
        "rows": rows,
    });
    let calibration: Vec<(f64, f64)> =
        evaluation.calibration.iter().map(|bin| (bin.predicted, bin.observed)).collect();
    let roc = Plot {
        title: &format!("ROC, area {:.4}", evaluation.roc_auc),
        x: "false-positive rate",
        y: "recall",
        points: &evaluation.roc,
        marks: false,
    };
    let calibration = Plot {
        title: "Calibration, by tenths of what the model says",
        x: "chance of a bot, as the model says",
        y: "part that are bots",
        points: &calibration,
        marks: true,
    };
    [
        ("report.json", format!("{json:#}\n")),
        ("report.md", markdown(trained, rows)),
        ("roc.svg", roc.svg()),
        ("calibration.svg", calibration.svg()),
    ]
}

fn markdown(trained: &Trained, rows: &[Contribution]) -> String {
    let evaluation = &trained.evaluation;
    let mut text = format!("# {}\n\n```\n{}\n", title(&trained.summary.label), trained.summary);
    let _ = writeln!(text, "{}```", figures(trained));
    text.push_str("\n![ROC](roc.svg) ![Calibration](calibration.svg)\n\n## By threshold\n\n");
    text.push_str("A request is called a bot where its score is below.\n\n");
    text.push_str("| threshold | precision | recall | false-positive rate |\n|--:|--:|--:|--:|\n");
    for rates in evaluation.thresholds.iter().filter(|rates| rates.threshold % 5 == 0) {
        let Rates { threshold, precision, recall, false_positive_rate, .. } = rates;
        let precision = precision.map_or("–".into(), percent);
        let (recall, accused) = (percent(*recall), percent(*false_positive_rate));
        let _ = writeln!(text, "| {threshold} | {precision} | {recall} | {accused} |");
    }
    text.push_str("\n## Rows\n\nParts of the requests that were learnt from on which each fires, and what it adds to a \
                   bot's logit more than to a human's, in milli-logits.\n\n");
    text.push_str("| key | kind | arg | weight | bots | humans | separation |\n|---|---|---|--:|--:|--:|--:|\n");
    for row in rows {
        let Contribution { key, kind, arg, weight, bots, humans, separation } = row;
        let arg =
            if arg.is_empty() { String::new() } else { format!("`{}`", arg.replace('|', "\\|")) };
        let (bots, humans) = (percent(*bots), percent(*humans));
        let _ = writeln!(
            text,
            "| {key} | {kind} | {arg} | {weight:+} | {bots} | {humans} | {separation:.1} |"
        );
    }
    text
}

fn title(label: &str) -> &str {
    if label.is_empty() { "A feature file" } else { label }
}

/// The figures on the held-out requests, as a table of text.
pub(super) fn figures(trained: &Trained) -> String {
    let Evaluation { bots, humans, bot_agents, human_agents, roc_auc, sources, .. } =
        &trained.evaluation;
    let mut text = format!(
        "held out   {bots} requests of bots ({bot_agents} user agents), {humans} of humans ({human_agents}); \
         ROC AUC {roc_auc:.4}\n"
    );
    if let Some(rates) = trained.evaluation.at(trained.bot_below) {
        let precision = rates.precision.map_or("–".into(), percent);
        let (recall, accused) = (percent(rates.recall), percent(rates.false_positive_rate));
        let _ = writeln!(
            text,
            "score < {:<2}  precision {precision}, recall {recall}, false-positive rate {accused}",
            rates.threshold
        );
        if rates.false_positive == 0 {
            let bound = percent(upper_bound_of_none(*human_agents));
            let _ = writeln!(
                text,
                "           none of {human_agents} user agents of humans is called a bot: with 95 % confidence less than \
                 {bound} of such are"
            );
        }
    }
    let width = sources.iter().map(|source| source.source.chars().count()).max().unwrap_or(0);
    for source in sources {
        let _ = writeln!(
            text,
            "  {:<5} {:<width$} {:>6} requests {:>5} agents {:>9} called bots, mean score {:.1}",
            source.label,
            source.source,
            source.requests,
            source.agents,
            percent(source.rate),
            source.mean_score
        );
    }
    text
}

/// The artifact as a JSON source, one row a line.
pub(super) fn source(artifact: &ValidArtifact) -> String {
    let header = artifact.header();
    let row = |row: Row| {
        let feature = Feature::of_row(&row)?;
        let [key, kind, arg] = [row.key.as_str(), feature.kind_name(), &feature.argument_text()]
            .map(|text| json!(text));
        let weight = row.weight;
        Some(format!("    {{\"key\":{key},\"kind\":{kind},\"arg\":{arg},\"weight\":{weight}}}"))
    };
    let rows: Vec<String> = artifact.rows().filter_map(row).collect();
    format!(
        "{{\n  \"label\": {},\n  \"engine\": {},\n  \"intercept\": {},\n  \"created_at\": {},\n  \"rows\": [\n{}\n  ]\n}}\n",
        json!(header.label),
        header.engine,
        header.intercept,
        header.created_at,
        rows.join(",\n")
    )
}

fn percent(ratio: impl Into<f64>) -> String {
    format!("{:.2} %", ratio.into() * 100.0)
}

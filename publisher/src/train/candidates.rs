//! Which examples a candidate row fires on, by the word of the engine that will serve it.

use std::collections::BTreeSet;

use greenlight_artifact::{Draft, DraftRow, MAX_ROWS, Schema};
use greenlight_bot::{ClientActivity, CompiledModel};

use super::{TrainError, examples::Example, fit::Column};

/// One column for each candidate. Two candidates that fire on the same examples say the same: the later is left empty.
pub(super) fn columns(
    candidates: &[DraftRow],
    examples: &[Example],
) -> Result<Vec<Column>, TrainError> {
    let mut columns = columns_of_any(candidates, examples)?;
    let mut seen = BTreeSet::new();
    for column in &mut columns {
        if !seen.insert((column.sign, column.fired.clone())) {
            column.fired.clear();
        }
    }
    if columns.iter().all(|column| column.fired.is_empty()) {
        return Err(TrainError::NothingFires { candidates: candidates.len() });
    }
    Ok(columns)
}

/// One column for each row.
pub(super) fn columns_of_any(
    rows: &[DraftRow],
    examples: &[Example],
) -> Result<Vec<Column>, TrainError> {
    let mut columns = Vec::with_capacity(rows.len());
    for chunk in chunks(rows) {
        let model = compile(&Draft {
            intercept: 0,
            engine: Schema::ENGINE_1.engine,
            created_at: 0,
            label: String::new(),
            rows: chunk.clone(),
        })?;
        // The model counts rows by key.
        let mut by_key: Vec<usize> = (0..chunk.len()).collect();
        by_key.sort_by_key(|at| chunk.get(*at).map(|row| row.key));
        let mut fired = vec![Vec::new(); chunk.len()];
        for (number, example) in examples.iter().enumerate() {
            let scored = model.score(&example.request.view(), &ClientActivity::default());
            for row in scored.fired {
                if let Some(column) = by_key.get(usize::from(row)).and_then(|at| fired.get_mut(*at))
                {
                    column.push(number);
                }
            }
        }
        columns.extend(chunk.iter().zip(fired).map(|(row, fired)| Column {
            fired,
            sign: row.weight.signum(),
            cost: Schema::ENGINE_1.cost(row.kind),
        }));
    }
    Ok(columns)
}

/// What the engine makes of a draft.
pub(super) fn compile(draft: &Draft) -> Result<CompiledModel, TrainError> {
    let artifact = draft.encode(crate::files::SCHEMAS).map_err(|defect| TrainError::Rows {
        problem: defect.to_string(),
        reason: defect.reason(),
    })?;
    CompiledModel::compile(&artifact)
        .map_err(|error| TrainError::Rows { problem: error.to_string(), reason: error.reason() })
}

/// The candidates in tables that each obey the format's limits, in their order.
fn chunks(candidates: &[DraftRow]) -> Vec<Vec<DraftRow>> {
    let mut chunks: Vec<Vec<DraftRow>> = Vec::new();
    let mut cost = 0_u32;
    for row in candidates {
        let more = Schema::ENGINE_1.cost(row.kind);
        cost = cost.saturating_add(more);
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < MAX_ROWS && cost <= Schema::ENGINE_1.budget => {
                chunk.push(*row);
            }
            _ => {
                cost = more;
                chunks.push(vec![*row]);
            }
        }
    }
    chunks
}

//! Candidates out of the requests to learn from, where no file names any.
//!
//! Proposed are words of user agents (letters with `-` and `_` between: versions age), header fields, two neighbours in the
//! order of the header fields, and the kinds without an argument. A field is proposed as there or as not there, whichever
//! is rarer. The engine says on which requests each fires; then, best first, those remain that pass Pearson's χ² test of
//! independence between firing and being a bot. A row may get only the sign of the side on which it fires more often.

use std::collections::{BTreeMap, BTreeSet};

use greenlight_artifact::{
    ARGUMENT_LEN, Draft, DraftRow, FORWARDING_FIELDS, Feature, HeaderTest, Key, Schema,
};
use greenlight_bot::HeaderOrder;

use super::{MAX_CELLS, TrainError, candidates, examples::Example};

/// A row must fire on as many requests, and be silent on as many: fewer say nothing of others.
pub(super) const MIN_REQUESTS: usize = 10;
/// What χ² with one degree of freedom exceeds by chance once in a thousand times.
const MIN_CHI_SQUARE: f64 = 10.828;
/// Proposals that are looked at, the most frequent first.
const MAX_PROPOSALS: usize = 10_000;
/// Shorter words are parts of too many others.
const MIN_WORD: usize = 3;
const WITHOUT_ARGUMENT: [Feature; 7] = [
    Feature::UserAgentEmpty,
    Feature::HintsMissing,
    Feature::HintsContradict,
    Feature::HeaderRepeated,
    Feature::AcceptLanguageMalformed,
    Feature::Http1Fields,
    Feature::ScannerPath,
];

/// At most `most` candidates, the best first. The same requests give the same.
pub(super) fn mine(examples: &[Example], most: usize) -> Result<Draft, TrainError> {
    let rows: Vec<DraftRow> = proposals(examples)
        .iter()
        .enumerate()
        .map(|(number, feature)| Ok(DraftRow::of(key(number)?, feature, 0)))
        .collect::<Result<_, TrainError>>()?;
    let columns = candidates::columns_of_any(&rows, examples)?;
    let (mut ranked, mut seen) = (Vec::new(), BTreeSet::new());
    for (row, column) in rows.iter().zip(&columns) {
        let silent = examples.len().saturating_sub(column.fired.len());
        let (chi_square, sign) = independence(&column.fired, examples);
        if column.fired.len().min(silent) >= MIN_REQUESTS
            && chi_square >= MIN_CHI_SQUARE
            && seen.insert(&column.fired)
        {
            ranked.push((chi_square, DraftRow { weight: sign, ..*row }));
        }
    }
    // Stable: of two that are worth the same, the more frequent one goes first.
    ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    if ranked.is_empty() {
        return Err(TrainError::NothingMined { requests: examples.len() });
    }
    let mut taken = BTreeSet::new();
    let rows = ranked.into_iter().take(most).map(|(_, row)| named(row, &mut taken)).collect();
    Ok(Draft {
        intercept: 0,
        engine: Schema::ENGINE_1.engine,
        created_at: 0,
        label: String::new(),
        rows,
    })
}

/// What may tell the requests apart: the most frequent first.
fn proposals(examples: &[Example]) -> Vec<Feature> {
    let mut counts: BTreeMap<(Of, String), usize> = BTreeMap::new();
    for example in examples {
        for said in said(example) {
            let count = counts.entry(said).or_default();
            *count = count.saturating_add(1);
        }
    }
    let mut counted: Vec<((Of, String), usize)> = counts.into_iter().collect();
    counted.retain(|(_, count)| *count >= MIN_REQUESTS);
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let most = MAX_CELLS.checked_div(examples.len()).unwrap_or(0).min(MAX_PROPOSALS);
    let counted = counted.into_iter().map(|((of, text), count)| match of {
        Of::Word => Feature::UserAgentContains(text),
        Of::Order => Feature::HeaderOrder(text),
        Of::Field => {
            let rare = count <= examples.len() / 2;
            let test = if rare { HeaderTest::Present } else { HeaderTest::Absent };
            Feature::Header { name: text, test }
        }
    });
    WITHOUT_ARGUMENT.into_iter().chain(counted).take(most).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Word,
    Field,
    Order,
}

/// What there is to propose of a request, each once.
fn said(example: &Example) -> BTreeSet<(Of, String)> {
    let agent = String::from_utf8_lossy(example.agent()).to_ascii_lowercase();
    let words = agent
        .split(|char: char| !char.is_ascii_alphabetic() && char != '-' && char != '_')
        .map(|word| word.trim_matches(['-', '_']).to_owned())
        .map(|word| (Of::Word, word));
    let headers = &example.request.headers;
    // Every request has the one, and of the other the words are proposed.
    let fields = headers.keys().map(http::HeaderName::as_str).filter(|name| {
        !FORWARDING_FIELDS.contains(name) && !matches!(*name, "host" | "user-agent")
    });
    let fields = fields
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        .map(|name| (Of::Field, name.to_owned()));
    let order = HeaderOrder::of(headers);
    let pairs = order.as_bytes().windows(2).map(|pair| {
        let pair = pair.iter().copied().map(char::from).collect();
        (Of::Order, pair)
    });
    let fits = |(of, text): &(Of, String)| {
        text.len() <= ARGUMENT_LEN && (*of != Of::Word || text.len() >= MIN_WORD)
    };
    words.chain(fields).chain(pairs).filter(fits).collect()
}

/// χ² of the table of firing by being a bot, and the sign of what ties them.
fn independence(fired: &[usize], examples: &[Example]) -> (f64, i16) {
    let bots = examples.iter().filter(|example| example.bot).count() as f64;
    let all = examples.len() as f64;
    let fires = fired.len() as f64;
    let is_bot = |at: &&usize| examples.get(**at).is_some_and(|example| example.bot);
    let both = fired.iter().filter(is_bot).count() as f64;
    // ad − bc, by the sums of the table's lines.
    let tie = both * all - fires * bots;
    let spread = fires * (all - fires) * bots * (all - bots);
    if spread > 0.0 { (all * tie * tie / spread, if tie > 0.0 { 1 } else { -1 }) } else { (0.0, 0) }
}

/// The row under a key that says what it is, where that is one that no other has.
fn named(row: DraftRow, taken: &mut BTreeSet<Key>) -> DraftRow {
    let name = Feature::of_row(&row).map(|feature| match &feature {
        Feature::UserAgentContains(word) => format!("ua.{word}"),
        // Keys have neither of the marks of its ends.
        Feature::HeaderOrder(pair) => {
            format!("order.{}", pair.replace('^', "begin.").replace('$', ".end"))
        }
        Feature::Header { name, test: HeaderTest::Present } => format!("has.{name}"),
        Feature::Header { name, .. } => format!("no.{name}"),
        other => other.kind_name().to_owned(),
    });
    let key =
        name.and_then(|name| Key::from_text(&name, 0).ok()).filter(|key| !taken.contains(key));
    let row = DraftRow { key: key.unwrap_or(row.key), ..row };
    taken.insert(row.key);
    row
}

fn key(number: usize) -> Result<Key, TrainError> {
    Key::from_text(&format!("mined.{number}"), number)
        .map_err(|defect| TrainError::Rows { problem: defect.to_string(), reason: defect.reason() })
}

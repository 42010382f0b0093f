use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::str::FromStr;

use super::{Position, SourceError, SourceProblem};
use crate::draft::{Draft, DraftRow};

/// What a table says of itself beside its rows, as text: the header's fields.
#[derive(Default)]
pub(super) struct Metadata<'a> {
    fields: BTreeMap<&'a str, (&'a str, Position)>,
}

impl<'a> Metadata<'a> {
    const NAMES: [&'static str; 4] = ["label", "engine", "intercept", "created_at"];

    pub(super) fn insert(
        &mut self,
        name: &'a str,
        value: &'a str,
        at: Position,
    ) -> Result<(), SourceError> {
        let problem = if !Self::NAMES.contains(&name) {
            let expected = "label, engine, intercept or created_at";
            SourceProblem::Value { name: "metadata", expected, found: name.into() }
        } else if self.fields.insert(name, (value, at)).is_some() {
            SourceProblem::Syntax(format!("`{name}` is given twice"))
        } else {
            return Ok(());
        };
        Err(SourceError { at, problem })
    }

    pub(super) fn draft(&self, rows: Vec<DraftRow>) -> Result<Draft, SourceError> {
        Ok(Draft {
            intercept: self.required("intercept", "a whole number of 32 bits")?,
            engine: self.optional("engine", "a whole number of 32 bits")?.unwrap_or(1),
            created_at: self.required("created_at", "Unix seconds")?,
            label: self.optional::<String>("label", "text")?.unwrap_or_default(),
            rows,
        })
    }

    fn optional<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, SourceError> {
        let Some((value, at)) = self.fields.get(name).copied() else { return Ok(None) };
        let problem = |_| SourceProblem::Value { name, expected, found: value.into() };
        value.parse().map(Some).map_err(problem).map_err(|problem| SourceError { at, problem })
    }

    fn required<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<T, SourceError> {
        self.optional(name, expected)?.ok_or_else(|| SourceProblem::Missing { name }.at(1, 1))
    }
}

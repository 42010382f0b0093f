//! Reads a TOML document key by key and keeps every mistake, where a deserializer stops at the first.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::url;

/// Longest excerpt of a value that a mistake repeats, in characters.
const EXCERPT: usize = 60;

/// One thing that is wrong with a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Line in the file, from 1.
    pub(crate) line: usize,
    /// Path of the key, such as `listen.http[0]`; empty for a fault of syntax.
    pub(crate) key: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

/// What reading a single value comes to.
pub(crate) trait Outcome {
    type Value;

    /// The value, or what to call that which was found, where an excerpt would say too little or too much.
    fn read(self) -> Result<Self::Value, Option<String>>;
}

impl<T> Outcome for Option<T> {
    type Value = T;

    fn read(self) -> Result<T, Option<String>> {
        self.ok_or(None)
    }
}

impl<T> Outcome for Result<T, Option<String>> {
    type Value = T;

    fn read(self) -> Self {
        self
    }
}

/// The text of a configuration file and the mistakes found in it so far.
pub(crate) struct Document<'t> {
    text: &'t str,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'t> Document<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, mistakes: RefCell::new(Vec::new()) }
    }

    /// Parses the text. Faults of syntax become mistakes; what could be read all the same is returned.
    pub(crate) fn parse(&self) -> Spanned<DeTable<'t>> {
        let (table, faults) = DeTable::parse_recoverable(self.text);
        for fault in faults {
            let span = fault.span().unwrap_or_default();
            self.mistake(&span, "", "valid TOML", fault.message().trim());
        }
        table
    }

    /// Records that `key`, whose text is at `span`, is not what was expected.
    pub(crate) fn mistake(
        &self,
        span: &Range<usize>,
        key: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        let line = before.iter().filter(|&&byte| byte == b'\n').count().saturating_add(1);
        let mistake =
            Mistake { line, key: key.into(), expected: expected.into(), found: found.into() };
        self.mistakes.borrow_mut().push(mistake);
    }

    /// The mistakes in the order of the file.
    pub(crate) fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| mistake.line);
        mistakes
    }

    fn excerpt(&self, value: &Spanned<DeValue<'_>>) -> String {
        let text = match value.get_ref() {
            DeValue::Table(_) => return "a table".to_owned(),
            DeValue::Array(array) if array.is_empty() => return "an empty list".to_owned(),
            DeValue::Array(_) => return "a list".to_owned(),
            DeValue::String(text) if url::is_like(text) => {
                return url::shown(text)
                    .unwrap_or_else(|| "a text with \"//\" or \"@\" in it".to_owned());
            }
            other => self.text.get(value.span()).unwrap_or_else(|| other.type_str()).trim(),
        };
        let mut short = String::new();
        for (count, char) in text.chars().enumerate() {
            if count == EXCERPT {
                short.push('…');
                break;
            }
            match char {
                // Source text carries its own quotes and escapes.
                '"' | '\'' | '\\' => short.push(char),
                _ => short.extend(char.escape_debug()),
            }
        }
        short
    }
}

/// One table of the document. Each key is read once; [`Section::finish`] reports those that nothing read.
pub(crate) struct Section<'d, 't> {
    document: &'d Document<'t>,
    table: Option<&'d DeTable<'t>>,
    span: Range<usize>,
    path: String,
    known: RefCell<Vec<&'static str>>,
    /// Set where a table should be and something else is: that has been reported, and what it lacks follows from it.
    mute: bool,
}

/// A value of the document with its path.
pub(crate) struct Entry<'d, 't> {
    document: &'d Document<'t>,
    value: &'d Spanned<DeValue<'t>>,
    path: String,
}

impl<'d, 't> Section<'d, 't> {
    /// The document's own keys.
    pub(crate) fn root(document: &'d Document<'t>, table: &'d Spanned<DeTable<'t>>) -> Self {
        Self {
            document,
            table: Some(table.get_ref()),
            span: 0..0,
            path: String::new(),
            known: RefCell::new(Vec::new()),
            mute: false,
        }
    }

    /// The value of `key`, if the file gives one.
    pub(crate) fn get(&self, key: &'static str) -> Option<Entry<'d, 't>> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
        drop(known);
        let value = self.table?.get(key)?;
        Some(Entry { document: self.document, value, path: self.key(key) })
    }

    /// The value of `key` as read by `parse`. What that cannot read is a mistake, and has been recorded.
    pub(crate) fn required<R: Outcome>(
        &self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&DeValue<'_>) -> R,
    ) -> Option<R::Value> {
        match self.get(key) {
            Some(entry) => entry.read(expected, parse),
            None => {
                self.missing(key, expected);
                None
            }
        }
    }

    /// Like [`Section::required`], but a key that is not there means `default`.
    pub(crate) fn or<R: Outcome>(
        &self,
        key: &'static str,
        default: R::Value,
        expected: &str,
        parse: impl Fn(&DeValue<'_>) -> R,
    ) -> Option<R::Value> {
        self.get(key).map_or(Some(default), |entry| entry.read(expected, parse))
    }

    /// Like [`Section::required`], but a key that is not there means `Some(None)`.
    pub(crate) fn optional<R: Outcome>(
        &self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&DeValue<'_>) -> R,
    ) -> Option<Option<R::Value>> {
        self.get(key).map_or(Some(None), |entry| entry.read(expected, parse).map(Some))
    }

    /// The list under `key`, each element read by `parse`; empty when the key is not there.
    pub(crate) fn list<R: Outcome>(
        &self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&DeValue<'_>) -> R,
    ) -> Option<Vec<R::Value>> {
        let Some(entry) = self.get(key) else { return Some(Vec::new()) };
        let Some(elements) = entry.elements() else {
            let found = parse(entry.value.get_ref()).read().err().flatten();
            entry.refuse(&format!("a list, each element {expected}"), found);
            return None;
        };
        let read: Vec<Option<R::Value>> =
            elements.iter().map(|element| element.read(expected, &parse)).collect();
        read.into_iter().collect()
    }

    /// The table under `key`. One that the file leaves out reads as empty, so that its defaults apply.
    pub(crate) fn section(&self, key: &'static str) -> Section<'d, 't> {
        match self.get(key) {
            Some(entry) => entry.table(),
            None => Section {
                document: self.document,
                table: None,
                span: self.span.clone(),
                path: self.key(key),
                known: RefCell::new(Vec::new()),
                mute: self.mute,
            },
        }
    }

    /// The tables under `key`, written `[[key]]`; none when the key is not there.
    pub(crate) fn sections(&self, key: &'static str) -> Option<Vec<Section<'d, 't>>> {
        let Some(entry) = self.get(key) else { return Some(Vec::new()) };
        let Some(elements) = entry.elements() else {
            entry.refuse(&format!("tables written [[{}]]", entry.path), None);
            return None;
        };
        Some(elements.iter().map(Entry::table).collect())
    }

    /// Records a mistake of the whole section.
    pub(crate) fn mistake(&self, expected: impl Into<String>, found: impl Into<String>) {
        if self.mute {
            return;
        }
        self.document.mistake(&self.span, self.path.clone(), expected, found);
    }

    /// Reports every key that nothing asked for.
    pub(crate) fn finish(self) {
        let known = self.known.borrow();
        for (name, _) in self.table.into_iter().flatten() {
            let key: &str = name.get_ref();
            if known.contains(&key) {
                continue;
            }
            let mut found = format!("the unknown key {:?}", excerpt_of(key));
            if let Some(meant) = known.iter().find(|candidate| near(candidate, key)) {
                found.push_str(&format!(" (did you mean {meant:?}?)"));
            }
            self.document.mistake(
                &name.span(),
                self.path.clone(),
                format!("only {}", known.join(", ")),
                found,
            );
        }
    }

    /// Records that `key` should be there.
    pub(crate) fn missing(&self, key: &'static str, expected: &str) {
        if self.mute {
            return;
        }
        self.document.mistake(&self.span, self.key(key), expected, "nothing");
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

impl<'d, 't> Entry<'d, 't> {
    /// The value as read by `parse`; what it cannot read is recorded as a mistake.
    pub(crate) fn read<R: Outcome>(
        &self,
        expected: &str,
        parse: impl Fn(&DeValue<'_>) -> R,
    ) -> Option<R::Value> {
        parse(self.value.get_ref()).read().map_err(|found| self.refuse(expected, found)).ok()
    }

    /// Records that this value is not what was expected.
    pub(crate) fn mistake(&self, expected: &str) {
        self.refuse(expected, None);
    }

    fn refuse(&self, expected: &str, found: Option<String>) {
        // A value that the parser made up to go on after a fault of syntax; that has been reported.
        if self.value.span().is_empty()
            && !matches!(self.value.get_ref(), DeValue::Table(_) | DeValue::Array(_))
        {
            return;
        }
        self.contradicts(expected, found.unwrap_or_else(|| self.document.excerpt(self.value)));
    }

    /// Records that this value, though well written, cannot be what is meant.
    pub(crate) fn contradicts(&self, expected: impl Into<String>, found: impl Into<String>) {
        self.document.mistake(&self.value.span(), self.path.clone(), expected, found);
    }

    fn elements(&self) -> Option<Vec<Entry<'d, 't>>> {
        let DeValue::Array(array) = self.value.get_ref() else { return None };
        let element = |(index, value)| Entry {
            document: self.document,
            value,
            path: format!("{}[{index}]", self.path),
        };
        Some(array.iter().enumerate().map(element).collect())
    }

    /// The value as a table.
    pub(crate) fn table(&self) -> Section<'d, 't> {
        let table = match self.value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => {
                self.mistake("a table");
                None
            }
        };
        Section {
            document: self.document,
            table,
            span: self.value.span(),
            path: self.path.clone(),
            known: RefCell::new(Vec::new()),
            mute: table.is_none(),
        }
    }
}

fn excerpt_of(key: &str) -> String {
    key.chars().take(EXCERPT).collect()
}

/// Whether two keys are one slip of the keyboard apart: a character missing, added, wrong, or two exchanged.
fn near(known: &str, found: &str) -> bool {
    let (known, found) = (known.as_bytes(), found.as_bytes());
    let same = known.iter().zip(found).take_while(|(a, b)| a == b).count();
    let known = known.get(same..).unwrap_or_default();
    let found = found.get(same..).unwrap_or_default();
    match (known, found) {
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([_, a @ ..], b) if a == b => true,
        (a, [_, b @ ..]) if a == b => true,
        ([a, b, c @ ..], [d, e, f @ ..]) => a == e && b == d && c == f,
        _ => false,
    }
}

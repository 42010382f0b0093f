//! Finding many texts in one pass.

use std::collections::BTreeMap;

use aho_corasick::{
    Anchored, MatchKind, StartKind,
    automaton::{Automaton, StateID},
    dfa::DFA,
};
use greenlight_artifact::ARGUMENT_LEN;

use super::CompileError;
use crate::fired::Fired;

/// Finds every text of a set that occurs in a haystack, overlapping ones too (Aho and Corasick, 1975).
#[derive(Debug)]
pub(super) struct TextSet(Option<Automat>);

/// Finds every text of a set that a haystack starts with.
#[derive(Debug)]
pub(super) struct PrefixSet(Option<Automat>);

#[derive(Debug)]
struct Automat {
    dfa: DFA,
    start: StateID,
    anchored: Anchored,
    /// The rows of each pattern.
    rows: Box<[Fired]>,
}

impl TextSet {
    /// Case-sensitive.
    pub(super) fn exact(texts: BTreeMap<String, Fired>) -> Result<Self, CompileError> {
        Automat::new(texts, Anchored::No, false).map(Self)
    }

    /// Without regard to ASCII case.
    pub(super) fn folded(texts: BTreeMap<String, Fired>) -> Result<Self, CompileError> {
        Automat::new(texts, Anchored::No, true).map(Self)
    }

    #[inline]
    pub(super) fn scan(&self, haystack: &[u8], fired: &mut Fired) {
        if let Some(automat) = &self.0 {
            automat.scan(haystack, fired);
        }
    }
}

impl PrefixSet {
    pub(super) fn new(texts: BTreeMap<String, Fired>) -> Result<Self, CompileError> {
        Automat::new(texts, Anchored::Yes, false).map(Self)
    }

    #[inline]
    pub(super) fn scan(&self, haystack: &[u8], fired: &mut Fired) {
        if let Some(automat) = &self.0 {
            automat.scan(haystack, fired);
        }
    }
}

impl Automat {
    fn new(
        texts: BTreeMap<String, Fired>,
        anchored: Anchored,
        fold: bool,
    ) -> Result<Option<Self>, CompileError> {
        if texts.is_empty() {
            return Ok(None);
        }
        let refuse = |message: String| CompileError::Automaton { message };
        let dfa = DFA::builder()
            .match_kind(MatchKind::Standard)
            .start_kind(if anchored.is_anchored() {
                StartKind::Anchored
            } else {
                StartKind::Unanchored
            })
            .ascii_case_insensitive(fold)
            .prefilter(false)
            .build(texts.keys())
            .map_err(|error| refuse(error.to_string()))?;
        let start = dfa.start_state(anchored).map_err(|error| refuse(error.to_string()))?;
        Ok(Some(Self { dfa, start, anchored, rows: texts.into_values().collect() }))
    }

    fn scan(&self, haystack: &[u8], fired: &mut Fired) {
        let mut state = self.start;
        for byte in haystack {
            state = self.dfa.next_state(self.anchored, state, *byte);
            if self.dfa.is_special(state) {
                if self.dfa.is_dead(state) {
                    return;
                }
                if self.dfa.is_match(state) {
                    for index in 0..self.dfa.match_len(state) {
                        if let Some(rows) =
                            self.rows.get(self.dfa.match_pattern(state, index).as_usize())
                        {
                            fired.insert(rows);
                        }
                    }
                }
            }
        }
    }
}

/// Rows by a whole word.
#[derive(Debug)]
pub(super) struct WordTable(Box<[(String, Fired)]>);

impl WordTable {
    pub(super) fn new(words: BTreeMap<String, Fired>) -> Self {
        Self(words.into_iter().collect())
    }

    #[inline]
    pub(super) fn look_up(&self, word: &[u8], fired: &mut Fired) {
        if let Ok(at) = self.0.binary_search_by(|(known, _)| known.as_bytes().cmp(word))
            && let Some((_, rows)) = self.0.get(at)
        {
            fired.insert(rows);
        }
    }

    /// As [`WordTable::look_up`], where the table's words are in lower case and `word` may not be.
    #[inline]
    pub(super) fn look_up_folded(&self, word: &[u8], fired: &mut Fired) {
        let mut folded = [0; ARGUMENT_LEN];
        // No word of the table is longer.
        if let (false, Some(folded)) = (self.0.is_empty(), folded.get_mut(..word.len())) {
            folded.copy_from_slice(word);
            folded.make_ascii_lowercase();
            self.look_up(folded, fired);
        }
    }
}

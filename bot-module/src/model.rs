//! An artifact turned into tables that one pass over a request reads.
//!
//! The work for a request grows with the request, not with the rows: each header value and the path are scanned once
//! by one automaton that finds the texts of all rows at the same time, and everything else is a lookup.

mod headers;
mod networks;
mod signals;
mod text;
mod thresholds;

use std::collections::BTreeMap;

use greenlight_artifact::{Digest, Feature, Key, MAX_ROWS, Schema, ValidArtifact};
use http::Version;

use self::{
    headers::{HeaderTable, HeaderTableBuilder},
    networks::Networks,
    signals::{SignalTable, SignalTableBuilder},
    text::{PrefixSet, TextSet, WordTable},
};
use crate::{
    fired::Fired,
    request::{ClientActivity, RequestView},
    score::Score,
};

/// An artifact that cannot be compiled by this engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The artifact is for another engine version.
    #[error("engine: expected {expected}, found {found}")]
    Engine {
        /// The version that this crate implements.
        expected: u32,
        /// The version that the header names.
        found: u32,
    },
    /// A row's kind or variant is not one that this crate implements.
    #[error("row {row} ({key}): expected a kind of engine 1, found kind {kind} with flags {flags}")]
    Kind {
        /// Which row, from 0.
        row: usize,
        /// Its key.
        key: Key,
        /// Its kind.
        kind: u8,
        /// Its variant.
        flags: u8,
    },
}

impl CompileError {
    /// A short name that stays the same across versions, for logs, metrics and evidence.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Engine { .. } => "engine-unsupported",
            Self::Kind { .. } => "kind-unsupported",
        }
    }
}

/// An artifact ready to score with. It never changes; an [`crate::Engine`] swaps one for another.
#[derive(Debug)]
pub struct CompiledModel {
    digest: Digest,
    intercept: i32,
    keys: Box<[Key]>,
    weights: Box<[i16]>,
    headers: HeaderTable,
    methods: WordTable,
    path_prefixes: PrefixSet,
    path_texts: TextSet,
    networks: Networks,
    /// By HTTP version, as ten times the major plus the minor number.
    versions: Box<[(u64, Fired)]>,
    signals: SignalTable,
}

/// What a model says about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scored {
    /// 1 to 99.
    pub score: Score,
    /// `intercept + Σ weight · fired`, in thousandths.
    pub logit_milli: i64,
    /// The rows that fired.
    pub fired: Fired,
}

impl CompiledModel {
    /// Compiles an artifact of engine 1.
    ///
    /// # Errors
    /// [`CompileError`] where the artifact, though valid for some schema, asks for what this crate does not implement.
    pub fn compile(artifact: &ValidArtifact) -> Result<Self, CompileError> {
        let header = artifact.header();
        if header.engine != Schema::ENGINE_1.engine {
            return Err(CompileError::Engine {
                expected: Schema::ENGINE_1.engine,
                found: header.engine,
            });
        }
        let mut headers = HeaderTableBuilder::default();
        let mut methods = BTreeMap::new();
        let mut path_prefixes = BTreeMap::new();
        let mut path_texts = BTreeMap::new();
        let mut networks = Vec::new();
        let mut versions = BTreeMap::new();
        let mut signals = SignalTableBuilder::default();
        // A valid artifact has at most 200 rows, so that the index of each fits.
        const { assert!(MAX_ROWS <= 256) };
        for (index, row) in (0_u8..=u8::MAX).zip(artifact.rows()) {
            let fired = Fired::row(index);
            let unsupported = || CompileError::Kind {
                row: index.into(),
                key: row.key,
                kind: row.kind,
                flags: row.flags,
            };
            match Feature::of_row(&row).ok_or_else(unsupported)? {
                Feature::UserAgentContains(text) => headers.user_agent_contains(text, fired),
                Feature::UserAgentEmpty => headers.user_agent_empty(fired),
                Feature::Header { name, test } => headers.header(name, test, fired),
                Feature::Method(method) => join(&mut methods, method, fired),
                Feature::PathPrefix(text) => join(&mut path_prefixes, text, fired),
                Feature::PathContains(text) => join(&mut path_texts, text, fired),
                Feature::Client(cidr) => networks.push((cidr, fired)),
                Feature::HttpVersion(version) => join(&mut versions, version, fired),
                other => {
                    if !signals.add(other, fired) {
                        return Err(unsupported());
                    }
                }
            }
        }
        let signals = signals.build();
        Ok(Self {
            digest: artifact.digest(),
            intercept: header.intercept,
            keys: artifact.rows().map(|row| row.key).collect(),
            weights: artifact.rows().map(|row| row.weight).collect(),
            headers: headers.build(signals.wants()),
            methods: WordTable::new(methods),
            path_prefixes: PrefixSet::new(&path_prefixes),
            path_texts: TextSet::exact(&path_texts),
            networks: Networks::new(&networks),
            versions: versions.into_iter().collect(),
            signals,
        })
    }

    /// The digest of the artifact.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// How many rows it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Never: an artifact has at least one row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The logit of a request that fires no row, in thousandths.
    #[must_use]
    pub const fn intercept(&self) -> i32 {
        self.intercept
    }

    /// The key of a row.
    #[must_use]
    pub fn row_key(&self, row: u8) -> Option<Key> {
        self.keys.get(usize::from(row)).copied()
    }

    /// The weight of a row, in thousandths of a logit.
    #[must_use]
    pub fn row_weight(&self, row: u8) -> Option<i16> {
        self.weights.get(usize::from(row)).copied()
    }

    /// Whether a row asks for what the client did before, or how often it asks.
    #[must_use]
    pub const fn reads_activity(&self) -> bool {
        self.signals.reads_activity()
    }

    /// Whether a row asks for more of what the client did than how often it asks: for paths, errors or gaps.
    #[must_use]
    pub const fn reads_behaviour(&self) -> bool {
        self.signals.reads_behaviour()
    }

    /// Scores a request of a client that did `activity`. Pure, and allocates nothing.
    #[must_use]
    pub fn score(&self, request: &RequestView<'_>, activity: &ClientActivity) -> Scored {
        let (mut fired, mut fields) = self.headers.scan(request.headers);
        self.methods.look_up(request.method.as_bytes(), &mut fired);
        self.path_prefixes.scan(request.path.as_bytes(), &mut fired);
        self.path_texts.scan(request.path.as_bytes(), &mut fired);
        if let Some(client) = request.client {
            self.networks.look_up(client, &mut fired);
        }
        if let Some((_, rows)) =
            self.versions.iter().find(|(version, _)| *version == number_of(request.version))
        {
            fired.insert(rows);
        }
        self.signals.look_up(request, &mut fields, activity, &mut fired);
        // At most 200 weights of at most 10 000: far from the bounds of i64.
        let weights = fired.rows().filter_map(|row| self.row_weight(row)).map(i64::from);
        let logit_milli = weights.fold(i64::from(self.intercept), i64::saturating_add);
        Scored { score: Score::of_logit_milli(logit_milli), logit_milli, fired }
    }
}

/// Two rows with the same argument both fire.
fn join<K: Ord>(map: &mut BTreeMap<K, Fired>, key: K, fired: Fired) {
    map.entry(key).or_default().insert(&fired);
}

const fn number_of(version: Version) -> u64 {
    match version {
        Version::HTTP_09 => 9,
        Version::HTTP_10 => 10,
        Version::HTTP_11 => 11,
        Version::HTTP_2 => 20,
        Version::HTTP_3 => 30,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;

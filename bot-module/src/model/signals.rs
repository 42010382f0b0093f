//! Rows about signals: what is computed of a request only where a row asks for it.

use std::collections::BTreeMap;

use greenlight_artifact::Feature;

use super::{
    join,
    text::TextSet,
    thresholds::{Over, Under},
};
use crate::{
    claim::CrawlerClaim,
    fired::Fired,
    request::{ClientActivity, RequestView},
    signals::{
        fields::{Fields, Wants},
        path, scanner_path,
    },
};

/// The rows about signals.
#[derive(Debug)]
pub(super) struct SignalTable {
    agent_longer: Over,
    agent_shorter: Under,
    crawler_unverified: Fired,
    hints_missing: Fired,
    hints_contradict: Fired,
    count_over: Over,
    count_under: Under,
    longer: Over,
    repeated: Fired,
    order: TextSet,
    language_malformed: Fired,
    http1_fields: Fired,
    depth_over: Over,
    entropy_over: Over,
    scanner_path: TextSet,
    request_rate: Over,
    distinct_paths: Over,
    error_ratio: Over,
    gap_variation: Under,
    ja4: TextSet,
    http2: TextSet,
}

impl SignalTable {
    /// Whether a row asks for what the client did before, or how often it asks.
    pub(super) const fn reads_activity(&self) -> bool {
        !self.request_rate.is_empty() || self.reads_behaviour()
    }

    /// Whether a row asks for more of it than the rate.
    pub(super) const fn reads_behaviour(&self) -> bool {
        !(self.distinct_paths.is_empty()
            && self.error_ratio.is_empty()
            && self.gap_variation.is_empty())
    }

    /// What the rows ask of the header fields as a whole.
    pub(super) fn wants(&self) -> Wants {
        Wants {
            counts: !(self.count_over.is_empty()
                && self.count_under.is_empty()
                && self.longer.is_empty()
                && self.repeated.is_empty()),
            order: !self.order.is_empty(),
            agent: !(self.agent_longer.is_empty() && self.agent_shorter.is_empty()),
            hints: !(self.hints_missing.is_empty() && self.hints_contradict.is_empty()),
            language: !self.language_malformed.is_empty(),
            http1: !self.http1_fields.is_empty(),
        }
    }

    /// Adds the rows that a request fires, of whose header fields `fields` was gathered.
    #[inline]
    pub(super) fn look_up(
        &self,
        request: &RequestView<'_>,
        fields: &mut Fields<'_>,
        activity: &ClientActivity,
        fired: &mut Fired,
    ) {
        self.look_up_fields(request, fields, fired);
        self.look_up_path(request.path.as_bytes(), fired);
        self.request_rate.look_up(activity.requests_last_second, fired);
        self.distinct_paths.look_up(activity.distinct_paths, fired);
        if let Some(percent) = activity.error_percent {
            self.error_ratio.look_up(percent, fired);
        }
        if let Some(percent) = activity.gap_variation_percent {
            self.gap_variation.look_up(percent, fired);
        }
        if let Some(fingerprint) = request.ja4 {
            self.ja4.scan(fingerprint.as_bytes(), fired);
        }
        if let Some(fingerprint) = request.http2 {
            self.http2.scan(fingerprint.as_bytes(), fired);
        }
        if request.crawler == CrawlerClaim::Unverified {
            fired.insert(&self.crawler_unverified);
        }
    }

    fn look_up_fields(
        &self,
        request: &RequestView<'_>,
        fields: &mut Fields<'_>,
        fired: &mut Fired,
    ) {
        self.agent_longer.look_up(fields.longest_agent(), fired);
        self.agent_shorter.look_up(fields.shortest_agent(), fired);
        self.count_over.look_up(fields.count, fired);
        self.count_under.look_up(fields.count, fired);
        self.longer.look_up(fields.longest, fired);
        if fields.repeated {
            fired.insert(&self.repeated);
        }
        if fields.language_malformed {
            fired.insert(&self.language_malformed);
        }
        if fields.http1_beyond(request.version) {
            fired.insert(&self.http1_fields);
        }
        if !self.order.is_empty() {
            fields.order.end();
            self.order.scan(fields.order.as_bytes(), fired);
        }
        if !self.hints_missing.is_empty() && fields.hints.missing(request) {
            fired.insert(&self.hints_missing);
        }
        if !self.hints_contradict.is_empty() && fields.hints.contradict() {
            fired.insert(&self.hints_contradict);
        }
    }

    fn look_up_path(&self, path: &[u8], fired: &mut Fired) {
        if !self.depth_over.is_empty() {
            self.depth_over.look_up(path::depth(path), fired);
        }
        if !self.entropy_over.is_empty()
            && let Some(entropy) = path::entropy(path)
        {
            self.entropy_over.look_up(entropy, fired);
        }
        self.scanner_path.scan(path, fired);
    }
}

/// Gathers rows by kind.
#[derive(Default)]
pub(super) struct SignalTableBuilder {
    agent_longer: BTreeMap<u64, Fired>,
    agent_shorter: BTreeMap<u64, Fired>,
    crawler_unverified: Fired,
    hints_missing: Fired,
    hints_contradict: Fired,
    count_over: BTreeMap<u64, Fired>,
    count_under: BTreeMap<u64, Fired>,
    longer: BTreeMap<u64, Fired>,
    repeated: Fired,
    order: BTreeMap<String, Fired>,
    language_malformed: Fired,
    http1_fields: Fired,
    depth_over: BTreeMap<u64, Fired>,
    entropy_over: BTreeMap<u64, Fired>,
    scanner_path: Fired,
    request_rate: BTreeMap<u64, Fired>,
    distinct_paths: BTreeMap<u64, Fired>,
    error_ratio: BTreeMap<u64, Fired>,
    gap_variation: BTreeMap<u64, Fired>,
    ja4: BTreeMap<String, Fired>,
    http2: BTreeMap<String, Fired>,
}

impl SignalTableBuilder {
    /// Adds a row. False where its feature is no signal.
    pub(super) fn add(&mut self, feature: Feature, fired: Fired) -> bool {
        match feature {
            Feature::UserAgentLongerThan(bytes) => join(&mut self.agent_longer, bytes, fired),
            Feature::UserAgentShorterThan(bytes) => join(&mut self.agent_shorter, bytes, fired),
            Feature::CrawlerUnverified => self.crawler_unverified.insert(&fired),
            Feature::HintsMissing => self.hints_missing.insert(&fired),
            Feature::HintsContradict => self.hints_contradict.insert(&fired),
            Feature::HeaderCountOver(count) => join(&mut self.count_over, count, fired),
            Feature::HeaderCountUnder(count) => join(&mut self.count_under, count, fired),
            Feature::HeaderLongerThan(bytes) => join(&mut self.longer, bytes, fired),
            Feature::HeaderRepeated => self.repeated.insert(&fired),
            Feature::HeaderOrder(text) => join(&mut self.order, text, fired),
            Feature::AcceptLanguageMalformed => self.language_malformed.insert(&fired),
            Feature::Http1Fields => self.http1_fields.insert(&fired),
            Feature::PathDepthOver(depth) => join(&mut self.depth_over, depth, fired),
            Feature::PathEntropyOver(entropy) => join(&mut self.entropy_over, entropy, fired),
            Feature::ScannerPath => self.scanner_path.insert(&fired),
            Feature::RequestRate(rate) => join(&mut self.request_rate, rate, fired),
            Feature::DistinctPathsOver(paths) => join(&mut self.distinct_paths, paths, fired),
            Feature::ErrorRatioOver(percent) => join(&mut self.error_ratio, percent, fired),
            Feature::GapVariationUnder(percent) => join(&mut self.gap_variation, percent, fired),
            Feature::Ja4Contains(text) => join(&mut self.ja4, text, fired),
            Feature::Http2Contains(text) => join(&mut self.http2, text, fired),
            _ => return false,
        }
        true
    }

    pub(super) fn build(self) -> SignalTable {
        let scanner_texts =
            if self.scanner_path.is_empty() { &[][..] } else { &scanner_path::TEXTS };
        let scanner_path: BTreeMap<String, Fired> =
            scanner_texts.iter().map(|text| (String::from(*text), self.scanner_path)).collect();
        SignalTable {
            agent_longer: Over::new(self.agent_longer),
            agent_shorter: Under::new(self.agent_shorter),
            crawler_unverified: self.crawler_unverified,
            hints_missing: self.hints_missing,
            hints_contradict: self.hints_contradict,
            count_over: Over::new(self.count_over),
            count_under: Under::new(self.count_under),
            longer: Over::new(self.longer),
            repeated: self.repeated,
            order: TextSet::exact(&self.order),
            language_malformed: self.language_malformed,
            http1_fields: self.http1_fields,
            depth_over: Over::new(self.depth_over),
            entropy_over: Over::new(self.entropy_over),
            scanner_path: TextSet::folded(&scanner_path),
            request_rate: Over::new(self.request_rate),
            distinct_paths: Over::new(self.distinct_paths),
            error_ratio: Over::new(self.error_ratio),
            gap_variation: Under::new(self.gap_variation),
            ja4: TextSet::exact(&self.ja4),
            http2: TextSet::exact(&self.http2),
        }
    }
}

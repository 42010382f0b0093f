//! What the watcher knows as metric families. Labels are this program's own words, and the name of a network.

use std::collections::BTreeMap;
use std::time::Duration;

use greenlight_watcher::{ApiReport, Status};

use crate::metrics::Exposition;

/// Reasons of quarantine that are counted apart.
const MAX_REASONS: usize = 32;

/// Writes `status`, of a watcher that follows a source of this kind on this network.
pub(super) fn write(status: &Status, kind: &str, network: &str, up: bool, out: &mut Exposition) {
    let bit = |name: &str, help: &str, on: bool, out: &mut Exposition| {
        out.gauge(name, help, u8::from(on))
    };
    bit("greenlight_watcher_up", "1 while the watcher runs.", up, out);
    out.counter(
        "greenlight_watcher_restarts_total",
        "Restarts after a fault of its own.",
        status.restarts,
    );
    bit(
        "greenlight_mode_active",
        "1 while an artifact is active, 0 in allow-all.",
        status.mode == "active",
        out,
    );
    bit(
        "greenlight_stale",
        "1 while the newest or the finalized head is too old.",
        status.stale,
        out,
    );
    bit(
        "greenlight_overridden",
        "1 while the operator's break-glass file is there.",
        status.overridden,
        out,
    );
    out.gauge(
        "greenlight_sequence",
        "The registry's sequence at the newest head.",
        status.sequence,
    );
    write_head(status, out);
    write_source(status, kind, network, out);
    out.counter("greenlight_adoptions_total", "Artifacts installed.", status.adoptions);
    out.counter("greenlight_refusals_total", "Artifacts refused.", status.refusals);
    out.gauge("greenlight_good_artifacts", "Artifacts on disk to fall back to.", status.good.len());
    write_quarantine(status, out);
    bit(
        "greenlight_store_failing",
        "1 while the state folder cannot be used.",
        status.store_error.is_some(),
        out,
    );
    out.gauge(
        "greenlight_evidence_missed",
        "Evidence lines that could not be written.",
        status.evidence_missed,
    );
}

fn write_head(status: &Status, out: &mut Exposition) {
    let Some(head) = &status.head else { return };
    out.gauge(
        "greenlight_head_number",
        "The newest block that the registry was read at.",
        head.block.number,
    );
    out.gauge("greenlight_head_timestamp_seconds", "Its time.", head.block.timestamp);
    out.gauge("greenlight_head_age_seconds", "Its age.", seconds(head.age_ms));
    out.family("greenlight_head_flag", "gauge", "The registry's bits at the newest head.");
    for (flag, set) in [("kill", head.kill), ("rollback", head.rollback), ("paused", head.paused)] {
        out.sample("greenlight_head_flag", &[("flag", flag)], u8::from(set));
    }
}

/// Families of which the source knows nothing have no samples.
fn write_source(status: &Status, kind: &str, network: &str, out: &mut Exposition) {
    let source = &status.source;
    out.family("greenlight_source_info", "gauge", "The kind of source, and its network.");
    out.sample("greenlight_source_info", &[("kind", kind), ("network", network)], 1);

    let heads = [("newest", &source.report.newest), ("finalized", &source.report.finalized)];
    let heads = || heads.iter().filter_map(|(head, report)| Some((*head, report.as_ref()?)));
    out.family("greenlight_source_slot", "gauge", "Slot of the source's verified head.");
    for (head, report) in heads() {
        if let Some(slot) = report.slot {
            out.sample("greenlight_source_slot", &[("head", head)], slot);
        }
    }
    out.family("greenlight_source_block", "gauge", "Its execution block.");
    for (head, report) in heads() {
        out.sample("greenlight_source_block", &[("head", head)], report.block.number);
    }
    out.family("greenlight_source_age_seconds", "gauge", "Its age.");
    for (head, report) in heads() {
        out.sample("greenlight_source_age_seconds", &[("head", head)], seconds(report.age_ms));
    }
    if let Some(participation) = source.report.participation {
        let (voted, of) = (f64::from(participation.voted), f64::from(participation.of.max(1)));
        out.gauge(
            "greenlight_source_participation_ratio",
            "The part of the sync committee that signed the newest head.",
            voted / of,
        );
    }
    if let Some(period) = source.report.period {
        out.gauge(
            "greenlight_source_period",
            "Sync committee period of the finalized head.",
            period,
        );
    }
    out.gauge(
        "greenlight_source_failures",
        "Looks at the chain that failed, in a row.",
        source.failures,
    );
    out.family(
        "greenlight_source_failing",
        "gauge",
        "1 while looks at the chain fail, by the reason of the last.",
    );
    if let Some(reason) = source.last_reason {
        out.sample("greenlight_source_failing", &[("reason", reason)], 1);
    }
    write_apis(&source.report.apis, out);
}

fn write_apis(apis: &[ApiReport], out: &mut Exposition) {
    out.family("greenlight_endpoints", "gauge", "Configured endpoints, by what they serve.");
    for api in apis {
        out.sample("greenlight_endpoints", &[("api", api.api)], api.endpoints.len());
    }
    out.family(
        "greenlight_endpoints_failing",
        "gauge",
        "Those whose last call failed, or whose answer was refused.",
    );
    for api in apis {
        let failing = api.endpoints.iter().filter(|endpoint| endpoint.failures > 0).count();
        out.sample("greenlight_endpoints_failing", &[("api", api.api)], failing);
    }
    out.family(
        "greenlight_endpoint_errors_total",
        "counter",
        "Calls that failed and answers that were refused, by reason.",
    );
    for api in apis {
        for (reason, count) in &api.errors {
            let labels = [("api", api.api), ("reason", *reason)];
            out.sample("greenlight_endpoint_errors_total", &labels, count);
        }
    }
}

fn seconds(millis: u64) -> f64 {
    Duration::from_millis(millis).as_secs_f64()
}

/// Reasons are this program's own words, but they come back from disk: what does not look like one is not a label.
fn write_quarantine(status: &Status, out: &mut Exposition) {
    let mut by_reason: BTreeMap<&str, u64> = BTreeMap::new();
    for quarantined in &status.quarantine {
        let reason = quarantined.reason.as_str();
        let word = (1..=48).contains(&reason.len())
            && reason.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let room = by_reason.len() < MAX_REASONS || by_reason.contains_key(reason);
        let count = by_reason.entry(if word && room { reason } else { "other" }).or_default();
        *count = count.saturating_add(1);
    }
    out.family(
        "greenlight_quarantined",
        "gauge",
        "Digests that will not be tried again, by reason.",
    );
    for (reason, count) in &by_reason {
        out.sample("greenlight_quarantined", &[("reason", reason)], count);
    }
}

#[cfg(test)]
mod tests;

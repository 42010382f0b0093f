use greenlight_watcher::source::BlockRef;
use greenlight_watcher::{
    ApiReport, EndpointReport, HeadReport, Participation, SourceReport, SourceStatus, Status,
};

use super::write;
use crate::metrics::Exposition;

fn text(status: &Status, kind: &str, network: &str) -> String {
    let mut out = Exposition::default();
    write(status, kind, network, true, &mut out);
    out.into_text()
}

/// Samples, without help and types, of families whose name begins so.
fn samples<'a>(text: &'a str, family: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(family)).collect()
}

fn head(slot: Option<u64>, number: u64, age_ms: u64) -> HeadReport {
    let block = BlockRef { number, ..BlockRef::default() };
    HeadReport { slot, block, state_root: [1; 32].into(), age_ms }
}

#[test]
fn a_light_client_shows_both_heads_and_who_signed() {
    let report = SourceReport {
        network: Some("mainnet".to_owned()),
        newest: Some(head(Some(13_164_123), 23_812_345, 14_250)),
        finalized: Some(head(Some(13_164_032), 23_812_254, 1_106_000)),
        participation: Some(Participation { voted: 384, of: 512 }),
        period: Some(1606),
        ..SourceReport::default()
    };
    let source = SourceStatus { kind: "light-client", report, ..SourceStatus::default() };
    let text = text(&Status { source, ..Status::default() }, "light-client", "mainnet");
    assert_eq!(
        samples(&text, "greenlight_source_"),
        [
            "greenlight_source_info{kind=\"light-client\",network=\"mainnet\"} 1",
            "greenlight_source_slot{head=\"newest\"} 13164123",
            "greenlight_source_slot{head=\"finalized\"} 13164032",
            "greenlight_source_block{head=\"newest\"} 23812345",
            "greenlight_source_block{head=\"finalized\"} 23812254",
            "greenlight_source_age_seconds{head=\"newest\"} 14.25",
            "greenlight_source_age_seconds{head=\"finalized\"} 1106",
            "greenlight_source_participation_ratio 0.75",
            "greenlight_source_period 1606",
            "greenlight_source_failures 0",
        ]
    );
}

#[test]
fn what_a_source_does_not_know_has_no_sample() {
    let report = SourceReport { newest: Some(head(None, 7, 0)), ..SourceReport::default() };
    let source = SourceStatus { kind: "rpc", report, ..SourceStatus::default() };
    let text = text(&Status { source, ..Status::default() }, "rpc", "chain-31337");
    assert_eq!(
        samples(&text, "greenlight_source_"),
        [
            "greenlight_source_info{kind=\"rpc\",network=\"chain-31337\"} 1",
            "greenlight_source_block{head=\"newest\"} 7",
            "greenlight_source_age_seconds{head=\"newest\"} 0",
            "greenlight_source_failures 0",
        ]
    );
}

#[test]
fn a_failure_is_a_label_by_its_reason_and_never_by_its_text() {
    let source = SourceStatus {
        failures: 3,
        last_reason: Some("finality-branch"),
        last_error: Some("beacon-a:5052: \"} 1\nforged 1".to_owned()),
        ..SourceStatus::default()
    };
    let text = text(&Status { source, ..Status::default() }, "light-client", "custom");
    assert_eq!(
        samples(&text, "greenlight_source_fail"),
        ["greenlight_source_failures 3", "greenlight_source_failing{reason=\"finality-branch\"} 1",]
    );
    assert!(!text.contains("forged") && !text.contains("beacon-a"), "{text}");
}

#[test]
fn endpoints_are_counted_and_not_named() {
    let endpoint = |failures| EndpointReport {
        endpoint: "beacon-a:5052".to_owned(),
        failures,
        ..EndpointReport::default()
    };
    let errors = [("beacon-deadline", 7), ("signature", 1)].into();
    let apis = vec![
        ApiReport { api: "beacon", endpoints: vec![endpoint(0), endpoint(2)], errors },
        ApiReport { api: "rpc", ..ApiReport::default() },
    ];
    let report = SourceReport { apis, ..SourceReport::default() };
    let source = SourceStatus { report, ..SourceStatus::default() };
    let text = text(&Status { source, ..Status::default() }, "light-client", "mainnet");
    assert_eq!(
        samples(&text, "greenlight_endpoint"),
        [
            "greenlight_endpoints{api=\"beacon\"} 2",
            "greenlight_endpoints{api=\"rpc\"} 0",
            "greenlight_endpoints_failing{api=\"beacon\"} 1",
            "greenlight_endpoints_failing{api=\"rpc\"} 0",
            "greenlight_endpoint_errors_total{api=\"beacon\",reason=\"beacon-deadline\"} 7",
            "greenlight_endpoint_errors_total{api=\"beacon\",reason=\"signature\"} 1",
        ]
    );
    assert!(!text.contains("beacon-a"), "{text}");
}

#[test]
fn every_family_is_declared_once_and_before_its_samples() {
    let report = SourceReport {
        newest: Some(head(Some(2), 2, 1)),
        finalized: Some(head(Some(1), 1, 2)),
        participation: Some(Participation { voted: 0, of: 0 }),
        period: Some(0),
        apis: vec![ApiReport {
            api: "rpc",
            errors: [("rpc-error", 1)].into(),
            ..Default::default()
        }],
        ..SourceReport::default()
    };
    let source = SourceStatus { report, last_reason: Some("rpc-http"), ..SourceStatus::default() };
    let text = text(&Status { source, ..Status::default() }, "light-client", "mainnet");
    let mut declared: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(declaration) = line.strip_prefix("# TYPE ") {
            let (name, _) = declaration.split_once(' ').unwrap();
            assert!(!declared.contains(&name), "{name} twice");
            declared.push(name);
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(declared.last(), Some(&name), "{line}");
            let (_, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        }
    }
}

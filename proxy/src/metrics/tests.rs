use std::sync::Arc;

use super::{Exposition, Metrics, Source, UpstreamFault};

fn text(metrics: &Metrics) -> String {
    let mut out = Exposition::default();
    metrics.write(&mut out);
    out.into_text()
}

fn line<'a>(text: &'a str, series: &str) -> &'a str {
    let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no series {series} in\n{text}"))
}

#[test]
fn an_upstream_failure_is_not_ours() {
    let metrics = Metrics::default();
    metrics.response(502, Source::Upstream);
    metrics.response(403, Source::Proxy);
    metrics.response(0, Source::Proxy);
    metrics.upstream_fault(UpstreamFault::Closed);
    let text = text(&metrics);
    assert_eq!(line(&text, "greenlight_responses_total{class=\"5xx\",source=\"upstream\"}"), "1");
    assert_eq!(line(&text, "greenlight_responses_total{class=\"5xx\",source=\"proxy\"}"), "0");
    assert_eq!(line(&text, "greenlight_responses_total{class=\"4xx\",source=\"proxy\"}"), "1");
    assert_eq!(line(&text, "greenlight_responses_total{class=\"none\",source=\"proxy\"}"), "1");
    assert_eq!(line(&text, "greenlight_upstream_faults_total{reason=\"closed\"}"), "1");
}

#[test]
fn the_histogram_is_cumulative_and_whole() {
    let metrics = Metrics::default();
    for score in 1..=99 {
        metrics.score(score);
    }
    let text = text(&metrics);
    for (bound, count) in [("1", "1"), ("9", "9"), ("29", "29"), ("99", "99"), ("+Inf", "99")] {
        assert_eq!(line(&text, &format!("greenlight_score_bucket{{le=\"{bound}\"}}")), count);
    }
    assert_eq!(line(&text, "greenlight_score_sum"), "4950");
    assert_eq!(line(&text, "greenlight_score_count"), "99");
}

#[test]
fn requests_under_way_are_counted_until_they_end() {
    let metrics = Arc::new(Metrics::default());
    let (one, two) = (metrics.enter(), metrics.enter());
    assert_eq!(metrics.in_flight(), 2);
    drop(one);
    assert_eq!(line(&text(&metrics), "greenlight_requests_in_flight"), "1");
    drop(two);
    assert_eq!(metrics.in_flight(), 0);
}

#[test]
fn every_status_falls_into_a_fixed_series() {
    let metrics = Metrics::default();
    let before = text(&metrics).lines().count();
    for status in 0..=999 {
        metrics.response(status, Source::Upstream);
    }
    assert_eq!(text(&metrics).lines().count(), before);
}

//! Scoring a request allocates nothing, whatever the rows and the request.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test")]

use std::time::Duration;

use greenlight_bot::{CompiledModel, CrawlerClaim, Engine, EngineLimits, RequestView};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use rows::{features, numbered};

#[path = "support/rows.rs"]
mod rows;

/// Rows of every kind.
const ROWS: [(&str, &str); 35] = [
    ("ua-contains", "bot"),
    ("ua-contains", "chrome/"),
    ("ua-empty", ""),
    ("header-present", "cookie"),
    ("header-absent", "accept-language"),
    ("header-equals", "accept:*/*"),
    ("header-contains", "accept-encoding:zstd"),
    ("method", "GET"),
    ("path-prefix", "/wp-"),
    ("path-contains", ".env"),
    ("client-cidr-v4", "192.0.2.0/24"),
    ("client-cidr-v6", "2001:db8::/32"),
    ("request-rate", "10"),
    ("http-version", "11"),
    ("ua-longer-than", "100"),
    ("ua-shorter-than", "100"),
    ("crawler-unverified", ""),
    ("hints-missing", ""),
    ("hints-contradict", ""),
    ("header-count-over", "3"),
    ("header-count-under", "30"),
    ("header-longer-than", "40"),
    ("header-repeated", ""),
    ("header-order", "^hua"),
    ("accept-language-malformed", ""),
    ("http1-fields", ""),
    ("path-depth-over", "1"),
    ("path-entropy-over", "250"),
    ("scanner-path", ""),
    ("distinct-paths-over", "1000"),
    ("error-ratio-over", "99"),
    ("gap-variation-under", "1"),
    ("ja4-contains", "t13d"),
    ("http2-contains", "1:65536"),
    ("ua-contains", "safari"),
];

#[test]
fn an_evaluation_allocates_nothing() {
    // However long a busy machine takes for the largest.
    let limits = EngineLimits::default().with_max_scoring(Duration::from_secs(60));
    let engine = Engine::new(limits);
    engine.install(CompiledModel::compile(&numbered(features(&ROWS))).unwrap());

    let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";
    let huge = "bot".repeat(100_000);
    let mut fired = 0;
    for agent in [agent, huge.as_str(), ""] {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "example.com"),
            ("user-agent", agent),
            ("accept", "*/*"),
            ("accept-encoding", "gzip, br, zstd"),
            ("cookie", "session=1"),
            ("sec-ch-ua", "\"Chromium\";v=\"146\", \"Not.A/Brand\";v=\"8\""),
            ("accept", "text/html;q=0.1"),
            ("x-unknown-to-the-model", "value"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        for client in [Some([192, 0, 2, 1].into()), Some("2001:db8::1".parse().unwrap()), None] {
            let path = "/wp-content/.env";
            let request = RequestView::new("GET", path, Version::HTTP_11, &headers)
                .with_client(client)
                .with_tls(true)
                .with_ja4(Some("t13d1516h2_8daaf6152771_b186095e22b6"))
                .with_http2(Some("1:65536;2:0|15663105|0|m,a,s,p"))
                .with_crawler(CrawlerClaim::Unverified);
            // The first load of a thread makes it known to arc-swap.
            let _ = engine.evaluate(&request);
            let info = allocation_counter::measure(|| {
                for _ in 0..20 {
                    fired += engine.evaluate(&request).fired.len();
                }
            });
            assert_eq!(info.count_total, 0);
        }
    }
    assert!(fired > 9 * 20 * 16, "rows of most kinds fired: {fired}");
    assert_eq!((engine.faults(), engine.counters().scored), (0, 9 * 21));
}

//! Any rows on any request: scored without a panic, as the plain reading of each row by itself does.
#![no_main]

#[path = "../../tests/naive/reading.rs"]
mod reading;

use arbitrary::Arbitrary;
use greenlight_artifact::{Draft, Feature, Key, Row, Schema};
use greenlight_bot::{ClientActivity, CompiledModel, CrawlerClaim, RequestView};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    rows: Vec<(u8, &'a str, i16)>,
    method: &'a str,
    path: &'a str,
    version: u8,
    headers: Vec<(Name<'a>, &'a [u8])>,
    client: Option<[u8; 16]>,
    tls: bool,
    ja4: Option<&'a str>,
    http2: Option<&'a str>,
    crawler: u8,
    activity: (u64, u64, Option<u64>, Option<u64>),
}

/// A name that signals look at, or any other.
#[derive(Arbitrary, Debug)]
enum Name<'a> {
    Known(u8),
    Other(&'a [u8]),
}

const NAMES: [&str; 12] = [
    "user-agent",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "accept-language",
    "te",
    "cookie",
    "upgrade",
    "authorization",
    "via",
    "host",
    "connection",
];

fuzz_target!(|input: Input<'_>| {
    let kinds: Vec<&str> = Feature::kind_names().collect();
    let rows =
        input.rows.iter().take(40).enumerate().filter_map(|(index, (kind, argument, weight))| {
            let feature = Feature::parse(kinds[usize::from(*kind) % kinds.len()], argument).ok()?;
            let key = Key::from_text(&format!("k{index:03}"), index).ok()?;
            Some(Row::of(key, &feature, weight % 10_001))
        });
    let draft = Draft {
        intercept: 0,
        engine: 1,
        created_at: 0,
        label: String::new(),
        rows: rows.collect(),
    };
    let Ok(artifact) = draft.encode(&[Schema::ENGINE_1]) else { return };
    let model = CompiledModel::compile(&artifact).expect("every kind of engine 1 compiles");

    let mut headers = HeaderMap::new();
    for (name, value) in input.headers.iter().take(100) {
        let name = match name {
            Name::Known(index) => HeaderName::from_static(NAMES[usize::from(*index) % NAMES.len()]),
            Name::Other(name) => match HeaderName::from_bytes(name) {
                Ok(name) => name,
                Err(_) => continue,
            },
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    let versions =
        [Version::HTTP_09, Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3];
    let claims = [
        CrawlerClaim::None,
        CrawlerClaim::Undecided,
        CrawlerClaim::Verified,
        CrawlerClaim::Unverified,
    ];
    let version = versions[usize::from(input.version) % versions.len()];
    let view = RequestView::new(input.method, input.path, version, &headers)
        .with_client(input.client.map(|bytes| std::net::IpAddr::from(bytes).to_canonical()))
        .with_tls(input.tls)
        .with_ja4(input.ja4)
        .with_http2(input.http2)
        .with_crawler(claims[usize::from(input.crawler) % claims.len()]);
    let mut activity = ClientActivity::of_rate(input.activity.0);
    activity.distinct_paths = input.activity.1;
    activity.error_percent = input.activity.2;
    activity.gap_variation_percent = input.activity.3;

    let scored = model.score(&view, &activity);
    for (index, row) in (0_u8..).zip(artifact.rows()) {
        let feature = Feature::of_row(&row).expect("a kind of engine 1");
        assert_eq!(
            scored.fired.contains(index),
            reading::fires(&feature, &view, &activity),
            "{feature:?}"
        );
    }
});

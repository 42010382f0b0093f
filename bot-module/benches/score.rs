//! What scoring a real browser's request costs, by the number of rows.
//!
//! `score/N` is the model alone, `evaluate/200` the engine around it (clock, request rate, swap guard), `compile/200`
//! what adoption waits for. Rows are drawn evenly from those below, of every kind, and from the sample artifact's
//! source; the request is the sample's Chrome. `score/sample` is the sample artifact as it is.
//!
//! After the benchmarks, `score/200`, `score/sample` and `evaluate/200` are timed call by call for their percentiles,
//! which include the clock's 25 ns.
//!
//! With `--callgrind` nothing is measured but `score/200` run a thousand times, for valgrind to count instructions in:
//! `make bench` does.
#![allow(missing_docs, reason = "criterion's macros define public items")]
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a benchmark over its own data"
)]

use std::{hint::black_box, net::IpAddr, time::Instant};

use criterion::{BenchmarkId, Criterion, criterion_group};
use greenlight_artifact::{Feature, MAX_ROWS, Schema, ValidArtifact, source::Source};
use greenlight_bot::{ClientActivity, CompiledModel, Engine, EngineLimits, RequestView};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use rows::{features, numbered};

#[path = "../tests/support/rows.rs"]
mod rows;

const SAMPLE: &str = include_str!("../../config/sample.json");
const BROWSER: &str = include_str!("../../config/sample/browser.json");

const MORE: [(&str, &str); 46] = [
    ("path-prefix", "/wp-"),
    ("path-prefix", "/cgi-bin/"),
    ("path-prefix", "/.well-known/"),
    ("path-prefix", "/phpmyadmin"),
    ("path-contains", ".env"),
    ("path-contains", "/.git/"),
    ("path-contains", "../"),
    ("path-contains", "eval("),
    ("client-cidr-v4", "192.0.2.0/24"),
    ("client-cidr-v4", "198.51.0.0/16"),
    ("client-cidr-v4", "203.0.113.7/32"),
    ("client-cidr-v6", "2001:db8::/32"),
    ("client-cidr-v6", "2001:db8:1::/48"),
    ("method", "HEAD"),
    ("method", "TRACE"),
    ("http-version", "10"),
    ("header-equals", "accept:*/*"),
    ("header-equals", "connection:close"),
    ("header-present", "x-requested-with"),
    ("header-contains", "sec-ch-ua:headlesschrome"),
    ("ua-longer-than", "300"),
    ("ua-shorter-than", "20"),
    ("crawler-unverified", ""),
    ("hints-missing", ""),
    ("hints-contradict", ""),
    ("header-count-over", "30"),
    ("header-count-under", "6"),
    ("header-longer-than", "1000"),
    ("header-repeated", ""),
    ("header-order", "^hua$"),
    ("header-order", "^hue$"),
    ("header-order", "^hueac$"),
    ("header-order", "^hcbmpguasfvdel$"),
    ("accept-language-malformed", ""),
    ("http1-fields", ""),
    ("path-depth-over", "8"),
    ("path-entropy-over", "480"),
    ("scanner-path", ""),
    ("request-rate", "20"),
    ("distinct-paths-over", "100"),
    ("error-ratio-over", "50"),
    ("gap-variation-under", "5"),
    ("ja4-contains", "t13d1516h2_8daaf6152771"),
    ("ja4-contains", "t13d3112h2"),
    ("http2-contains", "1:65536;2:0;4:6291456"),
    ("http2-contains", "m,p,s,a"),
];

fn sample() -> ValidArtifact {
    Source::from_json(SAMPLE).unwrap().encode(&[Schema::ENGINE_1]).unwrap()
}

fn artifact(rows: usize) -> ValidArtifact {
    let sample: Vec<Feature> = sample().rows().map(|row| Feature::of_row(&row).unwrap()).collect();
    let fill = MAX_ROWS - MORE.len();
    let sampled = (0..fill).map(|row| sample[row * sample.len() / fill].clone());
    let all: Vec<Feature> = sampled.chain(features(&MORE)).collect();
    numbered((0..rows).map(|row| all[row * all.len() / rows].clone()))
}

fn browser() -> HeaderMap {
    let fields: Vec<(String, String)> = serde_json::from_str(BROWSER).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("shop.example.com"));
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(&value).unwrap());
    }
    headers
}

fn request(headers: &HeaderMap) -> RequestView<'_> {
    let client = Some(IpAddr::from([198, 51, 100, 23]));
    RequestView::new("GET", "/news/2026/11/opening-hours", Version::HTTP_11, headers)
        .with_client(client)
        .with_tls(true)
        .with_ja4(Some("t13d1516h2_8daaf6152771_b186095e22b6"))
        .with_http2(Some("1:65536;2:0;4:6291456;6:262144|15663105|0|m,a,s,p"))
}

/// A client of which all is known.
fn activity() -> ClientActivity {
    let mut activity = ClientActivity::of_rate(1);
    activity.distinct_paths = 12;
    activity.error_percent = Some(3);
    activity.gap_variation_percent = Some(140);
    activity
}

fn engine() -> Engine {
    let engine = Engine::new(EngineLimits::default());
    engine.install(CompiledModel::compile(&artifact(200)).unwrap());
    engine
}

fn score(criterion: &mut Criterion) {
    let headers = browser();
    let request = request(&headers);
    let mut group = criterion.benchmark_group("score");
    let drawn = [10, 50, 100, 200].map(|rows| (rows.to_string(), artifact(rows)));
    for (name, artifact) in drawn.into_iter().chain([("sample".into(), sample())]) {
        let model = CompiledModel::compile(&artifact).unwrap();
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| model.score(black_box(&request), black_box(&activity())));
        });
    }
    group.finish();
}

fn evaluate(criterion: &mut Criterion) {
    let headers = browser();
    let engine = engine();
    criterion.bench_function("evaluate/200", |bencher| {
        bencher.iter(|| engine.evaluate(black_box(&request(&headers))));
    });
}

fn compile(criterion: &mut Criterion) {
    let artifact = artifact(200);
    criterion.bench_function("compile/200", |bencher| {
        bencher.iter(|| CompiledModel::compile(black_box(&artifact)).unwrap());
    });
}

fn percentiles<T>(name: &str, mut call: impl FnMut() -> T) {
    let mut nanoseconds: Vec<u128> = (0..1_000_000)
        .map(|_| {
            let begun = Instant::now();
            black_box(call());
            begun.elapsed().as_nanos()
        })
        .collect();
    nanoseconds.sort_unstable();
    let at = |per_mille: usize| nanoseconds[nanoseconds.len() * per_mille / 1_000];
    let (p50, p99, p999) = (at(500), at(990), at(999));
    println!("{name} call by call: p50 {p50} ns, p99 {p99} ns, p99.9 {p999} ns");
}

/// What callgrind counts in. A function by itself, so that it can be told by its name.
#[inline(never)]
fn score_a_thousand_times(model: &CompiledModel, request: &RequestView<'_>) {
    for _ in 0..1_000 {
        black_box(model.score(black_box(request), black_box(&activity())));
    }
}

criterion_group!(benches, score, evaluate, compile);

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let headers = browser();
    let model = CompiledModel::compile(&artifact(200)).unwrap();
    if has("--callgrind") {
        score_a_thousand_times(&model, &request(&headers));
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    // `cargo test --benches` only asks whether the benchmarks run.
    if !has("--test") {
        let view = request(&headers);
        percentiles("score/200", || model.score(black_box(&view), black_box(&activity())));
        let sample = CompiledModel::compile(&sample()).unwrap();
        percentiles("score/sample", || sample.score(black_box(&view), black_box(&activity())));
        let engine = engine();
        percentiles("evaluate/200", || engine.evaluate(black_box(&request(&headers))));
    }
}

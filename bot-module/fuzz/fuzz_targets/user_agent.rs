//! Any user agent and any client hints: read without a panic, and as the plain reading does.
#![no_main]

#[path = "../../tests/naive/reading.rs"]
mod reading;

use std::sync::LazyLock;

use greenlight_artifact::{Draft, Feature, Key, Row, Schema, ValidArtifact};
use greenlight_bot::{ClientActivity, CompiledModel, RequestView};
use http::{HeaderMap, HeaderValue, Version};
use libfuzzer_sys::fuzz_target;

static MODEL: LazyLock<(ValidArtifact, CompiledModel)> = LazyLock::new(|| {
    let kinds = [
        ("hints-missing", ""),
        ("hints-contradict", ""),
        ("ua-longer-than", "30"),
        ("ua-shorter-than", "30"),
        ("ua-contains", "chrome/"),
    ];
    let rows = kinds.iter().enumerate().map(|(index, (kind, argument))| {
        let key = Key::from_text(&format!("k{index}"), index).expect("a key");
        Row::of(key, &Feature::parse(kind, argument).expect("a feature"), 1)
    });
    let draft = Draft {
        intercept: 0,
        engine: 1,
        created_at: 0,
        label: String::new(),
        rows: rows.collect(),
    };
    let artifact = draft.encode(&[Schema::ENGINE_1]).expect("an artifact");
    let model = CompiledModel::compile(&artifact).expect("a model");
    (artifact, model)
});

const NAMES: [&str; 4] = ["user-agent", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"];

// Lines: user agent, brands, mobile, platform; more than these repeat a field.
fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    for (name, value) in NAMES.iter().cycle().zip(bytes.split(|byte| *byte == b'\n').take(8)) {
        // A line of one NUL leaves its field out.
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(*name, value);
        }
    }
    let (artifact, model) = &*MODEL;
    let view = RequestView::new("GET", "/", Version::HTTP_11, &headers).with_tls(true);
    let activity = ClientActivity::default();
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

//! Any fields in any order: a word of bounded length and a known alphabet, which a row with it finds.
#![no_main]

use greenlight_artifact::{
    Draft, Feature, HEADER_ORDER_CODES, HEADER_ORDER_MOST, Key, Row, Schema,
};
use greenlight_bot::{ClientActivity, CompiledModel, HeaderOrder, RequestView};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use libfuzzer_sys::fuzz_target;

// Each byte is a field: one that has a letter, or another; the highest bit removes it.
fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    for byte in bytes.iter().take(400) {
        let place = usize::from(byte & 0x7f);
        let name = match HEADER_ORDER_CODES.get(place) {
            Some((_, name)) => HeaderName::from_static(name),
            None => HeaderName::from_bytes(format!("x-{place}").as_bytes()).expect("a name"),
        };
        if byte & 0x80 == 0 {
            headers.append(name, HeaderValue::from_static("x"));
        } else {
            headers.remove(name);
        }
    }
    let order = HeaderOrder::of(&headers);
    let word = order.as_str();
    let fields = word.trim_start_matches('^').trim_end_matches('$');
    assert_eq!(fields.len(), headers.keys_len().min(HEADER_ORDER_MOST));
    assert_eq!(word.ends_with('$'), headers.keys_len() <= HEADER_ORDER_MOST);
    assert!(
        fields
            .bytes()
            .all(|byte| byte == b'.' || HEADER_ORDER_CODES.iter().any(|(code, _)| *code == byte))
    );

    // The end of the word, which a row has room for.
    let end = &word[word.len().saturating_sub(28)..];
    let row = Row::of(Key::from_text("k", 0).expect("a key"), &Feature::HeaderOrder(end.into()), 1);
    let draft =
        Draft { intercept: 0, engine: 1, created_at: 0, label: String::new(), rows: vec![row] };
    let model = CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).expect("an artifact"))
        .expect("a model");
    let view = RequestView::new("GET", "/", Version::HTTP_11, &headers);
    assert_eq!(model.score(&view, &ClientActivity::default()).fired.len(), 1);
});

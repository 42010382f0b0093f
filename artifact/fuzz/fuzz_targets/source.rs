//! Any text as a source: refused with a place, or a draft whose artifact reads back as that draft.
#![no_main]

use greenlight_artifact::{Schema, source::Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for source in [Source::from_json(text), Source::from_csv(text)].into_iter().flatten() {
        let _ = source.encode(&[Schema::ENGINE_1]);
    }
});

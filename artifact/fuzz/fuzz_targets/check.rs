//! Any bytes: refused with a typed defect, or an artifact that encodes back to the same bytes.
#![no_main]

use greenlight_artifact::{Draft, Schema, ValidArtifact};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(artifact) = ValidArtifact::check(bytes, &[Schema::ENGINE_1]) {
        let again = Draft::from(&artifact)
            .encode(&[Schema::ENGINE_1])
            .expect("what was accepted encodes again");
        assert_eq!(again.bytes(), bytes);
    }
});

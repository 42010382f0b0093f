use std::collections::BTreeMap;

use greenlight_artifact::{Defect, Schema, ValidArtifact};
use rayon::prelude::*;

use super::{accepted, broken, committed, evm::CalldataVerifier, generate::Generator, values};

/// That the contract says what the checker says, and the circuit whether there is a defect; the checker's code.
fn agree(bytes: &[u8], schema: &Schema, name: &str) -> u8 {
    let defect = ValidArtifact::check(bytes, &[*schema]).err();
    let code = defect.as_ref().map_or(0, Defect::code);
    let row = defect.as_ref().and_then(Defect::row).unwrap_or(0);
    assert_eq!(CalldataVerifier::new(schema).judge(bytes), (code, row), "{name}: {defect:?}");
    if committed(bytes) {
        let broken = broken(&values(bytes, schema), bytes.len() / 64 - 1);
        assert_eq!(
            broken.is_none(),
            accepted(bytes, schema),
            "{name}: {code}, constraint {broken:?}, {schema:?}, 0x{}",
            hex::encode(bytes)
        );
    }
    code
}

#[test]
fn vectors_are_judged_alike() {
    let corpus: serde_json::Value =
        serde_json::from_str(include_str!("../../../artifact/vectors/v1.json")).unwrap();
    corpus["cases"].as_array().unwrap().par_iter().for_each(|case| {
        let bytes = |field: &str| {
            hex::decode(case[field].as_str().unwrap().strip_prefix("0x").unwrap()).unwrap()
        };
        let schema = Schema {
            engine: 1,
            word: bytes("schema").try_into().unwrap(),
            budget: u32::try_from(case["budget"].as_u64().unwrap()).unwrap(),
        };
        agree(&bytes("bytes"), &schema, case["name"].as_str().unwrap());
    });
}

#[test]
fn ten_thousand_artifacts_are_judged_alike() {
    let codes = (0..10_000_u64)
        .into_par_iter()
        .map(|seed| {
            let (bytes, schema) = Generator::new(seed).case();
            BTreeMap::from([(agree(&bytes, &schema, &format!("seed {seed}")), 1)])
        })
        .reduce(BTreeMap::new, |mut sum, more| {
            for (code, times) in more {
                *sum.entry(code).or_insert(0) += times;
            }
            sum
        });
    println!("{codes:?}");
    // Every code but that of the size, which no circuit sees, and enough that is good.
    for code in 2..=16 {
        assert!(codes.get(&code).is_some_and(|times| *times > 10), "{code}: {codes:?}");
    }
    assert!(codes[&0] > 2_000, "{codes:?}");
}

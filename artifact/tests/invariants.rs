//! The format's invariants: what is accepted, what is refused and how it says so.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

use greenlight_artifact::{
    Cidr, Defect, Digest, Draft, Feature, HEADER_LEN, HeaderTest, Key, MAX_LABEL_LEN, MAX_LEN,
    MAX_WEIGHT, ROW_LEN, Row, Schema, ValidArtifact,
};
use proptest::{collection::btree_map, prelude::*};

const SCHEMAS: &[Schema] = &[Schema::ENGINE_1];

fn key() -> impl Strategy<Value = Key> {
    "[a-z][a-z0-9_.-]{0,30}".prop_map(|text| Key::from_text(&text, 0).unwrap())
}

fn feature() -> impl Strategy<Value = Feature> {
    let name = "[a-z0-9-]{1,10}";
    let value = "[ -@\\[-~]{1,17}";
    let numeric: [fn(u64) -> Feature; 12] = [
        Feature::UserAgentLongerThan,
        Feature::UserAgentShorterThan,
        Feature::HeaderCountOver,
        Feature::HeaderCountUnder,
        Feature::HeaderLongerThan,
        Feature::PathDepthOver,
        Feature::PathEntropyOver,
        Feature::RequestRate,
        Feature::DistinctPathsOver,
        Feature::ErrorRatioOver,
        Feature::GapVariationUnder,
        Feature::HttpVersion,
    ];
    let plain = vec![
        Feature::CrawlerUnverified,
        Feature::HintsMissing,
        Feature::HintsContradict,
        Feature::HeaderRepeated,
        Feature::AcceptLanguageMalformed,
        Feature::Http1Fields,
        Feature::ScannerPath,
    ];
    prop_oneof![
        "[ -@\\[-~]{1,28}".prop_map(Feature::UserAgentContains),
        Just(Feature::UserAgentEmpty),
        name.prop_map(|name| Feature::Header { name, test: HeaderTest::Present }),
        name.prop_map(|name| Feature::Header { name, test: HeaderTest::Absent }),
        (name, value)
            .prop_map(|(name, value)| Feature::Header { name, test: HeaderTest::Equals(value) }),
        (name, value)
            .prop_map(|(name, value)| Feature::Header { name, test: HeaderTest::Contains(value) }),
        "[!-~]{1,28}".prop_map(Feature::Method),
        "[!-~]{1,28}".prop_map(Feature::PathPrefix),
        "[!-~]{1,28}".prop_map(Feature::PathContains),
        (any::<u32>(), 0..=32_u8).prop_map(|(address, prefix)| {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            Feature::Client(Cidr {
                address: std::net::Ipv4Addr::from(address & mask).into(),
                prefix,
            })
        }),
        (any::<u128>(), 0..=128_u8).prop_map(|(address, prefix)| {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            Feature::Client(Cidr {
                address: std::net::Ipv6Addr::from(address & mask).into(),
                prefix,
            })
        }),
        "[ -@\\[-~]{1,28}".prop_map(Feature::HeaderOrder),
        "[!-~]{1,28}".prop_map(Feature::Ja4Contains),
        "[!-~]{1,28}".prop_map(Feature::Http2Contains),
        (proptest::sample::select(numeric.to_vec()), 1..=u64::MAX)
            .prop_map(|(of, number)| of(number)),
        proptest::sample::select(plain),
    ]
}

prop_compose! {
    /// Any draft whose rows are legal; 120 rows of the dearest kind still fit the budget.
    fn draft()(
        intercept in any::<i32>(),
        created_at in any::<u64>(),
        label in "[ -~]{0,31}",
        rows in btree_map(key(), (feature(), -MAX_WEIGHT..=MAX_WEIGHT), 1..120),
    ) -> Draft {
        let rows = rows.iter().map(|(key, (feature, weight))| Row::of(*key, feature, *weight)).collect();
        Draft { intercept, engine: 1, created_at, label, rows }
    }
}

fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

proptest! {
    #[test]
    fn decode_of_encode_is_identity(draft in draft()) {
        let encoded = draft.encode(SCHEMAS).unwrap();
        prop_assert_eq!(Draft::from(&encoded), draft.clone());
        let again = ValidArtifact::check(encoded.bytes(), SCHEMAS).unwrap();
        prop_assert_eq!(again.digest(), encoded.digest());
        for (row, given) in again.rows().zip(&draft.rows) {
            let feature = Feature::of_row(&row).unwrap();
            prop_assert_eq!(Feature::parse(feature.kind_name(), &feature.argument_text()).unwrap(), feature.clone());
            prop_assert_eq!(Row::of(row.key, &feature, row.weight), *given);
        }
    }

    #[test]
    fn rows_in_any_order_have_one_encoding(draft in draft(), seed in any::<u64>()) {
        let mut shuffled = draft.clone();
        shuffled.rows.sort_by_key(|row| Digest::of(&[row.key.word().as_slice(), &seed.to_be_bytes()].concat()));
        prop_assert_eq!(shuffled.encode(SCHEMAS).unwrap(), draft.encode(SCHEMAS).unwrap());
    }

    #[test]
    fn no_byte_string_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2 * MAX_LEN)) {
        let _ = ValidArtifact::check(&bytes, SCHEMAS);
    }

    #[test]
    fn no_rows_of_noise_panic(draft in draft(), noise in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..40)) {
        let mut bytes = draft.encode(SCHEMAS).unwrap().bytes().to_vec();
        for (at, byte) in noise {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = ValidArtifact::check(&bytes, SCHEMAS);
    }

    #[test]
    fn a_flipped_bit_is_refused_or_changes_the_digest(draft in draft(), bit in any::<usize>()) {
        let good = draft.encode(SCHEMAS).unwrap();
        let mut bytes = good.bytes().to_vec();
        flip(&mut bytes, bit);
        if let Ok(other) = ValidArtifact::check(&bytes, SCHEMAS) {
            prop_assert_ne!(other.digest(), good.digest());
        }
    }
}

fn small() -> Draft {
    let row = |key: &str, feature: &Feature| Row::of(Key::from_text(key, 0).unwrap(), feature, 100);
    Draft {
        intercept: -2_000,
        engine: 1,
        created_at: 1_763_424_000,
        label: "small".into(),
        rows: vec![
            row("a", &Feature::UserAgentEmpty),
            row("b", &Feature::UserAgentContains("curl/".into())),
        ],
    }
}

#[test]
fn every_flipped_bit_of_a_small_artifact_is_refused_or_changes_the_digest() {
    let good = small().encode(SCHEMAS).unwrap();
    for bit in 0..good.bytes().len() * 8 {
        let mut bytes = good.bytes().to_vec();
        flip(&mut bytes, bit);
        if let Ok(other) = ValidArtifact::check(&bytes, SCHEMAS) {
            assert_ne!(other.digest(), good.digest(), "bit {bit}");
        }
    }
}

#[test]
fn a_doubled_file_is_refused_by_size_and_within_the_size_by_its_keys() {
    let doubled = |rows: usize| {
        let mut bytes = Draft {
            rows: (0..rows)
                .map(|n| {
                    Row::of(
                        Key::from_text(&format!("r{n:03}"), 0).unwrap(),
                        &Feature::UserAgentEmpty,
                        1,
                    )
                })
                .collect(),
            ..small()
        }
        .encode(SCHEMAS)
        .unwrap()
        .bytes()
        .to_vec();
        let rows = bytes.split_off(HEADER_LEN);
        for row in rows.chunks(ROW_LEN) {
            bytes.extend([row, row].concat());
        }
        let count = u16::try_from((bytes.len() - HEADER_LEN) / ROW_LEN).unwrap();
        bytes[6..8].copy_from_slice(&count.to_be_bytes());
        ValidArtifact::check(&bytes, SCHEMAS).unwrap_err()
    };
    assert_eq!(doubled(150), Defect::Size { found: 19_264 });
    assert!(matches!(doubled(100), Defect::KeyDuplicate { row: 1, .. }));
}

#[test]
fn a_draft_that_cannot_be_encoded_says_why() {
    let rows = (0..201).map(|n| {
        Row::of(Key::from_text(&format!("r{n}"), 0).unwrap(), &Feature::UserAgentEmpty, 1)
    });
    let too_many = Draft { rows: rows.collect(), ..small() };
    assert_eq!(too_many.encode(SCHEMAS), Err(Defect::Size { found: 12_928 }));
    let long = Draft { label: "x".repeat(MAX_LABEL_LEN + 1), ..small() };
    assert_eq!(long.encode(SCHEMAS), Err(Defect::Label { at: 31, found: b'x' }));
    let unknown = Draft { engine: 7, ..small() };
    assert_eq!(unknown.encode(SCHEMAS), Err(Defect::Engine { expected: 1, found: 7 }));
    let empty = Draft { rows: vec![], ..small() };
    assert_eq!(empty.encode(SCHEMAS), Err(Defect::Size { found: 64 }));
}

#[test]
fn a_defect_says_row_field_expected_and_found() {
    let mut bytes = small().encode(SCHEMAS).unwrap().bytes().to_vec();
    bytes[HEADER_LEN + ROW_LEN + 34..][..2].copy_from_slice(&20_000_i16.to_be_bytes());
    let defect = ValidArtifact::check(&bytes, SCHEMAS).unwrap_err();
    assert_eq!(defect.to_string(), "row 1, weight: expected -10000 to 10000; found 20000");
    assert_eq!((defect.code(), defect.reason(), defect.row()), (15, "weight", Some(1)));
}

#[test]
fn codes_and_reasons_are_one_to_one() {
    let reasons: std::collections::BTreeSet<_> =
        (1..=16).map(|code| Defect::reason_of(code).unwrap()).collect();
    assert_eq!(reasons.len(), 16);
    assert_eq!((Defect::reason_of(0), Defect::reason_of(17)), (None, None));
}

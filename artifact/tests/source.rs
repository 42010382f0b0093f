//! Sources: what is read, and where each mistake is said to lie.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

use greenlight_artifact::{Feature, HeaderTest, Schema, source::Source};

const JSON: &str = r#"{
  "label": "weekly", "intercept": -2000, "created_at": 1763700000,
  "rows": [
    { "key": "ua.curl", "kind": "ua-contains", "arg": "curl/", "weight": 4000 },
    { "key": "h.lang", "kind": "header-absent", "arg": "accept-language", "weight": 1200 },
    { "key": "ua.none", "kind": "ua-empty", "weight": 3000 }
  ]
}
"#;

const CSV: &str = "# label: weekly
# intercept: -2000
# created_at: 1763700000
key,kind,arg,weight
ua.curl,ua-contains,curl/,4000
h.lang,header-absent,accept-language,1200
ua.none,ua-empty,,3000
";

#[test]
fn json_and_csv_of_one_table_make_one_artifact() {
    let json = Source::from_json(JSON).unwrap().encode(&[Schema::ENGINE_1]).unwrap();
    let csv = Source::from_csv(CSV).unwrap().encode(&[Schema::ENGINE_1]).unwrap();
    assert_eq!(json.digest(), csv.digest());
    let first = json.rows().next().unwrap();
    let lang = Feature::Header { name: "accept-language".into(), test: HeaderTest::Absent };
    assert_eq!((first.key.as_str(), Feature::of_row(&first)), ("h.lang", Some(lang)));
    assert_eq!(json.header().label, "weekly");
}

/// A change to a good source, and what must be said of it.
fn refusals(
    good: &str,
    read: fn(&str) -> Result<Source, greenlight_artifact::source::SourceError>,
    cases: &[[&str; 4]],
) {
    for [from, to, reason, message] in cases {
        assert!(good.contains(from), "{from:?} is not in the source");
        let bad = good.replacen(from, to, 1);
        let error = read(&bad).and_then(|source| source.encode(&[Schema::ENGINE_1])).unwrap_err();
        assert_eq!(
            (error.reason(), error.to_string().as_str()),
            (*reason, *message),
            "{from:?} -> {to:?}"
        );
    }
}

#[test]
fn json_mistakes_say_where_they_lie() {
    refusals(
        JSON,
        Source::from_json,
        &[
            ["{\n", "[\n", "syntax", "line 2, column 10: expected `,` or `]`"],
            ["-2000,", "-2000", "syntax", "line 2, column 41: expected `,` or `}`"],
            [", \"weight\": 4000", "", "syntax", "line 4, column 63: missing field `weight`"],
            [
                "\"weight\": 4000",
                "\"wieght\": 4000",
                "syntax",
                "line 4, column 71: unknown field `wieght`, expected one of `key`, `kind`, `arg`, `weight`",
            ],
            [
                "\"key\": \"h.lang\"",
                "\"key\": \"h.lang\", \"key\": \"x\"",
                "syntax",
                "line 5, column 28: duplicate field `key`",
            ],
            [
                "4000",
                "4000.5",
                "value",
                "line 4, column 74: `weight`: expected a whole number; found 4000.5",
            ],
            [
                "4000",
                "null",
                "value",
                "line 4, column 74: `weight`: expected a whole number; found null",
            ],
            ["4000", "NaN", "syntax", "line 4, column 74: expected value"],
            [
                "4000",
                "40000",
                "value",
                "line 4, column 74: `weight`: expected a whole number from -10000 to 10000; found 40000",
            ],
            [
                "4000",
                "10001",
                "weight",
                "line 4, column 14: row 1, weight: expected -10000 to 10000; found 10001",
            ],
            [
                "\"curl/\"",
                "null",
                "value",
                "line 4, column 55: `arg`: expected a string; found null",
            ],
            [
                "\"curl/\"",
                "\"Curl/\"",
                "argument",
                "line 4, column 14: row 1, argument (Token): byte 0: expected printable ASCII without A-Z, then zeros; found 0x43",
            ],
            [
                "\"curl/\"",
                "\"a text that is over its bound\"",
                "argument",
                "line 4, column 55: arg of ua-contains: expected at most 28 bytes, none of them zero; found \"a text that is over its bound\"",
            ],
            [
                "\"ua-contains\"",
                "\"ua-regex\"",
                "kind",
                "line 4, column 33: kind: expected one of ua-contains, ua-empty, ua-longer-than, ua-shorter-than, crawler-unverified, hints-missing, hints-contradict, header-present, header-absent, header-equals, header-contains, header-count-over, header-count-under, header-longer-than, header-repeated, header-order, accept-language-malformed, http1-fields, method, path-prefix, path-contains, path-depth-over, path-entropy-over, scanner-path, client-cidr-v4, client-cidr-v6, request-rate, distinct-paths-over, error-ratio-over, gap-variation-under, ja4-contains, http2-contains, http-version; found \"ua-regex\"",
            ],
            [
                "\"ua.curl\"",
                "\"UA.curl\"",
                "key-pattern",
                "line 4, column 14: row 0, key, byte 0: expected ^[a-z][a-z0-9_.-]{0,30}$, then zeros; found 0x55",
            ],
            [
                "\"ua.curl\"",
                "\"ua.none\"",
                "key-duplicate",
                "line 6, column 14: key: expected each key once; found ua.none again, first at line 4, column 14",
            ],
            [
                "\"weekly\"",
                "null",
                "value",
                "line 2, column 12: `label`: expected a string; found null",
            ],
            [
                "\"weekly\"",
                "\"wöchentlich\"",
                "label",
                "line 1, column 1: header, label, byte 1: expected printable ASCII, then zeros; found 0xc3",
            ],
            [
                "-2000",
                "3000000000",
                "value",
                "line 2, column 35: `intercept`: expected a whole number of 32 bits; found 3000000000",
            ],
        ],
    );
    assert_eq!(Source::from_json("").unwrap_err().reason(), "syntax");
    let empty = JSON.split("\"rows\"").next().unwrap().to_owned() + "\"rows\": [] }";
    let error = Source::from_json(&empty).unwrap().encode(&[Schema::ENGINE_1]).unwrap_err();
    assert_eq!(error.reason(), "size");
}

#[test]
fn csv_mistakes_say_where_they_lie() {
    refusals(
        CSV,
        Source::from_csv,
        &[
            ["# label: weekly", "# label", "syntax", "line 1, column 1: expected `# name: value`"],
            [
                "# label",
                "# lable",
                "value",
                "line 1, column 1: `metadata`: expected label, engine, intercept or created_at; found lable",
            ],
            [
                "# label: weekly",
                "# intercept: 1",
                "syntax",
                "line 2, column 1: `intercept` is given twice",
            ],
            [
                "# intercept: -2000\n",
                "",
                "missing",
                "line 1, column 1: expected field `intercept`; found none",
            ],
            [
                "-2000",
                "",
                "value",
                "line 2, column 1: `intercept`: expected a whole number of 32 bits; found ",
            ],
            [
                "key,kind,arg,weight",
                "key,kind,weight,arg",
                "value",
                "line 4, column 1: `header line`: expected key,kind,arg,weight; found key,kind,weight,arg",
            ],
            [
                "ua.curl,ua-contains,curl/,4000",
                "ua.curl,ua-contains,curl/",
                "syntax",
                "line 5, column 1: CSV error: record 1 (line: 2, byte: 20): found record with 3 fields, but the previous record has 4 fields",
            ],
            [
                "4000",
                "many",
                "value",
                "line 5, column 4: `weight`: expected a whole number; found many",
            ],
            ["4000", "", "value", "line 5, column 4: `weight`: expected a whole number; found "],
            [
                "ua-empty,,",
                "ua-empty,x,",
                "argument",
                "line 7, column 3: arg of ua-empty: expected nothing; found \"x\"",
            ],
            [
                "ua-empty,,",
                "ua-longer-than,0,",
                "argument",
                "line 7, column 3: arg of ua-longer-than: expected a whole number from 1 on; found \"0\"",
            ],
            [
                "h.lang",
                "ua.curl",
                "key-duplicate",
                "line 6, column 1: key: expected each key once; found ua.curl again, first at line 5, column 1",
            ],
            [
                "accept-language",
                "accept_language",
                "argument",
                "line 6, column 1: row 0, argument (Header): byte 6: expected a field name of a-z, 0-9 and -, then zeros; found 0x5f",
            ],
        ],
    );
    assert_eq!(Source::from_csv("").unwrap_err().reason(), "value");
}

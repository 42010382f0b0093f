//! The compiled tables against the plainest reading of the format: one row after the other, each by itself.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

mod reading;

use std::net::IpAddr;

use greenlight_artifact::{Cidr, Draft, Feature, HeaderTest, Key, Row, Schema, ValidArtifact};
use greenlight_bot::{ClientActivity, CompiledModel, CrawlerClaim, RequestView, Score};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use proptest::{collection::vec, prelude::*, sample::select};

/// Few letters, so that texts overlap, nest and repeat; and all else that a text may hold.
fn folded_text(most: usize) -> impl Strategy<Value = String> {
    let few = vec(select(vec!['a', 'b', '/']), 1..=most);
    let any = vec(prop::char::range(' ', '~').prop_map(|char| char.to_ascii_lowercase()), 1..=most);
    prop_oneof![3 => few, 1 => any].prop_map(|chars| chars.into_iter().collect())
}

fn exact_text(most: usize) -> impl Strategy<Value = String> {
    let few = vec(select(vec!['a', 'A', '/']), 1..=most);
    let any = vec(prop::char::range('!', '~'), 1..=most);
    prop_oneof![3 => few, 1 => any].prop_map(|chars| chars.into_iter().collect())
}

fn name() -> impl Strategy<Value = String> {
    let known = select(vec![
        "user-agent",
        "accept",
        "x",
        "accept-language",
        "te",
        "cookie",
        "host",
        "via",
        "authorization",
        "upgrade",
        "connection",
    ])
    .prop_map(str::to_string);
    prop_oneof![4 => known, 1 => "[a-z0-9-]{1,15}"]
}

/// Fields whose values signals read, near to what they may be.
fn telling_field() -> impl Strategy<Value = (String, Vec<u8>)> {
    let agent = (
        select(vec![
            "Windows NT 10.0",
            "Macintosh",
            "X11; Linux",
            "X11; CrOS x86",
            "Linux; Android 10",
            "X11",
            "",
        ]),
        select(vec![
            "Chrome/90.0",
            "Chrome/89",
            "Chrome/147.0.0.0",
            "HeadlessChrome/147",
            "Firefox/1",
            "Chrome/",
        ]),
        select(vec!["", " Mobile", " Edg/147", " OPR/1", "; wv)", " Version/4.0", " Electron/1"]),
    )
        .prop_map(|(platform, browser, more)| {
            ("user-agent", format!("Mozilla/5.0 ({platform}) {browser}{more}"))
        });
    let brand = (
        select(vec![
            "Chromium",
            "Google Chrome",
            "HeadlessChrome",
            "Not.A/Brand",
            " Not A;Brand",
            "a\\\"b",
        ]),
        select(vec![
            ";v=\"147\"",
            ";v=\"90\"",
            ";v=\"147.0\"",
            "",
            ";v=147",
            "; x;v=\"147\"",
            ";v",
            " ;v=\"1\"",
            ";v=",
        ]),
    )
        .prop_map(|(name, version)| format!("\"{name}\"{version}"));
    let brands = (vec(brand, 0..4), select(vec![",", ", ", " ,\t", "", ",,"]))
        .prop_map(|(brands, between)| ("sec-ch-ua", brands.join(between)));
    let mobile =
        select(vec!["?0", "?1", "", "1"]).prop_map(|value| ("sec-ch-ua-mobile", value.into()));
    let platform = select(vec![
        "\"Windows\"",
        "\"Linux\"",
        "\"macOS\"",
        "\"Chromium OS\"",
        "\"Android\"",
        "\"\"",
        "Linux",
        "\"a",
    ])
    .prop_map(|value| ("sec-ch-ua-platform", value.into()));
    let range = (
        select(vec!["en", "en-US", "*", "en_US", "abcdefghi", "", " de ", "e1", "en-"]),
        select(vec![
            "",
            ";q=0.5",
            "; q=1",
            ";q=1.5",
            ";Q=0.123",
            ";q=0.1234",
            ";q=1.",
            ";q=",
            ";v=1",
            ";q=1;q=1",
        ]),
    )
        .prop_map(|(range, weight)| format!("{range}{weight}"));
    let language = vec(range, 0..4).prop_map(|ranges| ("accept-language", ranges.join(",")));
    let te =
        select(vec!["trailers", "Trailers", "gzip", ""]).prop_map(|value| ("te", value.into()));
    prop_oneof![3 => agent, 3 => brands, 1 => mobile, 1 => platform, 2 => language, 1 => te]
        .prop_map(|(name, value)| (name.into(), value.into_bytes()))
}

fn client() -> impl Strategy<Value = IpAddr> {
    // Few bits set, so that networks nest and addresses fall into them.
    let v4 = any::<[bool; 6]>().prop_map(|bits| {
        let set = bits.iter().zip([31, 30, 24, 16, 8, 0]).filter(|(bit, _)| **bit);
        IpAddr::V4(set.fold(0_u32, |address, (_, shift)| address | 1 << shift).into())
    });
    let v6 = any::<[bool; 6]>().prop_map(|bits| {
        let set = bits.iter().zip([127, 126, 96, 64, 32, 0]).filter(|(bit, _)| **bit);
        // Not within ::ffff:0:0/96, whose addresses are IPv4's.
        IpAddr::V6(set.fold(1_u128 << 120, |address, (_, shift)| address | 1 << shift).into())
    });
    prop_oneof![v4, v6]
}

fn cidr() -> impl Strategy<Value = Cidr> {
    (client(), 0_u8..=128).prop_map(|(address, prefix)| match address {
        IpAddr::V4(address) => {
            let prefix = prefix.min(32);
            let mask = u32::MAX.checked_shl(u32::from(32 - prefix)).unwrap_or(0);
            Cidr { address: IpAddr::V4((address.to_bits() & mask).into()), prefix }
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(u32::from(128 - prefix)).unwrap_or(0);
            Cidr { address: IpAddr::V6((address.to_bits() & mask).into()), prefix }
        }
    })
}

fn feature() -> impl Strategy<Value = Feature> {
    let header = (name(), 0..4, folded_text(12)).prop_map(|(name, test, value)| {
        let test = match test {
            0 => HeaderTest::Present,
            1 => HeaderTest::Absent,
            2 => HeaderTest::Equals(value),
            _ => HeaderTest::Contains(value),
        };
        Feature::Header { name, test }
    });
    prop_oneof![
        4 => folded_text(28).prop_map(Feature::UserAgentContains),
        1 => Just(Feature::UserAgentEmpty),
        4 => header,
        1 => select(vec!["GET", "get", "POST", "G"]).prop_map(|method| Feature::Method(method.into())),
        2 => exact_text(28).prop_map(Feature::PathPrefix),
        2 => exact_text(28).prop_map(Feature::PathContains),
        2 => cidr().prop_map(Feature::Client),
        1 => (1..6_u64).prop_map(Feature::RequestRate),
        1 => select(vec![10, 11, 12, 20, 30]).prop_map(Feature::HttpVersion),
        10 => signal(),
    ]
}

/// Features of requests as a whole.
fn signal() -> impl Strategy<Value = Feature> {
    let plain = select(vec![
        Feature::CrawlerUnverified,
        Feature::HintsMissing,
        Feature::HintsContradict,
        Feature::HeaderRepeated,
        Feature::AcceptLanguageMalformed,
        Feature::Http1Fields,
        Feature::ScannerPath,
    ]);
    let order = prop_oneof![
        "[\\^]?[huakle.]{1,3}[$]?",
        Just("^$".to_string()),
        select(vec!["^", "$"]).prop_map(str::to_string)
    ];
    prop_oneof![
        4 => plain,
        1 => (1..200_u64).prop_map(Feature::UserAgentLongerThan),
        1 => (1..200_u64).prop_map(Feature::UserAgentShorterThan),
        1 => (1..25_u64).prop_map(Feature::HeaderCountOver),
        1 => (1..25_u64).prop_map(Feature::HeaderCountUnder),
        1 => (1..300_u64).prop_map(Feature::HeaderLongerThan),
        3 => order.prop_map(Feature::HeaderOrder),
        1 => (1..6_u64).prop_map(Feature::PathDepthOver),
        2 => (1..700_u64).prop_map(Feature::PathEntropyOver),
        1 => (1..6_u64).prop_map(Feature::DistinctPathsOver),
        1 => (1..6_u64).prop_map(Feature::ErrorRatioOver),
        1 => (1..6_u64).prop_map(Feature::GapVariationUnder),
        1 => select(vec!["t13", "13d", "x"]).prop_map(|text| Feature::Ja4Contains(text.into())),
        1 => select(vec!["1:6", "m,a", "x"]).prop_map(|text| Feature::Http2Contains(text.into())),
    ]
}

fn artifact() -> impl Strategy<Value = ValidArtifact> {
    let rows = vec((feature(), -10_000..=10_000_i16), 1..=100);
    (rows, -20_000..=20_000_i32).prop_map(|(rows, intercept)| {
        let row = |(index, (feature, weight)): (usize, &(Feature, i16))| {
            Row::of(Key::from_text(&format!("k{index:03}"), index).unwrap(), feature, *weight)
        };
        let rows = rows.iter().enumerate().map(row).collect();
        Draft { intercept, engine: 1, created_at: 0, label: String::new(), rows }
            .encode(&[Schema::ENGINE_1])
            .unwrap()
    })
}

/// What `HeaderValue` lets pass: any bytes but controls.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![folded_text(40), exact_text(40)].prop_map(String::into_bytes);
    let hostile = vec(prop_oneof![0x20..=0x7e_u8, 0x80..=0xff_u8], 0..200);
    let huge = (text.clone(), 100..2_000_usize).prop_map(|(text, times)| text.repeat(times));
    prop_oneof![6 => text, 2 => hostile, 1 => Just(Vec::new()), 1 => huge]
}

fn path() -> impl Strategy<Value = String> {
    let scanned = (select(reading::scanner_path::TEXTS.to_vec()), 0..3, exact_text(5)).prop_map(
        |(text, form, after)| match form {
            0 => format!("/x{text}{after}"),
            1 => text.to_ascii_uppercase() + &after,
            // All but its end.
            _ => text[..text.len() - 1].to_string(),
        },
    );
    let long = (exact_text(60), 1..60_usize).prop_map(|(text, times)| text.repeat(times));
    prop_oneof![
        4 => exact_text(60),
        1 => any::<String>(),
        1 => Just(String::new()),
        1 => scanned,
        1 => long,
    ]
}

#[derive(Debug)]
struct Request {
    method: &'static str,
    path: String,
    version: Version,
    client: Option<IpAddr>,
    headers: HeaderMap,
    tls: bool,
    ja4: Option<&'static str>,
    http2: Option<&'static str>,
    crawler: CrawlerClaim,
    activity: ClientActivity,
}

fn activity() -> impl Strategy<Value = ClientActivity> {
    let percent = || prop::option::of(0..8_u64);
    (0..8_u64, 0..8_u64, percent(), percent()).prop_map(|(rate, paths, errors, gaps)| {
        let mut activity = ClientActivity::of_rate(rate);
        activity.distinct_paths = paths;
        activity.error_percent = errors;
        activity.gap_variation_percent = gaps;
        activity
    })
}

fn request() -> impl Strategy<Value = Request> {
    let field = prop_oneof![2 => (name(), value()), 1 => telling_field()];
    let count = prop_oneof![9 => 0..20_usize, 1 => 60..80_usize];
    let headers = count.prop_flat_map(move |count| vec(field.clone(), count)).prop_map(|fields| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(&value).unwrap());
        }
        headers
    });
    let method = select(vec!["GET", "get", "POST", "G", "", "PROPFIND", "OPTIONS"]);
    let version = select(vec![
        Version::HTTP_09,
        Version::HTTP_10,
        Version::HTTP_11,
        Version::HTTP_2,
        Version::HTTP_3,
    ]);
    let connection = (
        any::<bool>(),
        prop::option::of(select(vec!["t13d1516h2_8daaf6152771_b186095e22b6", "x"])),
        prop::option::of(select(vec!["1:65536|0|m,a,s,p", "x"])),
        select(vec![
            CrawlerClaim::None,
            CrawlerClaim::Undecided,
            CrawlerClaim::Verified,
            CrawlerClaim::Unverified,
        ]),
    );
    (method, path(), version, prop::option::of(client()), headers, connection, activity()).prop_map(
        |(method, path, version, client, headers, (tls, ja4, http2, crawler), activity)| Request {
            method,
            path,
            version,
            client,
            headers,
            tls,
            ja4,
            http2,
            crawler,
            activity,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn compiled_tables_score_as_the_plain_reading_does(artifact in artifact(), requests in vec(request(), 1..8)) {
        let model = CompiledModel::compile(&artifact).unwrap();
        for request in &requests {
            let view = RequestView::new(request.method, &request.path, request.version, &request.headers)
                .with_client(request.client)
                .with_tls(request.tls)
                .with_ja4(request.ja4)
                .with_http2(request.http2)
                .with_crawler(request.crawler);
            let scored = model.score(&view, &request.activity);
            let mut logit = i64::from(artifact.header().intercept);
            let mut fired = Vec::new();
            for (index, row) in (0_u8..).zip(artifact.rows()) {
                if reading::fires(&Feature::of_row(&row).unwrap(), &view, &request.activity) {
                    logit += i64::from(row.weight);
                    fired.push(index);
                }
            }
            prop_assert_eq!(scored.fired.rows().collect::<Vec<_>>(), fired);
            prop_assert_eq!(scored.logit_milli, logit);
            prop_assert_eq!(scored.score, Score::of_logit_milli(logit));
        }
    }
}

//! The compiled tables against the plainest reading of the format: one row after the other, each by itself.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test")]

use std::net::IpAddr;

use greenlight_artifact::{Cidr, Draft, Feature, HeaderTest, Key, Row, Schema, ValidArtifact};
use greenlight_bot::{ClientActivity, CompiledModel, RequestView, Score};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use proptest::{collection::vec, prelude::*, sample::select};

fn naive_fires(feature: &Feature, request: &RequestView<'_>, rate: u64) -> bool {
    let values = |name: &str| -> Vec<Vec<u8>> {
        let values = request.headers.get_all(name).iter();
        values.map(|value| value.as_bytes().to_ascii_lowercase()).collect()
    };
    let contains = |haystack: &[u8], text: &str| {
        haystack.windows(text.len()).any(|window| window == text.as_bytes())
    };
    let path = request.path.as_bytes();
    match feature {
        Feature::UserAgentContains(text) => {
            values("user-agent").iter().any(|value| contains(value, text))
        }
        Feature::UserAgentEmpty => values("user-agent").iter().all(Vec::is_empty),
        Feature::Header { name, test: HeaderTest::Present } => request.headers.contains_key(name),
        Feature::Header { name, test: HeaderTest::Absent } => !request.headers.contains_key(name),
        Feature::Header { name, test: HeaderTest::Equals(text) } => {
            values(name).iter().any(|value| value == text.as_bytes())
        }
        Feature::Header { name, test: HeaderTest::Contains(text) } => {
            values(name).iter().any(|value| contains(value, text))
        }
        Feature::Method(method) => request.method == method,
        Feature::PathPrefix(text) => path.starts_with(text.as_bytes()),
        Feature::PathContains(text) => contains(path, text),
        Feature::Client(Cidr { address, prefix }) => match (request.client, address) {
            (Some(IpAddr::V4(client)), IpAddr::V4(network)) => (0..*prefix)
                .all(|bit| (client.to_bits() ^ network.to_bits()) >> (31 - bit) & 1 == 0),
            (Some(IpAddr::V6(client)), IpAddr::V6(network)) => (0..*prefix)
                .all(|bit| (client.to_bits() ^ network.to_bits()) >> (127 - bit) & 1 == 0),
            _ => false,
        },
        Feature::RequestRate(over) => rate > *over,
        Feature::HttpVersion(number) => {
            *number == u64::from(format!("{:?}", request.version) == "HTTP/1.0") * 10
                || *number == u64::from(request.version == Version::HTTP_11) * 11
                || *number == u64::from(request.version == Version::HTTP_2) * 20
                || *number == u64::from(request.version == Version::HTTP_3) * 30
        }
        other => panic!("a kind that the naive scorer does not know: {other:?}"),
    }
}

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
    let known = select(vec!["user-agent", "accept", "x", "accept-language", "te", "cookie"])
        .prop_map(str::to_string);
    prop_oneof![4 => known, 1 => "[a-z0-9-]{1,15}"]
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
    prop_oneof![4 => exact_text(60), 1 => any::<String>(), 1 => Just(String::new())]
}

#[derive(Debug)]
struct Request {
    method: &'static str,
    path: String,
    version: Version,
    client: Option<IpAddr>,
    headers: HeaderMap,
    rate: u64,
}

fn request() -> impl Strategy<Value = Request> {
    let headers = vec((name(), value()), 0..20).prop_map(|fields| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(&value).unwrap());
        }
        headers
    });
    let method = select(vec!["GET", "get", "POST", "G", "", "PROPFIND"]);
    let version = select(vec![
        Version::HTTP_09,
        Version::HTTP_10,
        Version::HTTP_11,
        Version::HTTP_2,
        Version::HTTP_3,
    ]);
    let client = prop::option::of(client());
    (method, path(), version, client, headers, 0..8_u64).prop_map(
        |(method, path, version, client, headers, rate)| Request {
            method,
            path,
            version,
            client,
            headers,
            rate,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn compiled_tables_score_as_the_plain_reading_does(artifact in artifact(), requests in vec(request(), 1..8)) {
        let model = CompiledModel::compile(&artifact).unwrap();
        for Request { method, path, version, client, headers, rate } in &requests {
            let view = RequestView::new(method, path, *version, headers).with_client(*client);
            let scored = model.score(&view, &ClientActivity::of_rate(*rate));
            let mut logit = i64::from(artifact.header().intercept);
            let mut fired = Vec::new();
            for (index, row) in (0_u8..).zip(artifact.rows()) {
                if naive_fires(&Feature::of_row(&row).unwrap(), &view, *rate) {
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

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test"
)]

use std::io::Cursor;

use http::{HeaderName, HeaderValue};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    reader::{Line, read_line},
    *,
};

fn requests() -> impl Strategy<Value = RecordedRequest> {
    let names = select(vec!["host", "user-agent", "accept", "x-a", "cookie"]);
    let value = vec(any::<u8>(), 0..20)
        .prop_filter_map("a field value", |bytes| HeaderValue::from_bytes(&bytes).ok());
    let headers = vec((names, value), 0..8).prop_map(|fields| {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(HeaderName::from_static(name), value);
        }
        map
    });
    let client = option::of(any::<IpAddr>());
    let at =
        option::of((any::<u64>(), 0..1_000_000_000_u32).prop_map(|(s, n)| Duration::new(s, n)));
    let crawler = select(vec![
        CrawlerClaim::None,
        CrawlerClaim::Undecided,
        CrawlerClaim::Verified,
        CrawlerClaim::Unverified,
    ]);
    let version =
        select(vec![Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3]);
    let status = option::of((100..1000_u16).prop_map(|code| StatusCode::from_u16(code).unwrap()));
    let label = option::of(select(vec![Label::Bot, Label::Human]));
    let method = select(vec!["GET", "POST", "PROPFIND"]).prop_map(|name| name.parse().unwrap());
    let text = || option::of(any::<String>());
    (
        (method, "/[^?#]*", version, headers, client, at),
        (any::<bool>(), text(), text(), crawler, status, label, text()),
    )
        .prop_map(|(first, second)| {
            let (method, path, version, headers, client, at) = first;
            let (tls, ja4, http2, crawler, status, label, source) = second;
            let request = RecordedRequest::new(method, &path, version, headers);
            let request = RecordedRequest { client, at, tls, ja4, http2, crawler, ..request };
            RecordedRequest { status, label, source, ..request }
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(request in requests()) {
        let line = request.to_line();
        prop_assert!(!line.contains(|char: char| char.is_ascii_control()));
        prop_assert_eq!(RecordedRequest::parse(line.as_bytes()).unwrap(), request);
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = RecordedRequest::parse(&bytes);
        let _ = Reader::new(&bytes[..]).count();
    }

    /// Noise inside an otherwise good line reaches every check.
    #[test]
    fn no_noise_in_a_line_panics(request in requests(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut line = request.to_line().into_bytes();
        let at = at.index(line.len());
        line[at] = byte;
        let _ = RecordedRequest::parse(&line);
    }
}

#[test]
fn a_view_has_all_that_was_recorded() {
    let line = r#"{"method":"GET","path":"/a?b","version":"2","client":"192.0.2.1","headers":[["A","x"],["a",[255]]],"at":12.5,"tls":true,"ja4":"t13d","http2":"1:2","crawler":"unverified","status":404,"label":"bot","source":"s"}"#;
    let request = RecordedRequest::parse(line.as_bytes()).unwrap();
    let view = request.view();
    assert_eq!((view.method, view.path, view.version), ("GET", "/a", Version::HTTP_2));
    assert_eq!(view.client, Some("192.0.2.1".parse().unwrap()));
    assert!(view.tls && view.crawler == CrawlerClaim::Unverified);
    assert_eq!((view.ja4, view.http2), (Some("t13d"), Some("1:2")));
    let values: Vec<&[u8]> = view.headers.get_all("a").iter().map(HeaderValue::as_bytes).collect();
    assert_eq!(values, [&b"x"[..], &[255]]);
    assert_eq!(request.at, Some(Duration::from_millis(12_500)));
    assert_eq!(request.status, Some(StatusCode::NOT_FOUND));
}

#[test]
fn each_defect_of_a_line_has_its_name() {
    let line = |from: &str, to: &str| {
        let good = r#"{"method":"GET","path":"/","version":"1.1","client":"192.0.2.1","headers":[["a","b"]],"at":1,"status":200}"#;
        assert!(RecordedRequest::parse(good.as_bytes()).is_ok() && good.contains(from));
        RecordedRequest::parse(good.replace(from, to).as_bytes())
            .map(|_| ())
            .map_err(|error| error.reason())
    };
    for (from, to, reason) in [
        ("\"GET\"", "\"G T\"", "method"),
        ("\"/\"", "\"index.html\"", "path"),
        ("\"1.1\"", "\"1.2\"", "version"),
        ("192.0.2.1", "192.0.2", "client"),
        ("[\"a\"", "[\"a b\"", "header-name"),
        ("\"b\"]", "\"b\\nc\"]", "header-value"),
        ("\"b\"]", "[98,10]]", "header-value"),
        ("\"b\"]", "[256]]", "json"),
        ("\"b\"]", "\"b\",\"c\"]", "json"),
        ("\"path\"", "\"paths\"", "json"),
        ("}", "}}", "json"),
        ("}", "", "json"),
        ("\"GET\"", "null", "json"),
        ("\"method\"", "\"label\":\"robot\",\"method\"", "json"),
        ("\"method\"", "\"crawler\":\"maybe\",\"method\"", "json"),
        (":200", ":99", "status"),
        (":200", ":1000", "status"),
        ("\"at\":1", "\"at\":-1", "at"),
        ("\"at\":1", "\"at\":1e3", "at"),
        ("\"at\":1", "\"at\":\"1\"", "at"),
        ("\"at\":1", "\"at\":18446744073709551616", "at"),
    ] {
        assert_eq!(line(from, to), Err(reason), "{from} → {to}");
    }
    for (from, to) in
        [("\"/\"", "\"*\""), ("\"at\":1", "\"at\":1.0000000009"), ("\"at\":1", "\"at\":null")]
    {
        assert_eq!(line(from, to), Ok(()), "{from} → {to}");
    }
    let fields = vec!["[\"a\",\"\"]".to_owned(); 40_000].join(",");
    assert!(line("[\"a\",\"b\"]", &fields).is_ok(), "one name, many values");
    let names: Vec<String> = (0..40_000).map(|index| format!("[\"a{index}\",\"\"]")).collect();
    assert_eq!(line("[\"a\",\"b\"]", &names.join(",")), Err("header-fields"));
}

#[test]
fn a_line_beyond_the_bound_is_skipped_as_a_whole() {
    let long = "x".repeat(MAX_LINE + 1);
    let exact = "y".repeat(MAX_LINE);
    let mut input = Cursor::new(format!("{long}\n{exact}\nlast"));
    let mut buffer = Vec::new();
    assert!(matches!(read_line(&mut input, &mut buffer), Ok(Line::TooLong)));
    assert!(buffer.len() <= MAX_LINE && buffer.capacity() <= 2 * MAX_LINE);
    assert!(matches!(read_line(&mut input, &mut buffer), Ok(Line::Text)));
    assert_eq!(buffer, exact.as_bytes());
    assert!(matches!(read_line(&mut input, &mut buffer), Ok(Line::Text)));
    assert_eq!(buffer, b"last");
    assert!(matches!(read_line(&mut input, &mut buffer), Ok(Line::End)));

    let text = format!("{long}\n\n{{}}");
    let lines: Vec<NumberedLine> = Reader::new(text.as_bytes()).map(Result::unwrap).collect();
    let found: Vec<(u64, &str)> = lines
        .iter()
        .map(|line| (line.number, line.request.as_ref().unwrap_err().reason()))
        .collect();
    assert_eq!(found, [(1, "line-too-long"), (3, "json")]);
}

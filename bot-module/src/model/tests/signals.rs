use super::{HeaderMap, HeaderName, HeaderValue, Version, model};
use crate::{ClientActivity, CrawlerClaim, RequestView};

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    headers
}

/// The rows of `rows` that fire on what `view` makes of a GET of `/`.
fn fired_on(
    rows: &[(&str, &str)],
    fields: &[(&str, &str)],
    view: impl FnOnce(RequestView<'_>) -> RequestView<'_>,
) -> Vec<u8> {
    let headers = headers(fields);
    let view = view(RequestView::new("GET", "/", Version::HTTP_11, &headers));
    model(rows).score(&view, &ClientActivity::default()).fired.rows().collect()
}

fn fired(rows: &[(&str, &str)], fields: &[(&str, &str)]) -> Vec<u8> {
    fired_on(rows, fields, |view| view)
}

/// The rows that fire on a path.
fn fired_on_path(rows: &[(&str, &str)], path: &str) -> Vec<u8> {
    let headers = HeaderMap::new();
    let view = RequestView::new("GET", path, Version::HTTP_11, &headers);
    model(rows).score(&view, &ClientActivity::default()).fired.rows().collect()
}

fn fired_of(rows: &[(&str, &str)], activity: ClientActivity) -> Vec<u8> {
    let headers = HeaderMap::new();
    let view = RequestView::new("GET", "/", Version::HTTP_11, &headers);
    model(rows).score(&view, &activity).fired.rows().collect()
}

#[test]
fn user_agents_are_longer_or_shorter_by_their_bytes() {
    let rows = [
        ("ua-longer-than", "4"),
        ("ua-longer-than", "5"),
        ("ua-shorter-than", "5"),
        ("ua-shorter-than", "6"),
    ];
    assert_eq!(fired(&rows, &[("user-agent", "curl/")]), [0, 3]);
    assert_eq!(fired(&rows, &[("user-agent", "")]), [2, 3]);
    assert_eq!(fired(&rows, &[("x", "long enough")]), [2, 3], "none has 0 bytes");
    let both = [("user-agent", "x"), ("user-agent", "longer")];
    assert_eq!(fired(&rows, &both), [0, 1, 2, 3], "the longest and the shortest of several");
}

#[test]
fn a_crawler_is_told_where_its_claim_is_false() {
    let rows = [("crawler-unverified", "")];
    for (claim, expected) in [
        (CrawlerClaim::None, &[][..]),
        (CrawlerClaim::Undecided, &[]),
        (CrawlerClaim::Verified, &[]),
        (CrawlerClaim::Unverified, &[0]),
    ] {
        assert_eq!(fired_on(&rows, &[], |view| view.with_crawler(claim)), expected, "{claim:?}");
    }
}

#[test]
fn hints_are_missing_over_tls_alone_or_contradict() {
    let rows = [("hints-missing", ""), ("hints-contradict", "")];
    let agent = ("user-agent", CHROME);
    let brands = ("sec-ch-ua", r#""Chromium";v="147""#);
    let over_tls = |fields: &[(&str, &str)]| fired_on(&rows, fields, |view| view.with_tls(true));
    assert_eq!(over_tls(&[agent]), [0]);
    assert_eq!(fired(&rows, &[agent]), [0; 0]);
    assert_eq!(over_tls(&[brands, agent]), [0; 0]);
    assert_eq!(over_tls(&[agent, ("sec-ch-ua", r#""Chromium";v="140""#)]), [1]);
    assert_eq!(over_tls(&[agent, ("sec-ch-ua-platform", r#""Linux""#)]), [0, 1]);
    assert_eq!(over_tls(&[agent, brands, ("sec-ch-ua-mobile", "?1")]), [1]);
    assert_eq!(over_tls(&[agent, brands, brands]), [1], "a repeated hint is nobody's");
    assert_eq!(over_tls(&[agent, ("upgrade", "websocket")]), [0; 0]);
    assert_eq!(over_tls(&[("user-agent", "Mozilla/5.0 Firefox/140.0"), brands]), [1]);
}

#[test]
fn fields_are_counted_without_those_of_proxies_and_cookies_as_one() {
    let rows = [("header-count-over", "3"), ("header-count-under", "4")];
    let three = [("host", "a"), ("accept", "b"), ("x-mine", "c")];
    assert_eq!(fired(&rows, &three), [1]);
    let with = |more: &[(&'static str, &'static str)]| fired(&rows, &[&three[..], more].concat());
    assert_eq!(with(&[("x-mine", "d")]), [0], "each value counts");
    assert_eq!(with(&[("x-forwarded-for", "192.0.2.1"), ("via", "1.1 x"), ("via", "1.1 y")]), [1]);
    assert_eq!(with(&[("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")]), [0]);
    assert_eq!(fired(&[("header-count-under", "1")], &[("cookie", "a=1")]), [0; 0]);
    assert_eq!(fired(&[("header-count-under", "1"), ("header-count-over", "1")], &[]), [0]);
}

#[test]
fn the_longest_value_is_not_one_that_others_chose() {
    let rows = [("header-longer-than", "4"), ("header-longer-than", "5")];
    assert_eq!(fired(&rows, &[("x", "1"), ("accept", "12345")]), [0]);
    assert_eq!(fired(&rows, &[("x", "1"), ("x", "123456")]), [0, 1]);
    let theirs = [
        ("cookie", "session=12345"),
        ("authorization", "Bearer 12345"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    assert_eq!(fired(&rows, &theirs), [0; 0]);
}

#[test]
fn a_repeated_field_is_told_unless_it_may_be() {
    let rows = [("header-repeated", "")];
    assert_eq!(fired(&rows, &[("host", "a"), ("x", "1"), ("host", "b")]), [0]);
    assert_eq!(fired(&rows, &[("x", "1"), ("x", "1")]), [0]);
    let allowed =
        [("cookie", "a"), ("cookie", "b"), ("via", "a"), ("via", "b"), ("host", "a"), ("x", "a")];
    assert_eq!(fired(&rows, &allowed), [0; 0]);
}

#[test]
fn an_order_is_a_word_that_contains_the_text() {
    let rows = [
        ("header-order", "^hua$"),
        ("header-order", "^hu"),
        ("header-order", "ua"),
        ("header-order", "a$"),
        ("header-order", "au"),
        ("header-order", "."),
    ];
    let curl = [("host", "a"), ("user-agent", "curl/8"), ("accept", "*/*")];
    assert_eq!(fired(&rows, &curl), [0, 1, 2, 3]);
    let behind_a_proxy = [("via", "x"), curl[0], curl[1], ("x-real-ip", "192.0.2.1"), curl[2]];
    assert_eq!(fired(&rows, &behind_a_proxy), [0, 1, 2, 3]);
    assert_eq!(fired(&rows, &[curl[0], curl[2], curl[1]]), [4]);
    assert_eq!(fired(&rows, &[curl[0], curl[1], curl[2], ("x", "")]), [1, 2, 5]);
    assert_eq!(fired(&rows, &[curl[0], curl[1], curl[2], curl[0]]), [0, 1, 2, 3]);
    assert_eq!(fired(&[("header-order", "^$")], &[]), [0]);
}

#[test]
fn an_accept_language_is_malformed_or_not_there() {
    let rows = [("accept-language-malformed", "")];
    assert_eq!(fired(&rows, &[]), [0; 0]);
    assert_eq!(fired(&rows, &[("accept-language", "en-US,en;q=0.9")]), [0; 0]);
    assert_eq!(fired(&rows, &[("accept-language", "")]), [0]);
    assert_eq!(fired(&rows, &[("accept-language", "en"), ("accept-language", "en_US")]), [0]);
}

#[test]
fn fields_of_http1_are_told_over_later_versions() {
    let rows = [("http1-fields", "")];
    let on = |version, field| {
        let headers = headers(&[field]);
        let view = RequestView::new("GET", "/", version, &headers);
        !model(&rows).score(&view, &ClientActivity::default()).fired.is_empty()
    };
    for field in [
        ("connection", "close"),
        ("keep-alive", "1"),
        ("proxy-connection", "x"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", "trailers, gzip"),
    ] {
        assert!(on(Version::HTTP_2, field) && on(Version::HTTP_3, field), "{field:?}");
        assert!(!on(Version::HTTP_11, field) && !on(Version::HTTP_10, field), "{field:?}");
    }
    assert!(!on(Version::HTTP_2, ("te", "Trailers")) && !on(Version::HTTP_2, ("accept", "*/*")));
}

#[test]
fn paths_are_deep_and_random_and_of_scanners() {
    let rows = [("path-depth-over", "1"), ("path-depth-over", "2")];
    assert_eq!(fired_on_path(&rows, "/a//b/"), [0]);
    assert_eq!(fired_on_path(&rows, "/a/b/c"), [0, 1]);
    let rows = [("path-entropy-over", "299"), ("path-entropy-over", "300")];
    assert_eq!(fired_on_path(&rows, "/bcdefgh"), [0]);
    assert_eq!(fired_on_path(&rows, "/bcdefg"), [0; 0], "too short to tell");
    let rows = [("scanner-path", "")];
    for path in
        ["/.env", "/app/.ENV.bak", "/.git/config", "/WP-Login.php", "/x/%2E%2e/y", "/a/../b"]
    {
        assert_eq!(fired_on_path(&rows, path), [0], "{path}");
    }
    for path in ["/", "/environment", "/git/", "/wp-content/x.css", "/.well-known/acme", "/a..b"] {
        assert_eq!(fired_on_path(&rows, path), [0; 0], "{path}");
    }
}

#[test]
fn what_a_client_did_fires_where_it_is_known() {
    let rows = [
        ("distinct-paths-over", "10"),
        ("error-ratio-over", "50"),
        ("error-ratio-over", "90"),
        ("gap-variation-under", "5"),
        ("gap-variation-under", "20"),
    ];
    let activity = |paths, errors, gaps| ClientActivity {
        distinct_paths: paths,
        error_percent: errors,
        gap_variation_percent: gaps,
        ..ClientActivity::default()
    };
    assert_eq!(fired_of(&rows, ClientActivity::default()), [0; 0]);
    assert_eq!(fired_of(&rows, activity(10, Some(50), Some(20))), [0; 0]);
    assert_eq!(fired_of(&rows, activity(11, Some(51), Some(19))), [0, 1, 4]);
    assert_eq!(fired_of(&rows, activity(0, Some(100), Some(0))), [1, 2, 3, 4]);
    for row in rows {
        assert!(model(&[row]).reads_activity(), "{row:?}");
    }
}

#[test]
fn fingerprints_are_matched_exactly_where_they_were_seen() {
    let rows = [("ja4-contains", "t13d15"), ("http2-contains", "1:65536;")];
    let seen =
        |ja4, http2| fired_on(&rows, &[], |view| view.with_ja4(Some(ja4)).with_http2(Some(http2)));
    assert_eq!(
        seen("t13d1516h2_8daaf6152771_b186095e22b6", "1:65536;2:0|15663105|0|m,a,s,p"),
        [0, 1]
    );
    assert_eq!(seen("T13D15", "1:6553"), [0; 0]);
    assert_eq!(fired(&rows, &[]), [0; 0]);
}

#[test]
fn the_word_of_one_pass_is_that_of_the_plain_reading() {
    let names = ["host", "x", "via", "cookie", "accept", "cookie", "te", "host", "accept-language"];
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (*name, "x")).collect();
    let word = crate::HeaderOrder::of(&headers(&fields));
    assert_eq!(fired(&[("header-order", word.as_str())], &fields), [0]);
}

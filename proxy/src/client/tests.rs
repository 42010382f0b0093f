use std::net::IpAddr;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use pingora_http::RequestHeader;

use super::{ClientAddress, ClientInfo};
use crate::config::Client;

fn resolver(trusted: &[&str], header: &'static str) -> ClientAddress {
    ClientAddress::new(&Client {
        trusted_proxies: trusted.iter().map(|net| net.parse().unwrap()).collect(),
        header: HeaderName::from_static(header),
    })
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect()
}

#[test]
fn the_client_is_the_right_most_address_that_no_trusted_proxy_has() {
    let trusted = &["10.0.0.0/8", "fd00::/8", "192.0.2.7/32"];
    let many = format!("203.0.113.1{}", ", 10.0.0.1".repeat(100));
    let cases: &[(&str, &[&str], &str)] = &[
        // peer, lines of X-Forwarded-For, client
        ("198.51.100.1", &[], "198.51.100.1"),
        ("198.51.100.1", &["203.0.113.1"], "198.51.100.1"),
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", &["6.6.6.6, 203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", &["6.6.6.6, 203.0.113.1, 10.9.9.9"], "203.0.113.1"),
        ("10.0.0.1", &["6.6.6.6", "203.0.113.1", "192.0.2.7"], "203.0.113.1"),
        ("10.0.0.1", &["10.0.0.3,10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", &["203.0.113.1:4711"], "203.0.113.1"),
        ("10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1"),
        ("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
        ("fd00::1", &["2001:db8::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", &["::ffff:203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", &["203.0.113.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", &["unknown, 10.0.0.5"], "10.0.0.5"),
        ("10.0.0.1", &[""], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.1, "], "10.0.0.1"),
        ("10.0.0.1", &["999.1.1.1"], "10.0.0.1"),
        ("10.0.0.1", &[&many], "10.0.0.1"),
    ];
    let resolver = resolver(trusted, "x-forwarded-for");
    for (peer, lines, client) in cases {
        let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        let found = resolver.of(peer.parse().unwrap(), &headers(&lines));
        assert_eq!(found, client.parse::<IpAddr>().unwrap(), "peer {peer}, lines {lines:?}");
    }
}

#[test]
fn only_the_configured_field_names_the_client() {
    let resolver = resolver(&["10.0.0.0/8"], "cf-connecting-ip");
    let lines = headers(&[("x-forwarded-for", "6.6.6.6"), ("cf-connecting-ip", "203.0.113.1")]);
    assert_eq!(
        resolver.of("10.0.0.1".parse().unwrap(), &lines),
        "203.0.113.1".parse::<IpAddr>().unwrap()
    );
}

#[test]
fn a_trusted_proxy_alone_says_whether_the_client_used_tls() {
    let resolver = resolver(&["10.0.0.0/8"], "x-forwarded-for");
    let cases: &[(&str, bool, &[&str], Option<bool>)] = &[
        // peer, its TLS, lines of X-Forwarded-Proto, whether the client used TLS
        ("198.51.100.1", false, &["https"], Some(false)),
        ("198.51.100.1", true, &["http"], Some(true)),
        ("10.0.0.1", false, &["https"], Some(true)),
        ("10.0.0.1", true, &["http"], Some(false)),
        ("::ffff:10.0.0.1", false, &[" HTTPS "], Some(true)),
        ("10.0.0.1", false, &["wss"], Some(true)),
        ("10.0.0.1", true, &["ws"], Some(false)),
        ("10.0.0.1", true, &[], None),
        ("10.0.0.1", true, &[""], None),
        ("10.0.0.1", true, &["ftp"], None),
        ("10.0.0.1", false, &["https, https"], Some(true)),
        ("10.0.0.1", false, &["https", "https"], Some(true)),
        ("10.0.0.1", true, &["https, http"], None),
        ("10.0.0.1", true, &["http", "https"], None),
    ];
    for (peer, tls, lines, expected) in cases {
        let mut all = vec![("x-forwarded-for", "203.0.113.1")];
        all.extend(lines.iter().map(|line| ("x-forwarded-proto", *line)));
        let found = resolver.info(peer.parse().unwrap(), *tls, &headers(&all));
        assert_eq!(found.tls, *expected, "peer {peer}, lines {lines:?}");
    }
    // A trusted proxy's own request.
    let own = resolver.info("10.0.0.1".parse().unwrap(), true, &headers(&[]));
    assert_eq!(own, ClientInfo::at("10.0.0.1".parse().unwrap()).with_tls(Some(true)));
}

fn forwarded(
    resolver: &ClientAddress,
    peer: &str,
    tls: bool,
    lines: &[(&'static str, &str)],
) -> RequestHeader {
    let mut request = RequestHeader::build("GET", b"/", None).unwrap();
    for (name, value) in lines {
        request.append_header(*name, *value).unwrap();
    }
    resolver.forward(peer.parse().unwrap(), tls, &mut request).unwrap();
    request
}

fn values<'a>(request: &'a RequestHeader, name: &str) -> Vec<&'a str> {
    request.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[test]
fn what_an_untrusted_client_claims_does_not_reach_the_upstream() {
    let claims = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-for", "7.7.7.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-port", "1"),
        ("x-forwarded-prefix", "/x"),
        ("x-forwarded-server", "evil"),
        ("x-real-ip", "6.6.6.6"),
        ("forwarded", "for=6.6.6.6"),
        ("cf-connecting-ip", "6.6.6.6"),
    ];
    let request =
        forwarded(&resolver(&["10.0.0.0/8"], "cf-connecting-ip"), "198.51.100.1", false, &claims);
    assert_eq!(values(&request, "x-forwarded-for"), ["198.51.100.1"]);
    assert_eq!(values(&request, "x-forwarded-proto"), ["http"]);
    for (name, _) in
        claims.iter().filter(|(name, _)| !matches!(*name, "x-forwarded-for" | "x-forwarded-proto"))
    {
        assert!(values(&request, name).is_empty(), "{name} came through");
    }
}

#[test]
fn a_trusted_proxy_is_added_to_its_own_chain() {
    let claims = [
        ("x-forwarded-for", "203.0.113.1"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "203.0.113.1"),
    ];
    let request =
        forwarded(&resolver(&["10.0.0.0/8"], "x-forwarded-for"), "10.0.0.1", false, &claims);
    assert_eq!(values(&request, "x-forwarded-for"), ["203.0.113.1, 10.0.0.2, 10.0.0.1"]);
    assert_eq!(values(&request, "x-forwarded-proto"), ["https"]);
    assert_eq!(values(&request, "x-real-ip"), ["203.0.113.1"]);
}

#[test]
fn the_listener_decides_the_scheme_when_nobody_vouches_for_one() {
    let resolver = resolver(&["10.0.0.0/8"], "x-forwarded-for");
    for (peer, tls, scheme) in
        [("198.51.100.1", true, "https"), ("10.0.0.1", true, "https"), ("10.0.0.1", false, "http")]
    {
        let request = forwarded(&resolver, peer, tls, &[]);
        assert_eq!(values(&request, "x-forwarded-proto"), [scheme]);
        assert_eq!(values(&request, "x-forwarded-for"), [peer]);
    }
}

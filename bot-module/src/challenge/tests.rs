use std::{net::IpAddr, time::Duration};

use super::{Challenge, LENGTH, Marked, NAME_PLAIN, SecretError};

const NOW: u64 = 1_700_000_000;
const HOST: &str = "shop.example";

fn challenge(secret: u8) -> Challenge {
    Challenge::new(&[secret; 32]).unwrap().with_lifetime(Duration::from_secs(60))
}

fn client(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn a_cookie_holds_for_its_client_its_host_and_its_time() {
    let ours = challenge(1);
    let cookie = ours.issue(client("192.0.2.1"), HOST, NOW);
    assert_eq!(cookie.len(), LENGTH);
    let holds = |client, host, now| ours.verify(cookie.as_bytes(), client, host, now);
    assert!(holds(client("192.0.2.1"), HOST, NOW) && holds(client("192.0.2.1"), HOST, NOW + 59));
    assert!(holds(client("::ffff:192.0.2.1"), "SHOP.example", NOW));
    assert!(!holds(client("192.0.2.1"), HOST, NOW + 60), "expired");
    assert!(!holds(client("192.0.2.2"), HOST, NOW) && !holds(None, HOST, NOW));
    assert!(!holds(client("192.0.2.1"), "other.example", NOW));
    let six = ours.issue(client("2001:db8::1"), HOST, NOW);
    assert!(ours.verify(six.as_bytes(), client("2001:db8::2"), HOST, NOW), "of one /64");
    assert!(!ours.verify(six.as_bytes(), client("2001:db8:0:1::1"), HOST, NOW));
}

#[test]
fn no_changed_byte_is_accepted() {
    let ours = challenge(1);
    let cookie = ours.issue(client("192.0.2.1"), HOST, NOW).into_bytes();
    for at in 0..cookie.len() {
        for byte in 0..=255 {
            let mut forged = cookie.clone();
            forged[at] = byte;
            assert_eq!(ours.verify(&forged, client("192.0.2.1"), HOST, NOW), forged == cookie);
        }
    }
    for garbled in [&b""[..], b"1", b"1-", &cookie[..LENGTH - 1], &[b'a'; LENGTH], &[0xff; 4096]] {
        assert!(!ours.verify(garbled, client("192.0.2.1"), HOST, NOW));
    }
}

#[test]
fn a_secret_is_replaced_without_a_break() {
    let old = challenge(1).issue(None, HOST, NOW);
    let rotated = challenge(2).with_previous(&[1; 32]).unwrap();
    assert!(rotated.verify(old.as_bytes(), None, HOST, NOW));
    assert!(!challenge(2).verify(old.as_bytes(), None, HOST, NOW));
    assert_eq!(Challenge::new(&[0; 15]).err(), Some(SecretError { found: 15 }));
}

#[test]
fn of_many_cookies_a_few_are_looked_at() {
    let ours = challenge(1);
    let good = ours.issue(None, HOST, NOW);
    let met =
        |field: &str| ours.is_met([field.as_bytes()].into_iter(), NAME_PLAIN, None, HOST, NOW);
    assert!(met(&format!("a=b; gl_c=x;gl_c={good}; c")));
    assert!(!met(&format!("{}gl_c={good}", "gl_c=x; ".repeat(4))));
    assert!(!met(&format!("agl_c={good}; __Host-gl_c={good}")));
}

#[test]
fn a_redirect_leads_to_the_same_place_of_the_same_host() {
    let to = |path: &str, mark| {
        String::from_utf8(Marked::read(path.as_bytes(), NOW).location(mark)).unwrap()
    };
    assert_eq!(to("/a?b=c&d", Some(7)), "/a?b=c&d&__gl_c=7");
    assert_eq!(to("/a", Some(7)), "/a?__gl_c=7");
    assert_eq!(to("/a?__gl_c=5&b=c", None), "/a?b=c");
    assert_eq!(to("/a?b=c&__gl_c=5&d", None), "/a?b=c&d");
    for evil in ["//evil.example/x", "/\\evil.example/x", "\\\\evil.example/x", "///evil.example/x"]
    {
        assert_eq!(to(evil, None), "/evil.example/x");
    }
    assert!(Marked::read(format!("/?__gl_c={NOW}").as_bytes(), NOW + 60).fresh);
    assert!(!Marked::read(format!("/?__gl_c={NOW}").as_bytes(), NOW + 61).fresh);
    assert!(!Marked::read(b"/?__gl_c=x", NOW).fresh && !Marked::read(b"/?a__gl_c=1", NOW).marked);
}

#[test]
fn a_target_of_nothing_but_a_marker_is_the_root() {
    let read = Marked::read(format!("?__gl_c={NOW}").as_bytes(), NOW);
    assert_eq!(read, Marked { clean: b"/".to_vec(), marked: true, fresh: true });
    assert_eq!(
        (read.location(None), read.location(Some(7))),
        (b"/".to_vec(), b"/?__gl_c=7".to_vec())
    );
    assert_eq!(Marked::read(b"?a", NOW).clean, b"/?a");
}

use std::sync::atomic::{AtomicU64, Ordering};

use http::Version;
use tokio::io::AsyncWriteExt;

use super::{HUMAN, edge, filter};
use crate::{
    Challenge, Route,
    filter::BotFilterBuilder,
    test_server::{Answer, Edge, next_answer},
};

const SECRET: [u8; 32] = [7; 32];
const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn challenging() -> BotFilterBuilder {
    filter(Route::new().challenge_below(30))
        .challenge(Challenge::new(&SECRET).unwrap())
        .unix_seconds(|| NOW)
}

/// The value of a cookie of 127.0.0.`last` for `host`, made at `when`.
fn cookie(last: u8, host: &str, when: u64) -> String {
    Challenge::new(&SECRET).unwrap().issue(Some([127, 0, 0, last].into()), host, when)
}

/// A bot's request with these fields more.
fn bot(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/8.0\r\n{fields}")
}

/// Whether a request without a valid cookie was sent to fetch one.
fn is_challenged(answer: &Answer) -> bool {
    let is_marked = answer.field("location").is_some_and(|to| to.contains("__gl_c="));
    answer.status == 307 && is_marked && answer.field("set-cookie").is_some()
}

#[test]
fn a_client_that_keeps_cookies_is_sent_round_once_and_passes() {
    let edge = edge(challenging());
    let first = edge.ask(&bot("GET", "/page?q=1", ""));
    assert_eq!((first.status, first.body.as_str()), (307, ""));
    assert!(first.has("cache-control: no-store"), "{first:?}");
    let location = first.field("location").unwrap();
    assert_eq!(location, format!("/page?q=1&__gl_c={NOW}"));
    let made = cookie(1, "example.com", NOW);
    let set = format!("gl_c={made}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax");
    assert_eq!(first.field("set-cookie"), Some(set.as_str()));

    let with = |path, cookies: &str| edge.ask(&bot("GET", path, &format!("Cookie: {cookies}\r\n")));
    let second = with(location, &format!("gl_c={made}"));
    assert_eq!((second.status, second.field("location")), (307, Some("/page?q=1")));
    assert_eq!(second.field("set-cookie"), None);
    assert_eq!(edge.reached_origin(), 0);

    let third = with("/page?q=1", &format!("a=1; gl_c={made}; b=2\r\nCookie: c=3"));
    assert_eq!((third.status, third.sent("x-bot-verdict")), (200, vec!["challenge"]));
    assert_eq!(third.sent("x-bot-score"), ["2"]);
    assert!(third.body.starts_with("GET /page?q=1 HTTP/1.1\r\n"), "{third:?}");
    assert_eq!(third.sent("cookie"), ["a=1; b=2", "c=3"]);
    let counters = edge.bots.counters();
    assert_eq!((counters.challenged, counters.challenge_passed), (2, 1));
}

#[test]
fn a_client_that_keeps_none_is_told_and_not_sent_round_again() {
    let edge = edge(challenging());
    let first = edge.ask(&bot("GET", "/page", ""));
    let second = edge.ask(&bot("GET", first.field("location").unwrap(), ""));
    assert_eq!((second.status, second.field("location")), (403, None));
    assert!(second.body.starts_with("This site needs cookies."), "{second:?}");
    // A marker of long ago is of a bookmark.
    let bookmark = edge.ask(&bot("GET", &format!("/page?__gl_c={}", NOW - 61), ""));
    assert!(is_challenged(&bookmark), "{bookmark:?}");
    assert_eq!(bookmark.field("location").unwrap(), format!("/page?__gl_c={NOW}"));
    assert_eq!((edge.bots.counters().challenged, edge.reached_origin()), (3, 0));
}

#[test]
fn no_cookie_but_the_clients_own_is_accepted() {
    let edge = edge(challenging());
    let good = cookie(1, "example.com", NOW);
    let forged =
        format!("{}{}", &good[..good.len() - 1], if good.ends_with('0') { '1' } else { '0' });
    let of_another_secret =
        Challenge::new(&[8; 32]).unwrap().issue(Some([127, 0, 0, 1].into()), "example.com", NOW);
    let mut refused = vec![
        format!("gl_c={forged}"),
        format!("gl_c={of_another_secret}"),
        format!("gl_c={}", cookie(1, "example.com", NOW - DAY)),
        format!("gl_c={}", cookie(2, "example.com", NOW)),
        format!("gl_c={}", cookie(1, "other.example", NOW)),
        format!("gl_c={}", good.to_uppercase()),
        format!("gl_c=\"{good}\""),
        format!("gl_c={good}0"),
        format!("gl_c={}", &good[1..]),
        format!("__Host-gl_c={good}"),
        format!("gl_d={good}"),
        // The fifth of our name is not looked at.
        format!("{}gl_c={good}", "gl_c=x; ".repeat(4)),
    ];
    refused.extend(
        ["", ";", "gl_c", "gl_c=", "=gl_c", "gl_c==", "gl_c=1--", "gl_c=1-é-é"].map(Into::into),
    );
    for cookies in &refused {
        let answer = edge.ask(&bot("GET", "/page", &format!("Cookie: {cookies}\r\n")));
        assert!(is_challenged(&answer), "{cookies}: {answer:?}");
    }
    let challenged = u64::try_from(refused.len()).unwrap();
    assert_eq!((edge.bots.counters().challenged, edge.reached_origin()), (challenged, 0));

    let last = cookie(1, "example.com", NOW - DAY + 1);
    for accepted in [format!("gl_c={good}"), format!("gl_c={last}"), format!("gl_c=x; gl_c={good}")]
    {
        let answer = edge.ask(&bot("GET", "/page", &format!("Cookie: {accepted}\r\n")));
        assert_eq!(answer.status, 200, "{accepted}: {answer:?}");
    }
    let answer = edge.ask_from(2, &bot("GET", "/page", &format!("Cookie: gl_c={good}\r\n")));
    assert!(is_challenged(&answer), "{answer:?}");
}

#[test]
fn a_cookie_ends_with_its_time() {
    static CLOCK: AtomicU64 = AtomicU64::new(NOW);
    let edge = edge(challenging().unix_seconds(|| CLOCK.load(Ordering::SeqCst)));
    let set = edge.ask(&bot("GET", "/page", "")).field("set-cookie").unwrap().to_owned();
    let again = bot("GET", "/page", &format!("Cookie: {}\r\n", set.split(';').next().unwrap()));
    CLOCK.store(NOW + DAY - 1, Ordering::SeqCst);
    assert_eq!(edge.ask(&again).status, 200);
    CLOCK.store(NOW + DAY, Ordering::SeqCst);
    assert!(is_challenged(&edge.ask(&again)));
}

#[test]
fn what_cannot_be_redirected_needs_a_visit_first() {
    let edge = edge(challenging());
    let post = |path, fields: &str| bot("POST", path, &format!("Content-Length: 0\r\n{fields}"));
    let answer = edge.ask(&post("/form", ""));
    assert_eq!(
        (answer.status, answer.field("location"), answer.field("set-cookie")),
        (403, None, None)
    );
    assert!(answer.body.starts_with("Load a page of this site first"), "{answer:?}");
    assert_eq!(edge.reached_origin(), 0);
    let field = format!("Cookie: gl_c={}\r\n", cookie(1, "example.com", NOW));
    let answer = edge.ask(&post(&format!("/form?__gl_c={NOW}&x=1"), &field));
    assert_eq!((answer.status, answer.sent("x-bot-verdict")), (200, vec!["challenge"]));
    assert!(answer.body.starts_with("POST /form?x=1 HTTP/1.1\r\n"), "{answer:?}");
}

#[test]
fn cookie_and_marker_are_ours_and_never_reach_the_origin() {
    let edge = edge(challenging());
    let cookies = "Cookie: gl_c=1; __Host-gl_c=2\r\nCookie: a=b;gl_c=3\r\n";
    for (target, sent) in [
        ("/page?a=1&__gl_c=5&b=2", "/page?a=1&b=2"),
        ("/page?__gl_c=5", "/page"),
        ("/page?__gl_c=5&__gl_c=6&a", "/page?a"),
        ("http://example.com/page?a&__gl_c=5", "/page?a"),
        ("/page?a=__gl_c", "/page?a=__gl_c"),
    ] {
        let head = HUMAN.replacen("/page?q=1", target, 1);
        let answer = edge.ask(&format!("{head}{cookies}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        let found = answer.body.split(' ').nth(1).unwrap();
        assert_eq!(found.trim_start_matches("http://example.com"), sent, "{target}");
        assert_eq!(answer.sent("cookie"), ["a=b"]);
    }
}

#[test]
fn in_shadow_nobody_is_challenged() {
    let edge = edge(filter(Route::new().challenge_below(30).shadow(true)));
    let answer = edge.ask(&bot("GET", "/page", ""));
    assert_eq!((answer.status, answer.sent("x-bot-verdict")), (200, vec!["challenge"]));
    assert_eq!(answer.field("set-cookie"), None);
    assert_eq!(edge.bots.counters().shadowed, 1);
}

async fn over_tls(edge: &Edge, fields: &str) -> Answer {
    let mut stream = edge.connect_tls(&[b"http/1.1"]).await;
    let request =
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8.0\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    next_answer(&mut stream).await
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_its_host_by_its_name() {
    let edge = edge(challenging());
    let made = cookie(1, "localhost", NOW);
    let first = over_tls(&edge, "").await;
    let set = format!("__Host-gl_c={made}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure");
    assert_eq!((first.status, first.field("set-cookie")), (307, Some(set.as_str())));
    let plain = over_tls(&edge, &format!("Cookie: gl_c={made}\r\n")).await;
    assert!(is_challenged(&plain), "{plain:?}");
    let passed = over_tls(&edge, &format!("Cookie: __Host-gl_c={made}\r\n")).await;
    assert_eq!((passed.status, passed.sent("cookie")), (200, vec![]));

    // Over HTTP/2 the host is the authority, and cookies may come one by one.
    let (requests, connection) =
        h2::client::handshake(edge.connect_tls(&[b"h2"]).await).await.unwrap();
    tokio::spawn(connection);
    for (cookie, status) in [(format!("__Host-gl_c={made}"), 200), (format!("gl_c={made}"), 307)] {
        let request = http::Request::get("https://localhost/")
            .version(Version::HTTP_2)
            .header("user-agent", "curl/8.0")
            .header("cookie", "a=b")
            .header("cookie", cookie)
            .body(())
            .unwrap();
        let (response, _) = requests.clone().send_request(request, true).unwrap();
        assert_eq!(response.await.unwrap().status(), status);
    }
}

use http::{HeaderMap, Version};

use super::{Hint, Hints, agent::Agent};
use crate::RequestView;

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";
const ANDROID: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Mobile Safari/537.36";
const EDGE: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36 Edg/147.0.0.0";
const CROS: &str = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";
const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";
const FIREFOX: &str =
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15";
const IOS: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/147.0.0.0 Mobile/15E148 Safari/604.1";
const WEB_VIEW: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/X; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/147.0.0.0 Mobile Safari/537.36";
const BRANDS: &str = r#""Google Chrome";v="147", "Not.A/Brand";v="8", "Chromium";v="147""#;

fn once(value: Option<&str>) -> Hint<'_> {
    value.map_or(Hint::Absent, |value| Hint::Once(value.as_bytes()))
}

fn contradict(
    agent: &str,
    brands: Option<&str>,
    mobile: Option<&str>,
    platform: Option<&str>,
) -> bool {
    let hints = Hints {
        agent: Some(agent.as_bytes()),
        brands: once(brands),
        mobile: once(mobile),
        platform: once(platform),
        upgrade: false,
    };
    hints.contradict()
}

#[test]
fn browsers_do_not_contradict_themselves() {
    let edge = r#""Microsoft Edge";v="147", "Chromium";v="147", "Not A(Brand";v="24""#;
    let opera = r#""Opera";v="131", " Not A;Brand";v="99", "Chromium";v="147""#;
    for (agent, brands, mobile, platform) in [
        (CHROME, BRANDS, "?0", r#""Windows""#),
        (ANDROID, BRANDS, "?1", r#""Android""#),
        (EDGE, edge, "?0", r#""macOS""#),
        (CROS, BRANDS, "?0", r#""Chrome OS""#),
        (CROS, BRANDS, "?0", r#""Chromium OS""#),
        (LINUX, opera, "?0", r#""Linux""#),
        (WEB_VIEW, r#""Android WebView";v="147", "Chromium";v="147""#, "?1", r#""Android""#),
        (CHROME, r#""Google Chrome";v="147.0.7700.1""#, "?0", r#""Unknown""#),
        (CHROME, r#"  "Chromium";x;y=?1;v="147";z=a/b ,"Brand \" \\ of";v=1  "#, "?0", "\"\""),
    ] {
        assert!(!contradict(agent, Some(brands), Some(mobile), Some(platform)), "{brands}");
        assert!(!contradict(agent, None, None, None));
    }
    assert!(!Hints { brands: once(Some(BRANDS)), ..<_>::default() }.contradict(), "no user agent");
    assert!(!contradict("", Some(BRANDS), None, None), "an empty one");
}

#[test]
fn each_contradiction_is_one() {
    for agent in [FIREFOX, SAFARI, IOS, "curl/8.14.1"] {
        assert!(contradict(agent, Some(BRANDS), None, None), "{agent}");
        assert!(contradict(agent, None, Some("?0"), None), "{agent}");
    }
    for brands in [
        r#""Chromium";v="146""#,
        r#""Chromium";v="146", "Google Chrome";v="147""#,
        r#""Chromium";v="147", "Chromium";v="146""#,
        r#""Chromium""#,
        r#""Not.A/Brand";v="147""#,
        r#""HeadlessChrome";v="147", "Chromium";v="147""#,
    ] {
        assert!(contradict(CHROME, Some(brands), None, None), "{brands}");
    }
    assert!(contradict(EDGE, Some(BRANDS), None, None));
    for mobile in ["?1", "", "0", "?2", "?0;x"] {
        assert!(contradict(CHROME, None, Some(mobile), None), "{mobile}");
    }
    assert!(contradict(ANDROID, None, Some("?0"), None));
    for platform in [r#""Linux""#, r#""Android""#, "Windows", r#""Windows"#, "", r#""Windows" x"#] {
        assert!(contradict(CHROME, None, None, Some(platform)), "{platform}");
    }
    assert!(contradict(LINUX, None, None, Some(r#""Chrome OS""#)));
}

#[test]
fn malformed_brands_contradict() {
    for brands in [
        "",
        "Chromium",
        r#""Chromium";v="147","#,
        r#","Chromium";v="147""#,
        r#""Chromium";v="147" "Google Chrome";v="147""#,
        r#""Chromium;v="147""#,
        r#""Chromium";V="147""#,
        r#""Chromium";v="#,
        r#""Chromium" ;v="147""#,
        r#"("Chromium";v="147")"#,
        "\"Chromium\u{e9}\";v=\"147\"",
        r#""Chrom\ium";v="147", "Chromium";v="147""#,
    ] {
        assert!(contradict(CHROME, Some(brands), None, None), "{brands}");
    }
    let mut twice = Hint::Absent;
    twice.add(BRANDS.as_bytes());
    twice.add(BRANDS.as_bytes());
    assert!(Hints { agent: Some(CHROME.as_bytes()), brands: twice, ..<_>::default() }.contradict());
}

#[test]
fn hints_are_missed_where_a_chromium_would_send_them() {
    let headers = HeaderMap::new();
    let missing = |agent: &str, view: RequestView<'_>| {
        Hints { agent: Some(agent.as_bytes()), ..<_>::default() }.missing(&view)
    };
    let over_tls =
        |method| RequestView::new(method, "/", Version::HTTP_11, &headers).with_tls(true);
    let old = CHROME.replace("147", "89");
    let headless = LINUX.replace("Chrome", "HeadlessChrome");
    let oldest = CHROME.replace("147", "90");
    for agent in [CHROME, ANDROID, EDGE, CROS, LINUX, &headless, &oldest] {
        assert!(missing(agent, over_tls("GET")), "{agent}");
        assert!(!missing(agent, over_tls("GET").with_tls(false)), "not without TLS: {agent}");
    }
    let electron = format!("{LINUX} Electron/38.0.0");
    let television = "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";
    for agent in [FIREFOX, SAFARI, IOS, WEB_VIEW, &old, &electron, television, "curl/8", ""] {
        assert!(!missing(agent, over_tls("GET")), "{agent}");
    }
    assert!(!missing(CHROME, over_tls("OPTIONS")) && !missing(CHROME, over_tls("CONNECT")));
    let hints = Hints { agent: Some(CHROME.as_bytes()), ..<_>::default() };
    assert!(!Hints { upgrade: true, ..hints }.missing(&over_tls("GET")));
    assert!(!Hints { brands: once(Some("")), ..hints }.missing(&over_tls("GET")));
    assert!(Hints { mobile: once(Some("?0")), ..hints }.missing(&over_tls("GET")));
}

#[test]
fn any_bytes_are_read() {
    let huge = format!("Chrome/{}", "9".repeat(10_000));
    assert_eq!(Agent::read(huge.as_bytes()).chrome, Some(u32::MAX));
    assert_eq!(Agent::read(b"\xff\x00Chrome/").chrome, None);
    assert_eq!(Agent::read(b"Chrome/x Chrome/99").chrome, Some(99));
}

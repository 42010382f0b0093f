//! Crawlers whose operators document forward-confirmed reverse DNS, with the domains that they name.
//!
//! Networks are not compiled in: lists age. Nor is a domain in which an operator's customers have names, too, as
//! `googleusercontent.com`: anyone could rent a proof.

use super::Crawler;

/// Name, what its user agents contain, domains.
const KNOWN: [(&str, &[&str], &[&str]); 10] = [
    // Google Search Central, "Verify requests from Google crawlers and fetchers": common crawlers.
    (
        "googlebot",
        &["googlebot", "google-inspectiontool", "googleother", "storebot-google"],
        &["googlebot.com"],
    ),
    // The same page: special-case crawlers, rate-limited-proxy-….google.com.
    (
        "google-special",
        &["adsbot-google", "mediapartners-google", "apis-google"],
        &["google.com", "googlebot.com"],
    ),
    // Bing Webmaster Tools, "Verify Bingbot".
    ("bingbot", &["bingbot", "adidxbot", "bingpreview"], &["search.msn.com"]),
    // Apple Support, "About Applebot".
    ("applebot", &["applebot"], &["applebot.apple.com"]),
    // Yandex Support, "How to check that a robot belongs to Yandex".
    (
        "yandexbot",
        &["yandexbot", "yandexmobilebot", "yandeximages"],
        &["yandex.ru", "yandex.net", "yandex.com"],
    ),
    // Baidu Search Resource Platform, "How to identify Baiduspider".
    ("baiduspider", &["baiduspider"], &["crawl.baidu.com", "crawl.baidu.jp"]),
    // Amazon Developer, "About Amazonbot".
    ("amazonbot", &["amazonbot"], &["crawl.amazonbot.amazon"]),
    // Seznam Help, "SeznamBot crawler".
    ("seznambot", &["seznambot"], &["seznam.cz"]),
    // Petal Search, "About PetalBot".
    ("petalbot", &["petalbot"], &["petalsearch.com"]),
    // Yahoo! Search Blog, 5 June 2007.
    ("slurp", &["yahoo! slurp"], &["crawl.yahoo.net"]),
];

/// The well-known crawlers, each allowed once verified.
#[must_use]
pub fn known_crawlers() -> Vec<Crawler> {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let crawler = |(name, user_agents, domains): (&str, &[&str], &[&str])| Crawler {
        name: name.to_owned(),
        user_agents: owned(user_agents),
        domains: owned(domains),
        ..Crawler::default()
    };
    KNOWN.into_iter().map(crawler).collect()
}

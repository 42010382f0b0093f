//! Crawlers whose operators document forward-confirmed reverse DNS, with the domains that they name.
//!
//! Networks are not compiled in: lists age. Nor is a domain in which an operator's customers have names, too, as
//! `googleusercontent.com`: anyone could rent a proof.

use super::Crawler;

/// Name, what its user agents contain, domains. Each cites the pages of its operator that say so.
const KNOWN: [(&str, &[&str], &[&str]); 10] = [
    // Google, "Verify requests from Google crawlers and fetchers" (common crawlers: crawl-… under googlebot.com) and "List
    // of Google's common crawlers". Not google.com: fetchers that act for users have names there, too.
    (
        "googlebot",
        &[
            "googlebot",
            "google-inspectiontool",
            "googleother",
            "storebot-google",
            "google-cloudvertexbot",
        ],
        &["googlebot.com"],
    ),
    // The same page (special-case crawlers: rate-limited-proxy-… under google.com; by hand either domain is accepted) and
    // "List of Google's special-case crawlers".
    (
        "google-special",
        &["adsbot-google", "mediapartners-google", "apis-google", "google-safety"],
        &["google.com", "googlebot.com"],
    ),
    // Bing Webmaster Tools, "Verifying Bingbot" and "Overview of Bing crawlers (user agents)".
    ("bingbot", &["bingbot", "adidxbot", "bingpreview"], &["search.msn.com"]),
    // Apple Support, "About Applebot".
    ("applebot", &["applebot"], &["applebot.apple.com"]),
    // Yandex Support, "How to check that a robot belongs to Yandex".
    (
        "yandexbot",
        &["yandexbot", "yandexmobilebot", "yandeximages"],
        &["yandex.ru", "yandex.net", "yandex.com"],
    ),
    // Baidu Search Resource Platform, "轻松两步正确识别百度蜘蛛": any name under these, though the examples are all under
    // crawl.
    ("baiduspider", &["baiduspider"], &["baidu.com", "baidu.jp"]),
    // Amazon Developer, "About Amazonbot".
    ("amazonbot", &["amazonbot"], &["crawl.amazonbot.amazon"]),
    // Seznam Help, "SeznamBot crawler": fulltextrobot-….
    ("seznambot", &["seznambot"], &["seznam.cz"]),
    // Petal Search, "PetalBot", "How to Judge PetalBot Crawling": petalbot-….
    ("petalbot", &["petalbot"], &["petalsearch.com"]),
    // Yahoo! Search Blog, "Yahoo! Search Crawler, Slurp, has a new Address and Signature Card".
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

//! Crawlers in the filter, over a DNS of the tests' own.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;

use super::judging::{Judged, Log, judge, model};
use crate::{
    BotFilter, Crawler, CrawlerAction, CrawlerClaim, CrawlerName, Crawlers, Decision, Engine,
    EngineLimits, LookupError, Policy, Resolver, Route,
};

const HONEST: &str = "192.0.2.1";
const LIAR: &str = "192.0.2.2";
/// Of these DNS says nothing.
const UNKNOWN: &str = "192.0.2.3";
const AGENT: &str = "Mozilla/5.0 (compatible; GoodBot/1.0)";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Dns {
    Answers,
    Hangs,
}

#[async_trait]
impl Resolver for Dns {
    async fn names(&self, address: IpAddr) -> Result<Vec<String>, LookupError> {
        if *self == Self::Hangs {
            std::future::pending::<()>().await;
        }
        match address.to_string().as_str() {
            HONEST => Ok(vec!["crawl-1.goodbot.example.".to_owned()]),
            // It can write into its own reverse zone what it likes.
            LIAR => Ok(vec!["crawl-1.goodbot.example".to_owned(), "host.isp.example".to_owned()]),
            _ => Err(LookupError::Failed),
        }
    }

    async fn addresses(&self, name: &str, _like: IpAddr) -> Result<Vec<IpAddr>, LookupError> {
        match name {
            "crawl-1.goodbot.example" => Ok(vec![HONEST.parse().unwrap()]),
            _ => Err(LookupError::NoRecord),
        }
    }
}

fn filter(dns: Dns, action: CrawlerAction) -> BotFilter {
    let crawler = Crawler {
        name: "goodbot".to_owned(),
        user_agents: vec!["goodbot".to_owned()],
        domains: vec!["goodbot.example".to_owned()],
        action,
        ..Crawler::default()
    };
    let crawlers = Crawlers::builder().crawler(crawler).resolver(dns).build().unwrap();
    let engine = Engine::new(EngineLimits::default());
    engine.install(model(&[("crawler-unverified", "")]));
    let policy = Policy::new(vec![Route::new().block_below(30).log_below(99)]);
    BotFilter::builder(engine, policy).crawlers(crawlers).build()
}

async fn ask(bots: &BotFilter, client: &str) -> Judged {
    judge(bots, AGENT, client.parse::<IpAddr>().unwrap()).await
}

/// A filter whose DNS has answered about all clients.
async fn settled(action: CrawlerAction) -> BotFilter {
    let bots = filter(Dns::Answers, action);
    for client in [HONEST, LIAR, UNKNOWN] {
        assert_eq!(ask(&bots, client).await.verdict.claim, CrawlerClaim::Undecided);
    }
    let crawlers = bots.crawlers().unwrap().clone();
    let work = tokio::spawn({
        let crawlers = crawlers.clone();
        async move { crawlers.work().await }
    });
    let done = async {
        while crawlers.dns().answered + crawlers.dns().failed < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), done).await.expect("three lookups");
    work.abort();
    bots
}

#[tokio::test]
async fn a_verified_crawler_is_treated_as_its_operator_wishes() {
    for (action, status, decision, word, score) in [
        (CrawlerAction::Allow, 0, Decision::VerifiedCrawler, Some("verified"), Some("0")),
        (CrawlerAction::Block, 403, Decision::VerifiedCrawler, None, None),
        (CrawlerAction::Score, 0, Decision::Score, Some("log"), Some("94")),
    ] {
        let bots = settled(action).await;
        let judged = ask(&bots, HONEST).await;
        assert_eq!((judged.status, judged.verdict.decision), (status, decision), "{action:?}");
        assert_eq!((judged.told("x-bot-verdict"), judged.told("x-bot-score")), (word, score));
        assert_eq!(judged.verdict.crawler, CrawlerName::new("goodbot"));
        assert_eq!(judged.verdict.claim, CrawlerClaim::Verified);
        // The name is its user agent's, whoever uses the address.
        let human = judge(&bots, "Mozilla/5.0", HONEST.parse::<IpAddr>().unwrap()).await;
        assert_eq!((human.verdict.crawler, human.told("x-bot-verdict")), (None, Some("log")));
    }
}

#[tokio::test]
async fn a_liar_is_caught_by_the_row_about_lies() {
    let bots = settled(CrawlerAction::Allow).await;
    let judged = ask(&bots, LIAR).await;
    assert_eq!((judged.status, judged.verdict.claim), (403, CrawlerClaim::Unverified));
    let reasons = bots.engine().reasons(judged.verdict.digest, judged.verdict.fired);
    assert_eq!(reasons.len(), 1);
    let innocent = judge(&bots, "Mozilla/5.0", LIAR.parse::<IpAddr>().unwrap()).await;
    assert_eq!((innocent.status, innocent.verdict.claim), (0, CrawlerClaim::None));
}

#[tokio::test]
async fn who_is_undecided_is_neither_a_bot_nor_verified() {
    let bots = settled(CrawlerAction::Allow).await;
    let judged = ask(&bots, UNKNOWN).await;
    assert_eq!((judged.status, judged.verdict.claim), (0, CrawlerClaim::Undecided));
    assert_eq!(judged.verdict.decision, Decision::Score);
    assert_eq!(
        (judged.told("x-bot-verdict"), judged.told("x-bot-score")),
        (Some("log"), Some("94"))
    );
    assert!(judged.verdict.fired.is_empty());
}

#[tokio::test]
async fn a_dns_that_hangs_delays_no_request() {
    let bots = filter(Dns::Hangs, CrawlerAction::Allow);
    let crawlers = bots.crawlers().unwrap().clone();
    let work = tokio::spawn(async move { crawlers.work().await });
    // So that lookups are under way.
    tokio::time::sleep(Duration::from_millis(20)).await;
    for client in [HONEST, LIAR, UNKNOWN, HONEST, LIAR, UNKNOWN] {
        let judged = ask(&bots, client).await;
        assert!(judged.at_once && judged.status == 0);
        assert_eq!(judged.verdict.claim, CrawlerClaim::Undecided);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let dns = bots.crawlers().unwrap().dns();
    assert_eq!((dns.misses, dns.answered), (6, 0));
    work.abort();
}

#[tokio::test]
async fn the_log_names_the_crawler_and_what_became_of_its_claim() {
    let bots = settled(CrawlerAction::Block).await;
    let (log, _guard) = Log::open();
    for client in [HONEST, LIAR, UNKNOWN] {
        ask(&bots, client).await;
    }
    judge(&bots, "Mozilla/5.0", None).await;
    assert_eq!(
        log.take(["verdict", "answered", "crawler", "claim"]),
        [
            ["block", "true", "goodbot", "verified"],
            ["block", "true", "goodbot", "unverified"],
            ["log", "false", "goodbot", "undecided"],
            ["log", "false", "-", "-"],
        ]
    );
}

//! Which requests the log has a line about.

use std::{net::IpAddr, time::Duration};

use super::judging::{Log, judge, model};
use crate::{AddressLists, BotFilter, Engine, EngineLimits, Policy, RateLimit, Route};

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const DENIED: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));

fn filter(route: Route) -> BotFilter {
    let engine = Engine::new(EngineLimits::default());
    engine.install(model(&[("ua-contains", "curl/")]));
    let mut lists = AddressLists::default();
    lists.deny = lists.deny.with(["203.0.113.0/24".parse().unwrap()]);
    BotFilter::builder(engine, Policy::new(vec![route])).lists(lists).build()
}

/// The verdicts in the log, and whether each was carried out by an answer, after two requests of a bot, one of a human
/// and one from a network that is denied.
async fn lines(route: Route) -> Vec<[String; 2]> {
    let bots = filter(route);
    let (log, _guard) = Log::open();
    for (agent, client) in [("curl/8", CLIENT), ("curl/8", CLIENT), ("a", CLIENT), ("a", DENIED)] {
        judge(&bots, agent, client).await;
    }
    log.take(["verdict", "answered"])
}

#[tokio::test]
async fn what_is_answered_here_is_logged_and_so_is_what_a_route_logs() {
    let limit = RateLimit::new(1, Duration::from_secs(60));
    let limited = Route { rate_limit_below: 30, rate_limit: limit, ..Route::default() };
    let denied = ["deny-listed", "true"];
    let block = ["block", "true"];
    for (route, expected) in [
        (Route::new(), vec![denied]),
        (Route::new().block_below(30), vec![block, block, denied]),
        // The first is within the limit.
        (limited.clone(), vec![["rate-limit", "true"], denied]),
        (limited.log_below(30), vec![["rate-limit", "false"], ["rate-limit", "true"], denied]),
        (
            Route::new().challenge_below(30),
            vec![["challenge", "true"], ["challenge", "true"], denied],
        ),
        (Route::new().log_below(30), vec![["log", "false"], ["log", "false"], denied]),
        (Route { shadow: true, ..Route::new().block_below(30).log_below(99) }, vec![denied]),
        (Route::new().tag_below(99), vec![denied]),
    ] {
        assert_eq!(lines(route.clone()).await, expected, "{route:?}");
    }
}

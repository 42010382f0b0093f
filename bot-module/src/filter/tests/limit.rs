use std::{
    thread,
    time::{Duration, Instant},
};

use super::{BOT, HUMAN, edge, filter};
use crate::{RateLimit, Route, test_server::LONG};

fn limiting(requests: u32, per: Duration) -> Route {
    Route::new().rate_limit_below(30, RateLimit::new(requests, per))
}

#[test]
fn beyond_its_limit_a_client_is_told_to_wait_and_no_other_is() {
    let edge = edge(filter(limiting(3, Duration::from_hours(1))));
    for _ in 0..3 {
        let answer = edge.ask(BOT);
        assert_eq!((answer.status, answer.sent("x-bot-verdict")), (200, vec!["rate-limit"]));
    }
    for _ in 0..2 {
        let answer = edge.ask(BOT);
        assert_eq!((answer.status, answer.body.as_str()), (429, "Too many requests\n"));
        assert!(answer.has("cache-control: no-store"), "{answer:?}");
        // The first hour of this filter has just begun, and the one after it counts too.
        let wait: u64 = answer.field("retry-after").unwrap().parse().unwrap();
        assert!((7_000..=7_200).contains(&wait), "{wait}");
    }
    assert_eq!(edge.ask_from(2, BOT).status, 200);
    assert_eq!(edge.ask(HUMAN).sent("x-bot-verdict"), ["allow"], "whose score is no bot's");
    let counters = edge.bots.counters();
    assert_eq!((counters.within_limit, counters.rate_limited, counters.allowed), (4, 2, 1));
    assert_eq!(edge.reached_origin(), 5);
}

#[test]
fn who_waits_as_told_passes() {
    let edge = edge(filter(limiting(1, Duration::from_millis(300))));
    let begun = Instant::now();
    let refused = loop {
        let answer = edge.ask(BOT);
        match answer.status {
            429 => break answer,
            status => assert_eq!(status, 200),
        }
        assert!(begun.elapsed() < LONG, "two requests within 300 ms");
    };
    let wait: u64 = refused.field("retry-after").unwrap().parse().unwrap();
    assert!(wait >= 1);
    thread::sleep(Duration::from_secs(wait));
    let answer = edge.ask(BOT);
    assert_eq!((answer.status, answer.sent("x-bot-verdict")), (200, vec!["rate-limit"]));
}

#[test]
fn in_shadow_nobody_is_limited() {
    let edge = edge(filter(limiting(1, Duration::from_hours(1)).shadow(true)));
    for _ in 0..4 {
        let answer = edge.ask(BOT);
        assert_eq!((answer.status, answer.sent("x-bot-verdict")), (200, vec!["rate-limit"]));
    }
    assert_eq!(edge.bots.counters().shadowed, 4);
}

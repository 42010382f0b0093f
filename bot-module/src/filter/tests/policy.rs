use std::{io::Write, sync::Arc};

use greenlight_artifact::{Digest, Draft, Feature, Key, Row, Schema};

use super::{BOT, HUMAN, blocking, edge, filter, model};
use crate::{
    AddressLists, ClientActivity, CompiledModel, Networks, RequestView, Route, Scored,
    engine::Scorer,
    filter::FilterCounters,
    policy::Action,
    test_server::{Edge, Setup, read_answer},
};

#[test]
fn refuses_a_bot_and_tells_the_origin_about_others() {
    let edge = edge(filter(blocking()));
    let bot = edge.ask(BOT);
    assert_eq!((bot.status, bot.body.as_str()), (403, "no bots\n"));
    assert!(
        bot.has("cache-control: no-store") && bot.has("content-type: text/plain; charset=utf-8"),
        "{bot:?}"
    );
    assert_eq!(edge.reached_origin(), 0);

    let human = edge.ask(HUMAN);
    assert_eq!(human.status, 200);
    assert!(human.body.starts_with("GET /page?q=1 HTTP/1.1\r\n"));
    assert_eq!(human.sent("x-bot-score"), ["94"]);
    assert_eq!(human.sent("x-bot-verdict"), ["allow"]);
    assert_eq!(human.sent("x-bot-artifact"), [model().digest().short()]);

    let FilterCounters { allowed, blocked, unscored, forged, .. } = edge.bots.counters();
    assert_eq!((allowed, blocked, unscored, forged), (1, 1, 0, 0));
    let actions: Vec<Action> = edge.verdicts(2).iter().map(|verdict| verdict.action).collect();
    assert_eq!(actions, [Action::Block, Action::Allow]);
}

#[test]
fn without_a_model_a_bot_passes_unscored_and_unlabelled() {
    let edge = edge(filter(blocking()));
    edge.bots.engine().allow_all();
    let answer = edge.ask(BOT);
    assert_eq!(answer.status, 200);
    assert_eq!(
        (answer.sent("x-bot-score"), answer.sent("x-bot-verdict")),
        (vec!["0"], vec!["unscored"])
    );
    assert_eq!(answer.sent("x-bot-artifact"), [""; 0]);
    assert_eq!(edge.bots.counters().unscored, 1);
}

#[test]
fn in_shadow_the_origin_learns_what_would_have_been_done() {
    let edge = edge(filter(blocking().shadow(true)));
    let answer = edge.ask(BOT);
    assert_eq!((answer.status, answer.sent("x-bot-verdict")), (200, vec!["block"]));
    assert_eq!((edge.bots.counters().shadowed, edge.bots.counters().blocked), (1, 0));
}

#[test]
fn the_client_is_who_the_host_proxy_says_or_else_the_peer() {
    let client = Some([203, 0, 113, 9].into());
    let told = Edge::start(Setup { client, ..Setup::of(filter(blocking()).build()) });
    assert_eq!(told.ask(HUMAN).status, 403);
    let peer = edge(filter(blocking()));
    assert_eq!(peer.ask(HUMAN).status, 200);
    let verdicts = peer.verdicts(1);
    assert!(verdicts.iter().all(|verdict| verdict.fired.is_empty()), "{verdicts:?}");
}

#[test]
fn the_origins_errors_count_towards_the_client_and_our_refusals_do_not() {
    let edge = edge(filter(blocking()));
    let feature = Feature::parse("error-ratio-over", "60").unwrap();
    let rows = vec![Row::of(Key::from_text("errors", 0).unwrap(), &feature, 8_000)];
    let draft = Draft { intercept: -3_000, engine: 1, created_at: 0, label: String::new(), rows };
    let model = CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).unwrap()).unwrap();
    edge.bots.engine().install(model);
    let missing = HUMAN.replacen("/page?q=1", "/missing", 1);
    // 13 of 20 answers are errors; no answer is known at the request that it is for.
    let statuses: Vec<u16> =
        (0..20).map(|ask| edge.ask(if ask < 7 { HUMAN } else { &missing }).status).collect();
    assert_eq!(statuses, [[200; 7].as_slice(), &[404; 13]].concat());
    assert!((0..20).all(|_| edge.ask(HUMAN).status == 403), "65 % are errors");
    // Had the refusals counted, they would have been 82 %.
    edge.bots.engine().answered(Some([127, 0, 0, 1].into()), 200);
    edge.bots.engine().answered(Some([127, 0, 0, 1].into()), 200);
    assert_eq!(edge.ask(HUMAN).status, 200, "13 of 22");
}

/// Panics at a request for `/panic`.
struct Panicking;

impl Scorer for Panicking {
    fn digest(&self) -> Digest {
        Digest([0xcd; 32])
    }

    fn reads_activity(&self) -> bool {
        false
    }

    fn score(&self, request: &RequestView<'_>, activity: &ClientActivity) -> Scored {
        assert_ne!(request.path, "/panic", "as the test asked");
        model().score(request, activity)
    }

    fn row(&self, _row: u8) -> Option<(Key, i16)> {
        None
    }
}

#[test]
fn a_panic_in_scoring_lets_the_request_through() {
    let edge = edge(filter(blocking()));
    edge.bots.engine().install_scorer(Arc::new(Panicking));
    let mut stream = edge.connect();
    for _ in 0..3 {
        let bot = "GET /panic HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/8.0\r\n\r\n";
        stream.write_all(bot.as_bytes()).unwrap();
        let answer = read_answer(&mut stream);
        assert_eq!(answer.status, 200);
        assert_eq!(
            (answer.sent("x-bot-score"), answer.sent("x-bot-verdict")),
            (vec!["0"], vec!["unscored"])
        );
        assert_eq!(answer.sent("x-bot-artifact"), ["cdcdcdcdcdcdcdcd"]);
    }
    assert_eq!(edge.bots.engine().faults(), 3);
    assert_eq!(edge.ask(BOT).status, 403, "and the next request is scored");
}

#[test]
fn a_panic_in_judging_lets_the_request_through() {
    let clock = || panic!("as the test asked");
    let edge = edge(filter(Route::new().challenge_below(30)).unix_seconds(clock));
    let mut stream = edge.connect();
    for total in 1..=3 {
        let bot = "GET /page?__gl_c=1&a HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.0\r\nX-Bot-Score: 99\r\nCookie: gl_c=1; a=b\r\n\r\n";
        stream.write_all(bot.as_bytes()).unwrap();
        let answer = read_answer(&mut stream);
        assert_eq!((answer.status, answer.sent("x-bot-score")), (200, vec!["0"]));
        assert_eq!(answer.sent("x-bot-verdict"), ["unscored"]);
        // What only we may say stays out all the same.
        assert!(answer.body.starts_with("GET /page?a HTTP/1.1\r\n"), "{answer:?}");
        assert_eq!((answer.sent("cookie"), answer.sent("x-bot-artifact")), (vec!["a=b"], vec![]));
        let counters = edge.bots.counters();
        assert_eq!((counters.panics, counters.unscored), (total, total));
    }
    assert_eq!(edge.bots.engine().faults(), 0, "which is the scorer's count");
    assert_eq!(edge.ask(HUMAN).sent("x-bot-verdict"), ["allow"], "and the next request is judged");
}

#[test]
fn lists_go_before_the_score_and_the_allow_list_first() {
    let lists = AddressLists {
        allow: Networks::parse("127.0.0.2 # a monitor\n127.0.0.4").unwrap(),
        deny: Networks::parse("127.0.0.3\n127.0.0.4/31").unwrap(),
    };
    let edge = edge(filter(blocking()).lists(lists));
    for (last, head, status) in [
        (2, BOT, 200),
        (3, HUMAN, 403),
        (4, BOT, 200),
        (5, HUMAN, 403),
        (6, HUMAN, 200),
        (6, BOT, 403),
    ] {
        let answer = edge.ask_from(last, head);
        assert_eq!(answer.status, status, "{last}");
        let expected: &[&str] = match (last, status) {
            (2 | 4, _) => &["allow-listed"],
            (_, 200) => &["allow"],
            _ => &[],
        };
        assert_eq!(answer.sent("x-bot-verdict"), expected);
        if matches!(last, 2 | 4) {
            assert_eq!(
                (answer.sent("x-bot-score"), answer.sent("x-bot-artifact")),
                (vec!["0"], vec![])
            );
        }
    }
    let FilterCounters { allow_listed, deny_listed, allowed, blocked, .. } = edge.bots.counters();
    assert_eq!((allow_listed, deny_listed, allowed, blocked), (2, 2, 1, 1));
}

#[test]
fn an_exempt_route_is_neither_scored_nor_refused() {
    let deny = Networks::parse("127.0.0.3").unwrap();
    let lists = AddressLists { deny, ..AddressLists::default() };
    let edge = edge(filter(Route::new().exempt()).lists(lists));
    for answer in [edge.ask(BOT), edge.ask_from(3, HUMAN)] {
        assert_eq!((answer.status, answer.sent("x-bot-verdict")), (200, vec!["exempt"]));
        assert_eq!(
            (answer.sent("x-bot-score"), answer.sent("x-bot-artifact")),
            (vec!["0"], vec![])
        );
    }
    assert_eq!((edge.bots.counters().exempt, edge.bots.engine().counters().scored), (2, 0));
}

/// Ten rows that fire on every request, of weights that ascend and alternate.
fn weighty() -> CompiledModel {
    let feature = Feature::parse("method", "GET").unwrap();
    let rows = (1..=10).map(|row: i16| {
        let weight = if row % 2 == 0 { row * 10 } else { row * -10 };
        Row::of(Key::from_text(&format!("row{row:02}"), 0).unwrap(), &feature, weight)
    });
    let rows = rows.collect();
    let draft = Draft { intercept: 0, engine: 1, created_at: 0, label: String::new(), rows };
    CompiledModel::compile(&draft.encode(&[Schema::ENGINE_1]).unwrap()).unwrap()
}

#[test]
fn the_origin_is_told_the_heaviest_reasons_where_it_asked_for_them() {
    let lie = "X-Bot-Reasons: lie\r\n";
    let edge = edge(filter(blocking()).tell_reasons(true));
    assert_eq!(edge.ask(&format!("{HUMAN}{lie}")).sent("x-bot-reasons"), [""; 0], "none fired");
    edge.bots.engine().install(weighty());
    let told = "row10+100, row09-90, row08+80, row07-70, row06+60, row05-50, row04+40, row03-30";
    assert_eq!(edge.ask(&format!("{HUMAN}{lie}")).sent("x-bot-reasons"), [told]);

    let silent = super::edge(filter(blocking()));
    silent.bots.engine().install(weighty());
    assert_eq!(silent.ask(&format!("{HUMAN}{lie}")).sent("x-bot-reasons"), [""; 0]);
}

#[test]
fn a_target_in_any_form_is_held_to_the_route_that_the_origin_finds() {
    let limits =
        crate::EngineLimits::default().with_max_scoring(std::time::Duration::from_secs(60));
    let engine = crate::Engine::new(limits);
    engine.install(model());
    let policy = crate::Policy::new(vec![
        Route::new(),
        Route::new().path_prefix("/admin").block_below(99),
        Route::new().host("shop.example").block_below(99),
    ]);
    let edge = edge(crate::BotFilter::builder(engine, policy));
    for (head, expected) in [
        ("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n", 200),
        ("GET http://example.com/admin HTTP/1.1\r\nHost: example.com\r\n", 403),
        // Pingora makes a Host of what the target names.
        ("GET http://shop.example/ HTTP/1.1\r\n", 403),
        ("GET http://shop.example:80/ HTTP/1.0\r\n", 403),
        ("GET http://shop.example:x/ HTTP/1.0\r\n", 403),
        ("GET / HTTP/1.1\r\nHost: shop.example:x\r\n", 403),
        // What is no path goes on as it is, and Go, for one, reads the path of this URL.
        ("GET x:/admin HTTP/1.1\r\nHost: example.com\r\n", 403),
        ("GET admin HTTP/1.1\r\nHost: example.com\r\n", 403),
        ("GET  /admin HTTP/1.1\r\nHost: example.com\r\n", 403),
    ] {
        assert_eq!(edge.ask(head).status, expected, "{head}");
    }
}

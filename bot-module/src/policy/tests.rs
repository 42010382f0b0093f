use greenlight_artifact::Digest;

use super::{Action, Policy, Route, Verdict};
use crate::{Evaluation, Score};

fn evaluation(score: u8) -> Evaluation {
    // Logits from certain human to certain bot reach every score.
    let logit = (-20_000..=20_000).find(|logit| Score::of_logit_milli(*logit).get() == score);
    Evaluation {
        score: logit.map_or(Score::UNSCORED, Score::of_logit_milli),
        logit_milli: logit.unwrap_or(0),
        digest: Some(Digest([7; 32])),
        fired: crate::Fired::row(3),
    }
}

fn route() -> Route {
    Route { tag_below: 50, log_below: 40, block_below: 30, ..Route::default() }
}

fn decide(route: Route, score: u8) -> Verdict {
    Policy::new(vec![route]).decide(Some("example.com"), "/", &evaluation(score))
}

#[test]
fn each_threshold_is_exclusive_and_the_most_severe_action_wins() {
    let expected = |score| match score {
        1..=29 => Action::Block,
        30..=39 => Action::Log,
        40..=49 => Action::Tag,
        _ => Action::Allow,
    };
    for score in 1..=99 {
        let verdict = decide(route(), score);
        assert_eq!(verdict.score.get(), score);
        assert_eq!(verdict.action, expected(score), "score {score}");
        assert_eq!(verdict.as_str(), verdict.action.as_str());
        assert!(verdict.enforced);
        assert_eq!(verdict.blocks(), score < 30);
        assert_eq!(verdict.logged, score < 40, "what is blocked is logged too");
        assert_eq!((verdict.digest, verdict.fired), (Some(Digest([7; 32])), crate::Fired::row(3)));
    }
}

#[test]
fn what_has_no_score_is_allowed_whatever_the_thresholds() {
    let strict = Route { tag_below: 100, log_below: 100, block_below: 100, ..Route::default() };
    let verdict = decide(strict.clone(), 0);
    assert_eq!((verdict.action, verdict.blocks(), verdict.logged), (Action::Allow, false, false));
    assert_eq!(verdict.as_str(), "unscored");
    assert!(decide(strict, 99).blocks());
}

#[test]
fn zero_disables_an_action() {
    let off = Route { block_below: 0, log_below: 0, tag_below: 0, ..Route::default() };
    assert_eq!(decide(off, 1).action, Action::Allow);
    let one = Route { block_below: 1, ..Route::default() };
    assert_eq!(decide(one, 1).action, Action::Allow);
}

#[test]
fn shadow_decides_and_does_nothing() {
    let verdict = decide(Route { shadow: true, ..route() }, 5);
    assert_eq!((verdict.action, verdict.as_str()), (Action::Block, "block"));
    assert!(!verdict.enforced && !verdict.blocks() && !verdict.logged);
}

#[test]
fn the_most_specific_route_holds_in_any_order_of_writing() {
    let named = |host: Option<&str>, path_prefix: &str, block_below| Route {
        host: host.map(Into::into),
        path_prefix: path_prefix.into(),
        block_below,
        ..Route::default()
    };
    let mut routes = vec![
        named(None, "", 1),
        named(None, "/api/v2/", 2),
        named(None, "/api/", 3),
        named(Some("Shop.Example.com"), "", 4),
        named(Some("shop.example.com"), "/cart", 5),
    ];
    for _ in 0..2 {
        let policy = Policy::new(routes.clone());
        let found = |host, path| policy.route(host, path).map(|route| route.block_below);
        assert_eq!(found(Some("other.example"), "/"), Some(1));
        assert_eq!(found(Some("other.example"), "/api/v2/x"), Some(2));
        assert_eq!(found(Some("other.example"), "/api/v1"), Some(3));
        assert_eq!(found(None, "/cart"), Some(1));
        assert_eq!(
            found(Some("shop.example.com"), "/api/v2/x"),
            Some(4),
            "a named host before a longer prefix"
        );
        assert_eq!(found(Some("SHOP.example.com:8443"), "/cart/1"), Some(5));
        assert_eq!(found(Some("shop.example.com."), "/cart"), Some(5));
        routes.reverse();
    }
}

#[test]
fn of_two_like_routes_the_earlier_holds() {
    let policy = Policy::new(vec![Route { block_below: 10, ..Route::default() }, route()]);
    assert_eq!(policy.route(None, "/").map(|route| route.block_below), Some(10));
}

#[test]
fn without_a_route_all_is_allowed() {
    let only = Route { host: Some("a.example".into()), ..route() };
    let verdict = Policy::new(vec![only]).decide(Some("b.example"), "/", &evaluation(1));
    assert_eq!((verdict.action, verdict.enforced), (Action::Allow, true));
    assert_eq!(Policy::default().decide(None, "/", &evaluation(1)).action, Action::Allow);
}

#[test]
fn hosts_are_read_without_their_port() {
    let host_of = super::host_name;
    assert_eq!(host_of("example.com"), "example.com");
    assert_eq!(host_of("example.com:80"), "example.com");
    assert_eq!(host_of("[2001:db8::1]:80"), "[2001:db8::1]");
    assert_eq!(host_of("[2001:db8::1]"), "[2001:db8::1]");
    assert_eq!(host_of(""), "");
}

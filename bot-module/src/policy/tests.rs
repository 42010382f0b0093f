use greenlight_artifact::Digest;

use super::{Action, Policy, Route, Target, Verdict};
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
    Route::new().tag_below(50).log_below(40).block_below(30)
}

fn decide(route: Route, score: u8) -> Verdict {
    Policy::new(vec![route])
        .decide(&Target::new("GET", Some("example.com"), "/"), &evaluation(score))
}

fn block_below(policy: &Policy, host: Option<&str>, path: &str) -> Option<u8> {
    let index = policy.matched(&Target::new("GET", host, path)).indices().next();
    index.map(|index| policy.routes()[index].block_below)
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
        let found = |host, path| block_below(&policy, host, path);
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
    assert_eq!(block_below(&policy, None, "/"), Some(10));
}

#[test]
fn without_a_route_all_is_allowed() {
    let only = Route { host: Some("a.example".into()), ..route() };
    let verdict =
        Policy::new(vec![only]).decide(&Target::new("GET", Some("b.example"), "/"), &evaluation(1));
    assert_eq!((verdict.action, verdict.enforced), (Action::Allow, true));
    assert_eq!(
        Policy::default().decide(&Target::new("GET", None, "/"), &evaluation(1)).action,
        Action::Allow
    );
}

#[test]
fn hosts_are_read_without_their_port() {
    let host_of = super::route::host_name;
    assert_eq!(host_of("example.com"), "example.com");
    assert_eq!(host_of("example.com:80"), "example.com");
    assert_eq!(host_of("[2001:db8::1]:80"), "[2001:db8::1]");
    assert_eq!(host_of("[2001:db8::1]"), "[2001:db8::1]");
    assert_eq!(host_of(""), "");
}

#[test]
fn a_spelling_of_a_path_never_slips_off_its_stricter_route() {
    let policy = Policy::new(vec![
        Route::new().block_below(10),
        Route::new().path_prefix("/login").block_below(90),
        Route::new().path_prefix("/static/").exempt(),
    ]);
    let decide = |path| policy.decide(&Target::new("GET", None, path), &evaluation(50));
    for path in [
        "/login",
        "/login/x",
        "//login",
        "/./login",
        "/x/../login",
        "/%6cogin",
        "/%6Cogin",
        "/%256cogin",
        "/x%2f..%2flogin",
        "\\login",
        "/x\\..\\login",
        "/LOGIN",
        "/%4cOGIN",
        "/static/../login",
        "/static//../../login",
        "/static/%2e%2e/login",
        "/;a=b/login",
        "/x;a/../login",
        "/.;a/login",
        "/static/..;/login",
        "/x//../../login",
        "/x//..//login",
        "/../login",
        "/%2flogin",
        "/login.",
        "/login%00",
        // Decoded, and its dots or backslashes not resolved.
        "/%6cogin/../x",
        "/%6cogin\\..\\x",
        "/login\\..\\x",
        // Resolved first, then decoded.
        "/a/../%6cogin%2f..",
        // Merged, and not resolved.
        "//login/..",
        // Without parameters, and not resolved.
        "/;a/login/..",
        // No path at all, and yet some origin's.
        "login",
        "x:/login",
        "*",
    ] {
        assert_eq!(decide(path).action, Action::Block, "{path}");
    }
    for path in ["/", "/log", "/x/login", "/%", "/%zz", "/%c3%28", "", "/static"] {
        assert_eq!(decide(path).action, Action::Allow, "{path}");
        assert_eq!(decide(path).as_str(), "allow", "{path}");
    }
    assert_eq!(decide("/static/a.css").as_str(), "exempt");
    assert_eq!(decide("/static/a%20b.css").as_str(), "exempt");
    assert_eq!(decide("/STATIC/a.css").as_str(), "allow", "an exemption is for its own case");
    assert_eq!(decide("/static/../x").as_str(), "allow");
}

#[test]
fn a_path_with_more_readings_than_are_gone_through_is_taken_for_every_path() {
    let policy = Policy::new(vec![
        Route::new().path_prefix("/login").block_below(90),
        Route::new().path_prefix("/static/").exempt(),
        Route::new().host("other.example").challenge_below(90),
    ]);
    let decide = |path: &str| {
        policy.decide(&Target::new("GET", Some("shop.example"), path), &evaluation(50)).action
    };
    let odd = "/static/a.;b/%252e%252e\\..;/c%3b//.";
    assert_eq!(decide(&odd.repeat(4)), Action::Block);
    assert_eq!(decide(&format!("/static/{}", "%20".repeat(40_000))), Action::Block);
    assert_eq!(decide(&format!("/static/{}", "%20".repeat(20_000))), Action::Allow);
    let exempt = Policy::new(vec![Route::new().path_prefix("/static/").exempt()]);
    let verdict = exempt.decide(&Target::new("GET", None, &odd.repeat(4)), &evaluation(50));
    assert_eq!((verdict.action, verdict.as_str()), (Action::Allow, "allow"));
}

#[test]
fn actions_ascend_in_severity_and_none_meets_a_request_without_a_score() {
    let route = Route::new()
        .tag_below(60)
        .log_below(50)
        .rate_limit_below(40, super::RateLimit::default())
        .challenge_below(30)
        .block_below(20);
    let expected = |score| match score {
        1..=19 => Action::Block,
        20..=29 => Action::Challenge,
        30..=39 => Action::RateLimit,
        40..=49 => Action::Log,
        50..=59 => Action::Tag,
        _ => Action::Allow,
    };
    for score in 0..=99 {
        assert_eq!(decide(route.clone(), score).action, expected(score), "score {score}");
    }
}

#[test]
fn a_route_with_methods_is_for_them_and_goes_before_one_without() {
    let policy = Policy::new(vec![
        Route::new().path_prefix("/a").block_below(10),
        Route::new().path_prefix("/a").methods(["POST"]).block_below(90),
    ]);
    let decide = |method| policy.decide(&Target::new(method, None, "/a"), &evaluation(50)).action;
    assert_eq!(
        (decide("POST"), decide("GET"), decide("PoSt")),
        (Action::Block, Action::Allow, Action::Block),
        "there are origins that fold a method's case"
    );
    let lenient = Policy::new(vec![
        Route::new().path_prefix("/a").block_below(90),
        Route::new().path_prefix("/a").methods(["POST"]).exempt(),
    ]);
    let decide = |method| lenient.decide(&Target::new(method, None, "/a"), &evaluation(50));
    assert_eq!((decide("POST").as_str(), decide("post").as_str()), ("exempt", "block"));
}

#[test]
fn of_two_names_the_stricter_counts() {
    let policy = Policy::new(vec![
        Route::new().host("open.example").exempt(),
        Route::new().host("::1").block_below(80),
        Route::new().host("shop.example").block_below(90),
    ]);
    let decide = |host, other| {
        let target = Target::new("GET", Some(host), "/").also_host(Some(other));
        policy.decide(&target, &evaluation(50)).as_str()
    };
    assert_eq!(decide("open.example", "shop.example"), "block");
    assert_eq!(decide("shop.example", "open.example"), "block");
    assert_eq!(decide("open.example", "OPEN.example:80"), "exempt");
    assert_eq!(decide("open.example", "other.example"), "allow");
    assert_eq!(decide("[0:0::1]:80", "[::1]"), "block");
}

#[test]
fn a_host_that_servers_may_read_otherwise_is_taken_for_every_host() {
    let policy = Policy::new(vec![
        Route::new().host("open.example").exempt(),
        Route::new().host("shop.example").path_prefix("/login").block_below(90),
        Route::new().host("::1").path_prefix("/v6").block_below(90),
    ]);
    let decide = |host: &str, path| {
        policy.decide(&Target::new("GET", Some(host), path), &evaluation(50)).as_str()
    };
    for host in [
        "shop.example:x",
        "shop.example:80.",
        "shop.example:80:80",
        "shop.example..",
        "shop.example/",
        "shop.example, x",
        "shop%2eexample",
        "http://shop.example",
        "open.example:x",
        "[::1",
        "[::1%25lo]",
        "\u{fffd}",
    ] {
        assert_eq!(decide(host, "/login"), "block", "{host}");
        assert_eq!(decide(host, "/x/..;/login"), "block", "{host}");
        assert_eq!(decide(host, "/v6"), "block", "{host}");
        assert_eq!(decide(host, "/"), "allow", "{host}");
    }
    for host in
        ["other.example", "xn--bcher-kva.example", "a_b", "", ":80", "192.0.2.1:80", "[::2]"]
    {
        assert_eq!(decide(host, "/login"), "allow", "{host}");
    }
    assert_eq!(decide("open.example:80", "/login"), "exempt");
    assert_eq!(decide("shop.example.:80", "/login"), "block");
}

//! The real binary as a process: what its configuration says is done with scores.

use std::path::Path;

use crate::support::{Answer, Edge, ask, config, echo, keep_artifact, origin};

const BOT: (&str, &str) = ("user-agent", "evil/1.0");
const HUMAN: (&str, &str) = ("user-agent", "Mozilla/5.0");

fn total(action: &str) -> String {
    format!("greenlight_requests_total{{action={action:?}}}")
}

/// An edge that scores by the artifact of these tests, with more in its configuration.
fn edge(folder: &Path, more: &str) -> Edge {
    keep_artifact(folder);
    Edge::start(&config(folder, origin(echo), more))
}

/// Whether a bot was sent to fetch a cookie; the cookie.
fn challenged(answer: &Answer) -> Option<String> {
    let location = answer.field("location")?;
    assert!(answer.status == 307 && location.starts_with("/shop?__gl_c="), "{answer:?}");
    Some(answer.field("set-cookie")?.split(';').next()?.to_owned())
}

#[test]
fn a_challenge_is_passed_with_its_cookie_on_every_edge_that_knows_the_secret() {
    let start = |secrets: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        let mut more = "[challenge]\nlifetime = \"1h\"\n".to_owned();
        for (key, secret) in secrets {
            std::fs::write(folder.path().join(key), secret).unwrap();
            more.push_str(&format!("{key} = {key:?}\n"));
        }
        more.push_str("[[route]]\npath_prefix = \"/shop\"\nchallenge_below = 30\n");
        (edge(folder.path(), &more), folder)
    };
    let (old, new) = ("a secret of yesterday's\n", "a secret of today's\n");
    let shop =
        |edge: &Edge, fields: &[(&str, &str)]| ask(edge.http, "/shop", &[&[BOT], fields].concat());

    let (before, _before) = start(&[("secret_file", old)]);
    let first = shop(&before, &[]);
    let cookie = challenged(&first).expect("a cookie");
    assert!(first.field("set-cookie").unwrap().contains("; Max-Age=3600;"), "{first:?}");
    let location = first.field("location").unwrap();
    let second = ask(before.http, location, &[BOT, ("cookie", &cookie)]);
    assert_eq!((second.status, second.field("location")), (307, Some("/shop")));
    let third = shop(&before, &[("cookie", &format!("a=b; {cookie}"))]);
    assert_eq!((third.status, third.sent("x-bot-verdict")), (200, vec!["challenge"]));
    assert_eq!(third.sent("cookie"), ["a=b"]);
    before.settles_at(&total("challenge"), 2);
    before.settles_at(&total("challenge-passed"), 1);
    let human = ask(before.http, "/shop", &[HUMAN]);
    assert_eq!((human.status, human.sent("x-bot-verdict")), (200, vec!["allow"]));

    let (rotated, _rotated) = start(&[("secret_file", new), ("previous_secret_file", old)]);
    assert_eq!(shop(&rotated, &[("cookie", &cookie)]).status, 200);
    let later = challenged(&shop(&rotated, &[])).expect("a cookie");

    let (after, _after) = start(&[("secret_file", new)]);
    assert_eq!(shop(&after, &[("cookie", &later)]).status, 200, "it was made with the new one");
    assert!(challenged(&shop(&after, &[("cookie", &cookie)])).is_some());
}

#[test]
fn a_client_that_asks_too_much_is_told_to_wait() {
    let folder = tempfile::tempdir().unwrap();
    let more = "[client]\ntrusted_proxies = [\"127.0.0.1\"]\n[[route]]\npath_prefix = \"/api\"\n\
                rate_limit_below = 30\nrate_limit = { requests = 2, per = \"1h\" }\n";
    let edge = edge(folder.path(), more);
    let api = |client: &str| ask(edge.http, "/api/x", &[BOT, ("x-forwarded-for", client)]);
    for _ in 0..2 {
        let answer = api("203.0.113.1");
        assert_eq!((answer.status, answer.sent("x-bot-verdict")), (200, vec!["rate-limit"]));
    }
    let refused = api("203.0.113.1");
    assert_eq!((refused.status, refused.body.as_str()), (429, "Too many requests\n"));
    let wait: u64 = refused.field("retry-after").unwrap().parse().unwrap();
    assert!((3_600..=7_200).contains(&wait), "{wait}");
    assert_eq!(api("203.0.113.2").status, 200);
    edge.settles_at(&total("rate-limit"), 1);
    edge.settles_at(&total("within-limit"), 3);
    edge.settles_at("greenlight_responses_total{class=\"4xx\",source=\"proxy\"}", 1);
}

#[test]
fn lists_of_files_go_before_the_score() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("deny.txt"), "203.0.113.0/24 # scanners\n").unwrap();
    std::fs::write(folder.path().join("allow.txt"), "203.0.113.9\n2001:db8::/32\n").unwrap();
    let more = "[client]\ntrusted_proxies = [\"127.0.0.1\"]\n\
                [lists]\nallow_file = \"allow.txt\"\ndeny_file = \"deny.txt\"\ndeny = [\"198.51.100.7\"]\n";
    let edge = edge(folder.path(), more);
    let as_client =
        |client: &str, agent| ask(edge.http, "/", &[agent, ("x-forwarded-for", client)]);
    for (client, agent, status, verdict) in [
        ("203.0.113.8", HUMAN, 403, None),
        ("198.51.100.7", HUMAN, 403, None),
        ("203.0.113.9", BOT, 200, Some("allow-listed")),
        ("2001:db8::1", BOT, 200, Some("allow-listed")),
        ("198.51.100.8", HUMAN, 200, Some("allow")),
        ("198.51.100.8", BOT, 403, None),
    ] {
        let answer = as_client(client, agent);
        assert_eq!(answer.status, status, "{client}");
        assert_eq!(answer.sent("x-bot-verdict").first().copied(), verdict, "{client}");
    }
    edge.settles_at(&total("deny-listed"), 2);
    edge.settles_at(&total("allow-listed"), 2);
    edge.settles_at(&total("block"), 1);
}

#[test]
fn exempt_routes_are_not_scored_and_reasons_are_told_where_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let more = "[headers]\nreasons = true\n[[route]]\npath_prefix = \"/health\"\nexempt = true\n\
                [[route]]\npath_prefix = \"/seen\"\nblock_below = 30\nshadow = true\n";
    let edge = edge(folder.path(), more);
    let exempt = ask(edge.http, "/health", &[BOT]);
    assert_eq!((exempt.status, exempt.sent("x-bot-verdict")), (200, vec!["exempt"]));
    assert_eq!((exempt.sent("x-bot-score"), exempt.sent("x-bot-reasons")), (vec!["0"], vec![]));
    let seen = ask(edge.http, "/seen", &[BOT, ("x-bot-reasons", "none")]);
    assert_eq!((seen.status, seen.sent("x-bot-verdict")), (200, vec!["block"]));
    assert_eq!(seen.sent("x-bot-reasons"), ["ua.evil+9000"]);
    assert_eq!(ask(edge.http, "/", &[BOT]).status, 403);
    edge.settles_at(&total("exempt"), 1);
    edge.settles_at(&total("shadow"), 1);

    let folder = tempfile::tempdir().unwrap();
    let silent = self::edge(folder.path(), &more.replace("reasons = true", "reasons = false"));
    let seen = ask(silent.http, "/seen", &[BOT, ("x-bot-reasons", "none")]);
    assert_eq!((seen.sent("x-bot-verdict"), seen.sent("x-bot-reasons")), (vec!["block"], vec![]));
}

#[test]
fn switched_off_it_judges_nothing_and_still_takes_out_what_only_we_may_say() {
    let folder = tempfile::tempdir().unwrap();
    let edge = edge(folder.path(), "[bots]\nenabled = false\n");
    let answer = ask(edge.http, "/", &[BOT, ("x-bot-score", "99"), ("x_bot_verdict", "allow")]);
    assert_eq!((answer.status, answer.body.to_ascii_lowercase().contains("bot")), (200, false));
}

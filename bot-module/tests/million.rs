//! A million clients leave the engine as large as it was.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test")]

use std::{fmt::Write, net::IpAddr, time::Duration};

use greenlight_bot::{CompiledModel, Engine, EngineLimits, RequestView};
use http::{HeaderMap, HeaderValue, Version, header::USER_AGENT};
use rows::{features, numbered};

#[path = "support/rows.rs"]
mod rows;

/// Each with an address, a path and a user agent of its own.
const CLIENTS: u32 = 1_000_000;

/// Every kind of row that remembers clients.
const ROWS: [(&str, &str); 4] = [
    ("request-rate", "10"),
    ("distinct-paths-over", "30"),
    ("error-ratio-over", "40"),
    ("gap-variation-under", "10"),
];

#[test]
fn a_million_clients_paths_and_user_agents_leave_no_byte_behind() {
    let engine = Engine::new(EngineLimits::default());
    engine.install(CompiledModel::compile(&numbered(features(&ROWS))).unwrap());
    let mut path = String::with_capacity(64);
    let mut headers = HeaderMap::new();
    let mut ask = |client: IpAddr, number: u32| {
        path.clear();
        write!(path, "/path/{number}").unwrap();
        // What the proxy allocates for a request is not ours, and is gone with the next.
        allocation_counter::opt_out(|| {
            let agent = HeaderValue::from_str(&format!("agent/{number}")).unwrap();
            headers.insert(USER_AGENT, agent);
        });
        let request =
            RequestView::new("GET", &path, Version::HTTP_11, &headers).with_client(Some(client));
        let now = Duration::from_micros(u64::from(number) * 100);
        let evaluation = engine.evaluate_at(&request, now);
        engine.answered_at(Some(client), 404, now);
        evaluation
    };
    // The first load of a thread makes it known to arc-swap.
    let _ = ask([192, 0, 2, 1].into(), CLIENTS);
    let info = allocation_counter::measure(|| {
        for number in 0..CLIENTS {
            // Half of them IPv4, half IPv6 networks.
            let client = if number % 2 == 0 {
                IpAddr::from((0x0a00_0000 | number).to_be_bytes())
            } else {
                IpAddr::from(((0x2001_0db8_0000_0000 | u128::from(number)) << 64).to_be_bytes())
            };
            let evaluation = ask(client, number);
            assert!(evaluation.fired.len() <= 1, "of a client seen once: {evaluation:?}");
        }
    });
    // Not a byte more, and none for a while either.
    assert_eq!((info.count_total, info.bytes_total, info.bytes_current), (0, 0, 0));
    assert_eq!((engine.faults(), engine.counters().scored), (0, u64::from(CLIENTS) + 1));
}

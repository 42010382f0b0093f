#![allow(clippy::arithmetic_side_effects, reason = "a test")]

use std::{net::IpAddr, thread, time::Duration};

use proptest::prelude::*;

use super::{Clients, Secret, is_clients_error};
use crate::request::ClientActivity;

fn clients(slots: u32) -> Clients {
    Clients::new(1 << 10, slots, Secret::known())
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn distinct(clients: &Clients, client: &str, path: &str) -> u64 {
    clients.observe(address(client), path, Duration::ZERO, true).distinct_paths
}

#[test]
fn a_client_is_an_ipv4_address_or_an_ipv6_site() {
    let clients = clients(64);
    distinct(&clients, "2001:db8::1", "/a");
    assert_eq!(distinct(&clients, "2001:db8::2", "/b"), 2, "of the same /64");
    assert_eq!(distinct(&clients, "2001:db8:0:1::1", "/c"), 1, "of another");
    distinct(&clients, "192.0.2.1", "/a");
    assert_eq!(distinct(&clients, "::ffff:192.0.2.1", "/b"), 2, "mapped");
    assert_eq!(distinct(&clients, "192.0.2.2", "/c"), 1);
    let rate = clients.observe(address("192.0.2.1"), "/", Duration::ZERO, false);
    assert_eq!(rate, ClientActivity::of_rate(3));
}

#[test]
fn behaviour_that_is_not_asked_for_is_not_recorded() {
    let clients = clients(64);
    clients.observe(address("192.0.2.1"), "/a", Duration::ZERO, false);
    assert_eq!(distinct(&clients, "192.0.2.1", "/b"), 1);
}

#[test]
fn an_answer_to_a_client_that_is_not_known_is_forgotten() {
    let clients = clients(4);
    let client = address("192.0.2.1");
    (0..40).for_each(|_| clients.answered(client, 404, Duration::ZERO));
    let activity = clients.observe(client, "/", Duration::ZERO, true);
    assert_eq!(activity.error_percent, None);
    (0..40).for_each(|_| clients.answered(client, 404, Duration::ZERO));
    assert_eq!(clients.observe(client, "/", Duration::ZERO, true).error_percent, Some(100));
}

#[test]
fn errors_are_those_that_speak_against_a_client() {
    let errors: Vec<u16> = [200, 304, 400, 401, 403, 404, 410, 429, 499, 500, 502]
        .into_iter()
        .filter(|status| is_clients_error(*status))
        .collect();
    assert_eq!(errors, [400, 403, 404, 410, 499]);
}

#[test]
fn threads_that_meet_lose_records_and_nothing_else() {
    let clients = clients(1);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for request in 0..2_000_u64 {
                    let now = Duration::from_millis(request * 20);
                    let activity = clients.observe(address("192.0.2.1"), "/one", now, true);
                    assert!(activity.distinct_paths <= 1, "{activity:?}");
                    clients.answered(address("192.0.2.1"), 200, now);
                    assert!(activity.error_percent.is_none_or(|percent| percent == 0));
                }
            });
        }
    });
}

proptest! {
    /// One clean client, who reads two pages at a reader's pace, among many who ask for ever new paths, meet nothing
    /// but errors and keep a machine's time, in a table with room for four.
    #[test]
    fn no_client_is_framed_by_what_others_do(
        others in proptest::collection::vec(0..12_u32, 200..400),
        six in any::<bool>(),
    ) {
        let clients = clients(1);
        let clean = address(if six { "2001:db8::1" } else { "10.0.0.3" });
        let mut now = Duration::ZERO;
        for (turn, other) in others.iter().enumerate() {
            now += Duration::from_millis(500);
            let dirty = IpAddr::from((0x0a00_0010 + other).to_be_bytes());
            clients.observe(dirty, &format!("/{turn}"), now, true);
            (0..25).for_each(|_| clients.answered(dirty, 404, now));
            // Gaps of 500 ms and 1 500 ms in turn; of any nine requests in a row they are uneven.
            if turn % 4 < 2 {
                let path = if turn % 3 == 0 { "/a" } else { "/b" };
                let activity = clients.observe(clean, path, now, true);
                prop_assert!((1..=2).contains(&activity.distinct_paths));
                prop_assert!(activity.error_percent.is_none_or(|percent| percent == 0));
                prop_assert!(activity.gap_variation_percent.is_none_or(|percent| percent >= 40));
                (0..25).for_each(|_| clients.answered(clean, 200, now));
            }
        }
    }
}

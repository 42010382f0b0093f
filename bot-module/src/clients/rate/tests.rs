use std::{thread, time::Duration};

use super::{COUNT_MAX, RateTable, SECOND_MASK, Window};
use crate::clients::Secret;

const ALICE: u64 = 0x0123_4567_89ab_cdef;
const BOB: u64 = 0xfedc_ba98_7654_3210;

fn table(width: u32) -> RateTable {
    RateTable::new(width)
}

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn counts_each_client_by_itself() {
    let table = table(1 << 16);
    let alice: Vec<u64> = (0..5).map(|_| table.record(ALICE, at(100))).collect();
    assert_eq!(alice, [1, 2, 3, 4, 5]);
    assert_eq!(table.record(BOB, at(100)), 1);
}

#[test]
fn fades_the_second_before_as_the_running_one_passes() {
    let table = table(1 << 16);
    for _ in 0..100 {
        table.record(ALICE, at(500));
    }
    assert_eq!(table.record(ALICE, at(1_000)), 101, "all of the second before");
    assert_eq!(table.record(ALICE, at(1_500)), 52, "half of it");
    assert_eq!(table.record(ALICE, at(1_999)), 3, "none");
    assert_eq!(table.record(ALICE, at(3_000)), 1, "a second without requests forgets");
}

#[test]
fn a_steady_client_is_counted_at_its_rate() {
    let table = table(1 << 16);
    let counts: Vec<u64> = (0..100).map(|request| table.record(ALICE, at(request * 40))).collect();
    // 25 a second: from the second second on, each request sees 25, give or take the one at the seam.
    assert!(counts[25..].iter().all(|count| (25..=26).contains(count)), "{counts:?}");
}

#[test]
fn a_late_reader_of_the_clock_counts_in_the_running_second() {
    let table = table(1 << 16);
    table.record(ALICE, at(1_000));
    table.record(ALICE, at(1_000));
    assert_eq!(table.record(ALICE, at(999)), 3);
    assert_eq!(table.record(ALICE, at(1_000)), 4);
}

#[test]
fn the_number_of_the_second_wraps() {
    let last = Duration::from_secs(SECOND_MASK);
    let table = table(1 << 16);
    table.record(ALICE, last);
    assert_eq!(table.record(ALICE, last + Duration::from_secs(1)), 2);
}

#[test]
fn counts_stop_at_their_bound() {
    let full = Window { second: 7, before: COUNT_MAX, running: COUNT_MAX };
    assert_eq!(Window::of_word(full.word()).plus_one(7).word(), full.word());
    assert_eq!(full.within_a_second(0), 2 * COUNT_MAX);
}

#[test]
fn collisions_only_add() {
    // One counter a row: everyone collides with everyone.
    let table = table(1);
    let hashes = Secret::random();
    for client in 0..50_u32 {
        table.record(hashes.hash(client), at(0));
    }
    assert_eq!(table.record(ALICE, at(0)), 51);
}

#[test]
fn a_flood_of_clients_neither_grows_the_table_nor_hides_or_frames_a_client() {
    let table = table(1 << 16);
    let hashes = Secret::random();
    let info = allocation_counter::measure(|| {
        for flood in 0..20_000_u32 {
            table.record(hashes.hash(flood), at(0));
        }
    });
    assert_eq!(info.count_total, 0);
    for _ in 0..30 {
        table.record(ALICE, at(0));
    }
    let alice = table.record(ALICE, at(0));
    // 20 000 requests over 65 536 counters: a counter holds 0.3 of another's on average, the smallest of four less.
    assert!((31..=33).contains(&alice), "{alice}");
    let bob = table.record(BOB, at(0));
    assert!((1..=3).contains(&bob), "{bob}");
}

#[test]
fn no_request_is_lost_between_threads() {
    let table = table(1 << 10);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5_000).for_each(|_| _ = table.record(ALICE, at(0))));
        }
    });
    assert_eq!(table.record(ALICE, at(0)), 20_001);
}

#[test]
fn a_width_of_zero_is_one() {
    assert_eq!(table(0).record(ALICE, at(0)), 1);
}

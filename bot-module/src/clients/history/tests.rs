#![allow(clippy::arithmetic_side_effects, reason = "a test")]

use std::time::Duration;

use super::{Behaviour, History, PathSet};
use crate::clients::Secret;

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What is known after requests with these gaps, in milliseconds.
fn after_gaps(gaps: impl IntoIterator<Item = u64>) -> Option<u64> {
    let mut history = History::default();
    let mut now = 7_000;
    history.request(1, at(now));
    for gap in gaps {
        now += gap;
        history.request(1, at(now));
    }
    history.behaviour().gap_variation_percent
}

#[test]
fn counts_different_paths_once_each() {
    let hashes = Secret::known();
    for (paths, low, high) in [(1, 1, 1), (10, 9, 11), (50, 44, 56), (200, 170, 230)] {
        let mut set = PathSet::default();
        for _ in 0..3 {
            (0..paths).for_each(|path: u32| set.insert(hashes.hash(path)));
        }
        assert!((low..=high).contains(&set.estimate()), "{paths}: {}", set.estimate());
    }
}

#[test]
fn a_full_set_of_paths_counts_to_its_bound() {
    let hashes = Secret::known();
    let mut set = PathSet::default();
    (0..100_000_u32).for_each(|path| set.insert(hashes.hash(path)));
    assert_eq!(set.estimate(), 1_597);
    assert_eq!(PathSet::default().estimate(), 0);
}

#[test]
fn paths_and_answers_are_of_the_running_window_and_the_one_before() {
    let mut history = History::default();
    let minute = |minute: u64| Duration::from_secs(minute * 60);
    for path in 0..3 {
        history.request(path, minute(1));
        (0..10).for_each(|_| history.answered(true, minute(1)));
    }
    let told = |history: &History| {
        let Behaviour { distinct_paths, error_percent, .. } = history.behaviour();
        (distinct_paths, error_percent)
    };
    assert_eq!(told(&history), (3, Some(100)));
    history.request(0, minute(6));
    (0..30).for_each(|_| history.answered(false, minute(6)));
    assert_eq!(told(&history), (3, Some(50)), "the window before counts");
    history.request(9, minute(11));
    assert_eq!(told(&history), (2, Some(0)), "the one before that does not");
    history.request(0, minute(30));
    assert_eq!(told(&history), (1, None), "after a pause all begins anew");
}

#[test]
fn a_clock_that_was_read_earlier_takes_nothing_back() {
    let mut history = History::default();
    history.request(1, at(600_000));
    history.request(2, at(299_999));
    assert_eq!(history.behaviour().distinct_paths, 2);
    assert_eq!(history.last_seen(), at(600_000));
}

#[test]
fn errors_are_told_from_twenty_answers_on() {
    let mut history = History::default();
    (0..19).for_each(|_| history.answered(true, at(0)));
    assert_eq!(history.behaviour().error_percent, None);
    history.answered(false, at(0));
    assert_eq!(history.behaviour().error_percent, Some(95));
}

#[test]
fn gaps_are_told_from_eight_on() {
    assert_eq!(after_gaps([1_000; 7]), None);
    assert_eq!(after_gaps([1_000; 8]), Some(0));
}

#[test]
fn a_loop_is_even_and_a_reader_is_not() {
    let jitter = (0..60).map(|request| 1_000 + request * 37 % 100);
    assert!(after_gaps(jitter).unwrap() <= 5, "a loop with the network's jitter");
    let page = [120, 1, 0, 3, 40, 0, 0, 2, 15, 300, 5, 0, 80, 9_000];
    let reading = (0..5).flat_map(|turn| page.into_iter().chain([turn * 4_321]));
    assert!(after_gaps(reading).unwrap() >= 100);
    // One page over HTTP/2, its parts evenly spaced on the wire.
    assert_eq!(after_gaps([300].into_iter().chain([1; 80])), None);
}

#[test]
fn the_variation_is_the_standard_deviation_in_percent_of_the_mean() {
    // Mean 1.5 s, deviation 0.5 s.
    assert_eq!(after_gaps((0..8).map(|gap| 1_000 + gap % 2 * 1_000)), Some(33));
}

#[test]
fn old_gaps_fade() {
    let uneven = (0..32).map(|gap| 100 + gap % 2 * 5_000);
    assert!(after_gaps(uneven.clone()).unwrap() > 80);
    assert!(after_gaps(uneven.chain([2_000; 400])).unwrap() <= 1);
}

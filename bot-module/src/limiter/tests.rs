use std::{net::IpAddr, time::Duration};

use super::Limiter;
use crate::{
    clients::Secret,
    policy::{RateLimit, Route},
};

#[test]
fn a_client_may_ask_so_often_within_the_window_and_each_route_counts_apart() {
    let limit = RateLimit::new(3, Duration::from_millis(2_500));
    let routes = [
        Route::new().rate_limit_below(30, limit),
        Route::new(),
        Route::new().rate_limit_below(30, limit),
    ];
    let limiter = Limiter::new(&routes, Secret::known());
    let client = |last| Some(IpAddr::from([192, 0, 2, last]));
    let now = Duration::from_secs(100);
    for _ in 0..3 {
        assert_eq!(limiter.wait(0, client(1), now), None);
    }
    assert_eq!(limiter.wait(0, client(1), now), Some(5), "two windows");
    assert_eq!(limiter.wait(0, client(2), now), None);
    assert_eq!(limiter.wait(2, client(1), now), None);
    assert_eq!(limiter.wait(0, client(1), now + Duration::from_secs(5)), None);
    assert_eq!((limiter.wait(1, client(1), now), limiter.wait(9, client(1), now)), (None, None));
    assert_eq!(limiter.wait(0, None, now), None);
}

#[test]
fn who_waits_as_told_passes_whenever_he_asked_too_much() {
    for millis in [1, 10, 999, 1_000, 2_500, 60_000, 3_600_000] {
        let per = Duration::from_millis(millis);
        for tenths in 0..20 {
            let limiter = Limiter::new(
                &[Route::new().rate_limit_below(30, RateLimit::new(3, per))],
                Secret::known(),
            );
            let client = Some(IpAddr::from([192, 0, 2, 1]));
            let now = per * 100 + per * tenths / 10;
            let waits: Vec<Option<u64>> = (0..9).map(|_| limiter.wait(0, client, now)).collect();
            assert!(
                waits[..3].iter().all(Option::is_none) && waits[3..].iter().all(Option::is_some)
            );
            let wait = Duration::from_secs(waits[8].unwrap());
            assert!(wait >= per && wait <= 2 * per + Duration::from_secs(1), "{per:?}: {wait:?}");
            assert_eq!(limiter.wait(0, client, now + wait), None, "{per:?} at {now:?}: {wait:?}");
        }
    }
}

#[test]
fn the_shortest_window_is_one_after_years_too() {
    let limit = RateLimit::new(1, Duration::from_millis(1));
    let limiter = Limiter::new(&[Route::new().rate_limit_below(30, limit)], Secret::known());
    let year = Duration::from_secs(365 * 86_400);
    for now in [Duration::ZERO, year, year + Duration::from_millis(5)] {
        assert_eq!(limiter.wait(0, Some([192, 0, 2, 1].into()), now), None, "{now:?}");
    }
}

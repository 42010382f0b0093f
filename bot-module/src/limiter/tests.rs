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
    assert_eq!(limiter.wait(0, client(1), now), Some(3), "whole seconds, rounded up");
    assert_eq!(limiter.wait(0, client(2), now), None);
    assert_eq!(limiter.wait(2, client(1), now), None);
    assert_eq!(limiter.wait(0, client(1), now + Duration::from_secs(5)), None);
    assert_eq!((limiter.wait(1, client(1), now), limiter.wait(9, client(1), now)), (None, None));
    assert_eq!(limiter.wait(0, None, now), None);
}

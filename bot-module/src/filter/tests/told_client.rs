//! What the proxy knows about a client whose connection ends at another proxy.

use std::net::IpAddr;

use super::judging::{judge, model};
use crate::{BotFilter, ClientInfo, Engine, EngineLimits, Policy, Route};

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
/// One that sends hints, and only over TLS.
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";

fn filter(route: Route) -> BotFilter {
    let engine = Engine::new(EngineLimits::default());
    engine.install(model(&[("hints-missing", "")]));
    BotFilter::builder(engine, Policy::new(vec![route])).build()
}

#[tokio::test]
async fn hints_are_missed_where_the_client_used_tls() {
    let bots = filter(Route::new().block_below(30));
    for (tls, status) in [(Some(true), 403), (Some(false), 0), (None, 0)] {
        let judged = judge(&bots, CHROME, ClientInfo::at(CLIENT).with_tls(tls)).await;
        assert_eq!(judged.status, status, "{tls:?}");
    }
    assert_eq!(judge(&bots, CHROME, CLIENT).await.status, 0, "an address alone");
    assert_eq!(judge(&bots, CHROME, None).await.status, 0, "a connection without TLS");
}

#[tokio::test]
async fn a_challenges_cookie_is_for_the_scheme_that_the_client_used() {
    let bots = filter(Route::new().challenge_below(99));
    for (tls, name, secure) in
        [(Some(true), "__Host-gl_c=", true), (Some(false), "gl_c=", false), (None, "gl_c=", false)]
    {
        let judged = judge(&bots, "a", ClientInfo::at(CLIENT).with_tls(tls)).await;
        let cookie = judged.cookie().expect("a cookie");
        assert!(cookie.starts_with(name), "{cookie}");
        assert_eq!(cookie.ends_with("; Secure"), secure, "{cookie}");
    }
}

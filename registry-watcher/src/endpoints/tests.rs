use super::*;

#[test]
fn a_route_goes_below_the_base_and_keeps_what_the_base_has() {
    let query = [("start_period", "3".to_owned()), ("count", "2".to_owned())];
    assert_eq!(below("http://a:1", "/eth/v1/x", &[]), "http://a:1/eth/v1/x");
    assert_eq!(below("http://a:1/key/", "/eth/v1/x", &[]), "http://a:1/key/eth/v1/x");
    assert_eq!(
        below("http://a:1?apikey=k", "/x", &query),
        "http://a:1/x?start_period=3&count=2&apikey=k"
    );
}

#[test]
fn who_lied_is_aside_for_longer_than_who_failed() {
    let urls = ["http://127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned()];
    let endpoints = Endpoints::new(Api::Beacon, &urls, Duration::from_secs(1)).unwrap();
    let [liar, slow] = endpoints.in_turn().try_into().unwrap();
    let problem = String::new();
    let endpoint = liar.label.clone();
    endpoints.report(&liar, Some(&CallError::Lie { endpoint, call: "x", reason: "y", problem }));
    let endpoint = slow.label.clone();
    let deadline = Duration::from_secs(1);
    endpoints.report(&slow, Some(&CallError::Deadline { api: Api::Beacon, endpoint, deadline }));
    let turns = endpoints.in_turn();
    assert_eq!(turns.len(), 1, "both are aside");
    assert_eq!(turns[0].label, slow.label, "the one due first");
}

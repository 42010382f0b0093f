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

#[test]
fn a_lie_goes_on_record_once_an_hour_whatever_else_the_endpoint_answers() {
    let urls = ["http://127.0.0.1:1".to_owned()];
    let endpoints = Endpoints::new(Api::JsonRpc, &urls, Duration::from_secs(1)).unwrap();
    let [turn] = endpoints.in_turn().try_into().unwrap();
    let lies = |reason| CallError::Lie {
        endpoint: turn.label.clone(),
        call: "eth_getProof",
        reason,
        problem: "x".into(),
    };
    for reason in ["storage-proof", "storage-proof", "account-proof"] {
        endpoints.report(&turn, Some(&lies(reason)));
    }
    let lie = "127.0.0.1:1: eth_getProof does not verify: x";
    let expected = [format!("storage-proof: {lie}"), format!("account-proof: {lie}")];
    assert_eq!(endpoints.take_lies(), expected);

    endpoints.accept(&turn);
    let report = endpoints.report_as("rpc");
    assert_eq!(report.errors, [("account-proof", 1), ("storage-proof", 2)].into());
    let [endpoint] = report.endpoints.as_slice() else { panic!("{report:?}") };
    assert_eq!((endpoint.failures, endpoint.aside_ms), (0, 0));
    assert_eq!(endpoint.last_reason, Some("account-proof"), "of the last failure, if long ago");

    endpoints.report(&turn, Some(&lies("account-proof")));
    assert!(endpoints.take_lies().is_empty());
    assert!(endpoints.report_as("rpc").endpoints[0].aside_ms > 10_000);
}

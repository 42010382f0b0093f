use tokio::io::AsyncWriteExt as _;

use super::*;

fn seen(status: u16, score: Option<u8>) -> Seen {
    Seen { who: Who::Bot, route: Route::Block, status, score, verdict: None, artifact: None }
}

#[test]
fn every_kind_of_failure_is_counted() {
    let mut tally = Tally::default();
    tally.add(Ok(seen(200, Some(0))));
    tally.add(Ok(seen(403, None)));
    tally.add(Ok(seen(502, None)));
    for broken in [
        Broken::Refused("x".into()),
        Broken::Reset("x".into()),
        Broken::EarlyEnd,
        Broken::Timeout,
        Broken::Malformed("x".into()),
    ] {
        tally.add(Err(broken));
    }
    assert_eq!((tally.requests, tally.fivexx, tally.broken()), (8, 1, 5));
    assert_eq!(tally.count(Seen::is_unscored), 1);
    assert_eq!(tally.failures.len(), 6, "{:?}", tally.failures);
}

#[test]
fn a_window_holds_only_its_own() {
    let mut tally = Tally::default();
    tally.add(Ok(seen(403, None)));
    let before = tally.clone();
    tally.add(Ok(seen(403, None)));
    tally.add(Ok(seen(200, Some(0))));
    let window = tally.since(&before);
    assert_eq!(
        (window.requests, window.seen.len(), window.count(|seen| seen.status == 403)),
        (2, 2, 1)
    );
    assert!(tally.since(&tally).seen.is_empty());
}

#[test]
fn requests_are_of_all_kinds_and_names_of_clients_vary() {
    let requests =
        Requests::new(r#"[["Connection","keep-alive"],["User-Agent","Mozilla/5.0"]]"#).unwrap();
    let text = |who, turn| String::from_utf8(requests.bytes(who, Route::Tag, turn)).unwrap();
    let human = text(Who::Human, 0);
    assert!(
        human.starts_with("GET /tag/page HTTP/1.1\r\n") && human.ends_with("\r\n\r\n"),
        "{human}"
    );
    assert!(
        human.contains("User-Agent: Mozilla/5.0\r\n") && !human.contains("Connection"),
        "{human}"
    );
    let post = text(Who::Bot, 7);
    assert!(post.starts_with("POST ") && post.ends_with("\r\n\r\nhello=world"), "{post}");
    assert!(text(Who::Bot, 3).contains("X-Bot-Score: 99\r\n"));
    let addresses: std::collections::BTreeSet<String> =
        (0..500).map(|turn| text(Who::Bot, turn).lines().nth(2).unwrap().to_owned()).collect();
    assert_eq!(addresses.len(), 250);
}

/// A server that answers each connection's first request with 503, and ends the connection at its second.
async fn failing() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = tokio::io::BufReader::new(stream);
                let _ = crate::http::read(&mut stream).await;
                let answer = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
                let _ = stream.get_mut().write_all(answer).await;
                let _ = crate::http::read(&mut stream).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_load_counts_what_fails_under_it() {
    let requests = Arc::new(Requests::new("[]").unwrap());
    let counter = Counter::default();
    let volume = Volume { clients: 2, pause: Duration::from_millis(1), ..Volume::LIGHT };
    let load = Load::start(failing().await, &requests, &counter, volume);
    while counter.read().requests < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    load.stop().await;
    let tally = counter.read();
    assert!(tally.fivexx >= 9 && tally.early_ends >= 9, "{tally:?}");
    assert_eq!(tally.requests, tally.fivexx + tally.broken());
}

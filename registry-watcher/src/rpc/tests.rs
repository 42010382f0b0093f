//! Endpoints that misbehave, over real sockets.

#![allow(clippy::arithmetic_side_effects, reason = "a test may panic")]

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// What an endpoint does with each connection.
#[derive(Clone, Copy)]
enum Manner {
    Answers(&'static str),
    Status(u16),
    Endless,
    Drips,
    Silent,
    Hangs,
    Redirects,
}

async fn endpoint(manner: Manner) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret-key", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request).await;
                let whole = |status: &str, body: &str| {
                    format!(
                        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    )
                };
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                match manner {
                    Manner::Answers(body) => {
                        drop(stream.write_all(whole("200 OK", body).as_bytes()).await)
                    }
                    Manner::Status(code) => {
                        drop(stream.write_all(whole(&format!("{code} X"), "{}").as_bytes()).await)
                    }
                    Manner::Redirects => {
                        let head = "HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
                        let _ = stream.write_all(head.as_bytes()).await;
                    }
                    Manner::Endless => {
                        let _ = stream.write_all(head.as_bytes()).await;
                        let chunk = format!("10000\r\n{}\r\n", "x".repeat(65_536));
                        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
                    }
                    Manner::Drips => {
                        let _ = stream.write_all(head.as_bytes()).await;
                        while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                    }
                    Manner::Silent => drop(stream),
                    Manner::Hangs => tokio::time::sleep(Duration::from_secs(600)).await,
                }
            });
        }
    });
    url
}

struct Odd(u64);
impl std::fmt::Display for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected an even number; found {}", self.0)
    }
}
impl Reason for Odd {
    fn reason(&self) -> &'static str {
        "odd"
    }
}

async fn call(pool: &RpcPool) -> Result<u64, CallError> {
    let even = |number: u64| if number.is_multiple_of(2) { Ok(number) } else { Err(Odd(number)) };
    pool.call_checked("eth_test", &serde_json::json!([]), even).await
}

fn pool(urls: &[String]) -> RpcPool {
    RpcPool::new(urls, Duration::from_millis(600)).unwrap()
}

const GOOD: Manner = Manner::Answers(r#"{"jsonrpc":"2.0","id":1,"result":42}"#);

#[tokio::test(flavor = "multi_thread")]
async fn each_misbehaviour_has_its_reason_and_the_next_endpoint_is_asked() {
    let good = endpoint(GOOD).await;
    for (manner, reason) in [
        (Manner::Answers("<html>"), "rpc-garbage"),
        (Manner::Answers("{}"), "rpc-garbage"),
        (Manner::Answers(r#"{"result":"text"}"#), "rpc-garbage"),
        (Manner::Answers(r#"{"result":null}"#), "rpc-garbage"),
        (Manner::Answers(r#"{"error":{"code":-32000,"message":"no such block"}}"#), "rpc-error"),
        (Manner::Answers(r#"{"result":43}"#), "odd"),
        (Manner::Status(500), "rpc-http-status"),
        (Manner::Redirects, "rpc-http-status"),
        (Manner::Endless, "rpc-too-large"),
        (Manner::Drips, "rpc-deadline"),
        (Manner::Hangs, "rpc-deadline"),
        (Manner::Silent, "rpc-unreachable"),
    ] {
        let bad = endpoint(manner).await;
        let error = call(&pool(std::slice::from_ref(&bad))).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(!error.to_string().contains("secret-key"), "a path may hold a key: {error}");
        let both = pool(&[bad, good.clone()]);
        assert_eq!(call(&both).await.unwrap(), 42, "{reason}");
        assert_eq!(both.endpoints.in_turn().len(), 1, "{reason}: the bad one is aside");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_endpoint_says_is_repeated_in_part_and_escaped() {
    let long = format!(r#"{{"result":"{}"}}"#, "\\u001b\\n\"".replace('"', "x").repeat(50_000));
    let error = call(&pool(&[endpoint(Manner::Answers(long.leak())).await])).await.unwrap_err();
    assert_eq!(error.reason(), "rpc-garbage");
    let said = r#"{"error":{"code":1,"message":"a\u001b[31m\nb"}}"#;
    let other = call(&pool(&[endpoint(Manner::Answers(said)).await])).await.unwrap_err();
    for error in [error, other] {
        let text = error.to_string();
        assert!(text.len() < 4_000 && !text.chars().any(char::is_control), "{text:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(call(&pool(&[url])).await.unwrap_err().reason(), "rpc-unreachable");
    assert_eq!(call(&pool(&[])).await.unwrap_err().reason(), "rpc-none");
}

#[tokio::test]
async fn an_only_endpoint_is_asked_again_though_it_failed() {
    let url = endpoint(GOOD).await;
    let pool = pool(&[url]);
    let turn = pool.endpoints.in_turn().remove(0);
    pool.endpoints.report(&turn, Some(&CallError::NoEndpoint { api: Api::JsonRpc }));
    assert!(pool.endpoints.is_aside(0));
    assert_eq!(call(&pool).await.unwrap(), 42);
    assert!(!pool.endpoints.is_aside(0), "and is forgiven");
}

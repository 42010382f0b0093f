use tokio::net::TcpListener;

use super::*;

/// What a client makes of a server that answers one request with `bytes` and ends the connection.
async fn answered(bytes: &'static [u8]) -> Result<Response, Broken> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 64];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(bytes).await.unwrap();
    });
    Client::new(to, Duration::from_millis(500)).exchange(b"GET / HTTP/1.1\r\n\r\n").await
}

#[tokio::test]
async fn a_whole_response_is_read() {
    let response = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, &b"hi"[..]));
}

#[tokio::test]
async fn half_a_response_is_an_early_end() {
    let halves: [&[u8]; 4] = [
        b"",
        b"HTTP/1.1 200 O",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh",
    ];
    for half in halves {
        assert_eq!(answered(half).await.unwrap_err(), Broken::EarlyEnd, "{half:?}");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_malformed() {
    let others: [&[u8]; 3] = [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ];
    for other in others {
        assert!(matches!(answered(other).await.unwrap_err(), Broken::Malformed(_)), "{other:?}");
    }
}

#[tokio::test]
async fn nobody_listening_is_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    drop(listener);
    let refused = Client::new(to, Duration::from_millis(500))
        .exchange(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .unwrap_err();
    assert!(matches!(refused, Broken::Refused(_)), "{refused}");
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let silent = Client::new(to, Duration::from_millis(50))
        .exchange(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .unwrap_err();
    assert_eq!(silent, Broken::Timeout);
}

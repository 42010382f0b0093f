use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::*;

#[test]
fn a_client_that_does_not_open_http2_is_not_waited_for() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for (sent, expected) in [
            // A preface without its end, and one that no request follows.
            (&b"PRI * HTTP/2.0\r\n"[..], Some(ErrorKind::TimedOut)),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", Some(ErrorKind::TimedOut)),
            // What is known, or can be no more, has all the time.
            (
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x05\x01\x05\0\0\0\x01",
                None,
            ),
            (b"GET / HTTP/1.1\r\n", None),
        ] {
            let (mut client, server) = duplex(64);
            let digest = ConnectionFingerprint::default().into_digest().unwrap();
            let mut observed = Observed {
                stream: Box::new(server),
                digest: Arc::new(digest),
                opening: Some(Opening::default()),
                until: Box::pin(sleep(Duration::from_millis(50))),
            };
            client.write_all(sent).await.unwrap();
            let mut read = vec![0; sent.len()];
            observed.read_exact(&mut read).await.unwrap();
            assert_eq!(read, sent, "what comes in time is read");
            let more = tokio::time::timeout(Duration::from_millis(300), observed.read_u8()).await;
            let ended = more.ok().map(|read| read.unwrap_err().kind());
            assert_eq!(ended, expected, "{}", sent.escape_ascii());
        }
    });
}

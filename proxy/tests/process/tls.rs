//! TLS listeners: HTTP/2 by ALPN, with the same filter behind it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use greenlight_artifact::Feature;
use pingora_core::tls::{
    CertificateDer, ClientConfig, ClientTlsStream, RootCertStore, ServerName, TlsConnector,
    install_default_crypto_provider,
};
use rcgen::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Edge, config, echo, get, keep_artifact, keep_rows, origin};

/// Gives the configuration a TLS listener on a free port, with a certificate for `localhost`.
pub(crate) fn add_tls(path: &Path, folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    let listener = "[[listen.tls]]\naddress = \"127.0.0.1:0\"\ncert = \"cert.pem\"\nkey = \"key.pem\"\n[upstream]";
    let text = std::fs::read_to_string(path).unwrap().replace("[upstream]", listener);
    std::fs::write(path, text).unwrap();
    cert.der().clone()
}

async fn connect(
    https: SocketAddr,
    certificate: CertificateDer<'static>,
    alpn: &[&[u8]],
) -> ClientTlsStream<TcpStream> {
    install_default_crypto_provider();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    client.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(https).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn http2_is_offered_and_filtered() {
    let folder = tempfile::tempdir().unwrap();
    keep_artifact(folder.path());
    let path = config(folder.path(), origin(echo), "");
    let certificate = add_tls(&path, folder.path());
    let edge = Edge::start(&path);
    let https = edge.address("listening for HTTPS");

    let stream = connect(https, certificate, &[b"h2", b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));

    let (mut requests, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for (agent, status, text) in
        [("evil/1.0", 403, "Forbidden"), ("Mozilla/5.0", 200, "x-forwarded-proto: https\r\n")]
    {
        let request = http::Request::get("https://localhost/a?b=c")
            .header("user-agent", agent)
            .body(())
            .unwrap();
        let (response, _) = requests.send_request(request, true).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.status(), status);
        let mut body = Vec::new();
        let mut stream = response.into_body();
        while let Some(chunk) = stream.data().await {
            body.extend_from_slice(&chunk.unwrap());
        }
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains(text), "{body}");
    }
    edge.settles_at("greenlight_responses_total{class=\"4xx\",source=\"proxy\"}", 1);
}

/// The status of one request over HTTP/1.1, and of one over HTTP/2.
async fn statuses(https: SocketAddr, certificate: &CertificateDer<'static>) -> [u16; 2] {
    let mut stream = connect(https, certificate.clone(), &[b"http/1.1"]).await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    let status = std::str::from_utf8(&answer[9..]).unwrap().parse().unwrap();

    let stream = connect(https, certificate.clone(), &[b"h2"]).await;
    let (mut requests, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("https://localhost/").body(()).unwrap();
    let (response, _) = requests.send_request(request, true).unwrap();
    [status, response.await.unwrap().status().as_u16()]
}

#[tokio::test]
async fn rows_about_a_connection_fire_where_its_fingerprint_is_seen() {
    // TLS 1.3 with a server's name, as a client of today sends; and an HTTP/2 window as it is.
    let ja4 = ("tls.13", Feature::Ja4Contains("t13d".to_owned()));
    let http2 = ("h2.opening", Feature::Http2Contains("|00|0".to_owned()));
    for (row, settings, expected) in [
        (ja4.clone(), "", [403, 403]),
        (http2, "", [200, 403]),
        (ja4, "fingerprints = false\n", [200, 200]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        keep_rows(folder.path(), std::slice::from_ref(&row));
        let path = config(folder.path(), origin(echo), "");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("[listen]\n", &format!("[listen]\n{settings}")))
            .unwrap();
        let certificate = add_tls(&path, folder.path());
        let edge = Edge::start(&path);
        let https = edge.address("listening for HTTPS");
        assert_eq!(statuses(https, &certificate).await, expected, "{row:?}");
        assert_eq!(get(edge.http, "/", &[]).0, 200);
    }
}

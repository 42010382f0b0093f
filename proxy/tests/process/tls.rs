//! TLS listeners: HTTP/2 by ALPN, with the same filter behind it.

use std::path::Path;
use std::sync::Arc;

use pingora_core::tls::{
    CertificateDer, ClientConfig, RootCertStore, ServerName, TlsConnector,
    install_default_crypto_provider,
};
use rcgen::CertifiedKey;
use tokio::net::TcpStream;

use crate::support::{Edge, config, echo, keep_artifact, origin};

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

#[tokio::test]
async fn http2_is_offered_and_filtered() {
    let folder = tempfile::tempdir().unwrap();
    keep_artifact(folder.path());
    let path = config(folder.path(), origin(echo), "");
    let certificate = add_tls(&path, folder.path());
    let edge = Edge::start(&path);
    let https = edge.address("listening for HTTPS");

    install_default_crypto_provider();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(https).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap();
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

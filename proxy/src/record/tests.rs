use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use greenlight_bot::recorded::Reader;

use super::file::{OpenError, RecordFile};
use super::{ClientInfo, CrawlerClaim, Dropped, RecordedRequest, SecondLimit, Seen, scrub};
use pingora_http::RequestHeader;

fn lines(path: &Path) -> Vec<Result<RecordedRequest, &'static str>> {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let parsed = Reader::new(file).map(|line| line.unwrap().request);
    parsed.map(|request| request.map_err(|error| error.reason())).collect()
}

const LINE: &str = r#"{"method":"GET","path":"/","version":"1.1","headers":[]}"#;

fn seen(header: &RequestHeader) -> Seen<'_> {
    let (client, claim) = (ClientInfo::default(), CrawlerClaim::None);
    Seen { header, client, ja4: None, http2: None, claim, status: 0 }
}

#[test]
fn names_stay_and_secrets_go() {
    let path = "/shop/2024/wp-login.php/alice@example.com/eyJhbGciOiJIUzI1NiJ9/550e8400-e29b-41d4-a716-446655440000/x;sid=1?key=hunter2";
    let mut header = RequestHeader::build("GET", path.as_bytes(), None).unwrap();
    for (name, value) in [
        ("host", "secret.example"),
        ("user-agent", "curl/8.5.0"),
        ("cookie", "sid=hunter2"),
        ("authorization", "Bearer hunter2"),
        ("x-api-key", "hunter2"),
        ("accept-language", "de"),
        ("sec-fetch-mode", "navigate"),
        ("sec-websocket-protocol", "hunter2"),
        ("cookie", "more=hunter2"),
        ("x-bot-score", "3"),
    ] {
        header.append_header(name, value).unwrap();
    }
    header.append_header("accept", "hunter2".repeat(1000)).unwrap();
    let line = scrub::scrub(&seen(&header)).to_line();
    let expected = concat!(
        r#"{"method":"GET","path":"/shop/2024/wp-login.php/xxxxx_xxxxxxx_xxx/xxxxxxxxxxxxxxx0xxx0/"#,
        r#"000x0000_x00x_00x0_x000_000000000000/x_xxx_0","version":"1.1","headers":["#,
        r#"["host",""],["user-agent","curl/8.5.0"],["cookie",""],["cookie",""],["authorization",""],"#,
        r#"["x-api-key",""],["accept-language","de"],["sec-fetch-mode","navigate"],"#,
        r#"["sec-websocket-protocol",""],["accept",""]]}"#
    );
    assert!(!line.contains("hunter2") && !line.contains("x-bot"), "{line}");
    // A map promises no order between names.
    let sorted = |text: &str| {
        let request = RecordedRequest::parse(text.as_bytes()).unwrap();
        let mut fields: Vec<_> =
            request.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        fields.sort();
        (request.path, fields)
    };
    assert_eq!(sorted(&line), sorted(expected));
}

/// A replay asks the same rows about a request as the edge did.
#[test]
fn what_the_connection_and_the_crawlers_said_is_replayed() {
    let mut header = RequestHeader::build("GET", b"/", None).unwrap();
    header.append_header("user-agent", "Googlebot/2.1").unwrap();
    let client = ClientInfo::at("192.0.2.77".parse().unwrap()).with_tls(Some(true));
    let claim = CrawlerClaim::Unverified;
    let (ja4, http2) = ("t13d1516h2_8daaf6152771_e5627efa2ab1", "1:65536;4:131072|12517377|0");
    let seen = Seen { client, ja4: Some(ja4), http2: Some(http2), claim, ..seen(&header) };
    let line = scrub::scrub(&seen).to_line();
    assert!(!line.contains("192.0.2.77"), "{line}");
    let read = RecordedRequest::parse(line.as_bytes()).unwrap();
    let view = read.view();
    assert_eq!(
        (view.tls, view.ja4, view.http2, view.crawler),
        (true, Some(ja4), Some(http2), CrawlerClaim::Unverified)
    );
    // No program has one so long.
    let long = "1".repeat(2_000);
    let seen = Seen { ja4: Some(&long), http2: Some(&long), ..seen };
    let request = scrub::scrub(&seen);
    assert_eq!((request.ja4, request.http2), (None, None));
}

#[test]
fn addresses_become_networks() {
    for (address, network) in [
        ("192.0.2.77", "192.0.2.0"),
        ("2001:db8:1:2:3::4", "2001:db8:1::"),
        ("::ffff:192.0.2.77", "192.0.2.0"),
    ] {
        assert_eq!(
            scrub::network(address.parse().unwrap()),
            network.parse::<std::net::IpAddr>().unwrap()
        );
    }
}

#[test]
fn a_second_has_its_limit() {
    let limit = SecondLimit::new(2);
    let admitted = [0, 0, 0, 1, 1, 1, 5].map(|second| limit.admits(second));
    assert_eq!(admitted, [true, true, false, true, true, false, true]);
}

#[test]
fn the_file_is_bounded_private_and_one_edges() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.ndjson");
    let bound = u64::try_from(3 * (LINE.len() + 1)).unwrap();
    let mut file = RecordFile::open(&path, bound).unwrap();
    assert!(matches!(RecordFile::open(&path, bound), Err(OpenError::Locked)));
    let results: Vec<_> = (0..5).map(|_| file.append(LINE)).collect();
    assert_eq!(results, [Ok(()), Ok(()), Ok(()), Err(Dropped::Full), Err(Dropped::Full)]);
    let metadata = path.metadata().unwrap();
    assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (bound, 0o600));
    drop(file);
    assert_eq!(RecordFile::open(&path, bound).unwrap().append(LINE), Err(Dropped::Full));
}

#[test]
fn a_torn_line_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.ndjson");
    std::fs::write(&path, format!("{LINE}\n{{\"method\":\"G")).unwrap();
    let mut file = RecordFile::open(&path, 1 << 20).unwrap();
    assert_eq!(file.append(LINE), Ok(()));
    assert_eq!(file.append(LINE), Ok(()));
    let read = lines(&path);
    assert_eq!(
        read.iter().map(|line| line.as_ref().err().copied()).collect::<Vec<_>>(),
        [None, Some("json"), None, None]
    );
}

#[test]
fn only_a_regular_file_is_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("target"), &link).unwrap();
    for path in [Path::new("/dev/full"), folder.path(), &link] {
        assert!(matches!(RecordFile::open(path, 1 << 20), Err(OpenError::NotAFile)), "{path:?}");
    }
    assert!(!folder.path().join("target").exists());
    let nowhere = folder.path().join("no/folder");
    assert!(matches!(RecordFile::open(&nowhere, 1 << 20), Err(OpenError::Io(_))));
}

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::thread;

use http::HeaderValue;

use super::*;

fn claim(crawlers: &Crawlers, user_agent: &[u8], client: Option<&str>) -> Claimed {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_bytes(user_agent).unwrap());
    let uri = Uri::from_static("/");
    let request = CrawlerRequest { method: "GET", uri: &uri, headers: &headers };
    crawlers.claim(&request, client.map(|client| client.parse().unwrap()))
}

fn crawler(name: &str) -> Crawler {
    Crawler { name: name.to_owned(), user_agents: vec![name.to_owned()], ..Crawler::default() }
}

fn keyed(name: &str) -> Crawler {
    let key = "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs".to_owned();
    Crawler { keys: vec![key], ..crawler(name) }
}

#[test]
fn a_claim_is_what_its_proofs_make_of_it() {
    let networks = vec!["192.0.2.0/24".parse().unwrap()];
    let crawlers = Crawlers::builder()
        .crawler(Crawler { networks, action: CrawlerAction::Block, ..crawler("netbot") })
        .crawler(crawler("bare"))
        .crawler(keyed("keybot"))
        .crawler(Crawler { domains: vec!["googlebot.com".to_owned()], ..crawler("nodns") })
        .authority("example.com")
        .build()
        .unwrap();
    let inside = Some("192.0.2.1");
    for (user_agent, client, expected) in [
        ("Mozilla/5.0", inside, CrawlerClaim::None),
        ("Mozilla/5.0 (compatible; NetBot/2.1)", inside, CrawlerClaim::Verified),
        ("netbot", Some("192.0.3.1"), CrawlerClaim::Unverified),
        ("netbot", None, CrawlerClaim::Undecided),
        // What nothing can prove is no claim; nor is one that only DNS could, where there is none.
        ("bare", inside, CrawlerClaim::None),
        ("nodns", inside, CrawlerClaim::None),
        ("keybot", inside, CrawlerClaim::Unverified),
        ("keybot, netbot", inside, CrawlerClaim::Verified),
    ] {
        assert_eq!(claim(&crawlers, user_agent.as_bytes(), client).claim, expected, "{user_agent}");
    }
    let found = claim(&crawlers, b"\xffnetbot\xfe", inside);
    assert_eq!((found.name, found.action), (CrawlerName::new("netbot"), CrawlerAction::Block));
    assert_eq!(claim(&crawlers, &[b'n'; 8_000], inside), Claimed::NONE);
    let counted = crawlers.claims().next().unwrap();
    assert_eq!((counted.verified, counted.unverified, counted.undecided), (3, 1, 1));
}

#[test]
fn every_mistake_is_told() {
    let bad = Crawler {
        name: "A".to_owned(),
        user_agents: vec!["x".to_owned()],
        domains: vec!["com".to_owned()],
        keys: vec!["AAAA".to_owned()],
        networks: vec!["0.0.0.0/0".parse().unwrap()],
        network_files: vec!["/dev/null".into()],
        key_files: vec!["/nowhere".into()],
        ..Crawler::default()
    };
    let errors = Crawlers::builder().crawler(bad.clone()).crawler(bad).build().unwrap_err();
    let keys: Vec<&str> = errors.iter().map(|error| error.key).collect();
    for key in [
        "name",
        "user_agents",
        "domains",
        "keys",
        "networks",
        "network_files",
        "key_files",
        "authorities",
    ] {
        assert_eq!(
            keys.iter().filter(|found| **found == key).count(),
            if key == "name" { 3 } else { 2 },
            "{key}"
        );
    }
    let known = known_crawlers().into_iter().fold(Crawlers::builder(), CrawlersBuilder::crawler);
    assert!(known.build().is_ok());
}

#[test]
fn files_are_followed_and_a_bad_one_keeps_the_last_good() {
    let folder = std::env::temp_dir().join(format!("greenlight-crawlers-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("networks");
    fs::write(&path, "192.0.2.0/24\n").unwrap();
    let crawlers = Crawlers::builder()
        .crawler(Crawler { network_files: vec![path.clone()], ..crawler("netbot") })
        .build()
        .unwrap();
    let is = |client| claim(&crawlers, b"netbot", Some(client)).claim;
    assert_eq!(is("192.0.2.1"), CrawlerClaim::Verified);
    for (bad, refused) in [("192.0.2.0/24\nnonsense", 1), ("", 2)] {
        fs::write(&path, bad).unwrap();
        crawlers.refresh();
        crawlers.refresh();
        assert_eq!((is("192.0.2.1"), crawlers.files_refused()), (CrawlerClaim::Verified, refused));
    }
    fs::remove_file(&path).unwrap();
    crawlers.refresh();
    fs::create_dir(&path).unwrap();
    crawlers.refresh();
    assert_eq!(is("192.0.2.1"), CrawlerClaim::Verified);
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "{\"prefixes\":[{\"ipv4Prefix\":\"198.51.100.0/24\"}]}").unwrap();
    crawlers.refresh();
    assert_eq!(
        (is("192.0.2.1"), is("198.51.100.1")),
        (CrawlerClaim::Unverified, CrawlerClaim::Verified)
    );
    fs::remove_dir_all(&folder).unwrap();
}

/// A name server that answers with `records`: of a name's question, the response code and the data of one record.
fn name_server(records: impl Fn(&str) -> (u8, Option<Vec<u8>>) + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 1_500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let query = buffer.get(..length).unwrap();
            let (mut name, mut at) = (String::new(), 12);
            while query[at] != 0 {
                let end = at + 1 + usize::from(query[at]);
                name.push_str(&String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
                name.push('.');
                at = end;
            }
            let question = &query[12..at + 5];
            let (code, data) = records(&name);
            let answers = u8::from(data.is_some());
            let mut answer = query[..2].to_vec();
            answer.extend([0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]);
            answer.extend(question);
            if let Some(data) = data {
                answer.extend([0xc0, 12]);
                answer.extend(&question[question.len() - 4..]);
                answer.extend([0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
                answer.extend(data);
            }
            let _ = socket.send_to(&answer, from);
        }
    });
    address
}

fn wire(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

#[tokio::test]
async fn a_real_resolver_tells_truth_lies_and_failures_apart() {
    const NXDOMAIN: u8 = 3;
    const SERVFAIL: u8 = 2;
    let server = name_server(|name| match name {
        "1.2.0.192.in-addr.arpa." | "2.2.0.192.in-addr.arpa." => (0, Some(wire("a.GoogleBot.com"))),
        "a.googlebot.com." => (0, Some(vec![192, 0, 2, 1])),
        "3.2.0.192.in-addr.arpa." => (0, Some(wire("googlebot.com.evil.example"))),
        "googlebot.com.evil.example." => (0, Some(vec![192, 0, 2, 3])),
        "4.2.0.192.in-addr.arpa." => (SERVFAIL, None),
        "5.2.0.192.in-addr.arpa." => (0, None),
        _ => (NXDOMAIN, None),
    });
    let servers = NameServers::These(vec![server]);
    let limits =
        DnsLimits { per_network: 255, deadline: Duration::from_secs(60), ..DnsLimits::default() };
    let crawlers = Crawlers::builder()
        .crawler(Crawler { domains: vec!["googlebot.com".to_owned()], ..crawler("googlebot") })
        .resolver(DnsResolver::new(&servers, Duration::from_secs(20)).unwrap())
        .dns_limits(limits)
        .build()
        .unwrap();
    let clients: Vec<String> = (1..=6).map(|host| format!("192.0.2.{host}")).collect();
    let is = |client: &str| claim(&crawlers, b"Googlebot/2.1", Some(client)).claim;
    for client in &clients {
        assert_eq!(is(client), CrawlerClaim::Undecided, "a request never waits");
    }
    let work = tokio::spawn({
        let crawlers = crawlers.clone();
        async move { crawlers.work().await }
    });
    while crawlers.dns().answered + crawlers.dns().failed < 6 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    work.abort();
    use CrawlerClaim::{Undecided, Unverified, Verified};
    let expected = [Verified, Unverified, Unverified, Undecided, Unverified, Unverified];
    for (client, expected) in clients.iter().zip(expected) {
        assert_eq!(is(client), expected, "{client}");
    }
}

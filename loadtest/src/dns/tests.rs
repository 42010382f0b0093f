use super::*;

/// A query for a name's records of a type, in mixed case as resolvers may write it.
fn query(name: &str, kind: u8) -> Vec<u8> {
    let mut bytes = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, kind, 0, 1]);
    bytes
}

#[test]
fn a_question_is_read_whole_and_nothing_else_is() {
    let reverse = |name| Query::read(&query(name, 12)).unwrap().question.reverse();
    assert_eq!(reverse("4.3.2.1.In-Addr.arpa"), Some([1, 2, 3, 4].into()));
    let nibbles = format!("1.0.0.0.{}8.b.d.0.1.0.0.2.ip6.arpa", "0.".repeat(20));
    assert_eq!(reverse(&nibbles), Some("2001:db8::1".parse().unwrap()));
    for other in ["3.2.1.in-addr.arpa", "x.ip6.arpa", "a.example"] {
        assert_eq!(reverse(other), None, "{other}");
    }
    let whole = query("a.example", 1);
    for length in 0..whole.len() {
        assert!(Query::read(&whole[..length]).is_none(), "{length}");
    }
}

async fn ask(server: &NameServer, message: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(message, server.address).await.unwrap();
    let mut buffer = [0; 4_096];
    let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
    buffer[..length].to_vec()
}

#[tokio::test]
async fn nothing_is_answered_until_it_is_opened_and_then_as_the_zone_says() {
    let server = NameServer::start(|question| match &*question.name {
        "a.example" => Reply::Records(vec![question.is(Data::Address([192, 0, 2, 1].into()))]),
        "many.example" => Reply::Records(vec![question.is(Data::Alias("a.example".into())); 300]),
        "spoof.example" => Reply::OtherId(Vec::new()),
        "cut.example" => Reply::Cut(Vec::new()),
        _ => Reply::NXDOMAIN,
    })
    .await
    .unwrap();
    let message = query("A.example", 1);
    let (answer, ()) = tokio::join!(ask(&server, &message), async {
        server.is_asked(Duration::from_secs(10)).await.unwrap();
        assert_eq!(server.asked(|_| true), 1);
        server.open();
    });
    let mut expected = vec![0xab, 0xcd, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
    expected.extend(&message[12..]);
    expected.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
    assert_eq!(answer, expected);
    assert_eq!(ask(&server, &query("b.example", 1)).await[3], 0x83);
    assert_eq!(ask(&server, &query("spoof.example", 1)).await[..2], [0x54, 0x32]);
    assert_eq!(ask(&server, &query("cut.example", 1)).await.len(), 14);

    let many = query("many.example", 1);
    let short = ask(&server, &many).await;
    assert_eq!((short[2] & 2, short[7]), (2, 0), "truncated");
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_u16(u16::try_from(many.len()).unwrap()).await.unwrap();
    stream.write_all(&many).await.unwrap();
    let length = stream.read_u16().await.unwrap();
    let mut whole = vec![0; length.into()];
    stream.read_exact(&mut whole).await.unwrap();
    assert_eq!(whole[6..8], 300_u16.to_be_bytes());
}

//! Bytes that no honest client sends: each is answered, and none costs another request.

use std::io::Write;

use super::{BOT, HUMAN, blocking, edge, filter, model};
use crate::{
    Challenge, Route,
    test_server::{
        Answer, Edge,
        frames::{
            self, CONTINUATION, END_HEADERS, END_STREAM, GET, HEADERS, OVER_HTTP, PREFACE, ROOT,
            RST_STREAM, SETTINGS, frame, literal,
        },
        read_answer,
    },
};

/// One request, as it is, on a connection of its own.
fn send(edge: &Edge, request: &[u8]) -> Answer {
    let mut stream = edge.connect();
    stream.write_all(request).unwrap();
    read_answer(&mut stream)
}

/// That nothing panicked, and that the server goes on.
fn is_well(edge: &Edge) {
    assert_eq!((edge.bots.counters().panics, edge.bots.engine().faults()), (0, 0));
    assert_eq!(edge.ask(HUMAN).status, 200);
}

/// The fields that the origin was sent and may read as ours.
fn ours(answer: &Answer) -> Vec<&str> {
    let names = answer.body.lines().skip(1).filter_map(|line| line.split(':').next());
    let read =
        |name: &str| name.to_ascii_lowercase().replace(|read: char| !read.is_alphanumeric(), "-");
    let mut ours: Vec<&str> = names.filter(|name| read(name).starts_with("x-bot-")).collect();
    ours.sort_unstable();
    ours
}

#[test]
fn hundreds_of_spellings_of_our_fields_are_taken_out() {
    let edge = edge(filter(blocking()));
    let between = ["-", "_", ".", "~", "!", "#", "$", "%", "&", "'", "*", "+", "^", "`", "|"];
    let mut forged = String::new();
    for (index, first) in between.iter().enumerate() {
        for second in between {
            forged.push_str(&format!("X{first}bOt{second}score{index}: 99\r\n"));
        }
    }
    let nominated = "x-bot-score, keep-alive, x_bot.verdict, X-BOT-ARTIFACT, close";
    let request = format!("{HUMAN}{forged}Connection: {nominated}\r\nx-bot-score: 98\r\n\r\n");
    let answer = send(&edge, request.as_bytes());
    assert_eq!(answer.status, 200);
    assert_eq!(ours(&answer), ["x-bot-artifact", "x-bot-score", "x-bot-verdict"]);
    assert_eq!(answer.sent("x-bot-score"), ["94"]);
    assert_eq!(answer.sent("x-bot-artifact"), [model().digest().short()]);
    assert_eq!(edge.bots.counters().forged, 1);
    is_well(&edge);
}

#[test]
fn as_many_fields_as_pingora_reads_are_judged_and_more_are_refused() {
    let edge = edge(filter(blocking()));
    // Of 256 that are read, a human's two, and a bot's.
    for (head, count, status) in [(HUMAN, 254, 200), (BOT, 254, 403), (HUMAN, 255, 400)] {
        let fields: String = (0..count).map(|n| format!("a{n}: {n}\r\n")).collect();
        let answer = send(&edge, format!("{head}{fields}\r\n").as_bytes());
        assert_eq!(answer.status, status, "{count}");
        if status == 200 {
            assert_eq!(ours(&answer).len(), 3);
            assert_eq!(answer.sent("a253"), ["253"]);
        }
    }
    is_well(&edge);
}

#[test]
fn bytes_that_are_not_text_are_judged_and_passed_on_as_they_came() {
    let edge = edge(filter(blocking()));
    let with = |agent: &[u8], path: &[u8]| {
        let pieces = [
            b"GET ",
            path,
            b" HTTP/1.1\r\nHost: a\r\nUser-Agent: ",
            agent,
            b"\r\nCookie: \xff=\x80\r\n\r\n",
        ];
        send(&edge, &pieces.concat())
    };
    let human = with(b"\xff\xfe\x80", b"/");
    assert_eq!((human.status, human.sent("x-bot-score")), (200, vec!["94"]));
    for raw in [&b"\xff\xfe\x80\r\n"[..], b"\xff=\x80\r\n"] {
        assert!(human.raw_body.windows(raw.len()).any(|found| found == raw), "{human:?}");
    }
    assert_eq!(with(b"\xffcurl/\xfe", b"/").status, 403);
    let path = with(b"x", b"/caf\xc3\xa9?\xc3\xa9=%ff%00");
    assert_eq!((path.status, ours(&path).len()), (200, 3));
    assert!(
        path.raw_body.starts_with(b"GET /caf\xc3\xa9?\xc3\xa9=%ff%00 HTTP/1.1\r\n"),
        "{path:?}"
    );
    // Pingora itself refuses a target that is not UTF-8.
    for target in [&b"/caf\xe9"[..], b"/?\xff=\x80", b"/\xff?__gl_c=\xfe"] {
        assert_eq!(with(b"x", target).status, 400);
    }
    assert_eq!(edge.reached_origin(), 2);
    is_well(&edge);
}

#[test]
fn challenges_meet_bytes_that_are_not_text_and_cookies_that_do_not_end() {
    let challenge = Challenge::new(&[7; 32]).unwrap();
    let edge = edge(filter(Route::new().challenge_below(30)).challenge(challenge));
    let with = |path: &[u8], cookie: &[u8], agent: &[u8]| {
        let pieces = [
            b"GET ",
            path,
            b" HTTP/1.1\r\nHost: \xffa\r\nUser-Agent: ",
            agent,
            b"\r\nCookie: ",
            cookie,
            b"\r\n\r\n",
        ];
        send(&edge, &pieces.concat())
    };
    let many = b"gl_c=1-\xff; ".repeat(40_000);
    for cookie in [&b"gl_c=\xff\xfe; \x80"[..], &many, &[b'\xff'; 500_000], b"gl_c=;;;=;", b""] {
        for path in [&b"/"[..], b"/\xc3\xa9?\xc3\xa9", b"/%ff?%00"] {
            let answer = with(path, cookie, b"curl/8.0");
            assert_eq!(answer.status, 307, "{answer:?}");
            assert!(answer.field("location").is_some_and(|to| to.contains("__gl_c=")));
        }
        let human = with(b"/", cookie, b"x");
        assert_eq!(human.status, 200);
        assert!(!human.raw_body.windows(5).any(|found| found == b"gl_c="), "{:?}", human.head);
    }
    assert_eq!(edge.bots.counters().challenged, 15);
    is_well(&edge);
}

/// The first byte of the answer to a GET over HTTP/2 with these fields, in clear text.
async fn answer_over_http2(edge: &Edge, names: impl Iterator<Item = String>) -> u8 {
    use tokio::io::AsyncWriteExt;

    let mut block = vec![GET, ROOT, OVER_HTTP];
    block.extend(literal(":authority", b"localhost"));
    for name in names {
        block.extend(literal(&name, b""));
    }
    let mut stream = tokio::net::TcpStream::connect(edge.clear).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut sent = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    let pieces: Vec<&[u8]> = block.chunks(16_384).collect();
    for (index, piece) in pieces.iter().enumerate() {
        let (kind, first) = if index == 0 { (HEADERS, END_STREAM) } else { (CONTINUATION, 0) };
        let last = if index + 1 == pieces.len() { END_HEADERS } else { 0 };
        sent.extend(frame(kind, first | last, 1, piece));
    }
    let reading = async {
        loop {
            let frame = frames::read(&mut reader).await.expect("an answer");
            assert_ne!((frame.kind, frame.stream), (RST_STREAM, 1), "{frame:?}");
            if (frame.kind, frame.stream) == (HEADERS, 1) {
                return frame.payload[0];
            }
        }
    };
    tokio::join!(async { writer.write_all(&sent).await.unwrap() }, reading).1
}

#[tokio::test]
async fn over_http2_a_flood_of_fields_is_judged() {
    let edge = edge(filter(blocking()));
    let fields =
        |prefix: &'static str, count: usize| (0..count).map(move |n| format!("{prefix}{n}"));
    // Pingora reads 64 KiB of fields, of 32 bytes and their names (RFC 9113, 6.5.2). An indexed 200 (RFC 7541, appendix A).
    let names = fields("a", 750).chain(fields("x-bot-", 750));
    assert_eq!(answer_over_http2(&edge, names).await, 0x88);
    assert_eq!(answer_over_http2(&edge, fields("a", 1_500)).await, 0x88);
    assert_eq!((edge.bots.counters().forged, edge.bots.counters().allowed), (1, 2));
    // 431, which is not indexed, and not of ours.
    assert_eq!(answer_over_http2(&edge, fields("a", 3_000)).await & 0xc0, 0x40);
    assert_eq!(edge.bots.counters().allowed, 2);
    is_well(&edge);
}

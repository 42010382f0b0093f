//! Hostile requests, each with a name.

use std::fmt::Write as _;

use super::Named;

/// Text that a log, a terminal or a parser of either might obey.
pub(super) const INJECTIONS: [&str; 6] = [
    "%0d%0a{%22level%22:%22ERROR%22,%22message%22:%22forged%22}",
    "\",\"verdict\":\"allow\",\"forged\":\"",
    "{\"level\":\"ERROR\",\"message\":\"forged\"}",
    "${jndi:ldap://127.0.0.1/forged}",
    "%1b[2J%1b[31mforged%1b[0m",
    "\\u000a\\n\\r\\x1b[31m\\\"forged",
];

fn request(path: &str, fields: &[u8]) -> Vec<u8> {
    let mut bytes = format!("GET /shadow{path} HTTP/1.1\r\nHost: localhost\r\n").into_bytes();
    bytes.extend_from_slice(fields);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// What HTTP allows, or nearly.
pub(super) fn oddities() -> Vec<Named> {
    let mut all = Vec::new();
    let mut many = String::new();
    for number in 0..240 {
        // Writing to a String cannot fail.
        let _ = write!(many, "x-{number}: 1\r\n");
    }
    all.push(("240 fields", request("/", many.as_bytes())));
    let all_alike = "accept: */*\r\n".repeat(200);
    all.push(("one field 200 times", request("/", all_alike.as_bytes())));
    all.push((
        "a field of 100 KiB",
        request("/", format!("x-long: {}\r\n", "a".repeat(100 << 10)).as_bytes()),
    ));
    all.push(("a path of 60 KiB", request(&"/a".repeat(30 << 10), b"")));
    all.push(("a query of 60 KiB", request(&format!("/?{}", "q=1&".repeat(15 << 10)), b"")));
    all.push((
        "a user agent of every byte beyond ASCII",
        request("/", &field(b"User-Agent: ", 0x80..=0xff)),
    ));
    all.push((
        "overlong and lone UTF-8",
        request("/", b"User-Agent: \xc0\xaf\xed\xa0\x80\xf8\x88\r\nAccept-Language: \xff\xfe\r\n"),
    ));
    all.push(("invalid UTF-8 in a cookie", request("/", b"Cookie: a=\xff\xff; b=\xc3\r\n")));
    all.push(("a path of escaped rubbish", request("/%ff%fe%00%c0%ae%c0%ae/%", b"")));
    all.push((
        "a language list without end",
        request("/", format!("Accept-Language: {}\r\n", "x,".repeat(5000)).as_bytes()),
    ));
    all.push(("hints that are no hints", request("/", b"User-Agent: Mozilla/5.0 Chrome/999999999999999999999.0 Safari\r\nSec-CH-UA: \"\\\\\";v=\"\"\"\", ,;=\r\nSec-CH-UA-Platform: \r\n")));
    for injection in INJECTIONS {
        let path = injection.replace(['"', ' ', '{', '}', '\\'], "%22");
        all.push((
            "an injection into a log",
            request(
                &format!("/{path}"),
                format!("User-Agent: {injection}\r\nReferer: {injection}\r\n").as_bytes(),
            ),
        ));
    }
    all.push(("a raw quote and brace in a path", request("/\"},{\"forged\":\"1", b"")));
    for address in [
        "2001:db8::1",
        "[2001:db8::2]:443",
        "::ffff:198.51.100.7",
        "999.1.1.1",
        "",
        ",,,,",
        "unknown",
        "198.51.100.1\t, \tx",
    ] {
        all.push((
            "a forwarded address",
            request("/", format!("X-Forwarded-For: {address}\r\n").as_bytes()),
        ));
    }
    let hops = "10.0.0.1, ".repeat(4000);
    all.push(("4,000 hops", request("/", format!("X-Forwarded-For: {hops}\r\n").as_bytes())));
    all
}

/// A field whose value is these bytes.
fn field(name: &[u8], bytes: std::ops::RangeInclusive<u8>) -> Vec<u8> {
    name.iter().copied().chain(bytes).chain(*b"\r\n").collect()
}

/// Requests that speak in our name, in a proxy's, or in a crawler's.
pub(super) fn forgeries() -> Vec<Named> {
    let forged = "X-Bot-Score: 99\r\nX-Bot-Score: 98\r\nX-Bot-Verdict: forged\r\nX-Bot-Artifact: forged\r\n\
                  X-Bot-Reasons: forged\r\nx_bot_score: 97\r\nX-BOT.VERDICT: forged\r\nX-Bot-Crawler: forged\r\n";
    let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let request = |fields: &str| request("/page", fields.as_bytes());
    vec![
        ("forged x-bot fields", request(forged)),
        (
            "x-bot fields to be dropped",
            request("Connection: close-not, x-bot-score, X-Bot-Verdict\r\n"),
        ),
        (
            "forged forwarding",
            request(
                "Forwarded: for=127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Host: forged\r\nX-Forwarded-For: 127.0.0.1, 127.0.0.1\r\nx_forwarded_for: forged\r\n",
            ),
        ),
        (
            "Googlebot from nowhere",
            request(&format!("User-Agent: {google}\r\nX-Forwarded-For: 203.0.113.66\r\n")),
        ),
        (
            "Googlebot from its own network, it says",
            request(&format!(
                "User-Agent: {google}\r\nX-Forwarded-For: 66.249.66.1, 203.0.113.67\r\nFrom: googlebot(at)googlebot.com\r\n"
            )),
        ),
    ]
}

/// What is no HTTP/1.1.
pub(super) fn protocol_errors() -> Vec<Named> {
    vec![
        ("300 fields", request("/", "x: 1\r\n".repeat(300).as_bytes())),
        ("a head of 2 MiB", request("/", format!("x: {}\r\n", "a".repeat(2 << 20)).as_bytes())),
        ("a bare line feed in a value", request("/", b"User-Agent: a\nX-Bot-Score: 99\r\n")),
        ("a zero byte in a value", request("/", b"User-Agent: a\0b\r\n")),
        ("an escape in a path", b"GET /\x1b[31mforged HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("bytes beyond ASCII in a path", b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("two lengths", request("/", b"Content-Length: 1\r\nContent-Length: 2\r\n")),
        ("a length and chunks", b"POST /shadow/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec()),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00".to_vec()),
        ("no HTTP at all", b"\x00\xff\x00\xff\r\n\r\n".to_vec()),
    ]
}

//! Cookies of challenges that were not issued, or not so.

use anyhow::{Context as _, Result};

use super::{Named, told};
use crate::{drill::Drill, edge::Edge, load::Raw};

/// Names of the cookie, without TLS and with.
const NAME: &str = "gl_c";
const NAME_TLS: &str = "__Host-gl_c";
const CLIENT: &str = "198.51.100.77";
const HOST: &str = "localhost";

fn request(client: &str, host: &str, query: &str, cookies: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "GET /challenge/{query} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {client}\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(cookies);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn with_cookie(name: &str, value: &str) -> Vec<u8> {
    format!("Cookie: {name}={value}\r\n").into_bytes()
}

/// None of them passes; the one that was issued does, so that it is them who fail.
pub(super) async fn judge(drill: &mut Drill, edge: &Edge) -> Result<()> {
    let mut client = Raw::new(edge.address, &drill.journal.counter);
    let challenged = client.send(&request(CLIENT, HOST, "", b"")).await.context("no challenge")?;
    drill.findings.equal("a bot without a cookie", challenged.status, 307);
    let issued = challenged.head.get("set-cookie").and_then(|cookie| {
        cookie.strip_prefix(NAME)?.strip_prefix('=')?.split(';').next().map(ToOwned::to_owned)
    });
    let issued = issued.context("a challenge without a cookie")?;
    passes(drill, &mut client, &issued).await?;
    let all = forged(&issued);
    drill.findings.fact("forged_cookies", all.len());
    for (name, request) in all {
        let Some(response) = client.send(&request).await else {
            drill.findings.failures.push(format!("{name}: no answer"));
            continue;
        };
        let found = response.status;
        drill.findings.expect(matches!(found, 307 | 400 | 403 | 431), || {
            format!("{name}: expected another challenge, or a refusal; found {found}")
        });
    }
    passes(drill, &mut client, &issued).await
}

async fn passes(drill: &mut Drill, client: &mut Raw, issued: &str) -> Result<()> {
    let request = request(CLIENT, HOST, "", &with_cookie(NAME, issued));
    let response = client.send(&request).await.context("no answer to a cookie")?;
    drill.findings.equal("a bot with its cookie", response.status, 200);
    let verdict = told(&response)?.verdict;
    drill.findings.equal("verdict with the cookie", verdict.as_deref(), Some("challenge"));
    Ok(())
}

/// What is made of a cookie by those who do not know the secret.
pub(super) fn forged(issued: &str) -> Vec<Named> {
    let (head, mac) = issued.rsplit_once('-').unwrap_or((issued, ""));
    let other = |mac: &str| format!("{head}-{mac}");
    let dated = |expiry: &str| format!("1-{expiry}-{mac}");
    let last = if mac.ends_with('0') { "1" } else { "0" };
    let near = other(&format!("{}{last}", mac.get(1..).unwrap_or_default()));
    let mut values = vec![
        ("a MAC with another digit", near.clone()),
        ("a MAC of zeros", other(&"0".repeat(64))),
        ("no MAC", other("")),
        ("an expiry of long ago", dated("0000000000000001")),
        ("an expiry in the far future", dated("7fffffffffffffff")),
        ("the last expiry of all", dated("ffffffffffffffff")),
        ("no expiry", dated("")),
        ("another version", issued.replacen('1', "2", 1)),
        ("capitals", issued.to_ascii_uppercase()),
        ("a digit too many", format!("{issued}0")),
        ("quotes", format!("\"{issued}\"")),
        ("nothing", String::new()),
        ("100 KiB", "1-".repeat(50 << 10)),
        ("the cookie and 100 KiB", format!("{issued}{}", "0".repeat(100 << 10))),
    ];
    for length in [1, 2, 18, 19, 82] {
        values.push(("a beginning", issued.get(..length).unwrap_or_default().into()));
    }
    let mut all = Vec::new();
    for (what, value) in values {
        for name in [NAME, NAME_TLS] {
            all.push((what, request(CLIENT, HOST, "", &with_cookie(name, &value))));
        }
    }
    let right = with_cookie(NAME, issued);
    let many = |value: &str, count| format!("{NAME}={value}; ").repeat(count);
    let fields = |cookies: &[u8]| request(CLIENT, HOST, "", cookies);
    all.extend([
        ("another client's", request("198.51.100.78", HOST, "", &right)),
        ("another client's, IPv6", request("2001:db8::77", HOST, "", &right)),
        ("another host's", request(CLIENT, "other.example", "", &right)),
        ("the name of TLS without TLS", fields(&with_cookie(NAME_TLS, issued))),
        ("2,000 short ones", fields(format!("Cookie: {}\r\n", many("1-0", 2_000)).as_bytes())),
        ("1,500 of full length", fields(format!("Cookie: {}\r\n", many(&near, 1_500)).as_bytes())),
        // Only the first few are looked at, so that the work does not grow with what a client sends.
        (
            "the right one behind 1,000 wrong ones",
            fields(format!("Cookie: {}{NAME}={issued}\r\n", many(&near, 1_000)).as_bytes()),
        ),
        ("200 fields", fields(&with_cookie(NAME, &near).repeat(200))),
        ("a marker of now", request(CLIENT, HOST, "?__gl_c=9999999999999999999", b"")),
        ("a marker that is the cookie", request(CLIENT, HOST, &format!("?__gl_c={issued}"), b"")),
    ]);
    let mut binary = format!("Cookie: {NAME}=1-").into_bytes();
    binary.extend((0x80..=0xff).chain(*b"\r\n"));
    all.push(("bytes beyond ASCII", fields(&binary)));
    let mut same_length = format!("Cookie: {NAME}={head}-").into_bytes();
    same_length.extend([0xff; 64].iter().chain(b"\r\n"));
    all.push(("bytes beyond ASCII for a MAC", fields(&same_length)));
    all
}

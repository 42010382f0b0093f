#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use ed25519_dalek::{Signer as _, SigningKey};
use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_735_689_700;
/// RFC 9421, B.1.4, `test-key-ed25519`, and its thumbprint.
const RFC_X: &str = "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs";
const RFC_ID: &str = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";
/// The signature of draft-meunier-web-bot-auth-architecture, A: by that key, for example.com.
const RFC_INPUT: &str = r#"sig1=("@authority");created=1735689600;keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";expires=1735693200;nonce="gubxywVx7hzbYKatLgzuKDllDAIXAkz41PydU7aOY7vT+Mb3GJNxW0qD4zJ+IOQ1NVtg+BNbTCRUMt1Ojr5BgA==";tag="web-bot-auth""#;
const RFC_SIGNATURE: &str = "sig1=:uz2SAv+VIemw+Oo890bhYh6Xf5qZdLUgv6/PbiQfCFXcX/vt1A8Pf7OcgL2yUDUYXFtffNpkEr5W6dldqFrkDg==:";

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn base64(bytes: &[u8], url: bool) -> String {
    let alphabet: Vec<char> = ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(if url { ['-', '_'] } else { ['+', '/'] })
        .collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(*alphabet.get((word >> (18 - 6 * digit)) as usize & 63).unwrap());
        }
        if !url {
            text.push_str(["", "==", "="].get(chunk.len() % 3).unwrap());
        }
    }
    text
}

fn key() -> Key {
    Key::new(&base64(signing_key().verifying_key().as_bytes(), true)).unwrap()
}

fn keys() -> Keys {
    Keys::new([&[Key::new(RFC_X).unwrap()][..], &[key()][..]]).unwrap()
}

fn parameters(created: i64, expires: i64) -> String {
    let id = key().jwk().b64_thumbprint();
    format!(r#";created={created};expires={expires};keyid="{id}";alg="ed25519";tag="web-bot-auth""#)
}

/// Fields of a request that is signed over `covered`: lines of the base, in RFC 9421's own words.
fn signed(components: &str, lines: &[(&str, &str)], parameters: &str) -> HeaderMap {
    let mut base = String::new();
    for (name, value) in lines {
        base.push_str(&format!("{name}: {value}\n"));
    }
    let input = format!("({components}){parameters}");
    base.push_str(&format!("\"@signature-params\": {input}"));
    let signature = base64(&signing_key().sign(base.as_bytes()).to_bytes(), false);
    fields(&[
        ("host", "example.com"),
        ("signature-input", &format!("a={input}")),
        ("signature", &format!("a=:{signature}:")),
    ])
}

fn fields(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name: http::HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn check(headers: &HeaderMap) -> Option<(usize, bool)> {
    check_at(headers, "/a?b=c", NOW)
}

fn check_at(headers: &HeaderMap, uri: &str, now: i64) -> Option<(usize, bool)> {
    let authorities = ["example.com".to_owned()];
    let request =
        Signed { method: "GET", uri: &uri.parse().unwrap(), headers, authorities: &authorities };
    keys().check(&request, now)
}

const AUTHORITY: (&str, &str) = ("\"@authority\"", "example.com");

#[test]
fn the_drafts_own_signature_is_valid_until_it_expires_and_for_its_authority_only() {
    let with_host = |host| {
        fields(&[("host", host), ("signature-input", RFC_INPUT), ("signature", RFC_SIGNATURE)])
    };
    assert_eq!(Key::new(RFC_X).unwrap().jwk().b64_thumbprint(), RFC_ID);
    for host in ["example.com", "EXAMPLE.com:443", "example.com:80"] {
        assert_eq!(check(&with_host(host)), Some((0, true)), "{host}");
    }
    for host in ["example.org", "example.com:8443", "", "example.com.evil.example"] {
        assert_eq!(check(&with_host(host)), Some((0, false)), "{host}");
    }
    let headers = with_host("example.com");
    for (now, valid) in [
        (1_735_689_600 - SKEW, true),
        (1_735_689_600 - SKEW - 1, false),
        (1_735_693_200 + SKEW - 1, true),
        (1_735_693_200 + SKEW, false),
        (i64::MAX, false),
        (i64::MIN, false),
    ] {
        assert_eq!(check_at(&headers, "/", now), Some((0, valid)), "{now}");
    }
    // HTTP/2 names the authority in the target.
    let no_host = fields(&[("signature-input", RFC_INPUT), ("signature", RFC_SIGNATURE)]);
    assert_eq!(check_at(&no_host, "https://example.com/", NOW), Some((0, true)));
    assert_eq!(check_at(&no_host, "/", NOW), Some((0, false)));
}

#[test]
fn a_signature_of_ones_own_is_valid_and_whatever_is_changed_makes_it_invalid() {
    let good = parameters(NOW, NOW + 60);
    let lines = [
        AUTHORITY,
        ("\"@method\"", "GET"),
        ("\"@path\"", "/a"),
        ("\"@query\"", "?b=c"),
        ("\"@request-target\"", "/a?b=c"),
    ];
    let components = r#""@authority" "@method" "@path" "@query" "@request-target""#;
    let headers = signed(components, &lines, &good);
    assert_eq!(check(&headers), Some((1, true)));
    assert_eq!(check_at(&headers, "/b?b=c", NOW), Some((1, false)));
    assert_eq!(check_at(&headers, "/a?b=d", NOW), Some((1, false)));

    let text = headers.get("signature").unwrap().to_str().unwrap().to_owned();
    // Of the last character before the padding four bits are unused (RFC 4648, 3.5).
    let unused = text.find("==").unwrap() - 1;
    for at in (0..text.len()).filter(|at| *at != unused) {
        let mut bytes = text.clone().into_bytes();
        let byte = bytes.get_mut(at).unwrap();
        *byte = if *byte == b'A' { b'B' } else { b'A' };
        let mut changed = headers.clone();
        changed.insert("signature", HeaderValue::from_bytes(&bytes).unwrap());
        // Where the field cannot be read any more, there is no signature.
        assert!(check(&changed).is_none_or(|(_, valid)| !valid), "byte {at}");
    }
}

#[test]
fn what_a_signature_must_say_is_asked_for() {
    let authority = "\"@authority\"";
    let over = |parameters: &str| check(&signed(authority, &[AUTHORITY], parameters));
    assert_eq!(over(&parameters(NOW, NOW + MAX_VALIDITY)), Some((1, true)));
    assert_eq!(over(&parameters(NOW, NOW + MAX_VALIDITY + 1)), Some((1, false)));
    assert_eq!(over(&parameters(NOW, NOW)), Some((1, false)));
    let good = parameters(NOW, NOW + 60);
    for without in [format!(";created={NOW}"), format!(";expires={}", NOW + 60)] {
        assert_eq!(over(&good.replace(&without, "")), Some((1, false)), "{without}");
    }
    assert_eq!(over(&good.replace(";alg=\"ed25519\"", "")), Some((1, true)));
    assert_eq!(over(&good.replace("ed25519", "hmac-sha256")), Some((1, false)));
    assert_eq!(over(&good.replace("ed25519", "none")), Some((1, false)));
    // It is another protocol's, or another's key: it says nothing.
    assert_eq!(over(&good.replace("web-bot-auth", "other")), None);
    assert_eq!(over(&good.replace("keyid=\"", "keyid=\"x")), None);
    // Without the authority it could be repeated anywhere.
    let method = signed("\"@method\"", &[("\"@method\"", "GET")], &good);
    assert_eq!(check(&method), Some((1, false)));
    // One of what is not here, and of more than is looked at.
    assert_eq!(check(&signed("\"x-none\"", &[("\"x-none\"", "")], &good)), Some((1, false)));
    let many = (0..=MAX_COMPONENTS).map(|at| format!("\"x{at}\"")).collect::<Vec<_>>().join(" ");
    assert_eq!(check(&signed(&many, &[], &good)), Some((1, false)));
}

#[test]
fn the_signature_agent_must_be_covered_where_it_is_sent() {
    let good = parameters(NOW, NOW + 60);
    let agent = "\"https://bot.example\"";
    let mut uncovered = signed("\"@authority\"", &[AUTHORITY], &good);
    uncovered.insert(SIGNATURE_AGENT, HeaderValue::from_str(agent).unwrap());
    assert_eq!(check(&uncovered), Some((1, false)));

    let components = r#""@authority" "signature-agent""#;
    let mut whole = signed(components, &[AUTHORITY, ("\"signature-agent\"", agent)], &good);
    whole.insert(SIGNATURE_AGENT, HeaderValue::from_str(agent).unwrap());
    assert_eq!(check(&whole), Some((1, true)));

    let components = r#""@authority" "signature-agent";key="a""#;
    let line = ("\"signature-agent\";key=\"a\"", agent);
    let mut member = signed(components, &[AUTHORITY, line], &good);
    member.insert(SIGNATURE_AGENT, HeaderValue::from_str(&format!("a={agent}, b=1")).unwrap());
    assert_eq!(check(&member), Some((1, true)));
    member.insert(SIGNATURE_AGENT, HeaderValue::from_static("a=\"https://evil.example\""));
    assert_eq!(check(&member), Some((1, false)));
}

#[test]
fn no_more_is_looked_at_than_the_bounds_allow() {
    let good = parameters(NOW, NOW + 60);
    let headers = signed("\"@authority\"", &[AUTHORITY], &good);
    let input = headers.get("signature-input").unwrap().to_str().unwrap();
    let mut fourth = headers.clone();
    let others = "x=();keyid=\"?\", y=();keyid=\"?\", z=();keyid=\"?\"";
    let third = others.rsplit_once(", ").unwrap().0;
    fourth.insert("signature-input", format!("{third}, {input}").parse().unwrap());
    assert_eq!(check(&fourth), Some((1, true)));
    fourth.insert("signature-input", format!("{others}, {input}").parse().unwrap());
    assert_eq!(check(&fourth), None);
    let mut long = headers.clone();
    let value = format!("{input}, x=\"{}\"", "a".repeat(MAX_FIELD));
    long.insert("signature-input", value.parse().unwrap());
    assert_eq!(check(&long), None);
}

#[test]
fn weak_and_malformed_keys_are_refused() {
    // Points of small order, with which a signature over anything can be made, in base64url.
    let small = [
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "7P___________________________________________38",
    ];
    for x in small.into_iter().chain(["", "AAAA", "!", &RFC_X.repeat(2)]) {
        assert_eq!(Key::new(x).unwrap_err().reason(), "bad-key", "{x}");
    }
    let set = format!(
        r#"{{"keys":[{{"kty":"RSA","n":"","e":""}},{{"kty":"OKP","crv":"Ed25519","x":"{RFC_X}","kid":"a"}}]}}"#
    );
    assert_eq!(parse(set.as_bytes()).unwrap(), [Key::new(RFC_X).unwrap()]);
    assert_eq!(parse(b"{\"keys\":[]}").unwrap_err().reason(), "no-key");
    assert_eq!(parse(b"[]").unwrap_err().reason(), "bad-json");
    let shared = [Key::new(RFC_X).unwrap()];
    assert_eq!(Keys::new([&shared[..], &shared[..]]).unwrap_err().reason(), "shared-key");
}

proptest! {
    #[test]
    fn no_fields_panic_and_none_is_valid(
        input in "[ -~]{0,200}",
        signature in "[ -~]{0,200}",
        agent in proptest::collection::vec(any::<u8>(), 0..50),
        cut in 0..RFC_INPUT.len(),
        with in "[ -~]{0,3}",
    ) {
        let mut headers = fields(&[("host", "example.com"), ("signature", RFC_SIGNATURE)]);
        if let Ok(agent) = HeaderValue::from_bytes(&agent) {
            headers.insert(SIGNATURE_AGENT, agent);
        }
        let mutated = format!("{}{with}{}", &RFC_INPUT[..cut], &RFC_INPUT[cut..]);
        for input in [&input, &mutated] {
            headers.insert("signature-input", input.parse().unwrap());
            // The draft's signature does not cover what was put in, and `Signature-Agent` is not covered at all. Only
            // where it is not sent and what was put in means nothing can the signature stand.
            let found = check(&headers);
            prop_assert!(!headers.contains_key(SIGNATURE_AGENT) || found.is_none_or(|(_, valid)| !valid));
        }
        headers.insert("signature", signature.parse().unwrap());
        let _ = check(&headers);
    }
}

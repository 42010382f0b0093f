//! HTTP message signatures (RFC 9421) of a crawler, one right and very many wrong, written as the RFC's own text has them.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

use super::{Named, is_verified};
use crate::{drill::Drill, edge::Edge, load::Raw};

/// The crawler, and the site that it signs for.
pub(super) const SIGNER: &str = "drillbot";
pub(super) const AUTHORITY: &str = "localhost";
const AGENT: &str = "\"https://drillbot.example\"";

fn own_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// The public half of the crawler's key, as a JWK's `x` (RFC 8037, 2).
pub(super) fn key() -> String {
    x(&own_key())
}

fn x(key: &SigningKey) -> String {
    base64url(key.verifying_key().as_bytes())
}

/// The thumbprint of a key (RFC 7638, 3; RFC 8037, appendix A.3).
fn id(key: &SigningKey) -> String {
    let jwk = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{}\"}}", x(key));
    base64url(&Sha256::digest(jwk))
}

/// Bytes as a structured field has them (RFC 9651, 3.3.5): base64 between colons.
fn byte_sequence(bytes: &[u8]) -> String {
    sfv::ItemSerializer::new().bare_item(bytes).finish()
}

fn base64url(bytes: &[u8]) -> String {
    byte_sequence(bytes).trim_matches([':', '=']).replace('+', "-").replace('/', "_")
}

/// A signature as it is to be made.
#[derive(Clone)]
struct Signature {
    key: SigningKey,
    /// Components as they are written, and what they are said to be.
    covered: Vec<(&'static str, String)>,
    created: Option<i64>,
    expires: Option<i64>,
    key_id: String,
    algorithm: &'static str,
    tag: &'static str,
}

impl Signature {
    /// One that is right at `now`.
    fn right(now: i64) -> Self {
        Self {
            key: own_key(),
            covered: vec![("\"@authority\"", AUTHORITY.into())],
            created: Some(now),
            expires: Some(now + 300),
            key_id: id(&own_key()),
            algorithm: "ed25519",
            tag: "web-bot-auth",
        }
    }

    fn covering(self, covered: &[(&'static str, &str)]) -> Self {
        let covered = covered.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        Self { covered, ..self }
    }

    fn input(&self) -> String {
        let components: Vec<&str> = self.covered.iter().map(|(name, _)| *name).collect();
        let mut input = format!("({})", components.join(" "));
        for (name, time) in [("created", self.created), ("expires", self.expires)] {
            if let Some(time) = time {
                input.push_str(&format!(";{name}={time}"));
            }
        }
        let Self { key_id, algorithm, tag, .. } = self;
        input.push_str(&format!(";keyid=\"{key_id}\";alg=\"{algorithm}\";tag=\"{tag}\""));
        input
    }

    /// The value of the signature over its base (RFC 9421, 2.5).
    fn value(&self) -> String {
        let lines: String =
            self.covered.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let base = format!("{lines}\"@signature-params\": {}", self.input());
        byte_sequence(&self.key.sign(base.as_bytes()).to_bytes())
    }

    fn fields(&self) -> String {
        format!("Signature-Input: a={}\r\nSignature: a={}\r\n", self.input(), self.value())
    }
}

fn request(fields: &str) -> Vec<u8> {
    request_to(AUTHORITY, "GET", "/shadow/page", fields)
}

fn request_to(host: &str, method: &str, path: &str, fields: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: 198.51.100.88\r\nUser-Agent: {SIGNER}/1.0\r\n{fields}\r\n"
    )
    .into_bytes()
}

/// None of the wrong ones is verified; the right ones are, so that it is them who fail.
pub(super) async fn judge(drill: &mut Drill, edge: &Edge) -> Result<()> {
    let mut client = Raw::new(edge.address, &drill.journal.counter);
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    verified(drill, &mut client, now).await?;
    let all = forged(now);
    drill.findings.fact("forged_signatures", all.len());
    for (name, request) in all {
        let Some(response) = client.send(&request).await else {
            drill.findings.failures.push(format!("{name}: no answer"));
            continue;
        };
        let holds = match response.status {
            200 => !is_verified(&response).context(name)?,
            status => matches!(status, 400 | 431),
        };
        drill.findings.expect(holds, || {
            format!("{name}: expected no verified crawler; found {}", response.status)
        });
    }
    verified(drill, &mut client, now).await
}

async fn verified(drill: &mut Drill, client: &mut Raw, now: i64) -> Result<()> {
    for (name, request) in right(now) {
        let response = client.send(&request).await.context(name)?;
        let found = (response.status, is_verified(&response).context(name)?);
        drill.findings.equal(name, found, (200, true));
    }
    Ok(())
}

/// What the crawler itself may send.
fn right(now: i64) -> Vec<Named> {
    let agent = Signature::right(now)
        .covering(&[("\"@authority\"", AUTHORITY), ("\"signature-agent\"", AGENT)]);
    vec![
        ("a right signature", request(&Signature::right(now).fields())),
        (
            "a right signature with its agent",
            request(&format!("Signature-Agent: {AGENT}\r\n{}", agent.fields())),
        ),
    ]
}

/// What those send who do not have its key, or repeat what it once sent elsewhere.
pub(super) fn forged(now: i64) -> Vec<Named> {
    const DAY: i64 = 24 * 3_600;
    let good = Signature::right(now);
    let with = |change: &dyn Fn(&mut Signature)| {
        let mut changed = good.clone();
        change(&mut changed);
        request(&changed.fields())
    };
    let other = SigningKey::from_bytes(&[8; 32]);
    let elsewhere = good.clone().covering(&[("\"@authority\"", "other.example")]).fields();
    let get = good
        .clone()
        .covering(&[
            ("\"@authority\"", AUTHORITY),
            ("\"@method\"", "GET"),
            ("\"@path\"", "/shadow/page"),
        ])
        .fields();
    let (input, value) = (good.input(), good.value());
    let raw = |input: &str, signature: &str| {
        request(&format!("Signature-Input: {input}\r\nSignature: {signature}\r\n"))
    };
    let mut all = vec![
        ("no signature", request("")),
        ("another key under this one's id", with(&|it| it.key = other.clone())),
        (
            "another key under its own id",
            with(&|it| (it.key, it.key_id) = (other.clone(), id(&other))),
        ),
        ("expired", with(&|it| (it.created, it.expires) = (Some(now - 7_200), Some(now - 3_600)))),
        (
            "of the future",
            with(&|it| (it.created, it.expires) = (Some(now + 3_600), Some(now + 7_200))),
        ),
        ("valid for ten years", with(&|it| it.expires = Some(now + 3_650 * DAY))),
        ("expired before it was created", with(&|it| it.expires = Some(now - 1))),
        ("of the end of time", with(&|it| it.expires = Some(999_999_999_999_999))),
        ("without a time", with(&|it| (it.created, it.expires) = (None, None))),
        ("without an end", with(&|it| it.expires = None)),
        ("without a beginning", with(&|it| it.created = None)),
        ("another algorithm", with(&|it| it.algorithm = "hmac-sha256")),
        ("no algorithm", with(&|it| it.algorithm = "none")),
        ("another protocol's", with(&|it| it.tag = "other")),
        ("for another authority", request(&elsewhere)),
        (
            "for another authority, which the request names",
            request_to("other.example", "GET", "/shadow/page", &elsewhere),
        ),
        (
            "for this one, repeated to another",
            request_to("other.example", "GET", "/shadow/page", &good.fields()),
        ),
        ("over nothing", with(&|it| it.covered.clear())),
        (
            "without the authority",
            request(&good.clone().covering(&[("\"@method\"", "GET")]).fields()),
        ),
        ("over another path", request_to(AUTHORITY, "GET", "/shadow/other", &get)),
        ("over another method", request_to(AUTHORITY, "POST", "/shadow/page", &get)),
        (
            "with an agent that it does not cover",
            request(&format!("Signature-Agent: {AGENT}\r\n{}", good.fields())),
        ),
        ("over what is not there", with(&|it| it.covered.push(("\"x-none\"", String::new())))),
        ("over one component twice", with(&|it| it.covered.push(it.covered[0].clone()))),
        ("an input without a signature", request(&format!("Signature-Input: a={input}\r\n"))),
        ("a signature without an input", request(&format!("Signature: a={value}\r\n"))),
        ("a signature under another label", raw(&format!("a={input}"), &format!("b={value}"))),
        ("a signature of nothing", raw(&format!("a={input}"), "a=::")),
        (
            "a signature of zeros",
            raw(&format!("a={input}"), &format!("a={}", byte_sequence(&[0; 64]))),
        ),
        (
            "a signature cut short",
            raw(&format!("a={input}"), &format!("a={}", byte_sequence(&[7; 63]))),
        ),
        ("a signature that is text", raw(&format!("a={input}"), "a=\"signed\"")),
        ("no structured field", raw("a=((((;;;,,,=", ":::::")),
        (
            "an input that does not end",
            raw(&format!("a={}", &input[..input.len() - 1]), &format!("a={value}")),
        ),
        (
            "an input that is no list",
            raw(&format!("a={}", input.replace(['(', ')'], "")), &format!("a={value}")),
        ),
        ("bytes of no meaning", raw("a=\u{fffd}\u{7f}", &format!("a={value}"))),
        (
            "100 KiB of an input",
            raw(&format!("a={input};nonce=\"{}\"", "a".repeat(100 << 10)), &format!("a={value}")),
        ),
        (
            "100 KiB of a signature",
            raw(&format!("a={input}"), &format!("a=:{}:", "A".repeat(100 << 10))),
        ),
        (
            "5,000 components",
            raw(
                &format!("a={}", input.replace(')', &format!("{})", " \"x\"".repeat(5_000)))),
                &format!("a={value}"),
            ),
        ),
        (
            "the right one behind 300 others",
            raw(&format!("{}a={input}", "b=();keyid=\"x\", ".repeat(300)), &format!("a={value}")),
        ),
        ("100 fields", request(&good.fields().replace("a=", "b=").repeat(100))),
    ];
    all.push(("a deep nest", raw(&format!("a={}", "(".repeat(50_000)), &format!("a={value}"))));
    all
}

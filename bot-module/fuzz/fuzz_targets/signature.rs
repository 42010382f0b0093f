//! Any change to a signed request, any key and any fields: what verifies is what the holder of a known key signed, for
//! this site and this time, and nothing else does.
#![no_main]

#[allow(dead_code, reason = "no target needs all of it")]
#[rustfmt::skip]
#[path = "../../src/crawlers/signature.rs"]
mod signature;

use std::collections::HashSet;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use ed25519_dalek::{Signer as _, SigningKey};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;
use sfv::SerializeValue as _;
use signature::{Key, Keys, Signed};
use web_bot_auth::keyring::Thumbprintable;

const NOW: i64 = 1_735_689_700;
const DAY: i64 = 86_400;
/// By how much clocks may differ.
const SKEW: i64 = 60;
const SITE: &str = "example.com";

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Signed(Case<'a>),
    /// A key that someone offers, and what they say is a signature by it.
    Key([u8; 32], [[u8; 32]; 2]),
    KeySet(&'a [u8]),
    Fields(&'a str, &'a str),
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    request: Parts<'a>,
    /// Besides the authority.
    covered: Vec<Component>,
    /// Seconds from [`NOW`], so that most lie near to each other.
    created: i8,
    now: i8,
    validity: u8,
    algorithm: u8,
    faults: Faults,
    /// Of the crawlers that are known.
    signer: bool,
    changes: Vec<Change<'a>>,
}

#[derive(Arbitrary, Debug)]
struct Faults(u8);

impl Faults {
    /// Three of eight bytes have a fault, each another.
    fn other_tag(&self) -> bool {
        self.0 % 8 == 7
    }

    fn no_authority(&self) -> bool {
        self.0 % 8 == 6
    }

    fn unknown_signer(&self) -> bool {
        self.0 % 8 == 5
    }
}

#[derive(Arbitrary, Debug)]
struct Parts<'a> {
    method: &'a str,
    target: &'a str,
    /// Where there is no `host` the target names one, as in HTTP/2, or nothing does.
    host: Option<Host<'a>>,
    absolute: bool,
    fields: Vec<(u8, &'a str)>,
    agents: Vec<(u8, &'a str)>,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Host<'a> {
    Ours,
    OursWithPort,
    Other(&'a str),
}

#[derive(Arbitrary, Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Component {
    Authority,
    Method,
    Path,
    Query,
    RequestTarget,
    Field(u8),
    AgentMember(u8),
}

#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Method(&'a str),
    Target(&'a str),
    Host(Host<'a>),
    Append(u8, &'a str),
    Remove(u8),
    /// In the text of a field: from where, how much goes, and what comes.
    Splice(u8, u16, u8, &'a str),
    /// Before the text of a field.
    Lead(u8, &'a str),
}

const FIELDS: [&str; 7] =
    ["accept", "user-agent", "signature-agent", "x-a", "cookie", "signature-input", "signature"];
/// Those that are not of the signature.
const PLAIN: usize = 5;
const ALGORITHMS: [&str; 4] = ["", ";alg=\"ed25519\"", ";alg=\"hmac-sha256\"", ";alg=\"Ed25519\""];

/// Those of two crawlers that are known, and one that is not.
static SIGNERS: LazyLock<[SigningKey; 3]> =
    LazyLock::new(|| [7, 8, 9].map(|seed| SigningKey::from_bytes(&[seed; 32])));
static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let key =
        |signer: &SigningKey| Key::new(&public(signer.verifying_key().as_bytes())).expect("a key");
    let [first, second, _] = &*SIGNERS;
    Keys::new([&[key(first)][..], &[key(second)][..]]).expect("two crawlers")
});

fn public(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn thumbprint(bytes: &[u8]) -> String {
    Thumbprintable::OKP { crv: "Ed25519".to_owned(), x: public(bytes) }.b64_thumbprint()
}

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Signed(case) => signed(&case),
        Input::Key(key, signature) => {
            let Ok(known) = Key::new(&public(&key)) else { return };
            let keys = Keys::new([&[known][..]]).expect("one key");
            let input = format!(
                r#"("@authority");created={NOW};expires={};keyid="{}";tag="web-bot-auth""#,
                NOW + 60,
                thumbprint(&key)
            );
            let request = Request::of_site(&input, &signature.concat());
            assert_eq!(request.check(&keys, NOW), Some((0, false)), "signed without the secret");
        }
        Input::KeySet(bytes) => match signature::parse(bytes) {
            Ok(keys) => {
                assert!((1..=64).contains(&keys.len()));
                Keys::new([&keys[..]]).expect("keys of one crawler");
            }
            Err(error) => assert!(!error.reason().is_empty()),
        },
        Input::Fields(input, signature) => {
            let mut request = Request::of_site("", &[]);
            request.set("signature-input", input);
            request.set("signature", signature);
            let found = request.check(&KEYS, NOW);
            assert!(found.is_none_or(|(_, valid)| !valid), "signed by nobody");
        }
    }
});

fn signed(case: &Case<'_>) {
    let mut request = Request::of(&case.request);
    let authority = (!case.faults.no_authority()).then_some(Component::Authority);
    let covered: Vec<Component> =
        authority.into_iter().chain(case.covered.iter().take(17).map(|it| it.within())).collect();
    // What is not there is signed as if it were empty, and is only valid of what is empty.
    let values: Vec<String> =
        covered.iter().map(|it| request.value(*it).unwrap_or_default()).collect();
    let names: Vec<String> = covered.iter().map(|it| it.name()).collect();
    let created = NOW + i64::from(case.created);
    let expires = created
        + match case.validity {
            254 => DAY,
            255 => DAY + 1,
            seconds => i64::from(seconds) - 1,
        };
    let algorithm = ALGORITHMS[usize::from(case.algorithm) % ALGORITHMS.len()];
    let signer = if case.faults.unknown_signer() { 2 } else { usize::from(case.signer) };
    let key = &SIGNERS[signer];
    let tag = if case.faults.other_tag() { "other" } else { "web-bot-auth" };
    let input = format!(
        r#"({});created={created};expires={expires};keyid="{}"{algorithm};tag="{tag}""#,
        names.join(" "),
        thumbprint(key.verifying_key().as_bytes())
    );
    // RFC 9421, 2.5.
    let line = |(name, value): (&String, &String)| format!("{name}: {value}\n");
    let base: String = names.iter().zip(&values).map(line).collect();
    let signature = key.sign(format!("{base}\"@signature-params\": {input}").as_bytes());
    request.sign(&input, &signature.to_bytes());

    for change in case.changes.iter().take(8) {
        request.change(change);
    }
    let now = NOW + i64::from(case.now);
    let found = request.check(&KEYS, now);

    let must_hold = signer < 2
        && !case.faults.other_tag()
        && algorithm != ALGORITHMS[2]
        && algorithm != ALGORITHMS[3]
        && covered.len() <= 16
        && covered.contains(&Component::Authority)
        && request.value(Component::Authority).as_deref() == Some(SITE)
        && covered
            .iter()
            .zip(&values)
            .all(|(it, value)| request.value(*it).as_ref() == Some(value))
        && (!request.headers.contains_key("signature-agent")
            || covered
                .iter()
                .any(|it| matches!(it, Component::Field(2) | Component::AgentMember(_))))
        && created <= now + SKEW
        && now < expires + SKEW
        && created < expires
        && expires - created <= DAY;
    if let Some((owner, true)) = found {
        assert!(must_hold && owner == signer);
    }
    let distinct = covered.iter().collect::<HashSet<_>>().len() == covered.len();
    // A base is of ASCII (RFC 9421, 2.5).
    let ascii = values.iter().all(|value| value.is_ascii());
    if case.changes.is_empty() && must_hold && distinct && ascii {
        assert_eq!(found, Some((signer, true)));
    }
}

impl Component {
    fn within(self) -> Self {
        match self {
            Self::Field(index) => Self::Field(index % PLAIN as u8),
            Self::AgentMember(key) => Self::AgentMember(key % 4),
            other => other,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Authority => "\"@authority\"".to_owned(),
            Self::Method => "\"@method\"".to_owned(),
            Self::Path => "\"@path\"".to_owned(),
            Self::Query => "\"@query\"".to_owned(),
            Self::RequestTarget => "\"@request-target\"".to_owned(),
            Self::Field(index) => format!("\"{}\"", FIELDS[usize::from(index)]),
            Self::AgentMember(key) => format!("\"signature-agent\";key=\"{}\"", letter(key)),
        }
    }
}

fn letter(key: u8) -> char {
    char::from(b'a' + key % 4)
}

/// As it comes.
struct Request {
    method: String,
    uri: Uri,
    headers: HeaderMap,
}

impl Request {
    fn of(parts: &Parts<'_>) -> Self {
        let mut request = Self {
            method: method(parts.method),
            uri: Uri::from_static("/"),
            headers: HeaderMap::new(),
        };
        request.aim(parts.absolute, parts.target);
        if let Some(host) = parts.host {
            request.host(host);
        }
        for (field, value) in parts.fields.iter().take(3) {
            request.append(FIELDS[usize::from(*field) % PLAIN], value);
        }
        let is_plain = |char: &char| matches!(char, ' '..='~') && !matches!(char, '"' | '\\');
        let agents: Vec<String> = parts
            .agents
            .iter()
            .take(3)
            .map(|(key, url)| {
                format!(
                    "{}=\"{}\"",
                    letter(*key),
                    url.chars().filter(is_plain).take(50).collect::<String>()
                )
            })
            .collect();
        if !agents.is_empty() {
            request.append("signature-agent", &agents.join(", "));
        }
        request
    }

    fn of_site(input: &str, signature: &[u8]) -> Self {
        let mut request = Self {
            method: "GET".to_owned(),
            uri: Uri::from_static("/"),
            headers: HeaderMap::new(),
        };
        request.host(Host::Ours);
        request.sign(input, signature);
        request
    }

    fn sign(&mut self, input: &str, signature: &[u8]) {
        self.set("signature-input", &format!("s={input}"));
        self.set("signature", &format!("s=:{}:", BASE64_STANDARD.encode(signature)));
    }

    fn aim(&mut self, absolute: bool, target: &str) {
        let site = if absolute { "https://example.com/" } else { "/" };
        if let Ok(uri) = format!("{site}{}", target.chars().take(300).collect::<String>()).parse() {
            self.uri = uri;
        }
    }

    fn host(&mut self, host: Host<'_>) {
        match host {
            Host::Ours => self.set("host", SITE),
            Host::OursWithPort => self.set("host", "Example.com:443"),
            Host::Other(host) => self.set("host", host),
        }
    }

    fn set(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }

    fn append(&mut self, name: &'static str, value: &str) {
        let value: String = value.chars().take(200).collect();
        if let Ok(value) = HeaderValue::from_str(&value) {
            self.headers.append(HeaderName::from_static(name), value);
        }
    }

    fn change(&mut self, change: &Change<'_>) {
        let name = |index: &u8| FIELDS[usize::from(*index) % FIELDS.len()];
        match change {
            Change::Method(text) => self.method = method(text),
            Change::Target(target) => self.aim(self.uri.authority().is_some(), target),
            Change::Host(host) => self.host(*host),
            Change::Append(index, value) => self.append(name(index), value),
            Change::Remove(index) => drop(self.headers.remove(name(index))),
            Change::Splice(index, at, gone, with) => {
                let Some(text) = self.text(name(index)) else { return };
                // A header's text is ASCII.
                let at = usize::from(*at).min(text.len());
                let after = text.len().min(at + usize::from(*gone));
                self.set(name(index), &format!("{}{with}{}", &text[..at], &text[after..]));
            }
            Change::Lead(index, with) => {
                let Some(text) = self.text(name(index)) else { return };
                self.set(name(index), &format!("{with}{text}"));
            }
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        Some(self.headers.get(name)?.to_str().ok()?.to_owned())
    }

    /// What a component is here (RFC 9421, 2.1 and 2.2).
    fn value(&self, component: Component) -> Option<String> {
        let joined = |name: &str| {
            let values = self.headers.get_all(name).iter();
            let values: Vec<String> = values
                .map(|value| value.to_str().ok().map(|text| text.trim().to_owned()))
                .collect::<Option<_>>()?;
            (!values.is_empty()).then(|| values.join(", "))
        };
        match component {
            Component::Authority => {
                let host = match self.headers.get("host") {
                    Some(host) => host.to_str().ok()?,
                    None => self.uri.authority()?.as_str(),
                };
                let host = host.trim().to_lowercase();
                let bare = host.strip_suffix(":443").or(host.strip_suffix(":80"));
                Some(bare.unwrap_or(&host).to_owned())
            }
            Component::Method => Some(self.method.clone()),
            Component::Path => Some(self.uri.path().to_owned()),
            Component::Query => Some(format!("?{}", self.uri.query().unwrap_or_default())),
            Component::RequestTarget => Some(self.uri.path_and_query()?.to_string()),
            Component::Field(index) => joined(FIELDS[usize::from(index)]),
            Component::AgentMember(key) => {
                let text = joined("signature-agent")?;
                let mut members: sfv::Dictionary =
                    sfv::Parser::new(&text).parse_dictionary().ok()?;
                vec![members.shift_remove(letter(key).to_string().as_str())?].serialize_value()
            }
        }
    }

    fn check(&self, keys: &Keys, now: i64) -> Option<(usize, bool)> {
        let authorities = [SITE.to_owned()];
        let request = Signed {
            method: &self.method,
            uri: &self.uri,
            headers: &self.headers,
            authorities: &authorities,
        };
        keys.check(&request, now)
    }
}

fn method(text: &str) -> String {
    Method::from_bytes(text.as_bytes()).map_or("GET".to_owned(), |method| method.to_string())
}

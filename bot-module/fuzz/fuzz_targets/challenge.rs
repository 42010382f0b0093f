//! Any cookies: only what was issued to this client for this host and still holds meets a challenge. Any target: the
//! redirects lead to the same place of the same host, and there are at most two of them.
#![no_main]

#[allow(dead_code, reason = "no target needs all of it")]
#[rustfmt::skip]
#[path = "../../src/challenge.rs"]
mod challenge;

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::Arbitrary;
use challenge::{Challenge, MARKER, Marked, NAME_PLAIN, NAME_TLS};
use http::uri::PathAndQuery;
use libfuzzer_sys::fuzz_target;
use url::Url;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Cookies(Cookies<'a>),
    Target { target: Vec<Piece<'a>>, later: u8 },
}

#[derive(Arbitrary, Debug)]
struct Cookies<'a> {
    fields: Vec<Vec<Part<'a>>>,
    tls: bool,
    client: Client,
    host: u8,
    now: i8,
}

#[derive(Arbitrary, Debug)]
enum Part<'a> {
    Name(bool),
    OtherName,
    Equals,
    Semicolon,
    Space,
    Bytes(&'a [u8]),
    Pair(bool, Issued),
    Cookie(Issued),
    /// With one byte in place of another.
    Changed(Issued, u8, u8),
    Cut(Issued, u8),
}

/// A cookie that someone was given.
#[derive(Arbitrary, Debug, Clone, Copy)]
struct Issued {
    secret: u8,
    client: Client,
    host: u8,
    at: i8,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Client {
    None,
    Known(u8),
    V4([u8; 4]),
    V6([u8; 16]),
}

#[derive(Arbitrary, Debug)]
enum Piece<'a> {
    Slash,
    Backslash,
    Question,
    Ampersand,
    Dots,
    At,
    Host,
    Marker,
    MarkerOf(i8),
    MarkerWith(&'a str),
    Text(&'a str),
}

const NOW: u64 = 1_700_000_000;
const LIFETIME: u64 = 60;
const HOSTS: [&str; 4] = ["shop.example", "SHOP.example", "other.example", ""];
/// The first two in one /64, and the next two one address.
const CLIENTS: [&str; 6] = [
    "2001:db8::1",
    "2001:db8::2:1",
    "192.0.2.1",
    "::ffff:192.0.2.1",
    "192.0.2.2",
    "2001:db8:0:1::1",
];

/// Under the present secret, the one before, and one of another site; the first takes cookies of the second.
static CHALLENGES: LazyLock<[Challenge; 3]> = LazyLock::new(|| {
    let [ours, before, other] = [1, 2, 3].map(|secret| {
        Challenge::new(&[secret; 32])
            .expect("a secret")
            .with_lifetime(Duration::from_secs(LIFETIME))
    });
    [ours.with_previous(&[2; 32]).expect("a secret"), before, other]
});

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Cookies(input) => cookies(&input),
        Input::Target { target, later } => {
            let text: String = target.iter().take(60).map(Piece::text).collect();
            // What is no target of a request never comes.
            if let Ok(target) = PathAndQuery::try_from(text.as_str()) {
                redirects(target.as_str(), NOW + u64::from(later % 60));
            }
        }
    }
});

fn cookies(input: &Cookies<'_>) {
    let name = if input.tls { NAME_TLS } else { NAME_PLAIN };
    let client = input.client.address();
    let host = HOSTS[usize::from(input.host) % HOSTS.len()];
    let now = NOW.saturating_add_signed(input.now.into());
    let mut fields: Vec<Vec<u8>> = Vec::new();
    let mut valid: Vec<Vec<u8>> = Vec::new();
    for parts in input.fields.iter().take(6) {
        let mut field = Vec::new();
        for part in parts.iter().take(20) {
            field.extend(part.bytes());
            if let Some(issued) = part.issued()
                && issued.holds_for(client, host, now)
            {
                valid.push(issued.value());
            }
        }
        fields.push(field);
    }
    // RFC 6265, 5.2 and 5.4: a name, the first equals sign, a value.
    let ours: Vec<&[u8]> = fields
        .iter()
        .flat_map(|field| field.split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=')?;
            let (found, value) = pair.split_at(equals);
            (found.trim_ascii() == name.as_bytes()).then(|| value[1..].trim_ascii())
        })
        .collect();
    let expected = ours.iter().take(4).any(|value| valid.iter().any(|valid| valid == value));
    let found = CHALLENGES[0].is_met(fields.iter().map(Vec::as_slice), name, client, host, now);
    assert_eq!(found, expected, "{input:?}");

    // What is kept from the origin is what is taken for ours.
    for field in &fields {
        for pair in challenge::pairs(field) {
            let names = [NAME_TLS, NAME_PLAIN];
            let expected = names.iter().any(|name| challenge::value_of(pair, name).is_some());
            assert_eq!(challenge::is_ours(pair), expected);
        }
    }
}

/// Follows a client, as it would have a challenge, from a target at [`NOW`].
fn redirects(target: &str, later: u64) {
    let first = Marked::read(target.as_bytes(), NOW);
    assert!(!first.fresh || first.marked);
    assert_eq!(first.marked, parameters(target).any(is_marker));
    let again = Marked::read(&first.clean, NOW);
    assert!(!again.marked && again.clean == first.clean);
    // What an origin is shown, where a marker is taken out of a request that passes.
    let clean =
        PathAndQuery::try_from(first.clean.clone()).expect("what is left of a target is one");
    assert_eq!(without_markers(clean.as_str()), without_markers(target));

    // Without the cookie: one redirect, and the next request is known to come from it.
    let marked = follow(&first.location(Some(NOW)));
    assert_same_place(target, &marked);
    let second = Marked::read(marked.as_bytes(), later);
    assert!(second.marked && second.fresh, "{target:?} → {marked:?}");
    // With it: one more, to where no marker is.
    let unmarked = follow(&second.location(None));
    assert_same_place(target, &unmarked);
    assert!(!Marked::read(unmarked.as_bytes(), later).marked, "{target:?} → {unmarked:?}");
    // It is where one marked long ago leads, too.
    let straight = follow(&first.location(None));
    assert_eq!(without_markers(&straight), without_markers(&unmarked));
    assert!(!Marked::read(straight.as_bytes(), later).marked);
}

/// Where a browser goes from a page of the site, as path and query.
fn follow(location: &[u8]) -> String {
    let location = std::str::from_utf8(location).expect("of a target that was text");
    // Otherwise the redirect could not be sent.
    http::HeaderValue::from_bytes(location.as_bytes()).expect("a value of a field");
    assert!(location.starts_with('/') && !location[1..].starts_with(['/', '\\']), "{location:?}");
    let from = Url::parse("https://shop.example/some/page?a=b").expect("a URL");
    let to = from.join(location).expect("a URL");
    assert_eq!(to.origin(), from.origin(), "{location:?}");
    assert_eq!(to.fragment(), None, "{location:?}");
    to.query().map_or(to.path().to_owned(), |query| format!("{}?{query}", to.path()))
}

/// But for what a browser makes of a path.
fn assert_same_place(target: &str, found: &str) {
    let leading = target.len() - target.trim_start_matches(['/', '\\']).len();
    let expected = follow(format!("/{}", &target[leading..]).as_bytes());
    assert_eq!(without_markers(found), without_markers(&expected), "{target:?}");
}

fn parameters(target: &str) -> impl Iterator<Item = &str> {
    target.split_once('?').map(|(_, query)| query.split('&')).into_iter().flatten()
}

fn is_marker(pair: &str) -> bool {
    pair.split_once('=').is_some_and(|(name, _)| name.trim_end() == MARKER)
}

fn without_markers(target: &str) -> (String, Vec<String>) {
    let path = target.split('?').next().unwrap_or_default();
    let others = parameters(target).filter(|pair| !is_marker(pair));
    // Slashes at the beginning are for one, wherever a browser gets them from, and an empty query is none.
    let path = path.trim_start_matches(['/', '\\']);
    (path.to_owned(), others.filter(|pair| !pair.is_empty()).map(str::to_owned).collect())
}

impl Issued {
    fn value(self) -> Vec<u8> {
        let at = NOW.saturating_add_signed(self.at.into());
        let challenge = &CHALLENGES[usize::from(self.secret % 3)];
        challenge.issue(self.client.address(), self.host(), at).into_bytes()
    }

    fn host(self) -> &'static str {
        HOSTS[usize::from(self.host) % HOSTS.len()]
    }

    fn holds_for(self, client: Option<IpAddr>, host: &str, now: u64) -> bool {
        let network = |client: Option<IpAddr>| match client?.to_canonical() {
            IpAddr::V4(address) => Some(address.octets().to_vec()),
            IpAddr::V6(address) => Some(address.octets()[..8].to_vec()),
        };
        self.secret % 3 < 2
            && network(self.client.address()) == network(client)
            && self.host().to_lowercase() == host.to_lowercase()
            && now < NOW.saturating_add_signed(self.at.into()) + LIFETIME
    }
}

impl Client {
    fn address(self) -> Option<IpAddr> {
        match self {
            Self::None => None,
            Self::Known(index) => CLIENTS[usize::from(index) % CLIENTS.len()].parse().ok(),
            Self::V4(bytes) => Some(bytes.into()),
            Self::V6(bytes) => Some(bytes.into()),
        }
    }
}

impl Part<'_> {
    fn issued(&self) -> Option<Issued> {
        match self {
            Self::Pair(_, issued) | Self::Cookie(issued) => Some(*issued),
            Self::Changed(issued, ..) | Self::Cut(issued, _) => Some(*issued),
            _ => None,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let name = |tls: bool| if tls { NAME_TLS } else { NAME_PLAIN };
        match self {
            Self::Name(tls) => name(*tls).into(),
            Self::OtherName => b"sid".to_vec(),
            Self::Equals => b"=".to_vec(),
            Self::Semicolon => b";".to_vec(),
            Self::Space => b" ".to_vec(),
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Pair(tls, issued) => {
                [name(*tls).as_bytes(), b"=", &issued.value(), b"; "].concat()
            }
            Self::Cookie(issued) => issued.value(),
            Self::Changed(issued, at, byte) => {
                let mut value = issued.value();
                let at = usize::from(*at) % value.len();
                value[at] = *byte;
                value
            }
            Self::Cut(issued, length) => {
                let mut value = issued.value();
                value.truncate(usize::from(*length));
                value
            }
        }
    }
}

impl Piece<'_> {
    fn text(&self) -> String {
        match self {
            Self::Slash => "/".to_owned(),
            Self::Backslash => "\\".to_owned(),
            Self::Question => "?".to_owned(),
            Self::Ampersand => "&".to_owned(),
            Self::Dots => "/../".to_owned(),
            Self::At => "@".to_owned(),
            Self::Host => "evil.example".to_owned(),
            Self::Marker => MARKER.to_owned(),
            Self::MarkerOf(by) => format!("{MARKER}={}", NOW.saturating_add_signed((*by).into())),
            Self::MarkerWith(text) => format!("{MARKER}={text}"),
            Self::Text(text) => text.chars().take(40).collect(),
        }
    }
}

//! Web Bot Auth: HTTP message signatures (RFC 9421) by which crawlers name themselves, as
//! draft-meunier-web-bot-auth-architecture has it.
//!
//! Keys are those that the operator brings. No key directory is fetched: `Signature-Agent` must be covered where it is
//! sent, and is not followed. There is no memory of nonces: who sees a signature can repeat it to the same authority
//! until it expires.

use std::cell::Cell;
use std::collections::HashMap;

use ed25519_dalek::VerifyingKey;
use http::{HeaderMap, Uri, header};
use serde::Deserialize;
use sfv::SerializeValue as _;
use thiserror::Error;
use web_bot_auth::components::{
    CoveredComponent, DerivedComponent, HTTPField, HTTPFieldParameters, HTTPFieldParametersSet,
};
use web_bot_auth::keyring::{Algorithm, KeyRing, Thumbprintable};
use web_bot_auth::message_signatures::{MessageVerifier, SignedMessage};

/// What of a request is looked at, so that its fields cannot cost much: bytes of one field's values, values of a field,
/// signatures, and components that a signature covers.
const MAX_FIELD: usize = 4_096;
const MAX_VALUES: usize = 4;
const MAX_SIGNATURES: usize = 3;
const MAX_COMPONENTS: usize = 16;
/// Longest that a signature may be valid: the draft recommends no more than 24 hours.
const MAX_VALIDITY: i64 = 24 * 3_600;
/// How far the clocks of a crawler and of this machine may be apart, in seconds.
const SKEW: i64 = 60;
const TAG: &str = "web-bot-auth";
const SIGNATURE_INPUT: &str = "signature-input";
const SIGNATURE_AGENT: &str = "signature-agent";

/// What is wrong with a key or a set of keys.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The JSON is no JWK set (RFC 7517, 5).
    #[error("expected a JWK set {{\"keys\":[…]}}: {0}")]
    Json(String),
    /// There is no Ed25519 key.
    #[error("expected an Ed25519 key at least (\"kty\":\"OKP\",\"crv\":\"Ed25519\"), found none")]
    None,
    /// The bytes are no point of the curve in base64url, or one of small order, with which anyone can sign.
    #[error("expected an Ed25519 public key in base64url, found {0:?}")]
    Bad(String),
    /// There are too many keys.
    #[error("expected at most {MAX_KEYS} keys, found {0}")]
    TooMany(usize),
    /// Two crawlers have the same key.
    #[error("expected each key to be one crawler's, found {0:?} twice")]
    Shared(String),
}

impl KeyError {
    /// Stable name, for logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Json(_) => "bad-json",
            Self::None => "no-key",
            Self::Bad(_) => "bad-key",
            Self::TooMany(_) => "too-many",
            Self::Shared(_) => "shared-key",
        }
    }
}

/// Most keys of one crawler.
const MAX_KEYS: usize = 64;

/// A public key: the `x` of a JWK (RFC 8037, 2), checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(String);

impl Key {
    pub(super) fn new(x: &str) -> Result<Self, KeyError> {
        let bad = || KeyError::Bad(x.chars().take(60).collect());
        let bytes = Thumbprintable::OKP { crv: "Ed25519".to_owned(), x: x.to_owned() }
            .public_key()
            .map_err(|_| bad())?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| bad())?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| bad())?;
        if key.is_weak() { Err(bad()) } else { Ok(Self(x.to_owned())) }
    }

    fn jwk(&self) -> Thumbprintable {
        Thumbprintable::OKP { crv: "Ed25519".to_owned(), x: self.0.clone() }
    }
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
}

/// The Ed25519 keys of a JWK set. Keys of other kinds are passed over: sets may mix them.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Key>, KeyError> {
    let set: JwkSet =
        serde_json::from_slice(bytes).map_err(|error| KeyError::Json(error.to_string()))?;
    let is_ours = |jwk: &Jwk| jwk.kty == "OKP" && jwk.crv.as_deref() == Some("Ed25519");
    let ours = set.keys.into_iter().filter(is_ours).map(|jwk| jwk.x.unwrap_or_default());
    let keys = ours.map(|x| Key::new(&x)).collect::<Result<Vec<_>, _>>()?;
    match keys.len() {
        0 => Err(KeyError::None),
        count if count > MAX_KEYS => Err(KeyError::TooMany(count)),
        _ => Ok(keys),
    }
}

/// The keys of all crawlers, by thumbprint (RFC 7638).
#[derive(Debug, Default)]
pub(super) struct Keys {
    ring: KeyRing,
    owners: HashMap<String, usize>,
}

impl Keys {
    /// Of each crawler's keys, in the order of the crawlers.
    pub(super) fn new<'a>(crawlers: impl IntoIterator<Item = &'a [Key]>) -> Result<Self, KeyError> {
        let mut keys = Self::default();
        for (crawler, of_crawler) in crawlers.into_iter().enumerate() {
            for key in of_crawler {
                let jwk = key.jwk();
                let thumbprint = jwk.b64_thumbprint();
                let bytes = jwk.public_key().map_err(|_| KeyError::Bad(key.0.clone()))?;
                if keys.owners.insert(thumbprint.clone(), crawler).is_some_and(|it| it != crawler) {
                    return Err(KeyError::Shared(key.0.clone()));
                }
                keys.ring.import_raw(thumbprint, Algorithm::Ed25519, bytes);
            }
        }
        Ok(keys)
    }

    /// Whether a request is signed in a crawler's name, by its index, and whether the signature is valid. One by keys that
    /// are not known says nothing.
    pub(super) fn check(&self, request: &Signed<'_>, unix_now: i64) -> Option<(usize, bool)> {
        if self.owners.is_empty() || !request.headers.contains_key(SIGNATURE_INPUT) {
            return None;
        }
        let (looked_at, named) = (Cell::new(0_usize), Cell::new(None));
        let parsed = MessageVerifier::parse(request, |(_, input)| {
            looked_at.set(looked_at.get().saturating_add(1));
            if looked_at.get() > MAX_SIGNATURES {
                return false;
            }
            let text = |name: &str| input.params.get(name).and_then(|value| value.as_string());
            let owner = text("keyid").and_then(|id| self.owners.get(id.as_str()).copied());
            let is_it = owner.is_some() && text("tag").is_some_and(|tag| tag.as_str() == TAG);
            if is_it {
                // Too many to be worth the look-up of each: the crawler is named all the same.
                named.set(owner.map(|owner| (owner, input.items.len() <= MAX_COMPONENTS)));
            }
            is_it && input.items.len() <= MAX_COMPONENTS
        });
        let (owner, within_bounds) = named.get()?;
        let valid = within_bounds
            && parsed.is_ok_and(|message| {
                self.is_due(&message, request, unix_now) && message.verify(&self.ring, None).is_ok()
            });
        Some((owner, valid))
    }

    /// Whether a signature says what it must: cheap, and so asked before the key is.
    fn is_due(&self, message: &MessageVerifier, request: &Signed<'_>, unix_now: i64) -> bool {
        let base = &message.parsed.base;
        let details = &base.parameters.details;
        let (Some(created), Some(expires)) = (details.created, details.expires) else {
            return false;
        };
        let authority = CoveredComponent::Derived(DerivedComponent::Authority { req: false });
        let covers_agent = || {
            base.components.keys().any(|component| {
                matches!(component, CoveredComponent::HTTP(field) if field.name == SIGNATURE_AGENT)
            })
        };
        request.is_ours()
            && created <= unix_now.saturating_add(SKEW)
            && unix_now < expires.saturating_add(SKEW)
            && created < expires
            && expires.saturating_sub(created) <= MAX_VALIDITY
            && (!base.parameters.raw.contains_key("alg")
                || details.algorithm == Some(Algorithm::Ed25519))
            && base.components.contains_key(&authority)
            && (!request.headers.contains_key(SIGNATURE_AGENT) || covers_agent())
    }
}

/// What of a request a signature can cover here: `@authority`, `@method`, `@path`, `@query`, `@request-target`, whole
/// fields, and a member of `signature-agent`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    /// Names of this site, in lower case.
    pub(super) authorities: &'a [String],
}

impl Signed<'_> {
    /// In lower case and without a default port (RFC 9421, 2.2.3). Which port is the default depends on a scheme that is
    /// not known behind another proxy, so both are left out.
    fn authority(&self) -> Option<String> {
        let host = match self.headers.get(header::HOST) {
            Some(host) => host.to_str().ok()?,
            None => self.uri.authority()?.as_str(),
        };
        let host = host.trim().to_ascii_lowercase();
        let plain = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80"));
        Some(plain.map_or_else(|| host.clone(), str::to_owned))
    }

    /// Whether it was made for this site. Another site that a crawler visits could repeat its signature here, with its
    /// own name as `Host`.
    fn is_ours(&self) -> bool {
        self.authority().is_some_and(|authority| self.authorities.contains(&authority))
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        let values = self.headers.get_all(name).iter();
        let read = values.take(MAX_VALUES.saturating_add(1)).map(|value| value.to_str().ok());
        let values: Vec<&str> = read.collect::<Option<_>>()?;
        let bytes = values.iter().fold(0_usize, |sum, value| sum.saturating_add(value.len()));
        (values.len() <= MAX_VALUES && bytes <= MAX_FIELD)
            .then(|| values.iter().map(|value| value.trim().to_owned()).collect())
    }

    /// The member of a dictionary, serialized strictly (RFC 9421, 2.1.2).
    fn member(&self, name: &str, key: &str) -> Option<String> {
        let joined = self.field(name)?.join(", ");
        let mut dictionary: sfv::Dictionary = sfv::Parser::new(&joined).parse_dictionary().ok()?;
        vec![dictionary.shift_remove(key)?].serialize_value()
    }
}

impl SignedMessage for Signed<'_> {
    fn lookup_component(&self, component: &CoveredComponent) -> Vec<String> {
        use DerivedComponent as Derived;
        let short = |text: &str| (text.len() <= MAX_FIELD).then(|| vec![text.to_owned()]);
        let found = match component {
            CoveredComponent::HTTP(HTTPField { name, parameters: HTTPFieldParametersSet(set) }) => {
                match set.as_slice() {
                    [] => self.field(name),
                    [HTTPFieldParameters::Key(key)] if name == SIGNATURE_AGENT => {
                        self.member(name, key).map(|value| vec![value])
                    }
                    _ => None,
                }
            }
            CoveredComponent::Derived(derived) => match derived {
                Derived::Authority { req: false } => self.authority().map(|it| vec![it]),
                Derived::Method { req: false } => short(self.method),
                Derived::Path { req: false } => short(self.uri.path()),
                Derived::Query { req: false } => {
                    short(&format!("?{}", self.uri.query().unwrap_or_default()))
                }
                Derived::RequestTarget { req: false } => {
                    self.uri.path_and_query().and_then(|target| short(target.as_str()))
                }
                _ => None,
            },
        };
        found.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;

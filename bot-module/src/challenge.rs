//! A cookie that shows that a client keeps cookies.
//!
//! It stops clients that keep none, as most scripts and scanners are. It says nothing about JavaScript or about a
//! person: a script with a cookie jar passes. It is stateless: whoever holds the secret can verify it.

use std::{net::IpAddr, time::Duration};

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The cookie's name over TLS: browsers accept it from its host alone, with `Secure` (RFC 6265bis, 4.1.3.2).
pub(crate) const NAME_TLS: &str = "__Host-gl_c";
/// The cookie's name without TLS.
pub(crate) const NAME_PLAIN: &str = "gl_c";
/// The query parameter that marks a request which was redirected to fetch the cookie; its value is when, in Unix seconds.
pub(crate) const MARKER: &str = "__gl_c";

/// Shortest secret, in bytes: half of what HMAC-SHA-256 gives (RFC 2104, 3, asks for its whole length).
const MIN_SECRET: usize = 16;
/// `1-`, 16 hex digits of the expiry, `-`, 64 hex digits of the MAC.
const LENGTH: usize = 83;
/// Cookies of our name that are looked at in one request: the work must not grow with what a client sends.
const MAX_COOKIES: usize = 4;
/// How long a marker says that its client has just been redirected, in seconds. Later ones come from bookmarks.
const MARKER_AGE: u64 = 60;

/// Makes and verifies the cookie. Cookies are bound to the client's address (IPv6: its /64) and the host.
#[derive(Clone)]
pub struct Challenge {
    current: Hmac<Sha256>,
    previous: Option<Hmac<Sha256>>,
    lifetime: Duration,
}

/// A secret that can be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a secret of at least 16 bytes, found {found}")]
#[non_exhaustive]
pub struct SecretError {
    /// Its length, in bytes.
    pub found: usize,
}

impl SecretError {
    /// The stable name of this error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        "short-secret"
    }
}

impl Challenge {
    /// One under a secret that all edges of a site share, for cookies that hold for a day.
    ///
    /// # Errors
    /// The secret is shorter than 16 bytes.
    pub fn new(secret: &[u8]) -> Result<Self, SecretError> {
        Ok(Self { current: key(secret)?, previous: None, lifetime: Duration::from_hours(24) })
    }

    /// Also accepts cookies under `secret`: that of before, while it is replaced.
    ///
    /// # Errors
    /// The secret is shorter than 16 bytes.
    pub fn with_previous(mut self, secret: &[u8]) -> Result<Self, SecretError> {
        self.previous = Some(key(secret)?);
        Ok(self)
    }

    /// How long a cookie holds, in whole seconds and at least one.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    pub(crate) fn lifetime(&self) -> u64 {
        self.lifetime.as_secs().max(1)
    }

    /// The cookie's value for a client of `host`, at `now` in Unix seconds.
    #[must_use]
    pub fn issue(&self, client: Option<IpAddr>, host: &str, now: u64) -> String {
        let expiry = now.saturating_add(self.lifetime());
        let mac = claim(&self.current, expiry, client, host).finalize().into_bytes();
        let mut value = format!("1-{expiry:016x}-");
        for byte in mac {
            value.extend(
                [byte >> 4, byte & 15]
                    .map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default()),
            );
        }
        value
    }

    /// Whether a cookie's value was issued to this client for this host and still holds. Any bytes may be asked about;
    /// the MAC is compared in constant time.
    #[must_use]
    pub fn verify(&self, value: &[u8], client: Option<IpAddr>, host: &str, now: u64) -> bool {
        let Some((expiry, mac)) = parse(value) else { return false };
        // No honest cookie holds for longer than it was given.
        now < expiry
            && [Some(&self.current), self.previous.as_ref()]
                .into_iter()
                .flatten()
                .any(|key| claim(key, expiry, client, host).verify_slice(&mac).is_ok())
    }

    /// Whether one of the cookies in a request's `cookie` fields is valid.
    pub(crate) fn is_met<'v>(
        &self,
        fields: impl Iterator<Item = &'v [u8]>,
        name: &str,
        client: Option<IpAddr>,
        host: &str,
        now: u64,
    ) -> bool {
        let ours = fields.flat_map(pairs).filter_map(|pair| value_of(pair, name));
        ours.take(MAX_COOKIES).any(|value| self.verify(value, client, host, now))
    }
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenge").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

fn key(secret: &[u8]) -> Result<Hmac<Sha256>, SecretError> {
    let short = SecretError { found: secret.len() };
    if secret.len() < MIN_SECRET {
        return Err(short);
    }
    // HMAC takes a key of any length.
    Hmac::new_from_slice(secret).map_err(|_| short)
}

/// What a cookie states. Only the host is of variable length, and it comes last.
fn claim(key: &Hmac<Sha256>, expiry: u64, client: Option<IpAddr>, host: &str) -> Hmac<Sha256> {
    let site: (u8, u64) = match client.map(|client| client.to_canonical()) {
        None => (0, 0),
        Some(IpAddr::V4(address)) => (4, address.to_bits().into()),
        Some(IpAddr::V6(address)) => (6, (address.to_bits() >> 64) as u64),
    };
    let mut mac = key.clone();
    mac.update(b"greenlight-challenge-1\0");
    mac.update(&expiry.to_be_bytes());
    mac.update(&[site.0]);
    mac.update(&site.1.to_be_bytes());
    mac.update(host.to_ascii_lowercase().as_bytes());
    mac
}

fn parse(value: &[u8]) -> Option<(u64, [u8; 32])> {
    if value.len() != LENGTH {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'f' => char::from(byte).to_digit(16),
        _ => None,
    };
    let (expiry, mac) = value.strip_prefix(b"1-")?.split_at_checked(16)?;
    let mac = mac.strip_prefix(b"-")?;
    let expiry =
        expiry.iter().try_fold(0_u64, |sum, byte| Some(sum << 4 | u64::from(digit(*byte)?)))?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(mac.chunks_exact(2)) {
        let [high, low] = *pair else { return None };
        *byte = (digit(high)? << 4 | digit(low)?) as u8;
    }
    Some((expiry, bytes))
}

/// The pairs of a `cookie` field (RFC 6265, 4.2.1).
pub(crate) fn pairs(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    field.split(|byte| *byte == b';').map(<[u8]>::trim_ascii)
}

pub(crate) fn value_of<'v>(pair: &'v [u8], name: &str) -> Option<&'v [u8]> {
    Some(pair.strip_prefix(name.as_bytes())?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii())
}

/// Whether a pair is a cookie of ours.
pub(crate) fn is_ours(pair: &[u8]) -> bool {
    [NAME_TLS, NAME_PLAIN].iter().any(|name| value_of(pair, name).is_some())
}

/// A path with its query, taken apart at the marker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marked {
    /// Path and query without the marker.
    pub(crate) clean: Vec<u8>,
    /// Whether there was one.
    pub(crate) marked: bool,
    /// Whether it is fresh: its client was redirected just now.
    pub(crate) fresh: bool,
}

impl Marked {
    pub(crate) fn read(path_and_query: &[u8], now: u64) -> Self {
        let mut parts = path_and_query.splitn(2, |byte| *byte == b'?');
        // An absolute-form target may have no path, which stands for `/` (RFC 9110, 4.2.3).
        let path = parts.next().filter(|path| !path.is_empty()).unwrap_or(b"/");
        let query = parts.next();
        let mut read = Self { clean: path.to_vec(), marked: false, fresh: false };
        let mut separator = b'?';
        for pair in query.into_iter().flat_map(|query| query.split(|byte| *byte == b'&')) {
            if let Some(when) = value_of(pair, MARKER) {
                read.marked = true;
                let when: Option<u64> =
                    std::str::from_utf8(when).ok().and_then(|when| when.parse().ok());
                read.fresh |= when.is_some_and(|when| now.abs_diff(when) <= MARKER_AGE);
                continue;
            }
            read.clean.push(separator);
            read.clean.extend_from_slice(pair);
            separator = b'&';
        }
        read
    }

    /// Where to redirect to: the same place of the same host, since `//host` and `/\host` name another.
    pub(crate) fn location(&self, mark: Option<u64>) -> Vec<u8> {
        let leading = self.clean.iter().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
        let mut location = b"/".to_vec();
        location.extend_from_slice(self.clean.get(leading..).unwrap_or_default());
        if let Some(now) = mark {
            let separator = if location.contains(&b'?') { '&' } else { '?' };
            location.extend_from_slice(format!("{separator}{MARKER}={now}").as_bytes());
        }
        location
    }
}

#[cfg(test)]
mod tests;

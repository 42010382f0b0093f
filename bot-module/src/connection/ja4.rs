//! JA4, the TLS client fingerprint of FoxIO (technical_details/JA4.md in github.com/FoxIO-LLC/ja4). FoxIO licenses this
//! one of its fingerprints under BSD-3-Clause, those for servers and other protocols under terms of its own.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::client_hello::{ClientHello, Hello, HelloError, MAX_HELLO_BYTES};

/// What stands for the digest of nothing.
const NONE: &str = "000000000000";

/// The JA4 fingerprint of a connection that begins with `bytes`, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`: over
/// TCP, the highest version offered, whether a server was named, how many ciphers and extensions, the first protocol of
/// ALPN; then digests of the ciphers, and of extensions and signature algorithms.
///
/// # Errors
/// [`HelloError`] where the bytes do not begin with one whole ClientHello in TLS records.
pub fn ja4(bytes: &[u8]) -> Result<String, HelloError> {
    let mut hello = Hello::default();
    let read = bytes.get(..MAX_HELLO_BYTES).unwrap_or(bytes);
    hello.extend(read);
    match hello.message()? {
        Some(message) => of_message(message),
        None if read.len() < bytes.len() => Err(HelloError::TooLong { found: bytes.len() }),
        None => Err(HelloError::Ended { found: bytes.len() }),
    }
}

/// The fingerprint of a ClientHello without its header.
pub(super) fn of_message(message: &[u8]) -> Result<String, HelloError> {
    let hello = ClientHello::parse(message)?;
    let version = match &hello.supported_versions {
        Some(versions) => versions.iter().copied().max().unwrap_or_default(),
        None => hello.legacy_version,
    };
    let name = if hello.extensions.contains(&ClientHello::SERVER_NAME) { 'd' } else { 'i' };
    let [first, last] = ends(hello.alpn.unwrap_or_default());

    let mut ciphers = hello.ciphers;
    ciphers.sort_unstable();
    let mut extensions = hello.extensions;
    let counts = (ciphers.len().min(99), extensions.len().min(99));
    // Both are told by the first part, and differ between the connections of one client.
    extensions.retain(|kind| ![ClientHello::SERVER_NAME, ClientHello::ALPN].contains(kind));
    extensions.sort_unstable();
    let mut text = list(&extensions);
    if !hello.signature_algorithms.is_empty() && !text.is_empty() {
        text.push('_');
        text.push_str(&list(&hello.signature_algorithms));
    }
    Ok(format!(
        "t{}{name}{:02}{:02}{first}{last}_{}_{}",
        version_text(version),
        counts.0,
        counts.1,
        digest(&list(&ciphers)),
        digest(&text),
    ))
}

const fn version_text(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last character of a protocol's name; where one is no letter or digit, those of the name in hexadecimal.
fn ends(name: &[u8]) -> [char; 2] {
    match (name.first(), name.last()) {
        (Some(first), Some(last))
            if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() =>
        {
            [char::from(*first), char::from(*last)]
        }
        (Some(first), Some(last)) => [hex_digit(first >> 4), hex_digit(last & 0x0f)],
        _ => ['0', '0'],
    }
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}

fn list(values: &[u16]) -> String {
    let mut text = String::with_capacity(values.len().saturating_mul(5));
    for value in values {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(text, "{comma}{value:04x}");
    }
    text
}

fn digest(text: &str) -> String {
    if text.is_empty() {
        return NONE.to_owned();
    }
    let mut digest = hex::encode(Sha256::digest(text));
    digest.truncate(NONE.len());
    digest
}

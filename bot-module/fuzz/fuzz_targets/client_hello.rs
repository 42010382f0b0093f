//! Any first bytes of a connection, cut anywhere: one answer, and no more of them kept than the bound. A hello that is
//! built has the fingerprint that the specification's text gives it, however its records are cut.
#![no_main]

#[allow(dead_code, reason = "no target needs all of it")]
#[rustfmt::skip]
#[path = "../../src/connection/client_hello.rs"]
mod client_hello;
#[rustfmt::skip]
#[path = "../../src/connection/ja4.rs"]
mod ja4;

use arbitrary::Arbitrary;
use bytes::BufMut;
use client_hello::{Hello, HelloError, MAX_HELLO_BYTES};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    first: First<'a>,
    /// Sizes of what comes at once, less one; over and over.
    cuts: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
enum First<'a> {
    Any(&'a [u8]),
    /// What stands in a ClientHello, in records of a size.
    Body(&'a [u8], u16),
    Offer {
        offer: Offer<'a>,
        record: u16,
        /// Bytes that are put in place of others.
        changes: Vec<(u16, u8)>,
        after: &'a [u8],
    },
}

#[derive(Arbitrary, Debug)]
struct Offer<'a> {
    version: u16,
    session: u8,
    ciphers: Vec<u16>,
    extensions: Vec<Extension<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Extension<'a> {
    ServerName,
    Alpn(Vec<&'a [u8]>),
    Algorithms(Vec<u16>),
    Versions(Vec<u16>),
    Other(u16, u8),
}

fuzz_target!(|input: Input<'_>| {
    let bytes = match &input.first {
        First::Any(bytes) => bytes.to_vec(),
        First::Body(body, record) => records(&message(body), *record),
        First::Offer { offer, record, changes, after } => {
            let mut bytes = records(&offer.message(), *record);
            if bytes.len() <= MAX_HELLO_BYTES && offer.message().len() <= 16_384 {
                assert_eq!(ja4::ja4(&bytes), Ok(offer.fingerprint()), "{offer:?}");
            }
            for (place, value) in changes {
                let place = usize::from(*place) % bytes.len();
                bytes[place] = *value;
            }
            bytes.extend_from_slice(after);
            bytes
        }
    };
    let whole = ja4::ja4(&bytes);
    if let Ok(text) = &whole {
        assert_form(text);
    }
    assert_same(&fed(&bytes, &input.cuts), &whole);
    if bytes.len() <= 600 {
        assert_same(&fed(&bytes, &[0]), &whole);
    }
});

/// Reads as a connection is read.
fn fed(mut bytes: &[u8], cuts: &[u8]) -> Result<String, HelloError> {
    let all = bytes;
    let mut sizes = cuts.iter().map(|cut| usize::from(*cut) + 1).cycle();
    let mut hello = Hello::default();
    loop {
        let taken = all.len() - bytes.len();
        assert_eq!(hello.bytes(), &all[..taken]);
        assert!(taken <= MAX_HELLO_BYTES);
        if let Some(message) = hello.message()? {
            return ja4::of_message(message);
        }
        let mut space = hello.space()?;
        let size = sizes.next().unwrap_or(usize::MAX).min(space.remaining_mut()).min(bytes.len());
        if size == 0 {
            return Err(HelloError::Ended { found: taken });
        }
        space.put_slice(&bytes[..size]);
        bytes = &bytes[size..];
    }
}

/// How much there is beyond the bound is not known to who reads no further.
fn assert_same(fed: &Result<String, HelloError>, whole: &Result<String, HelloError>) {
    match (fed, whole) {
        (Err(HelloError::TooLong { .. }), Err(HelloError::TooLong { .. })) => {}
        _ => assert_eq!(fed, whole),
    }
}

/// `t13d1516h2_8daaf6152771_e5627efa2ab1`
fn assert_form(text: &str) {
    let parts: Vec<&str> = text.split('_').collect();
    let [first, ciphers, extensions] = parts[..] else { panic!("{text}") };
    assert!(first.len() == 10 && first.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
    for part in [ciphers, extensions] {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        assert!(part.len() == 12 && part.bytes().all(is_digit), "{text}");
    }
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// `bytes` behind their length of `width` bytes.
fn vector(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_be_bytes();
    [&length[4 - width..], bytes].concat()
}

fn message(body: &[u8]) -> Vec<u8> {
    [vec![1], vector(3, body)].concat()
}

/// A message in records of at most `size` bytes.
fn records(message: &[u8], size: u16) -> Vec<u8> {
    let record = |part: &[u8]| [&[22, 3, 1][..], &vector(2, part)].concat();
    message.chunks(usize::from(size).clamp(1, 16_384)).flat_map(record).collect()
}

fn without_grease(values: &[u16]) -> Vec<u16> {
    let is_grease = |value: &u16| value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff;
    values.iter().copied().filter(|value| !is_grease(value)).collect()
}

impl Extension<'_> {
    fn kind(&self) -> u16 {
        match self {
            Self::ServerName => 0,
            Self::Alpn(_) => 16,
            Self::Algorithms(_) => 13,
            Self::Versions(_) => 43,
            // Those that are read have a form of their own.
            Self::Other(13 | 16 | 43, _) => 21,
            Self::Other(kind, _) => *kind,
        }
    }

    fn body(&self) -> Vec<u8> {
        match self {
            Self::ServerName => vec![0; 9],
            Self::Alpn(names) => vector(
                2,
                &names.iter().take(9).flat_map(|name| vector(1, cut(name))).collect::<Vec<_>>(),
            ),
            Self::Algorithms(values) => vector(2, &words(values)),
            Self::Versions(values) => vector(1, &words(&values[..values.len().min(127)])),
            Self::Other(_, length) => vec![0; usize::from(*length)],
        }
    }
}

fn cut(name: &[u8]) -> &[u8] {
    &name[..name.len().min(255)]
}

impl Offer<'_> {
    fn message(&self) -> Vec<u8> {
        let extension = |it: &Extension<'_>| [words(&[it.kind()]), vector(2, &it.body())].concat();
        let extensions: Vec<u8> = self.extensions.iter().flat_map(extension).collect();
        let hello = [
            words(&[self.version]),
            vec![7; 32],
            vector(1, &vec![8; usize::from(self.session)]),
            vector(2, &words(&self.ciphers)),
            vector(1, &[0]),
            vector(2, &extensions),
        ];
        message(&hello.concat())
    }

    /// As technical_details/JA4.md tells it; of an extension that is sent twice, which TLS forbids, the last one counts.
    fn fingerprint(&self) -> String {
        let kinds =
            without_grease(&self.extensions.iter().map(Extension::kind).collect::<Vec<_>>());
        let mut version = self.version;
        let (mut alpn, mut algorithms) = ([b'0'; 2].map(char::from), Vec::new());
        for extension in &self.extensions {
            match extension {
                Extension::Versions(values) => {
                    let values = without_grease(&values[..values.len().min(127)]);
                    version = values.into_iter().max().unwrap_or(0);
                }
                Extension::Algorithms(values) => algorithms = without_grease(values),
                Extension::Alpn(names) => {
                    let Some(name) = names.first() else { continue };
                    let hex = hex::encode(cut(name));
                    let name = cut(name);
                    alpn = match (name.first(), name.last()) {
                        (Some(first), Some(last))
                            if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() =>
                        {
                            [char::from(*first), char::from(*last)]
                        }
                        (Some(_), Some(_)) => [
                            hex.chars().next().expect("a digit"),
                            hex.chars().last().expect("a digit"),
                        ],
                        _ => ['0', '0'],
                    };
                }
                _ => {}
            }
        }
        let versions = [
            (0x0304, "13"),
            (0x0303, "12"),
            (0x0302, "11"),
            (0x0301, "10"),
            (0x0300, "s3"),
            (0x0002, "s2"),
            (0xfeff, "d1"),
            (0xfefd, "d2"),
            (0xfefc, "d3"),
        ];
        let version =
            versions.iter().find(|(number, _)| *number == version).map_or("00", |(_, text)| text);
        let mut ciphers = without_grease(&self.ciphers);
        let counts = [ciphers.len().min(99), kinds.len().min(99)];
        ciphers.sort();
        let mut sorted: Vec<u16> =
            kinds.iter().copied().filter(|kind| ![0, 16].contains(kind)).collect();
        sorted.sort();
        let list = |values: &[u16]| {
            values.iter().map(|value| format!("{value:04x}")).collect::<Vec<_>>().join(",")
        };
        let of_extensions = if algorithms.is_empty() {
            list(&sorted)
        } else {
            format!("{}_{}", list(&sorted), list(&algorithms))
        };
        let digest = |text: &str| match text {
            "" => "0".repeat(12),
            _ => hex::encode(Sha256::digest(text))[..12].to_owned(),
        };
        let name = if kinds.contains(&0) { 'd' } else { 'i' };
        let [first, last] = alpn;
        format!(
            "t{version}{name}{:02}{:02}{first}{last}_{}_{}",
            counts[0],
            counts[1],
            digest(&list(&ciphers)),
            digest(&of_extensions)
        )
    }
}

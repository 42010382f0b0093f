//! Any opening of HTTP/2, cut anywhere: one answer, that of the plain reading of the whole, and within the bounds.
#![no_main]

#[rustfmt::skip]
#[path = "../../src/connection/http2.rs"]
mod http2;

use arbitrary::Arbitrary;
use http2::{MAX_OPENING_BYTES, Opening, OpeningError, http2_opening};
use libfuzzer_sys::fuzz_target;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    prefaced: bool,
    frames: Vec<Frame<'a>>,
    /// Sizes of what comes at once, less one; over and over.
    cuts: Vec<u8>,
    /// How many bytes there are not.
    short: u8,
}

#[derive(Arbitrary, Debug)]
enum Frame<'a> {
    Settings(Vec<(u16, u32)>),
    Window(u8, u32),
    Priority(u32, u32, u8),
    Headers,
    Other {
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &'a [u8],
    },
    /// One of a length that is not its payload's.
    Lying(u32, u8, &'a [u8]),
    Bytes(&'a [u8]),
    /// Much of nothing.
    Filler(u16),
}

impl Frame<'_> {
    fn bytes(&self) -> Vec<u8> {
        let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
            let length = (payload.len() as u32).to_be_bytes();
            [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
        };
        match self {
            Self::Settings(pairs) => {
                let pair = |(id, value): &(u16, u32)| {
                    [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()
                };
                frame(4, 0, 0, &pairs.iter().flat_map(pair).collect::<Vec<_>>())
            }
            Self::Window(stream, by) => frame(8, 0, u32::from(*stream), &by.to_be_bytes()),
            Self::Priority(stream, dependency, weight) => {
                frame(2, 0, *stream, &[&dependency.to_be_bytes()[..], &[*weight]].concat())
            }
            Self::Headers => frame(1, 5, 1, b"\x82\x84"),
            Self::Other { kind, flags, stream, payload } => frame(*kind, *flags, *stream, payload),
            Self::Lying(length, kind, payload) => {
                [&length.to_be_bytes()[1..], &[*kind, 0, 0, 0, 0, 0], payload].concat()
            }
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Filler(length) => frame(6, 0, 0, &vec![0; usize::from(*length) % 5_000]),
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    let preface = if input.prefaced { PREFACE } else { &[] };
    let mut bytes = preface.to_vec();
    bytes.extend(input.frames.iter().take(60).flat_map(Frame::bytes));
    bytes.truncate(bytes.len().saturating_sub(usize::from(input.short)));

    let whole = http2_opening(&bytes);
    match (&whole, plain(&bytes)) {
        (Ok(found), Ok(expected)) => assert_eq!(*found, expected),
        (Err(found), Err(expected)) => assert_eq!(found.reason(), expected),
        (found, expected) => panic!("{found:?}, {expected:?}"),
    }
    // 32 settings and 32 priorities of the longest numbers.
    assert!(whole.as_ref().map_or(0, String::len) <= 32 * 17 + 32 * 28 + 16);
    assert_eq!(fed(&bytes, &input.cuts), whole);
    if bytes.len() <= 600 {
        assert_eq!(fed(&bytes, &[0]), whole);
    }
});

fn fed(mut bytes: &[u8], cuts: &[u8]) -> Result<String, OpeningError> {
    let length = bytes.len();
    let mut sizes = cuts.iter().map(|cut| usize::from(*cut) + 1).cycle();
    let mut opening = Opening::default();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(sizes.next().unwrap_or(usize::MAX).min(bytes.len()));
        bytes = rest;
        if let Some(text) = opening.read(piece)? {
            return Ok(text);
        }
        assert!(
            length - bytes.len() <= MAX_OPENING_BYTES,
            "beyond the bound it must have an answer"
        );
    }
    Err(OpeningError::Ended { found: length })
}

/// Each frame after the other, over bytes that are all there; an error by its reason.
fn plain(bytes: &[u8]) -> Result<String, &'static str> {
    let beyond = if bytes.len() > MAX_OPENING_BYTES { "too-long" } else { "ended" };
    let bytes = &bytes[..bytes.len().min(MAX_OPENING_BYTES)];
    if !bytes.starts_with(PREFACE) {
        return Err(if PREFACE.starts_with(bytes) { beyond } else { "not-http2" });
    }
    let mut rest = &bytes[PREFACE.len()..];
    let (mut settings, mut window) = (None, None);
    let mut priorities = Vec::new();
    loop {
        let [a, b, c, kind, flags, s0, s1, s2, s3, after @ ..] = rest else { return Err(beyond) };
        let number = |bytes: [u8; 4]| u32::from_be_bytes(bytes);
        let length = number([0, *a, *b, *c]) as usize;
        let stream = number([*s0, *s1, *s2, *s3]) % (1 << 31);
        if settings.is_none() && (*kind, flags % 2) != (4, 0) {
            return Err("not-settings");
        }
        if *kind == 1 {
            break;
        }
        if length > MAX_OPENING_BYTES {
            return Err("too-long");
        }
        if length > after.len() {
            return Err(beyond);
        }
        let payload = &after[..length];
        rest = &after[length..];
        match (kind, payload) {
            (4, _) if settings.is_some() => {}
            (4, _) if !length.is_multiple_of(6) => return Err("frame-length"),
            (4, _) if length / 6 > 32 => return Err("too-long"),
            (4, _) => {
                let pair = |pair: &[u8]| {
                    let id = u16::from_be_bytes([pair[0], pair[1]]);
                    format!("{id}:{}", number([pair[2], pair[3], pair[4], pair[5]]))
                };
                settings = Some(payload.chunks(6).map(pair).collect::<Vec<_>>().join(";"));
            }
            (8, _) if stream != 0 || window.is_some() => {}
            (8, [a, b, c, d]) => window = Some((number([*a, *b, *c, *d]) % (1 << 31)).to_string()),
            (2, _) if priorities.len() == 32 => return Err("too-long"),
            (2, [a, b, c, d, weight]) => {
                let dependency = number([*a, *b, *c, *d]);
                let exclusive = dependency >> 31;
                let weight = u32::from(*weight) + 1;
                priorities
                    .push(format!("{stream}:{exclusive}:{}:{weight}", dependency % (1 << 31)));
            }
            (8 | 2, _) => return Err("frame-length"),
            _ => {}
        }
    }
    let priorities = if priorities.is_empty() { "0".to_owned() } else { priorities.join(",") };
    Ok(format!(
        "{}|{}|{priorities}",
        settings.unwrap_or_default(),
        window.unwrap_or("00".to_owned())
    ))
}

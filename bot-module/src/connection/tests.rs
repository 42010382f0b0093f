#![allow(clippy::arithmetic_side_effects, reason = "a test")]

use proptest::prelude::*;

use super::{
    HelloError, MAX_HELLO_BYTES, MAX_OPENING_BYTES, OpeningError, client_hello::Hello,
    http2::Opening, http2_opening, ja4,
};

mod serving;
mod shutdown;

/// The lists of the specification's example, in the order in which they are sent.
const CIPHERS: [u16; 15] = [
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
    0x009d, 0x002f, 0x0035,
];
const EXTENSIONS: [u16; 16] = [
    0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
    0xff01, 0x000b, 0x000a, 0x0015,
];
const ALGORITHMS: [u16; 8] = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
const EXAMPLE: &str = "t13d1516h2_8daaf6152771_e5627efa2ab1";

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// `bytes` behind their length of `width` bytes.
fn vector(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[4 - width..], bytes].concat()
}

#[derive(Clone)]
struct Offer {
    version: u16,
    ciphers: Vec<u16>,
    extensions: Vec<u16>,
    versions: Vec<u16>,
    alpn: Vec<Vec<u8>>,
    algorithms: Vec<u16>,
}

impl Offer {
    fn example() -> Self {
        Self {
            version: 0x0303,
            ciphers: CIPHERS.to_vec(),
            extensions: EXTENSIONS.to_vec(),
            versions: vec![0x0304, 0x0303],
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            algorithms: ALGORITHMS.to_vec(),
        }
    }

    /// The message of a handshake.
    fn message(&self) -> Vec<u8> {
        let body = |kind: u16| match kind {
            0x0010 => {
                let names: Vec<u8> = self.alpn.iter().flat_map(|name| vector(1, name)).collect();
                vector(2, &names)
            }
            0x000d => vector(2, &words(&self.algorithms)),
            0x002b => vector(1, &words(&self.versions)),
            _ => vec![0; 3],
        };
        let extensions: Vec<u8> = self
            .extensions
            .iter()
            .flat_map(|kind| [words(&[*kind]), vector(2, &body(*kind))].concat())
            .collect();
        let hello = [
            words(&[self.version]),
            vec![7; 32],
            vector(1, &[8; 32]),
            vector(2, &words(&self.ciphers)),
            vector(1, &[0]),
            vector(2, &extensions),
        ];
        [vec![1], vector(3, &hello.concat())].concat()
    }

    fn fingerprint(&self) -> String {
        ja4(&records(&self.message(), 1 << 14)).unwrap()
    }
}

/// A message in records of at most `size` bytes.
fn records(message: &[u8], size: usize) -> Vec<u8> {
    let record = |part: &[u8]| [&[22, 3, 1][..], &vector(2, part)].concat();
    message.chunks(size).flat_map(record).collect()
}

#[test]
fn the_example_of_the_specification_has_its_fingerprint() {
    assert_eq!(Offer::example().fingerprint(), EXAMPLE);
    let without = Offer { algorithms: Vec::new(), ..Offer::example() };
    assert_eq!(without.fingerprint(), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

#[test]
fn order_and_grease_do_not_change_it() {
    let mut offer = Offer::example();
    offer.ciphers.reverse();
    offer.ciphers.insert(3, 0x0a0a);
    offer.extensions.rotate_left(5);
    offer.extensions.insert(0, 0xfafa);
    offer.versions.insert(0, 0x7a7a);
    offer.algorithms.push(0x1a1a);
    assert_eq!(offer.fingerprint(), EXAMPLE);
    // Those of the signature algorithms stay in their order.
    offer.algorithms.swap(0, 1);
    assert_ne!(offer.fingerprint(), EXAMPLE);
}

#[test]
fn what_is_not_there_has_its_own_text() {
    let nothing = Offer { ciphers: Vec::new(), extensions: Vec::new(), ..Offer::example() };
    assert_eq!(nothing.fingerprint(), "t12i000000_000000000000_000000000000");
    let named = Offer { extensions: vec![0, 16], ..Offer::example() };
    assert_eq!(named.fingerprint(), "t12d1502h2_8daaf6152771_000000000000");
    let many = Offer { ciphers: (0x1000..0x1100).collect(), ..Offer::example() };
    assert!(many.fingerprint().starts_with("t13d9916h2_"));
    // A TLS 1.2 hello may end before its extensions.
    let mut message = nothing.message();
    message.truncate(message.len() - 2);
    message[3] -= 2;
    assert_eq!(ja4(&records(&message, 9)).unwrap(), nothing.fingerprint());
}

#[test]
fn versions_are_named_as_the_specification_says() {
    for (version, name) in [
        (0x0304, "13"),
        (0x0303, "12"),
        (0x0302, "11"),
        (0x0301, "10"),
        (0x0300, "s3"),
        (0x0002, "s2"),
        (0x0305, "00"),
    ] {
        let offer = Offer { version, extensions: vec![0], ..Offer::example() };
        assert_eq!(&offer.fingerprint()[1..3], name);
        let offer = Offer { versions: vec![version], ..Offer::example() };
        assert_eq!(&offer.fingerprint()[1..3], name);
    }
}

#[test]
fn alpn_is_shown_by_its_ends_or_by_those_of_its_digits() {
    for (name, shown) in [
        (&b"h2"[..], "h2"),
        (b"http/1.1", "h1"),
        (b"h", "hh"),
        (b"", "00"),
        (&[0xab], "ab"),
        (&[0x20], "20"),
        (&[0xab, 0xcd], "ad"),
        (&[0x20, 0x61], "21"),
        (&[0x30, 0xab], "3b"),
        (&[0x61, 0x20], "60"),
        (&[0x30, 0x31, 0xab, 0xcd], "3d"),
        (&[0x30, 0xab, 0xcd, 0x31], "01"),
    ] {
        let offer = Offer { alpn: vec![name.to_vec(), b"other".to_vec()], ..Offer::example() };
        assert_eq!(&offer.fingerprint()[8..10], shown, "{name:x?}");
    }
    let none = Offer { alpn: Vec::new(), ..Offer::example() };
    assert_eq!(&none.fingerprint()[8..10], "00");
}

#[test]
fn what_is_no_hello_is_told_by_its_first_odd_byte() {
    let message = Offer::example().message();
    let whole = records(&message, 1 << 14);
    for (bytes, expected) in [
        (&b"GET / HTTP/1.1\r\n"[..], HelloError::NotHandshake { found: b'G' }),
        (&[22, 2], HelloError::NotTls { found: 2 }),
        (&[22, 3, 1, 0, 0], HelloError::RecordLength { found: 0 }),
        (&[22, 3, 1, 0x40, 1], HelloError::RecordLength { found: 16_385 }),
        (&[22, 3, 1, 0, 1, 2], HelloError::NotClientHello { found: 2 }),
        (&[22, 3, 1, 0, 4, 1, 0, 0x40, 1], HelloError::TooLong { found: 16_385 }),
        (&whole[..whole.len() - 1], HelloError::Ended { found: whole.len() - 1 }),
    ] {
        assert_eq!(ja4(bytes), Err(expected), "{}", expected.reason());
    }
    // Records of one byte carry a hello in six times its size.
    let padded = Offer { ciphers: (0..2000).collect(), ..Offer::example() };
    let found = records(&padded.message(), 1);
    assert!(found.len() > MAX_HELLO_BYTES);
    assert_eq!(ja4(&found), Err(HelloError::TooLong { found: found.len() }));
}

#[test]
fn lengths_that_lie_are_refused_wherever_they_are() {
    let message = Offer::example().message();
    let mut refused = 0;
    for place in 4..message.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut lie = message.clone();
            lie[place] = value;
            match ja4(&records(&lie, 1 << 14)) {
                Err(HelloError::Truncated { .. } | HelloError::Trailing { .. }) => refused += 1,
                Err(other) => panic!("{place}: {other}"),
                Ok(_) => {}
            }
        }
    }
    // The session id's, the ciphers', and those of the extensions and in them.
    assert!(refused > 50, "{refused}");
    for cut in 4..message.len() {
        let mut short = message[..cut].to_vec();
        short[2..4].copy_from_slice(&u16::try_from(cut - 4).unwrap().to_be_bytes());
        let whole = ja4(&records(&short, 1 << 14));
        assert!(matches!(whole, Err(HelloError::Truncated { .. })) || whole.is_ok(), "{whole:?}");
    }
}

/// An HTTP/2 frame (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

fn settings(pairs: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = pairs
        .iter()
        .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    frame(4, 0, 0, &payload)
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const CHROME: &str = "1:65536;2:0;4:6291456;6:262144|15663105|0";

fn chrome() -> Vec<u8> {
    let pairs = [(1, 65_536), (2, 0), (4, 6_291_456), (6, 262_144)];
    let window = frame(8, 0, 0, &15_663_105_u32.to_be_bytes());
    [PREFACE, &settings(&pairs), &window, &frame(1, 5, 1, b"\x82\x84")].concat()
}

#[test]
fn the_opening_of_http2_has_the_published_form() {
    assert_eq!(http2_opening(&chrome()).unwrap(), CHROME);
    let bare = [PREFACE, &settings(&[]), &frame(1, 5, 1, b"")].concat();
    assert_eq!(http2_opening(&bare).unwrap(), "|00|0");
    // As Firefox did it; what is unknown, or of a stream, counts for nothing.
    let firefox = [
        PREFACE,
        &settings(&[(1, 65_536), (4, 131_072), (5, 16_384)]),
        &frame(4, 1, 0, &[]),
        &frame(8, 0, 0, &12_517_377_u32.to_be_bytes()),
        &frame(8, 0, 3, &1_u32.to_be_bytes()),
        &frame(0xfa, 0, 0, b"grease"),
        &frame(2, 0, 3, &[0, 0, 0, 0, 200]),
        &frame(2, 0, 5, &[0x80, 0, 0, 3, 255]),
        &frame(1, 5, 15, b"\x82"),
        &frame(2, 0, 7, &[0, 0, 0, 0, 0]),
    ]
    .concat();
    let expected = "1:65536;4:131072;5:16384|12517377|3:0:0:201,5:1:3:256";
    assert_eq!(http2_opening(&firefox).unwrap(), expected);
}

#[test]
fn an_odd_opening_has_no_fingerprint() {
    let of = |frames: &[Vec<u8>]| http2_opening(&[PREFACE, &frames.concat()].concat());
    let priority = frame(2, 0, 3, &[0; 5]);
    let priorities: Vec<_> = std::iter::repeat_n(priority, 33).collect();
    for (found, expected) in [
        (http2_opening(b"GET / HTTP/1.1\r\n\r\n"), OpeningError::NotHttp2),
        (of(&[frame(1, 5, 1, b"")]), OpeningError::NotSettings { found: 1 }),
        (of(&[frame(4, 1, 0, b"")]), OpeningError::NotSettings { found: 4 }),
        (of(&[frame(4, 0, 0, &[0; 5])]), OpeningError::FrameLength { kind: 4, found: 5 }),
        (
            of(&[settings(&[]), frame(8, 0, 0, &[0; 3])]),
            OpeningError::FrameLength { kind: 8, found: 3 },
        ),
        (
            of(&[settings(&[]), frame(2, 0, 3, &[0; 6])]),
            OpeningError::FrameLength { kind: 2, found: 6 },
        ),
        (of(&[settings(&[(1, 1); 33])]), OpeningError::TooLong),
        (of(&[vec![settings(&[])], priorities].concat()), OpeningError::TooLong),
        (of(&[settings(&[]), vec![0, 0x40, 0, 0, 0, 0, 0, 0, 0]]), OpeningError::TooLong),
        (of(&std::iter::repeat_n(settings(&[]), 600).collect::<Vec<_>>()), OpeningError::TooLong),
        (of(&[settings(&[])]), OpeningError::Ended { found: 33 }),
    ] {
        assert_eq!(found, Err(expected), "{}", expected.reason());
    }
}

/// Feeds `bytes` in pieces of these sizes, the last one for all that is left.
fn pieces<'a>(mut bytes: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().copied();
    std::iter::from_fn(move || {
        let size = sizes.next().unwrap_or(usize::MAX).min(bytes.len());
        let (piece, rest) = bytes.split_at(size);
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

proptest! {
    #[test]
    fn no_bytes_panic_either_reader(bytes in prop::collection::vec(any::<u8>(), 0..2000), size in 1_usize..300) {
        let _ = ja4(&bytes);
        let _ = ja4(&records(&bytes, size));
        let message = [vec![1], vector(3, &bytes)].concat();
        let _ = ja4(&records(&message, size));
        let _ = http2_opening(&bytes);
        let _ = http2_opening(&[PREFACE, &settings(&[]), &bytes].concat());
    }

    #[test]
    fn no_change_panics_either_reader(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut hello = records(&Offer::example().message(), 100);
        let mut opening = chrome();
        for (place, value) in changes {
            let at = place.index(hello.len());
            hello[at] = value;
            let at = place.index(opening.len());
            opening[at] = value;
        }
        let _ = ja4(&hello);
        let _ = http2_opening(&opening);
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut(
        sizes in prop::collection::vec(1_usize..40, 0..400),
        record in 1_usize..700,
    ) {
        let bytes = records(&Offer::example().message(), record);
        let mut hello = Hello::default();
        let mut whole = false;
        for piece in pieces(&bytes, &sizes) {
            prop_assert!(!whole);
            hello.extend(piece);
            whole = hello.message().unwrap().is_some();
        }
        prop_assert!(whole);
        prop_assert_eq!(hello.bytes(), &bytes);
        prop_assert_eq!(super::ja4::of_message(hello.message().unwrap().unwrap()).unwrap(), EXAMPLE);

        let bytes = chrome();
        let mut opening = Opening::default();
        let found = pieces(&bytes, &sizes).find_map(|piece| opening.read(piece).unwrap());
        prop_assert_eq!(found.as_deref(), Some(CHROME));
    }

    #[test]
    fn no_more_is_kept_of_a_connection_than_the_limit(frames in 1_usize..400) {
        let bytes = [PREFACE, &settings(&[]), &frame(6, 0, 0, &[0; 8]).repeat(frames)].concat();
        let mut opening = Opening::default();
        let found = opening.read(&bytes);
        prop_assert_eq!(found.is_err(), bytes.len() > MAX_OPENING_BYTES);
    }
}

//! What a path may mean to an origin.
//!
//! Servers differ in whether they decode a path before they resolve its dot segments (RFC 3986, 5.2.4), merge slashes,
//! take `\` for `/`, or drop path parameters. A request must not slip off a strict route by a spelling that the origin
//! reads as the route's own, so a path that can be read in several ways is matched in all of them.

use std::borrow::Cow;

/// Times that a path is decoded, at most: some origins decode what a proxy before them has decoded.
const DECODINGS: usize = 2;

/// Whether every server reads `path` alike, apart from its case.
pub(super) fn is_plain(path: &str) -> bool {
    let bytes = path.as_bytes();
    let odd = |byte: &u8| matches!(byte, b'%' | b'\\' | b';');
    let odd_pair = |pair: &[u8]| matches!(pair, [b'/', b'/' | b'.'] | [b'.' | b' ', b'/']);
    !bytes.iter().any(odd)
        && !bytes.windows(2).any(odd_pair)
        && !matches!(bytes.last(), Some(b'.' | b' '))
}

/// The readings of a path that is not plain, the path as sent first.
pub(super) fn readings(path: &str) -> Vec<Vec<u8>> {
    let mut readings = vec![path.as_bytes().to_vec()];
    let mut decoded = Cow::Borrowed(path.as_bytes());
    for round in 0..=DECODINGS {
        if round > 0 {
            decoded = Cow::Owned(decode(&decoded));
        }
        for merge in [false, true] {
            for trim in [false, true] {
                let resolved = resolve(&decoded, merge, trim);
                for reading in [merged(&resolved), resolved] {
                    if !readings.contains(&reading) {
                        readings.push(reading);
                    }
                }
            }
        }
    }
    readings
}

/// Percent-decoding, once (RFC 3986, 2.1). What is no escape stays.
fn decode(path: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte == b'%'
            && let (Some(high), Some(low)) = (digit(after.first()), digit(after.get(1)))
        {
            decoded.push((high << 4 | low) as u8);
            rest = after.get(2..).unwrap_or_default();
        } else {
            decoded.push(*byte);
        }
    }
    decoded
}

/// Resolves dot segments, with `\` for `/`. `merge` takes slashes in a row for one before that and not after; `trim`
/// drops path parameters and what Windows ignores at the end of a name.
fn resolve(path: &[u8], merge: bool, trim: bool) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut segments = path.split(|byte| matches!(byte, b'/' | b'\\')).peekable();
    // What comes before the first slash.
    segments.next_if(|first| first.is_empty());
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        let bare = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        match if trim { bare } else { segment } {
            b"." => {}
            b".." => drop(kept.pop()),
            b"" if merge && !last => continue,
            name if trim => {
                let end = name.iter().rposition(|byte| !matches!(byte, b'.' | b' '));
                kept.push(
                    name.get(..end.map_or(0, |end| end.saturating_add(1))).unwrap_or_default(),
                );
                continue;
            }
            name => {
                kept.push(name);
                continue;
            }
        }
        // `/a/.` is `/a/`.
        if last {
            kept.push(b"");
        }
    }
    let mut resolved = Vec::with_capacity(path.len().saturating_add(1));
    for segment in kept {
        resolved.push(b'/');
        resolved.extend_from_slice(segment);
    }
    if resolved.is_empty() { b"/".to_vec() } else { resolved }
}

/// Slashes in a row for one.
fn merged(path: &[u8]) -> Vec<u8> {
    let mut merged = path.to_vec();
    merged.dedup_by(|next, last| (*next, *last) == (b'/', b'/'));
    merged
}

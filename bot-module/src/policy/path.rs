//! What a path may mean to an origin.
//!
//! Servers differ in whether they decode a path, resolve its dot segments (RFC 3986, 5.2.4), merge slashes, take `\` for
//! `/`, or drop path parameters, and in the order of it; and what one server made of a path, another one behind it reads
//! anew. A request must not slip off a strict route by a spelling that the origin reads as the route's own, so a path is
//! matched in all that these steps make of it, in whatever order.

/// Times that a path is decoded, at most: some origins decode what a proxy before them has decoded.
const DECODINGS: usize = 2;
/// Most readings of a path, and most bytes of all of them: what is made of nothing but oddities has thousands, and each
/// must be gone through.
const MAX_READINGS: usize = 64;
const MAX_BYTES: usize = 128 * 1024;

type Step = fn(&[u8]) -> Vec<u8>;

/// What a server may do to a path besides decoding it.
const STEPS: [Step; 5] =
    [without_backslashes, merged, without_parameters, without_ignored, resolved];

/// Whether every server reads `path` alike, apart from its case.
pub(super) fn is_plain(path: &str) -> bool {
    let bytes = path.as_bytes();
    let odd = |byte: &u8| matches!(byte, b'%' | b'\\' | b';');
    let odd_pair = |pair: &[u8]| matches!(pair, [b'/', b'/' | b'.'] | [b'.' | b' ', b'/']);
    bytes.starts_with(b"/")
        && !bytes.iter().any(odd)
        && !bytes.windows(2).any(odd_pair)
        && !matches!(bytes.last(), Some(b'.' | b' '))
}

/// The readings of a path that is not plain, the path as sent first; `None` where there are too many to go through, or
/// where there is no telling: what does not begin with `/` is no path to the standards, and may be any to an origin.
pub(super) fn readings(path: &str) -> Option<Vec<Vec<u8>>> {
    if !path.starts_with('/') {
        return None;
    }
    let mut readings = Readings { found: vec![path.as_bytes().to_vec()], bytes: path.len() };
    // Those that are of this round's number of decodings, and of no fewer.
    let mut round = 0..1;
    for decodings in 0..=DECODINGS {
        if decodings > 0 {
            readings.read_each(round.clone(), &[decoded])?;
            round = round.end..readings.found.len();
        }
        // What a step makes of a reading is read again.
        let mut next = round.clone();
        while !next.is_empty() {
            readings.read_each(next.clone(), &STEPS)?;
            next = next.end..readings.found.len();
        }
        round.end = readings.found.len();
    }
    Some(readings.found)
}

struct Readings {
    found: Vec<Vec<u8>>,
    bytes: usize,
}

impl Readings {
    /// Adds what each step makes of each of these; `None` beyond the bounds.
    fn read_each(&mut self, these: std::ops::Range<usize>, steps: &[Step]) -> Option<()> {
        for index in these {
            for step in steps {
                let reading = step(self.found.get(index)?);
                if self.found.contains(&reading) {
                    continue;
                }
                self.bytes = self.bytes.saturating_add(reading.len());
                if self.found.len() == MAX_READINGS || self.bytes > MAX_BYTES {
                    return None;
                }
                self.found.push(reading);
            }
        }
        Some(())
    }
}

/// Percent-decoding, once (RFC 3986, 2.1). What is no escape stays.
fn decoded(path: &[u8]) -> Vec<u8> {
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

/// `\` for `/`.
fn without_backslashes(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

/// Slashes in a row for one.
fn merged(path: &[u8]) -> Vec<u8> {
    let mut merged = path.to_vec();
    merged.dedup_by(|next, last| (*next, *last) == (b'/', b'/'));
    merged
}

/// Without path parameters (RFC 3986, 3.3), as servlets read a path.
fn without_parameters(path: &[u8]) -> Vec<u8> {
    each_segment(path, |segment| segment.split(|byte| *byte == b';').next().unwrap_or_default())
}

/// Without what Windows ignores at the end of a name.
fn without_ignored(path: &[u8]) -> Vec<u8> {
    each_segment(path, |segment| match segment {
        b"." | b".." => segment,
        _ => {
            let end = segment.iter().rposition(|byte| !matches!(byte, b'.' | b' '));
            segment.get(..end.map_or(0, |end| end.saturating_add(1))).unwrap_or_default()
        }
    })
}

fn each_segment(path: &[u8], change: fn(&[u8]) -> &[u8]) -> Vec<u8> {
    let mut changed = Vec::with_capacity(path.len());
    for (index, segment) in path.split(|byte| *byte == b'/').enumerate() {
        if index > 0 {
            changed.push(b'/');
        }
        changed.extend_from_slice(change(segment));
    }
    changed
}

/// Without dot segments.
fn resolved(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut segments = path.split(|byte| *byte == b'/').peekable();
    // What comes before the first slash.
    segments.next_if(|first| first.is_empty());
    while let Some(segment) = segments.next() {
        match segment {
            b"." => {}
            b".." => drop(kept.pop()),
            name => {
                kept.push(name);
                continue;
            }
        }
        // `/a/.` is `/a/`.
        if segments.peek().is_none() {
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

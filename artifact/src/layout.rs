//! Where every byte of the format lies.

use core::fmt;

use crate::defect::Defect;

/// The first four bytes of every artifact.
pub const MAGIC: [u8; 4] = *b"GLFF";
/// The format version that this crate reads and writes.
pub const FORMAT_VERSION: u16 = 1;
/// Bytes of the header: two 32-byte words.
pub const HEADER_LEN: usize = 64;
/// Bytes of a row: two 32-byte words.
pub const ROW_LEN: usize = 64;
/// The most rows an artifact may have. An edge sizes its tables for this many, once.
pub const MAX_ROWS: usize = 200;
/// The shortest artifact: a header and one row.
pub const MIN_LEN: usize = HEADER_LEN + ROW_LEN;
/// The longest artifact: a header and 200 rows.
pub const MAX_LEN: usize = HEADER_LEN + ROW_LEN * MAX_ROWS;
/// The largest magnitude of a weight, in milli-logits.
pub const MAX_WEIGHT: i16 = 10_000;
/// Bytes of an argument.
pub const ARGUMENT_LEN: usize = 28;
/// The longest label, in bytes.
pub const MAX_LABEL_LEN: usize = 31;

/// The name of a row: `^[a-z][a-z0-9_.-]{0,30}$`, held as the zero-padded word that is compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// Reads a key word.
    ///
    /// # Errors
    /// [`Defect::KeyPattern`] where the word is not a zero-padded name; `row` is what the error says of its place.
    pub fn from_word(word: [u8; 32], row: usize) -> Result<Self, Defect> {
        let text = padded_text(&word, |at, byte| match at {
            0 => byte.is_ascii_lowercase(),
            31 => false,
            _ => matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'),
        });
        match text {
            Ok(length) if length > 0 => Ok(Self(word)),
            Ok(_) => Err(Defect::KeyPattern { row, at: 0, found: 0 }),
            Err((at, found)) => Err(Defect::KeyPattern { row, at, found }),
        }
    }

    /// Reads a key as text.
    ///
    /// # Errors
    /// [`Defect::KeyPattern`] as for [`Key::from_word`].
    pub fn from_text(text: &str, row: usize) -> Result<Self, Defect> {
        let mut word = [0_u8; 32];
        let bytes = text.as_bytes();
        let Some(target) = word.get_mut(..bytes.len()) else {
            return Err(Defect::KeyPattern {
                row,
                at: 31,
                found: bytes.get(31).copied().unwrap_or(0),
            });
        };
        target.copy_from_slice(bytes);
        // A zero byte inside the text would read as padding.
        if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
            return Err(Defect::KeyPattern { row, at, found: 0 });
        }
        Self::from_word(word, row)
    }

    /// A key word out of bytes that were checked before.
    pub(crate) const fn of_checked_word(word: [u8; 32]) -> Self {
        Self(word)
    }

    /// The word as it stands in the artifact.
    #[must_use]
    pub const fn word(&self) -> &[u8; 32] {
        &self.0
    }

    /// The name without its padding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        text_of(&self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.as_str())
    }
}

/// The length of the text before the zero padding, if `allowed(position, byte)` holds for each of its bytes and
/// nothing follows the first zero; else the first offending position and byte.
pub(crate) fn padded_text(
    bytes: &[u8],
    allowed: impl Fn(usize, u8) -> bool,
) -> Result<usize, (usize, u8)> {
    let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    for (at, byte) in bytes.iter().copied().enumerate() {
        let fits = if at < length { allowed(at, byte) } else { byte == 0 };
        if !fits {
            return Err((at, byte));
        }
    }
    Ok(length)
}

/// The text before the zero padding of bytes that are known to be ASCII.
pub(crate) fn text_of(bytes: &[u8]) -> &str {
    let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.get(..length).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or_default()
}

/// `N` bytes at `offset`; zeros past the end, which callers rule out by checking the length first.
pub(crate) fn array<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    bytes.get(offset..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
}

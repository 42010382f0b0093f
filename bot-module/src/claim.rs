use std::fmt;

/// What became of a request's claim to come from a known crawler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrawlerClaim {
    /// It makes none.
    #[default]
    None,
    /// It is not known yet, as while DNS is asked.
    Undecided,
    /// It is true.
    Verified,
    /// It was looked into and is false.
    Unverified,
}

impl CrawlerClaim {
    /// The word for it in logs, metrics and recordings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Undecided => "undecided",
            Self::Verified => "verified",
            Self::Unverified => "unverified",
        }
    }
}

/// A known crawler's name: 1 to 32 of a-z, 0-9 and `-`. It is copied with each verdict, so it lies in it as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CrawlerName {
    /// Filled up with zeros.
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl CrawlerName {
    const LONGEST: usize = 32;

    /// The name, if `text` is one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() || !text.bytes().all(is_plain) {
            return None;
        }
        let mut bytes = [0; Self::LONGEST];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, length: u8::try_from(text.len()).ok()? })
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Debug for CrawlerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for CrawlerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain_and_comes_back_as_it_was() {
        let longest = "a".repeat(32);
        for name in ["a", "googlebot", "bot-2", &longest] {
            assert_eq!(CrawlerName::new(name).unwrap().as_str(), name);
        }
        for text in ["", "Googlebot", "a b", "a\0", "ä", &"a".repeat(33), &"a".repeat(300)] {
            assert_eq!(CrawlerName::new(text), None, "{text}");
        }
    }
}

//! Which header fields a request has, and in which order: a fingerprint of our own.

use std::fmt;

use greenlight_artifact::{
    FORWARDING_FIELDS, HEADER_ORDER_CODES, HEADER_ORDER_MOST, HEADER_ORDER_OTHER,
};
use http::HeaderMap;

/// The word that stands for the order of a request's header fields: `^`, a letter for each field, `$`.
///
/// The letters are those of [`greenlight_artifact::HEADER_ORDER_CODES`]; a field without one is `.`, and the fields of
/// [`greenlight_artifact::FORWARDING_FIELDS`] are left out. A repeated field stands where it came first. A word tells
/// 62 fields; where there are more it is cut, and has no `$`.
///
/// # What it is made from
///
/// [`HeaderMap`] promises no order and forgets the case of names and the place of a field's second value. What it has,
/// and what the tests of this crate pin, is this: names are gone through in the order in which each was first added,
/// as long as none was removed; removing one moves the last one into its place. Pingora adds fields as they come over
/// the wire, so that the word tells the client's order where nothing was removed before scoring. A client that sends
/// fields of `x-bot-…`, which are removed, has the last of its fields moved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeaderOrder {
    word: [u8; HEADER_ORDER_MOST + 2],
    length: usize,
    fields: usize,
}

impl HeaderOrder {
    /// The word of a request.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut order = Self::begin();
        for name in headers.keys().map(http::HeaderName::as_str) {
            if !FORWARDING_FIELDS.contains(&name) {
                let code = HEADER_ORDER_CODES.iter().find(|(_, known)| *known == name);
                order.push(code.map_or(HEADER_ORDER_OTHER, |(code, _)| *code));
            }
        }
        order.end();
        order
    }

    /// The word.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.word.get(..self.length).unwrap_or_default()
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // All of it is ASCII.
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The word before its first field.
    pub(crate) fn begin() -> Self {
        let mut order = Self { word: [0; HEADER_ORDER_MOST + 2], length: 0, fields: 0 };
        order.write(b'^');
        order
    }

    /// Adds a field.
    #[inline]
    pub(crate) fn push(&mut self, code: u8) {
        if self.fields < HEADER_ORDER_MOST {
            self.write(code);
        }
        self.fields = self.fields.saturating_add(1);
    }

    /// Ends the word, unless it was cut.
    pub(crate) fn end(&mut self) {
        if self.fields <= HEADER_ORDER_MOST {
            self.write(b'$');
        }
    }

    #[inline]
    fn write(&mut self, code: u8) {
        if let Some(place) = self.word.get_mut(self.length) {
            *place = code;
            self.length = self.length.saturating_add(1);
        }
    }
}

impl fmt::Display for HeaderOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for HeaderOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeaderOrder({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::collections::BTreeSet;

    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn map(names: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for name in names {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_static("x"));
        }
        headers
    }

    fn word(names: &[&str]) -> String {
        HeaderOrder::of(&map(names)).to_string()
    }

    #[test]
    fn clients_are_told_apart() {
        assert_eq!(word(&["Host", "User-Agent", "Accept"]), "^hua$", "curl");
        assert_eq!(word(&["Host", "User-Agent", "Accept-Encoding"]), "^hue$", "Go");
        assert_eq!(
            word(&["Host", "User-Agent", "Accept-Encoding", "Accept", "Connection"]),
            "^hueac$",
            "python-requests"
        );
        assert_eq!(word(&[]), "^$");
    }

    #[test]
    fn unknown_fields_are_dots_and_those_of_proxies_are_left_out() {
        assert_eq!(word(&["x-mine", "host", "x-forwarded-for", "via", "my-other"]), "^.h.$");
    }

    #[test]
    fn a_repeated_field_stands_where_it_came_first() {
        assert_eq!(word(&["cookie", "host", "cookie", "accept", "cookie", "host"]), "^kha$");
    }

    #[test]
    fn names_come_in_the_order_in_which_they_were_added() {
        // Beyond the sizes at which a map grows and hashes again.
        let names: Vec<String> = (0..2_000).map(|index| format!("x-{index}")).collect();
        let added: Vec<&str> = names.iter().map(String::as_str).collect();
        let headers = map(&added);
        let found: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(found, added);
    }

    #[test]
    fn a_removal_moves_the_last_field_into_the_hole() {
        let mut headers = map(&["host", "x-bot-score", "user-agent", "accept", "cookie"]);
        headers.remove("x-bot-score");
        assert_eq!(HeaderOrder::of(&headers).as_str(), "^hkua$");
        headers.remove("accept");
        assert_eq!(HeaderOrder::of(&headers).as_str(), "^hku$");
    }

    #[test]
    fn a_word_is_cut_and_then_does_not_end() {
        let names: Vec<String> = (0..70).map(|index| format!("x-{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for (fields, expected) in [
            (62, format!("^{}$", ".".repeat(62))),
            (63, format!("^{}", ".".repeat(62))),
            (70, format!("^{}", ".".repeat(62))),
        ] {
            assert_eq!(word(&names[..fields]), expected);
        }
    }

    #[test]
    fn each_letter_and_each_name_is_there_once() {
        let codes: BTreeSet<u8> = HEADER_ORDER_CODES.iter().map(|(code, _)| *code).collect();
        let names: BTreeSet<&str> =
            HEADER_ORDER_CODES.iter().map(|(_, name)| *name).chain(FORWARDING_FIELDS).collect();
        assert_eq!(codes.len(), HEADER_ORDER_CODES.len());
        assert_eq!(names.len(), HEADER_ORDER_CODES.len() + FORWARDING_FIELDS.len());
        assert!(codes.iter().all(|code| code.is_ascii_lowercase() || code.is_ascii_digit()));
    }
}

//! `sec-ch-ua`: a list of brands (RFC 8941, 3.1), each a string with its version as the parameter `v`.

use super::agent::{Agent, major};

/// Whether a list is malformed, or names another browser than the user agent with its `Chrome/version`.
///
/// The version is that of the brand `Chromium`, which all browsers made of it name; where none does, it is enough that
/// some brand has it.
pub(super) fn contradict(list: &[u8], version: u32, agent: &Agent) -> bool {
    let mut chromium = None;
    let mut any = false;
    let mut cursor = Cursor(list);
    cursor.spaces();
    loop {
        let Some(brand) = cursor.brand() else { return true };
        if !brand.is_grease() {
            let same = brand.version == Some(version);
            any |= same;
            match brand.name {
                b"Chromium" => chromium = Some(same && chromium.unwrap_or(true)),
                b"HeadlessChrome" if !agent.headless => return true,
                b"Google Chrome" if agent.other_brand => return true,
                _ => {}
            }
        }
        cursor.optional_white_space();
        if cursor.0.is_empty() {
            return !chromium.unwrap_or(any);
        }
        if !cursor.take(b',') {
            return true;
        }
        cursor.optional_white_space();
    }
}

/// What a value says that is a string (RFC 8941, 3.3.3) and nothing more.
pub(super) fn only_string(value: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor(value);
    cursor.spaces();
    let text = cursor.string()?;
    cursor.spaces();
    cursor.0.is_empty().then_some(text)
}

struct Brand<'a> {
    /// As it stands between the quotes: no brand needs escapes.
    name: &'a [u8],
    version: Option<u32>,
}

impl Brand<'_> {
    /// `Not A Brand`, in whatever punctuation: there so that nobody relies on the list.
    fn is_grease(&self) -> bool {
        let letters = self.name.iter().filter(|byte| byte.is_ascii_alphanumeric());
        letters.eq(b"NotABrand")
    }
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// A string with its parameters.
    fn brand(&mut self) -> Option<Brand<'a>> {
        let mut brand = Brand { name: self.string()?, version: None };
        while self.take(b';') {
            self.spaces();
            let key = self.key()?;
            let value = if self.take(b'=') { self.item()? } else { b"" };
            if key == b"v" {
                // Of several the last counts (RFC 8941, 3.1.2).
                brand.version = major(value);
            }
        }
        Some(brand)
    }

    /// Printable ASCII between quotes; a backslash stands before a quote or another.
    fn string(&mut self) -> Option<&'a [u8]> {
        let text = self.0.strip_prefix(b"\"")?;
        let mut rest = text;
        loop {
            rest = match rest {
                [b'"', after @ ..] => {
                    self.0 = after;
                    let length = text.len().checked_sub(rest.len())?;
                    return text.get(..length);
                }
                [b'\\', b'"' | b'\\', after @ ..] => after,
                [b'\\', ..] => return None,
                [b' '..=b'~', after @ ..] => after,
                _ => return None,
            };
        }
    }

    /// A parameter's name (RFC 8941, 3.1.2).
    fn key(&mut self) -> Option<&'a [u8]> {
        let begins = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'*';
        self.0.first().filter(|byte| begins(byte))?;
        self.run(|byte| begins(byte) || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.'))
    }

    /// A parameter's value: a string, or whatever is neither white space nor punctuation of lists.
    fn item(&mut self) -> Option<&'a [u8]> {
        if self.0.starts_with(b"\"") {
            return self.string();
        }
        self.run(|byte| byte.is_ascii_graphic() && !matches!(byte, b',' | b';' | b'"'))
    }

    /// As many bytes as are allowed, and at least one.
    fn run(&mut self, allowed: impl Fn(&u8) -> bool) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| !allowed(byte)).unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at(end);
        self.0 = rest;
        (!run.is_empty()).then_some(run)
    }

    fn take(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    const fn spaces(&mut self) {
        while let [b' ', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    const fn optional_white_space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }
}

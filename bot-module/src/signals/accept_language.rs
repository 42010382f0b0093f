//! Whether an `accept-language` is what its grammar says (RFC 9110, 12.5.4):
//!
//! ```text
//! Accept-Language = #( language-range [ weight ] )
//! language-range  = (1*8ALPHA *("-" 1*8alphanum)) / "*"                  RFC 4647, 2.1
//! weight          = OWS ";" OWS "q=" qvalue
//! qvalue          = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
//! ```
//!
//! Stricter than a recipient has to be: an empty value and empty elements count as malformed, since a sender must not
//! make them (RFC 9110, 5.6.1.1) and no browser does.

/// Whether one value of the field is malformed.
pub(crate) fn is_malformed(value: &[u8]) -> bool {
    !value.split(|byte| *byte == b',').all(|element| is_element(trim(element)))
}

fn is_element(element: &[u8]) -> bool {
    match element.iter().position(|byte| *byte == b';') {
        None => is_range(element),
        Some(at) => {
            let (range, weight) = element.split_at(at);
            is_range(trim(range)) && weight.get(1..).is_some_and(|weight| is_weight(trim(weight)))
        }
    }
}

fn is_range(range: &[u8]) -> bool {
    if range == b"*" {
        return true;
    }
    let mut subtags = range.split(|byte| *byte == b'-');
    let is_subtag = |subtag: &[u8], allowed: fn(&u8) -> bool| {
        (1..=8).contains(&subtag.len()) && subtag.iter().all(allowed)
    };
    subtags.next().is_some_and(|first| is_subtag(first, u8::is_ascii_alphabetic))
        && subtags.all(|subtag| is_subtag(subtag, u8::is_ascii_alphanumeric))
}

fn is_weight(weight: &[u8]) -> bool {
    let [b'q' | b'Q', b'=', whole @ (b'0' | b'1'), fraction @ ..] = weight else { return false };
    match fraction {
        [] => true,
        [b'.', digits @ ..] => {
            let most = if *whole == b'0' { b'9' } else { b'0' };
            digits.len() <= 3 && digits.iter().all(|digit| (b'0'..=most).contains(digit))
        }
        _ => false,
    }
}

/// Without optional white space (RFC 9110, 5.6.3) at its ends.
const fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::is_malformed;

    #[test]
    fn what_the_grammar_allows_is_well_formed() {
        for value in [
            "en",
            "en-US,en;q=0.9",
            "de-CH-1996, de;q=0.75 ,\ten ; Q=0.5, *;q=0",
            "*",
            "zh-Hans-CN;q=1.000",
            "i-klingon;q=0.",
            "abcdefgh-12345678",
        ] {
            assert!(!is_malformed(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn all_else_is_malformed() {
        for value in [
            "",
            " ",
            "en,",
            ",en",
            "en,,de",
            "en_US",
            "en-US;q=1.5",
            "en;q=2",
            "en;q=0.1234",
            "en;q=",
            "en;",
            "en;v=1",
            "en q=0.5",
            "en;q=0.5;q=0.4",
            "en-",
            "-en",
            "1en",
            "abcdefghi",
            "**",
            "*-US",
            "en US",
            "\u{e9}n",
        ] {
            assert!(is_malformed(value.as_bytes()), "{value}");
        }
    }
}

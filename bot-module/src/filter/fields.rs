//! The fields that only we may write.

use http::{HeaderValue, header};
use memchr::memmem;
use pingora_http::RequestHeader;

use super::{HEADER_ARTIFACT, HEADER_REASONS, HEADER_SCORE, HEADER_VERDICT};
use crate::{challenge, engine::Reason, policy::Verdict};

/// Rows that [`HEADER_REASONS`] names, at most.
const MAX_REASONS: usize = 8;
/// Its length, at most, in bytes.
const MAX_REASONS_LENGTH: usize = 512;

/// Whether a field name reads as `x-bot-…` to an origin. CGI and its heirs (RFC 3875, 4.1.18) turn every `-` into `_`
/// and cannot tell `x_bot_score` from ours, so whatever is not alphanumeric counts as `-`.
pub(super) fn is_ours(name: &[u8]) -> bool {
    const PREFIX: &[u8] = b"x-bot-";
    name.len() >= PREFIX.len()
        && PREFIX.iter().zip(name).all(|(expected, found)| match found {
            found if found.is_ascii_alphanumeric() => found.eq_ignore_ascii_case(expected),
            _ => *expected == b'-',
        })
}

/// Takes out what only we may say, and says whether there was any.
pub(super) fn strip_forged(request: &mut RequestHeader) -> bool {
    let mut stripped = false;
    // One at a time, since a map cannot be gone through and changed at once; nearly always there is none.
    while let Some(name) =
        request.headers.keys().find(|name| is_ours(name.as_str().as_bytes())).cloned()
    {
        request.remove_header(&name);
        stripped = true;
    }
    // `Connection: x-bot-score` would have Pingora, or the hop after it, drop the field that we add (RFC 9110, 7.6.1).
    let is_token_ours = |token: &[u8]| is_ours(token.trim_ascii());
    let names_ours =
        |value: &HeaderValue| value.as_bytes().split(|byte| *byte == b',').any(is_token_ours);
    if request.headers.get_all(header::CONNECTION).iter().any(names_ours) {
        let values: Vec<HeaderValue> =
            request.headers.get_all(header::CONNECTION).iter().cloned().collect();
        request.remove_header(&header::CONNECTION);
        for value in values {
            let tokens =
                value.as_bytes().split(|byte| *byte == b',').filter(|token| !is_token_ours(token));
            let kept = tokens.collect::<Vec<_>>().join(&b","[..]);
            if let Ok(value) = HeaderValue::from_bytes(kept.trim_ascii())
                && !value.is_empty()
            {
                // Fails only where the map is full, and it just lost a field.
                let _ = request.append_header(header::CONNECTION, value);
            }
        }
        stripped = true;
    }
    stripped
}

/// Adds our fields. One that cannot be added, the map being full, is left out: the request matters more.
pub(super) fn tell_origin(request: &mut RequestHeader, verdict: &Verdict) {
    let _ = request.insert_header(HEADER_SCORE, HeaderValue::from(u16::from(verdict.score.get())));
    let _ = request.insert_header(HEADER_VERDICT, HeaderValue::from_static(verdict.as_str()));
    if let Some(digest) = verdict.digest {
        let _ = request.insert_header(HEADER_ARTIFACT, digest.short());
    }
}

/// Tells the origin why, the heaviest row first.
pub(super) fn tell_reasons(request: &mut RequestHeader, reasons: &[Reason]) {
    let mut text = String::new();
    for reason in reasons.iter().take(MAX_REASONS) {
        let separator = if text.is_empty() { "" } else { ", " };
        let one = format!("{separator}{}{:+}", reason.key, reason.weight);
        if text.len().saturating_add(one.len()) > MAX_REASONS_LENGTH {
            break;
        }
        text.push_str(&one);
    }
    if !text.is_empty() {
        let _ = request.insert_header(HEADER_REASONS, text);
    }
}

/// Takes our cookies out: the origin has no use for them, and its logs should not keep them.
pub(super) fn strip_cookies(request: &mut RequestHeader) {
    let has_ours = |value: &HeaderValue| {
        let field = value.as_bytes();
        // It is in both of our names. Most fields are seen through at once, and only what may be ours is taken apart.
        memmem::find(field, challenge::NAME_PLAIN.as_bytes()).is_some()
            && challenge::pairs(field).any(challenge::is_ours)
    };
    if !request.headers.get_all(header::COOKIE).iter().any(has_ours) {
        return;
    }
    let values: Vec<HeaderValue> =
        request.headers.get_all(header::COOKIE).iter().cloned().collect();
    request.remove_header(&header::COOKIE);
    for value in values {
        let others = challenge::pairs(value.as_bytes()).filter(|pair| !challenge::is_ours(pair));
        let kept = others.collect::<Vec<_>>().join(&b"; "[..]);
        if let Ok(value) = HeaderValue::from_bytes(&kept)
            && !value.is_empty()
        {
            let _ = request.append_header(header::COOKIE, value);
        }
    }
}

#[cfg(test)]
mod tests;

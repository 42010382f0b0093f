//! Which host and path a request is for, in whichever form its target is written (RFC 9112, 3.2).

use std::str;

use http::header;
use pingora_http::{RequestHeader, authority::raw_target_authority};

use crate::policy::Target;

/// What stands for a name or a path that is no text: no route has it as its own, so all may.
const NO_TEXT: &str = "\u{fffd}";

/// What of a request decides its route.
pub(super) fn of(header: &RequestHeader) -> Target<'_> {
    Target::new(header.method.as_str(), host(header), path(header)).also_host(authority(header))
}

/// The name in its `Host` field, or else in its target.
pub(super) fn name(header: &RequestHeader) -> Option<&str> {
    host(header).or_else(|| authority(header))
}

/// Its path. A target of no form that has one, as `a:/b` and `a/b`, is passed on as it came, and an origin may find a
/// path in it all the same: so it counts as a whole.
pub(super) fn path(header: &RequestHeader) -> &str {
    let target = header.raw_path();
    match target.first() {
        None | Some(b'/' | b'?') => header.uri.path(),
        Some(_) if raw_target_authority(target).authority().is_some() => header.uri.path(),
        Some(_) => text(target),
    }
}

fn host(header: &RequestHeader) -> Option<&str> {
    header.headers.get(header::HOST).map(|host| text(host.as_bytes()))
}

/// Pingora keeps that of `GET http://host/` out of the URI, and where a request has no `Host` field makes one of it.
fn authority(header: &RequestHeader) -> Option<&str> {
    let of_uri = header.uri.authority().map(http::uri::Authority::as_str);
    of_uri.or_else(|| raw_target_authority(header.raw_path()).authority().map(text))
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or(NO_TEXT)
}

//! How a challenge goes: redirect with a cookie, and pass once it comes back.

use http::{Method, Uri, header, uri::PathAndQuery};
use memchr::memmem;
use pingora_http::RequestHeader;

use super::{Answer, BotFilter, ClientInfo, target};
use crate::{
    challenge::{Challenge, MARKER, Marked, NAME_PLAIN, NAME_TLS},
    policy::bare_host,
};

impl BotFilter {
    /// The answer to a request that is challenged; none where it has the cookie and passes.
    ///
    /// Without one it is sent to where it is, with a marker of the time: a client that comes back with a fresh marker
    /// and no cookie keeps none, and redirecting it again would go on for ever. With the cookie it is sent on to the
    /// unmarked address, so that no marker is bookmarked.
    pub(super) fn challenge(&self, request: &RequestHeader, client: ClientInfo) -> Option<Answer> {
        let (client, tls) = (client.address, client.used_tls());
        let challenge = self.0.challenge.as_ref()?;
        let now = (self.0.unix_seconds)();
        let host = bare_host(target::name(request).unwrap_or_default());
        let name = if tls { NAME_TLS } else { NAME_PLAIN };
        let fields = request.headers.get_all(header::COOKIE).iter().map(|value| value.as_bytes());
        let met = challenge.is_met(fields, name, client, host, now);
        let marked = Marked::read(path_and_query(request), now);
        let can_redirect = matches!(request.method, Method::GET | Method::HEAD);
        match (met, can_redirect) {
            (true, true) if marked.marked => {
                Some(Answer::Redirect { location: marked.location(None), cookie: None })
            }
            (true, _) => None,
            (false, false) => Some(Answer::NeedsVisit),
            (false, true) if marked.fresh => Some(Answer::NeedsCookies),
            (false, true) => Some(Answer::Redirect {
                location: marked.location(Some(now)),
                cookie: Some(set_cookie(challenge, name, &challenge.issue(client, host, now), tls)),
            }),
        }
    }
}

fn set_cookie(challenge: &Challenge, name: &str, value: &str, tls: bool) -> String {
    let secure = if tls { "; Secure" } else { "" };
    let lifetime = challenge.lifetime();
    format!("{name}={value}; Path=/; Max-Age={lifetime}; HttpOnly; SameSite=Lax{secure}")
}

/// The path and query alone: the raw target of an absolute-form request (RFC 9112, 3.2.2) names its host, too.
fn path_and_query(request: &RequestHeader) -> &[u8] {
    request.uri.path_and_query().map_or(b"/", |target| target.as_str().as_bytes())
}

/// Takes our marker out of a request for the origin. The authority stays: over HTTP/2 there may be no other name.
pub(super) fn strip_marker(request: &mut RequestHeader) {
    // Most requests have no query, and of those that have one hardly any has a marker.
    let Some(query) = request.uri.query() else { return };
    // What is not UTF-8 was replaced in the URI: then a marker is the lesser evil.
    if memmem::find(query.as_bytes(), MARKER.as_bytes()).is_none() || !request.raw_path_is_utf8() {
        return;
    }
    let target = path_and_query(request);
    let marked = Marked::read(target, 0);
    if marked.marked
        && let Ok(clean) = PathAndQuery::try_from(marked.clean)
    {
        let mut parts = request.uri.clone().into_parts();
        parts.path_and_query = Some(clean);
        // Fails only on parts that do not go together, and these did before.
        if let Ok(uri) = Uri::from_parts(parts) {
            request.set_uri(uri);
        }
    }
}

use pingora_http::RequestHeader;
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::{
    challenge::{MARKER, NAME_TLS},
    filter::challenged::strip_marker,
};

fn cookies(fields: &[String]) -> RequestHeader {
    let mut request = RequestHeader::build("GET", b"/", None).unwrap();
    for field in fields {
        request.append_header(header::COOKIE, field.as_str()).unwrap();
    }
    request
}

/// Names that are ours, that nearly are, and that are not.
fn name() -> impl Strategy<Value = &'static str> {
    select(vec!["gl_c", NAME_TLS, "__Host-gl_c2", "agl_c", "gl_", "Gl_c", "sid", "gl_c gl_c", ""])
}

proptest! {
    /// Whatever is seen through at once has none, and what is left is what was not ours, in its order.
    #[test]
    fn our_cookies_go_and_no_other_does(
        fields in vec(vec((name(), "( |  )?", "[a-z_=]{0,5}"), 0..4), 0..4),
    ) {
        let pair = |(name, space, value): &(&str, String, String)| format!("{name}{space}={value}");
        let fields: Vec<Vec<String>> =
            fields.iter().map(|pairs| pairs.iter().map(pair).collect()).collect();
        let joined: Vec<String> = fields.iter().map(|pairs| pairs.join("; ")).collect();
        let mut request = cookies(&joined);
        strip_cookies(&mut request);

        let is_ours = |pair: &&String| {
            let name = pair.split('=').next().unwrap_or_default().trim();
            name == "gl_c" || name == "__Host-gl_c"
        };
        let left: Vec<String> = request
            .headers
            .get_all(header::COOKIE)
            .iter()
            .flat_map(|field| field.to_str().unwrap().split("; "))
            .map(str::to_owned)
            .filter(|pair| !pair.is_empty())
            .collect();
        let expected: Vec<&String> = fields.iter().flatten().filter(|pair| !is_ours(pair)).collect();
        let trimmed: Vec<&str> =
            expected.iter().map(|pair| pair.trim()).filter(|pair| !pair.is_empty()).collect();
        let left: Vec<&str> = left.iter().map(|pair| pair.trim()).collect();
        prop_assert_eq!(left, trimmed);
    }
}

#[test]
fn our_marker_goes_from_the_query_and_from_nowhere_else() {
    for (target, expected) in [
        ("/", "/"),
        ("/?a=1&b=2", "/?a=1&b=2"),
        ("/?__gl_c=1", "/"),
        ("/a?b=1&__gl_c=17&c=2", "/a?b=1&c=2"),
        ("/__gl_c=1?a", "/__gl_c=1?a"),
        ("/__gl_c=1", "/__gl_c=1"),
        ("/?a__gl_c=1&__gl_c2=3&__gl_c", "/?a__gl_c=1&__gl_c2=3&__gl_c"),
        ("/?__gl_c=1&__gl_c=2?__gl_c=3", "/"),
    ] {
        let mut request = RequestHeader::build("GET", target.as_bytes(), None).unwrap();
        strip_marker(&mut request);
        assert_eq!(request.uri.to_string(), expected, "{target}");
    }
    assert_eq!(MARKER, "__gl_c");
}

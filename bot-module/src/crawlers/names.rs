//! Names of hosts, as DNS gives them and as operators write them.

/// Longest name and label (RFC 1035, 2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// A host name in lower case without the root's dot, if it is one: labels of letters, digits, `-` and `_`, two at least.
/// DNS carries any bytes (RFC 2181, 11); a name with others is no crawler's.
pub(super) fn host_name(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let is_name = name.len() <= MAX_NAME && name.contains('.') && name.split('.').all(label);
    is_name.then(|| name.to_ascii_lowercase())
}

/// Whether a name is a domain's own or lies under it. Both as [`host_name`] returns them.
pub(super) fn is_under(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_lies_under_a_domain_at_a_labels_boundary_only() {
        for (name, expected) in [
            ("googlebot.com", true),
            ("crawl-66-249-66-1.googlebot.com", true),
            ("CRAWL.GoogleBot.COM.", true),
            ("evilgooglebot.com", false),
            ("googlebot.com.evil.example", false),
            ("googlebot.com.evil.example.", false),
            ("com", false),
            ("", false),
            (".", false),
            (".googlebot.com", false),
            ("a..googlebot.com", false),
            ("a.googlebot.com..", false),
            ("a b.googlebot.com", false),
            ("a\0.googlebot.com", false),
            ("ä.googlebot.com", false),
        ] {
            let found = host_name(name).is_some_and(|name| is_under(&name, "googlebot.com"));
            assert_eq!(found, expected, "{name:?}");
        }
        assert!(host_name(&format!("{}.com", "a".repeat(64))).is_none());
        assert!(host_name(&"a.".repeat(130)).is_none());
    }

    proptest! {
        #[test]
        fn no_name_panics_and_what_passes_is_plain(name in ".{0,300}") {
            if let Some(name) = host_name(&name) {
                prop_assert!(name.is_ascii() && name.len() <= MAX_NAME);
                prop_assert_eq!(host_name(&name), Some(name.clone()));
            }
        }
    }
}

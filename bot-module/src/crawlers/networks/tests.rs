#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use proptest::prelude::*;

use super::*;

fn contains(list: &str, address: &str) -> bool {
    let networks = parse(list.as_bytes()).unwrap();
    set_of(&networks).unwrap().contains(address.parse().unwrap())
}

#[test]
fn both_published_forms_are_read() {
    let json = r#"{"creationTime":"2025-01-01T00:00:00","prefixes":[
        {"ipv6Prefix":"2001:4860:4801:10::/64"},{"ipv4Prefix":"66.249.64.0/27","service":"x"}]}"#;
    let text = "# Googlebot\n66.249.64.0/27 # one\n\n2001:4860:4801:10::/64\r\n";
    for list in [json, text] {
        assert!(contains(list, "66.249.64.31"));
        assert!(contains(list, "::ffff:66.249.64.0"));
        assert!(contains(list, "2001:4860:4801:10::1"));
        assert!(!contains(list, "66.249.64.32"));
        assert!(!contains(list, "66.249.63.255"));
        assert!(!contains(list, "2001:4860:4801:11::"));
    }
    assert!(contains("192.0.2.7", "192.0.2.7") && !contains("192.0.2.7", "192.0.2.8"));
}

#[test]
fn each_mistake_has_its_reason() {
    for (list, reason) in [
        (&b"66.249.64.0/33"[..], "bad-line"),
        (b"10.0.0.0/8\nexample.com", "bad-line"),
        (b"{\"prefixes\":1}", "bad-json"),
        (b"{\"prefixes\":[{\"ipv4Prefix\":\"x\"}]}", "bad-json"),
        (b"{\"prefixes\":[]}", "empty"),
        (b"# nothing\n", "empty"),
        (b"", "empty"),
        (b"0.0.0.0/0", "too-wide"),
        (b"::/0", "too-wide"),
        (b"\xff\xfe", "not-text"),
    ] {
        assert_eq!(parse(list).unwrap_err().reason(), reason, "{list:?}");
    }
}

proptest! {
    #[test]
    fn no_list_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }
}

use super::{fault, is_like, shown};

#[test]
fn urls_that_work_are_taken_as_they_are() {
    for text in [
        "http://127.0.0.1:8545",
        "https://node.example/v3/KEY?key=KEY",
        "http://user:password@node.example:8545/",
        "HTTP://[::1]:8545",
    ] {
        assert_eq!(fault(text), None, "{text}");
    }
}

#[test]
fn urls_that_only_seem_to_work_are_refused_and_show_no_keys() {
    let cases = [
        ("http://node:1/KEY#KEY", "a fragment in \"http://node…\""),
        ("http://node:1#", "a fragment in \"http://node…\""),
        (" http://node:1/KEY", "a space or control character in \"http://node…\""),
        ("http://node:1/KEY ", "a space or control character in \"http://node…\""),
        ("http://no\tde/KEY", "a space or control character in \"http://node…\""),
        ("http://node/\u{a0}KEY", "a space or control character in \"http://node…\""),
        ("http://node/\u{7f}KEY", "a space or control character in \"http://node…\""),
        ("https://node:0/KEY", "port 0 in \"https://node…\""),
        ("http:node/KEY", "\"http:\" without \"//\""),
        ("https:/node/KEY", "\"https:\" without \"//\""),
        ("http:\\\\node/KEY", "\"http:\" without \"//\""),
        ("http:///node/KEY", "no host in \"http://node…\""),
        ("http://", "empty host in \"http://…\""),
        ("http://node:KEY", "invalid port number in \"http://…\""),
        ("http://user:KEY", "invalid port number in \"http://…\""),
        ("http://user:KEY/@node", "invalid port number in \"http://…\""),
        ("http://KEY/KEY@node#", "a fragment in \"http://…\""),
        ("http://user:KEY@node/KEY?KEY#KEY", "a fragment in \"http://node…\""),
        ("wss://eth.example/v3/KEY", "\"wss://eth.example…\""),
        ("wss://eth.example", "\"wss://eth.example\""),
        ("ftp://user:KEY@node", "\"ftp://node…\""),
        ("http//user:KEY@node", "a text that begins with neither"),
        ("user:KEY@node", "a text that begins with neither"),
        ("localhost:8545/KEY", "a text that begins with neither"),
        ("127.0.0.1:8545/KEY", "a text that begins with neither"),
        ("KEY", "a text that begins with neither"),
        ("", "a text that begins with neither"),
    ];
    for (text, expected) in cases {
        assert_eq!(fault(text).as_deref(), Some(expected), "{text:?}");
    }
}

#[test]
fn a_url_in_another_place_shows_no_keys_either() {
    for (text, expected) in [
        ("https://node.example/KEY", Some("\"https://node.example…\"")),
        ("user:KEY@node", None),
        ("//node/KEY", None),
    ] {
        assert!(is_like(text));
        assert_eq!(shown(text).as_deref(), expected);
    }
    let long = shown(&format!("x://{}", "y".repeat(1000))).unwrap();
    assert!(long.len() < 80, "{long}");
}

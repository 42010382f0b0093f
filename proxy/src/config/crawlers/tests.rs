#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use super::super::reader::{Document, Section};
use super::*;

fn read(text: &str, folder: &Path) -> Result<CrawlerSettings, Vec<String>> {
    let document = Document::new(text);
    let table = document.parse();
    let root = Section::root(&document, &table);
    let settings = crawlers(root.section("crawlers"), folder);
    let mistakes: Vec<String> = document.into_mistakes().iter().map(ToString::to_string).collect();
    if mistakes.is_empty() { Ok(settings.unwrap()) } else { Err(mistakes) }
}

#[test]
fn what_is_left_out_knows_the_known_crawlers_by_the_systems_dns() {
    let settings = read("", Path::new("")).unwrap();
    assert_eq!(settings.crawlers, known_crawlers());
    assert_eq!(settings.dns, Some(NameServers::System));
    assert!(settings.builder().build().is_ok());
}

#[test]
fn a_crawler_by_a_known_name_adds_to_it_and_files_lie_in_the_configurations_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("google.json"),
        r#"{"prefixes":[{"ipv4Prefix":"66.249.64.0/27"}]}"#,
    )
    .unwrap();
    let text = r#"
[crawlers]
dns = ["127.0.0.1:53", "[::1]:5353"]
authorities = ["www.example.com"]
[[crawlers.crawler]]
name = "googlebot"
network_files = ["google.json"]
action = "score"
[[crawlers.crawler]]
name = "mine"
keys = ["JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"]
"#;
    let settings = read(text, folder.path()).unwrap();
    let google = settings.crawlers.iter().find(|crawler| crawler.name == "googlebot").unwrap();
    assert_eq!(google.domains, ["googlebot.com"]);
    assert_eq!(google.network_files, [folder.path().join("google.json")]);
    assert_eq!(google.action, CrawlerAction::Score);
    assert_eq!(settings.crawlers.len(), known_crawlers().len() + 1);
}

#[test]
fn every_mistake_is_reported() {
    for (text, expected) in [
        ("[crawlers]\ndns = \"maybe\"", "crawlers.dns"),
        ("[crawlers]\ndns = []", "crawlers.dns"),
        ("[crawlers]\nknow = true", "the unknown key \"know\" (did you mean \"known\"?)"),
        ("[[crawlers.crawler]]\ndomains = [\"a.b\"]", "crawlers.crawler[0].name"),
        (
            "[[crawlers.crawler]]\nname = \"A B\"",
            "line 2: crawlers.crawler[0].name: expected 1 to 32 of a-z, 0-9 and \"-\", found \"A B\"",
        ),
        (
            "[[crawlers.crawler]]\nname = \"a\"\ndomains = [\"com\"]",
            "line 3: crawlers.crawler[0].domains: expected a domain as googlebot.com, found \"com\"",
        ),
        (
            "[[crawlers.crawler]]\nname = \"a\"\nuser_agents = [\"a\"]",
            "crawler[0].user_agents: expected 3 to 64 printable ASCII characters, found \"a\"",
        ),
        (
            "[[crawlers.crawler]]\nname = \"a\"\nnetworks = [\"0.0.0.0/0\"]",
            "crawler[0].networks: expected /8 (IPv4) or /16 (IPv6) and longer, found 0.0.0.0/0",
        ),
        (
            "[[crawlers.crawler]]\nname = \"a\"\nnetwork_files = [\"/dev/zero\"]",
            "crawler[0].network_files: expected a regular file, found something else in /dev/zero",
        ),
        (
            "[[crawlers.crawler]]\nname = \"a\"\nnetwork_files = [\"/no\"]",
            "crawler[0].network_files: expected what can be used, found cannot be read: No such file",
        ),
        (
            "[[crawlers.crawler]]\nname = \"a\"\nnetwork_files = [\"/dev/null/x\"]",
            "crawler[0].network_files: expected what can be used, found cannot be read: Not a directory",
        ),
        (
            "[[crawlers.crawler]]\nname = \"a\"\nkeys = [\"AAAA\"]",
            "crawler[0].keys: expected an Ed25519 public key in base64url, found \"AAAA\"",
        ),
        (
            "[[crawlers.crawler]]\nname = \"a\"\nkeys = [\"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs\"]",
            "crawler[0]: expected in crawlers.authorities the names of this site, for which signatures count, found none",
        ),
        ("[[crawlers.crawler]]\nname = \"a\"\naction = \"praise\"", "crawlers.crawler[0].action"),
        ("[[crawlers.crawler]]\nname = \"a\"\n[[crawlers.crawler]]\nname = \"a\"", "twice"),
    ] {
        let mistakes = read(text, Path::new("")).unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.contains(expected)), "{text}: {mistakes:?}");
    }
}

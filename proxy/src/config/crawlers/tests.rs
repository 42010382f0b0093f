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
        ("[[crawlers.crawler]]\nname = \"A B\"", "found \"A B\""),
        ("[[crawlers.crawler]]\nname = \"a\"\ndomains = [\"com\"]", "valid \"domains\""),
        ("[[crawlers.crawler]]\nname = \"a\"\nuser_agents = [\"a\"]", "valid \"user_agents\""),
        ("[[crawlers.crawler]]\nname = \"a\"\nnetworks = [\"0.0.0.0/0\"]", "valid \"networks\""),
        ("[[crawlers.crawler]]\nname = \"a\"\nnetwork_files = [\"/dev/zero\"]", "a regular file"),
        ("[[crawlers.crawler]]\nname = \"a\"\nnetwork_files = [\"/no\"]", "cannot be read"),
        ("[[crawlers.crawler]]\nname = \"a\"\nkeys = [\"AAAA\"]", "valid \"keys\""),
        (
            "[[crawlers.crawler]]\nname = \"a\"\nkeys = [\"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs\"]",
            "valid \"authorities\"",
        ),
        ("[[crawlers.crawler]]\nname = \"a\"\naction = \"praise\"", "crawlers.crawler[0].action"),
        ("[[crawlers.crawler]]\nname = \"a\"\n[[crawlers.crawler]]\nname = \"a\"", "twice"),
    ] {
        let mistakes = read(text, Path::new("")).unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.contains(expected)), "{text}: {mistakes:?}");
    }
}

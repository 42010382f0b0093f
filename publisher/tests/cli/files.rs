//! Commands that need no chain.

use std::fs;

use crate::support::{greenlightctl, run, source};
use serde_json::json;
use tempfile::TempDir;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().into()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }
}

const CSV: &str = "# label: one\n# created_at: 1763700000\n# intercept: -2000\nkey,kind,arg,weight\n\
                   ua.curl,ua-contains,curl/,4000\nh.lang,header-absent,accept-language,1200\n";

#[test]
fn json_and_csv_build_to_the_same_bytes() {
    let files = Files::new();
    let json =
        run(&["build", &files.write("a.json", source("one")), "--out", &files.path("a.glff")])
            .succeeded();
    let csv =
        run(&["build", &files.write("b.CSV", CSV), "--out", &files.path("b.glff")]).succeeded();
    assert_eq!(json["digest"], csv["digest"]);
    assert_eq!(fs::read(files.path("a.glff")).unwrap(), fs::read(files.path("b.glff")).unwrap());
    for (field, value) in [
        ("rows", json!(2)),
        ("size", json!(192)),
        ("cost", json!(8)),
        ("budget", json!(1000)),
        ("label", json!("one")),
        ("written", json!(true)),
    ] {
        assert_eq!(json[field], value, "{field}");
    }
    let named = files.write("source.txt", CSV);
    run(&["build", &named, "--out", &files.path("c.glff")]).failed(2, "file-format");
    run(&["build", &named, "--format", "csv", "--out", &files.path("c.glff")]).succeeded();
}

/// Three sources of one table, the Parquet one as pyarrow writes it.
#[test]
fn parquet_builds_to_the_same_bytes() {
    let files = Files::new();
    let weekly = |extension: &str| {
        format!("{}/../artifact/vectors/sources/weekly.{extension}", env!("CARGO_MANIFEST_DIR"))
    };
    let built = ["json", "csv", "parquet"].map(|extension| {
        let out = files.path(extension);
        run(&["build", &weekly(extension), "--out", &out]).succeeded();
        fs::read(out).unwrap()
    });
    assert_eq!(built[0], built[1]);
    assert_eq!(built[0], built[2]);
    assert_eq!(run(&["lint", &weekly("parquet")]).succeeded()["rows"], 8);
    let renamed = files.write("table", fs::read(weekly("parquet")).unwrap());
    let out = files.path("again");
    run(&["build", &renamed, "--format", "parquet", "--out", &out]).succeeded();
    run(&["build", &renamed, "--format", "csv", "--out", &out]).failed(2, "utf-8");
}

#[test]
fn journal_is_what_the_zkvm_route_publishes() {
    let files = Files::new();
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../artifact/vectors");
    let corpus: serde_json::Value =
        serde_json::from_slice(&fs::read(format!("{vectors}/journals.json")).unwrap()).unwrap();
    let unhex = |text: &serde_json::Value| alloy::hex::decode(text.as_str().unwrap()).unwrap();
    let seal = files.write("seal", unhex(&corpus["proof"]));
    let (input, evidence) = (files.path("input"), files.path("evidence"));
    for case in corpus["cases"].as_array().unwrap() {
        let source = format!("{vectors}/sources/weekly.{}", case["name"].as_str().unwrap());
        let arguments =
            ["journal", &source, "--input", &input, "--seal", &seal, "--evidence", &evidence];
        let report = run(&arguments).succeeded();
        for field in ["digest", "source", "size", "rows", "journal"] {
            assert_eq!(report[field], case[field], "{field} of {source}");
        }
        assert_eq!(fs::read(&evidence).unwrap(), unhex(&case["evidence"]));
        assert!(fs::read(&input).unwrap().ends_with(&fs::read(&source).unwrap()));
    }
}

#[test]
fn check_compares_and_writes_nothing() {
    let files = Files::new();
    let (source_file, out) = (files.write("a.json", source("one")), files.path("a.glff"));
    run(&["build", &source_file, "--out", &out, "--check"]).failed(2, "io");
    run(&["build", &source_file, "--out", &out]).succeeded();
    assert_eq!(
        run(&["build", &source_file, "--out", &out, "--check"]).succeeded()["written"],
        false
    );
    let before = fs::read(&out).unwrap();
    files.write("a.json", source("two"));
    run(&["build", &source_file, "--out", &out, "--check"]).failed(1, "differs");
    assert_eq!(fs::read(&out).unwrap(), before);
}

#[test]
fn a_failed_build_leaves_what_was_there() {
    let files = Files::new();
    let out = files.write("a.glff", "precious");
    let doubled = format!("{CSV}ua.curl,ua-contains,wget/,4000\n");
    let error =
        run(&["build", &files.write("a.csv", doubled), "--out", &out]).failed(2, "key-duplicate");
    assert!(error["message"].as_str().unwrap().contains("line 7"), "{error}");
    assert_eq!(fs::read(&out).unwrap(), b"precious");
    let missing = files.path("none/a.glff");
    run(&["build", &files.write("b.csv", CSV), "--out", &missing]).failed(2, "io");
    assert_eq!(fs::read_dir(files.0.path()).unwrap().count(), 3, "no temporary file stays");
}

#[test]
fn bad_sources_are_refused_with_their_place() {
    let files = Files::new();
    for (content, reason) in [
        ("", "value"),
        ("{", "syntax"),
        ("{\"rows\":[],\"intercept\":0,\"created_at\":0,\"extra\":1}", "syntax"),
        ("{\"rows\":[],\"intercept\":0,\"created_at\":0}", "size"),
    ] {
        let name = if content.is_empty() { "a.csv" } else { "a.json" };
        run(&["lint", &files.write(name, content)]).failed(2, reason);
    }
    run(&["lint", &files.write("latin1.csv", b"# label: \xe9\n")]).failed(2, "utf-8");
    run(&["lint", &files.write("huge.json", vec![b' '; 3 << 20])]).failed(2, "size");
    run(&["lint", &files.path("none.json")]).failed(2, "io");
}

#[test]
fn lint_checks_artifacts_and_warns() {
    let files = Files::new();
    let odd = files.write("odd.csv", CSV.replace("accept-language", "referrer"));
    let linted = run(&["lint", &odd]).succeeded();
    assert_eq!(linted["warnings"][0]["reason"], "never-seen-header");
    assert_eq!(linted["warnings"][0]["key"], "h.lang");
    let denied = run(&["lint", "--deny-warnings", &odd]);
    assert_eq!((denied.code, denied.json["warnings"].as_array().unwrap().len()), (1, 1));

    let artifact = files.path("a.glff");
    run(&["build", &files.write("a.csv", CSV), "--out", &artifact]).succeeded();
    assert_eq!(run(&["lint", "--deny-warnings", &artifact]).succeeded()["warnings"], json!([]));
    let mut bytes = fs::read(&artifact).unwrap();
    bytes[64 + 32] = 31;
    let error = run(&["lint", &files.write("kind.glff", &bytes)]).failed(2, "kind");
    assert_eq!((error["defect"].as_u64(), error["row"].as_u64()), (Some(12), Some(0)));
    run(&["lint", &files.write("text.glff", "key,kind,arg,weight\n")]).failed(2, "file-format");
}

#[test]
fn people_read_text_and_machines_one_object() {
    let files = Files::new();
    let source_file = files.write("a.json", source("one"));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_greenlightctl"))
        .args(["build", &source_file, "--out", &files.path("a.glff")])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("digest     0x") && text.contains("rows       2\n"), "{text}");
    assert!(output.stderr.is_empty());
    let json =
        greenlightctl(&["build", &source_file, "--out", &files.path("a.glff")]).output().unwrap();
    assert_eq!(String::from_utf8(json.stdout).unwrap().lines().count(), 1);
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in
        [&["promote", "one"][..], &["kill", "--private-key", "0x01"], &["nonsense"], &[]]
    {
        assert_eq!(
            greenlightctl(arguments).output().unwrap().status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
    assert_eq!(run(&["status"]).failed(2, "no-registry")["class"], "bad-input");
}

#[test]
fn help_tells_the_exit_codes() {
    let output = greenlightctl(&["--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for line in ["0  done", "3  refused by a contract", "6  what was scheduled was cancelled"] {
        assert!(text.contains(line), "{text}");
    }
}

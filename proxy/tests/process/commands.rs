//! The commands as an operator meets them: what they print and how they exit.

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use crate::support::{Edge, config, echo, free_address, greenlight, origin};
use greenlight_artifact::{Draft, DraftRow, Feature, Key, Schema};

fn run(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = greenlight().args(args).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn three_mistakes_are_reported_at_once_and_nothing_is_bound() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), free_address(), "");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let broken = text
        .replace("http = [\"127.0.0.1:0\"]", &format!("http = [\"{taken}\"]\nhtpp = []"))
        .replace("chain_id = 31337", "chain_id = -1")
        .replace("level = \"info\"", "level = \"loud\"");
    std::fs::write(&path, broken).unwrap();
    let path = path.to_str().unwrap();
    for command in ["check", "run"] {
        let (code, stdout, stderr) = run(&[command, "--config", path]);
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(stderr.starts_with(&format!("greenlight: {path} has 3 mistakes:\n")), "{stderr}");
        for key in [
            "the unknown key \"htpp\" (did you mean \"http\"?)",
            "source.chain_id: ",
            "log.level: ",
        ] {
            assert!(stderr.contains(key), "{key} not in {stderr}");
        }
    }
    assert!(!folder.path().join("state").exists());
}

#[test]
fn a_valid_file_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "127.0.0.1:8000".parse().unwrap(), "");
    let (code, stdout, _) = run(&["check", "--config", path.to_str().unwrap()]);
    assert_eq!(code, 0);
    assert!(stdout.contains("valid\n") && stdout.contains("upstream 127.0.0.1:8000\n"), "{stdout}");
    for text in [
        "source rpc on chain-31337\n  adopts from 64 blocks below the newest head\n",
        "\n  warning: source.kind = \"rpc\" believes the headers it is given",
    ] {
        assert!(stdout.contains(text), "{text} not in {stdout}");
    }
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/production.toml");
    let (_, stdout, stderr) = run(&["check", "--config", sample]);
    for text in [
        "source light-client on mainnet\n  adopts from finalized heads\n",
        "\n  warning: source.checkpoint is the sample's",
    ] {
        assert!(stdout.contains(text), "{text} not in {stdout}{stderr}");
    }
    let (code, _, stderr) = run(&["check", "--config", "/nonexistent/greenlight.toml"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("cannot read the configuration file /nonexistent/greenlight.toml"),
        "{stderr}"
    );
}

/// From the file's own folder, where its name alone leads to it.
#[test]
fn what_is_done_with_requests_is_described() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "0123456789abcdef").unwrap();
    std::fs::write(folder.path().join("deny.txt"), "203.0.113.0/24\n198.51.100.7\n").unwrap();
    let more = r#"
[[route]]
path_prefix = "/api"
methods = ["GET", "POST"]
rate_limit_below = 50
rate_limit = { requests = 3, per = "90s" }
challenge_below = 30
shadow = true
[[route]]
host = "www.example.com"
path_prefix = "/.well-known/"
exempt = true
[lists]
allow = ["192.0.2.0/24"]
deny_file = "deny.txt"
[challenge]
secret_file = "key"
[headers]
reasons = true
[crawlers]
known = false
dns = "off"
[[crawlers.crawler]]
name = "ours"
user_agents = ["ours/"]
networks = ["10.0.0.0/8"]
action = "score"
[[crawlers.crawler]]
name = "theirs"
user_agents = ["theirs/"]
domains = ["crawl.example.com"]
[record]
file = "requests.ndjson"
"#;
    let path = config(folder.path(), "127.0.0.1:8000".parse().unwrap(), more);
    let mut greenlight = greenlight();
    greenlight.current_dir(folder.path()).args(["check", "--config"]);
    let Output { status, stdout, stderr } =
        greenlight.arg(path.file_name().unwrap()).output().unwrap();
    let stdout = String::from_utf8(stdout).unwrap();
    assert_eq!(status.code(), Some(0), "{stdout}{stderr:?}");
    for line in [
        "allowed by address: 1 network",
        "denied by address: 2 networks",
        "crawlers verified and scored all the same: ours (networks)",
        "crawlers that nothing here can prove: theirs",
        "asks no DNS",
        "route www.example.com/.well-known/: exempt",
        "route */api GET, POST: rate-limit below 50 (3 in 90s), challenge below 30, in shadow",
        "challenges under the secret of the file; a cookie holds for 1d",
        "tells the origin which rows fired",
        "records a share of 0.01 of the requests to ./requests.ndjson",
    ] {
        assert!(stdout.contains(&format!("\n  {line}\n")), "{line} not in {stdout}");
    }
    let host = stdout.find("route www").unwrap();
    assert!(host < stdout.find("route */api").unwrap(), "the most specific first: {stdout}");
}

#[test]
fn an_upstream_with_tls_needs_certificates_to_trust() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "127.0.0.1:8443".parse().unwrap(), "");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("[source]", "tls = true\nsni = \"origin\"\n[source]"))
        .unwrap();
    for command in ["check", "run"] {
        let mut greenlight = greenlight();
        greenlight.args([command, "--config"]).arg(&path);
        let Output { status, stderr, .. } = greenlight
            .env("SSL_CERT_FILE", "/nonexistent")
            .env("SSL_CERT_DIR", "/nonexistent")
            .output()
            .unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("upstream.tls needs root certificates"), "{stderr}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), free_address(), "");
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    for (key, from) in
        [("listen.http", "http = [\"127.0.0.1:0\"]"), ("listen.admin", "admin = \"127.0.0.1:0\"")]
    {
        let text = std::fs::read_to_string(config(folder.path(), free_address(), "")).unwrap();
        std::fs::write(&path, text.replace(from, &from.replace("127.0.0.1:0", &taken.to_string())))
            .unwrap();
        let (code, _, stderr) = run(&["run", "--config", path.to_str().unwrap()]);
        assert_eq!(code, 3, "{stderr}");
        let expected =
            format!("cannot listen on {taken} ({key}): the address is in use by another socket");
        assert!(
            stderr.contains(&expected) && stderr.contains("\"reason\":\"address-in-use\""),
            "{stderr}"
        );
    }
}

/// The second of two processes with one configuration ends at the port, and leaves the first one's folder alone.
#[test]
fn a_second_start_does_not_disturb_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), origin(echo), "");
    let edge = Edge::start(&path);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replace("http = [\"127.0.0.1:0\"]", &format!("http = [\"{}\"]", edge.http)),
    )
    .unwrap();
    let evidence = || std::fs::read_to_string(folder.path().join("state/evidence.ndjson")).unwrap();
    edge.wait_for("the source to fail", |_| evidence().contains("source-failed"));
    let before = evidence();
    assert_eq!(run(&["run", "--config", path.to_str().unwrap()]).0, 3);
    assert_eq!(evidence(), before);
    assert_eq!(crate::support::get(edge.http, "/", &[]).0, 200);
}

#[test]
fn status_is_for_people_and_for_machines() {
    let folder = tempfile::tempdir().unwrap();
    let edge = Edge::start(&config(folder.path(), origin(echo), ""));
    edge.wait_for("a failed look", |edge| edge.status()["source"]["failures"].as_u64() > Some(0));
    let admin = format!("http://{}/", edge.admin);
    let (code, stdout, _) = run(&["status", "--admin", &admin]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("mode        allow-all (no-last-good)\n"), "{stdout}");
    assert!(stdout.contains("\nsource      rpc chain-31337\n"), "{stdout}");
    let error = stdout.lines().find(|line| line.starts_with("error       127.0.0.1:")).unwrap();
    let status = edge.status();
    let reason = status["source"]["last_reason"].as_str().unwrap();
    assert!(error.ends_with(&format!(" ({reason})")), "{error}");
    assert_eq!(edge.metric(&format!("greenlight_source_failing{{reason=\"{reason}\"}}")), 1);
    let (code, stdout, _) = run(&["status", "--admin", &admin, "--json"]);
    let status: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &status["mode"]), (0, &"allow-all".into()));

    let nobody = format!("http://{}", free_address());
    let (code, stdout, stderr) = run(&["status", "--admin", &nobody]);
    assert_eq!((code, stdout.as_str()), (5, ""));
    assert!(stderr.contains(&format!("{nobody}/status does not answer")), "{stderr}");
    let (code, _, stderr) = run(&["status", "--admin", &format!("http://{}", edge.http)]);
    assert_eq!(code, 5);
    assert!(stderr.contains("does not answer JSON"), "{stderr}");
}

/// Every endpoint of the light client is silent: requests do not notice, and the operator sees whom it asks and why not.
#[test]
fn a_light_client_without_endpoints_serves_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), origin(echo), "");
    let text = std::fs::read_to_string(&path).unwrap();
    let light_client = format!(
        "kind = \"light-client\"\nnetwork = \"sepolia\"\ncheckpoint = \"0x{}\"\nbeacon_urls = [\"http://{}\"]",
        "5a".repeat(32),
        free_address()
    );
    let text = text.replace("kind = \"rpc\"", &light_client).replace("chain_id = 31337\n", "");
    std::fs::write(&path, text).unwrap();
    let edge = Edge::start(&path);
    edge.wait_for("a failed look", |edge| edge.status()["source"]["failures"].as_u64() > Some(0));
    assert_eq!(crate::support::get(edge.http, "/", &[]).0, 200);
    let source = &edge.status()["source"];
    assert_eq!((&source["kind"], &source["network"]), (&"light-client".into(), &"sepolia".into()));
    let info = "greenlight_source_info{kind=\"light-client\",network=\"sepolia\"}";
    assert_eq!(edge.metric(info), 1);
    let (_, stdout, _) = run(&["status", "--admin", &format!("http://{}", edge.admin)]);
    assert!(stdout.contains("\nsource      light-client sepolia\n"), "{stdout}");
    assert!(stdout.contains("\nfailures    "), "{stdout}");
    assert!(edge.log().contains("source.beacon_urls has one endpoint"), "{}", edge.log());
}

#[test]
fn score_reads_files_and_exits_by_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let feature = Feature::UserAgentContains("bot/".to_owned());
    let rows = vec![DraftRow::of(Key::from_text("ua.bot", 0).unwrap(), &feature, 5000)];
    let draft = Draft { intercept: -1000, engine: 1, created_at: 1, label: String::new(), rows };
    let artifact = draft.encode(&[Schema::ENGINE_1]).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = file("good.glff", artifact.bytes());
    let request =
        r#"{"method":"GET","path":"/","version":"1.1","headers":[["user-agent","Some-Bot/2"]]}"#;
    let requests = file("requests.ndjson", format!("{request}\n").as_bytes());

    let (code, stdout, stderr) = run(&["score", "--artifact", &good, "--requests", &requests]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with(" 3 block    ua.bot+5000\n# artifact 0x"), "{stdout}");
    let (_, stdout, _) =
        run(&["score", "--artifact", &good, "--requests", &requests, "--json", "--bot-below", "2"]);
    assert!(
        stdout.starts_with(
            r#"{"score":3,"verdict":"allow","reasons":[{"key":"ua.bot","weight":5000}]}"#
        ),
        "{stdout}"
    );

    let mut truncated = artifact.bytes().to_vec();
    truncated.pop();
    let random: Vec<u8> =
        (0..128_u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    for (name, bytes) in [
        ("empty", &[][..]),
        ("truncated", &truncated),
        ("random", &random),
        ("oversized", &[b'G'; 1 << 20]),
    ] {
        let (code, stdout, stderr) =
            run(&["score", "--artifact", &file(name, bytes), "--requests", &requests]);
        assert_eq!((code, stdout.as_str()), (4, ""), "{name}: {stderr}");
        assert!(stderr.contains(&format!("{name} is refused: ")), "{stderr}");
        let against = folder.path().join(name);
        let against = against.to_str().unwrap();
        let (code, stdout, stderr) =
            run(&["score", "--artifact", &good, "--against", against, "--requests", &requests]);
        assert_eq!((code, stdout.as_str()), (4, ""), "{name}: {stderr}");
        assert!(stderr.contains(&format!("{name} is refused: ")), "{stderr}");
    }
    let (code, stdout, _) =
        run(&["score", "--artifact", &good, "--against", &good, "--requests", &requests]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("# of 1 requests 0 change verdict"), "{stdout}");

    let mixed = file("mixed.ndjson", format!("{request}\nnot json\n{request}\n").as_bytes());
    let (code, stdout, stderr) =
        run(&["score", "--artifact", &good, "--requests", &mixed, "--json"]);
    assert_eq!((code, stdout.lines().count()), (4, 4));
    assert!(stderr.contains("mixed.ndjson: line 2: column 2: expected ident"), "{stderr}");
    let (code, _, stderr) = run(&["score", "--artifact", &good, "--requests", "/nonexistent"]);
    assert_eq!(code, 1, "{stderr}");
    assert_eq!(run(&["score", "--artifact", &good, "--requests", &mixed, "--bot-below", "0"]).0, 2);
}

#[test]
fn the_sample_tells_known_clients_apart() {
    let sample = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name);
        path.to_str().unwrap().to_owned()
    };
    let (artifact, checks) = (sample("sample.glff"), sample("sample/checks.ndjson"));
    let (code, stdout, stderr) =
        run(&["score", "--artifact", &artifact, "--requests", &checks, "--json"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let lines = std::fs::read_to_string(&checks).unwrap();
    let wrong: Vec<String> = lines
        .lines()
        .zip(stdout.lines())
        .filter_map(|(request, answer)| {
            let [request, answer] = [request, answer]
                .map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
            let score = answer["score"].as_u64().unwrap();
            let right = if request["label"] == "bot" { score < 30 } else { score > 70 };
            (!right).then(|| format!("{}: {answer}", request["source"]))
        })
        .collect();
    assert!(lines.lines().count() > 100);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

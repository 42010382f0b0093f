//! The clients: how each is started, and what it must be taken for.

use std::{fs, net::SocketAddr, path::PathBuf};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use super::Expected;
use crate::process::{self, PATIENCE};

/// Chrome's user agent on Linux, as far as a request shows it since versions are reduced to their first number.
fn chrome(major: &str) -> String {
    format!(
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Safari/537.36"
    )
}

/// Where clients send their requests.
pub(super) struct Site {
    pub(super) http: SocketAddr,
    pub(super) https: SocketAddr,
    /// For their files.
    pub(super) folder: PathBuf,
}

/// One client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    pub(super) name: &'static str,
    /// What to install: a Debian package, or words that begin with another installer.
    pub(super) package: &'static str,
    pub(super) protocol: &'static str,
    pub(super) expected: Expected,
    program: &'static str,
    /// Arguments that have the program say its version.
    version: &'static [&'static str],
    secure: bool,
    arguments: &'static [&'static str],
}

/// Stand for the URL, the user agent of Chrome, a file of this crate, and a folder of the client's own.
const URL: &str = "{url}";
const CHROME: &str = "{chrome}";
const GO: &str = "{go}";
const PROFILE: &str = "{profile}";
/// Stands for [`CHROMIUM_FLAGS`].
const QUIET: &str = "{quiet}";

/// Have Chromium start in any container, ask for nothing but the URL, and take any certificate.
const CHROMIUM_FLAGS: [&str; 8] = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--ignore-certificate-errors",
];

const CHROMIUM: Client = Client {
    name: "headless Chromium",
    package: "chromium",
    protocol: "h2",
    expected: Expected::Tool,
    program: "chromium",
    version: &["--version"],
    secure: true,
    arguments: &["--headless=new", QUIET, PROFILE, "--dump-dom", URL],
};

const CURL: Client = Client {
    name: "curl",
    package: "curl",
    protocol: "HTTP/1.1",
    expected: Expected::Tool,
    program: "curl",
    version: &["--version"],
    secure: false,
    arguments: &["--silent", "--noproxy", "*", "--http1.1", URL],
};

/// In the order in which they are to be asked.
pub(super) fn all() -> Vec<Client> {
    let tool = |name, package, program, version, arguments| Client {
        name,
        package,
        program,
        version,
        arguments,
        ..CURL
    };
    let secure = |client| Client { secure: true, ..client };
    let h2 = |client| Client { secure: true, protocol: "h2", ..client };
    vec![
        Client {
            name: "Chromium as a normal browser",
            expected: Expected::Browser,
            arguments: &[
                "--headless=new",
                "--user-agent={chrome}",
                "--disable-blink-features=AutomationControlled",
                "--window-size=1920,1080",
                "--lang=en-US",
                QUIET,
                PROFILE,
                "--dump-dom",
                URL,
            ],
            ..CHROMIUM
        },
        CHROMIUM,
        CURL,
        h2(tool(
            "curl, HTTP/2",
            "curl",
            "curl",
            &["--version"],
            &["--silent", "--insecure", "--noproxy", "*", "--http2", URL],
        )),
        h2(tool(
            "curl as Chrome",
            "curl",
            "curl",
            &["--version"],
            &["--silent", "--insecure", "--noproxy", "*", "--http2", "--user-agent", CHROME, URL],
        )),
        secure(tool(
            "wget",
            "wget",
            "wget",
            &["--version"],
            &["--quiet", "--no-proxy", "--no-check-certificate", "--output-document=-", URL],
        )),
        secure(tool(
            "python-requests",
            "python3-requests",
            "/usr/bin/python3",
            &["-c", "import requests; print('requests', requests.__version__)"],
            &[
                "-W",
                "ignore",
                "-c",
                "import requests, sys; print(requests.get(sys.argv[1], verify=False).text)",
                URL,
            ],
        )),
        h2(tool("Go net/http", "golang-go", "go", &["version"], &["run", GO, URL])),
        secure(tool(
            "Node fetch",
            "nodejs",
            "node",
            &["--version"],
            &[
                "-e",
                "fetch(process.argv[1]).then((answer) => answer.text()).then(console.log)",
                URL,
            ],
        )),
        secure(tool(
            "Node https",
            "nodejs",
            "node",
            &["--version"],
            &[
                "-e",
                "require('https').get(process.argv[1], (answer) => answer.pipe(process.stdout))",
                URL,
            ],
        )),
        secure(tool(
            "oha",
            "cargo install oha",
            "oha",
            &["--version"],
            &["-n", "20", "-c", "2", "--no-tui", "--insecure", URL],
        )),
        tool("wrk", "wrk", "wrk", &["--version"], &["-t", "1", "-c", "2", "-d", "1s", URL]),
    ]
}

/// The commands that install these.
pub(super) fn install(packages: &[&str]) -> String {
    let (other, debian): (Vec<&str>, Vec<&str>) =
        packages.iter().partition(|package| package.contains(' '));
    let debian = if debian.is_empty() {
        None
    } else {
        Some(format!("apt-get install {}", debian.join(" ")))
    };
    debian
        .into_iter()
        .chain(other.into_iter().map(ToOwned::to_owned))
        .collect::<Vec<_>>()
        .join("; ")
}

/// A client of Go's net/http that takes any certificate, as the others here do.
const GO_SOURCE: &str = r#"package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
)

func main() {
	client := http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: true,
	}}
	answer, err := client.Get(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(answer.Proto, answer.Status)
}
"#;

impl Client {
    /// Its name as a segment of a path.
    pub(super) fn path(&self) -> String {
        let letter =
            |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
        self.name.chars().map(letter).collect()
    }

    /// The version that it says it has; `None` where it is not installed.
    pub(super) async fn version(&self) -> Option<String> {
        let mut command = Command::new(self.program);
        command.args(self.version);
        let output = process::run(self.name, command, PATIENCE).await.ok()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        version_in(&said)
    }

    pub(super) fn command(&self, site: &Site, path: &str) -> Result<Command> {
        let url = if self.secure {
            format!("https://127.0.0.1:{}{path}", site.https.port())
        } else {
            format!("http://{}{path}", site.http)
        };
        let chrome = chrome(&chromium_major());
        let go = site.folder.join("client.go");
        fs::write(&go, GO_SOURCE).context("client.go")?;
        let profile = site.folder.join(format!("profile-{}", self.path()));
        let mut command = Command::new(self.program);
        for argument in self.arguments {
            if *argument == QUIET {
                command.args(CHROMIUM_FLAGS);
                continue;
            }
            command.arg(match *argument {
                URL => url.clone(),
                GO => go.display().to_string(),
                PROFILE => format!("--user-data-dir={}", profile.display()),
                other => other.replace(CHROME, &chrome),
            });
        }
        // Everything is on loopback, where no proxy of the environment leads; and the certificate is nobody's.
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name).env_remove(name.to_ascii_uppercase());
        }
        command.env("NODE_TLS_REJECT_UNAUTHORIZED", "0").env("GO111MODULE", "off");
        Ok(command)
    }
}

/// The first number with a point in what a program says of itself.
fn version_in(said: &str) -> Option<String> {
    let starts =
        |word: &str| word.starts_with(|char: char| char.is_ascii_digit()) && word.contains('.');
    said.split(|char: char| char.is_whitespace() || char == '/')
        .map(|word| word.trim_start_matches(['v', 'g', 'o']))
        .find(|word| starts(word))
        .map(ToOwned::to_owned)
}

/// The first number of the version of the Chromium that is installed, so that its user agent and its hints agree.
fn chromium_major() -> String {
    let output = std::process::Command::new("chromium").arg("--version").output();
    let said = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let version = version_in(&said).unwrap_or_else(|| "147.0".into());
    version.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (said, expected) in [
            ("curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1", Some("7.88.1")),
            ("go version go1.19.8 linux/amd64", Some("1.19.8")),
            ("v20.20.2\n", Some("20.20.2")),
            ("wrk debian/4.1.0-3+b2 [epoll]", Some("4.1.0-3+b2")),
            ("no such command", None),
        ] {
            assert_eq!(version_in(said).as_deref(), expected, "{said}");
        }
    }

    #[test]
    fn what_is_missing_comes_with_the_commands_that_install_it() {
        let commands = install(&["cargo install oha", "wget", "wrk"]);
        assert_eq!(commands, "apt-get install wget wrk; cargo install oha");
    }

    #[test]
    fn every_client_has_a_path_of_its_own() {
        let paths: std::collections::BTreeSet<_> = all().iter().map(Client::path).collect();
        assert_eq!(paths.len(), all().len());
    }
}

//! `greenlight status`: what a running edge says about itself.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::Exit;

/// An edge answers within microseconds.
const DEADLINE: Duration = Duration::from_secs(5);
/// Against an endless answer, should the URL not be an edge's.
const MAX_ANSWER: usize = 4 << 20;

/// Why there is no status.
#[derive(Debug, thiserror::Error)]
enum StatusError {
    #[error("{url} does not answer: {}", crate::causes(.source))]
    Unreachable { url: String, source: reqwest::Error },
    #[error("{url} answers {found}, expected 200")]
    Code { url: String, found: reqwest::StatusCode },
    #[error("{url} answers more than {MAX_ANSWER} bytes")]
    TooLong { url: String },
    #[error("{url} does not answer JSON: {source}")]
    Json { url: String, source: serde_json::Error },
}

pub(crate) fn status(admin: &str, json: bool) -> Result<(), Exit> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
            eprintln!("greenlight: {error}");
            Exit::Failed
        })?;
    match runtime.block_on(fetch(admin)) {
        Ok((text, _)) if json => println!("{}", text.trim_end()),
        Ok((_, status)) => print!("{}", describe(&status)),
        Err(error) => {
            eprintln!("greenlight: {error}");
            return Err(Exit::Unreachable);
        }
    }
    Ok(())
}

async fn fetch(admin: &str) -> Result<(String, Value), StatusError> {
    let url = format!("{}/status", admin.trim_end_matches('/'));
    let unreachable = |source: reqwest::Error| StatusError::Unreachable {
        url: url.clone(),
        source: source.without_url(),
    };
    // The admin listener is on loopback, where no proxy of the environment leads.
    let client =
        reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().map_err(unreachable)?;
    let mut response = client.get(&url).send().await.map_err(unreachable)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(StatusError::Code { url: url.clone(), found: response.status() });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_ANSWER {
            return Err(StatusError::TooLong { url: url.clone() });
        }
    }
    let status = serde_json::from_slice(&bytes)
        .map_err(|source| StatusError::Json { url: url.clone(), source })?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), status))
}

/// The status for people. What an edge does not say is left out.
fn describe(status: &Value) -> String {
    let mut out = String::new();
    let mut line = |name: &str, text: String| {
        if !text.is_empty() {
            let _ = writeln!(out, "{name:<12}{text}");
        }
    };
    line("mode", join([text(status, "/mode"), note(text(status, "/reason"))]));
    let artifact = [text(status, "/artifact/digest"), note(text(status, "/artifact/phase"))];
    line("artifact", join(artifact));
    line("id", text(status, "/artifact/id"));
    line("rows", text(status, "/artifact/rows"));
    line("sequence", text(status, "/sequence"));
    let age =
        millis(status, "/head/age_ms").map_or(String::new(), |age| format!("advanced {age} ago"));
    line("head", join([text(status, "/head/number"), age]));
    let bits = ["kill", "rollback", "paused"].map(|bit| {
        match text(status, &format!("/head/{bit}")).as_str() {
            "true" => bit.to_owned(),
            _ => String::new(),
        }
    });
    line("bits", join(bits));
    line("source", join([text(status, "/source/kind"), text(status, "/source/endpoint")]));
    line("error", join([text(status, "/source/last_error"), text(status, "/error")]));
    line("state", text(status, "/store_error"));
    for refused in status.pointer("/quarantine").and_then(Value::as_array).into_iter().flatten() {
        line("quarantine", join([text(refused, "/digest"), note(text(refused, "/reason"))]));
    }
    line("faults", text(status, "/proxy/faults"));
    line("up", format!("{} s", text(status, "/proxy/uptime_seconds")));
    out
}

fn millis(value: &Value, pointer: &str) -> Option<String> {
    let millis = Duration::from_millis(value.pointer(pointer)?.as_u64()?);
    Some(format!("{:.1} s", millis.as_secs_f64()))
}

fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn note(text: String) -> String {
    if text.is_empty() { text } else { format!("({text})") }
}

fn join<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

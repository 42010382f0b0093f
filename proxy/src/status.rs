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
    #[error(
        "{url} is not an edge: expected an answer with \"mode\" and \"proxy\", found other JSON"
    )]
    NotAnEdge { url: String },
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
    if !is_of_an_edge(&status) {
        return Err(StatusError::NotAnEdge { url });
    }
    Ok((String::from_utf8_lossy(&bytes).into_owned(), status))
}

/// What every edge says, with a watcher or without.
fn is_of_an_edge(status: &Value) -> bool {
    let has = |pointer, is: fn(&Value) -> bool| status.pointer(pointer).is_some_and(is);
    has("/mode", Value::is_string) && has("/proxy/uptime_seconds", Value::is_u64)
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
    line("head", list([text(status, "/head/number"), old(status, "/head")]));
    let bits = ["kill", "rollback", "paused"].map(|bit| flag(status, &format!("/head/{bit}"), bit));
    line("bits", join(bits));
    let stale = note(flag(status, "/stale", "stale"));
    line("source", join([text(status, "/source/kind"), text(status, "/source/network"), stale]));
    let voted = text(status, "/source/participation/voted");
    let of = text(status, "/source/participation/of");
    let signed = if voted.is_empty() { voted } else { format!("{voted} of {of} signed") };
    line("newest", list([head(status, "/source/newest"), old(status, "/source/newest"), signed]));
    let age = old(status, "/source/finalized");
    line("finalized", list([head(status, "/source/finalized"), age]));
    line("period", text(status, "/source/period"));
    line("endpoint", text(status, "/source/endpoint"));
    line("rpc", text(status, "/source/rpc"));
    let failures = text(status, "/source/failures");
    line("failures", if failures == "0" { String::new() } else { failures });
    let error = join([text(status, "/source/last_error"), text(status, "/error")]);
    line("error", join([error, note(text(status, "/source/last_reason"))]));
    for endpoint in failing(status) {
        line("failing", endpoint);
    }
    line("state", text(status, "/store_error"));
    for refused in status.pointer("/quarantine").and_then(Value::as_array).into_iter().flatten() {
        line("quarantine", join([text(refused, "/digest"), note(text(refused, "/reason"))]));
    }
    line("faults", text(status, "/proxy/faults"));
    line("up", format!("{} s", text(status, "/proxy/uptime_seconds")));
    out
}

/// Endpoints that are not of use now, and why.
fn failing(status: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for api in status.pointer("/source/apis").and_then(Value::as_array).into_iter().flatten() {
        for endpoint in api.pointer("/endpoints").and_then(Value::as_array).into_iter().flatten() {
            let failures = text(endpoint, "/failures");
            if !matches!(failures.as_str(), "" | "0") {
                let name = join([text(api, "/api"), text(endpoint, "/endpoint")]);
                let times = format!("{failures} in a row");
                all.push(list([name, times, text(endpoint, "/last_reason")]));
            }
        }
    }
    all
}

/// Slot, where there is one, and block.
fn head(status: &Value, pointer: &str) -> String {
    let named = |name: &str, key: &str| match text(status, &format!("{pointer}/{key}")) {
        text if text.is_empty() => text,
        text => format!("{name} {text}"),
    };
    list([named("slot", "slot"), named("block", "number")])
}

fn old(status: &Value, pointer: &str) -> String {
    let age = status.pointer(&format!("{pointer}/age_ms")).and_then(Value::as_u64);
    age.map_or(String::new(), |age| format!("{} old", span(Duration::from_millis(age))))
}

/// A duration by its two largest units.
fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if minutes == 0 => format!("{:.1} s", duration.as_secs_f64()),
        () if hours == 0 => format!("{minutes} min {} s", seconds % 60),
        () if days == 0 => format!("{hours} h {} min", minutes % 60),
        () => format!("{days} d {} h", hours % 24),
    }
}

fn flag(value: &Value, pointer: &str, name: &str) -> String {
    let set = value.pointer(pointer).and_then(Value::as_bool).unwrap_or(false);
    if set { name.to_owned() } else { String::new() }
}

/// Errors repeat what an endpoint answered, and that is not to move a terminal's cursor.
fn text(value: &Value, pointer: &str) -> String {
    let mut plain = String::new();
    let text = match value.pointer(pointer) {
        None | Some(Value::Null) => return plain,
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    for char in text.chars() {
        if char.is_control() { plain.extend(char.escape_default()) } else { plain.push(char) }
    }
    plain
}

fn note(text: String) -> String {
    if text.is_empty() { text } else { format!("({text})") }
}

fn join<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn list<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;

//! How the URLs of endpoints are written, and how much of one a mistake may show: user, password, path and query hold
//! keys, so no more than scheme and host.

use reqwest::Url;
use toml::de::DeValue;

pub(super) const URL: &str =
    "an \"http://\" or \"https://\" URL with a host, and without spaces, a fragment or port 0";

/// Longest host that is shown, in characters.
const HOST: usize = 60;

pub(super) fn url(value: &DeValue<'_>) -> Result<String, Option<String>> {
    let text = value.as_str().ok_or(None)?;
    match fault(text) {
        None => Ok(text.to_owned()),
        Some(found) => Err(Some(found)),
    }
}

/// What keeps a text from being the URL of an endpoint. Parsers mend much of it, or drop it, without a word.
fn fault(text: &str) -> Option<String> {
    let shown = || shown(text).unwrap_or_else(|| "a text that begins with neither".to_owned());
    let found = |what: &str| Some(format!("{what} in {}", shown()));
    if text.contains(|char: char| char.is_whitespace() || char.is_control()) {
        return found("a space or control character");
    }
    let Some(scheme) = ["http", "https"].into_iter().find(|scheme| has_scheme(text, scheme)) else {
        return Some(shown());
    };
    let rest = text.get(scheme.len()..).unwrap_or_default();
    let Some(rest) = rest.strip_prefix("://") else {
        return Some(format!("\"{scheme}:\" without \"//\""));
    };
    match Url::parse(text) {
        Err(error) => found(&error.to_string()),
        Ok(_) if rest.starts_with(['/', '\\']) => found("no host"),
        Ok(url) if url.port() == Some(0) => found("port 0"),
        Ok(url) if url.fragment().is_some() => found("a fragment"),
        Ok(_) => None,
    }
}

fn has_scheme(text: &str, scheme: &str) -> bool {
    text.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(scheme))
}

/// Whether a text may be a URL, or was meant as one, wherever it stands.
pub(super) fn is_like(text: &str) -> bool {
    text.contains("//") || text.contains('@')
}

/// Scheme and host of a text that is no URL of an endpoint, if they can be told from the rest, or the scheme alone.
pub(super) fn shown(text: &str) -> Option<String> {
    // An "@" that the parser does not take for the end of a user part leaves open where that ends.
    let is_plain = |url: &Url| !text.contains('@') || has_user(url);
    if let Some(url) = Url::parse(text).ok().filter(is_plain)
        && let Some(host) = url.host_str()
    {
        let whole = format!("{}://{host}", url.scheme());
        let short: String = host.chars().take(HOST).collect();
        let more = if text == whole && short == host { "" } else { "…" };
        return Some(format!("\"{}://{short}{more}\"", url.scheme()));
    }
    let known = ["https://", "http://", "wss://", "ws://"];
    let scheme = known.into_iter().find(|known| text.trim_start().starts_with(known))?;
    Some(format!("\"{scheme}…\""))
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests;

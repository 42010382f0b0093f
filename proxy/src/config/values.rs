//! How single values of the configuration are written.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::header::HeaderName;
use ipnet::IpNet;
use toml::de::DeValue;

pub(crate) const ADDRESS: &str = "an address and port such as \"127.0.0.1:8080\"";
pub(crate) const AUTHORITY: &str =
    "a host and port such as \"10.0.0.5:8000\" or \"origin.example:443\"";
pub(crate) const BOOLEAN: &str = "true or false";
pub(crate) const CIDR: &str = "a network such as \"10.0.0.0/8\" with no host bits, or one address";
pub(crate) const CONTRACT: &str = "a contract's address: \"0x\" and 40 hex digits";
pub(crate) const DURATION: &str =
    "a duration above zero such as \"500ms\", \"2s\", \"1m30s\" or \"6h\", at most \"3650d\"";
pub(crate) const DURATION_OR_ZERO: &str =
    "a duration such as \"0s\", \"2s\" or \"1m30s\", at most \"3650d\"";
pub(crate) const FORK_VERSION: &str = "a fork's version: \"0x\" and 8 hex digits";
pub(crate) const HEADER: &str = "the name of a header field";
pub(crate) const ROOT: &str = "a root: \"0x\" and 64 hex digits, not all of them 0";
pub(crate) const TEXT: &str = "a text of 1 to 255 printable ASCII characters";

/// A host and port to connect to. Names are resolved later, and again as they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) host: String,
    pub(crate) port: u16,
}

pub(crate) fn boolean(value: &DeValue<'_>) -> Option<bool> {
    value.as_bool()
}

/// An integer of any of TOML's notations, within `min..=max`.
pub(crate) fn integer(min: u64, max: u64) -> impl Fn(&DeValue<'_>) -> Option<u64> {
    move |value| {
        let integer = value.as_integer()?;
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok()?;
        (min..=max).contains(&number).then_some(number)
    }
}

pub(crate) fn text(value: &DeValue<'_>) -> Option<String> {
    let text = value.as_str()?;
    let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    (printable && (1..=255).contains(&text.len())).then(|| text.to_owned())
}

pub(crate) fn address(value: &DeValue<'_>) -> Option<SocketAddr> {
    value.as_str()?.parse().ok()
}

pub(crate) fn authority(value: &DeValue<'_>) -> Option<Authority> {
    let text = value.as_str()?;
    if let Ok(address) = text.parse::<SocketAddr>() {
        return (address.port() != 0)
            .then(|| Authority { host: address.ip().to_string(), port: address.port() });
    }
    let (host, port) = text.rsplit_once(':')?;
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // A name that is all digits and dots is an address that did not parse.
    let numeric = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let named = host.len() <= 253 && !numeric && host.trim_end_matches('.').split('.').all(label);
    let port = port.parse().ok().filter(|&port: &u16| port != 0)?;
    named.then(|| Authority { host: host.to_owned(), port })
}

pub(crate) fn cidr(value: &DeValue<'_>) -> Option<IpNet> {
    let text = value.as_str()?;
    match text.parse::<IpNet>() {
        Ok(net) => (net == net.trunc()).then_some(net),
        Err(_) => text.parse::<IpAddr>().ok().map(IpNet::from),
    }
}

/// "0x" and two hex digits a byte. A digit more or less cannot be seen in an excerpt, so their number is told instead.
pub(crate) fn bytes<const N: usize>(value: &DeValue<'_>) -> Result<[u8; N], Option<String>> {
    let text = value.as_str().ok_or(None)?;
    let digits = text.strip_prefix("0x");
    let count = digits.unwrap_or(text).len();
    let plural = if count == 1 { "" } else { "s" };
    match digits.unwrap_or(text).chars().find(|char| !char.is_ascii_hexdigit()) {
        Some(_) if digits.is_none() => return Err(None),
        Some(other) => return Err(Some(format!("{other:?} among the digits"))),
        None if digits.is_none() && count > 0 => {
            return Err(Some(format!("{count} hex digit{plural} without \"0x\"")));
        }
        None => {}
    }
    digits.and_then(decode).ok_or_else(|| Some(format!("{count} hex digit{plural}")))
}

fn decode<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if digits.len() != N.checked_mul(2)? {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        let start = index.checked_mul(2)?;
        *byte = u8::from_str_radix(digits.get(start..start.checked_add(2)?)?, 16).ok()?;
    }
    Some(bytes)
}

/// A hash tree root, which is never zero.
pub(crate) fn root(value: &DeValue<'_>) -> Result<[u8; 32], Option<String>> {
    let root = bytes(value)?;
    if root == [0; 32] { Err(Some("only zeros".to_owned())) } else { Ok(root) }
}

pub(crate) fn header(value: &DeValue<'_>) -> Option<HeaderName> {
    value.as_str()?.parse().ok()
}

pub(crate) fn duration(value: &DeValue<'_>) -> Option<Duration> {
    duration_or_zero(value).filter(|duration| !duration.is_zero())
}

/// Numbers with units, largest first is customary but not needed: `1m30s`. At most ten years.
pub(crate) fn duration_or_zero(value: &DeValue<'_>) -> Option<Duration> {
    let mut rest = value.as_str()?;
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, after) =
            after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let part = number.parse::<u64>().ok()?.checked_mul(millis)?;
        total = total.checked_add(Duration::from_millis(part))?;
        rest = after;
    }
    (total <= Duration::from_secs(3650 * 86_400)).then_some(total)
}

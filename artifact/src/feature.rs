//! The kinds of engine 1 as types, and the words that sources call them by.

use alloc::{
    format,
    string::{String, ToString},
};
use core::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::{
    artifact::Row,
    layout::{ARGUMENT_LEN, array, text_of},
    schema::KindCode,
};

/// What a row of engine 1 looks for in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// The user agent contains this text, in any ASCII case.
    UserAgentContains(String),
    /// There is no user agent, or an empty one.
    UserAgentEmpty,
    /// A header field is there, is not, or has a value.
    Header {
        /// The field name in lower case.
        name: String,
        /// What is asked of it.
        test: HeaderTest,
    },
    /// The method is exactly this.
    Method(String),
    /// The path, without its query, starts with this.
    PathPrefix(String),
    /// The path, without its query, contains this.
    PathContains(String),
    /// The client's address lies in this network.
    Client(Cidr),
    /// The client made more than this many requests within one second.
    RequestRate(u64),
    /// The HTTP version, as ten times the major plus the minor number: 10, 11, 20 or 30.
    HttpVersion(u64),
}

/// What [`Feature::Header`] asks of a field. Values are compared without regard to ASCII case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderTest {
    /// The field is there.
    Present,
    /// The field is not there.
    Absent,
    /// A value of the field is this.
    Equals(String),
    /// A value of the field contains this.
    Contains(String),
}

/// A network: an address whose host bits are zero, and a prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// The network's first address.
    pub address: IpAddr,
    /// Bits that belong to the network.
    pub prefix: u8,
}

/// A feature's source text that cannot be read. Whether the argument may be that is for
/// [`crate::ValidArtifact::check`] to say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeatureError {
    /// No such kind.
    #[error("kind: expected one of {expected}; found {found:?}", expected = KIND_NAMES.join(", "))]
    Kind {
        /// What stood there.
        found: String,
    },
    /// An argument of another form.
    #[error("arg of {kind}: expected {expected}; found {found:?}")]
    Argument {
        /// The kind's name.
        kind: &'static str,
        /// The form that was expected.
        expected: &'static str,
        /// What stood there.
        found: String,
    },
}

const KIND_NAMES: [&str; 13] = [
    "ua-contains",
    "ua-empty",
    "header-present",
    "header-absent",
    "header-equals",
    "header-contains",
    "method",
    "path-prefix",
    "path-contains",
    "client-cidr-v4",
    "client-cidr-v6",
    "request-rate",
    "http-version",
];

impl Feature {
    /// Reads a kind's name and its argument as sources write them.
    ///
    /// # Errors
    /// [`FeatureError`] where there is no such kind, or where the argument is not of its form or longer than 28 bytes.
    pub fn parse(kind: &str, argument: &str) -> Result<Self, FeatureError> {
        let Some(kind) = KIND_NAMES.into_iter().find(|name| *name == kind) else {
            return Err(FeatureError::Kind { found: kind.into() });
        };
        let refuse = |expected| FeatureError::Argument { kind, expected, found: argument.into() };
        // A zero byte would read as padding, and so vanish.
        if argument.len() > ARGUMENT_LEN && !kind.starts_with("client-") || argument.contains('\0')
        {
            return Err(refuse("at most 28 bytes, none of them zero"));
        }
        let text = || String::from(argument);
        let number = || argument.parse::<u64>().map_err(|_| refuse("a whole number"));
        let pair = || argument.split_once(':').ok_or_else(|| refuse("name:value"));
        Ok(match kind {
            "ua-contains" => Self::UserAgentContains(text()),
            "ua-empty" if argument.is_empty() => Self::UserAgentEmpty,
            "ua-empty" => return Err(refuse("nothing")),
            "header-present" => Self::Header { name: text(), test: HeaderTest::Present },
            "header-absent" => Self::Header { name: text(), test: HeaderTest::Absent },
            "header-equals" => {
                let (name, value) = pair()?;
                Self::Header { name: name.into(), test: HeaderTest::Equals(value.into()) }
            }
            "header-contains" => {
                let (name, value) = pair()?;
                Self::Header { name: name.into(), test: HeaderTest::Contains(value.into()) }
            }
            "method" => Self::Method(text()),
            "path-prefix" => Self::PathPrefix(text()),
            "path-contains" => Self::PathContains(text()),
            "client-cidr-v4" => match Cidr::parse(argument) {
                Some(cidr) if cidr.address.is_ipv4() => Self::Client(cidr),
                _ => return Err(refuse("an IPv4 network, as 192.0.2.0/24")),
            },
            "client-cidr-v6" => match Cidr::parse(argument) {
                Some(cidr) if cidr.address.is_ipv6() => Self::Client(cidr),
                _ => return Err(refuse("an IPv6 network, as 2001:db8::/32")),
            },
            "request-rate" => Self::RequestRate(number()?),
            _ => Self::HttpVersion(number()?),
        })
    }

    /// The kind's name in sources.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self {
            Self::UserAgentContains(_) => "ua-contains",
            Self::UserAgentEmpty => "ua-empty",
            Self::Header { test: HeaderTest::Present, .. } => "header-present",
            Self::Header { test: HeaderTest::Absent, .. } => "header-absent",
            Self::Header { test: HeaderTest::Equals(_), .. } => "header-equals",
            Self::Header { test: HeaderTest::Contains(_), .. } => "header-contains",
            Self::Method(_) => "method",
            Self::PathPrefix(_) => "path-prefix",
            Self::PathContains(_) => "path-contains",
            Self::Client(Cidr { address: IpAddr::V4(_), .. }) => "client-cidr-v4",
            Self::Client(Cidr { address: IpAddr::V6(_), .. }) => "client-cidr-v6",
            Self::RequestRate(_) => "request-rate",
            Self::HttpVersion(_) => "http-version",
        }
    }

    /// The argument as sources write it.
    #[must_use]
    pub fn argument_text(&self) -> String {
        match self {
            Self::UserAgentEmpty => String::new(),
            Self::UserAgentContains(text)
            | Self::Method(text)
            | Self::PathPrefix(text)
            | Self::PathContains(text)
            | Self::Header { name: text, test: HeaderTest::Present | HeaderTest::Absent } => {
                text.clone()
            }
            Self::Header {
                name,
                test: HeaderTest::Equals(value) | HeaderTest::Contains(value),
            } => {
                format!("{name}:{value}")
            }
            Self::Client(cidr) => cidr.to_string(),
            Self::RequestRate(number) | Self::HttpVersion(number) => number.to_string(),
        }
    }

    /// Kind, flags and argument bytes. Text beyond 28 bytes is cut: [`Feature::parse`] refuses it before.
    #[must_use]
    pub fn encode(&self) -> (KindCode, u8, [u8; ARGUMENT_LEN]) {
        let (kind, flags) = match self {
            Self::UserAgentContains(_) => (1, 0),
            Self::UserAgentEmpty => (2, 0),
            Self::Header { test: HeaderTest::Present, .. } => (3, 0),
            Self::Header { test: HeaderTest::Absent, .. } => (3, 1),
            Self::Header { test: HeaderTest::Equals(_), .. } => (3, 2),
            Self::Header { test: HeaderTest::Contains(_), .. } => (3, 3),
            Self::Method(_) => (4, 0),
            Self::PathPrefix(_) => (5, 0),
            Self::PathContains(_) => (6, 0),
            Self::Client(Cidr { address: IpAddr::V4(_), .. }) => (7, 0),
            Self::Client(Cidr { address: IpAddr::V6(_), .. }) => (8, 0),
            Self::RequestRate(_) => (9, 0),
            Self::HttpVersion(_) => (10, 0),
        };
        let argument = match self {
            Self::Client(Cidr { address: IpAddr::V4(address), prefix }) => {
                padded(&[&address.octets(), &[*prefix]])
            }
            Self::Client(Cidr { address: IpAddr::V6(address), prefix }) => {
                padded(&[&address.octets(), &[*prefix]])
            }
            Self::RequestRate(number) | Self::HttpVersion(number) => {
                padded(&[&number.to_be_bytes()])
            }
            text => padded(&[text.argument_text().as_bytes()]),
        };
        (kind, flags, argument)
    }

    /// The typed view of a row; `None` for a kind or variant that engine 1 does not have.
    #[must_use]
    pub fn of_row(row: &Row) -> Option<Self> {
        let text = || String::from(text_of(&row.argument));
        let number = u64::from_be_bytes(array(&row.argument, 0));
        let pair = || {
            text_of(&row.argument).split_once(':').map(|(name, value)| (name.into(), value.into()))
        };
        Some(match (row.kind, row.flags) {
            (1, 0) => Self::UserAgentContains(text()),
            (2, 0) => Self::UserAgentEmpty,
            (3, 0) => Self::Header { name: text(), test: HeaderTest::Present },
            (3, 1) => Self::Header { name: text(), test: HeaderTest::Absent },
            (3, 2) => {
                let (name, value) = pair()?;
                Self::Header { name, test: HeaderTest::Equals(value) }
            }
            (3, 3) => {
                let (name, value) = pair()?;
                Self::Header { name, test: HeaderTest::Contains(value) }
            }
            (4, 0) => Self::Method(text()),
            (5, 0) => Self::PathPrefix(text()),
            (6, 0) => Self::PathContains(text()),
            (7, 0) => {
                let address = Ipv4Addr::from(array::<4>(&row.argument, 0));
                Self::Client(Cidr {
                    address: address.into(),
                    prefix: u8::from_be_bytes(array(&row.argument, 4)),
                })
            }
            (8, 0) => {
                let address = Ipv6Addr::from(array::<16>(&row.argument, 0));
                Self::Client(Cidr {
                    address: address.into(),
                    prefix: u8::from_be_bytes(array(&row.argument, 16)),
                })
            }
            (9, 0) => Self::RequestRate(number),
            (10, 0) => Self::HttpVersion(number),
            _ => return None,
        })
    }
}

impl Cidr {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        Some(Self { address: address.parse().ok()?, prefix: prefix.parse().ok()? })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn padded(parts: &[&[u8]]) -> [u8; ARGUMENT_LEN] {
    let mut argument = [0; ARGUMENT_LEN];
    for (target, byte) in argument.iter_mut().zip(parts.iter().copied().flatten()) {
        *target = *byte;
    }
    argument
}

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
    /// The user agent has more bytes than this.
    UserAgentLongerThan(u64),
    /// The user agent has fewer bytes than this. One that is not there has none.
    UserAgentShorterThan(u64),
    /// The request claims to be of a known crawler, and was found not to be.
    CrawlerUnverified,
    /// The user agent is that of a Chromium whose client hints are not there.
    HintsMissing,
    /// The client hints name another browser, version or platform than the user agent.
    HintsContradict,
    /// A header field is there, is not, or has a value.
    Header {
        /// The field name in lower case.
        name: String,
        /// What is asked of it.
        test: HeaderTest,
    },
    /// There are more header fields than this.
    HeaderCountOver(u64),
    /// There are fewer header fields than this.
    HeaderCountUnder(u64),
    /// The value of a header field has more bytes than this.
    HeaderLongerThan(u64),
    /// A header field that clients send once is there more than once.
    HeaderRepeated,
    /// The order of the header fields, written as a word, contains this text.
    HeaderOrder(String),
    /// There is an `accept-language` that is no list of language ranges.
    AcceptLanguageMalformed,
    /// A request over HTTP/2 has fields that only HTTP/1 has.
    Http1Fields,
    /// The method is exactly this.
    Method(String),
    /// The path, without its query, starts with this.
    PathPrefix(String),
    /// The path, without its query, contains this.
    PathContains(String),
    /// The path has more segments than this.
    PathDepthOver(u64),
    /// The path's characters have more entropy than this, in hundredths of a bit each.
    PathEntropyOver(u64),
    /// The path is one that vulnerability scanners ask for.
    ScannerPath,
    /// The client's address lies in this network.
    Client(Cidr),
    /// The client made more than this many requests within one second.
    RequestRate(u64),
    /// The client asked for more than this many different paths of late.
    DistinctPathsOver(u64),
    /// More than this many percent of the client's requests were answered with an error of its own (4xx) of late.
    ErrorRatioOver(u64),
    /// The gaps between the client's requests vary by less than this many percent of their mean.
    GapVariationUnder(u64),
    /// The JA4 fingerprint of the client's TLS handshake contains this text.
    Ja4Contains(String),
    /// The fingerprint of the client's HTTP/2 settings contains this text.
    Http2Contains(String),
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
    #[error("kind: expected one of {expected}; found {found:?}", expected = KINDS.each_ref().map(|kind| kind.name).join(", "))]
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

/// How a kind's argument is written.
#[derive(Clone, Copy)]
enum Form {
    Nothing,
    Text,
    /// `name:value`.
    Pair,
    Number,
    V4,
    V6,
}

/// An argument by its form.
enum Argument<'a> {
    Nothing,
    Text(&'a str),
    Pair(&'a str, &'a str),
    Number(u64),
    Cidr(Cidr),
}

/// One kind of engine 1, or one variant of a kind.
struct Kind {
    /// Its name in sources.
    name: &'static str,
    code: KindCode,
    flags: u8,
    form: Form,
    /// `None` for an argument of another form.
    feature: fn(Argument<'_>) -> Option<Feature>,
}

const fn nothing(
    name: &'static str,
    code: KindCode,
    feature: fn(Argument<'_>) -> Option<Feature>,
) -> Kind {
    Kind { name, code, flags: 0, form: Form::Nothing, feature }
}

const fn text(
    name: &'static str,
    code: KindCode,
    feature: fn(Argument<'_>) -> Option<Feature>,
) -> Kind {
    Kind { name, code, flags: 0, form: Form::Text, feature }
}

const fn number(
    name: &'static str,
    code: KindCode,
    feature: fn(Argument<'_>) -> Option<Feature>,
) -> Kind {
    Kind { name, code, flags: 0, form: Form::Number, feature }
}

const fn header(
    name: &'static str,
    flags: u8,
    form: Form,
    feature: fn(Argument<'_>) -> Option<Feature>,
) -> Kind {
    Kind { name, code: 3, flags, form, feature }
}

/// Every kind, in the order in which people look for them.
const KINDS: [Kind; 33] = [
    text("ua-contains", 1, |of| Some(Feature::UserAgentContains(of.text()?))),
    nothing("ua-empty", 2, |_| Some(Feature::UserAgentEmpty)),
    number("ua-longer-than", 11, |of| Some(Feature::UserAgentLongerThan(of.number()?))),
    number("ua-shorter-than", 12, |of| Some(Feature::UserAgentShorterThan(of.number()?))),
    nothing("crawler-unverified", 13, |_| Some(Feature::CrawlerUnverified)),
    nothing("hints-missing", 14, |_| Some(Feature::HintsMissing)),
    nothing("hints-contradict", 15, |_| Some(Feature::HintsContradict)),
    header("header-present", 0, Form::Text, |of| {
        Some(Feature::Header { name: of.text()?, test: HeaderTest::Present })
    }),
    header("header-absent", 1, Form::Text, |of| {
        Some(Feature::Header { name: of.text()?, test: HeaderTest::Absent })
    }),
    header("header-equals", 2, Form::Pair, |of| {
        let (name, value) = of.pair()?;
        Some(Feature::Header { name, test: HeaderTest::Equals(value) })
    }),
    header("header-contains", 3, Form::Pair, |of| {
        let (name, value) = of.pair()?;
        Some(Feature::Header { name, test: HeaderTest::Contains(value) })
    }),
    number("header-count-over", 16, |of| Some(Feature::HeaderCountOver(of.number()?))),
    number("header-count-under", 17, |of| Some(Feature::HeaderCountUnder(of.number()?))),
    number("header-longer-than", 18, |of| Some(Feature::HeaderLongerThan(of.number()?))),
    nothing("header-repeated", 19, |_| Some(Feature::HeaderRepeated)),
    text("header-order", 20, |of| Some(Feature::HeaderOrder(of.text()?))),
    nothing("accept-language-malformed", 21, |_| Some(Feature::AcceptLanguageMalformed)),
    nothing("http1-fields", 22, |_| Some(Feature::Http1Fields)),
    text("method", 4, |of| Some(Feature::Method(of.text()?))),
    text("path-prefix", 5, |of| Some(Feature::PathPrefix(of.text()?))),
    text("path-contains", 6, |of| Some(Feature::PathContains(of.text()?))),
    number("path-depth-over", 23, |of| Some(Feature::PathDepthOver(of.number()?))),
    number("path-entropy-over", 24, |of| Some(Feature::PathEntropyOver(of.number()?))),
    nothing("scanner-path", 25, |_| Some(Feature::ScannerPath)),
    Kind {
        name: "client-cidr-v4",
        code: 7,
        flags: 0,
        form: Form::V4,
        feature: |of| Some(Feature::Client(of.cidr()?)),
    },
    Kind {
        name: "client-cidr-v6",
        code: 8,
        flags: 0,
        form: Form::V6,
        feature: |of| Some(Feature::Client(of.cidr()?)),
    },
    number("request-rate", 9, |of| Some(Feature::RequestRate(of.number()?))),
    number("distinct-paths-over", 26, |of| Some(Feature::DistinctPathsOver(of.number()?))),
    number("error-ratio-over", 27, |of| Some(Feature::ErrorRatioOver(of.number()?))),
    number("gap-variation-under", 28, |of| Some(Feature::GapVariationUnder(of.number()?))),
    text("ja4-contains", 29, |of| Some(Feature::Ja4Contains(of.text()?))),
    text("http2-contains", 30, |of| Some(Feature::Http2Contains(of.text()?))),
    number("http-version", 10, |of| Some(Feature::HttpVersion(of.number()?))),
];

impl Feature {
    /// The names of all kinds in sources.
    pub fn kind_names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|kind| kind.name)
    }

    /// Reads a kind's name and its argument as sources write them.
    ///
    /// # Errors
    /// [`FeatureError`] where there is no such kind, or where the argument is not of its form or longer than 28 bytes.
    pub fn parse(kind: &str, argument: &str) -> Result<Self, FeatureError> {
        let Some(kind) = KINDS.iter().find(|known| known.name == kind) else {
            return Err(FeatureError::Kind { found: kind.into() });
        };
        let refuse =
            |expected| FeatureError::Argument { kind: kind.name, expected, found: argument.into() };
        // A zero byte would read as padding, and so vanish.
        if argument.len() > ARGUMENT_LEN && !matches!(kind.form, Form::V4 | Form::V6)
            || argument.contains('\0')
        {
            return Err(refuse("at most 28 bytes, none of them zero"));
        }
        let read = kind.form.read(argument).and_then(kind.feature);
        read.ok_or_else(|| refuse(kind.form.expected()))
    }

    /// The kind's name in sources.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self {
            Self::UserAgentContains(_) => "ua-contains",
            Self::UserAgentEmpty => "ua-empty",
            Self::UserAgentLongerThan(_) => "ua-longer-than",
            Self::UserAgentShorterThan(_) => "ua-shorter-than",
            Self::CrawlerUnverified => "crawler-unverified",
            Self::HintsMissing => "hints-missing",
            Self::HintsContradict => "hints-contradict",
            Self::Header { test: HeaderTest::Present, .. } => "header-present",
            Self::Header { test: HeaderTest::Absent, .. } => "header-absent",
            Self::Header { test: HeaderTest::Equals(_), .. } => "header-equals",
            Self::Header { test: HeaderTest::Contains(_), .. } => "header-contains",
            Self::HeaderCountOver(_) => "header-count-over",
            Self::HeaderCountUnder(_) => "header-count-under",
            Self::HeaderLongerThan(_) => "header-longer-than",
            Self::HeaderRepeated => "header-repeated",
            Self::HeaderOrder(_) => "header-order",
            Self::AcceptLanguageMalformed => "accept-language-malformed",
            Self::Http1Fields => "http1-fields",
            Self::Method(_) => "method",
            Self::PathPrefix(_) => "path-prefix",
            Self::PathContains(_) => "path-contains",
            Self::PathDepthOver(_) => "path-depth-over",
            Self::PathEntropyOver(_) => "path-entropy-over",
            Self::ScannerPath => "scanner-path",
            Self::Client(Cidr { address: IpAddr::V4(_), .. }) => "client-cidr-v4",
            Self::Client(Cidr { address: IpAddr::V6(_), .. }) => "client-cidr-v6",
            Self::RequestRate(_) => "request-rate",
            Self::DistinctPathsOver(_) => "distinct-paths-over",
            Self::ErrorRatioOver(_) => "error-ratio-over",
            Self::GapVariationUnder(_) => "gap-variation-under",
            Self::Ja4Contains(_) => "ja4-contains",
            Self::Http2Contains(_) => "http2-contains",
            Self::HttpVersion(_) => "http-version",
        }
    }

    /// The argument as sources write it.
    #[must_use]
    pub fn argument_text(&self) -> String {
        match self.argument() {
            Argument::Nothing => String::new(),
            Argument::Text(text) => text.into(),
            Argument::Pair(name, value) => format!("{name}:{value}"),
            Argument::Number(number) => number.to_string(),
            Argument::Cidr(cidr) => cidr.to_string(),
        }
    }

    /// Kind, flags and argument bytes. Text beyond 28 bytes is cut: [`Feature::parse`] refuses it before.
    #[must_use]
    pub fn encode(&self) -> (KindCode, u8, [u8; ARGUMENT_LEN]) {
        let name = self.kind_name();
        // Every name is in the table; kind 0 exists in no schema.
        let (kind, flags) = KINDS
            .iter()
            .find(|kind| kind.name == name)
            .map_or((0, 0), |kind| (kind.code, kind.flags));
        let argument = match self.argument() {
            Argument::Nothing => [0; ARGUMENT_LEN],
            Argument::Text(text) => padded(&[text.as_bytes()]),
            Argument::Pair(name, value) => padded(&[name.as_bytes(), b":", value.as_bytes()]),
            Argument::Number(number) => padded(&[&number.to_be_bytes()]),
            Argument::Cidr(Cidr { address: IpAddr::V4(address), prefix }) => {
                padded(&[&address.octets(), &[prefix]])
            }
            Argument::Cidr(Cidr { address: IpAddr::V6(address), prefix }) => {
                padded(&[&address.octets(), &[prefix]])
            }
        };
        (kind, flags, argument)
    }

    /// The typed view of a row; `None` for a kind or variant that engine 1 does not have.
    #[must_use]
    pub fn of_row(row: &Row) -> Option<Self> {
        let kind = KINDS.iter().find(|kind| (kind.code, kind.flags) == (row.kind, row.flags))?;
        (kind.feature)(kind.form.decode(&row.argument)?)
    }

    fn argument(&self) -> Argument<'_> {
        match self {
            Self::UserAgentEmpty
            | Self::CrawlerUnverified
            | Self::HintsMissing
            | Self::HintsContradict
            | Self::HeaderRepeated
            | Self::AcceptLanguageMalformed
            | Self::Http1Fields
            | Self::ScannerPath => Argument::Nothing,
            Self::UserAgentContains(text)
            | Self::HeaderOrder(text)
            | Self::Method(text)
            | Self::PathPrefix(text)
            | Self::PathContains(text)
            | Self::Ja4Contains(text)
            | Self::Http2Contains(text)
            | Self::Header { name: text, test: HeaderTest::Present | HeaderTest::Absent } => {
                Argument::Text(text)
            }
            Self::Header {
                name,
                test: HeaderTest::Equals(value) | HeaderTest::Contains(value),
            } => Argument::Pair(name, value),
            Self::UserAgentLongerThan(number)
            | Self::UserAgentShorterThan(number)
            | Self::HeaderCountOver(number)
            | Self::HeaderCountUnder(number)
            | Self::HeaderLongerThan(number)
            | Self::PathDepthOver(number)
            | Self::PathEntropyOver(number)
            | Self::RequestRate(number)
            | Self::DistinctPathsOver(number)
            | Self::ErrorRatioOver(number)
            | Self::GapVariationUnder(number)
            | Self::HttpVersion(number) => Argument::Number(*number),
            Self::Client(cidr) => Argument::Cidr(*cidr),
        }
    }
}

impl Form {
    const fn expected(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text => "text",
            Self::Pair => "name:value",
            Self::Number => "a whole number from 1 on",
            Self::V4 => "an IPv4 network, as 192.0.2.0/24",
            Self::V6 => "an IPv6 network, as 2001:db8::/32",
        }
    }

    /// An argument as sources write it.
    fn read(self, text: &str) -> Option<Argument<'_>> {
        Some(match self {
            Self::Nothing if text.is_empty() => Argument::Nothing,
            Self::Nothing => return None,
            Self::Text => Argument::Text(text),
            Self::Pair => {
                let (name, value) = text.split_once(':')?;
                Argument::Pair(name, value)
            }
            Self::Number => Argument::Number(text.parse().ok().filter(|number| *number > 0)?),
            Self::V4 => Argument::Cidr(Cidr::parse(text).filter(|cidr| cidr.address.is_ipv4())?),
            Self::V6 => Argument::Cidr(Cidr::parse(text).filter(|cidr| cidr.address.is_ipv6())?),
        })
    }

    /// An argument as rows carry it.
    fn decode(self, bytes: &[u8; ARGUMENT_LEN]) -> Option<Argument<'_>> {
        let cidr = |address: IpAddr, length| {
            Argument::Cidr(Cidr { address, prefix: u8::from_be_bytes(array(bytes, length)) })
        };
        Some(match self {
            Self::Nothing => Argument::Nothing,
            Self::Text => Argument::Text(text_of(bytes)),
            Self::Pair => {
                let (name, value) = text_of(bytes).split_once(':')?;
                Argument::Pair(name, value)
            }
            Self::Number => Argument::Number(u64::from_be_bytes(array(bytes, 0))),
            Self::V4 => cidr(Ipv4Addr::from(array::<4>(bytes, 0)).into(), 4),
            Self::V6 => cidr(Ipv6Addr::from(array::<16>(bytes, 0)).into(), 16),
        })
    }
}

impl Argument<'_> {
    fn text(&self) -> Option<String> {
        if let Self::Text(text) = self { Some((*text).into()) } else { None }
    }

    fn pair(&self) -> Option<(String, String)> {
        if let Self::Pair(name, value) = self {
            Some(((*name).into(), (*value).into()))
        } else {
            None
        }
    }

    const fn number(&self) -> Option<u64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    const fn cidr(&self) -> Option<Cidr> {
        if let Self::Cidr(cidr) = self { Some(*cidr) } else { None }
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

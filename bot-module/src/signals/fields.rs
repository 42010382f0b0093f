//! What is gathered of the header fields in the pass that looks for rows.

use greenlight_artifact::{FORWARDING_FIELDS, HEADER_ORDER_CODES, HEADER_ORDER_OTHER};
use http::Version;

use super::{accept_language, header_order::HeaderOrder, hints::Hints};

/// What the rows of a model ask of the fields as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wants {
    /// How many, how long, how often.
    pub(crate) counts: bool,
    /// In which order.
    pub(crate) order: bool,
    /// How long the user agent is.
    pub(crate) agent: bool,
    /// The client hints, and the user agent beside them.
    pub(crate) hints: bool,
    /// Whether `accept-language` is one.
    pub(crate) language: bool,
    /// Whether there are fields of HTTP/1.
    pub(crate) http1: bool,
}

/// What a field is to the signals, beside what it is to rows that name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing of the below.
    Other,
    /// Added by proxies: counts for nothing.
    Forwarding,
    /// May be cut into crumbs, which count as one; and is as long as the site made it.
    Cookie,
    /// Is as long as the site's tokens.
    Authorization,
    UserAgent,
    AcceptLanguage,
    Brands,
    Mobile,
    Platform,
    /// Belongs to a connection of HTTP/1 (RFC 9113, 8.2.2).
    Http1,
    Upgrade,
    /// As [`Role::Http1`], unless it says `trailers`.
    Te,
}

/// A field's part in the signals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) role: Role,
    /// Its letter in the word for the order.
    pub(crate) code: u8,
}

impl Part {
    /// That of a field of which nothing is known.
    pub(crate) const OTHER: Self = Self { role: Role::Other, code: HEADER_ORDER_OTHER };
}

const ROLES: [(&str, Role); 13] = [
    ("cookie", Role::Cookie),
    ("authorization", Role::Authorization),
    ("user-agent", Role::UserAgent),
    ("accept-language", Role::AcceptLanguage),
    ("sec-ch-ua", Role::Brands),
    ("sec-ch-ua-mobile", Role::Mobile),
    ("sec-ch-ua-platform", Role::Platform),
    ("connection", Role::Http1),
    ("keep-alive", Role::Http1),
    ("proxy-connection", Role::Http1),
    ("transfer-encoding", Role::Http1),
    ("upgrade", Role::Upgrade),
    ("te", Role::Te),
];

impl Wants {
    /// Whether anything is asked for.
    pub(crate) const fn any(&self) -> bool {
        self.counts || self.order || self.agent || self.hints || self.language || self.http1
    }

    /// The fields that have a part in what is asked for.
    pub(crate) fn parts(&self) -> Vec<(&'static str, Part)> {
        let mut parts: Vec<(&str, Part)> = Vec::new();
        if self.counts || self.order {
            let forwarding = Part { role: Role::Forwarding, ..Part::OTHER };
            parts.extend(FORWARDING_FIELDS.map(|name| (name, forwarding)));
        }
        parts.extend(
            ROLES
                .iter()
                .filter(|(_, role)| self.asks(*role))
                .map(|(name, role)| (*name, Part { role: *role, ..Part::OTHER })),
        );
        if self.order {
            for (code, name) in HEADER_ORDER_CODES {
                match parts.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, part)) => part.code = code,
                    None => parts.push((name, Part { code, ..Part::OTHER })),
                }
            }
        }
        parts
    }

    const fn asks(&self, role: Role) -> bool {
        match role {
            Role::Other => false,
            Role::Forwarding | Role::Cookie | Role::Authorization => self.counts || self.order,
            Role::UserAgent => self.agent || self.hints,
            Role::AcceptLanguage => self.language,
            Role::Brands | Role::Mobile | Role::Platform => self.hints,
            Role::Http1 | Role::Te => self.http1,
            Role::Upgrade => self.http1 || self.hints,
        }
    }
}

/// What was gathered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    /// How many fields there are, crumbs of `cookie` counting as one and those of proxies not at all.
    pub(crate) count: u64,
    /// The bytes of the longest value, of all but `cookie`, `authorization` and those of proxies.
    pub(crate) longest: u64,
    /// Whether a field other than `cookie` and those of proxies is there more than once.
    pub(crate) repeated: bool,
    pub(crate) order: HeaderOrder,
    pub(crate) hints: Hints<'a>,
    agents: Option<Lengths>,
    pub(crate) language_malformed: bool,
    http1: bool,
}

/// The lengths of the values of a field.
#[derive(Clone, Copy, Debug)]
struct Lengths {
    shortest: u64,
    longest: u64,
}

impl<'a> Fields<'a> {
    pub(crate) fn none() -> Self {
        Self {
            count: 0,
            longest: 0,
            repeated: false,
            order: HeaderOrder::begin(),
            hints: Hints::default(),
            agents: None,
            language_malformed: false,
            http1: false,
        }
    }

    /// Notes a value of a field. The values of one field follow upon one another; `first` is true of the first.
    #[inline]
    pub(crate) fn note(&mut self, wants: &Wants, part: Part, first: bool, value: &'a [u8]) {
        let length = value.len() as u64;
        match part.role {
            Role::Forwarding => return,
            Role::Cookie if !first => return,
            Role::Other | Role::Cookie | Role::Authorization => {}
            Role::UserAgent => self.note_agent(value),
            Role::AcceptLanguage => self.language_malformed |= accept_language::is_malformed(value),
            Role::Brands => self.hints.brands.add(value),
            Role::Mobile => self.hints.mobile.add(value),
            Role::Platform => self.hints.platform.add(value),
            Role::Http1 => self.http1 = true,
            Role::Upgrade => {
                self.http1 = true;
                self.hints.upgrade = true;
            }
            Role::Te => self.http1 |= !value.eq_ignore_ascii_case(b"trailers"),
        }
        self.count = self.count.saturating_add(1);
        if !matches!(part.role, Role::Cookie | Role::Authorization) {
            self.longest = self.longest.max(length);
        }
        self.repeated |= !first;
        if first && wants.order {
            self.order.push(part.code);
        }
    }

    fn note_agent(&mut self, value: &'a [u8]) {
        let length = value.len() as u64;
        self.hints.agent = self.hints.agent.or(Some(value));
        self.agents =
            Some(self.agents.map_or(Lengths { shortest: length, longest: length }, |of| Lengths {
                shortest: of.shortest.min(length),
                longest: of.longest.max(length),
            }));
    }

    /// The bytes of the longest user agent; 0 where there is none.
    pub(crate) fn longest_agent(&self) -> u64 {
        self.agents.map_or(0, |of| of.longest)
    }

    /// The bytes of the shortest user agent; 0 where there is none.
    pub(crate) fn shortest_agent(&self) -> u64 {
        self.agents.map_or(0, |of| of.shortest)
    }

    /// Whether a request over HTTP/2 or 3 has fields that belong to connections of HTTP/1, or a `te` that says more than
    /// `trailers` (RFC 9113, 8.2.2; RFC 9114, 4.2).
    pub(crate) fn http1_beyond(&self, version: Version) -> bool {
        self.http1 && version >= Version::HTTP_2
    }
}

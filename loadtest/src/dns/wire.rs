//! Messages of DNS (RFC 1035, 4), as far as one question and its answer need them.

use std::net::{IpAddr, Ipv6Addr};

const PTR: u16 = 12;
const A: u16 = 1;
const AAAA: u16 = 28;
const CNAME: u16 = 5;
const HEADER: usize = 12;
/// Where the question's name stands in every message: what a pointer to it says (RFC 1035, 4.1.4).
const QUESTION: [u8; 2] = [0xc0, 12];

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// In lower case, without the root's dot.
    pub(crate) name: String,
    kind: u16,
}

impl Question {
    /// Where names of an address are asked for: which (RFC 1035, 3.5; RFC 3596, 2.5).
    pub(crate) fn reverse(&self) -> Option<IpAddr> {
        if self.kind != PTR {
            return None;
        }
        if let Some(name) = self.name.strip_suffix(".in-addr.arpa") {
            let octets: Vec<&str> = name.rsplit('.').collect();
            return octets.join(".").parse().ok();
        }
        let digits: String = self.name.strip_suffix(".ip6.arpa")?.rsplit('.').collect();
        let bits = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)?;
        Some(Ipv6Addr::from_bits(bits).into())
    }

    /// A record of what is asked for.
    pub(crate) fn is(&self, data: Data) -> Record {
        Record { owner: self.name.clone(), data }
    }
}

/// What a name has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Name(String),
    Alias(String),
    Address(IpAddr),
}

/// A name and something that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) owner: String,
    pub(crate) data: Data,
}

/// A query as it came.
#[derive(Clone, Debug)]
pub(super) struct Query {
    id: u16,
    pub(super) question: Question,
    /// The question's bytes, in whatever case the resolver wrote them.
    raw: Vec<u8>,
}

impl Query {
    /// `None` for what is none, or is compressed, which no query is.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let (id, mut rest) = (message.first_chunk()?, message.get(HEADER..)?);
        let mut labels = Vec::new();
        loop {
            let (&length, after) = rest.split_first()?;
            if length == 0 {
                rest = after;
                break;
            }
            let (label, after) = after.split_at_checked(length.into())?;
            labels.push(String::from_utf8_lossy(label).to_lowercase());
            rest = after;
        }
        let kind = u16::from_be_bytes(*rest.first_chunk()?);
        let after = rest.get(4..)?;
        let raw = message.get(HEADER..message.len() - after.len())?.to_vec();
        let question = Question { name: labels.join("."), kind };
        Some(Self { id: u16::from_be_bytes(*id), question, raw })
    }

    /// As another transaction would have it.
    pub(super) fn with_other_id(self) -> Self {
        Self { id: !self.id, ..self }
    }
}

/// The whole answer.
pub(super) fn answer(query: &Query, code: u8, records: &[Record]) -> Vec<u8> {
    let mut bytes = head(query, u16::from(code), records.len());
    for Record { owner, data } in records {
        if *owner == query.question.name {
            bytes.extend(QUESTION);
        } else {
            bytes.extend(name(owner));
        }
        let (kind, data) = match data {
            Data::Name(of) => (PTR, name(of)),
            Data::Alias(of) => (CNAME, name(of)),
            Data::Address(IpAddr::V4(address)) => (A, address.octets().into()),
            Data::Address(IpAddr::V6(address)) => (AAAA, address.octets().into()),
        };
        bytes.extend(kind.to_be_bytes());
        // The Internet's class, and a minute to live.
        bytes.extend([0, 1, 0, 0, 0, 60]);
        bytes.extend(count(data.len()));
        bytes.extend(data);
    }
    bytes
}

/// Says that the answer is too long for a datagram.
pub(super) fn truncated(query: &Query) -> Vec<u8> {
    head(query, 0x0200, 0)
}

/// A response's header, of a resolver that recurses, and the question.
fn head(query: &Query, flags: u16, answers: usize) -> Vec<u8> {
    let mut bytes = query.id.to_be_bytes().to_vec();
    bytes.extend((0x8180 | flags).to_be_bytes());
    bytes.extend([0, 1]);
    bytes.extend(count(answers));
    bytes.extend([0; 4]);
    bytes.extend(&query.raw);
    bytes
}

fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.') {
        // A label has 63 bytes at most (RFC 1035, 2.3.4).
        let label = label.as_bytes().get(..63).unwrap_or(label.as_bytes());
        bytes.extend(u8::try_from(label.len()));
        bytes.extend(label);
    }
    bytes.push(0);
    bytes
}

fn count(count: usize) -> [u8; 2] {
    u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes()
}

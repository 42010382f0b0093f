//! Sets of networks, and their text form.

use std::net::IpAddr;

use ipnet::IpNet;

/// Longest excerpt of a line that an error repeats, in characters.
const EXCERPT: usize = 60;

/// A set of networks that is asked in time logarithmic in its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    /// Disjoint ranges, ascending, first and last address included. IPv4 stands apart from IPv6.
    v4: Vec<(u128, u128)>,
    v6: Vec<(u128, u128)>,
}

/// A line of a list that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: expected a network such as 10.0.0.0/8 with no host bits, or one address, found {found:?}"
)]
#[non_exhaustive]
pub struct ListError {
    /// From 1.
    pub line: usize,
    /// The line's text, cut after 60 characters.
    pub found: String,
}

impl ListError {
    /// The stable name of this error.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        "bad-network"
    }
}

impl Networks {
    /// Reads one network or address a line. What follows `#` is a comment; empty lines are skipped. Host bits, as in
    /// `10.0.0.1/8`, are refused: there is no telling whether the address is meant or the network.
    ///
    /// # Errors
    /// Every line that is neither.
    pub fn parse(text: &str) -> Result<Self, Vec<ListError>> {
        let (mut networks, mut errors) = (Vec::new(), Vec::new());
        for line in lines(text) {
            match line {
                Ok(network) => networks.push(network),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(networks.into_iter().collect()) } else { Err(errors) }
    }

    /// Whether `address` is in one of the networks. An IPv4-mapped IPv6 address counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (ranges, address) = match address.to_canonical() {
            IpAddr::V4(address) => (&self.v4, u128::from(address.to_bits())),
            IpAddr::V6(address) => (&self.v6, address.to_bits()),
        };
        let after = ranges.partition_point(|(first, _)| *first <= address);
        after
            .checked_sub(1)
            .and_then(|index| ranges.get(index))
            .is_some_and(|(_, last)| address <= *last)
    }

    /// These and more.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = IpNet>) -> Self {
        let more: Self = more.into_iter().collect();
        self.v4 = disjoint([self.v4, more.v4].concat());
        self.v6 = disjoint([self.v6, more.v6].concat());
        self
    }

    /// How many there are, those that overlap or touch being one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.v4.len().saturating_add(self.v6.len())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

impl FromIterator<IpNet> for Networks {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        let mut set = Self::default();
        for network in networks {
            match network {
                IpNet::V4(net) => {
                    set.v4.push((net.network().to_bits().into(), net.broadcast().to_bits().into()))
                }
                IpNet::V6(net) => {
                    set.v6.push((net.network().to_bits(), net.broadcast().to_bits()));
                }
            }
        }
        set.v4 = disjoint(set.v4);
        set.v6 = disjoint(set.v6);
        set
    }
}

/// The networks of a text, as [`Networks::parse`] reads it.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Result<IpNet, ListError>> {
    (1..).zip(text.lines()).filter_map(|(line, content)| {
        let content = content.split('#').next().unwrap_or_default().trim();
        (!content.is_empty()).then(|| {
            let network = network(content).filter(|network| *network == network.trunc());
            network.ok_or_else(|| ListError { line, found: excerpt(content) })
        })
    })
}

/// A network, or an address as the network of itself.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}

pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

/// Networks nest or are apart, so that one within another adds nothing.
fn disjoint(mut ranges: Vec<(u128, u128)>) -> Vec<(u128, u128)> {
    ranges.sort_unstable_by_key(|(first, last)| (*first, std::cmp::Reverse(*last)));
    let mut kept: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
    for range in ranges {
        if kept.last().is_none_or(|(_, last)| range.0 > *last) {
            kept.push(range);
        }
    }
    kept
}

#[cfg(test)]
mod tests;

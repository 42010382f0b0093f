//! Clients that say that they are Googlebot, and a name server that lies for most of them.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::time::Instant;

use super::{flood, is_verified};
use crate::{
    dns::{Data, NameServer, Question, Record, Reply},
    drill::Drill,
    edge::Edge,
    http::Response,
    load::Raw,
    scene::SOON,
};

/// For how long the edge waits for an answer of the name server.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// Clients in the flood of claims.
const CLAIMANTS: u32 = 10_000;
const DOMAIN: &str = "googlebot.com";
/// Names of one address. The edge asks for the addresses of a few.
const NAMES: usize = 300;
const MAX_FORWARD: usize = 16;

/// What the name server says of a client that is no Googlebot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    /// A name of Google's, which has another address.
    OtherAddress,
    /// Hundreds of them.
    ManyNames,
    /// The same, and beside it, unasked, that the name has the client's address.
    Unasked,
    /// A name under a domain that ends like Google's.
    EndsAlike,
    /// A name under a domain that begins like Google's.
    BeginsAlike,
    /// A name that a log, a terminal or a parser of either might obey.
    Injection,
    NoSuchName,
    NoRecord,
    /// From here on DNS says nothing, and whatever it may yet say would be true: a resolver that takes it is found out.
    Failure,
    OtherId,
    Cut,
    Garbage,
    Hangs,
    /// Too late, and a lie.
    Late,
    /// Names that lead to each other.
    NamesLoop,
    AddressesLoop,
}

/// What can be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    /// The client is no Googlebot.
    Refuted,
    /// Nothing.
    Unknown,
    /// Either: a resolver may call a loop a failure or the lack of a record.
    Any,
}

impl Lie {
    const ALL: [Self; 16] = [
        Self::OtherAddress,
        Self::ManyNames,
        Self::Unasked,
        Self::EndsAlike,
        Self::BeginsAlike,
        Self::Injection,
        Self::NoSuchName,
        Self::NoRecord,
        Self::Failure,
        Self::OtherId,
        Self::Cut,
        Self::Garbage,
        Self::Hangs,
        Self::Late,
        Self::NamesLoop,
        Self::AddressesLoop,
    ];

    const fn truth(self) -> Truth {
        match self {
            Self::OtherAddress
            | Self::ManyNames
            | Self::Unasked
            | Self::EndsAlike
            | Self::BeginsAlike
            | Self::Injection
            | Self::NoSuchName
            | Self::NoRecord => Truth::Refuted,
            Self::Failure
            | Self::OtherId
            | Self::Cut
            | Self::Garbage
            | Self::Hangs
            | Self::Late => Truth::Unknown,
            Self::NamesLoop | Self::AddressesLoop => Truth::Any,
        }
    }

    /// Those of whom it is told: each in a network of its own, since one network has few lookups at a time.
    fn clients(self) -> [IpAddr; 4] {
        let network = self as u8 * 3;
        [0, 1, 2, 3].map(|number| match number {
            3 => Ipv6Addr::new(0x2001, 0xdb8, self as u16, 0, 0, 0, 0, 9).into(),
            _ => Ipv4Addr::new(198, 18, network + number, 9).into(),
        })
    }

    fn of(client: IpAddr) -> Option<Self> {
        Self::ALL.into_iter().find(|lie| lie.clients().contains(&client))
    }
}

/// Clients of whom DNS says the truth, which is that they are Googlebot. The last one's address others put before their
/// own.
fn honest() -> [IpAddr; 3] {
    [
        Ipv4Addr::new(198, 19, 0, 1).into(),
        Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1).into(),
        Ipv4Addr::new(66, 249, 66, 1).into(),
    ]
}

/// What the name server says. Of whom it knows nothing it says nothing, ever.
pub(super) fn zone(question: &Question) -> Reply {
    match question.reverse() {
        Some(client) => names(question, client),
        None => addresses(question),
    }
}

fn label(client: IpAddr) -> String {
    match client {
        IpAddr::V4(address) => format!("crawl-{:08x}", address.to_bits()),
        IpAddr::V6(address) => format!("crawl-{:032x}", address.to_bits()),
    }
}

/// The client that a name is of.
fn labelled(name: &str) -> Option<IpAddr> {
    let digits = name.strip_prefix("crawl-")?.split(['-', '.']).next()?;
    match digits.len() {
        8 => Some(Ipv4Addr::from_bits(u32::from_str_radix(digits, 16).ok()?).into()),
        32 => Some(Ipv6Addr::from_bits(u128::from_str_radix(digits, 16).ok()?).into()),
        _ => None,
    }
}

fn names(question: &Question, client: IpAddr) -> Reply {
    let label = label(client);
    let named = |name: String| vec![question.is(Data::Name(name))];
    let right = format!("{label}.{DOMAIN}");
    if honest().contains(&client) {
        return Reply::Records(named(right));
    }
    let Some(lie) = Lie::of(client) else { return Reply::Nothing };
    match lie {
        Lie::OtherAddress | Lie::AddressesLoop => Reply::Records(named(right)),
        Lie::ManyNames => {
            let name = |number| question.is(Data::Name(format!("{label}-{number}.{DOMAIN}")));
            Reply::Records((0..NAMES).map(name).collect())
        }
        Lie::Unasked => {
            let address = Record { owner: right.clone(), data: Data::Address(client) };
            Reply::Records([named(right), vec![address]].concat())
        }
        Lie::EndsAlike => Reply::Records(named(format!("{label}.evil{DOMAIN}"))),
        Lie::BeginsAlike => Reply::Records(named(format!("{label}.{DOMAIN}.evil.example"))),
        Lie::Injection => Reply::Records(named(format!(
            "\r\n{{\"level\":\"ERROR\",\"message\":\"forged\"}}\u{1b}[31m.{DOMAIN}"
        ))),
        Lie::NoSuchName => Reply::NXDOMAIN,
        Lie::NoRecord => Reply::Records(Vec::new()),
        Lie::Failure => Reply::SERVFAIL,
        Lie::OtherId => Reply::OtherId(named(right)),
        Lie::Cut => Reply::Cut(named(right)),
        Lie::Garbage => Reply::Bytes(b"\xff\x00googlebot.com".repeat(40)),
        Lie::Hangs => Reply::Nothing,
        Lie::Late => Reply::Late(3 * PATIENCE, named(right)),
        Lie::NamesLoop => {
            let back = Record { owner: right.clone(), data: Data::Alias(question.name.clone()) };
            Reply::Records(vec![question.is(Data::Alias(right)), back])
        }
    }
}

fn addresses(question: &Question) -> Reply {
    let Some(client) = labelled(&question.name) else { return Reply::NXDOMAIN };
    let has = |address| Reply::Records(vec![question.is(Data::Address(address))]);
    let other = match client {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() ^ 1).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() ^ 1).into(),
    };
    match Lie::of(client) {
        Some(Lie::OtherAddress | Lie::ManyNames | Lie::Unasked | Lie::Late | Lie::NamesLoop) => {
            has(other)
        }
        Some(Lie::AddressesLoop) => {
            let alias = format!("{}-2.{DOMAIN}", label(client));
            let back = Record { owner: alias.clone(), data: Data::Alias(question.name.clone()) };
            Reply::Records(vec![question.is(Data::Alias(alias)), back])
        }
        // What the liar's own domain says of it is true, and proves nothing.
        _ => has(client),
    }
}

/// Sends the claims of all, and looks at what the edge makes of them.
pub(super) async fn judge(drill: &mut Drill, edge: &Edge, server: &NameServer) -> Result<()> {
    let liars: Vec<IpAddr> = Lie::ALL.into_iter().flat_map(Lie::clients).collect();
    let mut crowd = Crowd { raw: Raw::new(edge.address, &drill.journal.counter), edge, drill };

    // No answer comes before the server is opened: a request that waited for its lookup would see it fail.
    crowd.none_is_verified(&honest()[..1]).await?;
    server.is_asked(SOON).await?;
    let ended = crowd.ended().await?;
    crowd.drill.findings.equal("lookups that ended before their request was answered", ended, 0.0);
    crowd.none_is_verified(&honest()[1..]).await?;
    crowd.none_is_verified(&liars).await?;
    server.open();

    for client in honest() {
        crowd.becomes_verified(client).await?;
    }
    crowd.until_all_ended(liars.len() + honest().len()).await?;
    let of = |truth| -> Vec<IpAddr> {
        let lies = Lie::ALL.into_iter().filter(|lie| lie.truth() == truth);
        lies.flat_map(Lie::clients).collect()
    };
    crowd.are_found(&of(Truth::Refuted), "unverified").await?;
    crowd.are_found(&of(Truth::Unknown), "undecided").await?;
    crowd.none_is_verified(&of(Truth::Any)).await?;
    for client in Lie::ManyNames.clients() {
        let name = label(client);
        let asked = server.asked(|question| question.name.starts_with(&name));
        crowd.drill.findings.expect((1..=MAX_FORWARD).contains(&asked), || {
            format!(
                "{client}: expected that some of its {NAMES} names were asked for; found {asked}"
            )
        });
    }

    // While each lookup hangs, very many more.
    let rss = edge.rss_mib()?;
    flood::send(crowd.drill, edge, 0..CLAIMANTS, claim_of, is_scored).await?;
    let grown = edge.rss_mib()? - rss;
    let most = super::MAX_GROWTH_MIB;
    let findings = &mut crowd.drill.findings;
    findings.fact("claimants", CLAIMANTS);
    findings.fact("claimants_rss_growth_mib", (grown * 10.0).round() / 10.0);
    findings.expect(grown <= most, || {
        format!("growth by claims: expected at most {most} MiB; found {grown}")
    });
    // They make no crawler unknown that was confirmed.
    for client in honest() {
        let found = crowd.is_verified(client).await?;
        crowd.drill.findings.equal(&format!("{client} after the flood is verified"), found, true);
    }
    crowd.none_is_verified(&liars).await
}

/// All of them, through one connection.
struct Crowd<'d> {
    drill: &'d mut Drill,
    edge: &'d Edge,
    raw: Raw,
}

impl Crowd<'_> {
    /// Whether the origin is told that this client is verified.
    async fn is_verified(&mut self, client: IpAddr) -> Result<bool> {
        let response = self.raw.send(&claim(client)).await;
        let response = response.with_context(|| format!("no answer to the claim of {client}"))?;
        self.drill.findings.equal(&format!("status for {client}"), response.status, 200);
        is_verified(&response)
    }

    async fn none_is_verified(&mut self, clients: &[IpAddr]) -> Result<()> {
        for &client in clients {
            let verified = self.is_verified(client).await?;
            self.drill.findings.expect(!verified, || {
                format!("{client}, {:?}: expected no Googlebot; found verified", Lie::of(client))
            });
        }
        Ok(())
    }

    /// A lookup may fail on a busy machine, and is then repeated.
    async fn becomes_verified(&mut self, client: IpAddr) -> Result<()> {
        let start = Instant::now();
        while !self.is_verified(client).await? {
            if start.elapsed() > SOON {
                let failure = format!("{client}: expected a verified Googlebot; found none");
                self.drill.findings.failures.push(failure);
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Expects that each of these is found to be this, and never verified. Where anything failed there is no second try.
    async fn are_found(&mut self, clients: &[IpAddr], outcome: &str) -> Result<()> {
        let series = format!(
            "greenlight_crawler_claims_total{{crawler=\"googlebot\",outcome=\"{outcome}\"}}"
        );
        let start = Instant::now();
        loop {
            let before = self.total(&series).await?;
            self.none_is_verified(clients).await?;
            let found = self.total(&series).await? - before;
            let expected = clients.len() as f64;
            if found == expected || !self.drill.findings.failures.is_empty() {
                return Ok(());
            }
            if start.elapsed() > SOON {
                self.drill.findings.equal(&format!("claims that are {outcome}"), found, expected);
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn until_all_ended(&self, lookups: usize) -> Result<()> {
        let start = Instant::now();
        while self.ended().await? < lookups as f64 {
            anyhow::ensure!(
                start.elapsed() < SOON,
                "expected {lookups} lookups to end in {SOON:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Lookups that ended.
    async fn ended(&self) -> Result<f64> {
        let of = |event| format!("greenlight_crawler_dns_total{{event=\"{event}\"}}");
        Ok(self.total(&of("answered")).await? + self.total(&of("failed")).await?)
    }

    async fn total(&self, series: &str) -> Result<f64> {
        let all = self.edge.series().await?;
        all.get(series).copied().with_context(|| format!("no metric {series}"))
    }
}

fn claim(client: IpAddr) -> Vec<u8> {
    format!(
        "GET /shadow/page HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {client}\r\nUser-Agent: Mozilla/5.0 \
         (compatible; Googlebot/2.1; +http://www.google.com/bot.html)\r\nAccept: */*\r\n\r\n"
    )
    .into_bytes()
}

/// One of the flood: of the addresses that carriers share (RFC 6598), spread over networks.
fn claim_of(number: u32) -> Vec<u8> {
    let host = number.wrapping_mul(2_654_435_761) >> 10;
    claim(Ipv4Addr::from_bits((100 << 24 | 64 << 16) + host).into())
}

fn is_scored(response: &Response) -> bool {
    response.status == 200 && is_verified(response).is_ok_and(|verified| !verified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_is_told_of_in_one_way() {
        for (lie, client) in
            Lie::ALL.into_iter().flat_map(|lie| lie.clients().map(|client| (lie, client)))
        {
            assert_eq!(Lie::of(client), Some(lie));
            assert_eq!(labelled(&format!("{}-7.{DOMAIN}", label(client))), Some(client));
            assert!(!honest().contains(&client));
        }
        let claims: std::collections::BTreeSet<_> = (0..CLAIMANTS).map(claim_of).collect();
        assert_eq!(claims.len(), CLAIMANTS as usize);
    }
}

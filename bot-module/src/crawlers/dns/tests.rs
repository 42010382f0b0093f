#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;

use super::*;

/// Answers from tables; what is in none does not exist.
#[derive(Debug, Default)]
struct Table {
    names: HashMap<IpAddr, Result<Vec<String>, LookupError>>,
    addresses: HashMap<String, Result<Vec<IpAddr>, LookupError>>,
    asked: AtomicUsize,
    hangs: bool,
    panics: bool,
}

impl Table {
    fn name(mut self, address: &str, names: &[&str]) -> Self {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        self.names.insert(address.parse().unwrap(), Ok(names));
        self
    }

    fn address(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.addresses.insert(name.to_owned(), Ok(addresses));
        self
    }
}

#[async_trait]
impl Resolver for Table {
    async fn names(&self, address: IpAddr) -> Result<Vec<String>, LookupError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        assert!(!self.panics, "as told");
        self.names.get(&address).cloned().unwrap_or(Err(LookupError::NoRecord))
    }

    async fn addresses(&self, name: &str, _: IpAddr) -> Result<Vec<IpAddr>, LookupError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.addresses.get(name).cloned().unwrap_or(Err(LookupError::NoRecord))
    }
}

fn dns(limits: DnsLimits) -> Arc<Dns> {
    let domains = |list: &[&str]| list.iter().map(|&it| it.to_owned()).collect();
    Arc::new(Dns::new(vec![domains(&["googlebot.com"]), domains(&["search.msn.com"])], limits))
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Lets every lookup that waits end.
async fn settle(dns: &Arc<Dns>, resolver: Table) -> Arc<Table> {
    let table = Arc::new(resolver);
    let work = tokio::spawn(Arc::clone(dns).work(table.clone()));
    while !lock(&dns.queue).networks.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if work.is_finished() {
            break;
        }
    }
    work.abort();
    let _ = work.await;
    table
}

const ROBOT: &str = "66.249.66.1";
const ROBOT_V6: &str = "2001:4860:4801:10::1";

#[tokio::test]
async fn a_name_and_its_address_prove_a_crawler_and_a_lie_does_not() {
    let table = Table::default()
        .name(ROBOT, &["CRAWL-66-249-66-1.GoogleBot.com."])
        .address("crawl-66-249-66-1.googlebot.com", &[ROBOT])
        .name(ROBOT_V6, &["crawl-6.googlebot.com."])
        .address("crawl-6.googlebot.com", &[ROBOT_V6])
        // Whoever holds an address may give it any name.
        .name("192.0.2.1", &["crawl-66-249-66-1.googlebot.com."])
        .name("192.0.3.1", &["googlebot.com.evil.example."])
        .address("googlebot.com.evil.example", &["192.0.3.1"])
        .name("192.0.4.1", &["evilgooglebot.com.", "", "\\000.googlebot.com", "a..googlebot.com"])
        .address("evilgooglebot.com", &["192.0.4.1"])
        .name("192.0.5.1", &["not-there.googlebot.com."]);
    let dns = dns(DnsLimits::default());
    let now = Instant::now();
    let clients =
        [ROBOT, ROBOT_V6, "192.0.2.1", "192.0.3.1", "192.0.4.1", "192.0.5.1", "192.0.6.1"];
    for client in clients {
        assert_eq!(dns.ask(ip(client), now), None, "a request never waits");
    }
    settle(&dns, table).await;
    for (client, found) in clients.into_iter().zip([1, 1, 0, 0, 0, 0, 0]) {
        assert_eq!(dns.ask(ip(client), now), Some(found), "{client}");
    }
    assert_eq!(dns.ask(ip("::ffff:66.249.66.1"), now), Some(1));
    assert_eq!((dns.counters().hits, dns.counters().misses), (8, 7));
}

#[tokio::test]
async fn names_without_end_cost_a_few_questions() {
    let names: Vec<String> = (0..60_000).map(|at| format!("n{at}.googlebot.com.")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dns = dns(DnsLimits::default());
    let now = Instant::now();
    dns.ask(ip(ROBOT), now);
    let table = settle(&dns, Table::default().name(ROBOT, &names)).await;
    assert_eq!(dns.ask(ip(ROBOT), now), Some(0));
    assert_eq!(table.asked.load(Ordering::Relaxed), 1 + MAX_FORWARD);
}

#[tokio::test]
async fn a_failure_leaves_it_undecided_and_is_tried_again_later_and_later() {
    let dns = dns(DnsLimits::default());
    let mut now = Instant::now();
    let mut wait = RETRY;
    for _ in 0..12 {
        assert_eq!(dns.ask(ip(ROBOT), now), None);
        dns.next().await.end(Err(LookupError::Failed), now);
        // What fails is not asked again before its time.
        assert_eq!(dns.ask(ip(ROBOT), now + wait - Duration::from_millis(1)), None);
        assert!(lock(&dns.queue).waiting.is_empty());
        now += wait;
        wait = (wait * 2).min(RETRY * (1 << MAX_RETRY_DOUBLINGS));
    }
    // The second question failing is no refutation either.
    assert_eq!(dns.ask(ip(ROBOT), now), None);
    let mut table = Table::default().name(ROBOT, &["a.googlebot.com"]);
    table.addresses.insert("a.googlebot.com".to_owned(), Err(LookupError::Failed));
    settle(&dns, table).await;
    assert_eq!(dns.ask(ip(ROBOT), now), None);
}

#[tokio::test]
async fn a_server_that_hangs_or_a_lookup_that_panics_is_a_failure() {
    let limits = DnsLimits { deadline: Duration::from_millis(5), ..DnsLimits::default() };
    for table in
        [Table { hangs: true, ..Table::default() }, Table { panics: true, ..Table::default() }]
    {
        let dns = dns(limits);
        dns.ask(ip(ROBOT), Instant::now());
        settle(&dns, table).await;
        assert_eq!(dns.counters().failed, 1);
        assert_eq!(dns.ask(ip(ROBOT), Instant::now()), None);
        assert!(lock(&dns.queue).networks.is_empty());
    }
}

#[tokio::test]
async fn an_answer_counts_while_it_is_looked_up_again_and_then_no_longer() {
    let table =
        || Table::default().name(ROBOT, &["a.googlebot.com"]).address("a.googlebot.com", &[ROBOT]);
    let dns = dns(DnsLimits::default());
    let now = Instant::now();
    dns.ask(ip(ROBOT), now);
    settle(&dns, table()).await;
    let confirmed_for = dns.limits().confirmed_for;
    assert_eq!(dns.ask(ip(ROBOT), now + confirmed_for / 2), Some(1));
    assert!(lock(&dns.queue).waiting.is_empty());
    assert_eq!(dns.ask(ip(ROBOT), now + confirmed_for * 3 / 2), Some(1));
    assert_eq!(lock(&dns.queue).waiting.len(), 1);
    assert_eq!(dns.ask(ip(ROBOT), now + confirmed_for * 3), None);
    // It is refuted now: the network went to someone else.
    settle(&dns, Table::default()).await;
    assert_eq!(dns.ask(ip(ROBOT), now), Some(0));
}

#[tokio::test]
async fn a_million_liars_are_bounded_and_neither_forget_nor_starve_a_crawler() {
    let limits = DnsLimits { entries: 64, queue: 32, per_network: 2, ..DnsLimits::default() };
    let dns = dns(limits);
    let now = Instant::now();
    dns.ask(ip(ROBOT), now);
    let table =
        Table::default().name(ROBOT, &["a.googlebot.com"]).address("a.googlebot.com", &[ROBOT]);
    settle(&dns, table).await;

    // One network first: it gets its two places, and the queue stays open for others.
    for host in 0..=255 {
        dns.ask(IpAddr::V4([198, 51, 100, host].into()), now);
        dns.ask(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, host.into(), 0, 0, 0, 1)), now);
    }
    assert_eq!(lock(&dns.queue).waiting.len(), 4);
    assert!(dns.counters().network_full > 0);
    for address in 0..1_000_000_u32 {
        dns.ask(IpAddr::V4((0x0a00_0000 + address * 256).into()), now);
        assert_eq!(lock(&dns.queue).waiting.len().max(32), 32);
    }
    assert!(lock(&dns.queue).networks.len() <= 32);
    assert_eq!(dns.sets.len() * WAYS, 64);
    assert!(dns.counters().queue_full > 0);
    settle(&dns, Table::default()).await;
    for address in 0..1_000_u32 {
        dns.ask(IpAddr::V4((0x0b00_0000 + address * 256).into()), now);
        settle(&dns, Table::default()).await;
    }
    assert_eq!(dns.ask(ip(ROBOT), now), Some(1), "a crawler that was confirmed is not forgotten");
}

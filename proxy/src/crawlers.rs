//! Known crawlers: their background work as a service, and their metrics.

use async_trait::async_trait;
use greenlight_bot::{Crawlers, DnsResolver};
use pingora_core::server::ShutdownWatch;
use pingora_core::services::background::BackgroundService;
use serde_json::{Value, json};

use crate::config::CrawlerSettings;
use crate::metrics::Exposition;

/// Asks DNS and follows files. Requests do without it: what is not known stays undecided.
pub(crate) struct CrawlerWork(pub(crate) Crawlers);

#[async_trait]
impl BackgroundService for CrawlerWork {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        tokio::select! {
            () = self.0.work() => {}
            _ = shutdown.changed() => {}
        }
    }
}

/// The crawlers of the settings. Nothing that is missing here, a resolver or a file that is gone since it was checked,
/// keeps an edge from serving.
pub(crate) fn open(settings: &CrawlerSettings) -> Option<Crawlers> {
    let mut builder = settings.builder();
    if let Some(servers) = &settings.dns {
        match DnsResolver::new(servers, settings.dns_timeout) {
            Ok(resolver) => builder = builder.resolver(resolver),
            Err(error) => tracing::warn!(
                reason = "no-resolver", %error, "DNS is not asked: what only it can prove is not looked into"
            ),
        }
    }
    match builder.build() {
        Ok(crawlers) => Some(crawlers),
        Err(errors) => {
            for error in errors {
                tracing::error!(reason = "bad-crawler", %error, "no crawler is known");
            }
            None
        }
    }
}

/// What became of the claims to be each crawler that was claimed at all.
pub(crate) fn status(crawlers: &Crawlers) -> Value {
    let claimed = crawlers.claims().filter(|claims| {
        [claims.verified, claims.unverified, claims.undecided].iter().any(|count| *count > 0)
    });
    claimed
        .map(|claims| {
            let found = json!({
                "verified": claims.verified, "unverified": claims.unverified,
                "undecided": claims.undecided,
            });
            (claims.name.to_owned(), found)
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Writes the families of the crawlers. Their names are the configuration's.
pub(crate) fn write(crawlers: &Crawlers, out: &mut Exposition) {
    const CLAIMS: &str = "greenlight_crawler_claims_total";
    out.family(
        CLAIMS,
        "counter",
        "Requests that say that they come from a crawler, by what was found.",
    );
    for claims in crawlers.claims() {
        for (outcome, count) in [
            ("verified", claims.verified),
            ("unverified", claims.unverified),
            ("undecided", claims.undecided),
        ] {
            out.sample(CLAIMS, &[("crawler", claims.name), ("outcome", outcome)], count);
        }
    }
    const DNS: &str = "greenlight_crawler_dns_total";
    let dns = crawlers.dns();
    out.family(
        DNS,
        "counter",
        "Claims answered from the cache or not, and lookups in DNS by how they ended.",
    );
    for (event, count) in [
        ("hit", dns.hits),
        ("miss", dns.misses),
        ("answered", dns.answered),
        ("failed", dns.failed),
        ("queue-full", dns.queue_full),
        ("network-full", dns.network_full),
    ] {
        out.sample(DNS, &[("event", event)], count);
    }
    out.counter(
        "greenlight_crawler_files_refused_total",
        "New contents of crawlers' files that were not taken.",
        crawlers.files_refused(),
    );
}

//! `greenlight check`: what a valid configuration was understood to say.

use std::fmt::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use greenlight_bot::{Action, Crawler, CrawlerAction, NameServers, Route};

use crate::Exit;
use crate::config::{Config, CrawlerSettings};
use crate::{run, tls};

/// Prints what the valid file at `path` says, and what of it is probably not meant.
pub(crate) fn check(path: &Path, config: &Config) -> Result<(), Exit> {
    if let Err(error) = tls::ca_file(&config.upstream) {
        eprintln!("greenlight: {}: {error}", path.display());
        return Err(Exit::Config);
    }
    println!("{}: valid", path.display());
    print!("{}", describe(config));
    for warning in config.warnings() {
        println!("  warning: {warning}");
    }
    Ok(())
}

fn describe(config: &Config) -> String {
    let mut out = String::new();
    let mut line = |text: fmt::Arguments<'_>| {
        // Writing to a String does not fail.
        let _ = writeln!(out, "  {text}");
    };
    let listen = &config.listen;
    for address in &listen.http {
        line(format_args!("listens on {address}"));
    }
    for listener in &listen.tls {
        let seen = if listen.fingerprints { ", and takes fingerprints" } else { "" };
        line(format_args!("listens on {} with TLS{seen}", listener.address));
    }
    line(format_args!("admin on {}", listen.admin));
    line(format_args!(
        "upstream {}:{}",
        config.upstream.address.host, config.upstream.address.port
    ));
    let source = &config.source;
    line(format_args!("source {} on {}", source.kind(), source.network()));
    match source.adoption.depth() {
        Some(depth) => line(format_args!("adopts from {depth} blocks below the newest head")),
        None => line(format_args!("adopts from finalized heads")),
    }
    if config.bots_enabled {
        filter(config, &mut line);
    } else {
        line(format_args!("neither scores nor acts"));
    }
    if let Some(record) = &config.record {
        line(format_args!(
            "records a share of {} of the requests to {}",
            record.sample,
            record.file.display()
        ));
    }
    out
}

/// Who is told apart, and what is done with whom.
fn filter(config: &Config, line: &mut impl FnMut(fmt::Arguments<'_>)) {
    for (list, networks) in [("allowed", &config.lists.allow), ("denied", &config.lists.deny)] {
        if !networks.is_empty() {
            line(format_args!("{list} by address: {}", count(networks.len(), "network")));
        }
    }
    crawlers(&config.crawlers, line);
    // Their order is that in which they are gone through, not the file's.
    let policy = run::policy(config);
    for route in policy.routes() {
        line(format_args!("route {}", described(route)));
    }
    let challenges = policy.routes().iter().any(|route| route.challenge_below > 1);
    if challenges || config.challenges.shared.is_some() {
        let under = match config.challenges.shared {
            Some(_) => "the secret of the file",
            None => "a secret of this process alone",
        };
        let lifetime = span(config.challenges.lifetime);
        line(format_args!("challenges under {under}; a cookie holds for {lifetime}"));
    }
    if config.tells_reasons {
        line(format_args!("tells the origin which rows fired"));
    }
}

/// `www.example.com/login GET, POST: tag below 50, block below 15`, a host of `*` being any.
fn described(route: &Route) -> String {
    let host = route.host.as_deref().unwrap_or("*");
    let methods = if route.methods.is_empty() { "" } else { " " };
    let methods = format!("{methods}{}", route.methods.join(", "));
    let limit = &route.rate_limit;
    let limit = format!(" ({} in {})", limit.requests, span(limit.per));
    let done: Vec<String> = [
        (Action::Tag, route.tag_below, ""),
        (Action::Log, route.log_below, ""),
        (Action::RateLimit, route.rate_limit_below, limit.as_str()),
        (Action::Challenge, route.challenge_below, ""),
        (Action::Block, route.block_below, ""),
    ]
    .into_iter()
    .filter(|(_, below, _)| *below > 1)
    .map(|(action, below, more)| format!("{} below {below}{more}", action.as_str()))
    .collect();
    let done = match (route.exempt, done.is_empty()) {
        (true, _) => "exempt".to_owned(),
        (false, true) => "allow".to_owned(),
        (false, false) => done.join(", "),
    };
    let shadow = if route.shadow { ", in shadow" } else { "" };
    format!("{host}{}{methods}: {done}{shadow}", route.path_prefix)
}

/// A line for each action, with the crawlers that it is for and what can prove them.
fn crawlers(settings: &CrawlerSettings, line: &mut impl FnMut(fmt::Arguments<'_>)) {
    let proofs = |crawler: &Crawler| {
        let networks = !crawler.networks.is_empty() || !crawler.network_files.is_empty();
        let dns = !crawler.domains.is_empty() && settings.dns.is_some();
        let keys = !crawler.keys.is_empty() || !crawler.key_files.is_empty();
        let proofs: Vec<&str> = [
            (networks, "networks"),
            (dns, "DNS"),
            (keys && !settings.authorities.is_empty(), "signatures"),
        ]
        .into_iter()
        .filter_map(|(has, name)| has.then_some(name))
        .collect();
        (!proofs.is_empty()).then(|| format!("{} ({})", crawler.name, proofs.join(", ")))
    };
    let all = &settings.crawlers;
    for (action, what) in [
        (CrawlerAction::Allow, "allowed once verified"),
        (CrawlerAction::Score, "verified and scored all the same"),
        (CrawlerAction::Block, "blocked once verified"),
    ] {
        let of = all.iter().filter(|crawler| crawler.action == action).filter_map(proofs);
        let of: Vec<String> = of.collect();
        if !of.is_empty() {
            line(format_args!("crawlers {what}: {}", of.join(", ")));
        }
    }
    let unproven = all.iter().filter(|crawler| proofs(crawler).is_none());
    let unproven: Vec<&str> = unproven.map(|crawler| crawler.name.as_str()).collect();
    if !unproven.is_empty() {
        line(format_args!("crawlers that nothing here can prove: {}", unproven.join(", ")));
    }
    match &settings.dns {
        _ if all.iter().all(|crawler| crawler.domains.is_empty()) => {}
        None => line(format_args!("asks no DNS")),
        Some(NameServers::These(servers)) => {
            let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
            line(format_args!("asks the name servers {}", servers.join(", ")));
        }
        Some(_) => line(format_args!("asks the system's name servers")),
    }
}

fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

/// A duration as the configuration writes it, in the largest unit that it is a whole number of.
fn span(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let whole = units.into_iter().find(|(unit, _)| millis.is_multiple_of(*unit));
    whole.map_or_else(String::new, |(unit, name)| {
        format!("{}{name}", millis.checked_div(unit).unwrap_or(0))
    })
}

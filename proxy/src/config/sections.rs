//! The keys of each section, their defaults and what must hold between them.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use http::header::HeaderName;
use toml::de::DeValue;

use super::crawlers::crawlers;
use super::policy;
use super::reader::Section;
use super::record::record;
use super::source::source;
use super::values::{
    self, ADDRESS, AUTHORITY, BOOLEAN, CIDR, DURATION, DURATION_OR_ZERO, HEADER, TEXT,
};
use super::{
    Client, Config, Limits, Listen, Log, LogFormat, Shutdown, State, TlsListener, Upstream,
};
use crate::tls;

pub(super) fn config(root: Section<'_, '_>, folder: &Path) -> Option<Config> {
    let listen = listen(root.section("listen"), folder);
    let upstream = upstream(root.section("upstream"), folder);
    let client = client(root.section("client"));
    let source = source(root.section("source"));
    let state = state(root.section("state"), folder);
    let routes = root.sections("route").and_then(policy::routes);
    let lists = policy::lists(root.section("lists"), folder);
    let challenges = policy::challenges(root.section("challenge"), folder);
    let tells_reasons = policy::tells_reasons(root.section("headers"));
    let bots_enabled = policy::is_enabled(root.section("bots"));
    let crawlers = crawlers(root.section("crawlers"), folder);
    let limits = limits(root.section("limits"));
    let log = log(root.section("log"));
    let record = match root.get("record") {
        Some(entry) => record(entry.table(), folder).map(Some),
        None => Some(None),
    };
    let shutdown = shutdown(root.section("shutdown"));
    root.finish();
    Some(Config {
        listen: listen?,
        upstream: upstream?,
        client: client?,
        source: source?,
        state: state?,
        routes: routes?,
        lists: lists?,
        challenges: challenges?,
        tells_reasons: tells_reasons?,
        bots_enabled: bots_enabled?,
        crawlers: crawlers?,
        limits: limits?,
        log: log?,
        record: record?,
        shutdown: shutdown?,
    })
}

fn listen(section: Section<'_, '_>, folder: &Path) -> Option<Listen> {
    let http = section.list("http", ADDRESS, values::address);
    let tls: Option<Vec<_>> = section.sections("tls").and_then(|listeners| {
        let tls: Vec<_> =
            listeners.into_iter().map(|listener| tls_listener(listener, folder)).collect();
        tls.into_iter().collect()
    });
    let admin =
        section.or("admin", SocketAddr::from(([127, 0, 0, 1], 9100)), ADDRESS, values::address);
    let fingerprints = section.or("fingerprints", true, BOOLEAN, values::boolean);
    let threads = section.or(
        "threads",
        threads(),
        "a number of threads from 1 to 1024",
        values::integer(1, 1024),
    );

    if let (Some(http), Some(tls)) = (&http, &tls) {
        if http.is_empty() && tls.is_empty() {
            section.mistake("an address under \"http\" or a [[listen.tls]]", "neither");
        }
        let mut taken = HashSet::new();
        let addresses =
            http.iter().copied().chain(tls.iter().map(|listener| listener.address)).chain(admin);
        // Port 0 asks the system for any free port, so it cannot clash.
        for address in addresses.filter(|address| address.port() != 0) {
            if !taken.insert(address) {
                section.mistake("each address once", format!("{address} twice"));
            }
        }
    }
    // Status and metrics tell much about an edge and ask for no password.
    if let Some(admin) = admin.filter(|admin| !admin.ip().is_loopback()) {
        match section.get("admin") {
            Some(entry) => entry.mistake("a loopback address such as \"127.0.0.1:9100\""),
            None => section.mistake("a loopback address", admin.to_string()),
        }
    }
    section.finish();
    Some(Listen {
        http: http?,
        tls: tls?,
        fingerprints: fingerprints?,
        admin: admin?,
        threads: usize::try_from(threads?).ok()?,
    })
}

fn threads() -> u64 {
    thread::available_parallelism().ok().and_then(|n| u64::try_from(n.get()).ok()).unwrap_or(1)
}

fn tls_listener(section: Section<'_, '_>, folder: &Path) -> Option<TlsListener> {
    let address = section.required("address", ADDRESS, values::address);
    let cert = section.required("cert", "the path of a PEM certificate chain", path(folder));
    let key = section.required("key", "the path of a PEM private key", path(folder));
    if let (Some(cert), Some(key)) = (&cert, &key)
        && let Err(error) = tls::check_pair(cert, key)
    {
        section.mistake("a readable certificate with its private key", error.to_string());
    }
    section.finish();
    Some(TlsListener { address: address?, cert: cert?, key: key? })
}

fn upstream(section: Section<'_, '_>, folder: &Path) -> Option<Upstream> {
    let address = section.required("address", AUTHORITY, values::authority);
    let tls = section.or("tls", false, BOOLEAN, values::boolean);
    let sni = section.get("sni").map(|entry| entry.read(TEXT, values::text));
    let ca = section.optional("ca", "the path of PEM certificates", path(folder));
    if let Some(Some(ca)) = &ca
        && let Err(error) = tls::check_ca(ca)
    {
        section.mistake("readable certificates under \"ca\"", error.to_string());
    }
    let connect_timeout =
        section.or("connect_timeout", Duration::from_secs(2), DURATION, values::duration);
    let read_timeout =
        section.or("read_timeout", Duration::from_mins(1), DURATION, values::duration);
    let write_timeout =
        section.or("write_timeout", Duration::from_mins(1), DURATION, values::duration);
    let idle_timeout =
        section.or("idle_timeout", Duration::from_mins(1), DURATION, values::duration);
    let keep_alive = section.or(
        "keep_alive",
        512,
        "a number of connections from 1 to 65536",
        values::integer(1, 65_536),
    );

    let sni = match (sni, &address, tls) {
        (Some(Some(_)), _, Some(false)) => {
            section.mistake("\"sni\" only together with tls = true", "\"sni\" alone");
            None
        }
        (Some(sni), _, _) => sni,
        // An IP address is no server name (RFC 6066, section 3): without a name nothing could be verified.
        (None, Some(address), Some(true)) if address.host.parse::<std::net::IpAddr>().is_ok() => {
            section.mistake(
                "\"sni\", the name in the upstream's certificate, beside an IP address",
                "none",
            );
            None
        }
        (None, address, _) => address.as_ref().map(|address| address.host.clone()),
    };
    section.finish();
    Some(Upstream {
        address: address?,
        tls: tls?,
        sni: sni?,
        ca: ca?,
        connect_timeout: connect_timeout?,
        read_timeout: read_timeout?,
        write_timeout: write_timeout?,
        idle_timeout: idle_timeout?,
        keep_alive: usize::try_from(keep_alive?).ok()?,
    })
}

fn client(section: Section<'_, '_>) -> Option<Client> {
    let trusted_proxies = section.list("trusted_proxies", CIDR, values::cidr);
    let header =
        section.or("header", HeaderName::from_static("x-forwarded-for"), HEADER, values::header);
    section.finish();
    Some(Client { trusted_proxies: trusted_proxies?, header: header? })
}

fn state(section: Section<'_, '_>, folder: &Path) -> Option<State> {
    let dir = section.required("dir", "the path of a folder", path(folder));
    let soak =
        section.or("soak", Duration::from_mins(5), DURATION_OR_ZERO, values::duration_or_zero);
    let edge_id = section.or("edge_id", host_name(), TEXT, values::text);
    section.finish();
    Some(State { dir: dir?, soak: soak?, edge_id: edge_id? })
}

fn limits(section: Section<'_, '_>) -> Option<Limits> {
    let slots = section.or(
        "rate_slots",
        65_536,
        "a number from 256 to 16777216",
        values::integer(256, 1 << 24),
    );
    let clients = section.or(
        "client_slots",
        16_384,
        "a number from 256 to 1048576",
        values::integer(256, 1 << 20),
    );
    let overrun = section.or("overrun", Duration::from_millis(50), DURATION, values::duration);
    let fault_bound = section.or(
        "fault_bound",
        100,
        "a number of faults from 1 to 18446744073709551615",
        values::integer(1, u64::MAX),
    );
    section.finish();
    Some(Limits {
        rate_slots: u32::try_from(slots?).ok()?,
        client_slots: u32::try_from(clients?).ok()?,
        overrun: overrun?,
        fault_bound: fault_bound?,
    })
}

fn log(section: Section<'_, '_>) -> Option<Log> {
    let format = section.or("format", LogFormat::Json, "\"json\" or \"text\"", |value| match value
        .as_str(
    )? {
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        _ => None,
    });
    let levels = "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"";
    let level =
        section.or("level", tracing::Level::INFO, levels, |value| match value.as_str()? {
            "error" => Some(tracing::Level::ERROR),
            "warn" => Some(tracing::Level::WARN),
            "info" => Some(tracing::Level::INFO),
            "debug" => Some(tracing::Level::DEBUG),
            "trace" => Some(tracing::Level::TRACE),
            _ => None,
        });
    section.finish();
    Some(Log { format: format?, level: level? })
}

fn shutdown(section: Section<'_, '_>) -> Option<Shutdown> {
    let grace =
        section.or("grace", Duration::from_secs(10), DURATION_OR_ZERO, values::duration_or_zero);
    section.finish();
    Some(Shutdown { grace: grace? })
}

pub(super) fn path(folder: &Path) -> impl Fn(&DeValue<'_>) -> Option<PathBuf> {
    move |value| Some(value.as_str()?).filter(|text| !text.is_empty()).map(|text| folder.join(text))
}

/// The system's own name, so that edges differ without anyone naming them.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "edge".to_owned() } else { name }
}

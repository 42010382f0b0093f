//! The `[source]` section: the keys that every kind of source has, and those that only some have.

use std::time::Duration;

use greenlight_watcher::Adoption;
use greenlight_watcher::light_client::Network;
use toml::de::DeValue;

use self::Kind::{Helios, LightClient, Rpc};
use super::network::{self, CHAINS, Chain};
use super::reader::Section;
use super::url::{URL, url};
use super::values::{self, CONTRACT, DURATION, ROOT};
use super::{Heads, Source, StaleMode};

const CHAIN_ID: &str = "a chain id from 1 to 18446744073709551615";
/// Blocks that an RPC source stays below the newest by default: about two epochs.
const RPC_DEPTH: u64 = 64;
/// What the Helios of `config/helios/` takes by name. Another Helios may follow any chain, told by its id.
const HELIOS_NETWORKS: [&str; 3] = ["mainnet", "sepolia", "holesky"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    LightClient,
    Helios,
    Rpc,
}

/// The keys that not every kind has, and the kinds that have them.
const OWN: [(&str, &[Kind]); 8] = [
    ("network", &[LightClient, Helios]),
    ("custom", &[LightClient]),
    ("checkpoint", &[LightClient]),
    ("max_checkpoint_age", &[LightClient]),
    ("beacon_urls", &[LightClient]),
    ("helios_url", &[Helios]),
    ("chain_id", &[Helios, Rpc]),
    ("max_finality_age", &[LightClient, Helios]),
];

impl Kind {
    const ALL: [Self; 3] = [LightClient, Helios, Rpc];

    const fn name(self) -> &'static str {
        match self {
            LightClient => "light-client",
            Helios => "helios",
            Rpc => "rpc",
        }
    }

    fn read(value: &DeValue<'_>) -> Option<Self> {
        let name = value.as_str()?;
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The deepest that the adoptable head may lie. A light client walks there header by header.
    const fn max_depth(self) -> u64 {
        match self {
            LightClient | Helios => 128,
            Rpc => 100_000,
        }
    }
}

/// What `network` says.
#[derive(Clone, Copy)]
enum Chosen {
    Known(&'static Chain),
    Custom,
}

impl Chosen {
    fn read(value: &DeValue<'_>, kind: Option<Kind>) -> Option<Self> {
        let chosen = match value.as_str()? {
            "custom" => Self::Custom,
            name => Self::Known(network::known(name)?),
        };
        let taken = match (kind, chosen) {
            (Some(Helios), Self::Known(chain)) => HELIOS_NETWORKS.contains(&chain.name),
            (Some(Helios), Self::Custom) => false,
            (Some(_), Self::Known(chain)) => Network::named(chain.name).is_some(),
            (Some(_), Self::Custom) | (None, _) => true,
        };
        taken.then_some(chosen)
    }

    const fn expected(kind: Option<Kind>) -> &'static str {
        match kind {
            Some(Helios) => {
                "\"mainnet\", \"sepolia\" or \"holesky\", or instead only the \"chain_id\""
            }
            _ => "\"mainnet\", \"sepolia\", \"hoodi\" or \"custom\"",
        }
    }
}

pub(super) fn source(section: Section<'_, '_>) -> Option<Source> {
    let kinds = "\"light-client\", \"helios\" or \"rpc\"";
    let kind = section.or("kind", LightClient, kinds, Kind::read);
    let own = |key| belongs(&section, kind, key);

    let network = own("network").then(|| {
        section.optional("network", Chosen::expected(kind), |value| Chosen::read(value, kind))
    });
    let custom = own("custom")
        .then(|| section.get("custom").map(|entry| network::custom(entry.table())))
        .flatten();
    let checkpoint = own("checkpoint").then(|| section.optional("checkpoint", ROOT, values::root));
    let max_checkpoint_age = own("max_checkpoint_age").then(|| {
        let default = Duration::from_hours(14 * 24);
        section.or("max_checkpoint_age", default, DURATION, values::duration)
    });
    let beacon_urls = own("beacon_urls").then(|| section.list("beacon_urls", URL, url));
    let helios_url = own("helios_url").then(|| section.optional("helios_url", URL, url));
    let chain_id = own("chain_id")
        .then(|| section.optional("chain_id", CHAIN_ID, values::integer(1, u64::MAX)));
    let max_finality_age = own("max_finality_age").then(|| {
        section.or("max_finality_age", Duration::from_hours(2), DURATION, values::duration)
    });

    let heads = kind.and_then(|kind| match kind {
        LightClient => {
            let network = light_client_network(&section, network?, custom);
            let checkpoint = needed(&section, "checkpoint", checkpoint?, ROOT);
            let beacon_urls = some_url(&section, "beacon_urls", beacon_urls?);
            Some(Heads::LightClient {
                network: network?,
                checkpoint: checkpoint?,
                max_checkpoint_age: max_checkpoint_age??,
                beacon_urls: beacon_urls?,
            })
        }
        Helios => {
            let url = needed(&section, "helios_url", helios_url?, URL);
            let chain_id = helios_chain(&section, network?, chain_id?);
            Some(Heads::Helios { url: url?, chain_id: chain_id? })
        }
        Rpc => needed(&section, "chain_id", chain_id?, CHAIN_ID)
            .map(|chain_id| Heads::Rpc { chain_id }),
    });

    let urls = section.list("urls", URL, url);
    let urls = some_url(&section, "urls", urls);
    let registry = section.required("registry", CONTRACT, values::bytes);
    let poll = section.or("poll", Duration::from_secs(2), DURATION, values::duration);
    let deadline = section.or("deadline", Duration::from_secs(5), DURATION, values::duration);
    let adoption = adoption(&section, kind);
    let max_staleness =
        section.or("max_staleness", Duration::from_hours(1), DURATION, values::duration);
    let stale_mode =
        section.or("stale_mode", StaleMode::LastGood, "\"last-good\" or \"allow-all\"", |value| {
            match value.as_str()? {
                "last-good" => Some(StaleMode::LastGood),
                "allow-all" => Some(StaleMode::AllowAll),
                _ => None,
            }
        });
    section.finish();
    let max_staleness = max_staleness?;
    Some(Source {
        heads: heads?,
        urls: urls?,
        registry: registry?,
        poll: poll?,
        deadline: deadline?,
        adoption: adoption?,
        max_staleness,
        // An RPC is not asked what is finalized.
        max_finality_age: max_finality_age.unwrap_or(Some(max_staleness))?,
        stale_mode: stale_mode?,
    })
}

/// Whether the kind has the key, or the kind is not known. A key of another kind is a mistake.
fn belongs(section: &Section<'_, '_>, kind: Option<Kind>, key: &'static str) -> bool {
    let kinds = OWN.iter().find(|(own, _)| *own == key).map_or(&Kind::ALL[..], |(_, kinds)| kinds);
    let Some(kind) = kind.filter(|kind| !kinds.contains(kind)) else { return true };
    if let Some(entry) = section.get(key) {
        let names: Vec<_> = kinds.iter().map(|kind| format!("{:?}", kind.name())).collect();
        let default = if section.get("kind").is_none() { ", the default" } else { "" };
        entry.contradicts(
            format!("this key only with kind = {}", names.join(" or ")),
            format!("it with kind = {:?}{default}", kind.name()),
        );
    }
    false
}

fn needed<T>(
    section: &Section<'_, '_>,
    key: &'static str,
    value: Option<Option<T>>,
    expected: &str,
) -> Option<T> {
    if matches!(value, Some(None)) {
        section.missing(key, expected);
    }
    value.flatten()
}

fn some_url(
    section: &Section<'_, '_>,
    key: &'static str,
    urls: Option<Vec<String>>,
) -> Option<Vec<String>> {
    if urls.as_ref().is_some_and(Vec::is_empty) {
        match section.get(key) {
            Some(entry) => entry.contradicts("at least one URL", "an empty list"),
            None => section.mistake(format!("at least one URL under {key:?}"), "none"),
        }
    }
    urls
}

/// By its name, mainnet without one, or as `[source.custom]` describes it; `custom` is what that section was read as.
fn light_client_network(
    section: &Section<'_, '_>,
    chosen: Option<Option<Chosen>>,
    custom: Option<Option<Network>>,
) -> Option<Network> {
    let chain = match chosen? {
        Some(Chosen::Custom) => {
            if custom.is_none() {
                section.missing("custom", "a section [source.custom] that describes the network");
            }
            return custom.flatten();
        }
        Some(Chosen::Known(chain)) => Some(chain),
        None => None,
    };
    if let (Some(_), Some(entry)) = (custom, section.get("custom")) {
        let found = chain
            .map_or("no \"network\"".to_owned(), |chain| format!("network = {:?}", chain.name));
        entry.contradicts("network = \"custom\" beside this section", found);
    }
    Network::named(chain.map_or("mainnet", |chain| chain.name))
}

/// Helios knows its networks by name, and its own RPC tells their chain ids: either names the chain.
fn helios_chain(
    section: &Section<'_, '_>,
    chosen: Option<Option<Chosen>>,
    chain_id: Option<Option<u64>>,
) -> Option<u64> {
    let chain = match chosen? {
        Some(Chosen::Known(chain)) => Some(chain),
        Some(Chosen::Custom) | None => None,
    };
    match (chain, chain_id?) {
        (Some(chain), Some(id)) if chain.id != id => {
            if let Some(entry) = section.get("chain_id") {
                let expected = format!("{}, the chain of network = {:?}", chain.id, chain.name);
                entry.contradicts(expected, id.to_string());
            }
            None
        }
        (_, Some(id)) => Some(id),
        (Some(chain), None) => Some(chain.id),
        (None, None) => CHAINS.first().map(|mainnet| mainnet.id),
    }
}

fn adoption(section: &Section<'_, '_>, kind: Option<Kind>) -> Option<Adoption> {
    let most = kind.unwrap_or(Rpc).max_depth();
    let expected = format!("a number of blocks from 0 to {most}");
    let depth = section.optional("adoption_depth", &expected, values::integer(0, most))?;
    Some(match depth {
        Some(depth) => Adoption::Depth(depth),
        None if kind == Some(Rpc) => Adoption::Depth(RPC_DEPTH),
        None => Adoption::Finalized,
    })
}

#[cfg(test)]
pub(super) mod tests;

//! What is valid and yet probably not meant, or not fit for production.

use std::collections::HashSet;
use std::time::Duration;

use greenlight_watcher::Adoption;
use greenlight_watcher::light_client::Network;

use super::{Config, Heads, Source};

/// An optimistic head is a slot old when it arrives and two before the next can; slots are missed now and then.
const FEW_SLOTS: u32 = 5;
/// A finalized head is between two and three epochs old on a chain that is well.
const FEW_EPOCHS: u64 = 4;
/// The longest weak subjectivity period, in epochs (consensus-specs, electra/weak-subjectivity.md, with a safety decay
/// of 10 % and 33 million ETH at stake).
const WEAK_SUBJECTIVITY: u64 = 3532;
/// For as long at least, an edge that was down, or lost its state, is to start from the checkpoint that it was given.
const SHORT_CHECKPOINT_AGE: Duration = Duration::from_hours(24);
/// In `config/production.toml`, for the operator to replace.
pub(super) const SAMPLE_CHECKPOINT: [u8; 32] = {
    let quarter = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128.to_be_bytes();
    let mut root = [0; 32];
    let (left, right) = root.split_at_mut(16);
    left.copy_from_slice(&quarter);
    right.copy_from_slice(&quarter);
    root
};

/// Likewise.
const SAMPLE_REGISTRY: [u8; 20] = {
    let mut address = [0; 20];
    let (_, last) = address.split_at_mut(19);
    last.copy_from_slice(&[1]);
    address
};

pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    if config.routes.is_empty() {
        warnings.push(
            "there is no [[route]]: requests are scored, and nothing is done about it".to_owned(),
        );
    }
    let challenges = config.routes.iter().any(|route| route.challenge_below > 1);
    if challenges && config.challenges.shared.is_none() {
        warnings.push(
            "routes challenge and there is no challenge.secret_file: cookies hold at this edge and until it ends"
                .to_owned(),
        );
    }
    if !config.bots_enabled {
        warnings.push("bots.enabled = false: requests are neither scored nor acted on".to_owned());
    }
    let source = &config.source;
    if source.adoption == Adoption::Depth(0) {
        warnings.push(
            "source.adoption_depth = 0 adopts artifacts that a reorganization can take back"
                .to_owned(),
        );
    }
    match &source.heads {
        Heads::LightClient { network, checkpoint, max_checkpoint_age, beacon_urls } => {
            if *checkpoint == SAMPLE_CHECKPOINT {
                warnings.push(
                    "source.checkpoint is the sample's: nothing is followed until a real one takes its place"
                        .to_owned(),
                );
            }
            // That of another network depends on a stake that nobody here knows.
            if Network::named(&network.name).is_some()
                && *max_checkpoint_age > epochs(network, WEAK_SUBJECTIVITY)
            {
                warnings.push(format!(
                    "source.max_checkpoint_age is beyond the weak subjectivity period of {}: validators that have \
                     left could sign another history for so old a checkpoint",
                    network.name
                ));
            }
            if *max_checkpoint_age < epochs(network, FEW_EPOCHS) {
                warnings.push(format!(
                    "source.max_checkpoint_age is below {FEW_EPOCHS} epochs: a finalized block is two to three epochs \
                     old, so there is hardly a checkpoint to start from"
                ));
            } else if Network::named(&network.name).is_some()
                && *max_checkpoint_age < SHORT_CHECKPOINT_AGE
            {
                warnings.push(
                    "source.max_checkpoint_age is below one day: an edge that was down for longer needs a new checkpoint"
                        .to_owned(),
                );
            }
            if endpoints(beacon_urls) == 1 {
                warnings.push(alone("beacon_urls"));
            }
            ages(source, network, &mut warnings);
        }
        Heads::Helios { url, .. } => {
            if !is_local(url) {
                warnings.push(
                    "source.helios_url is not on this machine: whoever answers there decides what the edge believes"
                        .to_owned(),
                );
            }
            // Every network that Helios knows has mainnet's slots and epochs.
            ages(source, &Network::mainnet(), &mut warnings);
        }
        Heads::Rpc { .. } => warnings.push(
            "source.kind = \"rpc\" believes the headers it is given: for development only"
                .to_owned(),
        ),
    }
    if !matches!(source.heads, Heads::Rpc { .. }) && endpoints(&source.urls) == 1 {
        warnings.push(alone("urls"));
    }
    if source.registry == SAMPLE_REGISTRY {
        warnings.push(
            "source.registry is the sample's: nothing is adopted until a real one takes its place"
                .to_owned(),
        );
    }
    for (key, duration) in [("poll", source.poll), ("deadline", source.deadline)] {
        if duration > source.max_staleness {
            warnings.push(format!(
                "source.{key} is above max_staleness: the source can count as stale while all is well"
            ));
        }
    }
    if source.max_finality_age < source.max_staleness {
        warnings.push(
            "source.max_finality_age is below max_staleness, which then never decides: a finalized head is older than \
             the newest"
                .to_owned(),
        );
    }
    warnings
}

fn ages(source: &Source, network: &Network, warnings: &mut Vec<String>) {
    if source.max_staleness < network.slot_duration.saturating_mul(FEW_SLOTS) {
        warnings.push(format!(
            "source.max_staleness is below {FEW_SLOTS} slots: a few missed slots count as a stale source"
        ));
    }
    if source.max_finality_age < epochs(network, FEW_EPOCHS) {
        warnings.push(format!(
            "source.max_finality_age is below {FEW_EPOCHS} epochs: the finalized head of a chain that is well is \
             two to three epochs old"
        ));
    }
}

fn alone(key: &str) -> String {
    format!(
        "source.{key} has one endpoint: while that one stands still or withholds, no other tells"
    )
}

fn epochs(network: &Network, count: u64) -> Duration {
    let slots = count.saturating_mul(network.preset.slots_per_epoch());
    network.slot_duration.saturating_mul(u32::try_from(slots).unwrap_or(u32::MAX))
}

/// One endpoint under two URLs is one all the same.
fn endpoints(urls: &[String]) -> usize {
    let endpoint = |url: &String| {
        let url = reqwest::Url::parse(url).ok()?;
        Some((url.host_str()?.to_owned(), url.port_or_known_default()))
    };
    urls.iter().map(endpoint).collect::<HashSet<_>>().len()
}

fn is_local(url: &str) -> bool {
    let url = reqwest::Url::parse(url).ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests;

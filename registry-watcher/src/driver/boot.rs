#![allow(clippy::disallowed_methods, reason = "sets a broken evidence file aside")]

use std::{path::Path, sync::Arc};

use super::{Clock, desk::Desk};
use crate::{
    config::Config,
    engine::Engine,
    evidence::{Evidence, EvidenceError},
    machine::{Durable, Event, Settings, State, Why},
    millis::millis,
    registry::Release,
    store::{Store, StoreError},
};

/// Opens the state folder, and brings up the best artifact that it holds.
pub(super) fn boot<E: Engine>(config: &Config, engine: Arc<E>, clock: Clock) -> (Desk<E>, State) {
    let unix = Clock::unix();
    let store = Store::open(&config.state_dir);
    let (evidence, set_aside) = match &store {
        // The chain of evidence belongs to the process that holds the folder.
        Err(StoreError::Locked { .. }) => (None, None),
        _ => match open_evidence(&config.state_dir, unix) {
            Ok((evidence, set_aside)) => (Some(evidence), set_aside),
            Err(error) => {
                tracing::warn!(%error, "evidence cannot be written");
                (None, None)
            }
        },
    };
    let (durable, passed_over) = store.as_ref().map(Store::durable).unwrap_or_default();
    let (store, store_error) = match store {
        Ok(store) => (Some(store), None),
        Err(error) => (None, Some(error)),
    };
    let desk = Desk::new(engine, &config.state_dir, store, evidence);
    desk.record(unix, "started", None, concat!("greenlight ", env!("CARGO_PKG_VERSION")));
    if let Some(why) = set_aside {
        desk.record(unix, "evidence-set-aside", None, &why);
    }
    for error in passed_over.iter().chain(&store_error) {
        desk.store_failed(unix, "state-refused", None, error);
    }
    let durable = durable.unwrap_or_default();
    let loaded = bring_up(&desk, &durable, unix);
    let now = clock.now();
    let state = State::boot(settings(config), durable, loaded, desk.faults(), now);
    desk.follow(&state, now);
    (desk, state)
}

/// Opens the evidence. A broken chain is set aside under another name, for people to look at, and a new one begun; the
/// text says so.
pub(super) fn open_evidence(
    dir: &Path,
    unix: u64,
) -> Result<(Evidence, Option<String>), EvidenceError> {
    let path = dir.join("evidence.ndjson");
    let broken = match Evidence::open(&path) {
        Err(broken @ EvidenceError::Broken { .. }) => broken,
        opened => return opened.map(|evidence| (evidence, None)),
    };
    let aside = path.with_extension(format!("broken-{unix}.ndjson"));
    std::fs::rename(&path, &aside)?;
    let note = format!("{broken}; the old file is now {}", aside.display());
    Ok((Evidence::open(&path)?, Some(note)))
}

/// Installs the first good artifact that is still what it was; else allows everything.
fn bring_up<E: Engine>(desk: &Desk<E>, durable: &Durable, unix: u64) -> Option<Release> {
    let order = durable.boot_order().unwrap_or_else(|why| {
        desk.record(unix, "allow-all", None, why.reason());
        &[]
    });
    for release in order {
        let Some(artifact) = desk.kept_copy(release, unix) else { continue };
        let digest = desk.take_in(artifact);
        match desk.compile(release) {
            Event::Compiled(_) => {
                desk.install(digest);
                desk.record(
                    unix,
                    "resumed",
                    Some(digest),
                    &format!("artifact {} from disk", release.id),
                );
                return Some(release.clone());
            }
            Event::Refused { reason, message, .. } => {
                desk.record(unix, "cache-refused", Some(digest), &format!("{reason}: {message}"));
            }
            _ => {}
        }
    }
    desk.allow_all();
    if durable.boot_order().is_ok() {
        desk.record(unix, "allow-all", None, Why::NoLastGood.reason());
    }
    None
}

fn settings(config: &Config) -> Settings {
    Settings {
        max_staleness: millis(config.max_staleness),
        max_finality_age: millis(config.max_finality_age),
        stale_mode: config.stale_mode,
        soak: millis(config.soak),
        fault_bound: config.fault_bound,
        retry: millis(config.poll),
        edge_id: config.edge_id.clone(),
    }
}

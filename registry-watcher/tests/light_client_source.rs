//! A light client as its users meet it: endpoints that misbehave, periods, restarts, clocks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may panic"
)]

#[path = "light_client_source/ancestors.rs"]
mod ancestors;
#[path = "light_client_source/begin.rs"]
mod begin;
#[path = "light_client_source/driven.rs"]
mod driven;
#[path = "light_client_source/scene.rs"]
mod scene;

use std::{sync::atomic::Ordering, time::Duration};

use alloy_primitives::B256;
use greenlight_beacon_simulator::Manner;
use greenlight_watcher::{
    Adoption,
    light_client::Network,
    source::{HeadSource, LightClientSettings},
};
use scene::{DAY, Scene, events, look, without_ranges};

const HOUR: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn from_a_checkpoint_to_the_newest_head() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client(&[&endpoint]);
    scene.advance(3);
    let heads = client.heads().await.unwrap();
    let report = client.report();
    let (newest, finalized) = (report.newest.unwrap(), report.finalized.unwrap());
    // Signed in 103.
    assert_eq!((newest.slot, finalized.slot), (Some(102), Some(86)));
    assert_eq!((heads.newest.block(), heads.adoptable.block()), (newest.block, finalized.block));
    assert_eq!((heads.newest.block().number, heads.adoptable.block().number), (102, 86));
    assert_eq!(heads.newest.state_root(), newest.state_root);
    assert_eq!(
        (heads.ages.newest, heads.ages.finalized),
        (Some(14_000), Some(17 * 12_000 + 2_000))
    );
    assert_eq!(report.endpoint, endpoint.url.strip_prefix("http://").map(Into::into));
    assert_eq!((report.network.as_deref(), report.period), (Some("simulated"), Some(1)));
    let participation = report.participation.unwrap();
    assert!(participation.voted > 21 && participation.of == 32, "{participation:?}");
    let news = client.news();
    assert_eq!(news.notes[0].event, "checkpoint");
    assert!(news.notes[0].detail.starts_with("source.checkpoint: slot 83"), "{:?}", news.notes);
    assert!(news.keep.is_some());
    assert_eq!(client.news().keep, None, "once");
}

/// Each manner, what it is called, and whether the endpoint is said to have lied: an honest one serves also a slot in which
/// fewer than two thirds signed.
const MANNERS: [(Manner, &str, bool); 12] = [
    (Manner::ForgedBranch, "finality-branch", true),
    (Manner::OneShort, "participation", false),
    (Manner::WrongForkVersion, "signature", true),
    (Manner::Equivocate, "participation", false),
    (Manner::UnknownFork, "unknown-fork", false),
    (Manner::Endless, "beacon-too-large", false),
    (Manner::Garbage, "beacon-garbage", false),
    (Manner::Status(500), "beacon-http-status", false),
    (Manner::Status(307), "beacon-http-status", false),
    (Manner::Drip, "beacon-deadline", false),
    (Manner::Down, "beacon-unreachable", false),
    (Manner::Slow(Duration::from_secs(3)), "beacon-deadline", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_manner_has_its_reason_and_the_next_endpoint_carries_on() {
    let mut scene = Scene::at(100);
    let (bad, good) = (scene.endpoint().await, scene.endpoint().await);
    for (manner, reason, is_lie) in MANNERS {
        bad.be(Manner::Honest);
        let (mut alone, mut both) = (scene.client(&[&bad]), scene.client(&[&bad, &good]));
        let before = look(&mut alone).await.unwrap();
        look(&mut both).await.unwrap();
        events(&mut both);
        scene.advance(1);
        bad.be(manner);
        assert_eq!(look(&mut alone).await, Err(reason));
        let newest = alone.report().newest.unwrap().slot;
        assert_eq!(newest, Some(before.0), "{reason}: the head stays");
        let after = (scene.slot() - 1, scene.slot() - 17);
        assert_eq!(look(&mut both).await, Ok(after), "{reason}");
        assert_eq!(both.report().endpoint.as_deref(), good.url.strip_prefix("http://"));
        let lies = events(&mut both);
        assert_eq!(lies.len(), usize::from(is_lie), "{lies:?}");
        assert!(lies.iter().all(|(event, detail)| *event == "endpoint-refused"
            && detail.starts_with(&format!("{reason}: "))));
        let report = &both.report().apis[0].endpoints[0];
        assert_eq!(report.last_reason, Some(reason));
        assert_eq!(report.aside_ms > 10_000, is_lie, "{report:?}");
        // Nobody needs a restart.
        bad.be(Manner::Honest);
        assert_eq!(look(&mut alone).await, Ok(after), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_begins_with_the_first_bootstrap_that_verifies() {
    let scene = Scene::at(100);
    let (bad, good) = (scene.endpoint().await, scene.endpoint().await);
    for (manner, reason) in [
        (Manner::ForgedBranch, "committee-branch"),
        (Manner::UnknownFork, "unknown-fork"),
        (Manner::Endless, "beacon-too-large"),
        (Manner::Garbage, "beacon-garbage"),
        (Manner::Status(404), "checkpoint-unknown"),
        (Manner::Status(500), "beacon-http-status"),
        (Manner::Drip, "beacon-deadline"),
        (Manner::Down, "beacon-unreachable"),
    ] {
        bad.be(manner);
        assert_eq!(look(&mut scene.client(&[&bad])).await, Err(reason));
        assert_eq!(look(&mut scene.client(&[&bad, &good])).await, Ok((99, 83)), "{reason}");
    }
    assert_eq!(look(&mut scene.client(&[])).await, Err("beacon-none"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_headers_of_one_slot_the_first_with_two_thirds_stands() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client(&[&endpoint]);
    scene.advance(1);
    let first = client.heads().await.unwrap().newest;
    endpoint.be(Manner::Equivocate);
    assert_eq!(look(&mut client).await, Err("participation"));
    endpoint.be(Manner::Honest);
    assert_eq!(client.heads().await.unwrap().newest, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_frozen_or_hides_what_is_final_is_not_the_last_word() {
    let mut scene = Scene::at(100);
    let (bad, good) = (scene.endpoint().await, scene.endpoint().await);
    for manner in [Manner::Frozen, Manner::OldFinalized] {
        bad.be(Manner::Honest);
        let (mut alone, mut both) = (scene.client(&[&bad]), scene.client(&[&bad, &good]));
        let before = look(&mut alone).await.unwrap();
        bad.be(manner);
        scene.advance(40);
        let after = (scene.slot() - 1, scene.slot() - 17);
        assert_eq!(look(&mut both).await, Ok(after), "{manner:?}");
        // On its own it is believed for what it shows, at the age that this has.
        let newest = if manner == Manner::Frozen { before.0 } else { after.0 };
        let ages = client_ages(&mut alone).await;
        let age = |slot| (scene.slot() - slot) * 12_000 + 2_000;
        assert_eq!(ages, (age(newest), age(before.1)), "{manner:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_newest_is_two_slots_late_is_not_the_last_word() {
    let mut scene = Scene::at(100);
    let (bad, good) = (scene.endpoint().await, scene.endpoint().await);
    let mut client = scene.client(&[&bad, &good]);
    assert_eq!(look(&mut client).await, Ok((99, 83)));
    bad.be(Manner::Frozen);
    scene.advance(1);
    assert_eq!(look(&mut client).await, Ok((99, 83)));
    assert_eq!(good.requests(), 0, "one slot is missed now and then");
    // What is final is as new as it gets.
    scene.advance(1);
    assert_eq!(look(&mut client).await, Ok((101, 85)));
    assert_eq!(client.report().endpoint.as_deref(), good.url.strip_prefix("http://"));
}

async fn client_ages(client: &mut impl HeadSource) -> (u64, u64) {
    let ages = client.heads().await.unwrap().ages;
    (ages.newest.unwrap(), ages.finalized.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_needs_no_checkpoint() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client(&[&endpoint]);
    look(&mut client).await.unwrap();
    let kept = client.news().keep.unwrap();
    scene.advance(30);
    let settings = LightClientSettings { checkpoint: B256::repeat_byte(1), ..scene.settings() };
    let mut client = scene.client_with(settings.clone(), &[&endpoint], &[], Some(&kept));
    assert_eq!(look(&mut client).await, Ok((129, 113)));
    let events = events(&mut client);
    assert!(events[0].1.starts_with("kept store: slot 83"), "{events:?}");
    // Nobody has that checkpoint.
    let mut client = scene.client_with(settings, &[&endpoint], &[], None);
    let error = client.heads().await.unwrap_err();
    assert_eq!(error.reason(), "checkpoint-unknown");
    let said = error.to_string();
    for part in ["0x0101", "found 404", "finalized block of simulated", "source.beacon_urls"] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_badly_or_too_long_gives_way_to_the_checkpoint() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client(&[&endpoint]);
    look(&mut client).await.unwrap();
    let kept = client.news().keep.unwrap();
    scene.advance(60);
    let settings = scene.settings();
    let short =
        LightClientSettings { max_checkpoint_age: Duration::from_secs(600), ..scene.settings() };
    let network = Network { genesis_validators_root: B256::repeat_byte(2), ..scene.network() };
    let elsewhere = kept.replacen("47", "48", 1);
    assert_ne!(network.genesis_validators_root, scene.network().genesis_validators_root);
    for (settings, kept, reason) in [
        (settings.clone(), &kept[..kept.len() / 2], "json"),
        (settings.clone(), "{}", "json"),
        (settings, elsewhere.as_str(), "store-network"),
        (short, kept.as_str(), "kept-store-too-old"),
    ] {
        let mut client = scene.client_with(settings, &[&endpoint], &[], Some(kept));
        assert_eq!(look(&mut client).await, Ok((159, 143)), "{reason}");
        let events = events(&mut client);
        let [(first, refused), (second, begun)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((*first, *second), ("state-refused", "checkpoint"));
        assert!(
            refused.starts_with(reason) && begun.starts_with("source.checkpoint"),
            "{events:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_is_too_old_is_refused_with_what_to_do() {
    let scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client(&[&endpoint]);
    // By a clock that is wrong.
    scene.clocks.jump(15 * DAY as i64);
    let error = client.heads().await.unwrap_err();
    assert_eq!(error.reason(), "checkpoint-too-old");
    let said = error.to_string();
    for part in ["the last 14.0 days", "slot 83, 15.0 days old", "two sources", "source.checkpoint"]
    {
        assert!(said.contains(part), "{said}");
    }
    scene.clocks.jump(-15 * DAY as i64);
    assert_eq!(look(&mut client).await, Ok((99, 83)), "needs no restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_a_day_behind_catches_up() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client(&[&endpoint]);
    look(&mut client).await.unwrap();
    let requests = endpoint.requests();
    // 112 periods, with a block in every eighth slot.
    for _ in 0..900 {
        scene.skip(8);
        scene.propose();
    }
    assert_eq!(scene.slot(), 7_300);
    assert_eq!(look(&mut client).await, Ok((7_292, 7_276)));
    assert_eq!(client.report().period, Some(113));
    let requests = endpoint.requests() - requests;
    assert!((15..=20).contains(&requests), "eight periods at a time: {requests}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_for_a_range_of_periods_is_asked_for_one_at_a_time() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let urls = [without_ranges(&endpoint).await];
    let mut client = scene.client_of(scene.settings(), &urls, &[], None);
    look(&mut client).await.unwrap();
    let requests = endpoint.requests();
    for _ in 0..100 {
        scene.skip(8);
        scene.propose();
    }
    assert_eq!(look(&mut client).await, Ok((892, 876)));
    assert_eq!(client.report().period, Some(13));
    // Of periods 2 to 12 and of its own, then the newest headers.
    let requests = endpoint.requests() - requests;
    assert!((13..=16).contains(&requests), "{requests}");
}

#[tokio::test(flavor = "multi_thread")]
async fn periods_go_by_without_updates_until_the_next_committee_is_needed() {
    let mut scene = Scene::at(100);
    let (bad, good) = (scene.endpoint().await, scene.endpoint().await);
    let mut alone = scene.client(&[&bad]);
    let mut both = scene.client(&[&bad, &good]);
    look(&mut alone).await.unwrap();
    bad.be(Manner::NoUpdates);
    // The committee of period 2 is known, and leads into it; that of period 3 is not.
    while scene.slot() < 192 {
        assert_eq!(look(&mut alone).await, Ok((scene.slot() - 1, scene.slot() - 17)));
        assert_eq!(look(&mut both).await, Ok((scene.slot() - 1, scene.slot() - 17)));
        scene.advance(4);
    }
    assert_eq!(look(&mut alone).await, Err("beacon-http-status"));
    assert_eq!(alone.report().period, Some(2));
    while scene.slot() < 400 {
        assert_eq!(look(&mut both).await, Ok((scene.slot() - 1, scene.slot() - 17)));
        scene.advance(4);
    }
    bad.be(Manner::Honest);
    let good = (scene.slot() - 1, scene.slot() - 17);
    assert_eq!(look(&mut alone).await, Ok(good), "needs no restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_checkpoint_leads_out_of_a_period_that_nobody_has_an_update_of() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client(&[&endpoint]);
    look(&mut client).await.unwrap();
    let kept = client.news().keep.unwrap();
    endpoint.be(Manner::NoUpdates);
    scene.advance(330);
    let mut client = scene.client_with(scene.settings(), &[&endpoint], &[], Some(&kept));
    assert_eq!(look(&mut client).await, Ok((429, 413)));
    let begun: Vec<_> = events(&mut client).into_iter().map(|(_, detail)| detail).collect();
    assert!(begun[0].starts_with("kept store") && begun[1].starts_with("source.checkpoint"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_the_wall_clock_changes_nothing() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client(&[&endpoint]);
    let mut requests = endpoint.requests();
    for jump in [0, HOUR, -2 * HOUR, 300 * DAY as i64] {
        scene.clocks.jump(jump);
        scene.advance(1);
        let ages = client_ages(&mut client).await;
        assert_eq!(ages, (14_000, 17 * 12_000 + 2_000), "{jump}");
        let found = endpoint.requests() - std::mem::replace(&mut requests, endpoint.requests());
        assert!(found <= 4, "{jump}: {found}");
    }
    assert!(events(&mut client).iter().all(|(event, _)| *event == "checkpoint"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_wrong_at_the_start_may_be_corrected() {
    // Slow by so much that periods are in between, slow, fast.
    for wrong in [-20 * HOUR, -HOUR, HOUR] {
        let mut scene = Scene::at(100);
        let settings = scene.settings();
        for _ in 0..800 {
            scene.skip(8);
            scene.propose();
        }
        scene.advance(20);
        let endpoint = scene.endpoint().await;
        scene.clocks.jump(wrong);
        let mut client = scene.client_with(settings, &[&endpoint], &[], None);
        let found = client.heads().await.map(|heads| heads.ages.newest);
        match found {
            Ok(age) => assert_eq!(age, Some(14_000 + wrong as u64)),
            Err(error) => assert_eq!(error.reason(), "signature-slot-future", "{wrong}"),
        }
        scene.clocks.jump(-wrong);
        scene.advance(1);
        assert_eq!(client_ages(&mut client).await.0, 14_000, "{wrong}");
        assert!(events(&mut client).iter().any(|(event, _)| *event == "clock-corrected"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_from_the_next_slot_is_taken_half_a_second_early() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client(&[&endpoint]);
    look(&mut client).await.unwrap();
    scene.advance(1);
    // 501 ms, then 500 ms before the slot that has just begun, by the client's clock.
    scene.clocks.steady.fetch_sub(2_501, Ordering::SeqCst);
    scene.clocks.unix.fetch_sub(2_501, Ordering::SeqCst);
    assert_eq!(look(&mut client).await, Err("signature-slot-future"));
    scene.clocks.pass(1);
    assert_eq!(look(&mut client).await, Ok((100, 84)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_depth_is_walked_by_parent_hashes_also_over_a_reorganization() {
    let mut scene = Scene::with_finality_lag(48);
    scene.advance(100);
    let endpoint = scene.endpoint().await;
    let (rpc, asked) = scene.rpc().await;
    let settings = LightClientSettings { adoption: Adoption::Depth(40), ..scene.settings() };
    let mut client = scene.client_with(settings.clone(), &[&endpoint], &[rpc], None);
    let numbers = async |client: &mut dyn HeadSource| {
        let heads = client.heads().await.unwrap();
        (heads.newest.block().number, heads.adoptable.block().number)
    };
    // 40 headers are more than are fetched for one look; what is final will do meanwhile.
    assert_eq!(numbers(&mut client).await, (99, 51));
    assert_eq!(asked.load(Ordering::SeqCst), 32);
    assert_eq!(numbers(&mut client).await, (99, 59));
    assert_eq!(asked.load(Ordering::SeqCst), 40);
    scene.advance(1);
    assert_eq!(numbers(&mut client).await, (100, 60));
    assert_eq!(asked.load(Ordering::SeqCst), 40, "the parent was a head itself");
    scene.advance(3);
    assert_eq!(numbers(&mut client).await, (103, 63));
    assert_eq!(asked.load(Ordering::SeqCst), 42);
    let before = client.heads().await.unwrap();

    // The block of slot 80 gets other descendants.
    let eighty = scene.ancestor(before.newest.block().hash, 103 - 80);
    scene.reorganize(80, eighty);
    scene.advance(45);
    let after = client.heads().await.unwrap();
    assert_eq!(after.newest.block().number, 80 + 44);
    let after = loop {
        let heads = client.heads().await.unwrap();
        if heads.adoptable.block().number == 84 {
            break heads;
        }
    };
    assert_eq!(after.adoptable.block().hash, scene.ancestor(after.newest.block().hash, 40));
    assert_ne!(before.newest.block().hash, after.newest.block().hash);

    // Without an RPC, kill is still honoured at the newest, and adoption waits for what is final.
    let mut client = scene.client_with(settings, &[&endpoint], &[], None);
    let heads = client.heads().await.unwrap();
    assert_eq!(heads.newest, after.newest);
    assert_eq!(Some(heads.adoptable.block()), client.report().finalized.map(|head| head.block));
}

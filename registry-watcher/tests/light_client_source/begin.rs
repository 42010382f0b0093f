//! What a client may begin with, and when it begins anew.

use std::time::Duration;

use greenlight_beacon_simulator::Manner;
use greenlight_watcher::source::{HeadSource, LightClientSettings, LightClientSource};

use crate::scene::{Scene, events, look};

/// Fifty slots.
fn short(scene: &Scene) -> LightClientSettings {
    LightClientSettings { max_checkpoint_age: Duration::from_secs(600), ..scene.settings() }
}

/// That a store was passed over for `reason`, and that the client began with the checkpoint of `slot`.
fn passed_over(client: &mut LightClientSource, reason: &str, slot: u64) -> String {
    let events = events(client);
    let [(first, refused), (second, begun)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((*first, *second), ("state-refused", "checkpoint"));
    assert!(refused.starts_with(&format!("{reason}: light client: ")), "{events:?}");
    assert!(begun.starts_with(&format!("source.checkpoint: slot {slot}, ")), "{events:?}");
    refused.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_a_slot_that_has_not_come_is_refused_with_what_to_check() {
    let scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    // 1 ms more than an honest clock may be behind.
    let behind = 17 * 12_000 + 2_000 + 501;
    scene.clocks.jump(-behind);
    let mut client = scene.client(&[&endpoint]);
    let error = client.heads().await.unwrap_err();
    assert_eq!(error.reason(), "checkpoint-from-future");
    let said = error.to_string();
    for part in ["slot 82, which is the current one", "found slot 83", "clock", "genesis_time"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(events(&mut client).is_empty());
    scene.clocks.jump(1);
    assert_eq!(look(&mut client).await, Err("signature-slot-future"), "the checkpoint will do");
    scene.clocks.jump(behind - 1);
    assert_eq!(look(&mut client).await, Ok((99, 83)), "needs no restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_of_a_slot_that_has_not_come_gives_way_to_the_checkpoint() {
    let mut scene = Scene::at(100);
    let (old, new) = (scene.endpoint().await, scene.endpoint().await);
    let settings = scene.settings();
    scene.advance(10);
    old.be(Manner::Frozen);
    scene.advance(50);
    let mut client = scene.client_with(settings.clone(), &[&new], &[], None);
    assert_eq!(look(&mut client).await, Ok((159, 143)));
    let kept = client.news().keep.unwrap();

    // The clock was right, and is in slot 120 again.
    scene.clocks.jump(-40 * 12_000);
    let mut client = scene.client_with(settings, &[&old], &[], Some(&kept));
    assert_eq!(look(&mut client).await, Ok((109, 93)));
    let refused = passed_over(&mut client, "kept-store-from-future", 83);
    assert!(refused.contains("slot 120 or before; found slot 143"), "{refused}");
    assert!(client.news().keep.is_none(), "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_client_that_was_cut_off_for_too_long_needs_another_checkpoint() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client_with(short(&scene), &[&endpoint], &[], None);
    assert_eq!(look(&mut client).await, Ok((99, 83)));
    let kept = client.news().keep.unwrap();

    // Not so while the finalized header is new, however old the checkpoint.
    for slot in [130, 160, 190] {
        scene.advance(30);
        assert_eq!(look(&mut client).await, Ok((slot - 1, slot - 17)));
    }
    events(&mut client);
    // Six periods, and an endpoint that has an update of each.
    scene.advance(400);
    for _ in 0..3 {
        let error = client.heads().await.unwrap_err();
        assert_eq!(error.reason(), "checkpoint-too-old");
        assert!(error.to_string().contains("found slot 83, 1.7 hours old"), "{error}");
        assert_eq!(client.report().newest, None, "nothing is shown that is not believed");
    }
    assert!(events(&mut client).is_empty());

    let mut client = scene.client_with(short(&scene), &[&endpoint], &[], Some(&kept));
    assert_eq!(look(&mut client).await, Ok((589, 573)));
    let refused = passed_over(&mut client, "kept-store-too-old", 573);
    assert!(refused.contains("the last 600 s; found slot 83, 1.7 hours old"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_client_that_was_cut_off_begins_with_its_checkpoint_where_that_is_younger() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client(&[&endpoint]);
    look(&mut client).await.unwrap();
    let kept = client.news().keep.unwrap();
    endpoint.be(Manner::Frozen);
    scene.advance(30);
    let mut client = scene.client_with(short(&scene), &[&endpoint], &[], Some(&kept));
    assert_eq!(look(&mut client).await, Ok((99, 83)));
    let begun = events(&mut client);
    assert!(begun.len() == 1 && begun[0].1.starts_with("kept store: slot 83"), "{begun:?}");

    // At 600 s of age it will do; a moment later it will not.
    scene.advance(2);
    scene.clocks.pass(10_000);
    assert_eq!(look(&mut client).await, Ok((99, 83)));
    assert!(events(&mut client).is_empty());
    endpoint.be(Manner::Honest);
    scene.clocks.pass(1);
    assert_eq!(look(&mut client).await, Ok((131, 115)));
    passed_over(&mut client, "kept-store-too-old", 113);
    assert!(client.report().participation.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_clock_that_is_set_back_does_not_make_a_client_young_again() {
    let mut scene = Scene::at(100);
    let endpoint = scene.endpoint().await;
    let mut client = scene.client_with(short(&scene), &[&endpoint], &[], None);
    scene.advance(1);
    look(&mut client).await.unwrap();
    scene.advance(60);
    scene.clocks.jump(-60 * 12_000);
    for _ in 0..3 {
        assert_eq!(client.heads().await.unwrap_err().reason(), "checkpoint-too-old");
    }
}

//! RPCs that give other ancestors of the newest head than it has.

use std::sync::{Arc, Mutex, atomic::Ordering};

use alloy_consensus::Header;
use alloy_primitives::B256;
use greenlight_watcher::{
    Adoption,
    source::{HeadSource, LightClientSettings, LightClientSource},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

use crate::scene::Scene;

/// Why calls failed, as this thread logs it.
struct Reasons {
    seen: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

impl Reasons {
    fn listen() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let guard = tracing::subscriber::set_default(Listener(Arc::clone(&seen)));
        Self { seen, _guard: guard }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

struct Listener(Arc<Mutex<Vec<String>>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Reader(&self.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Reader<'l>(&'l Mutex<Vec<String>>);

impl Visit for Reader<'_> {
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "reason" {
            self.0.lock().unwrap().push(value.into());
        }
    }
}

/// Adopts ten blocks below the newest; the finalized one is 48 below.
fn settings(scene: &Scene) -> LightClientSettings {
    LightClientSettings { adoption: Adoption::Depth(10), ..scene.settings() }
}

async fn numbers(client: &mut LightClientSource) -> (u64, u64) {
    let heads = client.heads().await.unwrap();
    (heads.newest.block().number, heads.adoptable.block().number)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_not_the_named_parent_is_no_ancestor() {
    let mut scene = Scene::with_finality_lag(48);
    scene.advance(100);
    let endpoint = scene.endpoint().await;
    let (honest, _) = scene.rpc().await;
    let other = scene.headers.lock().unwrap().values().find(|header| header.number == 60).cloned();
    let other = other.unwrap();
    let lies: [Box<dyn Fn(Header) -> Header + Send>; 3] = [
        // Whose state would prove whatever its author likes.
        Box::new(|header| Header { state_root: B256::repeat_byte(6), ..header }),
        Box::new(|header| Header { parent_hash: B256::repeat_byte(6), ..header }),
        // Of the chain, but not this one.
        Box::new(move |_| other.clone()),
    ];
    for lie in lies {
        let reasons = Reasons::listen();
        let (liar, asked) = scene.rpc_that(lie).await;
        let mut alone =
            scene.client_with(settings(&scene), &[&endpoint], std::slice::from_ref(&liar), None);
        for _ in 0..2 {
            assert_eq!(numbers(&mut alone).await, (99, 51), "what is final");
        }
        assert_eq!(alone.report().finalized.unwrap().block.number, 51);
        let found = reasons.take();
        assert!(!found.is_empty() && found.iter().all(|why| why == "header-parent"), "{found:?}");

        asked.store(0, Ordering::SeqCst);
        let rpcs = [liar, honest.clone()];
        let mut both = scene.client_with(settings(&scene), &[&endpoint], &rpcs, None);
        // On a busy machine the walk takes more than one look.
        let mut heads = both.heads().await.unwrap();
        for _ in 0..20 {
            if heads.adoptable.block().number != 51 {
                break;
            }
            heads = both.heads().await.unwrap();
        }
        let ninth = scene.ancestor(heads.newest.block().hash, 10);
        assert_eq!((heads.adoptable.block().number, heads.adoptable.block().hash), (89, ninth));
        assert_eq!(heads.adoptable.state_root(), scene.headers.lock().unwrap()[&ninth].state_root);
        assert_eq!(asked.load(Ordering::SeqCst), 1, "aside for a while");
        assert_eq!(reasons.take(), ["header-parent"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_whose_number_is_not_one_less_is_no_ancestor() {
    let mut scene = Scene::with_finality_lag(48);
    scene.advance(94);
    scene.skip_number();
    scene.advance(6);
    let endpoint = scene.endpoint().await;
    let (rpc, asked) = scene.rpc().await;
    let reasons = Reasons::listen();
    let mut client = scene.client_with(settings(&scene), &[&endpoint], &[rpc], None);
    for _ in 0..2 {
        assert_eq!(numbers(&mut client).await, (100, 51), "what is final");
    }
    let found = reasons.take();
    assert!(!found.is_empty() && found.iter().all(|why| why == "header-number"), "{found:?}");
    // From 99 to 96, whose parent is 94, and then that alone.
    assert_eq!(asked.load(Ordering::SeqCst), 6);

    // Above it, one leads to the other again.
    scene.advance(6);
    assert_eq!(numbers(&mut client).await, (106, 96));
    assert!(reasons.take().is_empty());
}

//! What the light client costs, on the mainnet preset, beside the same verification written plainly with the crate
//! `bls12_381`, as other clients in Rust do it (`plain`).
//!
//! | case | what |
//! |---|---|
//! | `finality_update` | a finality update by a committee whose keys are at hand |
//! | `new_committee` | an update that brings the next committee, then the first finality update that it signs |
//! | `bootstrap` | a checkpoint's header and committee: hashes only, and no signature |
//! | `first_head` | the same, then the first finality update: from a checkpoint to a head |
//! | `account_and_storage_proof` | two slots of a contract among 65,536 accounts: hashes only |
//!
//! Everywhere 500 of 512 sign, both sides read SSZ with the same code, and hash and check branches alike. So what is
//! between them is BLS: the client subtracts the absent from the committee's aggregate key and verifies with `blst`, the
//! plain one adds up the keys of those who signed. Both have decompressed keys where keys are at hand.
//!
//! After criterion, each pair is timed once more in turns, which a busy machine disturbs alike, and the medians' ratio
//! printed; then the memory that a client holds after three periods.
#![allow(missing_docs, reason = "criterion's macros define public items")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark over its own data, with a clock"
)]

#[path = "light_client/plain.rs"]
mod plain;
#[path = "light_client/proof.rs"]
mod proof;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/hostile/scene.rs"]
mod scene;
#[path = "../tests/hostile/ssz.rs"]
mod ssz;
#[path = "../tests/hostile/trie.rs"]
mod trie;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::Criterion;
use greenlight_beacon_simulator::{Forgery, Signers};
use greenlight_watcher::{light_client::Store, registry::verify_storage};

use plain::{Committee, Signed};
use scene::{Answer, Input, Kind, Scene};

/// One verification, done by both; each says whether it holds.
struct Case<'c> {
    name: &'static str,
    ours: Box<dyn Fn() -> bool + 'c>,
    plain: Box<dyn Fn() -> bool + 'c>,
}

/// An honest answer and its SSZ.
struct Sent {
    answer: Answer,
    ssz: Vec<u8>,
}

impl Sent {
    fn new(answer: Answer) -> Self {
        Self { ssz: answer.ssz(), answer }
    }

    fn bootstrap(&self, scene: &Scene) -> Option<Store> {
        self.answer.bootstrap_of(&scene.network, &Input::Ssz(&self.ssz)).ok()
    }

    fn update(&self, store: &Store) -> Option<Store> {
        self.answer.update_of(store, &Input::Ssz(&self.ssz)).ok()
    }
}

/// An update that 500 of 512 signed, so many slots into the scene's period.
fn signed(scene: &Scene, kind: Kind, offset: u64) -> Answer {
    signed_by(scene, kind, offset, |seat| seat % 43 != 7)
}

fn signed_by(scene: &Scene, kind: Kind, offset: u64, signs: impl Fn(usize) -> bool) -> Answer {
    scene.forged(kind, scene.early(), |forgery| {
        *forgery = Forgery::honest(scene.spec(), scene.slot(offset));
        forgery.signers = Signers::Seats((0..512).filter(|seat| signs(*seat)).collect());
    })
}

fn main() {
    let scene = Scene::mainnet();
    let slots_per_period = scene.spec().preset.slots_per_period();
    let checkpoint = Sent::new(scene.checkpoint());
    let update = Sent::new(signed(&scene, Kind::Update, scene.early()));
    let finality = Sent::new(signed(&scene, Kind::FinalityUpdate, scene.later()));
    let next = slots_per_period + scene.early();
    let by_next = Sent::new(signed(&scene, Kind::FinalityUpdate, next));

    // The keys of the current committee are at hand from here on.
    let fresh = checkpoint.bootstrap(&scene).unwrap();
    let following = update.update(&fresh).unwrap();
    let of_current = Committee::new(&checkpoint.answer.data, "current_sync_committee");
    let of_next = Committee::new(&update.answer.data, "next_sync_committee");
    let current_keys = of_current.decompressed();

    let plain_checkpoint = plain::Checkpoint::new(&checkpoint.answer);
    let plain_update = Signed::new(&update.answer);
    let plain_finality = Signed::new(&finality.answer);
    let plain_by_next = Signed::new(&by_next.answer);
    let network = &scene.network;
    let (state_root, question) = proof::question();

    let cases = [
        Case {
            name: "finality_update",
            ours: Box::new(|| finality.update(&following).is_some()),
            plain: Box::new(|| plain_finality.verify(network, &current_keys)),
        },
        Case {
            name: "new_committee",
            ours: Box::new(|| {
                update.update(&fresh).and_then(|learned| by_next.update(&learned)).is_some()
            }),
            plain: Box::new(|| {
                plain_update.verify(network, &current_keys)
                    && plain_update.brings(&of_next)
                    && plain_by_next.verify(network, &of_next.decompressed_of(&plain_by_next))
            }),
        },
        Case {
            name: "bootstrap",
            ours: Box::new(|| checkpoint.bootstrap(&scene).is_some()),
            plain: Box::new(|| plain_checkpoint.verify(network, &of_current)),
        },
        Case {
            name: "first_head",
            ours: Box::new(|| {
                checkpoint.bootstrap(&scene).and_then(|store| finality.update(&store)).is_some()
            }),
            plain: Box::new(|| {
                plain_checkpoint.verify(network, &of_current)
                    && plain_finality.verify(network, &of_current.decompressed_of(&plain_finality))
            }),
        },
        Case {
            name: "account_and_storage_proof",
            ours: Box::new(|| {
                verify_storage(state_root, question.address, &proof::slots(), &question).is_ok()
            }),
            plain: Box::new(|| proof::plain(state_root, &question)),
        },
    ];

    // The plain one is right: it believes what is to be believed, and nothing else.
    for case in &cases {
        assert!((case.ours)() && (case.plain)(), "{}", case.name);
    }
    let wrong = plain_finality.with_signature_of(&plain_update);
    assert!(!wrong.verify(network, &current_keys), "another update's signature");
    assert!(!plain_finality.one_signer_less().verify(network, &current_keys), "another's bits");
    assert!(!plain_by_next.verify(network, &current_keys), "another committee's signature");
    assert!(!plain_update.brings(&of_current), "another committee");

    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    for case in &cases {
        let mut group = criterion.benchmark_group(format!("light_client/{}", case.name));
        group.bench_function("ours", |bencher| bencher.iter(|| assert!(black_box((case.ours)()))));
        group.bench_function("plain", |bencher| {
            bencher.iter(|| assert!(black_box((case.plain)())));
        });
        group.finish();
    }
    criterion.final_summary();

    // `cargo test --benches` only asks whether the benchmarks run.
    if !std::env::args().any(|argument| argument == "--test") {
        println!("medians of 40, in turns");
        cases.iter().for_each(compare);
        reading(&update.answer, &finality.answer);
        memory(&scene);
    }
}

fn compare(case: &Case<'_>) {
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        ours.push(timed(&case.ours));
        plain.push(timed(&case.plain));
    }
    let (ours, plain) = (median(ours), median(plain));
    println!(
        "light_client/{:<26} ours {:>8.3} ms   bls12_381 {:>8.3} ms   ratio {:>5.1}",
        case.name,
        ours * 1e3,
        plain * 1e3,
        plain / ours
    );
}

/// Reading is the same for both, and so no part of the comparison; nor is JSON.
fn reading(update: &Answer, finality: &Answer) {
    for (name, answer) in [("update", update), ("finality update", finality)] {
        let json = answer.json();
        let ssz = answer.ssz();
        let times = |input: &Input<'_>| {
            let read = || answer.read(black_box(input)).is_ok();
            median((0..40).map(|_| timed(&read)).collect()) * 1e3
        };
        println!(
            "reading of {name}: JSON ({} bytes) {:.3} ms, SSZ ({} bytes) {:.3} ms",
            json.len(),
            times(&Input::Json(&json)),
            ssz.len(),
            times(&Input::Ssz(&ssz))
        );
    }
}

/// Memory of a client: bootstrapped, brought over three ends of periods, and in the last of them followed until each
/// seat has been absent once, so that it has every key of the current committee at hand.
fn memory(scene: &Scene) {
    let slots_per_period = scene.spec().preset.slots_per_period();
    let in_last = |slot: u64| 3 * slots_per_period + scene.early() + slot;
    let absent = |slot: u64| move |seat: usize| seat as u64 % 61 != slot % 61;
    let checkpoint = Sent::new(scene.checkpoint());
    let mut updates: Vec<Sent> = (0..4)
        .map(|period| slots_per_period * period + scene.early())
        .map(|slot| Sent::new(signed_by(scene, Kind::Update, slot, absent(slot))))
        .collect();
    updates.extend((1..=61).map(|slot| {
        Sent::new(signed_by(scene, Kind::FinalityUpdate, in_last(slot), absent(slot)))
    }));

    let mut client: Option<Store> = None;
    let held = allocation_counter::measure(|| {
        let mut store = checkpoint.bootstrap(scene).unwrap();
        for update in &updates {
            store = update.update(&store).unwrap();
        }
        client = Some(store);
    });
    let client = client.unwrap();
    assert!(client.knows_next_sync_committee());
    assert_eq!(client.optimistic().slot(), scene.slot(in_last(61)));
    println!(
        "memory of a client after {} updates over three ends of periods: {} kB in {} allocations; {} kB at most on the way",
        updates.len(),
        held.bytes_current / 1_000,
        held.count_current,
        held.bytes_max / 1_000
    );
    assert!(held.bytes_current < 3_000_000);
}

fn timed(verification: &dyn Fn() -> bool) -> f64 {
    let begun = Instant::now();
    assert!(black_box(verification()));
    begun.elapsed().as_secs_f64()
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

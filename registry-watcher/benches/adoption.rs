//! What an edge does to 200 rows before it compiles them: the check of every invariant, the digest, and, where the record
//! has one, the commitment.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may panic, and its groups are a macro's"
)]

use std::hint::black_box;

use alloy_primitives::{Address, B256};
use criterion::{Criterion, criterion_group, criterion_main};
use greenlight_artifact::{Draft, Feature, Key, MAX_ROWS, Row, Schema, ValidArtifact};
use greenlight_watcher::registry::{Location, RecordStatus, Release};

fn full() -> ValidArtifact {
    let rows = (0..MAX_ROWS).map(|number| {
        let feature = Feature::UserAgentContains(format!("client-{number:03}/"));
        Row::of(Key::from_text(&format!("ua.client-{number:03}"), number).unwrap(), &feature, 100)
    });
    Draft { intercept: 0, engine: 1, created_at: 1, label: "full".into(), rows: rows.collect() }
        .encode(&[Schema::ENGINE_1])
        .unwrap()
}

fn adoption(criterion: &mut Criterion) {
    let artifact = full();
    let release = Release {
        id: 1,
        digest: artifact.digest(),
        commitment: B256::from(artifact.commitment().0),
        size: u16::try_from(artifact.bytes().len()).unwrap(),
        rows: 200,
        status: RecordStatus::Promoted,
        verifier: Address::ZERO,
        staged_at: 0,
        location: Location::Log { block: 1 },
    };
    let mut group = criterion.benchmark_group("adoption/200");
    group.bench_function("check and digest", |bencher| {
        bencher.iter(|| ValidArtifact::check(black_box(artifact.bytes()), &[Schema::ENGINE_1]));
    });
    group.bench_function("commitment", |bencher| {
        bencher.iter(|| black_box(&release).hold(black_box(&artifact)));
    });
    group.finish();
}

criterion_group!(benches, adoption);
criterion_main!(benches);

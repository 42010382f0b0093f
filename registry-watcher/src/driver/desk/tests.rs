use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::{Address, B256};
use greenlight_artifact::{Draft, Feature, Key, Row, Schema};

use super::*;
use crate::registry::{Location, RecordStatus};

/// Counts what was compiled.
#[derive(Default)]
struct Counter(AtomicU64);

impl Engine for Counter {
    type Model = ();

    fn schemas(&self) -> &[Schema] {
        &[Schema::ENGINE_1]
    }

    fn compile(&self, _: &ValidArtifact) -> Result<(), CompileRefused> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn install(&self, (): ()) {}

    fn allow_all(&self) {}

    fn faults(&self) -> u64 {
        0
    }
}

fn artifact(label: &str) -> ValidArtifact {
    let rows = vec![Row::of(Key::from_text("ua.none", 0).unwrap(), &Feature::UserAgentEmpty, 9)];
    Draft { intercept: 0, engine: 1, created_at: 1, label: label.into(), rows }
        .encode(&[Schema::ENGINE_1])
        .unwrap()
}

fn release(artifact: &ValidArtifact, commitment: B256) -> Release {
    Release {
        id: 1,
        digest: artifact.digest(),
        commitment,
        size: 128,
        rows: 1,
        status: RecordStatus::Promoted,
        verifier: Address::ZERO,
        staged_at: 0,
        location: Location::Log { block: 1 },
    }
}

#[test]
fn what_was_proven_of_other_bytes_is_refused_before_it_is_compiled() {
    let engine = Arc::new(Counter::default());
    let desk = Desk::new(Arc::clone(&engine), Path::new("/nowhere"), None, None);
    let (mine, other) = (artifact("mine"), artifact("other"));
    let checked = CheckedArtifact::new(mine.bytes().to_vec(), mine.digest()).unwrap();
    let digest = desk.take_in(checked);

    // A proof about other bytes, under the digest of these.
    let forged = release(&mine, B256::from(other.commitment().0));
    let Event::Refused { digest: refused, reason, message } = desk.compile(&forged) else {
        panic!("a forged record was compiled");
    };
    assert_eq!((refused, reason), (digest, "commitment"));
    let expected = format!(
        "commitment: expected {}, as proven; found {}",
        other.commitment(),
        mine.commitment()
    );
    assert_eq!(message, expected);
    let mut bit = mine.commitment().0;
    bit[31] ^= 1;
    let forged = release(&mine, B256::from(bit));
    assert!(matches!(desk.compile(&forged), Event::Refused { reason: "commitment", .. }));
    assert_eq!(engine.0.load(Ordering::Relaxed), 0);

    for honest in [B256::from(mine.commitment().0), B256::ZERO] {
        assert_eq!(desk.compile(&release(&mine, honest)), Event::Compiled(digest));
    }
    assert_eq!(engine.0.load(Ordering::Relaxed), 2);
}

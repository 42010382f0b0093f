#![allow(clippy::unwrap_used, reason = "a test may panic")]

use tokio::time::timeout;

use super::*;

/// Also that whoever waits can be told to stop: the runtime of this test would not end otherwise.
#[tokio::test]
async fn forge_runs_for_one_at_a_time() {
    let root = tempfile::tempdir().unwrap();
    let nothing = PathBuf::new;
    let tools = Tools {
        root: root.path().into(),
        greenlight: nothing(),
        greenlightctl: nothing(),
        anvil: nothing(),
        forge: nothing(),
    };
    let first = Turn::take(&tools).await.unwrap();
    assert!(timeout(Duration::from_millis(100), Turn::take(&tools)).await.is_err());
    drop(first);
    Turn::take(&tools).await.unwrap();
}

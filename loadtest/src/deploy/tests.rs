#![allow(clippy::unwrap_used, reason = "a test may panic")]

use tokio::time::timeout;

use super::*;

/// Also that whoever waits can be told to stop: the runtime of this test would not end otherwise.
#[tokio::test]
async fn forge_runs_for_one_at_a_time() {
    let contracts = tempfile::tempdir().unwrap();
    let take = || Turn::take(contracts.path());
    let first = take().await.unwrap();
    assert!(timeout(Duration::from_millis(100), take()).await.is_err());
    drop(first);
    take().await.unwrap();
}

use tracing_subscriber::Registry;

use super::*;

#[test]
fn what_no_one_would_log_is_told_by_its_level_alone() {
    let filter = targets(tracing::Level::INFO).and(NotCausedByClients);
    assert_eq!(Filter::<Registry>::max_level_hint(&filter), Some(LevelFilter::INFO));
}

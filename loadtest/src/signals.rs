//! Signals that end the program. Leaving the future of a run drops it, which ends the processes that it started.

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};

/// Waits for the first of them, and names it.
pub(crate) async fn ended() -> &'static str {
    let kinds = [
        (SignalKind::interrupt(), "SIGINT"),
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::hangup(), "SIGHUP"),
    ];
    let mut signals = JoinSet::new();
    for (kind, name) in kinds {
        if let Ok(mut signal) = signal(kind) {
            signals.spawn(async move {
                signal.recv().await;
                name
            });
        }
    }
    match signals.join_next().await {
        Some(Ok(name)) => name,
        _ => std::future::pending().await,
    }
}

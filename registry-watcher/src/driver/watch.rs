use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc::Sender;

use crate::{
    back_off::back_off,
    fetch::{ArtifactSource, CheckedArtifact},
    machine::{Event, Failure, HeadAt, View},
    millis::millis,
    registry::{ArtifactId, Head, ReadError, RegistryReader, Release},
    source::{BlockRef, HeadSource, Heads, News},
    status::SourceReport,
};

/// What tasks tell the driver.
pub(super) enum Report {
    Looked(Box<Looked>),
    Fetched(CheckedArtifact),
    Did(Event),
}

/// A look at the chain, with what the source says of itself.
pub(super) struct Looked {
    pub(super) look: Look,
    pub(super) report: SourceReport,
    pub(super) news: News,
}

/// One look at the chain.
pub(super) type Look = Result<Seen, ReadError>;

/// Verified heads and what the registry says there.
pub(super) struct Seen {
    pub(super) heads: Heads,
    pub(super) newest: HeadAt,
    /// A node that keeps little state may not prove what is `adoption_depth` blocks back.
    pub(super) adoptable: Result<HeadAt, ReadError>,
}

impl Seen {
    pub(super) fn event(&self) -> Event {
        let ages = self.heads.ages;
        match self.adoptable {
            Ok(adoptable) => Event::Seen(View { newest: self.newest, adoptable }, ages),
            Err(_) => Event::SeenNewest(self.newest, ages),
        }
    }
}

/// Looks at the chain, `poll` or less after the look before, for as long as somebody listens.
pub(super) async fn watch_heads(
    mut source: impl HeadSource,
    reader: RegistryReader,
    poll: Duration,
    reports: Sender<Report>,
) {
    let poll_ms = millis(poll);
    let mut orders = None;
    loop {
        let look = look(&mut source, &reader, &mut orders, &reports).await;
        let looked = Looked { look, report: source.report(), news: source.news() };
        if reports.send(Report::Looked(looked.into())).await.is_err() {
            return;
        }
        // Up to half sooner, so that edges that started together, or found the chain again together, spread out.
        let wait = back_off(poll_ms, 1, rand::random());
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

/// Looks once. `orders` are those of the newest head that was last seen: new ones are reported at once, since an RPC may take
/// its time over the adoptable head.
async fn look(
    source: &mut impl HeadSource,
    reader: &RegistryReader,
    orders: &mut Option<Head>,
    reports: &Sender<Report>,
) -> Look {
    let heads = source.heads().await?;
    let newest = HeadAt { block: heads.newest.block(), head: reader.head(&heads.newest).await? };
    let before = orders.replace(newest.head);
    let adoptable = if heads.adoptable == heads.newest {
        Ok(newest)
    } else {
        if before.is_some_and(|before| before != newest.head) {
            let seen = Event::SeenNewest(newest, heads.ages);
            // Nobody listens any more where this fails, as the report of the look will find.
            let _ = reports.send(Report::Did(seen)).await;
        }
        let block = heads.adoptable.block();
        reader.head(&heads.adoptable).await.map(|head| HeadAt { block, head })
    };
    source.held(&heads);
    Ok(Seen { heads, newest, adoptable })
}

/// What reads and fetches go through.
pub(super) struct Errands {
    pub(super) reader: RegistryReader,
    pub(super) artifacts: Arc<dyn ArtifactSource>,
    pub(super) reports: Sender<Report>,
    /// The last look that succeeded.
    pub(super) look: Option<Seen>,
}

impl Errands {
    /// Reads a record by proof, and reports it.
    pub(super) fn resolve(
        &self,
        id: ArtifactId,
        at: BlockRef,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (reader, reports) = (self.reader.clone(), self.reports.clone());
        let head = self.look.as_ref().map(|Seen { heads, .. }| {
            if heads.adoptable.block() == at {
                heads.adoptable.clone()
            } else {
                heads.newest.clone()
            }
        });
        async move {
            let event = match head {
                Some(head) => match reader.release(id, &head).await {
                    Ok(release) => Event::Resolved(release),
                    Err(error) => Event::ResolveFailed { id, why: failure(error.reason(), &error) },
                },
                None => Event::ResolveFailed {
                    id,
                    why: failure("no-head", &"no head was verified since start"),
                },
            };
            // Nobody listens any more only when the driver is ending.
            let _ = reports.send(Report::Did(event)).await;
        }
    }

    /// Fetches a release's bytes, and reports them.
    pub(super) fn fetch(&self, release: Release) -> impl Future<Output = ()> + Send + use<> {
        let (artifacts, reports) = (Arc::clone(&self.artifacts), self.reports.clone());
        async move {
            let report = match artifacts.fetch(&release).await {
                Ok(artifact) => Report::Fetched(artifact),
                Err(error) => {
                    let why = failure(error.reason(), &error);
                    Report::Did(Event::FetchFailed { digest: release.digest, why })
                }
            };
            let _ = reports.send(report).await;
        }
    }
}

fn failure(reason: &'static str, message: &dyn std::fmt::Display) -> Failure {
    Failure { reason, message: message.to_string(), jitter: rand::random() }
}

#[cfg(test)]
mod tests;

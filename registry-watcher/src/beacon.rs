//! The four answers for light clients of the Beacon API: <https://ethereum.github.io/beacon-APIs/>, under
//! `/eth/v1/beacon/light_client`. Nothing else is asked of a beacon node, and no block is ever downloaded.

use std::time::Duration;

use alloy_primitives::B256;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    endpoints::{Api, ApiReport, Ask, Blame, CallError, Endpoints, Reason, Request, Turn, refused},
    light_client::{
        Bootstrap, FinalityUpdate, Fork, LightClientError, OptimisticUpdate, Preset, Update,
    },
};

/// `getLightClientBootstrap`.
pub(crate) const BOOTSTRAP: &str = "/eth/v1/beacon/light_client/bootstrap/{block_root}";
/// `getLightClientUpdatesByRange`.
pub(crate) const UPDATES: &str = "/eth/v1/beacon/light_client/updates";
/// `getLightClientFinalityUpdate`.
pub(crate) const FINALITY_UPDATE: &str = "/eth/v1/beacon/light_client/finality_update";
/// `getLightClientOptimisticUpdate`.
pub(crate) const OPTIMISTIC_UPDATE: &str = "/eth/v1/beacon/light_client/optimistic_update";

/// The most bytes of an answer without a committee, of which an honest one has about 6 kB: an endless one must not fill
/// the memory.
const MAX_HEADERS: usize = 64 * 1024;
/// The most bytes of an answer for each committee in it, of which an honest one has about 60 kB.
const MAX_COMMITTEE: usize = 128 * 1024;
/// The most updates that are asked for at once: [`MAX_COMMITTEE`] times as many are held in memory. The API allows 128
/// (`MAX_REQUEST_LIGHT_CLIENT_UPDATES`: altair, light-client/p2p-interface.md).
pub(crate) const MAX_UPDATES: u64 = 8;

/// Beacon nodes of one chain, tried in turn.
#[derive(Debug)]
pub struct BeaconApi {
    endpoints: Endpoints,
    preset: Preset,
}

/// What every answer is wrapped in.
#[derive(Deserialize)]
struct Versioned<'a> {
    version: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl BeaconApi {
    /// Nodes at `urls`, each call to which ends within `deadline`.
    ///
    /// # Errors
    /// What the TLS set-up said, where there is none.
    pub fn new(
        urls: &[String],
        preset: Preset,
        deadline: Duration,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self { endpoints: Endpoints::new(Api::Beacon, urls, deadline)?, preset })
    }

    /// See [`Endpoints::in_turn`].
    pub(crate) fn in_turn(&self) -> Vec<Turn> {
        self.endpoints.in_turn()
    }

    /// How the nodes do.
    pub(crate) fn report(&self) -> ApiReport {
        self.endpoints.report_as("beacon")
    }

    /// See [`Endpoints::take_lies`].
    pub(crate) fn take_lies(&self) -> Vec<String> {
        self.endpoints.take_lies()
    }

    /// Host and port of the node that is asked first.
    pub(crate) fn preferred(&self) -> Option<String> {
        self.endpoints.preferred()
    }

    /// Forgives a node that was of use.
    pub(crate) fn accept(&self, turn: &Turn) {
        self.endpoints.accept(turn);
    }

    /// Puts a node aside for an answer that does not verify.
    pub(crate) fn refuse(
        &self,
        turn: &Turn,
        call: &'static str,
        why: &LightClientError,
    ) -> CallError {
        self.endpoints.refuse(turn, call, why)
    }

    /// Header and committee of a finalized block.
    pub(crate) async fn bootstrap(&self, turn: &Turn, root: B256) -> Result<Bootstrap, CallError> {
        let path = BOOTSTRAP.replace("{block_root}", &root.to_string());
        let request = Request::Get(&path, &[]);
        let ask = Ask { call: BOOTSTRAP, max: MAX_HEADERS.saturating_add(MAX_COMMITTEE), request };
        self.get(turn, ask, Bootstrap::from_json).await
    }

    /// The best updates of up to `count` periods from `start` on. What comes before an update that cannot be read is
    /// given: the next request begins with that one.
    pub(crate) async fn updates(
        &self,
        turn: &Turn,
        start: u64,
        count: u64,
    ) -> Result<Vec<Update>, CallError> {
        let count = count.min(MAX_UPDATES);
        let most = usize::try_from(count).unwrap_or(usize::MAX);
        let query = [("start_period", start.to_string()), ("count", count.to_string())];
        let request = Request::Get(UPDATES, &query);
        let ask = Ask { call: UPDATES, max: MAX_COMMITTEE.saturating_mul(most), request };
        let read = |body: &[u8]| {
            let answers: Vec<Versioned<'_>> = serde_json::from_slice(body)
                .map_err(|error| self.endpoints.garbage(turn, UPDATES, &error))?;
            let mut updates = Vec::new();
            for answer in answers.iter().take(most) {
                match self.unwrap(turn, UPDATES, answer, Update::from_json) {
                    Ok(update) => updates.push(update),
                    Err(error) if updates.is_empty() => return Err(error),
                    Err(_) => break,
                }
            }
            Ok(updates)
        };
        self.endpoints.ask_one(turn, ask, read).await
    }

    /// The newest finalized header, with the signed one that shows it.
    pub(crate) async fn finality_update(&self, turn: &Turn) -> Result<Update, CallError> {
        let request = Request::Get(FINALITY_UPDATE, &[]);
        let ask = Ask { call: FINALITY_UPDATE, max: MAX_HEADERS, request };
        self.get(turn, ask, FinalityUpdate::from_json).await.map(Into::into)
    }

    /// The newest signed header.
    pub(crate) async fn optimistic_update(&self, turn: &Turn) -> Result<Update, CallError> {
        let request = Request::Get(OPTIMISTIC_UPDATE, &[]);
        let ask = Ask { call: OPTIMISTIC_UPDATE, max: MAX_HEADERS, request };
        self.get(turn, ask, OptimisticUpdate::from_json).await.map(Into::into)
    }

    async fn get<T>(
        &self,
        turn: &Turn,
        ask: Ask<'_>,
        decode: impl Fn(Preset, Fork, &str) -> Result<T, LightClientError> + Send + Sync,
    ) -> Result<T, CallError> {
        let read = |body: &[u8]| {
            let answer = serde_json::from_slice(body)
                .map_err(|error| self.endpoints.garbage(turn, ask.call, &error))?;
            self.unwrap(turn, ask.call, &answer, &decode)
        };
        self.endpoints.ask_one(turn, ask, read).await
    }

    fn unwrap<T>(
        &self,
        turn: &Turn,
        call: &'static str,
        answer: &Versioned<'_>,
        decode: impl Fn(Preset, Fork, &str) -> Result<T, LightClientError>,
    ) -> Result<T, CallError> {
        Fork::from_name(&answer.version)
            .and_then(|fork| decode(self.preset, fork, answer.data.get()))
            .map_err(|error| match error {
                LightClientError::Json { .. } => self.endpoints.garbage(turn, call, &error),
                _ => refused(turn, call, &error),
            })
    }
}

impl Reason for LightClientError {
    fn reason(&self) -> &'static str {
        self.reason()
    }

    fn blame(&self) -> Blame {
        match self {
            // A slot may have few signers: nodes give what there is, from one signer on (altair, light-client/full-node.md).
            _ if self.is_behind() || matches!(self, Self::Participation { .. }) => Blame::Behind,
            // A fork after those that this version knows; a host's clock that is slow; periods that could not be had.
            Self::UnknownFork { .. } | Self::SignatureSlotFuture { .. } => Blame::Beyond,
            _ if self.is_ahead() => Blame::Beyond,
            _ => Blame::Lied,
        }
    }
}

#[cfg(test)]
mod tests;

//! `greenlightctl stage`: an artifact goes on chain, past a verifier.

use std::{fmt, path::Path};

use alloy::{
    primitives::{Address, Bytes},
    sol_types::SolCall as _,
};
use greenlight_artifact::Digest;
use serde::Serialize;

use crate::{
    abi::IConfigRegistry as Abi,
    error::{ChainError, Error},
    files,
    report::Report,
    transaction::{Mined, Rehearsal, SenderArgs},
};

/// Stages the artifact in `file`; unchecked, whatever bytes it holds.
pub(crate) async fn run(
    file: &Path,
    verifier: Option<Address>,
    unchecked: bool,
    sender: &SenderArgs,
) -> Result<Report, Error> {
    let bytes =
        if unchecked { files::unchecked(file)? } else { files::artifact(file)?.bytes().to_vec() };
    let digest = Digest::of(&bytes);
    let sender = sender.connect().await?;
    let verifier = match verifier {
        Some(verifier) => verifier,
        None => sender.registry.verifier().await?,
    };
    let call = Abi::stageCall { verifier, artifact: Bytes::from(bytes), evidence: Bytes::new() };
    let rehearsal = if unchecked { Rehearsal::None } else { Rehearsal::First };
    let sent = sender.send(sender.registry.address, call.abi_encode().into(), rehearsal).await;
    let transaction = match sent {
        Ok(transaction) => transaction,
        Err(error) => {
            return Err(sender
                .explain(error, Abi::stageCall::SELECTOR, Abi::stageCall::SIGNATURE)
                .await);
        }
    };
    let staged = transaction
        .events(sender.registry.address)
        .find_map(|event| match event {
            Abi::IConfigRegistryEvents::Staged(staged) => Some(staged),
            _ => None,
        })
        .ok_or_else(|| ChainError::NoEvent { event: "Staged", hash: transaction.hash })?;
    let Abi::Staged { id, engine, size, rows, .. } = staged;
    Ok(Report::of(&Staged { id, digest, verifier, engine, size, rows, transaction }))
}

#[derive(Serialize)]
struct Staged {
    id: u32,
    digest: Digest,
    verifier: Address,
    engine: u32,
    size: u16,
    rows: u8,
    transaction: Mined,
}

impl fmt::Display for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "staged       as id {}", self.id)?;
        writeln!(f, "digest       {}", self.digest)?;
        writeln!(f, "rows         {} in {} bytes", self.rows, self.size)?;
        writeln!(f, "verifier     {}", self.verifier)?;
        write!(f, "transaction  {}", self.transaction)
    }
}

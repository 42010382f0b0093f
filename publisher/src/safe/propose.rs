//! `greenlightctl propose`: what a Safe's owners shall sign, as a file.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use alloy::primitives::{Address, Bytes};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use super::{
    Safe,
    error::SafeError,
    proposal::{Checked, Proposal},
};
use crate::{
    change::Ask,
    cli::{Acts, Scheduled},
    error::Error,
    registry::{Registry, RegistryArgs},
    report::Report,
    stage::StageArgs,
};

/// The acts that can be proposed.
#[derive(Debug, Subcommand)]
pub(crate) enum Proposed {
    /// Put an artifact on chain, where a verifier checks it; moves no edge.
    Stage {
        #[command(flatten)]
        stage: StageArgs,
        #[command(flatten)]
        with: ProposeArgs,
    },
    #[command(flatten)]
    Act(Acts<ProposeArgs>),
    /// Cancel what is scheduled: an artifact's promotions, or one operation.
    Cancel {
        /// Id of the artifact, or id of the operation as `status` shows it.
        #[arg(value_name = "ID|OPERATION")]
        target: Scheduled,
        #[command(flatten)]
        with: ProposeArgs,
    },
}

/// What every proposal needs.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Proposal")]
pub(crate) struct ProposeArgs {
    /// The Safe that is to act: its address, or the holder's name in the deployment file (publisher, guardian …).
    #[arg(long, value_name = "ADDRESS|HOLDER")]
    safe: Named,
    /// Where to write the proposal.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Nonce of its first transaction, to have signatures ready for later; without it, the Safe's next one.
    #[arg(long, value_name = "N")]
    nonce: Option<u64>,
    /// Propose anew what was cancelled or has expired.
    #[arg(long)]
    again: bool,
    /// For drills: propose the call as it is, neither checked nor rehearsed nor scheduled, so that the contracts themselves
    /// refuse it.
    #[arg(long, conflicts_with = "again")]
    unchecked: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// A Safe as a command line names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Address(Address),
    /// What the deployment file calls it.
    Holder(String),
}

impl FromStr for Named {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::Holder(text.into()), Self::Address))
    }
}

/// Writes the proposal of an act.
pub(crate) async fn run(act: Proposed) -> Result<Report, Error> {
    match act {
        Proposed::Stage { stage, with } => {
            let content = stage.read(with.unchecked)?;
            let (registry, safe) = with.connect().await?;
            let data = content.call(&registry).await?;
            with.finish(&registry, &safe, with.act(&registry, &safe, data).await?)
        }
        Proposed::Act(act) => {
            let (ask, with) = Ask::of(act);
            let (registry, safe) = with.connect().await?;
            let (data, action) = ask.call(&registry).await?;
            if !with.again && !with.unchecked {
                let past = registry.past(safe.address, &action).await?;
                let id = registry.operation_id(safe.address, &data).await?;
                if !past.is_of(id) || registry.operation(id).await?.is_none() {
                    registry.refuse_vetoed(&past, id).await?;
                }
            }
            with.finish(&registry, &safe, with.act(&registry, &safe, data).await?)
        }
        Proposed::Cancel { target, with } => {
            let (registry, safe) = with.connect().await?;
            let pending = registry.scheduled(target).await?;
            let calls = pending.into_iter().map(|pending| {
                (registry.manager, registry.cancel_call(pending.caller, pending.data))
            });
            with.finish(&registry, &safe, Calls { calls: calls.collect(), delay: None })
        }
    }
}

/// The calls that an act takes, in their order.
struct Calls {
    calls: Vec<(Address, Bytes)>,
    /// Seconds of the timelock, and until its end expires.
    delay: Option<(u32, u32)>,
}

impl ProposeArgs {
    async fn connect(&self) -> Result<(Registry, Safe), Error> {
        let registry = self.registry.connect().await?;
        let address = match &self.safe {
            Named::Address(address) => *address,
            Named::Holder(name) => self
                .registry
                .deployment()?
                .holders
                .get(name)
                .copied()
                .ok_or_else(|| SafeError::UnknownHolder { name: name.clone() })?,
        };
        let safe = Safe::read(&registry, address).await?;
        match self.nonce {
            Some(found) if found < safe.nonce => {
                Err(SafeError::NonceBehind { found, next: safe.nonce }.into())
            }
            _ => Ok((registry, safe)),
        }
    }

    /// What the Safe has to call to make the call `data` of the registry.
    async fn act(&self, registry: &Registry, safe: &Safe, data: Bytes) -> Result<Calls, Error> {
        let act = (registry.address, data.clone());
        if self.unchecked {
            return Ok(Calls { calls: vec![act], delay: None });
        }
        let Some(delay) = registry.delay(safe.address, &data).await? else {
            // No role at all has no delay either: the registry says so itself.
            return match registry.attempt(safe.address, registry.address, &data).await {
                Ok(()) => Ok(Calls { calls: vec![act], delay: None }),
                Err(error) => Err(registry.explain(error.into(), &data).await),
            };
        };
        let id = registry.operation_id(safe.address, &data).await?;
        let standing = registry.operation(id).await?;
        registry.rehearse(safe.address, &data, delay, standing.as_ref()).await?;
        let delay = Some((delay, registry.expiration().await?));
        let calls = match standing {
            Some(_) => vec![act],
            None => vec![(registry.manager, registry.schedule_call(data)), act],
        };
        Ok(Calls { calls, delay })
    }

    fn finish(&self, registry: &Registry, safe: &Safe, calls: Calls) -> Result<Report, Error> {
        let Calls { calls, delay } = calls;
        let nonce = self.nonce.unwrap_or(safe.nonce);
        let proposal = Proposal {
            delay: delay.map(|(delay, _)| delay),
            expiration: delay.map(|(_, expiration)| expiration),
            ..Proposal::new(registry, safe, nonce, calls)?
        };
        let checked = proposal.check()?;
        checked.proposal.write(&self.out)?;
        Ok(Report::of(&Written::new(&self.out, checked)))
    }
}

/// A proposal and where it lies.
#[derive(Serialize)]
pub(crate) struct Written {
    out: PathBuf,
    #[serde(flatten)]
    json: Value,
    #[serde(skip)]
    checked: Checked,
}

impl Written {
    pub(crate) fn new(out: &Path, checked: Checked) -> Self {
        Self { out: out.into(), json: checked.json(), checked }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nwritten        {}", self.checked, self.out.display())
    }
}

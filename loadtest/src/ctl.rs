//! The control plane's program, run as its users run it.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::{
    chain::{Account, GUARDIAN, GUARDIANS, PUBLISHER, PUBLISHERS},
    deploy::Holding,
    process::{self, PATIENCE},
    tools::Tools,
};

/// The commands that act on the registry.
const ACTS: [&str; 11] = [
    "stage",
    "promote",
    "rollback",
    "kill",
    "revive",
    "pause",
    "resume",
    "revoke",
    "cancel",
    "add-verifier",
    "stop-verifier",
];

/// `greenlightctl` against one chain.
#[derive(Clone, Debug)]
pub(crate) struct Ctl {
    binary: PathBuf,
    rpc: String,
    deployment: PathBuf,
    holding: Holding,
    proposals: Arc<AtomicU32>,
}

/// A Safe of the scene.
#[derive(Clone, Copy, Debug)]
struct Safe {
    holder: &'static str,
    owners: [Account; 3],
}

/// How a run of it ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) json: Value,
    told: String,
}

impl Ctl {
    pub(crate) fn new(tools: &Tools, rpc: &str, deployment: PathBuf, holding: Holding) -> Self {
        let binary = tools.greenlightctl.clone();
        Self { binary, rpc: rpc.into(), deployment, holding, proposals: Arc::default() }
    }

    /// Runs it with the account's key in its environment. An act of the publisher or of the guardian, where Safes hold
    /// their roles, goes through `propose`, `sign` by two owners, and `execute`; how the last of them that ran ended is what
    /// counts.
    pub(crate) async fn run<A: AsRef<OsStr>>(
        &self,
        account: Account,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Ended> {
        let arguments: Vec<OsString> =
            arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        let is_act = arguments.first().is_some_and(|name| ACTS.iter().any(|act| name == act));
        match self.safe(account) {
            Some(safe) if is_act => self.through(safe, arguments).await,
            _ => self.once(account, arguments).await,
        }
    }

    fn safe(&self, account: Account) -> Option<Safe> {
        let safe = match account {
            PUBLISHER => Safe { holder: "publisher", owners: PUBLISHERS },
            GUARDIAN => Safe { holder: "guardian", owners: GUARDIANS },
            _ => return None,
        };
        (self.holding == Holding::Safes).then_some(safe)
    }

    async fn through(&self, safe: Safe, mut act: Vec<OsString>) -> Result<Ended> {
        let count = self.proposals.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{count}.proposal", safe.holder);
        let file = self.deployment.with_file_name(name).into_os_string();
        let mut execute = vec![OsString::from("execute"), file.clone()];
        let waits = |argument: &mut OsString| argument == "--no-wait";
        execute.extend(act.extract_if(.., waits));
        execute.extend(act.iter().filter(|argument| *argument == "--unchecked").cloned());
        let [first, second, _] = safe.owners;
        let to = ["--safe".into(), safe.holder.into(), "--out".into(), file.clone()];
        let propose = [OsString::from("propose")].into_iter().chain(act).chain(to);
        let mut ended = self.once(first, propose.collect()).await?;
        for owner in [first, second] {
            if ended.code != 0 {
                return Ok(ended);
            }
            ended = self.once(owner, vec!["sign".into(), file.clone()]).await?;
        }
        if ended.code == 0 { self.once(first, execute).await } else { Ok(ended) }
    }

    async fn once(&self, account: Account, arguments: Vec<OsString>) -> Result<Ended> {
        let mut command = Command::new(&self.binary);
        // Nothing of this process's environment may lead it to another chain or key.
        for (name, _) in
            env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GREENLIGHT_"))
        {
            command.env_remove(name);
        }
        command
            .arg("--json")
            .args(arguments)
            .env("GREENLIGHT_RPC", &self.rpc)
            .env("GREENLIGHT_DEPLOYMENT", &self.deployment)
            .env("GREENLIGHT_PRIVATE_KEY", account.key);
        let typed = format!("{:?}", command.as_std().get_args());
        let output =
            process::run("greenlightctl", command, PATIENCE).await.context(typed.clone())?;
        let told = format!("{typed}: {}", String::from_utf8_lossy(&output.stderr).trim_end());
        let json = serde_json::from_slice(&output.stdout).with_context(|| told.clone())?;
        Ok(Ended { code: output.status.code().unwrap_or(-1), json, told })
    }
}

impl Ended {
    /// What it did, where it did it.
    pub(crate) fn done(self) -> Result<Value> {
        if self.code == 0 {
            Ok(self.json)
        } else {
            bail!("greenlightctl ended with {}: {}", self.code, self.told)
        }
    }

    /// The exit code and the stable name of the refusal; `(0, "")` where nothing was refused.
    pub(crate) fn refusal(&self) -> (i32, &str) {
        (self.code, self.json["error"]["reason"].as_str().unwrap_or_default())
    }
}

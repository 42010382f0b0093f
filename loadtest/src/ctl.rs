//! The control plane's program, run as its users run it.

use std::{env, ffi::OsStr, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::{chain::Account, tools::Tools};

/// `greenlightctl` against one chain.
#[derive(Clone, Debug)]
pub(crate) struct Ctl {
    binary: PathBuf,
    rpc: String,
    deployment: PathBuf,
}

/// How a run of it ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) json: Value,
    told: String,
}

impl Ctl {
    pub(crate) fn new(tools: &Tools, rpc: &str, deployment: PathBuf) -> Self {
        Self { binary: tools.greenlightctl.clone(), rpc: rpc.into(), deployment }
    }

    /// Runs it with the account's key in its environment.
    pub(crate) async fn run<A: AsRef<OsStr>>(
        &self,
        account: Account,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Ended> {
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
            .env("GREENLIGHT_PRIVATE_KEY", account.key)
            .kill_on_drop(true);
        let output = command.output().await.context("cannot start greenlightctl")?;
        let told = format!(
            "{:?}: {}",
            command.as_std().get_args(),
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
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

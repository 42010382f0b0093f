//! Finds the programs that the harness runs: the workspace's own beside this one, Foundry's where npm puts them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// Paths of the programs and of the repository.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) root: PathBuf,
    pub(crate) greenlight: PathBuf,
    pub(crate) greenlightctl: PathBuf,
    pub(crate) anvil: PathBuf,
    pub(crate) forge: PathBuf,
}

impl Tools {
    /// # Errors
    /// What is missing, and the command that makes it.
    pub(crate) fn find() -> Result<Self> {
        let own = env::current_exe().context("cannot tell where this program lies")?;
        let beside = own.parent().unwrap_or(Path::new("")).to_owned();
        let here = env::current_dir().context("cannot tell the current folder")?;
        let is_root = |folder: &&Path| {
            folder.join("contracts/foundry.toml").is_file()
                && folder.join("config/sample.json").is_file()
        };
        let Some(root) = own.ancestors().find(is_root).or_else(|| here.ancestors().find(is_root))
        else {
            bail!(
                "expected to run inside the repository of Greenlight; found no contracts/foundry.toml above {} or {}",
                own.display(),
                here.display()
            );
        };
        let contracts = root.join("contracts");
        Ok(Self {
            root: root.to_owned(),
            greenlight: built(&beside, "greenlight")?,
            greenlightctl: built(&beside, "greenlightctl")?,
            anvil: foundry(&contracts, "anvil")?,
            forge: foundry(&contracts, "forge")?,
        })
    }

    /// The edge of an earlier version.
    pub(crate) fn earlier(&self) -> Result<PathBuf> {
        let beside = self.greenlight.parent().unwrap_or(Path::new(""));
        let path = beside.join("examples").join(format!("earlier{}", env::consts::EXE_SUFFIX));
        if path.is_file() {
            return Ok(path);
        }
        bail!(
            "{} is missing; build it with: cargo build -p greenlight --example earlier",
            path.display()
        )
    }

    pub(crate) fn contracts(&self) -> PathBuf {
        self.root.join("contracts")
    }

    /// A program's path as one would type it in the repository's root.
    pub(crate) fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

fn built(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    if path.is_file() {
        return Ok(path);
    }
    let release = if folder.ends_with("release") { " --release" } else { "" };
    bail!("{} is missing; build it with: cargo build{release} -p {name}", path.display())
}

/// The binary itself: npm's launcher would leave its child behind when killed.
fn foundry(contracts: &Path, name: &str) -> Result<PathBuf> {
    let packages = contracts.join("node_modules/@foundry-rs");
    let hint = "install it with: cd contracts && npm ci --ignore-scripts";
    let entries = fs::read_dir(&packages)
        .with_context(|| format!("{} is missing; {hint}", packages.display()))?;
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&format!("{name}-")))
        .map(|entry| entry.path().join("bin").join(format!("{name}{}", env::consts::EXE_SUFFIX)))
        .find(|path| path.is_file())
        .with_context(|| {
            format!("{name} for this platform is missing in {}; {hint}", packages.display())
        })
}

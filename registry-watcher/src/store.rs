//! What outlives the process: the last good artifacts and the orders they ran under.
//!
//! ```text
//! STATE/lock                     held by the one process that uses this folder
//! STATE/durable.json             orders, the list of good artifacts, quarantine; last line: Keccak-256 of the rest
//! STATE/durable.prev.json        the one before
//! STATE/light-client.json        headers and committees that a light client goes on from; sealed in the same way
//! STATE/artifacts/DIGEST.glff    original bytes; the digest in the name is checked on load
//! STATE/artifacts/DIGEST.json    the release and the view that it was adopted under
//! STATE/evidence.ndjson          see `evidence`
//! STATE/allow-all                while this file is there, every request is allowed: the operator's break-glass
//! ```
//!
//! A file is written beside its name, fsynced and renamed over it, and the folder is fsynced: after a crash there is
//! the old one or the new one.

#![allow(clippy::disallowed_methods, reason = "performs the file IO of last-good")]

use std::{
    fs::{self, File, TryLockError},
    io::{ErrorKind, Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use greenlight_artifact::{Digest, MAX_LEN};

use crate::{
    fetch::{BytesError, CheckedArtifact},
    machine::{Durable, View},
    registry::Release,
};

/// A state folder, held by this process alone.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    lock: File,
}

/// What the state folder could not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system said no.
    #[error("{operation} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// Another process uses the folder.
    #[error("{path}: expected to be the only process using it; found it locked", path = path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A file larger than anything this store writes.
    #[error("{path}: expected at most {max} bytes; found {found}", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most.
        max: u64,
        /// Its size.
        found: u64,
    },
    /// A device, a pipe, a folder.
    #[error("{path}: expected a regular file; found something else", path = path.display())]
    NoFile {
        /// What is named so.
        path: PathBuf,
    },
    /// A file that is torn or was edited.
    #[error("{path}: {problem}", path = path.display())]
    Torn {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Bytes of another digest than the file's name says.
    #[error("{path}: {source}", path = path.display())]
    Bytes {
        /// The file.
        path: PathBuf,
        /// Expected and found.
        source: BytesError,
    },
}

impl StoreError {
    /// The stable name of the error.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if source.kind() == ErrorKind::StorageFull => "disk-full",
            Self::Io { source, .. } if source.kind() == ErrorKind::NotFound => "not-kept",
            Self::Io { .. } => "disk-io",
            Self::Locked { .. } => "state-locked",
            Self::TooLarge { .. } => "cache-too-large",
            Self::NoFile { .. } => "no-file",
            Self::Torn { .. } => "cache-torn",
            Self::Bytes { .. } => "cache-digest",
        }
    }
}

const LIGHT_CLIENT: &str = "light-client.json";
/// The most that a durable record can sensibly take: 64 quarantined artifacts of about 400 bytes, and some.
const MAX_DURABLE: u64 = 256 * 1024;
/// The most that a light client's can: two committees of 512 keys in hex, 105 kB, and two headers.
const MAX_LIGHT_CLIENT: u64 = 512 * 1024;

impl Store {
    /// Opens a state folder, and makes it if it is not there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let artifacts = dir.join("artifacts");
        fs::create_dir_all(&artifacts).map_err(io("create", &artifacts))?;
        let path = dir.join("lock");
        let lock = File::create(&path).map_err(io("create", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.into(), lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path }),
            Err(TryLockError::Error(source)) => Err(io("lock", &path)(source)),
        }
    }

    /// What was last written down; the record before it where the last one is torn; nothing where there is none.
    /// With it, why a record was passed over.
    #[must_use]
    pub fn durable(&self) -> (Option<Durable>, Vec<StoreError>) {
        let mut problems = Vec::new();
        for name in ["durable.json", "durable.prev.json"] {
            match read_durable(&self.dir.join(name)) {
                Ok(durable) => return (Some(durable), problems),
                Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                Err(error) => problems.push(error),
            }
        }
        (None, problems)
    }

    /// Writes down what must outlive the process.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn persist(&self, durable: &Durable) -> Result<(), StoreError> {
        let path = self.dir.join("durable.json");
        let json = serde_json::to_string_pretty(durable)
            .map_err(|error| torn(&path, error.to_string()))?;
        match fs::rename(&path, self.dir.join("durable.prev.json")) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(io("rename", &path)(error));
            }
            _ => {}
        }
        self.write(&path, seal(&json).as_bytes())
    }

    /// What a light client left, if it left anything.
    ///
    /// # Errors
    /// [`StoreError`], where it is not what it was.
    pub fn light_client(&self) -> Result<Option<String>, StoreError> {
        match read_sealed(&self.dir.join(LIGHT_CLIENT), MAX_LIGHT_CLIENT) {
            Ok(json) => Ok(Some(json)),
            Err(error) if error.reason() == "not-kept" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps what a light client goes on from.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_light_client(&self, json: &str) -> Result<(), StoreError> {
        self.write(&self.dir.join(LIGHT_CLIENT), seal(json).as_bytes())
    }

    /// The bytes of a kept artifact.
    ///
    /// # Errors
    /// [`StoreError`], where they are not there or not what they were.
    pub fn load(&self, digest: Digest) -> Result<CheckedArtifact, StoreError> {
        let path = self.artifact(digest, "glff");
        let bytes = read(&path, u64::try_from(MAX_LEN).unwrap_or(u64::MAX))?;
        CheckedArtifact::new(bytes, digest).map_err(|source| StoreError::Bytes { path, source })
    }

    /// Keeps a good artifact and the view under which it was adopted, and lets go of those not in `good`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep(
        &self,
        artifact: &CheckedArtifact,
        release: &Release,
        view: Option<&View>,
        good: &[Release],
    ) -> Result<(), StoreError> {
        let about = serde_json::json!({ "release": release, "view": view });
        self.write(&self.artifact(release.digest, "json"), about.to_string().as_bytes())?;
        self.write(&self.artifact(release.digest, "glff"), artifact.bytes())?;
        self.prune(good)
    }

    /// Whether the folder is still the one that was opened: it may be removed, or a disk mounted over it, while this
    /// process runs.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        is_at(&self.lock, &self.dir.join("lock")) && self.dir.join("artifacts").is_dir()
    }

    /// Whether the bytes of an artifact are kept, and are what they were.
    #[must_use]
    pub fn has(&self, digest: Digest) -> bool {
        self.load(digest).is_ok()
    }

    fn prune(&self, good: &[Release]) -> Result<(), StoreError> {
        let folder = self.dir.join("artifacts");
        let kept: Vec<String> = good.iter().map(|release| release.digest.to_string()).collect();
        for entry in fs::read_dir(&folder).map_err(io("list", &folder))? {
            let path = entry.map_err(io("list", &folder))?.path();
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if !kept.iter().any(|digest| digest == name) {
                fs::remove_file(&path).map_err(io("remove", &path))?;
            }
        }
        Ok(())
    }

    fn artifact(&self, digest: Digest, extension: &str) -> PathBuf {
        self.dir.join("artifacts").join(format!("{digest}.{extension}"))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let beside = path.with_extension("tmp");
        let mut file = File::create(&beside).map_err(io("create", &beside))?;
        file.write_all(bytes).map_err(io("write", &beside))?;
        file.sync_all().map_err(io("fsync", &beside))?;
        fs::rename(&beside, path).map_err(io("rename", path))?;
        let folder = path.parent().unwrap_or(&self.dir);
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("fsync", folder))
    }
}

/// Whether the operator's break-glass file is in a state folder, whoever uses it and whatever else is wrong with it.
#[must_use]
pub fn overridden(dir: &Path) -> bool {
    dir.join("allow-all").exists()
}

/// Whether an open file is still the one of that name.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => place(open) == place(named),
        _ => false,
    }
}

fn read_durable(path: &Path) -> Result<Durable, StoreError> {
    let torn = |error: serde_json::Error| torn(path, error.to_string());
    serde_json::from_str(&read_sealed(path, MAX_DURABLE)?).map_err(torn)
}

/// A text with its Keccak-256 as its last line.
fn seal(text: &str) -> String {
    format!("{text}\n{}\n", Digest::of(text.as_bytes()))
}

/// The text of a sealed file, if it is whole.
fn read_sealed(path: &Path, max: u64) -> Result<String, StoreError> {
    let text =
        String::from_utf8(read(path, max)?).map_err(|error| torn(path, error.to_string()))?;
    let (text, checksum) = text
        .strip_suffix('\n')
        .and_then(|text| text.rsplit_once('\n'))
        .ok_or_else(|| torn(path, "expected a last line with a checksum; found none".into()))?;
    let expected = Digest::of(text.as_bytes()).to_string();
    if checksum != expected {
        return Err(torn(path, format!("checksum: expected {expected}; found {:.80}", checksum)));
    }
    Ok(text.into())
}

fn torn(path: &Path, problem: String) -> StoreError {
    StoreError::Torn { path: path.into(), problem }
}

/// A file's bytes, if they are no more than `max`. Only of a regular file: a device has no end, and a pipe no beginning.
fn read(path: &Path, max: u64) -> Result<Vec<u8>, StoreError> {
    let metadata = fs::metadata(path).map_err(io("read", path))?;
    if !metadata.is_file() {
        return Err(StoreError::NoFile { path: path.into() });
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io("open", path))?;
    file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(io("read", path))?;
    let found = metadata.len().max(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    if found > max {
        return Err(StoreError::TooLarge { path: path.into(), max, found });
    }
    Ok(bytes)
}

fn io(operation: &'static str, path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |source| StoreError::Io { operation, path: path.into(), source }
}

#[cfg(test)]
mod tests;

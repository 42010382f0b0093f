//! The key for development: the same for everybody, its secrets public.

use std::path::{Path, PathBuf};

use ark_bn254::Fr;
use ark_ff::PrimeField as _;
use sha2::{Digest as _, Sha512};

use super::{ProvingKey, Secrets};
use crate::r1cs::{R1cs, ShapeError};

/// Whence the development key's secrets come.
pub const DEVELOPMENT_SEED: &str = "greenlight development key: anyone can forge proofs under it";

/// Derives the development key of a circuit: each secret is SHA-512 of the seed, a colon and its name, reduced.
///
/// # Errors
///
/// [`ShapeError`] unless the constraints make a circuit.
pub fn development(r1cs: &R1cs, circuit_version: u32) -> Result<ProvingKey, ShapeError> {
    let secret = |name: &str| {
        Fr::from_be_bytes_mod_order(&Sha512::digest(format!("{DEVELOPMENT_SEED}:{name}")))
    };
    let secrets = Secrets {
        tau: secret("tau"),
        alpha: secret("alpha"),
        beta: secret("beta"),
        delta: secret("delta"),
    };
    Ok(ProvingKey {
        circuit_version,
        r1cs_hash: r1cs.hash(),
        development: true,
        points: secrets.key(r1cs)?,
    })
}

/// The development key from a file in `directory`, where it is put if it is not there. What is damaged, or belongs to
/// another circuit, is derived anew; a directory that cannot be written costs the time of the derivation alone.
///
/// # Errors
///
/// As [`development`].
pub fn cached_development(
    r1cs: &R1cs,
    circuit_version: u32,
    directory: &Path,
) -> Result<ProvingKey, ShapeError> {
    let hash = r1cs.hash();
    let name = hex::encode(hash.first_chunk::<8>().unwrap_or(&[0; 8]));
    let path = directory.join(format!("development-{circuit_version}-{name}.key"));
    if let Ok(key) = ProvingKey::load(&path)
        && (key.development, key.circuit_version, key.r1cs_hash) == (true, circuit_version, hash)
    {
        return Ok(key);
    }
    let key = development(r1cs, circuit_version)?;
    let _ = std::fs::create_dir_all(directory);
    let _ = key.save(&path);
    Ok(key)
}

/// Where derived keys are kept: `$GREENLIGHT_CACHE`, else `greenlight` in `$XDG_CACHE_HOME` or in `~/.cache`, else in the
/// directory for temporary files.
#[must_use]
pub fn cache_directory() -> PathBuf {
    let variable =
        |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("GREENLIGHT_CACHE").unwrap_or_else(|| {
        variable("XDG_CACHE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .unwrap_or_else(std::env::temp_dir)
            .join("greenlight")
    })
}

//! Keys: from a keystore file or the environment, never from an argument, where every process of the machine could
//! read them.

use std::{
    env,
    path::{Path, PathBuf},
    str::FromStr as _,
};

use alloy::{primitives::B256, signers::local::PrivateKeySigner};
use clap::Args;

use crate::{
    error::{Error, SetupError},
    files,
};

const PRIVATE_KEY: &str = "GREENLIGHT_PRIVATE_KEY";
const KEYSTORE_PASSWORD: &str = "GREENLIGHT_KEYSTORE_PASSWORD";

/// A keystore or a password is a few hundred bytes.
const MAX_FILE: u64 = 64 << 10;

/// Where the key is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Key")]
pub(crate) struct SignerArgs {
    /// Web3 Secret Storage file; its password comes from GREENLIGHT_KEYSTORE_PASSWORD or --password-file. Without it,
    /// the key is GREENLIGHT_PRIVATE_KEY.
    #[arg(long, value_name = "FILE", env = "GREENLIGHT_KEYSTORE")]
    keystore: Option<PathBuf>,
    /// File whose first line is the keystore's password.
    #[arg(long, value_name = "FILE", requires = "keystore")]
    password_file: Option<PathBuf>,
}

impl SignerArgs {
    /// Reads the key.
    pub(crate) fn signer(&self) -> Result<PrivateKeySigner, Error> {
        match &self.keystore {
            Some(path) => {
                let password = self.password(path)?;
                PrivateKeySigner::decrypt_keystore(path, password).map_err(|error| {
                    SetupError::Keystore { path: path.clone(), problem: error.to_string() }.into()
                })
            }
            None => private_key(&env::var(PRIVATE_KEY).map_err(|_| SetupError::NoKey)?)
                .map_err(Into::into),
        }
    }

    fn password(&self, keystore: &Path) -> Result<String, Error> {
        if let Some(path) = &self.password_file {
            let bytes = files::read_capped(path, MAX_FILE)?;
            let text = String::from_utf8(bytes).map_err(|_| SetupError::Keystore {
                path: path.clone(),
                problem: "expected UTF-8".into(),
            })?;
            return Ok(text.lines().next().unwrap_or_default().into());
        }
        env::var(KEYSTORE_PASSWORD)
            .map_err(|_| SetupError::NoPassword { path: keystore.into() }.into())
    }
}

/// The error names no digit of what stood there.
fn private_key(text: &str) -> Result<PrivateKeySigner, SetupError> {
    let bytes = B256::from_str(text.trim()).map_err(|_| SetupError::PrivateKey)?;
    PrivateKeySigner::from_bytes(&bytes).map_err(|_| SetupError::PrivateKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_key_is_refused_without_being_shown() {
        let order = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        for text in ["", "0x12", "hunter2", &"00".repeat(32), order] {
            let error = private_key(text).unwrap_err();
            assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn a_key_is_read_with_and_without_prefix() {
        let key = "00".repeat(31) + "01";
        let address = private_key(&key).unwrap().address();
        assert_eq!(private_key(&format!(" 0x{key}\n")).unwrap().address(), address);
        assert_eq!(address.to_string(), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    }
}

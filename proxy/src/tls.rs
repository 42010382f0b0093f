//! Certificates of TLS listeners. Pingora panics on a bad one when it starts, so they are tried here before.

use std::path::Path;

use pingora_core::listeners::tls::TlsSettings;
use pingora_core::tls::{ServerConfig, install_default_crypto_provider, load_certs_and_key_files};

use crate::config::TlsListener;

/// Why a certificate and a key cannot be used together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("a path that is not UTF-8")]
    Path,
    #[error("{0}")]
    Load(Box<pingora_core::Error>),
    #[error("no certificate, or no private key, in the files")]
    Empty,
    #[error("{0}")]
    Pair(pingora_core::tls::RusTlsError),
}

/// Reads both files and tries the key on the certificate.
pub(crate) fn check_pair(cert: &Path, key: &Path) -> Result<(), TlsError> {
    install_default_crypto_provider();
    let (Some(cert), Some(key)) = (cert.to_str(), key.to_str()) else { return Err(TlsError::Path) };
    let (chain, key) =
        load_certs_and_key_files(cert, key).map_err(TlsError::Load)?.ok_or(TlsError::Empty)?;
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Pair)?;
    Ok(())
}

/// Pingora's settings for a listener: its certificate, HTTP/2 offered before HTTP/1.1.
pub(crate) fn settings(listener: &TlsListener) -> Result<TlsSettings, TlsError> {
    check_pair(&listener.cert, &listener.key)?;
    let (Some(cert), Some(key)) = (listener.cert.to_str(), listener.key.to_str()) else {
        return Err(TlsError::Path);
    };
    let mut settings = TlsSettings::intermediate(cert, key).map_err(TlsError::Load)?;
    settings.enable_h2();
    Ok(settings)
}

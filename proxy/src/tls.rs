//! Certificates. Pingora panics when it starts on those that it cannot use, so they are tried here before.

use std::path::Path;

use pingora_core::listeners::tls::TlsSettings;
use pingora_core::tls::{
    RootCertStore, ServerConfig, install_default_crypto_provider, load_ca_file_into_store,
    load_certs_and_key_files, load_platform_certs_incl_env_into_store,
};

use crate::config::{TlsListener, Upstream};

/// Holds no certificate.
const EMPTY: &str = "/dev/null";

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("a path that is not UTF-8")]
    Path,
    #[error("{0}")]
    Load(Box<pingora_core::Error>),
    #[error("no certificate, or no private key, in the files")]
    Empty,
    #[error("no certificate in the file")]
    NoRoots,
    #[error(
        "upstream.tls needs root certificates and this system has none; install them or name some in upstream.ca"
    )]
    NoSystemRoots,
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

/// Reads certificates that may vouch for an upstream's.
pub(crate) fn check_ca(ca: &Path) -> Result<(), TlsError> {
    let mut roots = RootCertStore::empty();
    load_ca_file_into_store(ca, &mut roots).map_err(TlsError::Load)?;
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(()) }
}

/// The file of certificates that Pingora is to trust upstream; `None` for the system's.
///
/// Pingora reads them even where no upstream speaks TLS, and a minimal container has none: it is given none then.
pub(crate) fn ca_file(upstream: &Upstream) -> Result<Option<String>, TlsError> {
    match &upstream.ca {
        _ if !upstream.tls => Ok(Some(EMPTY.to_owned())),
        Some(ca) => ca.to_str().map(|ca| Some(ca.to_owned())).ok_or(TlsError::Path),
        None => {
            let mut roots = RootCertStore::empty();
            let loaded = load_platform_certs_incl_env_into_store(&mut roots);
            if loaded.is_err() || roots.is_empty() {
                Err(TlsError::NoSystemRoots)
            } else {
                Ok(None)
            }
        }
    }
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

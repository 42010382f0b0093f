//! Fingerprints of connections: how a client opened TLS (JA4) and HTTP/2. They belong to the client's libraries, which
//! change less easily than a user agent.
//!
//! | part | where it is seen | what it is made from |
//! |---|---|---|
//! | [`ConnectionFingerprint::ja4`] | [`ClientHelloReader`], before the TLS handshake | the first ClientHello, as [`ja4`] reads it |
//! | [`ConnectionFingerprint::http2`] | [`FingerprintApp`], under Pingora's HTTP/2 | what comes before the first HEADERS frame, as [`http2_opening`] reads it |
//!
//! A proxy's service takes both, and [`crate::BotFilter::request_filter`] finds what they saw:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use greenlight_bot::connection::{ClientHelloReader, FingerprintApp};
//! # use pingora_core::{server::configuration::ServerConf, services::listening::Service};
//! # use pingora_proxy::{ProxyHttp, http_proxy};
//! # fn service<P: ProxyHttp + Send + Sync + 'static>(conf: &Arc<ServerConf>, proxy: P)
//! # where P::CTX: Send + Sync {
//! let app = FingerprintApp::new(http_proxy(conf, proxy));
//! let mut service = Service::new("proxy".to_owned(), app);
//! service.endpoints().set_pre_tls_callback(Arc::new(ClientHelloReader));
//! # }
//! ```
//!
//! Neither delays a connection, nor ends one but for a client that opens HTTP/2 and asks for nothing within a minute,
//! which Pingora would wait for without end. The hello is waited for by the handshake anyway, in the connection's own
//! task and within Pingora's limit of one minute for both; its bytes are put back as they were. The frames are read
//! along while Pingora's HTTP/2 reads them, so their fingerprint stands before the first request is seen. What is odd,
//! long or not TLS passes without a fingerprint, and rows that ask for one do not fire.
//!
//! What cannot be had:
//!
//! - The order of HTTP/2's pseudo-header fields, the fourth part of the published fingerprint. It is inside of HPACK,
//!   whose state only the HTTP/2 implementation has, and that gives fields out as a map.
//! - Anything of a client behind another proxy that ends TLS: the connection is that proxy's. So
//!   [`crate::BotFilter::request_filter`] uses no fingerprint where the client's address is not the socket's.
//! - The second ClientHello after a HelloRetryRequest, and the inner one of Encrypted ClientHello. JA4 is of the first
//!   and outer one.
//!
//! The fingerprint travels with the connection in Pingora's [`ProxyDigest`], which Pingora sets on connections to
//! upstreams only: it is the one field that a hook before the handshake can set and a session shows.

use std::{net::IpAddr, sync::OnceLock};

use async_trait::async_trait;
use http::StatusCode;
use pingora_core::{
    Result,
    listeners::PreTlsProcess,
    protocols::{GetProxyDigest, Stream, l4::stream::Stream as L4Stream, raw_connect::ProxyDigest},
};
use pingora_http::ResponseHeader;
use pingora_proxy::Session;
use tokio::io::AsyncReadExt;

mod app;
mod client_hello;
mod http2;
mod ja4;

pub use app::FingerprintApp;
pub use client_hello::{HelloError, MAX_HELLO_BYTES};
pub use http2::{MAX_OPENING_BYTES, OpeningError, http2_opening};
pub use ja4::ja4;

use client_hello::Hello;

/// How a client opened its connection.
#[derive(Debug, Default)]
pub struct ConnectionFingerprint {
    ja4: Option<Box<str>>,
    /// Set while the connection is read, after its handshake.
    http2: OnceLock<Box<str>>,
}

impl ConnectionFingerprint {
    /// The JA4 fingerprint of its TLS handshake; `None` where there was none or it was not understood.
    #[must_use]
    pub fn ja4(&self) -> Option<&str> {
        self.ja4.as_deref()
    }

    /// The fingerprint of how it opened HTTP/2; `None` where it speaks HTTP/1.1 or was not understood.
    #[must_use]
    pub fn http2(&self) -> Option<&str> {
        self.http2.get().map(AsRef::as_ref)
    }

    /// Wraps it in the field that a connection carries; `None` cannot happen with the status used.
    fn into_digest(self) -> Option<ProxyDigest> {
        let unused = ResponseHeader::build(StatusCode::OK, Some(0)).ok()?;
        Some(ProxyDigest::new(Box::new(unused), Some(Box::new(self))))
    }

    fn of_digest(digest: &ProxyDigest) -> Option<&Self> {
        digest.user_data.as_deref()?.downcast_ref()
    }

    fn is_on(stream: &Stream) -> bool {
        stream.get_proxy_digest().is_some_and(|digest| Self::of_digest(&digest).is_some())
    }
}

/// The fingerprint of the connection that a request came over; `None` where its listener takes none. It is the
/// client's only where no proxy stands between.
#[must_use]
pub fn fingerprint_of(session: &Session) -> Option<&ConnectionFingerprint> {
    ConnectionFingerprint::of_digest(session.digest()?.proxy_digest.as_deref()?)
}

/// The fingerprint of a client at this address: that of the connection, unless another stands between.
#[must_use]
pub fn fingerprint_of_client(session: &Session, client: IpAddr) -> Option<&ConnectionFingerprint> {
    let peer = session.client_addr()?.as_inet()?.ip();
    fingerprint_of(session).filter(|_| peer.to_canonical() == client.to_canonical())
}

/// Reads the ClientHello of each connection before Pingora's handshake does, and puts it back. For
/// [`pingora_core::listeners::Listeners::set_pre_tls_callback`]; a proxy that has a callback of its own, as for the
/// PROXY protocol, calls [`ClientHelloReader`]'s at the end of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientHelloReader;

#[async_trait]
impl PreTlsProcess for ClientHelloReader {
    /// Never fails. It waits for no more than the handshake does: for a whole ClientHello, unless what comes cannot be
    /// one.
    async fn process(&self, stream: &mut L4Stream) -> Result<()> {
        let mut hello = Hello::default();
        let ja4 = match read_hello(stream, &mut hello).await {
            Ok(ja4) => Some(ja4.into_boxed_str()),
            Err(error) => {
                tracing::trace!(target: "greenlight_bot::connection", %error, "no ClientHello");
                None
            }
        };
        stream.rewind(hello.bytes());
        let fingerprint = ConnectionFingerprint { ja4, http2: OnceLock::new() };
        if let Some(digest) = fingerprint.into_digest() {
            stream.set_proxy_digest(digest);
        }
        Ok(())
    }
}

async fn read_hello(stream: &mut L4Stream, hello: &mut Hello) -> Result<String, HelloError> {
    loop {
        if let Some(message) = hello.message()? {
            return ja4::of_message(message);
        }
        // A connection that failed fails again in the handshake, which is the place to say so.
        let read = stream.read_buf(&mut hello.space()?).await.unwrap_or(0);
        if read == 0 {
            return Err(HelloError::Ended { found: hello.bytes().len() });
        }
    }
}

#[cfg(test)]
mod tests;

//! Reads along where HTTP/2 opens, between the connection and Pingora's own reading of it.

use std::{
    io::{ErrorKind, IoSlice, Result},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use pingora_core::{
    apps::{HttpServerApp, ServerApp},
    protocols::{
        ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
        Stream, TimingDigest, UniqueID, UniqueIDType,
        raw_connect::ProxyDigest,
        tls::{SslDigest, TlsRef},
    },
    server::ShutdownWatch,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::{ConnectionFingerprint, http2::Opening};

/// Longest that a client may take from the handshake to its first request over HTTP/2: Pingora waits for the connection
/// preface for ever, so that connections without one could be held in any number. Its own bound for HTTP/1.1 is the same.
const MAX_OPENING_TIME: Duration = Duration::from_secs(60);

/// A Pingora app, such as the proxy that [`pingora_proxy::http_proxy`] makes, with the fingerprint of how HTTP/2 is
/// opened on each connection: over TLS where [`super::ClientHelloReader`] is set on the listener, in clear text where
/// the app allows it (`h2c`).
#[derive(Debug)]
pub struct FingerprintApp<A> {
    app: Arc<A>,
}

impl<A> FingerprintApp<A> {
    /// Puts itself before `app`.
    #[must_use]
    pub fn new(app: A) -> Self {
        Self { app: Arc::new(app) }
    }
}

#[async_trait]
impl<A: HttpServerApp + Send + Sync + 'static> ServerApp for FingerprintApp<A> {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let clear = || self.app.server_options().is_some_and(|options| options.h2c);
        let digest = match stream.selected_alpn_proto() {
            Some(ALPN::H2) if ConnectionFingerprint::is_on(&stream) => stream.get_proxy_digest(),
            None if stream.get_ssl_digest().is_none() && clear() => {
                ConnectionFingerprint::default().into_digest().map(Arc::new)
            }
            _ => None,
        };
        let stream = match digest {
            Some(digest) => {
                let opening = Some(Opening::default());
                Box::new(Observed {
                    stream,
                    digest,
                    opening,
                    until: Box::pin(sleep(MAX_OPENING_TIME)),
                })
            }
            None => stream,
        };
        self.app.process_new(stream, shutdown).await
    }

    async fn cleanup(&self) {
        self.app.cleanup().await;
    }
}

/// A connection whose first bytes are looked at as they are read.
#[derive(Debug)]
struct Observed {
    stream: Stream,
    /// Holds the [`ConnectionFingerprint`].
    digest: Arc<ProxyDigest>,
    /// `None` once it is known or cannot be.
    opening: Option<Opening>,
    /// When it must be known.
    until: Pin<Box<Sleep>>,
}

impl Observed {
    fn observe(&mut self, bytes: &[u8]) {
        let Some(opening) = &mut self.opening else { return };
        match opening.read(bytes) {
            Ok(None) => return,
            Ok(Some(text)) => {
                if let Some(fingerprint) = ConnectionFingerprint::of_digest(&self.digest) {
                    // Set here only, and only once.
                    let _ = fingerprint.http2.set(text.into_boxed_str());
                }
            }
            Err(error) => {
                tracing::trace!(target: "greenlight_bot::connection", %error, "no opening of HTTP/2");
            }
        }
        self.opening = None;
    }
}

impl AsyncRead for Observed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.opening.is_none() {
            return read;
        }
        match read {
            Poll::Ready(Ok(())) => {
                self.observe(buffer.filled().get(before..).unwrap_or_default());
            }
            Poll::Pending if self.until.as_mut().poll(context).is_ready() => {
                return Poll::Ready(Err(ErrorKind::TimedOut.into()));
            }
            Poll::Ready(Err(_)) | Poll::Pending => {}
        }
        read
    }
}

impl AsyncWrite for Observed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[async_trait]
impl Shutdown for Observed {
    async fn shutdown(&mut self) {
        Shutdown::shutdown(&mut *self.stream).await;
    }
}

impl UniqueID for Observed {
    fn id(&self) -> UniqueIDType {
        self.stream.id()
    }
}

impl Ssl for Observed {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.stream.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.stream.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.stream.selected_alpn_proto()
    }
}

impl GetTimingDigest for Observed {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.stream.get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.stream.get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.stream.get_write_pending_time()
    }
}

impl GetProxyDigest for Observed {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        Some(Arc::clone(&self.digest))
    }
}

impl GetSocketDigest for Observed {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.stream.get_socket_digest()
    }

    fn set_socket_digest(&mut self, digest: SocketDigest) {
        self.stream.set_socket_digest(digest);
    }
}

#[async_trait]
impl Peek for Observed {
    async fn try_peek(&mut self, buffer: &mut [u8]) -> Result<bool> {
        self.stream.try_peek(buffer).await
    }
}

#[cfg(test)]
mod tests;

//! Listening sockets, bound before Pingora starts: on a port in use Pingora waits half a minute and then panics in one
//! of its threads, where an operator needs one clear line and an exit code.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::IntoRawFd;

use async_trait::async_trait;
use pingora_core::server::{ListenFds, ShutdownWatch};
use pingora_core::services::Service;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({key}): {}", self.cause())]
pub(crate) struct BindError {
    address: SocketAddr,
    key: &'static str,
    source: io::Error,
}

impl BindError {
    /// Stable name of the cause.
    pub(crate) fn reason(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::AddrInUse => "address-in-use",
            io::ErrorKind::AddrNotAvailable => "address-not-available",
            io::ErrorKind::PermissionDenied => "permission-denied",
            _ => "bind-failed",
        }
    }

    fn cause(&self) -> String {
        match self.source.kind() {
            io::ErrorKind::AddrInUse => "the address is in use by another socket".to_owned(),
            io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            io::ErrorKind::PermissionDenied => {
                "not permitted; ports below 1024 need CAP_NET_BIND_SERVICE".to_owned()
            }
            _ => self.source.to_string(),
        }
    }
}

/// A socket that already accepts connections, with the address it really has.
pub(crate) struct Bound {
    pub(crate) address: SocketAddr,
    socket: TcpListener,
}

/// Binds `address`, which the configuration gives under `key`. Port 0 takes any free port.
pub(crate) fn bind(address: SocketAddr, key: &'static str) -> Result<Bound, BindError> {
    let bound = TcpListener::bind(address).and_then(|socket| {
        // Pingora polls the socket and needs it so.
        socket.set_nonblocking(true)?;
        Ok(Bound { address: socket.local_addr()?, socket })
    });
    bound.map_err(|source| BindError { address, key, source })
}

/// A Pingora service that finds its sockets bound: they are handed over the way sockets of a previous process are.
pub(crate) struct Prebound<S> {
    service: S,
    sockets: Vec<Bound>,
}

impl<S> Prebound<S> {
    pub(crate) fn new(service: S, sockets: Vec<Bound>) -> Self {
        Self { service, sockets }
    }
}

#[async_trait]
impl<S: Service> Service for Prebound<S> {
    async fn start_service(
        &mut self,
        fds: Option<ListenFds>,
        shutdown: ShutdownWatch,
        listeners_per_fd: usize,
    ) {
        if let Some(fds) = &fds {
            for bound in self.sockets.drain(..) {
                fds.lock().add(bound.address.to_string(), bound.socket.into_raw_fd());
            }
        }
        self.service.start_service(fds, shutdown, listeners_per_fd).await;
    }

    fn name(&self) -> &str {
        self.service.name()
    }

    fn threads(&self) -> Option<usize> {
        self.service.threads()
    }

    fn listen_addresses(&self) -> Option<Vec<String>> {
        self.service.listen_addresses()
    }
}

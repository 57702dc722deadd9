//! Listening sockets: opened, or taken over, and why that fails.

use super::config::ConfigError;
use super::kernel;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// Opens a listening socket; `shared`: so that several threads have one each on this address, among
/// which the kernel spreads the clients.
pub fn listen(address: SocketAddr, backlog: u32, shared: bool) -> Result<OwnedFd, StartError> {
    kernel::listen(address, backlog, shared).map_err(|error| StartError::of(address, error))
}

/// Takes a listening socket that another process may have as well: a connection goes to whoever
/// accepts it first, and none is reset when either closes its socket. Others may be opened beside
/// it, whether or not it was opened for that.
pub fn adopt(socket: OwnedFd, address: SocketAddr, backlog: u32) -> Result<OwnedFd, StartError> {
    kernel::share(&socket)
        .and_then(|()| kernel::relisten(&socket, backlog))
        .map_err(|error| StartError::of(address, error))?;
    Ok(socket)
}

/// The TCP side could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An option is out of its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another socket listens on the address.
    #[error("TCP {address}: another program listens there; stop it, or listen elsewhere")]
    InUse {
        /// Where to listen.
        address: SocketAddr,
    },
    /// No interface has the address.
    #[error("TCP {address}: no interface has this address; add it, or listen elsewhere")]
    NoAddress {
        /// Where to listen.
        address: SocketAddr,
    },
    /// The port is privileged.
    #[error(
        "TCP {address}: ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE; \
         grant it, or listen on a higher port"
    )]
    Permission {
        /// Where to listen.
        address: SocketAddr,
    },
    /// The kernel refused for another reason.
    #[error("TCP {address}: cannot listen")]
    Refused {
        /// Where to listen.
        address: SocketAddr,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel gave no epoll set or no event descriptor.
    #[error("cannot create the TCP thread's epoll set")]
    Poller(#[source] io::Error),
}

impl StartError {
    /// Sorts the kernel's answer.
    fn of(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { address },
            io::ErrorKind::AddrNotAvailable => Self::NoAddress { address },
            io::ErrorKind::PermissionDenied => Self::Permission { address },
            _ => Self::Refused { address, source },
        }
    }
}

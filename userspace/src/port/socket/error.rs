//! Why a socket port cannot be opened.

use nix::errno::Errno;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

/// Why a `SocketPort` cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// A field of the configuration is out of its range.
    #[error("{field} = {value}: must be from {} to {}", range.start(), range.end())]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// What it was.
        value: usize,
        /// What it may be.
        range: RangeInclusive<usize>,
    },
    /// Another socket has the address, and does not share it.
    #[error("UDP {address}: another program listens there; stop it, or listen elsewhere")]
    InUse {
        /// Where to listen.
        address: SocketAddr,
    },
    /// No interface has the address.
    #[error("UDP {address}: no interface has this address; add it, or listen elsewhere")]
    NoAddress {
        /// Where to listen.
        address: SocketAddr,
    },
    /// The port is privileged.
    #[error(
        "UDP {address}: ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE; \
         grant it, or listen on a higher port"
    )]
    Permission {
        /// Where to listen.
        address: SocketAddr,
    },
    /// The kernel refused for another reason.
    #[error("UDP {address}: {step}: {errno}")]
    Refused {
        /// Where to listen.
        address: SocketAddr,
        /// What was refused.
        step: Step,
        /// The kernel's answer.
        errno: Errno,
    },
}

/// The steps of opening a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Creating it.
    Socket,
    /// Setting its options.
    Options,
    /// Binding it to its address.
    Bind,
}

impl SocketError {
    /// Sorts the kernel's answer.
    pub(super) fn new(address: SocketAddr, step: Step, errno: Errno) -> Self {
        match (step, errno) {
            (Step::Bind, Errno::EADDRINUSE) => Self::InUse { address },
            (Step::Bind, Errno::EADDRNOTAVAIL) => Self::NoAddress { address },
            (Step::Bind, Errno::EACCES) => Self::Permission { address },
            _ => Self::Refused {
                address,
                step,
                errno,
            },
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Socket => "cannot create a socket",
            Self::Options => "cannot set the socket's options",
            Self::Bind => "cannot bind the socket",
        })
    }
}

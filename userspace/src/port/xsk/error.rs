//! Why an AF_XDP port cannot be opened, and what to do about it.

use super::BindMode;
use crate::sys::interface::InterfaceError;
use nix::errno::Errno;
use std::error::Error;
use std::io;

/// Why an `XskPort` cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("AF_XDP on {interface}, queue {queue}, {mode}: {cause}")]
pub struct XskError {
    /// The interface's name.
    pub interface: String,
    /// The receive queue.
    pub queue: u32,
    /// The mode that was tried.
    pub mode: BindMode,
    /// What is wrong.
    pub cause: Cause,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// A size is out of its range, or they contradict each other.
    #[error("{0}")]
    Config(String),
    /// The interface cannot be looked up.
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    /// The interface has fewer queues.
    #[error("there is no such queue: the interface has {queues}, numbered from 0")]
    NoQueue {
        /// The queues that receive.
        queues: u32,
    },
    /// A capability is missing.
    #[error("not permitted: run as root, or grant CAP_NET_RAW (and CAP_NET_ADMIN and CAP_BPF)")]
    Permission,
    /// The UMEM is larger than the memory that may be locked.
    #[error(
        "{bytes} bytes cannot be locked: raise RLIMIT_MEMLOCK (LimitMEMLOCK=infinity in a systemd \
         unit), grant CAP_IPC_LOCK, or lower frame_count"
    )]
    MemoryLock {
        /// The UMEM's size.
        bytes: u64,
    },
    /// The kernel has no memory for the rings or the UMEM.
    #[error("out of memory: {bytes} bytes are needed, besides the rings; lower frame_count")]
    OutOfMemory {
        /// The UMEM's size.
        bytes: u64,
    },
    /// Another AF_XDP socket has the queue.
    #[error("another AF_XDP socket has the queue: stop the program that does, or use other queues")]
    Busy,
    /// The interface is down.
    #[error("the interface is down: `ip link set IF up`")]
    Down,
    /// The driver or the kernel cannot do it.
    #[error("not supported by this driver or kernel ({0})")]
    Unsupported(Errno),
    /// Anything else.
    #[error("{step}: {error}")]
    Other {
        /// What was tried.
        step: &'static str,
        /// The answer.
        error: io::Error,
    },
}

impl XskError {
    /// Whether another mode may work where this one did not.
    pub fn is_unsupported(&self) -> bool {
        matches!(self.cause, Cause::Unsupported(_))
    }
}

impl Cause {
    /// Sorts what a step of xsk-rs answered; `bytes` is the UMEM's size.
    pub(super) fn new(step: &'static str, error: &(dyn Error + 'static), bytes: u64) -> Self {
        let answer = error.source().and_then(|e| e.downcast_ref::<io::Error>());
        let Some(code) = answer.and_then(io::Error::raw_os_error) else {
            let error = io::Error::other(error.to_string());
            return Self::Other { step, error };
        };
        match Errno::from_raw(code) {
            Errno::EPERM | Errno::EACCES => Self::Permission,
            Errno::ENOBUFS => Self::MemoryLock { bytes },
            Errno::ENOMEM => Self::OutOfMemory { bytes },
            Errno::EBUSY => Self::Busy,
            Errno::ENETDOWN => Self::Down,
            // EINVAL is what drivers answer to a mode, a ring or a frame size that they cannot do.
            errno @ (Errno::EOPNOTSUPP
            | Errno::EINVAL
            | Errno::EAFNOSUPPORT
            | Errno::EPROTONOSUPPORT
            | Errno::ENOSYS) => Self::Unsupported(errno),
            errno => Self::Other {
                step,
                error: errno.into(),
            },
        }
    }
}

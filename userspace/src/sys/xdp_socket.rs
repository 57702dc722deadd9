//! What AF_XDP sockets can do beyond what xsk-rs offers.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::sys::socket::{MsgFlags, getsockopt, send, setsockopt};
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};
use std::os::fd::{AsRawFd, BorrowedFd};

/// `XDP_MAX_TX_SKB_BUDGET` (include/uapi/linux/if_xdp.h).
const MAX_TX_SKB_BUDGET: libc::c_int = 9;

sockopt_impl!(
    /// How many frames one wake-up sends in copy mode.
    TransmitBudget,
    SetOnly,
    libc::SOL_XDP,
    MAX_TX_SKB_BUDGET,
    u32
);

sockopt_impl!(
    /// What the kernel counts about a socket.
    Statistics,
    GetOnly,
    libc::SOL_XDP,
    libc::XDP_STATISTICS,
    libc::xdp_statistics
);

/// What the kernel has counted since the socket was opened.
pub fn statistics(socket: BorrowedFd<'_>) -> Result<libc::xdp_statistics, Errno> {
    getsockopt(&socket, Statistics)
}

/// Wakes the kernel to send what is in the TX ring.
pub fn kick(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    send(socket.as_raw_fd(), &[], MsgFlags::MSG_DONTWAIT).map(|_| ())
}

/// Lets one wake-up send `frames` in copy mode, instead of 32. Older kernels refuse.
pub fn raise_transmit_budget(socket: BorrowedFd<'_>, frames: u32) -> Result<(), Errno> {
    setsockopt(&socket, TransmitBudget, &frames)
}

/// Keeps programs that this process starts from having the socket as well, as libxdp does not: the
/// queue would be taken for as long as they run.
pub fn close_on_exec(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    fcntl(socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map(|_| ())
}

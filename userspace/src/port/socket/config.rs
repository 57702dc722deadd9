//! What a socket port is opened with, and the options that its socket gets.

use super::error::{SocketError, Step};
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, SetSockOpt, SockFlag, SockType, SockaddrStorage, bind, setsockopt, socket,
    sockopt,
};
use nix::{setsockopt_impl, sockopt_impl};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

/// Buffer sizes that a socket may be given, in bytes.
const BUFFER_RANGE: RangeInclusive<usize> = 518..=16_777_215;
/// Sizes that a frame may have: a message of 512 bytes fits (RFC 1035 §4.2.1), and none is longer
/// than UDP can say.
const FRAME_RANGE: RangeInclusive<usize> = 512..=65_535;

sockopt_impl!(
    /// Path-MTU discovery for IPv4.
    Ipv4MtuDiscover,
    SetOnly,
    libc::IPPROTO_IP,
    libc::IP_MTU_DISCOVER,
    libc::c_int
);
sockopt_impl!(
    /// Path-MTU discovery for IPv6.
    Ipv6MtuDiscover,
    SetOnly,
    libc::IPPROTO_IPV6,
    libc::IPV6_MTU_DISCOVER,
    libc::c_int
);

/// What a `SocketPort` is opened with.
#[derive(Clone, Debug)]
pub struct SocketConfig {
    /// Where to listen; an unspecified IP address is every address of its family.
    pub address: SocketAddr,
    /// The kernel's buffer for received messages, in bytes: 518 to 16777215.
    pub receive_buffer: usize,
    /// The kernel's buffer for sent messages, in bytes: 518 to 16777215.
    pub send_buffer: usize,
    /// Bytes of message that a frame holds: 512 to 65535.
    pub frame_size: usize,
    /// Whether other sockets of this user may have the same address: one per worker, among which
    /// the kernel spreads the clients.
    pub shared: bool,
}

impl SocketConfig {
    /// The usual sizes, for `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            // 2,500 small queries: what 20,000/s bring within an eighth of a second.
            receive_buffer: 1 << 20,
            send_buffer: 1 << 20,
            // The largest EDNS payload that servers commonly offer (RFC 6891 §6.2.5).
            frame_size: 4096,
            shared: true,
        }
    }

    /// Checks every field.
    pub(super) fn check(&self) -> Result<(), SocketError> {
        for (field, value, range) in [
            ("receive_buffer", self.receive_buffer, BUFFER_RANGE),
            ("send_buffer", self.send_buffer, BUFFER_RANGE),
            ("frame_size", self.frame_size, FRAME_RANGE),
        ] {
            if !range.contains(&value) {
                return Err(SocketError::OutOfRange {
                    field,
                    value,
                    range,
                });
            }
        }
        Ok(())
    }

    /// Whether the kernel must be asked for the address that each query was sent to.
    pub(super) fn is_wildcard(&self) -> bool {
        self.address.ip().is_unspecified()
    }
}

/// Opens, configures and binds the socket.
pub(super) fn open(config: &SocketConfig) -> Result<OwnedFd, SocketError> {
    let address = config.address;
    let fail = |step| move |errno| SocketError::new(address, step, errno);
    let family = match address.ip() {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket(family, SockType::Datagram, flags, None).map_err(fail(Step::Socket))?;
    set_shares(&fd, config).map_err(fail(Step::Options))?;
    set_options(&fd, config).map_err(fail(Step::Options))?;
    bind(
        std::os::fd::AsRawFd::as_raw_fd(&fd),
        &SockaddrStorage::from(address),
    )
    .map_err(fail(Step::Bind))?;
    Ok(fd)
}

/// Configures a bound socket of another process.
pub(super) fn adopt(socket: &OwnedFd, config: &SocketConfig) -> Result<(), SocketError> {
    let fail = |errno| SocketError::new(config.address, Step::Options, errno);
    set_options(socket, config).map_err(fail)
}

/// Whether the kernel takes messages of several datagrams (Linux 4.18): one that does not, would
/// send them as one.
pub(super) fn knows_trains(socket: &OwnedFd) -> bool {
    // Zero: unless the message itself says so.
    setsockopt(socket, sockopt::UdpGsoSegment, &0).is_ok()
}

/// Sets what can be set before the bind only.
fn set_shares(fd: &OwnedFd, config: &SocketConfig) -> Result<(), Errno> {
    setsockopt(fd, sockopt::ReusePort, &config.shared)?;
    if config.address.is_ipv6() {
        setsockopt(fd, sockopt::Ipv6V6Only, &true)?;
    }
    Ok(())
}

/// Sets everything else.
fn set_options(fd: &OwnedFd, config: &SocketConfig) -> Result<(), Errno> {
    // Beyond net.core.rmem_max only CAP_NET_ADMIN leads; without it, as much as there is.
    set_either(
        fd,
        sockopt::RcvBufForce,
        sockopt::RcvBuf,
        &config.receive_buffer,
    )?;
    set_either(
        fd,
        sockopt::SndBufForce,
        sockopt::SndBuf,
        &config.send_buffer,
    )?;
    // OMIT: a forged "fragmentation needed" must not make replies fragment (RFC 9715
    // §3.1).
    match config.address.ip() {
        IpAddr::V4(_) => {
            setsockopt(fd, Ipv4MtuDiscover, &libc::IP_PMTUDISC_OMIT)?;
            setsockopt(fd, sockopt::Ipv4PacketInfo, &config.is_wildcard())
        }
        IpAddr::V6(_) => {
            setsockopt(fd, Ipv6MtuDiscover, &libc::IPV6_PMTUDISC_OMIT)?;
            setsockopt(fd, sockopt::Ipv6RecvPacketInfo, &config.is_wildcard())
        }
    }
}

/// Sets the option that needs a privilege, else the one that does not.
fn set_either<V>(
    fd: &OwnedFd,
    privileged: impl SetSockOpt<Val = V>,
    plain: impl SetSockOpt<Val = V>,
    value: &V,
) -> Result<(), Errno> {
    setsockopt(fd, privileged, value).or_else(|_| setsockopt(fd, plain, value))
}

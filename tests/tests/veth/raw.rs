//! IP packets as no ordinary socket sends them.

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, sendto, socket,
};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

/// Sends whole IP packets to `destination`, from the namespace of the calling thread.
pub(crate) fn send(destination: IpAddr, packets: &[Vec<u8>]) {
    let family = match destination {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    let (kind, flags) = (SockType::Raw, SockFlag::SOCK_CLOEXEC);
    // IPPROTO_RAW: the headers are the caller's (raw(7)).
    let socket = socket(family, kind, flags, SockProtocol::Raw).unwrap();
    let to = SockaddrStorage::from(SocketAddr::new(destination, 0));
    for packet in packets {
        let sent = sendto(socket.as_raw_fd(), packet, &to, MsgFlags::empty()).unwrap();
        assert_eq!(sent, packet.len());
    }
}

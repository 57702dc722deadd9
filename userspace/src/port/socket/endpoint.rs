//! The two ends of a datagram, in the kernel's own layout so that it can read and write them.

use nix::libc;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Bytes of `struct sockaddr_in6`, the longer of the two.
pub(super) const ADDRESS_LEN: usize = size_of::<libc::sockaddr_in6>();
/// Bytes of a control message's header, its padding included.
const CONTROL_HEADER_LEN: usize = size_of::<libc::cmsghdr>();
/// Room for one `in6_pktinfo`, the longer of the two, padded to a whole number of words.
pub(super) const CONTROL_LEN: usize =
    CONTROL_HEADER_LEN + size_of::<libc::in6_pktinfo>().next_multiple_of(size_of::<usize>());

/// Bytes of the control message that makes a train: a number of two bytes, padded.
const TRAIN_LEN: usize = CONTROL_HEADER_LEN + size_of::<usize>();
/// Room for both.
pub(super) const CONTROL_ROOM: usize = CONTROL_LEN + TRAIN_LEN;

/// Where a datagram came from and, on a wildcard socket, where it went to.
#[derive(Clone, Debug)]
#[repr(C, align(8))]
pub(super) struct Endpoint {
    /// `IP_PKTINFO` or `IPV6_PKTINFO`, header first; behind it there is room for `UDP_SEGMENT`.
    pub(super) control: [u8; CONTROL_ROOM],
    /// Bytes used of `control`.
    pub(super) control_len: usize,
    /// `struct sockaddr_in` or `struct sockaddr_in6`.
    pub(super) address: [u8; ADDRESS_LEN],
    /// Bytes used of `address`.
    pub(super) address_len: usize,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            control: [0; CONTROL_ROOM],
            control_len: 0,
            address: [0; ADDRESS_LEN],
            address_len: 0,
        }
    }
}

impl Endpoint {
    /// The client; none where the kernel gave no Internet address.
    pub(super) fn client(&self) -> Option<SocketAddr> {
        let port = u16::from_be_bytes(field(&self.address, 2));
        match i32::from(u16::from_ne_bytes(field(&self.address, 0))) {
            libc::AF_INET => {
                let ip = Ipv4Addr::from(field::<4>(&self.address, 4));
                Some(SocketAddrV4::new(ip, port).into())
            }
            libc::AF_INET6 => {
                let flow = u32::from_ne_bytes(field(&self.address, 4));
                let ip = Ipv6Addr::from(field::<16>(&self.address, 8));
                let scope = u32::from_ne_bytes(field(&self.address, 24));
                Some(SocketAddrV6::new(ip, port, flow, scope).into())
            }
            _ => None,
        }
    }

    /// The local address that the datagram was sent to, on a wildcard socket.
    pub(super) fn local(&self) -> Option<IpAddr> {
        match self.packet_info()? {
            libc::IPPROTO_IP => Some(Ipv4Addr::from(field::<4>(&self.control, SPEC_DST)).into()),
            _ => Some(Ipv6Addr::from(field::<16>(&self.control, INFO)).into()),
        }
    }

    /// Makes the control message say, for a reply, "from that address, by the usual route".
    ///
    /// Only a link-local address is bound to its interface; any other reply follows the routes, as
    /// the way back need not be the way in.
    pub(super) fn turn_round(&mut self) {
        let interface = match self.packet_info() {
            Some(libc::IPPROTO_IP) => INFO,
            Some(libc::IPPROTO_IPV6) => match self.local() {
                Some(IpAddr::V6(ip)) if ip.is_unicast_link_local() => return,
                _ => INFO + 16,
            },
            _ => return,
        };
        self.control[interface..interface + 4].fill(0);
    }

    /// Appends to the control message that what is sent is a train, to be taken apart after every
    /// `len` bytes. Returns the length of both, for this once.
    pub(super) fn append_train(&mut self, len: u16) -> usize {
        let start = self.control_len.next_multiple_of(size_of::<usize>());
        let message = &mut self.control[start..start + TRAIN_LEN];
        message.fill(0);
        message[..size_of::<usize>()]
            .copy_from_slice(&(CONTROL_HEADER_LEN + size_of::<u16>()).to_ne_bytes());
        message[LEVEL..LEVEL + 4].copy_from_slice(&libc::SOL_UDP.to_ne_bytes());
        message[LEVEL + 4..LEVEL + 8].copy_from_slice(&libc::UDP_SEGMENT.to_ne_bytes());
        message[INFO..INFO + 2].copy_from_slice(&len.to_ne_bytes());
        start + TRAIN_LEN
    }

    /// A number that is equal for equal clients, and hardly ever for others.
    pub(super) fn client_key(&self) -> u64 {
        let words = [0, 8, 16].map(|at| u64::from_ne_bytes(field(&self.address, at)));
        // An IPv4 client is in the first word, the others have what an earlier one left.
        let is_ipv4 = self.address_len == size_of::<libc::sockaddr_in>();
        match is_ipv4 {
            true => words[0],
            false => words.iter().fold(0, |key: u64, word| {
                (key.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            }),
        }
    }

    /// Whether both of its ends are those of `other`.
    pub(super) fn has_ends_of(&self, other: &Self) -> bool {
        self.address[..self.address_len] == other.address[..other.address_len]
            && self.control[..self.control_len] == other.control[..other.control_len]
    }

    /// The protocol of the packet information, where there is any.
    fn packet_info(&self) -> Option<i32> {
        let length = usize::from_ne_bytes(field(&self.control, 0));
        let level = i32::from_ne_bytes(field(&self.control, LEVEL));
        let kind = i32::from_ne_bytes(field(&self.control, LEVEL + 4));
        let expected = match (level, kind) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => size_of::<libc::in_pktinfo>(),
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => size_of::<libc::in6_pktinfo>(),
            _ => return None,
        };
        let whole = CONTROL_HEADER_LEN + expected;
        (length == whole && self.control_len >= whole).then_some(level)
    }
}

/// Offset of `cmsg_level`; `cmsg_type` follows.
const LEVEL: usize = std::mem::offset_of!(libc::cmsghdr, cmsg_level);
/// Offset of the packet information: `ipi_ifindex` in IPv4, `ipi6_addr` in IPv6.
const INFO: usize = CONTROL_HEADER_LEN;
/// Offset of `ipi_spec_dst`, the local address (ip(7)).
const SPEC_DST: usize = INFO + std::mem::offset_of!(libc::in_pktinfo, ipi_spec_dst);

#[cfg(test)]
impl Endpoint {
    /// As of a datagram from `client` on a socket with an address of its own.
    pub(super) fn of_client(client: SocketAddr) -> Self {
        let mut endpoint = Self::default();
        let family = if client.is_ipv4() {
            libc::AF_INET
        } else {
            libc::AF_INET6
        };
        endpoint.address[..2].copy_from_slice(&u16::try_from(family).unwrap().to_ne_bytes());
        endpoint.address[2..4].copy_from_slice(&client.port().to_be_bytes());
        match client.ip() {
            IpAddr::V4(ip) => endpoint.address[4..8].copy_from_slice(&ip.octets()),
            IpAddr::V6(ip) => endpoint.address[8..24].copy_from_slice(&ip.octets()),
        }
        endpoint.address_len = if client.is_ipv4() { 16 } else { ADDRESS_LEN };
        endpoint
    }
}

/// Takes `N` bytes at `at`, which lie within `bytes`.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut value = [0; N];
    value.copy_from_slice(&bytes[at..at + N]);
    value
}

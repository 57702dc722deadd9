//! Between whom a message travels.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Both ends of a message, with their addresses as IP headers have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Whether the addresses have 16 bytes; else they have four, and the rest is zero.
    pub is_ipv6: bool,
    /// The client's address.
    pub client: [u8; 16],
    /// The server's address.
    pub local: [u8; 16],
    /// The client's port.
    pub client_port: u16,
    /// The server's port.
    pub local_port: u16,
}

impl Ends {
    /// Ends that nothing is known of.
    pub const UNKNOWN: Self = Self {
        is_ipv6: false,
        client: [0; 16],
        local: [0; 16],
        client_port: 0,
        local_port: 0,
    };

    /// Between these two. An IPv4 end of an IPv6 socket is one of IPv4.
    pub fn new(client: SocketAddr, local: SocketAddr) -> Self {
        let (client_ip, local_ip) = (client.ip().to_canonical(), local.ip().to_canonical());
        Self {
            is_ipv6: client_ip.is_ipv6(),
            client: octets(client_ip),
            local: octets(local_ip),
            client_port: client.port(),
            local_port: local.port(),
        }
    }

    /// Bytes that each address has.
    pub const fn address_len(&self) -> usize {
        if self.is_ipv6 { 16 } else { 4 }
    }

    /// The client's end.
    pub fn client(&self) -> SocketAddr {
        SocketAddr::new(self.ip(&self.client), self.client_port)
    }

    /// The server's end.
    pub fn local(&self) -> SocketAddr {
        SocketAddr::new(self.ip(&self.local), self.local_port)
    }

    fn ip(&self, octets: &[u8; 16]) -> IpAddr {
        match self.is_ipv6 {
            true => Ipv6Addr::from(*octets).into(),
            false => {
                let [a, b, c, d, ..] = *octets;
                Ipv4Addr::new(a, b, c, d).into()
            }
        }
    }
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&address.octets());
            octets
        }
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_as_they_were_given() {
        for (client, local, told) in [
            ("192.0.2.1:5353", "198.51.100.1:53", "192.0.2.1:5353"),
            (
                "[2001:db8::1]:5353",
                "[2001:db8::53]:53",
                "[2001:db8::1]:5353",
            ),
            (
                "[::ffff:192.0.2.1]:5353",
                "[::ffff:198.51.100.1]:53",
                "192.0.2.1:5353",
            ),
        ] {
            let ends = Ends::new(client.parse().unwrap(), local.parse().unwrap());
            assert_eq!(ends.client().to_string(), told);
            assert_eq!(ends.local().port(), 53);
            assert_eq!(ends.address_len() == 16, told.starts_with('['));
        }
    }
}

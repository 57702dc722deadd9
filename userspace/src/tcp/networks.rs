//! Connections per client network, and which of them are idle.

use super::list::List;
use std::collections::HashMap;
use std::net::IpAddr;

/// The networks that have open connections.
#[derive(Debug, Default)]
pub(super) struct Networks {
    places: HashMap<Prefix, u32>,
    networks: Vec<Network>,
    free: Vec<u32>,
}

/// One network.
#[derive(Debug)]
pub(super) struct Network {
    prefix: Prefix,
    /// Open connections.
    pub(super) connections: u32,
    /// Those that wait for a further query, by the time they began to.
    pub(super) idle: List,
}

impl Networks {
    /// Counts a connection in; returns its network's index.
    pub(super) fn enter(&mut self, client: IpAddr) -> u32 {
        let prefix = Prefix::of(client);
        let index = match self.places.get(&prefix) {
            Some(&index) => index,
            None => self.insert(prefix),
        };
        self.networks[index as usize].connections += 1;
        index
    }

    /// Counts a connection out. It must be in no list of its network any more.
    pub(super) fn leave(&mut self, index: u32) {
        let network = &mut self.networks[index as usize];
        network.connections -= 1;
        if network.connections == 0 {
            self.places.remove(&network.prefix);
            self.free.push(index);
        }
    }

    /// The network of `client`, if it has open connections.
    pub(super) fn find(&self, client: IpAddr) -> Option<&Network> {
        let &index = self.places.get(&Prefix::of(client))?;
        Some(&self.networks[index as usize])
    }

    /// The idle connections of a network.
    pub(super) fn idle_mut(&mut self, index: u32) -> &mut List {
        &mut self.networks[index as usize].idle
    }

    fn insert(&mut self, prefix: Prefix) -> u32 {
        let network = Network {
            prefix,
            connections: 0,
            idle: List::default(),
        };
        let index = match self.free.pop() {
            Some(index) => {
                self.networks[index as usize] = network;
                index
            }
            None => {
                self.networks.push(network);
                u32::try_from(self.networks.len() - 1).expect("fewer networks than connections")
            }
        };
        self.places.insert(prefix, index);
        index
    }
}

/// An IPv4 /24 or an IPv6 /56: what one customer is commonly given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Prefix {
    V4([u8; 3]),
    V6([u8; 7]),
}

impl Prefix {
    fn of(client: IpAddr) -> Self {
        match client.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn clients_are_counted_by_their_24_and_56_bits() {
        let mut networks = Networks::default();
        for client in [
            "192.0.2.1",
            "192.0.2.255",
            "::ffff:192.0.2.3",
            "192.0.3.1",
            "2001:db8:0:ff::1",
            "2001:db8:0:0:ffff::",
            "2001:db8:0:100::1",
        ] {
            networks.enter(ip(client));
        }
        let count = |client| networks.find(ip(client)).map(|network| network.connections);
        assert_eq!(count("192.0.2.77"), Some(3));
        assert_eq!(count("192.0.3.77"), Some(1));
        assert_eq!(count("192.0.4.77"), None);
        assert_eq!(count("2001:db8:0:1::"), Some(2));
        assert_eq!(count("2001:db8:0:1ff::"), Some(1));
    }

    #[test]
    fn an_empty_network_is_forgotten_and_its_place_used_again() {
        let mut networks = Networks::default();
        let first = networks.enter(ip("192.0.2.1"));
        networks.enter(ip("192.0.2.2"));
        networks.leave(first);
        assert!(networks.find(ip("192.0.2.1")).is_some());
        networks.leave(first);
        assert!(networks.find(ip("192.0.2.1")).is_none());
        assert_eq!(networks.enter(ip("198.51.100.1")), first);
        assert_eq!(networks.networks.len(), 1);
    }
}

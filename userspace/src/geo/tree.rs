//! Networks → regions, made for lookups.

use super::Network;
use std::net::IpAddr;

/// Where an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Number of the region in its map.
    pub region: u16,
    /// Bits that the largest network around the address has of which all addresses got the same
    /// entry: what an answer is valid for (RFC 7871 §7.2.1).
    pub prefix_len: u8,
}

/// A binary tree per address family; a node's word is its first child, or a region with the top bit
/// set.
#[derive(Clone, Debug)]
pub struct RegionTree {
    nodes: Vec<u32>,
}

const LEAF: u32 = 1 << 31;
/// Where the trees begin.
const ROOTS: [usize; 2] = [0, 1];

impl RegionTree {
    /// A tree in which every address is in `default`.
    pub fn new(default: u16) -> Self {
        Self {
            nodes: vec![LEAF | u32::from(default); 2],
        }
    }

    /// Puts a network into a region, whatever region its addresses were in.
    pub fn insert(&mut self, network: Network, region: u16) {
        let (mut at, bits) = place(network.address());
        for depth in 0..network.prefix_len() {
            if self.nodes[at] & LEAF != 0 {
                let inherited = self.nodes[at];
                self.nodes[at] = u32::try_from(self.nodes.len()).unwrap_or(0);
                self.nodes.extend([inherited; 2]);
            }
            at = self.nodes[at] as usize + bit(bits, depth);
        }
        self.nodes[at] = LEAF | u32::from(region);
    }

    /// The region that an address is in.
    pub fn find(&self, address: IpAddr) -> Located {
        let (mut at, bits) = place(address);
        let mut prefix_len = 0;
        while self.nodes[at] & LEAF == 0 {
            at = self.nodes[at] as usize + bit(bits, prefix_len);
            prefix_len += 1;
        }
        let region = u16::try_from(self.nodes[at] & !LEAF).unwrap_or(u16::MAX);
        Located { region, prefix_len }
    }
}

/// The root of an address's tree, and its bits, the first at the top.
fn place(address: IpAddr) -> (usize, u128) {
    match address {
        IpAddr::V4(address) => (ROOTS[0], u128::from(address.to_bits()) << 96),
        IpAddr::V6(address) => (ROOTS[1], address.to_bits()),
    }
}

fn bit(bits: u128, depth: u8) -> usize {
    usize::from(bits << depth >> 127 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_network_that_was_put_in_counts_and_the_depth_is_known() {
        let mut tree = RegionTree::new(7);
        let mut put = |address: &str, prefix_len, region| {
            let network = Network::of(address.parse().unwrap(), prefix_len).unwrap();
            tree.insert(network, region);
        };
        put("192.0.2.0", 24, 1);
        put("192.0.2.128", 25, 2);
        put("2001:db8::", 32, 3);
        let find = |address: &str| {
            let Located { region, prefix_len } = tree.find(address.parse().unwrap());
            (region, prefix_len)
        };
        assert_eq!(find("192.0.2.1"), (1, 25));
        assert_eq!(find("192.0.2.200"), (2, 25));
        assert_eq!(find("192.0.3.0"), (7, 24));
        assert_eq!(find("10.0.0.0"), (7, 1));
        assert_eq!(find("2001:db8:ffff::"), (3, 32));
        assert_eq!(find("::"), (7, 3));
    }
}

//! What the tree has to say, told by one that is too simple to be wrong.

use super::{Family, Located, Network};
use std::net::IpAddr;

/// A binary tree per address family; a node's word is its first child, or a region with the top bit
/// set.
pub(super) struct BinaryTree {
    nodes: Vec<u32>,
}

const LEAF: u32 = 1 << 31;

impl BinaryTree {
    /// A tree in which every address is in `default`.
    pub(super) fn new(default: u16) -> Self {
        Self {
            nodes: vec![LEAF | u32::from(default); 2],
        }
    }

    /// Puts a network into a region, whatever region its addresses were in.
    pub(super) fn insert(&mut self, network: Network, region: u16) {
        let (root, bits) = Family::place(network.address());
        let mut at = root as usize;
        for depth in 0..network.prefix_len() {
            if self.nodes[at] & LEAF != 0 {
                let inherited = self.nodes[at];
                self.nodes[at] = u32::try_from(self.nodes.len()).unwrap();
                self.nodes.extend([inherited; 2]);
            }
            at = self.nodes[at] as usize + bit(bits, depth);
        }
        // What is below must be there still, in its region.
        assert!(self.nodes[at] & LEAF != 0, "short networks come first");
        self.nodes[at] = LEAF | u32::from(region);
    }

    /// The region that an address is in.
    pub(super) fn find(&self, address: IpAddr) -> Located {
        let (root, bits) = Family::place(address);
        let mut at = root as usize;
        let mut prefix_len = 0;
        while self.nodes[at] & LEAF == 0 {
            at = self.nodes[at] as usize + bit(bits, prefix_len);
            prefix_len += 1;
        }
        let region = u16::try_from(self.nodes[at] & !LEAF).unwrap();
        Located { region, prefix_len }
    }
}

fn bit(bits: u128, depth: u8) -> usize {
    usize::from(bits << depth >> 127 == 1)
}

//! Networks → regions, made for lookups.
//!
//! The first 16 bits of an address choose an entry of a table. An entry is a *leaf*, the answer; or
//! it names a *node*, where the next bits choose another entry. Every 16 bits take three nodes, of
//! 6, 6 and 4 bits. A node is a bit per value of these, set where another entry begins than the
//! value before has, and then the entries: two words and one for each bit that is set.
//!
//! A leaf says how many bits of its own node it stands for, not of the address. So what is alike is
//! stored once, wherever it is in the tree, such as the IPv4 Internet below `::ffff:0:0/96` and
//! `2002::/16`.

mod build;
#[cfg(test)]
mod model;
mod partition;

pub(super) use build::TreeBuilder;
pub use build::TreeTooLarge;
pub(super) use partition::Partition;

use super::Network;
use crate::simd::Simd;
use crate::sys::pages::Pages;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Where an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Number of the region in its map.
    pub region: u16,
    /// Bits that the largest network around the address has of which all addresses got the same
    /// entry: what an answer is valid for (RFC 7871 §7.2.1).
    pub prefix_len: u8,
}

/// Which region every address of both families is in.
#[derive(Clone)]
pub struct RegionTree {
    /// The table of each family, entries by an address's first bits, and then the nodes. In huge
    /// pages: hardly any two lookups have a small one in common.
    words: Arc<Pages<u32>>,
}

/// Bits that the tables take.
const ROOT_BITS: u8 = 16;
/// Bits that the nodes take, one below the other, over and over.
const STRIDES: [u8; 3] = [6, 6, 4];
/// Entries of both tables.
const ROOTS_LEN: usize = 2 << ROOT_BITS;
/// Words of a node before its entries.
const NODE_HEAD_LEN: usize = 2;
/// The bit of an entry that is a leaf: `1 0… prefix:5 region:16`; any other is a node's place.
const LEAF: u32 = 1 << 31;
const LEAF_PREFIX_SHIFT: u32 = 16;

impl RegionTree {
    /// A tree in which the longest network around an address says which region that is in, and
    /// where there is none it is `default`. Of a network that is given twice, the last counts.
    pub fn of(
        default: u16,
        networks: impl IntoIterator<Item = (Network, u16)>,
    ) -> Result<Self, TreeTooLarge> {
        let networks: Vec<_> = networks.into_iter().collect();
        let mut builder = TreeBuilder::default();
        for family in [Family::V4, Family::V6] {
            builder.start(family);
            for (prefix_len, region) in Partition::new(family, default, &networks) {
                builder.push(prefix_len, region)?;
            }
        }
        Ok(builder.finish())
    }

    /// The region that an address is in.
    #[inline]
    pub fn find(&self, address: IpAddr) -> Located {
        let (family, mut bits) = Family::place(address);
        let words = &self.words[..];
        let mut entry = take(words, family.root(bits));
        let (mut depth, mut stride) = (0, ROOT_BITS);
        let mut strides = STRIDES.iter().cycle();
        while entry & LEAF == 0 {
            bits <<= stride;
            depth += stride;
            stride = *strides.next().unwrap_or(&1);
            let node = entry as usize;
            let (low, high) = (take(words, node), take(words, node + 1));
            let begins = u64::from(high) << 32 | u64::from(low);
            let at = (begins << (63 - first(bits, stride))).count_ones() as usize;
            // The first entry always begins, so `at` counts from one.
            entry = take(words, node + NODE_HEAD_LEN + at - 1);
        }
        Located {
            region: u16::try_from(entry & 0xffff).unwrap_or(u16::MAX),
            prefix_len: depth + u8::try_from(entry >> LEAF_PREFIX_SHIFT & 31).unwrap_or(0),
        }
    }

    /// Fetches the memory that `find` reads first.
    #[inline(always)]
    pub fn prefetch<S: Simd>(&self, simd: S, address: IpAddr) {
        let (family, bits) = Family::place(address);
        if let Some(entry) = self.words.get(family.root(bits)) {
            simd.prefetch(entry);
        }
    }

    /// Bytes of memory.
    pub fn size_bytes(&self) -> usize {
        size_of_val(&self.words[..])
    }
}

impl fmt::Debug for RegionTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size_bytes = self.size_bytes();
        let mut tree = f.debug_struct("RegionTree");
        tree.field("size_bytes", &size_bytes)
            .finish_non_exhaustive()
    }
}

/// The first bits of an address as a number.
#[inline(always)]
fn first(bits: u128, count: u8) -> usize {
    (bits >> (128 - u32::from(count))) as usize
}

/// A word of the tree. There is none behind the end, and if there were it would end the search.
#[inline(always)]
fn take(words: &[u32], at: usize) -> u32 {
    words.get(at).copied().unwrap_or(LEAF)
}

/// A tree of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// An address's family, and its bits, the first at the top.
    #[inline(always)]
    pub(super) fn place(address: IpAddr) -> (Self, u128) {
        match address {
            IpAddr::V4(address) => (Self::V4, u128::from(address.to_bits()) << 96),
            IpAddr::V6(address) => (Self::V6, address.to_bits()),
        }
    }

    /// Where the first entry for an address is.
    #[inline(always)]
    fn root(self, bits: u128) -> usize {
        (self as usize) << ROOT_BITS | first(bits, ROOT_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::model::BinaryTree;
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn find(tree: &RegionTree, address: &str) -> (u16, u8) {
        let Located { region, prefix_len } = tree.find(address.parse().unwrap());
        (region, prefix_len)
    }

    #[test]
    fn the_longest_network_counts_and_the_depth_is_known() {
        let networks = [
            (network("192.0.2.128/25"), 2),
            (network("192.0.2.0/24"), 1),
            (network("2001:db8::/32"), 3),
            (network("2001:db8::/32"), 4),
        ];
        let tree = RegionTree::of(7, networks).unwrap();
        assert_eq!(find(&tree, "192.0.2.1"), (1, 25));
        assert_eq!(find(&tree, "192.0.2.200"), (2, 25));
        assert_eq!(find(&tree, "192.0.3.0"), (7, 24));
        assert_eq!(find(&tree, "10.0.0.0"), (7, 1));
        assert_eq!(find(&tree, "2001:db8:ffff::"), (4, 32));
        assert_eq!(find(&tree, "::"), (7, 3));
    }

    #[test]
    fn without_networks_every_address_is_in_the_default_region() {
        let tree = RegionTree::of(u16::MAX, []).unwrap();
        for address in ["0.0.0.0", "255.255.255.255", "::", "ffff::1"] {
            assert_eq!(find(&tree, address), (u16::MAX, 0));
        }
    }

    #[test]
    fn single_addresses_and_whole_families_are_networks() {
        let networks = [
            (network("::/0"), 1),
            (network("0.0.0.0/0"), 2),
            (network("255.255.255.255/32"), 3),
            (network("::1/128"), 4),
            (network("::ffff:192.0.2.1/128"), 5),
        ];
        let tree = RegionTree::of(0, networks).unwrap();
        assert_eq!(find(&tree, "255.255.255.255"), (3, 32));
        assert_eq!(find(&tree, "255.255.255.254"), (2, 32));
        assert_eq!(find(&tree, "127.255.255.255"), (2, 1));
        assert_eq!(find(&tree, "::1"), (4, 128));
        assert_eq!(find(&tree, "::"), (1, 128));
        assert_eq!(find(&tree, "::ffff:192.0.2.1"), (5, 128));
        assert_eq!(find(&tree, "8000::"), (1, 1));
    }

    #[test]
    fn every_length_of_prefix_ends_where_it_says() {
        for bits in [32u8, 128] {
            let address: IpAddr = match bits {
                32 => "172.21.90.165".parse().unwrap(),
                _ => "2001:db8:a55a:1234:5aa5:ffff:1:8001".parse().unwrap(),
            };
            for prefix_len in 0..=bits {
                let inside = Network::of(address, prefix_len).unwrap();
                let tree = RegionTree::of(0, [(inside, 1)]).unwrap();
                let found = tree.find(address);
                assert_eq!((found.region, found.prefix_len), (1, prefix_len));
                if prefix_len > 0 {
                    let other = flip(address, prefix_len - 1);
                    let found = tree.find(other);
                    assert_eq!((found.region, found.prefix_len), (0, prefix_len));
                }
            }
        }
    }

    /// The address with one bit changed.
    fn flip(address: IpAddr, bit: u8) -> IpAddr {
        match address {
            IpAddr::V4(address) => IpAddr::V4((address.to_bits() ^ 1 << (31 - bit)).into()),
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() ^ 1 << (127 - bit)).into()),
        }
    }

    #[test]
    fn what_is_alike_is_stored_once() {
        let one = RegionTree::of(0, inside("")).unwrap();
        let many = RegionTree::of(0, ["", "2001:db8:", "2002:"].map(inside).concat()).unwrap();
        let nodes = |tree: &RegionTree| tree.words.len() - ROOTS_LEN;
        assert!(nodes(&many) < 3 * nodes(&one), "{}", nodes(&many));
    }

    /// A network of 128 bits and its neighbours of all lengths, below `prefix`.
    fn inside(prefix: &str) -> Vec<(Network, u16)> {
        let text = match prefix {
            "" => "::5a5a:5a5a:5a5a:5a5a".to_owned(),
            _ => format!("{prefix}:5a5a:5a5a:5a5a:5a5a"),
        };
        let address = text.parse().unwrap();
        (64..=128)
            .map(|len| (Network::of(address, len).unwrap(), u16::from(len)))
            .collect()
    }

    /// Numbers from a counter that is stirred (splitmix64).
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ z >> 31
        }

        /// An address; those of one `cluster` have their first bits in common.
        fn address(&mut self, cluster: u64) -> IpAddr {
            let near = self.next() & 0x000f_00ff_00ff_ffff;
            match cluster % 2 {
                0 => {
                    let high = cluster.wrapping_mul(0x0123_4567) & 0xffff_0000;
                    let low = u32::try_from((near ^ high) & 0xffff_ffff).unwrap();
                    IpAddr::V4(low.into())
                }
                _ => {
                    let high = u128::from(cluster.wrapping_mul(0x0101_8001_0203) ^ near) << 64;
                    IpAddr::V6((high | u128::from(self.next())).into())
                }
            }
        }
    }

    #[test]
    fn it_is_the_binary_tree_for_any_networks_and_addresses() {
        let mut random = Random(1);
        for round in 0..300 {
            let regions = random.next() % 5 + 1;
            let mut model = BinaryTree::new(9);
            let mut networks = Vec::new();
            for _ in 0..random.next() % 60 {
                let cluster = round % 6 + random.next() % 2;
                let address = random.address(cluster);
                let len = if address.is_ipv4() { 33 } else { 129 };
                let prefix_len = u8::try_from(random.next() % len).unwrap();
                let region = u16::try_from(random.next() % regions).unwrap();
                networks.push((Network::of(address, prefix_len).unwrap(), region));
            }
            networks.sort_by_key(|(network, _)| (network.prefix_len(), *network));
            networks.dedup_by_key(|(network, _)| *network);
            for &(network, region) in &networks {
                model.insert(network, region);
            }
            let tree = RegionTree::of(9, networks.iter().rev().copied());
            let tree = tree.unwrap();
            for &(network, _) in &networks {
                let address = network.address();
                assert_eq!(tree.find(address), model.find(address), "{address}");
                for bit in 0..network.prefix_len() {
                    let other = flip(address, bit);
                    assert_eq!(tree.find(other), model.find(other), "{other}");
                }
            }
            for _ in 0..200 {
                let address = random.address(round % 6);
                assert_eq!(tree.find(address), model.find(address), "{address}");
            }
        }
    }
}

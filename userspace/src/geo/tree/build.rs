//! Networks side by side → the tree.

use super::{Family, LEAF, LEAF_PREFIX_SHIFT, NODE_HEAD_LEN, ROOT_BITS, ROOTS_LEN};
use super::{RegionTree, STRIDES};
use crate::sys::pages::Pages;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

/// A tree takes more memory than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tree of its networks is larger than {} MiB", WORDS_MAX * size_of::<u32>() / (1 << 20))]
pub struct TreeTooLarge;

/// Most words of a tree's nodes: a tenth of it holds the largest databases there are.
const WORDS_MAX: usize = 1 << 28;

/// Takes the networks of each family in order, all of them, and makes the tree of them.
pub(in crate::geo) struct TreeBuilder {
    /// Those of the tree: tables, then nodes.
    words: Vec<u32>,
    /// Entries of the family's table that are filled.
    filled: usize,
    /// Places of the nodes by the hash of what is in them. Of two nodes with one hash, by chance,
    /// the second is not found again, and that is all.
    places: HashMap<u64, u32, BuildHasherDefault<DefaultHasher>>,
    family: Family,
    /// The nodes that are not full yet, each in the one before.
    open: Vec<OpenNode>,
    words_max: usize,
}

/// A node that is being filled.
struct OpenNode {
    /// Bits of addresses that lead to it.
    depth: u8,
    stride: u8,
    /// How many of the values of its bits are filled.
    filled: u32,
    begins: u64,
    entries: Vec<u32>,
}

impl Default for TreeBuilder {
    fn default() -> Self {
        Self {
            words: vec![LEAF; ROOTS_LEN],
            filled: 0,
            places: HashMap::default(),
            family: Family::V4,
            open: Vec::new(),
            words_max: WORDS_MAX,
        }
    }
}

impl TreeBuilder {
    /// The networks that come are of this family.
    pub(in crate::geo) fn start(&mut self, family: Family) {
        self.family = family;
        self.filled = 0;
    }

    /// Adds the network behind the last one, which is that long and in that region. The networks of
    /// a family lie side by side and leave nothing out.
    pub(in crate::geo) fn push(&mut self, prefix_len: u8, region: u16) -> Result<(), TreeTooLarge> {
        while prefix_len > self.end_of_open() {
            self.open.push(OpenNode::below(self.end_of_open()));
        }
        let (depth, end) = match self.open.last() {
            Some(node) => (node.depth, node.depth + node.stride),
            None => (0, ROOT_BITS),
        };
        debug_assert!(prefix_len > depth || depth == 0, "a network was left out");
        let prefix_len = prefix_len.max(depth);
        let leaf = LEAF | u32::from(prefix_len - depth) << LEAF_PREFIX_SHIFT | u32::from(region);
        self.fill(leaf, 1 << (end - prefix_len))
    }

    /// The tree of all that came.
    pub(in crate::geo) fn finish(self) -> RegionTree {
        let mut words = Pages::zeroed(self.words.len());
        words.copy_from_slice(&self.words);
        RegionTree {
            words: Arc::new(words),
        }
    }

    /// How many bits of an address the innermost open node can tell.
    fn end_of_open(&self) -> u8 {
        let node = self.open.last();
        node.map_or(ROOT_BITS, |node| node.depth + node.stride)
    }

    /// Puts an entry into the innermost open node, and every node that is full into the one before.
    fn fill(&mut self, mut entry: u32, mut count: u32) -> Result<(), TreeTooLarge> {
        while let Some(node) = self.open.last_mut() {
            node.fill(entry, count);
            if node.filled < 1 << node.stride {
                return Ok(());
            }
            let Some(node) = self.open.pop() else { break };
            entry = self.place(&node)?;
            count = 1;
        }
        let start = (self.family as usize) << ROOT_BITS;
        let end = (self.filled + count as usize).min(1 << ROOT_BITS);
        self.words[start + self.filled..start + end].fill(entry);
        self.filled = end;
        Ok(())
    }

    /// Where a full node is: the place of an equal one if there is one already.
    fn place(&mut self, node: &OpenNode) -> Result<u32, TreeTooLarge> {
        let hash = self.places.hasher().hash_one((node.begins, &node.entries));
        let vacant = match self.places.entry(hash) {
            Entry::Occupied(place) if node.is_at(&self.words, *place.get()) => {
                return Ok(*place.get());
            }
            Entry::Occupied(_) => None,
            Entry::Vacant(vacant) => Some(vacant),
        };
        let place = self.words.len();
        if place + NODE_HEAD_LEN + node.entries.len() > self.words_max {
            return Err(TreeTooLarge);
        }
        let place = u32::try_from(place).map_err(|_| TreeTooLarge)?;
        self.words.extend(node.head());
        self.words.extend(&node.entries);
        if let Some(vacant) = vacant {
            vacant.insert(place);
        }
        Ok(place)
    }
}

impl OpenNode {
    /// An empty node that so many bits lead to.
    fn below(depth: u8) -> Self {
        let in_turn = match depth % ROOT_BITS {
            0 => 0,
            6 => 1,
            _ => 2,
        };
        Self {
            depth,
            stride: STRIDES[in_turn],
            filled: 0,
            begins: 0,
            entries: Vec::new(),
        }
    }

    /// Gives an entry to the next values.
    fn fill(&mut self, entry: u32, count: u32) {
        if self.entries.last() != Some(&entry) {
            self.begins |= 1 << self.filled.min(63);
            self.entries.push(entry);
        }
        self.filled += count;
    }

    /// The words before the entries.
    fn head(&self) -> [u32; NODE_HEAD_LEN] {
        #[expect(clippy::cast_possible_truncation, reason = "it is cut in halves")]
        let head = [self.begins as u32, (self.begins >> 32) as u32];
        head
    }

    /// Whether an equal node is at this place.
    fn is_at(&self, words: &[u32], place: u32) -> bool {
        let there = words.get(place as usize..).unwrap_or_default();
        there
            .strip_prefix(&self.head())
            .is_some_and(|entries| entries.starts_with(&self.entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_grows_too_large_is_an_error() {
        let mut builder = TreeBuilder {
            words_max: ROOTS_LEN + 100,
            ..TreeBuilder::default()
        };
        let mut push = || {
            for region in 0..=u16::MAX {
                builder.push(32, region)?;
            }
            Ok(())
        };
        assert_eq!(push(), Err(TreeTooLarge));
        let said = TreeTooLarge.to_string();
        assert_eq!(said, "the tree of its networks is larger than 1024 MiB");
    }
}

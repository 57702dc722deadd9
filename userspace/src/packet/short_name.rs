//! A name that fits into a block, as nearly all do, ready to be looked up with all its ancestors.

use crate::simd::{BLOCK_LEN, Block};

/// A lowered name with zeroes behind it, so that each of its ends is a block with zeroes behind it.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct ShortName {
    /// The second half is always zero.
    bytes: [u8; 2 * BLOCK_LEN],
}

impl ShortName {
    /// No name.
    pub const EMPTY: Self = Self {
        bytes: [0; 2 * BLOCK_LEN],
    };

    /// Takes a lowered name.
    #[inline(always)]
    pub fn set(&mut self, lowered: Block) {
        if let Some(front) = self.bytes.first_chunk_mut() {
            *front = lowered;
        }
    }

    /// The name from this byte on.
    #[inline(always)]
    pub fn suffix(&self, start: usize) -> Option<&Block> {
        self.bytes.get(start..)?.first_chunk()
    }

    /// Walks the labels; `None` when the name of `len` bytes is none.
    #[inline(always)]
    pub fn labels(&self, len: usize) -> Option<LabelStarts> {
        let block: &Block = self.bytes.first_chunk()?;
        let (mut starts, mut at) = (0u64, 0);
        loop {
            let length = usize::from(*block.get(at)?);
            starts |= 1 << at;
            if length == 0 {
                break;
            }
            at += 1 + length;
        }
        (at + 1 == len).then_some(LabelStarts(starts))
    }
}

/// Where the labels of a short name begin: a bit for each, the root's too.
#[derive(Clone, Copy)]
pub struct LabelStarts(u64);

impl LabelStarts {
    /// How many labels there are, the root's not counted.
    pub fn count(self) -> usize {
        self.0.count_ones() as usize - 1
    }

    /// Where the ancestor with `depth` labels begins, `depth` ≤ count.
    #[inline(always)]
    pub fn of_depth(self, depth: usize) -> usize {
        let mut starts = self.0;
        for _ in 0..depth {
            starts &= !(1 << ((63 - starts.leading_zeros()) & 63));
        }
        ((63 - starts.leading_zeros()) & 63) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(wire: &[u8]) -> ShortName {
        let mut block = [0; BLOCK_LEN];
        block[..wire.len()].copy_from_slice(wire);
        let mut name = ShortName::EMPTY;
        name.set(block);
        name
    }

    #[test]
    fn every_ancestor_begins_where_its_labels_do() {
        let name = name(b"\x03www\x07example\x03com\0");
        let labels = name.labels(17).unwrap();
        assert_eq!(labels.count(), 3);
        assert_eq!(
            [0, 1, 2, 3].map(|depth| labels.of_depth(depth)),
            [16, 12, 4, 0]
        );
        assert_eq!(&name.suffix(12).unwrap()[..6], b"\x03com\0\0");
    }

    #[test]
    fn what_is_no_name_of_that_length_is_seen() {
        assert!(name(b"\x03a\0b\x01c\0").labels(3).is_none());
        assert!(name(b"\x3fabc\0").labels(5).is_none());
        assert!(name(b"\xc0\x0c\0").labels(3).is_none());
        assert!(name(b"\x01a\0").labels(3).is_some());
        assert_eq!(name(b"\0").labels(1).unwrap().count(), 0);
    }
}

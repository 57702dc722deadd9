//! A level that fetches nothing ahead: what prefetching is worth is measured against it.

use super::{Block, Simd};

/// As the level inside, without prefetches.
#[derive(Clone, Copy, Debug)]
pub struct Unfetched<S>(pub S);

impl<S: Simd> Simd for Unfetched<S> {
    #[inline(always)]
    fn run<R>(self, work: impl FnOnce() -> R) -> R {
        self.0.run(work)
    }

    #[inline(always)]
    fn first_zero(self, block: &Block) -> usize {
        self.0.first_zero(block)
    }

    #[inline(always)]
    fn lowered(self, block: &Block, len: usize) -> Block {
        self.0.lowered(block, len)
    }

    #[inline(always)]
    fn product_sum(self, block: &Block, keys: &[u32; 16]) -> u64 {
        self.0.product_sum(block, keys)
    }

    #[inline(always)]
    fn is_equal(self, stored: &Block, lowered: &Block, len: usize) -> bool {
        self.0.is_equal(stored, lowered, len)
    }

    #[inline(always)]
    fn tags(self, words: &[u64; 8], tag: u64) -> u8 {
        self.0.tags(words, tag)
    }

    #[inline(always)]
    fn checksum(self, block: &Block, len: usize) -> u64 {
        self.0.checksum(block, len)
    }

    #[inline(always)]
    fn prefetch<T: ?Sized>(self, _value: &T) {}

    #[inline(always)]
    fn prefetch_lines(self, _bytes: &[u8], _offset: usize, _lines: usize) {}
}

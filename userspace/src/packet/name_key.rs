//! The keyed hash of a name. Keyed, so that nobody outside can make names collide.

use super::NAME_LEN_MAX;
use crate::simd::{BLOCK_LEN, Block, Portable, Simd};
use siphasher::sip::SipHasher24;
use std::hash::Hasher;

/// The secret of one snapshot's name index.
///
/// NH (Black et al., UMAC): two names of one length collide with a probability of 2^-32 under a
/// random key, and its sums of products are what SIMD units are good at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameKey {
    /// Sixteen for each block of a name.
    words: [[u32; 16]; BLOCKS_MAX],
    last: [u64; 2],
}

/// Blocks of the longest name.
const BLOCKS_MAX: usize = NAME_LEN_MAX.div_ceil(BLOCK_LEN);

impl NameKey {
    /// A key from random bits.
    pub fn new(random: [u64; 3]) -> Self {
        let mut count = 0u64;
        let mut next = || {
            count += 1;
            let mut stream = SipHasher24::new_with_keys(random[0], random[1]);
            stream.write_u64(random[2]);
            stream.write_u64(count);
            stream.finish()
        };
        let mut words = [[0; 16]; BLOCKS_MAX];
        for pair in words.as_flattened_mut().as_chunks_mut::<2>().0 {
            let word = next();
            *pair = [(word & 0xffff_ffff) as u32, (word >> 32) as u32];
        }
        Self {
            words,
            last: [next(), next() | 1],
        }
    }

    /// Hashes a wire-form name whatever its case.
    pub fn hash(&self, name: &[u8]) -> u64 {
        self.hash_front(name, name.len())
    }

    /// Hashes the name that the first `len` bytes are. What stands behind it does not matter, but
    /// where there is enough of it nothing is copied.
    pub fn hash_front(&self, bytes: &[u8], len: usize) -> u64 {
        if let Some(block) = bytes.first_chunk()
            && len <= BLOCK_LEN
        {
            return self.hash_block(Portable, &Portable.lowered(block, len), len);
        }
        let mut sum = 0u64;
        for (part, keys) in bytes[..len].chunks(BLOCK_LEN).zip(&self.words) {
            let mut block = [0; BLOCK_LEN];
            block[..part.len()].copy_from_slice(part);
            let lowered = Portable.lowered(&block, part.len());
            sum = sum.wrapping_add(Portable.product_sum(&lowered, keys));
        }
        self.finish(sum, len)
    }

    /// Hashes a lowered name of `len` bytes that fits into a block, with zeroes behind it.
    ///
    /// Length bytes are below 64 and so never taken for letters: the whole name is lowered at once.
    #[inline(always)]
    pub fn hash_block<S: Simd>(&self, simd: S, lowered: &Block, len: usize) -> u64 {
        self.finish(simd.product_sum(lowered, &self.words[0]), len)
    }

    /// Stirs the sum: buckets and tags are taken out of the result.
    #[inline(always)]
    fn finish(&self, sum: u64, len: usize) -> u64 {
        let [first, second] = self.last;
        fold(sum ^ first, second.wrapping_add((len as u64) << 1))
    }
}

/// Lowers the ASCII letters among eight bytes.
pub(crate) fn lower(value: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let low_bits = value & (ONES * 0x7f);
    let from_a = low_bits + ONES * (0x80 - b'A' as u64);
    let beyond_z = low_bits + ONES * (0x7f - b'Z' as u64);
    let letter = (from_a ^ beyond_z) & !value & (ONES * 0x80);
    value | letter >> 2
}

/// Both halves of the 128-bit product, mixed.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
    let low = product as u64;
    low ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowers_exactly_the_ascii_letters() {
        for byte in 0..=255u8 {
            let word = u64::from_le_bytes([byte; 8]);
            assert_eq!(
                lower(word).to_le_bytes(),
                [byte.to_ascii_lowercase(); 8],
                "{byte}"
            );
        }
    }

    #[test]
    fn case_does_not_matter_and_everything_else_does() {
        let key = NameKey::new([1, 2, 3]);
        assert_eq!(
            key.hash(b"\x03wWw\x07ExAmPlE\x03com\0"),
            key.hash(b"\x03www\x07example\x03COM\0")
        );
        assert_ne!(
            key.hash(b"\x03www\x07example\x03com\0"),
            key.hash(b"\x03wwx\x07example\x03com\0")
        );
        assert_ne!(
            key.hash(b"\x01a\0"),
            NameKey::new([1, 2, 4]).hash(b"\x01a\0")
        );
        assert_ne!(key.hash(b"\x01a\0"), key.hash(b"\x01a\0\0"));
    }

    #[test]
    fn similar_names_spread_over_all_bits() {
        let key = NameKey::new([7, 8, 9]);
        let mut ones = [0u32; 64];
        let count = 4096u32;
        for i in 0..count {
            let hash = key.hash(format!("\x07h{i:06}\x07example\x00").as_bytes());
            for (bit, ones) in ones.iter_mut().enumerate() {
                *ones += u32::from(hash >> bit & 1 == 1);
            }
        }
        for (bit, ones) in ones.into_iter().enumerate() {
            assert!(
                ones.abs_diff(count / 2) < 200,
                "bit {bit} is set {ones} times of {count}"
            );
        }
    }
}

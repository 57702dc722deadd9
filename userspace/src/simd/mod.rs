//! Sixty-four bytes at a time: what the hot loop does with names and buckets, for the CPU at hand.
//!
//! Every level gives the same results; `tests` in here hold them against each other. A turn chooses
//! its level once and is compiled for each of them, so nothing is dispatched per packet.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
mod unfetched;

#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use portable::Portable;
pub use unfetched::Unfetched;

use crate::prefetch;

/// Bytes of a block: a cache line.
pub const BLOCK_LEN: usize = 64;

/// What is taken at once. Most names are shorter.
pub type Block = [u8; BLOCK_LEN];

/// Eleven bits below the highest.
pub const TAG_MASK: u64 = 0x7ff << 52;

/// Operations on blocks. The value is the proof that the CPU has them.
pub trait Simd: Copy {
    /// Runs `work`, compiled for this level, as a function of its own: a stage of a turn has the
    /// registers for itself.
    fn run<R>(self, work: impl FnOnce() -> R) -> R;

    /// Place of the first zero byte; `BLOCK_LEN` when there is none.
    fn first_zero(self, block: &Block) -> usize;

    /// The first `len` bytes with their ASCII letters lowered, zeroes behind; `len` ≤ `BLOCK_LEN`.
    fn lowered(self, block: &Block, len: usize) -> Block;

    /// Sum over the eight words of (low half + first key) × (high half + second key), modulo 2^64.
    fn product_sum(self, block: &Block, keys: &[u32; 16]) -> u64;

    /// Whether the first `len` bytes of `stored` are those of `lowered`, which is 0 behind them.
    fn is_equal(self, stored: &Block, lowered: &Block, len: usize) -> bool;

    /// A bit per word that has the bits of `TAG_MASK` in common with `tag`.
    fn tags(self, words: &[u64; 8], tag: u64) -> u8;

    /// The Internet checksum's sum of the first `len` bytes as little-endian words, not folded.
    fn checksum(self, block: &Block, len: usize) -> u64;

    /// Asks for the cache line of the value's first byte.
    #[inline(always)]
    fn prefetch<T: ?Sized>(self, value: &T) {
        prefetch::prefetch(value);
    }

    /// Asks for the first `lines` cache lines of what begins `offset` bytes behind the first one.
    #[inline(always)]
    fn prefetch_lines(self, bytes: &[u8], offset: usize, lines: usize) {
        prefetch::prefetch_lines(bytes, offset, lines);
    }
}

/// What the CPU can do.
#[derive(Clone, Copy, Debug)]
pub enum Level {
    /// What any CPU of the target can.
    Portable(Portable),
    /// AVX-512 with byte, word and 256-bit forms.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Level {
    /// The best of this machine.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = Avx512::detect() {
            return Self::Avx512(avx512);
        }
        Self::Portable(Portable)
    }

    /// All of this machine, the portable one first.
    pub fn all() -> Vec<Self> {
        let portable = Self::Portable(Portable);
        match Self::detect() {
            Self::Portable(_) => vec![portable],
            #[cfg(target_arch = "x86_64")]
            best @ Self::Avx512(_) => vec![portable, best],
        }
    }

    /// Its name in logs and benchmarks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
        }
    }
}

/// Bytes of ones before bytes of zeroes: a window into it masks a block's end.
const WINDOW: [u8; 2 * BLOCK_LEN] = {
    let mut window = [0; 2 * BLOCK_LEN];
    let mut at = 0;
    while at < BLOCK_LEN {
        window[at] = 0xff;
        at += 1;
    }
    window
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks with letters, zeroes and everything else, from a counter that is stirred.
    fn blocks() -> impl Iterator<Item = Block> {
        (0u64..2000).map(|seed| {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            std::array::from_fn(|_| {
                state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ state >> 29;
                let byte = state.to_le_bytes()[5];
                match seed % 4 {
                    0 => byte,
                    1 => byte % 64 + b'0',
                    2 => byte.max(1),
                    _ => byte & 3,
                }
            })
        })
    }

    /// What each operation is, byte by byte.
    fn check(simd: impl Simd) {
        let mut key = 0u32;
        let keys = [(); 16].map(|()| {
            key = key.wrapping_add(0x9e37_79b9);
            key
        });
        for (number, block) in blocks().enumerate() {
            let len = number % (BLOCK_LEN + 1);
            let zero = block.iter().position(|&byte| byte == 0);
            assert_eq!(simd.first_zero(&block), zero.unwrap_or(BLOCK_LEN));
            let mut lowered = block.map(|byte| byte.to_ascii_lowercase());
            lowered[len..].fill(0);
            assert_eq!(simd.lowered(&block, len), lowered);
            let mut sum = 0u64;
            for (word, key) in block.as_chunks::<8>().0.iter().zip(keys.as_chunks::<2>().0) {
                let word = u64::from_le_bytes(*word);
                let half = |half: u64, key: u32| half.wrapping_add(u64::from(key)) & 0xffff_ffff;
                let product = half(word & 0xffff_ffff, key[0]) * half(word >> 32, key[1]);
                sum = sum.wrapping_add(product);
            }
            assert_eq!(simd.product_sum(&block, &keys), sum);
            check_compare(simd, &block, &lowered, len);
            let words: [u64; 8] = bytemuck::cast(block);
            for tag in words {
                let bits = words.iter().rev().fold(0, |bits, word| {
                    bits << 1 | u8::from(word & TAG_MASK == tag & TAG_MASK)
                });
                assert_eq!(simd.tags(&words, tag), bits);
            }
        }
    }

    fn check_compare(simd: impl Simd, block: &Block, lowered: &Block, len: usize) {
        let mut stored = block.map(|byte| byte.to_ascii_lowercase());
        assert!(simd.is_equal(&stored, lowered, len));
        for at in 0..BLOCK_LEN {
            stored[at] ^= 1 << (at % 8);
            assert_eq!(simd.is_equal(&stored, lowered, len), at >= len);
            stored[at] ^= 1 << (at % 8);
        }
        let fold = |sum: u64| (sum % 0xffff, sum == 0);
        let pairs = block[..len].chunks(2);
        let expected: u64 = pairs
            .map(|pair| u64::from(pair[0]) | u64::from(*pair.get(1).unwrap_or(&0)) << 8)
            .sum();
        assert_eq!(fold(simd.checksum(block, len)), fold(expected));
    }

    #[test]
    fn every_level_does_as_described() {
        for level in Level::all() {
            match level {
                Level::Portable(simd) => {
                    check(simd);
                    check(Unfetched(simd));
                }
                #[cfg(target_arch = "x86_64")]
                Level::Avx512(simd) => simd.run(|| check(simd)),
            }
        }
    }
}

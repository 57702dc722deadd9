//! Plain loops over arrays of fixed size, which the compiler turns into what the target has.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "instructions are unsafe to use even where every CPU has them"
    )
)]

use super::{BLOCK_LEN, Block, Simd, TAG_MASK, WINDOW};

/// Works everywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl Simd for Portable {
    #[inline(never)]
    fn run<R>(self, work: impl FnOnce() -> R) -> R {
        work()
    }

    #[inline(always)]
    fn first_zero(self, block: &Block) -> usize {
        first_zero(block)
    }

    #[inline(always)]
    fn lowered(self, block: &Block, len: usize) -> Block {
        let mut lowered = *block;
        for (byte, mask) in lowered.iter_mut().zip(window(len)) {
            let is_letter = byte.wrapping_sub(b'A') < 26;
            *byte = (*byte | u8::from(is_letter) << 5) & mask;
        }
        lowered
    }

    #[inline(always)]
    fn product_sum(self, block: &Block, keys: &[u32; 16]) -> u64 {
        let mut halves: [u32; 16] = bytemuck::cast(*block);
        for (half, key) in halves.iter_mut().zip(keys) {
            *half = u32::from_le(*half).wrapping_add(*key);
        }
        let mut sum = 0u64;
        for [first, second] in halves.as_chunks::<2>().0 {
            sum = sum.wrapping_add(u64::from(*first) * u64::from(*second));
        }
        sum
    }

    #[inline(always)]
    fn is_equal(self, stored: &Block, lowered: &Block, len: usize) -> bool {
        let mut differ = 0;
        for ((stored, asked), mask) in stored.iter().zip(lowered).zip(window(len)) {
            differ |= stored & mask ^ asked;
        }
        differ == 0
    }

    #[inline(always)]
    fn tags(self, words: &[u64; 8], tag: u64) -> u8 {
        let mut bits = 0;
        for (bit, word) in words.iter().enumerate() {
            bits |= u8::from((word ^ tag) & TAG_MASK == 0) << bit;
        }
        bits
    }

    #[inline(always)]
    fn checksum(self, block: &Block, len: usize) -> u64 {
        let mut sum = 0;
        let (words, masks) = (block.as_chunks::<4>().0, window(len).as_chunks::<4>().0);
        for (word, mask) in words.iter().zip(masks) {
            sum += u64::from(u32::from_le_bytes(*word) & u32::from_le_bytes(*mask));
        }
        sum
    }
}

/// Ones for the first `len` bytes of a block.
#[inline(always)]
fn window(len: usize) -> &'static Block {
    let window = WINDOW.get(BLOCK_LEN - len.min(BLOCK_LEN)..);
    window
        .and_then(|window| window.first_chunk())
        .unwrap_or(&[0; BLOCK_LEN])
}

/// With SSE2, which every x86-64 has: the compiler does not find it by itself.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn first_zero(block: &Block) -> usize {
    use std::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_setzero_si128};
    let quarters: [__m128i; 4] = bytemuck::cast(*block);
    let mask = quarters.iter().rev().fold(0u64, |mask, quarter| {
        // SAFETY: SSE2 is part of x86-64.
        let zeroes = unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(*quarter, _mm_setzero_si128())) };
        mask << 16 | u64::from(zeroes.cast_unsigned())
    });
    mask.trailing_zeros() as usize
}

/// Word by word (Hacker's Delight, 6-1): exact for the first zero byte.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn first_zero(block: &Block) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    for (number, word) in block.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let zeroes = word.wrapping_sub(ONES) & !word & (ONES << 7);
        if zeroes != 0 {
            return number * 8 + zeroes.trailing_zeros() as usize / 8;
        }
    }
    BLOCK_LEN
}

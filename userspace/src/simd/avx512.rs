//! A block is a register.
#![expect(
    unsafe_code,
    reason = "instructions that a CPU may lack are unsafe to use without having looked"
)]

use super::{BLOCK_LEN, Block, Simd, TAG_MASK};
use std::arch::x86_64::{
    __m512i, _mm512_add_epi8, _mm512_add_epi32, _mm512_add_epi64, _mm512_castsi512_si256,
    _mm512_cmplt_epu8_mask, _mm512_cvtepu32_epi64, _mm512_extracti64x4_epi64, _mm512_mask_add_epi8,
    _mm512_mask_cmpneq_epi8_mask, _mm512_maskz_mov_epi8, _mm512_mul_epu32, _mm512_reduce_add_epi64,
    _mm512_set1_epi8, _mm512_set1_epi64, _mm512_srli_epi64, _mm512_testn_epi8_mask,
    _mm512_testn_epi64_mask, _mm512_xor_si512,
};

/// The CPU has AVX-512 F, BW, DQ, VL and BMI: only `detect` makes this.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// Looks whether the CPU, and the operating system, can do it.
    pub fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("movbe");
        has.then_some(Self(()))
    }
}

/// Compiles `work` for the level, as far as it is inlined.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,lzcnt,popcnt,movbe")]
fn run<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// Ones for the first `len` bytes of a block.
#[inline(always)]
fn first(len: usize) -> u64 {
    match len {
        0..BLOCK_LEN => (1 << len) - 1,
        _ => u64::MAX,
    }
}

#[inline(always)]
fn register(block: &Block) -> __m512i {
    bytemuck::cast(*block)
}

impl Simd for Avx512 {
    #[inline(always)]
    fn run<R>(self, work: impl FnOnce() -> R) -> R {
        // SAFETY: the value exists, so the CPU has the features.
        unsafe { run(work) }
    }

    #[inline(always)]
    fn first_zero(self, block: &Block) -> usize {
        // SAFETY: the value exists, so the CPU has the features.
        let zeroes = unsafe { _mm512_testn_epi8_mask(register(block), register(&[0xff; 64])) };
        zeroes.trailing_zeros() as usize
    }

    #[inline(always)]
    fn lowered(self, block: &Block, len: usize) -> Block {
        // SAFETY: the value exists, so the CPU has the features.
        let lowered = unsafe {
            let bytes = _mm512_maskz_mov_epi8(first(len), register(block));
            let from_a = _mm512_add_epi8(bytes, _mm512_set1_epi8(-(b'A' as i8)));
            let letters = _mm512_cmplt_epu8_mask(from_a, _mm512_set1_epi8(26));
            _mm512_mask_add_epi8(bytes, letters, bytes, _mm512_set1_epi8(0x20))
        };
        bytemuck::cast(lowered)
    }

    #[inline(always)]
    fn product_sum(self, block: &Block, keys: &[u32; 16]) -> u64 {
        // SAFETY: the value exists, so the CPU has the features.
        let sum = unsafe {
            let halves = _mm512_add_epi32(register(block), bytemuck::cast(*keys));
            let products = _mm512_mul_epu32(halves, _mm512_srli_epi64::<32>(halves));
            _mm512_reduce_add_epi64(products)
        };
        sum.cast_unsigned()
    }

    #[inline(always)]
    fn is_equal(self, stored: &Block, lowered: &Block, len: usize) -> bool {
        // SAFETY: the value exists, so the CPU has the features.
        let differ = unsafe {
            _mm512_mask_cmpneq_epi8_mask(first(len), register(stored), register(lowered))
        };
        differ == 0
    }

    #[inline(always)]
    fn tags(self, words: &[u64; 8], tag: u64) -> u8 {
        // SAFETY: the value exists, so the CPU has the features.
        unsafe {
            let tag = _mm512_set1_epi64(tag.cast_signed());
            let differ = _mm512_xor_si512(bytemuck::cast(*words), tag);
            _mm512_testn_epi64_mask(differ, _mm512_set1_epi64(TAG_MASK.cast_signed()))
        }
    }

    #[inline(always)]
    fn checksum(self, block: &Block, len: usize) -> u64 {
        // SAFETY: the value exists, so the CPU has the features.
        let sum = unsafe {
            let bytes = _mm512_maskz_mov_epi8(first(len), register(block));
            let low = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(bytes));
            let high = _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64::<1>(bytes));
            _mm512_reduce_add_epi64(_mm512_add_epi64(low, high))
        };
        sum.cast_unsigned()
    }
}

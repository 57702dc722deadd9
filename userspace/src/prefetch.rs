//! A hint to the cache, as a safe function.
#![expect(unsafe_code, reason = "the instruction has no safe form")]

/// Bytes of a cache line.
const LINE: usize = 64;

/// Asks for the cache line of the value's first byte. Changes nothing but the time a later read
/// takes.
#[inline(always)]
pub(crate) fn prefetch<T: ?Sized>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction reads nothing and faults on no address, and this one is valid.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Asks for the first `lines` cache lines of `bytes`, as far as they go.
#[inline(always)]
pub(crate) fn prefetch_lines(bytes: &[u8], lines: usize) {
    for line in bytes.chunks(LINE).take(lines) {
        prefetch(line);
    }
}

//! A hint to the cache, as a safe function.
#![expect(unsafe_code, reason = "the instruction has no safe form")]

/// Bytes of a cache line.
const LINE: usize = 64;

/// Asks for the cache line of the value's first byte. Changes nothing but the time a later read
/// takes.
#[inline(always)]
pub(crate) fn prefetch<T: ?Sized>(value: &T) {
    prefetch_line(std::ptr::from_ref(value).cast());
}

/// Asks for the first `lines` cache lines of what begins `offset` bytes behind the first one. May
/// run over the end.
#[inline(always)]
pub(crate) fn prefetch_lines(bytes: &[u8], offset: usize, lines: usize) {
    for line in 0..lines {
        prefetch_line(bytes.as_ptr().wrapping_add(offset + line * LINE));
    }
}

/// Asks for as many lines, to be written to: no other CPU keeps them.
#[inline(always)]
pub(crate) fn prefetch_to_write(bytes: &mut [u8], offset: usize, lines: usize) {
    for line in 0..lines {
        let address = bytes.as_mut_ptr().wrapping_add(offset + line * LINE);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the instruction reads nothing and faults on no address.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_ET0>(address.cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = address;
    }
}

#[inline(always)]
fn prefetch_line(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction reads nothing and faults on no address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

//! The allocator, told what it cannot see by itself.
#![expect(unsafe_code, reason = "the allocator's interface is C")]

/// Gives back to the kernel what was freed and is not used again soon: after a load, the records.
/// By itself the allocator does so when it is next asked for memory, which an idle server never
/// does.
pub fn release() {
    // SAFETY: may be called by any thread at any time; it moves nothing that is in use.
    unsafe { libmimalloc_sys::mi_collect(true) }
}

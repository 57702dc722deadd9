//! An allocator that counts: proves that something allocates nothing.
#![expect(unsafe_code, reason = "an allocator implements GlobalAlloc")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counted by thread. A test program installs it with
/// `#[global_allocator]`.
#[derive(Debug)]
pub struct CountingAllocator;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Allocations of the calling thread so far; growing one counts as another.
pub fn allocations() -> u64 {
    ALLOCATIONS.get()
}

// SAFETY: every call is handed on to the system's allocator with its arguments unchanged; the count
// is a thread-local number that itself needs no allocation and no destructor.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps GlobalAlloc::alloc's contract, which is System's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps GlobalAlloc::dealloc's contract, and `alloc` came from System.
        unsafe { System.dealloc(pointer, layout) }
    }
}

//! An allocator that counts, per thread, what it is asked for.
#![expect(
    unsafe_code,
    reason = "an allocator's methods are unsafe; all work is the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, frees: 0 }) };
}

/// What a thread asked its allocator for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Allocations, growing and shrinking included.
    pub allocations: u64,
    /// Memory given back.
    pub frees: u64,
}

/// The system's allocator, with counters. A test binary makes it its `#[global_allocator]`.
#[derive(Debug)]
pub struct CountingAllocator;

/// Allocations of the calling thread so far; growing one counts as another.
pub fn allocations() -> u64 {
    COUNTS.get().allocations
}

impl Counts {
    /// What this thread asked for while `work` ran.
    pub fn of(work: impl FnOnce()) -> Self {
        let before = COUNTS.get();
        work();
        let after = COUNTS.get();
        Self {
            allocations: after.allocations - before.allocations,
            frees: after.frees - before.frees,
        }
    }

    /// Nothing.
    pub const NONE: Self = Self {
        allocations: 0,
        frees: 0,
    };
}

/// Changes this thread's counts. A thread that ends allocates no more once they are gone.
fn count(change: impl FnOnce(&mut Counts)) {
    let _ = COUNTS.try_with(|cell| {
        let mut counts = cell.get();
        change(&mut counts);
        cell.set(counts);
    });
}

// SAFETY: every method hands its arguments on to the system's allocator, which keeps the contract;
// counting touches neither memory nor layout, and allocates nothing: the counts are constants in
// the thread's own storage, without a destructor.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|counts| counts.allocations += 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(|counts| counts.allocations += 1);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(|counts| counts.allocations += 1);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(|counts| counts.frees += 1);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

//! Large memory from the kernel: zeroed, in huge pages where there are any, grown without a copy.
#![expect(unsafe_code, reason = "mappings are pointers")]

use bytemuck::Pod;
use nix::sys::mman::{
    MRemapFlags, MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous, mremap, munmap,
};
use std::alloc::{Layout, handle_alloc_error};
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ops::{Deref, DerefMut, Range};
use std::ptr::NonNull;
use std::sync::Arc;

/// What the kernel maps memory in.
const PAGE_LEN: usize = 4096;

/// A mapping of its own that is read and written as a slice. What was never written is zero and
/// takes no memory.
///
/// As with `Vec`, a lack of memory ends the process.
pub struct Pages<T: Pod> {
    start: NonNull<T>,
    len: usize,
    /// Whole pages, one at least.
    mapped_bytes: usize,
}

// SAFETY: the mapping belongs to this value alone, and `T` is plain data.
unsafe impl<T: Pod + Send> Send for Pages<T> {}
// SAFETY: shared references only read.
unsafe impl<T: Pod + Sync> Sync for Pages<T> {}

impl<T: Pod> Pages<T> {
    /// As many zeros.
    pub fn zeroed(len: usize) -> Self {
        Self::advised(len, MmapAdvise::MADV_HUGEPAGE)
    }

    /// As many zeros, of which few will ever be written: never in huge pages, where the first write
    /// to one makes all of it real.
    pub fn sparse(len: usize) -> Self {
        Self::advised(len, MmapAdvise::MADV_NOHUGEPAGE)
    }

    fn advised(len: usize, advice: MmapAdvise) -> Self {
        const { assert!(align_of::<T>() <= PAGE_LEN && size_of::<T>() > 0) };
        let mapped_bytes = whole_pages::<T>(len);
        let size = NonZeroUsize::new(mapped_bytes).unwrap_or(NonZeroUsize::MIN);
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping touches no memory that is in use.
        let mapped = unsafe { mmap_anonymous(None, size, protection, MapFlags::MAP_PRIVATE) };
        let start = mapped.unwrap_or_else(|_| out_of_memory(mapped_bytes));
        // SAFETY: advice changes no contents. A kernel without huge pages refuses it, and all is
        // well. (A table of a million names has 50 of them, not 25,000 small ones.)
        let _ = unsafe { madvise(start, mapped_bytes, advice) };
        Self {
            start: start.cast(),
            len,
            mapped_bytes,
        }
    }

    /// Gives the whole pages within `range` back; their items are zero again.
    pub fn forget(&mut self, range: Range<usize>) {
        let bytes = range.start * size_of::<T>()..range.end.min(self.len) * size_of::<T>();
        let first = bytes.start.next_multiple_of(PAGE_LEN);
        let end = bytes.end / PAGE_LEN * PAGE_LEN;
        if first >= end {
            return;
        }
        // SAFETY: the pages are of this mapping, which is private and anonymous, so they read as
        // zeros afterwards; `&mut self` says that nobody looks at them, and zero is a `T`.
        let _ = unsafe {
            let start = self.start.cast::<c_void>().byte_add(first);
            madvise(start, end - first, MmapAdvise::MADV_DONTNEED)
        };
    }

    /// Makes it longer, by zeros, or shorter, and gives back the pages that it no longer needs. It
    /// may move, but nothing is copied.
    pub fn resize(&mut self, len: usize) {
        let mapped_bytes = whole_pages::<T>(len);
        if len < self.len {
            // What comes back later is zero again: the last page's rest by hand, the others by the
            // kernel. To write to those would only make them real.
            let end = self.len.min(mapped_bytes.div_ceil(size_of::<T>()));
            self[len..end].fill(T::zeroed());
        }
        if mapped_bytes != self.mapped_bytes {
            let (start, before) = (self.start.cast::<c_void>(), self.mapped_bytes);
            let flags = MRemapFlags::MREMAP_MAYMOVE;
            // SAFETY: the mapping has that address and length, and `&mut self` says that nobody
            // looks at it. The new address replaces the old one before anybody does.
            let moved = unsafe { mremap(start, before, mapped_bytes, flags, None) };
            let start = moved.unwrap_or_else(|_| out_of_memory(mapped_bytes));
            self.start = start.cast();
            self.mapped_bytes = mapped_bytes;
        }
        self.len = len;
    }
}

/// Pages that nobody writes to any more. Clones share them.
#[derive(Clone)]
pub struct SharedPages<T: Pod> {
    start: NonNull<T>,
    len: usize,
    /// Whose they are: the slice is found without asking it.
    _pages: Arc<Pages<T>>,
}

// SAFETY: as for `Pages`; shared references are all there are.
unsafe impl<T: Pod + Send + Sync> Send for SharedPages<T> {}
// SAFETY: shared references only read.
unsafe impl<T: Pod + Send + Sync> Sync for SharedPages<T> {}

impl<T: Pod> From<Pages<T>> for SharedPages<T> {
    fn from(pages: Pages<T>) -> Self {
        Self {
            start: pages.start,
            len: pages.len,
            _pages: Arc::new(pages),
        }
    }
}

impl<T: Pod> Deref for SharedPages<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: as in `Pages`, which live as long, at the same place, and which nobody can reach
        // to change.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Pod> Deref for Pages<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the mapping is at least as long, page-aligned and readable until drop; any bytes,
        // zeros too, are a `T`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Pod> DerefMut for Pages<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and writable; `&mut self` is the only way to it.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: Pod> AsRef<[T]> for Pages<T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T: Pod> Drop for Pages<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping has that address and length, and nobody looks at it any more. It
        // exists, so the kernel has no reason to refuse.
        let _ = unsafe { munmap(self.start.cast(), self.mapped_bytes) };
    }
}

/// Bytes of the pages that so many items need.
fn whole_pages<T>(len: usize) -> usize {
    let bytes = size_of::<T>().checked_mul(len.max(1));
    let pages = bytes.and_then(|bytes| bytes.checked_next_multiple_of(PAGE_LEN));
    pages.unwrap_or_else(|| out_of_memory(usize::MAX))
}

#[cold]
fn out_of_memory(bytes: usize) -> ! {
    let size = bytes.min(isize::MAX as usize - PAGE_LEN);
    handle_alloc_error(Layout::from_size_align(size, PAGE_LEN).unwrap_or(Layout::new::<u8>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_stays_while_it_grows_and_shrinks() {
        let mut pages = Pages::<u64>::zeroed(3);
        pages.copy_from_slice(&[1, 2, 3]);
        pages.resize(3_000_000);
        assert_eq!(pages[..4], [1, 2, 3, 0]);
        assert!(pages[3..].iter().all(|item| *item == 0));
        pages[2_999_999] = 7;
        pages.resize(2);
        assert_eq!(pages[..], [1, 2]);
    }

    #[test]
    fn what_was_cut_off_comes_back_as_zeros() {
        let mut pages = Pages::<u8>::zeroed(10_000);
        pages.fill(9);
        pages.resize(5_000);
        pages.resize(10_000);
        assert!(pages[..5_000].iter().all(|byte| *byte == 9));
        assert!(pages[5_000..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn shared_ones_stay_as_long_as_anybody_has_them() {
        let mut pages = Pages::<u64>::zeroed(5_000);
        pages[4_999] = 7;
        let shared = SharedPages::from(pages);
        let other = shared.clone();
        drop(shared);
        assert_eq!((other.len(), other[4_999]), (5_000, 7));
    }

    #[test]
    fn what_is_sparse_is_not_in_huge_pages() {
        let flags_of = |pages: &Pages<u8>| {
            let address = format!("{:x}-", pages.as_ptr().addr());
            let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
            let own = maps.split_once(&address).expect("it is mapped").1;
            let flags = own.lines().find_map(|line| line.strip_prefix("VmFlags:"));
            flags
                .unwrap()
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (sparse, dense) = (Pages::sparse(50_000_000), Pages::zeroed(50_000_000));
        let has = |pages, flag: &str| flags_of(pages).iter().any(|it| it == flag);
        assert_eq!(
            has(&sparse, "nh"),
            has(&dense, "hg"),
            "either the kernel knows both"
        );
        assert!(!has(&sparse, "hg") && !has(&dense, "nh"));
        assert!(sparse.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_is_forgotten_is_zero_and_nothing_else() {
        let mut pages = Pages::<u8>::sparse(10 * PAGE_LEN);
        pages.fill(9);
        pages.forget(PAGE_LEN + 1..4 * PAGE_LEN + 5);
        let zeros: Vec<usize> = (0..pages.len()).filter(|&at| pages[at] == 0).collect();
        assert!(zeros.iter().copied().eq(2 * PAGE_LEN..4 * PAGE_LEN));
        pages.forget(5..100);
        assert_eq!(pages[5], 9);
    }

    #[test]
    fn none_are_a_slice_too() {
        let mut pages = Pages::<u32>::zeroed(0);
        assert!(pages.is_empty());
        pages.resize(1);
        assert_eq!(pages[..], [0]);
    }
}

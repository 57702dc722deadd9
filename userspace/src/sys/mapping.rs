//! A file as memory, to be read only.
#![expect(unsafe_code, reason = "mappings are pointers")]

use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, munmap};
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

/// A file that is mapped as it was long when it was mapped.
///
/// Whoever shortens or overwrites the file takes the ground from under its readers: files that are
/// mapped are to be replaced, by a rename, never written to.
pub struct Mapping {
    start: NonNull<c_void>,
    len: NonZeroUsize,
}

// SAFETY: the mapping belongs to this value, and nobody writes through it.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `len` bytes of a file, and has the kernel bring its pages.
    pub fn new(file: &File, len: usize) -> io::Result<Self> {
        let len = NonZeroUsize::new(len).ok_or(io::ErrorKind::UnexpectedEof)?;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_POPULATE;
        // SAFETY: a new mapping touches no memory that is in use.
        let start = unsafe { mmap(None, len, ProtFlags::PROT_READ, flags, file, 0) }?;
        // SAFETY: advice changes no contents. Few file systems have huge pages; the others refuse.
        let _ = unsafe { madvise(start, len.get(), MmapAdvise::MADV_HUGEPAGE) };
        Ok(Self { start, len })
    }
}

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the mapping is as long, readable until drop, and nobody writes to it.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.len.get()) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping has that address and length, and nobody looks at it any more.
        let _ = unsafe { munmap(self.start, self.len.get()) };
    }
}

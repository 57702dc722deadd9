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
    /// Maps the first `len` bytes of a file, and has the kernel bring its pages: huge ones where
    /// the file system has them (docs/performance.md).
    pub fn new(file: &File, len: usize) -> io::Result<Self> {
        let len = NonZeroUsize::new(len).ok_or(io::ErrorKind::UnexpectedEof)?;
        let (protection, flags) = (ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE);
        // SAFETY: a new mapping touches no memory that is in use.
        let start = unsafe { mmap(None, len, protection, flags, file, 0) }?;
        // In this order: what is not in memory yet is read from disk into pages of that size.
        for advice in [MmapAdvise::MADV_HUGEPAGE, MmapAdvise::MADV_POPULATE_READ] {
            // SAFETY: advice changes no contents. Refused, it would only have saved time.
            let _ = unsafe { madvise(start, len.get(), advice) };
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// What `/proc/self/smaps` says under `key` of the mapping at an address.
    fn field(start: usize, key: &str) -> String {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let (_, at) = maps.split_once(&format!("{start:x}-")).unwrap();
        let line = at.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap().trim().to_owned()
    }

    #[test]
    fn a_mapping_holds_the_file_is_there_at_once_and_asks_for_huge_pages() {
        let path = std::env::temp_dir().join(format!("ripples-mapping-{}", std::process::id()));
        let bytes: Vec<u8> = (0..3_000_000u32).map(|i| i.to_le_bytes()[1]).collect();
        File::create(&path).unwrap().write_all(&bytes).unwrap();
        let file = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mapping = Mapping::new(&file, bytes.len()).unwrap();
        let start = mapping.start.as_ptr() as usize;
        assert_eq!(field(start, "Rss:"), field(start, "Size:"));
        let flags = field(start, "VmFlags:");
        // Of kernels that have such pages.
        if std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
            assert!(flags.split(' ').any(|flag| flag == "hg"), "{flags}");
        }
        assert!(mapping.as_ref() == bytes);
        assert!(Mapping::new(&file, 0).is_err());
    }
}

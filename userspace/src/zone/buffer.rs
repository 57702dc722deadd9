//! Bytes that are written one behind the other: on the heap while they are few, then in pages.

use crate::sys::pages::Pages;
use bytemuck::{Pod, Zeroable};
use bytes::Bytes;
use std::ops::{Deref, DerefMut};

/// From this size on a buffer has a mapping of its own. A hundred thousand small zones must not
/// have one each.
const PAGES_FROM: usize = 256 << 10;

/// A cache line: how finished bytes are aligned.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct CacheLine([u8; LINE]);

/// What finished bytes are aligned to.
pub(super) const LINE: usize = 64;

/// A growing buffer. What it has room for and never wrote takes no memory.
pub(super) enum Buffer {
    /// A short one.
    Heap(Vec<u8>),
    /// A long one: pages, and how much of them is written.
    Pages(Pages<u8>, usize),
}

impl Buffer {
    /// An empty buffer that does not move until it holds more than `capacity` bytes.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        if capacity < PAGES_FROM {
            Self::Heap(Vec::with_capacity(capacity))
        } else {
            Self::Pages(Pages::zeroed(capacity), 0)
        }
    }

    /// How many bytes of memory it takes.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Heap(bytes) => bytes.capacity(),
            Self::Pages(pages, _) => pages.len(),
        }
    }

    /// Adds zeros, to be written over.
    pub(super) fn add(&mut self, count: usize) -> &mut [u8] {
        self.reserve(count);
        match self {
            Self::Heap(bytes) => {
                let len = bytes.len();
                bytes.resize(len + count, 0);
                &mut bytes[len..]
            }
            Self::Pages(pages, len) => {
                let start = *len;
                *len += count;
                &mut pages[start..start + count]
            }
        }
    }

    /// Adds bytes.
    pub(super) fn extend(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        match self {
            Self::Heap(heap) if heap.capacity() - heap.len() >= bytes.len() => {
                heap.extend_from_slice(bytes);
            }
            _ => self.add(bytes.len()).copy_from_slice(bytes),
        }
    }

    /// Fills up to a multiple of `unit` bytes.
    pub(super) fn pad(&mut self, unit: usize) {
        let len = self.len();
        self.add(len.next_multiple_of(unit) - len);
    }

    /// Gives back what it has too much.
    pub(super) fn shrink_to_fit(&mut self) {
        match self {
            Self::Heap(bytes) => bytes.shrink_to_fit(),
            Self::Pages(pages, len) => pages.resize(*len),
        }
    }

    /// What was written, aligned and filled up to whole cache lines, to be shared from now on.
    pub(super) fn freeze(mut self) -> Bytes {
        self.pad(LINE);
        match self {
            Self::Heap(bytes) => {
                let lines = bytes.chunks_exact(LINE);
                let lines = lines.map(bytemuck::pod_read_unaligned).collect();
                Bytes::from_owner(Lines(lines))
            }
            Self::Pages(mut pages, len) => {
                pages.resize(len);
                Bytes::from_owner(pages)
            }
        }
    }

    /// Makes room: more than is asked for, so that this is seldom.
    #[inline]
    fn reserve(&mut self, count: usize) {
        let (len, capacity) = (self.len(), self.capacity());
        if capacity - len < count {
            self.grow((len + count).max(capacity + capacity / 4));
        }
    }

    #[cold]
    fn grow(&mut self, capacity: usize) {
        match self {
            Self::Heap(bytes) if capacity >= PAGES_FROM => {
                let mut pages = Pages::zeroed(capacity.next_multiple_of(PAGES_FROM * 8));
                pages[..bytes.len()].copy_from_slice(bytes);
                *self = Self::Pages(pages, bytes.len());
            }
            Self::Heap(bytes) => bytes.reserve(capacity.next_power_of_two() - bytes.len()),
            Self::Pages(pages, _) => pages.resize(capacity),
        }
    }
}

/// Cache lines on the heap.
struct Lines(Box<[CacheLine]>);

impl AsRef<[u8]> for Lines {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Heap(bytes) => bytes,
            Self::Pages(pages, len) => &pages[..*len],
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Heap(bytes) => bytes,
            Self::Pages(pages, len) => &mut pages[..*len],
        }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_was_written_however_it_grew() {
        for capacity in [0, 100, PAGES_FROM, PAGES_FROM * 10] {
            let mut buffer = Buffer::with_capacity(capacity);
            let mut expected = Vec::new();
            for i in 0..200_000u32 {
                buffer.extend(i.to_le_bytes());
                expected.extend(i.to_le_bytes());
                if i % 1000 == 0 {
                    buffer.add(3)[1] = 7;
                    buffer.pad(8);
                    expected.extend([0, 7, 0]);
                    expected.resize(expected.len().next_multiple_of(8), 0);
                }
            }
            assert!(*buffer == *expected);
            buffer.shrink_to_fit();
            assert_eq!(buffer.capacity(), expected.len());
            expected.resize(expected.len().next_multiple_of(LINE), 0);
            let frozen = buffer.freeze();
            assert!(*frozen == *expected);
            assert_eq!(frozen.as_ptr() as usize % LINE, 0);
        }
    }

    #[test]
    fn a_short_one_is_aligned_too_and_has_no_page() {
        let mut buffer = Buffer::with_capacity(1);
        buffer.extend(b"short");
        assert!(matches!(buffer, Buffer::Heap(_)));
        let frozen = buffer.freeze();
        assert_eq!(frozen.len(), LINE);
        assert_eq!(frozen.as_ptr() as usize % LINE, 0);
    }
}

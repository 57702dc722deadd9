//! Checked reads from a frame, wherever it lies.

/// A received frame whose bytes are read by offset, each read checked against the frame's end.
///
/// On the host it is a slice; in the kernel it is a pair of pointers that the verifier watches.
pub trait Bytes {
    /// Reads the `N` bytes at `offset`; `None` where the frame ends before them.
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]>;

    /// Tells whether the frame has at least `length` bytes.
    ///
    /// A question instead of a `len()`: the verifier lets a program compare packet pointers, and
    /// subtract them only where the loader has `CAP_PERFMON`.
    fn reaches(&self, length: usize) -> bool;
}

impl Bytes for [u8] {
    #[inline]
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.get(offset..)?.first_chunk().copied()
    }

    #[inline]
    fn reaches(&self, length: usize) -> bool {
        self.len() >= length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &[u8] = &[1, 2, 3, 4];

    #[test]
    fn reads_within_the_frame() {
        assert_eq!(FRAME.read(1), Some([2, 3]));
        assert_eq!(FRAME.read(0), Some([1, 2, 3, 4]));
        assert_eq!(FRAME.read(4), Some([]));
    }

    #[test]
    fn refuses_reads_that_cross_or_lie_behind_the_end() {
        assert_eq!(FRAME.read::<2>(3), None);
        assert_eq!(FRAME.read::<1>(4), None);
        assert_eq!(FRAME.read::<1>(usize::MAX), None);
    }

    #[test]
    fn reaches_up_to_its_length() {
        assert!(FRAME.reaches(0));
        assert!(FRAME.reaches(4));
        assert!(!FRAME.reaches(5));
    }
}

//! The token for a frame of a UMEM.

use std::sync::atomic::{AtomicU32, Ordering};
use xsk_rs::FrameDesc;

/// A received frame, in the hands of whoever holds this.
///
/// xsk-rs's descriptor can be copied, and a frame used twice is memory that two write at once. So
/// descriptors leave their port only within a token, and come back by giving the token away.
#[derive(Debug)]
pub struct XskFrame {
    pub(super) descriptor: FrameDesc,
    /// The UMEM that the descriptor belongs to.
    pub(super) umem: UmemId,
}

/// Tells the UMEMs of a process apart: a descriptor is an offset, good for its own UMEM only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UmemId(u32);

impl UmemId {
    /// An id that no other UMEM has.
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Panics if `frame` is another UMEM's.
    pub(super) fn check(self, frame: &XskFrame) {
        assert_eq!(
            frame.umem, self,
            "a frame was given to another port than its own"
        );
    }
}

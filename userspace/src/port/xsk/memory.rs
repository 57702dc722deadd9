//! The UMEM: memory that the kernel or the NIC fills with packets, cut into frames.
#![expect(
    unsafe_code,
    reason = "xsk-rs leaves it to its user that a frame has one owner"
)]

use super::config::XskConfig;
use super::error::Cause;
use super::frame::{UmemId, XskFrame};
use crate::sys::memory::free_huge_page_size;
use std::num::NonZeroU32;
use xsk_rs::config::{QueueSize, UmemConfig, UmemConfigBuilder};
use xsk_rs::{FrameDesc, Umem};

/// A UMEM and the right to touch those of its frames that are held as tokens.
#[derive(Debug)]
pub(super) struct Memory {
    umem: Umem,
    id: UmemId,
    frame_size: u32,
    huge_pages: bool,
}

impl Memory {
    /// Allocates and registers the UMEM, on huge pages where enough are free; returns its frames.
    pub(super) fn new(
        config: &XskConfig,
        frame_size: u32,
    ) -> Result<(Self, Vec<FrameDesc>), Cause> {
        let layout = layout(config, frame_size)?;
        let count = NonZeroU32::new(config.frame_count)
            .ok_or_else(|| Cause::Config("frame_count = 0".into()))?;
        let bytes = u64::from(frame_size) * u64::from(config.frame_count);
        let on_huge_pages = huge_pages_fit(bytes)
            .then(|| Umem::new(layout, count, true).ok())
            .flatten();
        let huge_pages = on_huge_pages.is_some();
        let (umem, frames) = match on_huge_pages {
            Some(created) => created,
            None => Umem::new(layout, count, false)
                .map_err(|error| Cause::new("cannot create the UMEM", &error, bytes))?,
        };
        let memory = Self {
            umem,
            id: UmemId::new(),
            frame_size,
            huge_pages,
        };
        Ok((memory, frames))
    }

    /// xsk-rs's UMEM, to open a socket on.
    pub(super) fn umem(&self) -> &Umem {
        &self.umem
    }

    /// The id that tokens of this UMEM carry.
    pub(super) fn id(&self) -> UmemId {
        self.id
    }

    /// Bytes of a frame, headroom included.
    pub(super) fn frame_size(&self) -> u32 {
        self.frame_size
    }

    /// Whether the UMEM is on huge pages.
    pub(super) fn huge_pages(&self) -> bool {
        self.huge_pages
    }

    /// The packet in a frame.
    #[inline(always)]
    pub(super) fn bytes<'a>(&'a self, frame: &'a XskFrame) -> &'a [u8] {
        self.id.check(frame);
        // SAFETY: the descriptor is this UMEM's, and as long as its token exists nobody else has
        // the frame; the borrowed token cannot be given away.
        unsafe { self.umem.data(&frame.descriptor) }.contents()
    }

    /// A frame from the packet's first byte to its end.
    #[inline(always)]
    pub(super) fn room<'a>(&'a mut self, frame: &'a mut XskFrame) -> &'a mut [u8] {
        self.id.check(frame);
        // SAFETY: as in `bytes`; the token is borrowed exclusively.
        let mut data = unsafe { self.umem.data_mut(&mut frame.descriptor) };
        // xsk-rs shows what was received; the reply may be longer.
        let received = data.cursor().pos();
        data.cursor().set_pos(usize::MAX);
        let room = data.contents_mut();
        let (start, len) = (room.as_mut_ptr(), room.len());
        data.cursor().set_pos(received);
        // SAFETY: the slice that xsk-rs just made, for as long as the token is borrowed.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// Makes the packet in a frame `len` bytes long.
    #[inline(always)]
    pub(super) fn set_len(&mut self, frame: &mut XskFrame, len: usize) {
        self.id.check(frame);
        // SAFETY: as in `room`.
        unsafe { self.umem.data_mut(&mut frame.descriptor) }
            .cursor()
            .set_pos(len);
    }
}

/// The layout of the UMEM, in xsk-rs's terms.
fn layout(config: &XskConfig, frame_size: u32) -> Result<UmemConfig, Cause> {
    let wrong = |error: &dyn std::fmt::Display| Cause::Config(error.to_string());
    let ring = |size| QueueSize::new(size).map_err(|error| wrong(&error));
    UmemConfigBuilder::new()
        .frame_size(frame_size.try_into().map_err(|error| wrong(&error))?)
        .fill_queue_size(ring(config.fill_size)?)
        // One place for each frame: the kernel sends nothing that it has no place to report.
        .comp_queue_size(ring(config.frame_count)?)
        .build()
        .map_err(|error| wrong(&error))
}

/// Whether `bytes` are a whole number of huge pages, as unmapping them asks for.
fn huge_pages_fit(bytes: u64) -> bool {
    let size = free_huge_page_size().and_then(|size| u64::try_from(size).ok());
    size.is_some_and(|size| bytes.is_multiple_of(size))
}

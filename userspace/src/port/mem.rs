//! A port made of memory, for tests, benchmarks and fuzzing: what a NIC would do, without one.

use super::{Census, Port, PortEvents, Told, Vector, direct::direct, message_limit};
use crate::packet::checksum::Sum;
use crate::packet::{Ends, Envelope, headers};
use crate::routing::Subscription;
use crate::telemetry::{Discard, Tally};
use bytemuck::{Pod, Zeroable};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;

/// Bytes of a frame that are copied at once: most queries.
const SHORT: usize = 128;

/// What surrounds a message in a frame.
#[derive(Clone, Copy, Debug)]
enum Framing {
    /// Ethernet, IP and UDP headers, as on a NIC.
    Ethernet,
    /// None, as on a kernel socket; every message comes from this client.
    Bare(IpAddr),
}

/// The token for a frame of a `MemPort`: the memory itself.
#[derive(Debug)]
pub struct MemFrame {
    memory: Memory,
    len: usize,
}

/// A frame's memory: it begins where a cache line does, as in a UMEM.
type Memory = Box<[Line]>;

/// A cache line.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; LINE_LEN]);
const LINE_LEN: usize = 64;

/// A port made of memory. Once built it allocates nothing, `take_sent` excepted.
#[derive(Debug)]
pub struct MemPort {
    framing: Framing,
    frame_size: usize,
    mtu: usize,
    verify: bool,
    routes: Option<Box<Subscription>>,
    free: Vec<MemFrame>,
    waiting: VecDeque<MemFrame>,
    sent: VecDeque<MemFrame>,
    sent_count: u64,
    transmit_room: usize,
    held: usize,
    events: PortEvents,
    replay: Option<Replay>,
}

/// Frames to be received over and over.
#[derive(Debug)]
struct Replay {
    /// One behind the other, each in as many bytes.
    templates: Box<[u8]>,
    stride: usize,
    lens: Box<[usize]>,
    next: usize,
}

impl Replay {
    /// The next frame, filled up.
    fn bytes(&self) -> &[u8] {
        &self.templates[self.next * self.stride..][..self.stride]
    }
}

impl MemPort {
    /// A port of Ethernet frames; only their room limits the replies, until `with_mtu` says more.
    pub fn ethernet(frame_count: usize, frame_size: usize) -> Self {
        Self::new(Framing::Ethernet, frame_count, frame_size)
    }

    /// A port of bare DNS messages that all come from `client`.
    pub fn bare(frame_count: usize, frame_size: usize, client: IpAddr) -> Self {
        Self::new(Framing::Bare(client), frame_count, frame_size)
    }

    fn new(framing: Framing, frame_count: usize, frame_size: usize) -> Self {
        let lines = frame_size.div_ceil(LINE_LEN);
        let frame = || MemFrame {
            memory: vec![Line::zeroed(); lines].into(),
            len: 0,
        };
        Self {
            framing,
            frame_size,
            mtu: frame_size,
            verify: false,
            routes: None,
            free: std::iter::repeat_with(frame).take(frame_count).collect(),
            waiting: VecDeque::with_capacity(frame_count),
            sent: VecDeque::with_capacity(frame_count),
            sent_count: 0,
            transmit_room: usize::MAX,
            held: 0,
            events: PortEvents::default(),
            replay: None,
        }
    }

    /// Has `deliver` put `frames` before the receiver over and over, and keeps nothing of what is
    /// sent: the port never fills up.
    pub fn replaying<'a>(mut self, frames: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let frames: Vec<&[u8]> = frames.into_iter().collect();
        let longest = frames.iter().map(|frame| frame.len()).max().unwrap_or(0);
        assert!(
            longest <= self.frame_size,
            "a frame to replay is longer than {} bytes",
            self.frame_size
        );
        // Short ones are filled up, to be copied at once.
        let stride = longest.max(SHORT);
        let mut templates = vec![0; stride * frames.len()];
        for (room, frame) in templates.chunks_exact_mut(stride).zip(&frames) {
            room[..frame.len()].copy_from_slice(frame);
        }
        self.replay = (!frames.is_empty()).then(|| Replay {
            templates: templates.into(),
            stride,
            lens: frames.iter().map(|frame| frame.len()).collect(),
            next: 0,
        });
        self
    }

    /// Makes IP packets of at most `mtu` bytes the limit for replies.
    pub fn with_mtu(mut self, mtu: usize) -> Self {
        self.mtu = mtu;
        self
    }

    /// Verifies the checksums of what it receives in Ethernet frames.
    pub fn verifying(mut self) -> Self {
        self.verify = true;
        self
    }

    /// Has replies go where the kernel would send them.
    pub fn routed(mut self, routes: Subscription) -> Self {
        self.routes = Some(Box::new(routes));
        self
    }

    /// Puts a frame before the receiver; false where no frame is free or `bytes` does not fit.
    pub fn inject(&mut self, bytes: &[u8]) -> bool {
        let Some(frame) = self.store(bytes, bytes.len()) else {
            return false;
        };
        self.waiting.push_back(frame);
        true
    }

    /// What was sent and not cleared yet, oldest first.
    pub fn sent(&self) -> impl Iterator<Item = &[u8]> {
        self.sent.iter().map(|frame| self.bytes(frame))
    }

    /// Returns the sent frames to the port, as a NIC does when they are on the wire.
    pub fn clear_sent(&mut self) {
        self.free.extend(self.sent.drain(..));
    }

    /// Copies of what was sent, oldest first; their frames return to the port.
    pub fn take_sent(&mut self) -> Vec<Vec<u8>> {
        let sent = self.sent().map(<[u8]>::to_vec).collect();
        self.clear_sent();
        sent
    }

    /// Frames sent since the port was built.
    pub fn sent_count(&self) -> u64 {
        self.sent_count
    }

    /// Lets at most `frames` sent frames wait to be cleared: what is transmitted beyond fails.
    pub fn limit_transmit(&mut self, frames: usize) {
        self.transmit_room = frames;
    }

    /// Where the frames are.
    pub fn census(&self) -> Census {
        Census {
            free: self.free.len(),
            fill: 0,
            rx: self.waiting.len(),
            held: self.held,
            tx: self.sent.len(),
        }
    }

    /// What happened since the last report.
    pub fn events(&self) -> PortEvents {
        self.events
    }

    /// Addresses each reply to its next hop.
    fn direct(&mut self, replies: &mut Vector<MemFrame>) {
        let Some(routes) = &mut self.routes else {
            return;
        };
        let address = |frame: &mut MemFrame| {
            let room = bytemuck::cast_slice_mut(&mut frame.memory);
            routes.direct(room, None)
        };
        direct(replies, &mut self.events, address, |frame| {
            self.held -= 1;
            self.free.push(frame);
        });
    }

    /// Copies the first `len` of `bytes` to a free frame.
    fn store(&mut self, bytes: &[u8], len: usize) -> Option<MemFrame> {
        if len > self.frame_size {
            return None;
        }
        let mut frame = self.free.pop()?;
        let room: &mut [u8] = bytemuck::cast_slice_mut(&mut frame.memory);
        match (
            room.first_chunk_mut::<SHORT>(),
            bytes.first_chunk::<SHORT>(),
        ) {
            (Some(room), Some(padded)) if len <= SHORT => *room = *padded,
            _ => room[..len].copy_from_slice(&bytes[..len]),
        }
        frame.len = len;
        Some(frame)
    }

    /// Puts the next frames of the replay before the receiver, as many as are free: what a NIC does
    /// meanwhile, and not the CPU that answers. Returns how many wait.
    pub fn deliver(&mut self) -> usize {
        if let Some(mut replay) = self.replay.take() {
            while let Some(frame) = self.store(replay.bytes(), replay.lens[replay.next]) {
                self.waiting.push_back(frame);
                replay.next = (replay.next + 1) % replay.lens.len();
            }
            self.replay = Some(replay);
        }
        self.waiting.len()
    }
}

impl Port for MemPort {
    type Frame = MemFrame;

    fn receive(&mut self, into: &mut Vector<MemFrame>, limit: usize) {
        if let Some(routes) = &mut self.routes {
            routes.take();
        }
        let room = limit.min(into.remaining_capacity());
        let count = room.min(self.waiting.len());
        into.extend(self.waiting.drain(..count));
        self.held += count;
    }

    #[inline(always)]
    fn open(&self, frame: &MemFrame) -> Result<Envelope, Discard> {
        match self.framing {
            Framing::Ethernet => headers::open(self.bytes(frame)),
            Framing::Bare(_) => Ok(Envelope {
                network_start: 0,
                message_start: 0,
                message_len: u16::try_from(frame.len).map_err(|_| Discard::Oversize)?,
                is_ipv6: false,
            }),
        }
    }

    fn verifies(&self) -> bool {
        self.verify && matches!(self.framing, Framing::Ethernet)
    }

    fn client(&self, frame: &MemFrame, envelope: &Envelope) -> IpAddr {
        match self.framing {
            Framing::Ethernet => headers::client(self.bytes(frame), envelope),
            Framing::Bare(client) => client,
        }
    }

    #[inline(always)]
    fn bytes<'a>(&'a self, frame: &'a MemFrame) -> &'a [u8] {
        &bytemuck::cast_slice(&frame.memory)[..frame.len]
    }

    #[inline(always)]
    fn room<'a>(&'a mut self, frame: &'a mut MemFrame) -> &'a mut [u8] {
        bytemuck::cast_slice_mut(&mut frame.memory)
    }

    #[inline(always)]
    fn seal(
        &mut self,
        frame: &mut MemFrame,
        envelope: &Envelope,
        message_len: usize,
        sum: Option<Sum>,
    ) {
        frame.len = match self.framing {
            Framing::Ethernet => headers::seal(self.room(frame), envelope, message_len, sum),
            Framing::Bare(_) => message_len,
        };
    }

    #[inline(always)]
    fn told<'a>(&'a mut self, frame: &'a mut MemFrame, envelope: &Envelope) -> Told<'a> {
        match self.framing {
            Framing::Ethernet => {
                let len = frame.len;
                Told::packet(self.room(frame), len, envelope)
            }
            Framing::Bare(client) => {
                let client = SocketAddr::new(client, 0);
                Told::Ends(Ends::new(client, client))
            }
        }
    }

    fn transmit(&mut self, replies: &mut Vector<MemFrame>) {
        self.direct(replies);
        if self.replay.is_some() {
            self.held -= replies.len();
            self.sent_count += replies.len() as u64;
            self.free.extend(replies.drain(..));
        }
        for frame in replies.drain(..) {
            self.held -= 1;
            if self.sent.len() >= self.transmit_room {
                self.events.transmit_failed += 1;
                self.free.push(frame);
                continue;
            }
            self.sent_count += 1;
            self.sent.push_back(frame);
        }
    }

    fn recycle(&mut self, frame: MemFrame) {
        self.held -= 1;
        self.free.push(frame);
    }

    #[inline(always)]
    fn message_limit(&self, envelope: &Envelope) -> usize {
        message_limit(envelope, self.frame_size, self.mtu)
    }

    fn backlog(&self) -> bool {
        false
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn report(&mut self, tally: &mut Tally) {
        self.events.report(tally);
    }
}

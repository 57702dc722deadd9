//! A port on one receive queue of a NIC: an AF_XDP socket with a UMEM of its own.

mod config;
mod error;
mod frame;
mod memory;
mod rings;
mod statistics;

pub use config::{BindMode, PACKET_MAX, XskConfig};
pub use error::{Cause, XskError};
pub use frame::XskFrame;
pub use statistics::{RingEvent, RingGauge, RingStatistics};

use super::{Census, Port, PortEvents, Told, Vector, direct::direct, message_limit};
use crate::packet::checksum::Sum;
use crate::packet::{Envelope, headers};
use crate::routing::{LinkIndex, Subscription};
use crate::sys::interface::Interface;
use crate::sys::wait;
use crate::telemetry::{Discard, Tally};
use config::{TIMESTAMP_ROOM, VLAN_LEN, XDP_HEADROOM};
use memory::Memory;
use nix::errno::Errno;
use rings::Rings;
use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// The kernel lets go of a closed socket's queue some milliseconds later, by deferred work
/// (net/xdp/xsk_buff_pool.c, `xp_put_pool`): a restart may meet its predecessor's.
const BUSY_TRIES: usize = 100;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// How long a port that is dropped waits for its last replies to leave.
const DRAIN_TRIES: usize = 500;
const DRAIN_PAUSE: Duration = Duration::from_millis(1);

/// A port on one receive queue of a NIC.
#[derive(Debug)]
pub struct XskPort {
    // Dropped in this order: the socket before the memory it works on.
    rings: Rings,
    memory: Memory,
    mtu: usize,
    verify: bool,
    tag: Option<u16>,
    /// The interface's number.
    index: LinkIndex,
    routes: Option<Box<Subscription>>,
    events: PortEvents,
}

impl XskPort {
    /// Binds a socket with a new UMEM to the queue. It receives once `fd` is in the XSKMAP.
    ///
    /// Where the mode does not work here, the error's `is_unsupported` says so: try the next one.
    pub fn open(config: &XskConfig) -> Result<Self, XskError> {
        config.check()?;
        let interface =
            Interface::find(&config.interface).map_err(|error| config.error(error.into()))?;
        let frame_size = config.frame_size_for(interface.mtu);
        let mut opened = open(config, frame_size);
        for _ in 0..BUSY_TRIES {
            if !matches!(opened, Err(Cause::Busy)) {
                break;
            }
            wait::pause(BUSY_PAUSE);
            opened = open(config, frame_size);
        }
        let queues = interface.rx_queues.max(interface.tx_queues);
        let (rings, memory) = opened.map_err(|cause| match cause {
            // What the kernel answers to a queue beyond the last (net/xdp/xsk.c,
            // `xsk_reg_pool_at_qid`).
            Cause::Unsupported(Errno::EINVAL) if config.queue >= queues => {
                config.error(Cause::NoQueue { queues })
            }
            cause => config.error(cause),
        })?;
        Ok(Self {
            rings,
            memory,
            mtu: interface.mtu as usize,
            verify: config.verify,
            tag: config.tag,
            index: interface.index,
            routes: None,
            events: PortEvents::default(),
        })
    }

    /// The socket, for the XSKMAP.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.rings.fd()
    }

    /// Bytes of a frame, and whether the UMEM is on huge pages.
    pub fn umem(&self) -> (u32, bool) {
        (self.memory.frame_size(), self.memory.huge_pages())
    }

    /// The interface's number.
    pub fn interface_index(&self) -> LinkIndex {
        self.index
    }

    /// Where the frames are.
    pub fn census(&mut self) -> Census {
        self.rings.census()
    }

    /// What the kernel has counted about the socket.
    pub fn statistics(&self) -> io::Result<RingStatistics> {
        self.rings.statistics()
    }

    /// Reads the same from another thread.
    pub fn gauge(&self) -> io::Result<RingGauge> {
        RingGauge::new(self.socket())
    }
}

impl XskPort {
    /// Has replies go where the kernel would send them.
    pub fn route(&mut self, routes: Subscription) {
        self.routes = Some(Box::new(routes));
    }

    /// Addresses each reply to its next hop.
    #[inline(never)]
    fn direct(&mut self, replies: &mut Vector<XskFrame>) {
        let Some(routes) = &mut self.routes else {
            return;
        };
        let (memory, tag) = (&mut self.memory, self.tag);
        let address = |frame: &mut XskFrame| routes.direct(memory.room(frame), tag);
        let rings = &mut self.rings;
        direct(replies, &mut self.events, address, |frame| {
            rings.recycle(frame)
        });
    }

    /// Gives the tag of VLAN `id` to the frames that have none.
    #[inline(never)]
    fn tag(&mut self, replies: &mut Vector<XskFrame>, id: u16) {
        for frame in replies {
            let len = self.memory.bytes(frame).len();
            let len = headers::tag(self.memory.room(frame), len, id);
            self.memory.set_len(frame, len);
        }
    }
}

/// Opens the socket on a UMEM of its own.
fn open(config: &XskConfig, frame_size: u32) -> Result<(Rings, Memory), Cause> {
    let (memory, frames) = Memory::new(config, frame_size)?;
    let rings = Rings::open(config, &memory, frames)?;
    Ok((rings, memory))
}

impl Port for XskPort {
    type Frame = XskFrame;

    fn receive(&mut self, into: &mut Vector<XskFrame>, limit: usize) {
        if let Some(routes) = &mut self.routes {
            routes.take();
        }
        self.rings.collect();
        self.rings.refill();
        if self.rings.receive(into, limit) == 0 {
            // No reply will follow, so what earlier ones left behind is driven here.
            self.rings.wake(&mut self.events);
        }
    }

    #[inline(always)]
    fn open(&self, frame: &XskFrame) -> Result<Envelope, Discard> {
        headers::open(self.bytes(frame))
    }

    fn verifies(&self) -> bool {
        self.verify
    }

    fn client(&self, frame: &XskFrame, envelope: &Envelope) -> IpAddr {
        headers::client(self.bytes(frame), envelope)
    }

    #[inline(always)]
    fn bytes<'a>(&'a self, frame: &'a XskFrame) -> &'a [u8] {
        self.memory.bytes(frame)
    }

    #[inline(always)]
    fn room<'a>(&'a mut self, frame: &'a mut XskFrame) -> &'a mut [u8] {
        self.memory.room(frame)
    }

    #[inline(always)]
    fn seal(
        &mut self,
        frame: &mut XskFrame,
        envelope: &Envelope,
        message_len: usize,
        sum: Option<Sum>,
    ) {
        let len = headers::seal(self.memory.room(frame), envelope, message_len, sum);
        self.memory.set_len(frame, len);
    }

    #[inline(always)]
    fn told<'a>(&'a mut self, frame: &'a mut XskFrame, envelope: &Envelope) -> Told<'a> {
        let len = self.bytes(frame).len();
        Told::packet(self.room(frame), len, envelope)
    }

    fn transmit(&mut self, replies: &mut Vector<XskFrame>) {
        if self.routes.is_some() {
            self.direct(replies);
        }
        if let Some(id) = self.tag {
            self.tag(replies, id);
        }
        self.events.transmit_failed += self.rings.transmit(replies) as u64;
        self.rings.wake(&mut self.events);
    }

    fn recycle(&mut self, frame: XskFrame) {
        self.rings.recycle(frame);
    }

    #[inline(always)]
    fn message_limit(&self, envelope: &Envelope) -> usize {
        let tag_len = if self.tag.is_some() { VLAN_LEN } else { 0 };
        let frame_room = self.memory.frame_size() - XDP_HEADROOM - TIMESTAMP_ROOM - tag_len;
        message_limit(envelope, frame_room as usize, self.mtu)
    }

    fn backlog(&self) -> bool {
        self.rings.backlog()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.rings.fd())
    }

    fn report(&mut self, tally: &mut Tally) {
        self.events.report(tally);
    }
}

impl Drop for XskPort {
    /// Lets the replies leave that were promised to.
    fn drop(&mut self) {
        for _ in 0..DRAIN_TRIES {
            self.rings.collect();
            if self.rings.in_tx() == 0 {
                break;
            }
            self.rings.wake(&mut self.events);
            wait::pause(DRAIN_PAUSE);
        }
    }
}

//! The four rings of an AF_XDP socket, and the frames that are in none of them.
#![expect(
    unsafe_code,
    reason = "xsk-rs leaves it to its user that a frame is in one ring only"
)]

use super::config::{BindMode, XskConfig};
use super::error::Cause;
use super::frame::{UmemId, XskFrame};
use super::memory::Memory;
use super::statistics::RingStatistics;
use crate::port::{Census, PortEvents, VECTOR_CAPACITY, Vector};
use crate::sys::{wait, xdp_socket};
use nix::errno::Errno;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;
use xsk_rs::config::{BindFlags, Interface, LibxdpFlags, QueueSize, SocketConfig};
use xsk_rs::{CompQueue, FillQueue, FrameDesc, RxQueue, Socket, TxQueue};

/// The rings of one socket. Every descriptor of the UMEM is in exactly one place: a ring, the
/// kernel's hands behind it, the free list, or a token.
#[derive(Debug)]
pub(super) struct Rings {
    tx: TxQueue,
    rx: RxQueue,
    fill: FillQueue,
    completion: CompQueue,
    umem: UmemId,
    tx_size: u32,
    /// The first `free_count` are free frames. A stack: what was used last is still cached.
    free: Box<[FrameDesc]>,
    free_count: usize,
    /// Descriptors on their way between a ring and tokens.
    passing: Box<[FrameDesc; VECTOR_CAPACITY]>,
    /// Frames with the kernel to be filled, those in the RX ring included.
    in_fill: usize,
    /// Frames out as tokens.
    held: usize,
    /// Frames with the kernel to be sent.
    in_tx: usize,
    /// Whether the kernel left replies in the TX ring.
    backlog: bool,
}

impl Rings {
    /// Opens the socket and gives the kernel frames to fill.
    pub(super) fn open(
        config: &XskConfig,
        memory: &Memory,
        frames: Vec<FrameDesc>,
    ) -> Result<Self, Cause> {
        let wrong = |error: &dyn std::fmt::Display| Cause::Config(error.to_string());
        let interface: Interface = config.interface.parse().map_err(|e| wrong(&e))?;
        let mode = match config.mode {
            BindMode::ZeroCopy => BindFlags::XDP_ZEROCOPY,
            BindMode::Copy => BindFlags::XDP_COPY,
        };
        let socket = SocketConfig::builder()
            .rx_queue_size(QueueSize::new(config.rx_size).map_err(|e| wrong(&e))?)
            .tx_queue_size(QueueSize::new(config.tx_size).map_err(|e| wrong(&e))?)
            // The program that redirects to the socket is ours, and is attached already.
            .libxdp_flags(LibxdpFlags::XSK_LIBXDP_FLAGS_INHIBIT_PROG_LOAD)
            .bind_flags(mode | BindFlags::XDP_USE_NEED_WAKEUP)
            .build();
        let bytes = u64::from(memory.frame_size()) * u64::from(config.frame_count);
        // SAFETY: the UMEM is not shared with another socket.
        let (tx, rx, rest) =
            unsafe { Socket::new(socket, memory.umem(), &interface, config.queue) }
                .map_err(|error| Cause::new("cannot open the socket", &error, bytes))?;
        let (fill, completion) = rest.ok_or_else(|| Cause::Other {
            step: "cannot open the socket",
            error: io::Error::other("the UMEM is in use by another one"),
        })?;
        let mut rings = Self {
            tx,
            rx,
            fill,
            completion,
            umem: memory.id(),
            tx_size: config.tx_size,
            free_count: frames.len(),
            free: frames.into(),
            passing: Box::new([FrameDesc::default(); VECTOR_CAPACITY]),
            in_fill: 0,
            held: 0,
            in_tx: 0,
            backlog: false,
        };
        xdp_socket::close_on_exec(rings.fd()).map_err(|errno| Cause::Other {
            step: "cannot keep the socket to this process",
            error: errno.into(),
        })?;
        // Newer kernels only; older ones send 32 frames per wake-up, and the next turn goes on.
        let _ = xdp_socket::raise_transmit_budget(rings.fd(), config.tx_size);
        rings.refill();
        Ok(rings)
    }

    /// Takes back what the kernel has sent.
    pub(super) fn collect(&mut self) {
        if self.in_tx == 0 {
            return;
        }
        let rest = &mut self.free[self.free_count..];
        // SAFETY: what comes out of the ring is overwritten nowhere: `rest` holds no free frame.
        let count = unsafe { self.completion.consume(rest) };
        self.free_count += count;
        self.in_tx -= count;
    }

    /// Gives the kernel as many free frames to fill as the ring takes.
    pub(super) fn refill(&mut self) {
        if self.free_count == 0 {
            return;
        }
        let wanted = u32::try_from(self.free_count).unwrap_or(u32::MAX);
        let room = self.fill.nb_free(wanted) as usize;
        let rest = self.free_count - self.free_count.min(room);
        // SAFETY: free frames are this UMEM's, and in no other place.
        let count = unsafe { self.fill.produce(&self.free[rest..self.free_count]) };
        self.free_count -= count;
        self.in_fill += count;
    }

    /// Takes at most `limit` received frames; returns how many there were.
    pub(super) fn receive(&mut self, into: &mut Vector<XskFrame>, limit: usize) -> usize {
        let limit = limit.min(into.remaining_capacity());
        // SAFETY: what comes out of the ring becomes a token, and nothing else.
        let count = unsafe { self.rx.consume(&mut self.passing[..limit]) };
        into.extend(self.passing[..count].iter().map(|&descriptor| XskFrame {
            descriptor,
            umem: self.umem,
        }));
        self.in_fill -= count;
        self.held += count;
        count
    }

    /// Puts replies into the TX ring, as many as it takes; returns how many it did not take.
    pub(super) fn transmit(&mut self, replies: &mut Vector<XskFrame>) -> usize {
        let wanted = u32::try_from(replies.len()).unwrap_or(u32::MAX);
        let room = self.tx.nb_free(wanted) as usize;
        let count = replies.len().min(room);
        for (descriptor, frame) in self.passing.iter_mut().zip(replies.drain(..count)) {
            self.umem.check(&frame);
            *descriptor = frame.descriptor;
            // What the kernel said of the received packet is not an option for the reply.
            descriptor.set_options(0);
        }
        // SAFETY: their tokens are gone, so they are in no other place.
        let sent = unsafe { self.tx.produce(&self.passing[..count]) };
        debug_assert_eq!(sent, count, "the ring had room");
        self.held -= sent;
        self.in_tx += sent;
        let failed = replies.len();
        for frame in replies.drain(..) {
            self.recycle(frame);
        }
        failed
    }

    /// Puts a frame back among the free ones.
    pub(super) fn recycle(&mut self, frame: XskFrame) {
        self.umem.check(&frame);
        self.free[self.free_count] = frame.descriptor;
        self.free_count += 1;
        self.held -= 1;
    }

    /// Wakes the kernel if it waits to be woken, for either direction.
    pub(super) fn wake(&mut self, events: &mut PortEvents) {
        let fill = self.fill.needs_wakeup();
        if !fill && !self.unsent() {
            self.backlog = false;
            return;
        }
        events.kicks += 1;
        let answer = if fill {
            // Wakes for both directions (net/xdp/xsk.c, `xsk_poll`).
            wait::readable([self.fd()], Some(Duration::ZERO)).map(|_| ())
        } else {
            xdp_socket::kick(self.fd()).map_err(io::Error::from)
        };
        let code = answer.err().and_then(|error| error.raw_os_error());
        match code.map(Errno::from_raw) {
            None => {}
            // Nothing is lost: the replies are in the ring, and a later turn goes on.
            Some(Errno::EAGAIN | Errno::EBUSY | Errno::ENOBUFS) => events.stalls += 1,
            Some(_) => events.errors += 1,
        }
        self.backlog = self.unsent();
    }

    /// Whether there are replies that the kernel sends only after another wake-up.
    pub(super) fn backlog(&self) -> bool {
        self.backlog
    }

    /// Frames with the kernel to be sent.
    pub(super) fn in_tx(&self) -> usize {
        self.in_tx
    }

    /// The socket, for the XSKMAP and for waiting.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the queue keeps the socket open for as long as it is borrowed.
        unsafe { BorrowedFd::borrow_raw(self.rx.fd().as_raw_fd()) }
    }

    /// Where the frames are.
    pub(super) fn census(&mut self) -> Census {
        let rx = self.rx.nb_avail_exact() as usize;
        Census {
            free: self.free_count,
            fill: self.in_fill - rx,
            rx,
            held: self.held,
            tx: self.in_tx,
        }
    }

    /// What the kernel has counted.
    pub(super) fn statistics(&self) -> io::Result<RingStatistics> {
        RingStatistics::of(self.fd())
    }

    /// Whether replies are in the TX ring and the kernel waits to be woken for them.
    fn unsent(&mut self) -> bool {
        self.in_tx > 0 && self.tx.needs_wakeup() && self.tx.nb_free_exact() < self.tx_size
    }
}

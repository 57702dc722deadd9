//! Many datagrams in one system call, to and from numbered slots of memory.
#![expect(unsafe_code, reason = "recvmmsg and sendmmsg take arrays of pointers")]

use super::endpoint::{ADDRESS_LEN, CONTROL_LEN, CONTROL_ROOM, Endpoint};
use super::trains::{self, Replies, Reply};
use crate::port::VECTOR_CAPACITY;
use arrayvec::ArrayVec;
use nix::errno::Errno;
use nix::libc;
use std::os::fd::{AsRawFd, BorrowedFd};

/// One datagram per slot: its bytes, and its two ends.
#[derive(Debug)]
pub(super) struct Datagrams {
    memory: Box<[u8]>,
    slot_size: usize,
    endpoints: Box<[Endpoint]>,
    /// Whether to ask where each datagram was sent to.
    wildcard: bool,
}

/// What was received into a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    /// Bytes in the slot.
    pub(super) len: u16,
    /// Whether the datagram was longer than the slot.
    pub(super) cut: bool,
}

/// A message to or from the kernel.
struct Message {
    /// Whose ends it has.
    slot: u16,
    /// Bytes of control messages: those that are there, or those that there is room for.
    control_len: usize,
    /// How many datagrams it is of.
    parts: usize,
}

/// The arguments of one system call. They live on the stack: no pointer outlives the call.
#[derive(Default)]
struct Call {
    headers: ArrayVec<libc::mmsghdr, VECTOR_CAPACITY>,
    vectors: ArrayVec<libc::iovec, VECTOR_CAPACITY>,
}

impl Datagrams {
    /// Memory for `slots` datagrams of at most `slot_size` bytes.
    pub(super) fn new(slots: usize, slot_size: usize, wildcard: bool) -> Self {
        Self {
            memory: vec![0; slots * slot_size].into(),
            slot_size,
            endpoints: vec![Endpoint::default(); slots].into(),
            wildcard,
        }
    }

    /// The memory of a slot.
    pub(super) fn slot(&self, slot: u16) -> &[u8] {
        let start = usize::from(slot) * self.slot_size;
        &self.memory[start..start + self.slot_size]
    }

    /// The memory of a slot.
    pub(super) fn slot_mut(&mut self, slot: u16) -> &mut [u8] {
        let start = usize::from(slot) * self.slot_size;
        &mut self.memory[start..start + self.slot_size]
    }

    /// The ends of the datagram in a slot.
    pub(super) fn endpoint(&self, slot: u16) -> &Endpoint {
        &self.endpoints[usize::from(slot)]
    }

    /// Receives into the first of `slots`, one datagram each; what is told of them is appended to
    /// `received`. Never blocks.
    pub(super) fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        slots: &[u16],
        received: &mut ArrayVec<Received, VECTOR_CAPACITY>,
    ) -> Result<(), Errno> {
        for &slot in slots {
            let endpoint = &mut self.endpoints[usize::from(slot)];
            endpoint.address_len = ADDRESS_LEN;
        }
        let (slot_size, control_len) =
            (self.slot_size, if self.wildcard { CONTROL_LEN } else { 0 });
        let mut call = Call::default();
        let messages = slots.iter().map(|&slot| Message {
            slot,
            control_len,
            parts: 1,
        });
        self.describe(
            messages,
            slots.iter().map(|&slot| (slot, slot_size)),
            &mut call,
        );
        let (headers, count) = call.arguments();
        // SAFETY: `headers` are `count` of them, and describe memory that outlives the call.
        let result = unsafe {
            let no_timeout = std::ptr::null_mut();
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers,
                count,
                libc::MSG_DONTWAIT,
                no_timeout,
            )
        };
        let count = usize::try_from(Errno::result(result)?).unwrap_or_default();
        for (header, &slot) in call.headers.iter().zip(slots).take(count) {
            let endpoint = &mut self.endpoints[usize::from(slot)];
            endpoint.control_len = CONTROL_LEN.min(header.msg_hdr.msg_controllen);
            endpoint.address_len = ADDRESS_LEN.min(header.msg_hdr.msg_namelen as usize);
            endpoint.turn_round();
            received.push(Received {
                len: u16::try_from(header.msg_len).unwrap_or(u16::MAX),
                cut: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
            });
        }
        Ok(())
    }

    /// Sends replies to where their datagrams came from: trains of them where `trains`. Never
    /// blocks; returns how many were sent before one was refused.
    pub(super) fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        replies: &[Reply],
        trains: bool,
    ) -> Result<usize, Errno> {
        let mut messages = ArrayVec::<Message, VECTOR_CAPACITY>::new();
        let mut rest = replies;
        while let Some(first) = rest.first() {
            let parts = self.train(rest, trains);
            let endpoint = &mut self.endpoints[usize::from(first.slot)];
            messages.push(Message {
                slot: first.slot,
                control_len: match parts {
                    1 => endpoint.control_len,
                    _ => endpoint.append_train(first.len),
                },
                parts,
            });
            rest = &rest[parts..];
        }
        let parts = replies
            .iter()
            .map(|reply| (reply.slot, usize::from(reply.len)));
        let mut call = Call::default();
        self.describe(messages.into_iter(), parts, &mut call);
        let (headers, count) = call.arguments();
        // SAFETY: `headers` are `count` of them, and describe memory that outlives the call.
        let result =
            unsafe { libc::sendmmsg(socket.as_raw_fd(), headers, count, libc::MSG_DONTWAIT) };
        let count = usize::try_from(Errno::result(result)?).unwrap_or_default();
        let sent = call.headers.iter().take(count);
        Ok(sent.map(|header| header.msg_hdr.msg_iovlen).sum())
    }

    /// The replies in an order in which they can leave as trains.
    pub(super) fn order(&self, replies: &Replies) -> Replies {
        trains::order(replies, &self.endpoints)
    }

    /// How many of the first of `replies` leave as one message.
    pub(super) fn train(&self, replies: &[Reply], trains: bool) -> usize {
        match trains {
            true => trains::train(replies, &self.endpoints),
            false => replies.len().min(1),
        }
    }

    /// Describes messages to the kernel, and the slots that their parts are in, with how many bytes
    /// of each.
    fn describe(
        &mut self,
        messages: impl Iterator<Item = Message>,
        parts: impl Iterator<Item = (u16, usize)>,
        call: &mut Call,
    ) {
        // One pointer per array, from which the others come: a reference taken in between would
        // invalidate those that are handed out already.
        let (memory, endpoints) = (self.memory.as_mut_ptr(), self.endpoints.as_mut_ptr());
        for message in messages {
            let slot = usize::from(message.slot);
            assert!(slot < self.endpoints.len() && message.control_len <= CONTROL_ROOM);
            // SAFETY: the slot exists, so the endpoint is live, and nothing else refers to it.
            call.headers
                .push(unsafe { header(endpoints.add(slot), &message) });
        }
        for (slot, len) in parts {
            let slot = usize::from(slot);
            assert!(slot < self.endpoints.len() && len <= self.slot_size);
            // SAFETY: the slot exists, so the pointer stays within the memory.
            let bytes = unsafe { memory.add(slot * self.slot_size) };
            call.vectors.push(libc::iovec {
                iov_base: bytes.cast(),
                iov_len: len,
            });
        }
    }
}

impl Call {
    /// The headers, complete, and their number.
    fn arguments(&mut self) -> (*mut libc::mmsghdr, libc::c_uint) {
        let (vectors, mut parts) = (self.vectors.as_mut_ptr(), 0);
        for header in &mut self.headers {
            header.msg_hdr.msg_iov = vectors.wrapping_add(parts);
            parts += header.msg_hdr.msg_iovlen;
        }
        assert!(parts <= self.vectors.len());
        let count = libc::c_uint::try_from(self.headers.len()).unwrap_or_default();
        (self.headers.as_mut_ptr(), count)
    }
}

/// The header of a message with the ends of `endpoint`; it lacks only the place of its parts.
///
/// # Safety
///
/// `endpoint` must be valid for reads and writes, now and until the header was used.
unsafe fn header(endpoint: *mut Endpoint, message: &Message) -> libc::mmsghdr {
    // SAFETY: integers and pointers, of which zero is a value.
    let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
    let fields = &mut header.msg_hdr;
    // SAFETY: the caller vouches for the endpoint.
    unsafe {
        fields.msg_name = (&raw mut (*endpoint).address).cast();
        fields.msg_namelen = u32::try_from((*endpoint).address_len).unwrap_or_default();
        if message.control_len != 0 {
            fields.msg_control = (&raw mut (*endpoint).control).cast();
            fields.msg_controllen = message.control_len;
        }
    }
    fields.msg_iovlen = message.parts;
    header
}

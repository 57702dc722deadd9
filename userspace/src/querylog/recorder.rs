//! A worker's end of the query log: it writes into one buffer while the other is read.

use super::Taps;
use super::buffer::{Buffer, ReplyRecord, VectorPlace};
use super::packet_record::{PacketRecord, UsualPackets};
use super::tap::{Passed, TAPS_MAX};
use crate::packet::reply::Transport;
use crate::packet::{Ends, HEADER_LEN, Query, QueryFlags};
use crate::telemetry::Rcode;
use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a worker is told: who looks on from now on, and where to write. Nobody waits: what a worker
/// had before comes back as soon as it has seen this.
struct Order {
    taps: Arc<Taps>,
    buffer: Option<Buffer>,
}

/// What comes back for an order.
struct Delivery {
    /// Freed where there is time for it.
    _taps: Arc<Taps>,
    buffer: Option<Buffer>,
}

/// Orders under way to a worker, and deliveries from it: one, and what it leaves behind at its end.
const CAPACITY: usize = 2;

/// A worker's end and the reader's. Nobody looks on yet, and there is no memory.
pub fn recorder() -> (Recorder, Reader) {
    let (orders_in, orders) = HeapRb::new(CAPACITY).split();
    let (deliveries, deliveries_out) = HeapRb::new(CAPACITY).split();
    let filled = Arc::new(AtomicUsize::new(0));
    let recorder = Recorder {
        orders,
        deliveries,
        taps: Arc::default(),
        buffer: None,
        filled: Arc::clone(&filled),
        vector: None,
        simply: 0,
        dropped: 0,
        passed: [0; TAPS_MAX],
    };
    let reader = Reader {
        orders: orders_in,
        deliveries: deliveries_out,
        filled,
        is_waiting: false,
    };
    (recorder, reader)
}

/// A worker's end. It never waits and never allocates: what has no room is dropped and counted.
pub struct Recorder {
    orders: HeapCons<Order>,
    deliveries: HeapProd<Delivery>,
    taps: Arc<Taps>,
    buffer: Option<Buffer>,
    /// Bytes of records in the buffer, for the reader.
    filled: Arc<AtomicUsize>,
    /// The vector that is being answered.
    vector: Option<VectorPlace>,
    /// Who wants each reply of the vector and nothing else; 0: it is not as simple.
    simply: u32,
    /// What had no room since the last time somebody asked.
    dropped: u64,
    passed: Passed,
}

impl Recorder {
    /// Begins a vector, received now; `now` is asked, in ticks of one clock, if anybody looks on.
    pub fn begin(&mut self, now: impl FnOnce() -> u64) {
        if let Some(order) = self.orders.try_pop() {
            self.obey(order);
        }
        if let Some(buffer) = &mut self.buffer
            && !self.taps.is_empty()
        {
            self.vector = buffer.push_vector(now());
        }
        self.simply = match self.vector {
            Some(_) => self.taps.simply(),
            None => 0,
        };
    }

    /// Ends the vector: its replies have left.
    pub fn end(&mut self, now: impl FnOnce() -> u64) {
        if let (Some(place), Some(buffer)) = (self.vector.take(), &mut self.buffer) {
            if !buffer.forget_vector(place) {
                buffer.end_vector(place, now());
            }
            self.filled.store(buffer.len(), Ordering::Relaxed);
        }
    }

    /// Whether anybody looks on.
    #[inline(always)]
    pub fn is_on(&self) -> bool {
        !self.taps.is_empty()
    }

    /// Whether nobody who looks on has to be asked about a usual query.
    #[inline(always)]
    pub fn is_simple(&self) -> bool {
        self.simply != 0
    }

    /// Who wants the reply to a query: those whom `note` named, or all, where nobody had to be
    /// asked.
    #[inline(always)]
    pub fn taps_of(&self, query: &Query, noted: u32) -> u32 {
        match self.simply != 0 && !is_unusual(query) {
            true => self.simply,
            false => noted,
        }
    }

    /// Takes note of a query before its reply is written over it. Returns who wants the reply, one
    /// bit each, as far as it can be told by now.
    #[inline(never)]
    pub fn note(
        &mut self,
        row: usize,
        query: &Query,
        message: &[u8],
        client: impl Fn() -> IpAddr,
    ) -> u32 {
        let taps = self.taps.select(query, message, client, &mut self.passed);
        if taps == 0 {
            return 0;
        }
        let is_kept = self.taps.want_query(taps) || is_unusual(query);
        // There are at most 256 rows.
        let has_room = match (&mut self.buffer, u8::try_from(row)) {
            (Some(buffer), Ok(row)) if self.vector.is_some() => {
                !is_kept || buffer.push_query(row, message)
            }
            _ => false,
        };
        self.dropped += u64::from(!has_room);
        if has_room { taps } else { 0 }
    }

    /// Adds the reply to a query that `taps` want.
    #[inline(always)]
    pub fn push(
        &mut self,
        row: usize,
        taps: u32,
        query: &Query,
        reply: &[u8],
        ends: Ends,
        transport: Transport,
    ) {
        let taps = self.taps.with_rcode(taps, || rcode(query, reply));
        if taps == 0 {
            return;
        }
        let record = ReplyRecord {
            taps,
            ends,
            transport,
            udp_size: query.udp_size,
            flags: query.flags,
            query_header: query.header_flags,
            rcode: rcode(query, reply),
            reply_len: u16::try_from(reply.len()).unwrap_or(u16::MAX),
            reply: &reply[..reply.len().min(self.taps.reply_len())],
        };
        let is_kept = match (&mut self.buffer, u8::try_from(row)) {
            (Some(buffer), Ok(row)) => buffer.push_reply(row, &record),
            _ => false,
        };
        self.dropped += u64::from(!is_kept);
    }

    /// As `push`, of a packet of `len` bytes from the IP header to the reply's end, of which
    /// `head_len` are the headers'; `room` has them, and whatever is behind them in the frame.
    #[inline(never)]
    pub fn push_packet(
        &mut self,
        row: usize,
        taps: u32,
        query: &Query,
        room: &[u8],
        len: usize,
        head_len: u16,
    ) {
        let start = usize::from(head_len);
        let taps = self.taps.with_rcode(taps, || rcode(query, &room[start..]));
        if taps == 0 {
            return;
        }
        let record = PacketRecord {
            taps,
            query,
            bytes: room,
            len: len.min(start + self.taps.reply_len()),
        };
        let is_kept = match (&mut self.buffer, u8::try_from(row), u8::try_from(head_len)) {
            (Some(buffer), Ok(row), Ok(head_len)) => buffer.push_packet(row, head_len, &record),
            _ => false,
        };
        self.dropped += u64::from(!is_kept);
    }

    /// Has replies to usual queries added as `push_packet` does it, by `add`. `None`: somebody who
    /// looks on has to be asked for more.
    #[inline(always)]
    pub fn push_usual<T>(&mut self, add: impl FnOnce(&mut UsualPackets<'_>) -> T) -> Option<T> {
        let buffer = self.buffer.as_mut().filter(|_| self.simply != 0)?;
        let mut packets = buffer.usual_packets(self.simply);
        let added = add(&mut packets);
        let free = packets.free();
        buffer.advance(free);
        Some(added)
    }

    /// How many had no room since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn obey(&mut self, order: Order) {
        let taps = std::mem::replace(&mut self.taps, order.taps);
        let buffer = std::mem::replace(&mut self.buffer, order.buffer);
        self.filled.store(0, Ordering::Relaxed);
        self.deliver(taps, buffer);
    }

    fn deliver(&mut self, taps: Arc<Taps>, buffer: Option<Buffer>) {
        let delivery = Delivery {
            _taps: taps,
            buffer,
        };
        // There is room: the reader sends no order before the last one's delivery has come.
        if let Err(delivery) = self.deliveries.try_push(delivery) {
            std::mem::forget(delivery);
        }
    }
}

/// A worker that ends leaves what it has written.
impl Drop for Recorder {
    fn drop(&mut self) {
        let (taps, buffer) = (std::mem::take(&mut self.taps), self.buffer.take());
        self.deliver(taps, buffer);
    }
}

/// Whether something of a query could not be told from its reply and the few words beside it.
#[inline(always)]
pub(crate) fn is_unusual(query: &Query) -> bool {
    query.refusal.is_some() || query.flags.any(QueryFlags::OPTIONS)
}

/// The code of a reply. Only what a query is refused with has more than four bits.
#[inline(always)]
fn rcode(query: &Query, reply: &[u8]) -> u16 {
    let low = reply.get(..HEADER_LEN).map_or(0, |header| header[3] & 0xf);
    match query.refusal.map(Rcode::code) {
        Some(code) if code & 0xf == u16::from(low) => code,
        _ => low.into(),
    }
}

/// The reader's end.
pub struct Reader {
    orders: HeapProd<Order>,
    deliveries: HeapCons<Delivery>,
    filled: Arc<AtomicUsize>,
    /// An order is under way.
    is_waiting: bool,
}

impl Reader {
    /// Bytes that the worker has written and nobody has read.
    pub fn filled(&self) -> usize {
        self.filled.load(Ordering::Relaxed)
    }

    /// Whether the worker has not seen the last order yet.
    pub fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// Whether the worker has ended. What it has left can still be taken.
    pub fn is_abandoned(&self) -> bool {
        !self.orders.read_is_held()
    }

    /// Tells the worker who looks on, and gives it a buffer for its records. Gives the buffer back
    /// while the worker has not seen the last order.
    pub fn order(&mut self, taps: Arc<Taps>, buffer: Option<Buffer>) -> Result<(), Option<Buffer>> {
        if self.is_waiting {
            return Err(buffer);
        }
        let sent = self.orders.try_push(Order { taps, buffer });
        self.is_waiting = sent.is_ok();
        sent.map_err(|order| order.buffer)
    }

    /// Takes what the worker has written since the order before the last one.
    pub fn take(&mut self) -> Option<Option<Buffer>> {
        let delivery = self.deliveries.try_pop()?;
        self.is_waiting = false;
        Some(delivery.buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::buffer::Record;
    use super::super::{Filter, Tap};
    use super::*;
    use crate::packet::{NameKey, query};

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    fn message(flags: [u8; 2], id: u8) -> Vec<u8> {
        let mut message = vec![0, id, flags[0], flags[1], 0, 1, 0, 0, 0, 0, 0, 0];
        message.extend(b"\x03www\x07example\0\0\x01\0\x01");
        message
    }

    /// Has this message answered with `rcode`. Returns how many records were dropped.
    fn answer(recorder: &mut Recorder, message: &[u8], rcode: u8) -> u64 {
        let query = query::parse(message, &NameKey::new([1, 2, 3])).unwrap();
        let mut reply = message.to_vec();
        (reply[2], reply[3]) = (reply[2] & 1 | 0x84, rcode);
        recorder.begin(|| 7);
        let taps = recorder.note(3, &query, message, || CLIENT);
        if taps != 0 {
            recorder.push(3, taps, &query, &reply, Ends::UNKNOWN, Transport::Udp);
        }
        recorder.end(|| 8);
        recorder.take_dropped()
    }

    fn tap(number: u8) -> Tap {
        Tap {
            number,
            filter: Filter::default(),
            sample: 1,
            reply_len: 512,
            queries: false,
        }
    }

    /// What each record tells: `q` of a query, or the reply's mask and ID.
    fn told(buffer: &Buffer) -> Vec<String> {
        let tell = |record| match record {
            Record::Vector {
                received: 7,
                sent: 8,
            } => None,
            Record::Query { row: 3, .. } => Some("q".to_owned()),
            Record::Reply { row: 3, reply } => Some(format!("{:b} {}", reply.taps, reply.reply[1])),
            other => panic!("{other:?}"),
        };
        buffer.records().filter_map(tell).collect()
    }

    #[test]
    fn buffers_change_hands_by_order_and_at_the_end() {
        let (mut recorder, mut reader) = recorder();
        assert_eq!(answer(&mut recorder, &message([1, 0], 1), 0), 0);
        assert!(reader.take().is_none() && reader.filled() == 0);
        let taps = Arc::new(Taps::new([tap(0)]));
        let order = |reader: &mut Reader| {
            let buffer = Some(Buffer::new(0));
            reader.order(Arc::clone(&taps), buffer).is_ok()
        };
        assert!(order(&mut reader) && reader.is_waiting() && !order(&mut reader));
        answer(&mut recorder, &message([1, 0], 2), 0);
        assert!(reader.filled() > 0);
        assert!(matches!(reader.take(), Some(None)));
        assert!(order(&mut reader));
        answer(&mut recorder, &message([1, 0], 3), 0);
        let first = reader.take().flatten().unwrap();
        assert_eq!(told(&first), ["1 2"]);
        drop(recorder);
        let last = reader.take().flatten().unwrap();
        assert_eq!(told(&last), ["1 3"]);
    }

    #[test]
    fn each_sees_what_it_wants() {
        let (mut recorder, mut reader) = recorder();
        let failures = Filter {
            rcodes: vec![3],
            ..Filter::default()
        };
        let taps = Taps::new([
            Tap {
                sample: 3,
                ..tap(0)
            },
            Tap {
                filter: failures,
                ..tap(4)
            },
        ]);
        let buffer = Some(Buffer::new(0));
        assert!(reader.order(Arc::new(taps), buffer).is_ok());
        for id in 0..7 {
            let rcode = if id == 4 { 3 } else { 0 };
            assert_eq!(answer(&mut recorder, &message([1, 0], id), rcode), 0);
        }
        drop(recorder);
        let buffers = std::iter::from_fn(|| reader.take());
        let told: Vec<_> = buffers.flatten().flat_map(|buffer| told(&buffer)).collect();
        assert_eq!(told, ["1 2", "10000 4", "1 5"]);
    }

    #[test]
    fn queries_are_kept_where_they_are_wanted_or_unusual() {
        for (queries, flags, kept) in [
            (false, [1, 0], false),
            (false, [0, 0x10], false),
            (false, [3, 0], false),
            (false, [1, 0x20], false),
            (false, [9, 0], true),
            (true, [1, 0], true),
        ] {
            let (mut recorder, mut reader) = recorder();
            let taps = Taps::new([Tap { queries, ..tap(31) }]);
            assert!(reader.order(Arc::new(taps), Some(Buffer::new(0))).is_ok());
            answer(&mut recorder, &message(flags, 1), 0);
            drop(recorder);
            let buffers = std::iter::from_fn(|| reader.take());
            let told: Vec<_> = buffers.flatten().flat_map(|buffer| told(&buffer)).collect();
            let is_kept = told.first().is_some_and(|record| record == "q");
            assert_eq!(
                (is_kept, told.len()),
                (kept, 1 + usize::from(kept)),
                "{flags:?}"
            );
        }
    }

    #[test]
    fn what_has_no_room_is_dropped_and_said_so() {
        let (mut recorder, mut reader) = recorder();
        let taps = Arc::new(Taps::new([tap(0)]));
        assert!(reader.order(taps, Some(Buffer::new(0))).is_ok());
        let (mut written, mut dropped) = (0, 0);
        while dropped < 100 {
            match answer(&mut recorder, &message([1, 0], 1), 0) {
                0 if dropped == 0 => written += 1,
                0 => panic!("after a drop there is room"),
                count => dropped += count,
            }
        }
        drop(recorder);
        let buffers = std::iter::from_fn(|| reader.take());
        let told = buffers.flatten().map(|buffer| told(&buffer).len());
        assert_eq!(told.sum::<usize>(), written);
    }
}

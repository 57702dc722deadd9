//! Records of queries, one behind the other, as a worker writes them.
//!
//! A record begins with its length in bytes (3), what its kind has there (1), its kind (1), the
//! query's place in its vector (1) and what its kind has there (2), the least significant byte
//! first. Every record begins where a cache line does: a store across two lines is two.

use super::packet_record::{self, PACKET, PacketRecord, UsualPackets};
use crate::packet::reply::Transport;
use crate::packet::{Ends, QueryFlags};
use crate::sys::pages::Pages;

/// Bytes of what every record begins with.
pub(super) const PREFIX: usize = 8;
/// Bytes of a vector's record: when it came, and when its replies left.
const VECTOR: usize = PREFIX + 16;
/// Bytes that it takes.
const VECTOR_ROOM: usize = VECTOR.next_multiple_of(BLOCK);
/// Bytes of a reply's record before its addresses.
const REPLY: usize = PREFIX + 20;
/// Bytes that may be written behind a record: copies go in blocks.
const SLACK: usize = 128;
/// Bytes of a block: a cache line.
pub(super) const BLOCK: usize = 64;

const KIND_VECTOR: u8 = 1;
const KIND_QUERY: u8 = 2;
const KIND_REPLY: u8 = 3;
pub(super) const KIND_PACKET: u8 = 4;

const IPV6: u16 = 1;
const TCP: u16 = 2;

/// The fewest bytes of a buffer: the longest record fits in.
pub const BUFFER_LEN_MIN: usize = 256 << 10;

/// Memory that one side fills and the other reads.
pub struct Buffer {
    bytes: Pages<u8>,
    len: usize,
}

/// What is told of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyRecord<'m> {
    /// Who wants it.
    pub taps: u32,
    /// Between whom.
    pub ends: Ends,
    /// How the query travelled.
    pub transport: Transport,
    /// The requestor's UDP payload size; 512 without EDNS.
    pub udp_size: u16,
    /// What the query had beside its question.
    pub flags: QueryFlags,
    /// Bytes 2 and 3 of the query's header.
    pub query_header: [u8; 2],
    /// Its code, with the upper bits from the OPT record.
    pub rcode: u16,
    /// Bytes of the whole reply.
    pub reply_len: u16,
    /// Its first bytes.
    pub reply: &'m [u8],
}

/// A record as it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'b> {
    /// What follows came and left together, in the ticks of the worker's clock.
    Vector {
        /// When it was received.
        received: u64,
        /// When its replies were sent.
        sent: u64,
    },
    /// A query as it came.
    Query {
        /// Its place in the vector.
        row: u8,
        /// All of it.
        message: &'b [u8],
    },
    /// A reply.
    Reply {
        /// The place of its query.
        row: u8,
        /// What is told of it.
        reply: ReplyRecord<'b>,
    },
}

/// Where a vector's record is, to be completed.
#[derive(Clone, Copy, Debug)]
pub(super) struct VectorPlace(usize);

impl Buffer {
    /// An empty one, with room for `len` bytes of records.
    pub fn new(len: usize) -> Self {
        Self {
            bytes: Pages::zeroed(len.max(BUFFER_LEN_MIN) + SLACK),
            len: 0,
        }
    }

    /// Bytes of records.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Begins a vector that came at `received`; `None`: there is no room.
    pub(super) fn push_vector(&mut self, received: u64) -> Option<VectorPlace> {
        let place = VectorPlace(self.len);
        let room = self.begin(VECTOR_ROOM)?;
        room[..PREFIX].copy_from_slice(&prefix(VECTOR, KIND_VECTOR, 0, 0));
        room[PREFIX..PREFIX + 8].copy_from_slice(&received.to_ne_bytes());
        room[PREFIX + 8..VECTOR].copy_from_slice(&received.to_ne_bytes());
        self.len += VECTOR_ROOM;
        Some(place)
    }

    /// Says when a vector's replies left.
    pub(super) fn end_vector(&mut self, place: VectorPlace, sent: u64) {
        let start = place.0;
        if let Some(room) = self.bytes.get_mut(start + PREFIX + 8..start + VECTOR) {
            room.copy_from_slice(&sent.to_ne_bytes());
        }
    }

    /// Forgets a vector without records; false: it has some.
    pub(super) fn forget_vector(&mut self, place: VectorPlace) -> bool {
        let is_empty = self.len == place.0 + VECTOR_ROOM;
        if is_empty {
            self.len = place.0;
        }
        is_empty
    }

    /// Adds a query; false: there is no room.
    pub(super) fn push_query(&mut self, row: u8, message: &[u8]) -> bool {
        let used = PREFIX + 8 + message.len();
        let len = used.next_multiple_of(BLOCK);
        let Some(room) = self.begin(len) else {
            return false;
        };
        room[..PREFIX].copy_from_slice(&prefix(used, KIND_QUERY, row, 0));
        room[PREFIX..PREFIX + 8].copy_from_slice(&(message.len() as u64).to_ne_bytes());
        room[PREFIX + 8..used].copy_from_slice(message);
        self.len += len;
        true
    }

    /// Adds a reply; false: there is no room.
    #[inline(always)]
    pub(super) fn push_reply(&mut self, row: u8, reply: &ReplyRecord<'_>) -> bool {
        let address_len = reply.ends.address_len();
        let head = REPLY + 2 * address_len;
        let used = head + reply.reply.len();
        let len = used.next_multiple_of(BLOCK);
        let Some(room) = self.begin(len) else {
            return false;
        };
        let is_tcp = reply.transport == Transport::Tcp;
        let ipv6 = u16::from(reply.ends.is_ipv6) * IPV6;
        let flags = ipv6 | (u16::from(is_tcp) * TCP);
        room[..PREFIX].copy_from_slice(&prefix(used, KIND_REPLY, row, flags));
        let [t0, t1, t2, t3] = reply.taps.to_ne_bytes();
        let copied = u16::try_from(reply.reply.len()).unwrap_or(u16::MAX);
        let numbers = [
            reply.reply_len,
            copied,
            reply.ends.client_port,
            reply.ends.local_port,
            reply.udp_size,
            reply.rcode,
            reply.flags.bits().into(),
            u16::from_ne_bytes(reply.query_header),
        ];
        room[PREFIX..PREFIX + 4].copy_from_slice(&[t0, t1, t2, t3]);
        for (cell, number) in room[PREFIX + 4..REPLY].chunks_exact_mut(2).zip(numbers) {
            cell.copy_from_slice(&number.to_ne_bytes());
        }
        room[REPLY..REPLY + 16].copy_from_slice(&reply.ends.client);
        room[REPLY + address_len..REPLY + address_len + 16].copy_from_slice(&reply.ends.local);
        copy(&mut room[head..], reply.reply);
        self.len += len;
        true
    }

    /// Adds a reply as it lies in its packet, behind `head_len` bytes of headers; false: there is
    /// no room.
    pub(super) fn push_packet(&mut self, row: u8, head_len: u8, packet: &PacketRecord<'_>) -> bool {
        let used = PACKET + packet.len;
        let len = used.next_multiple_of(BLOCK);
        let Some(room) = self.begin(len) else {
            return false;
        };
        let head = packet.head(row, head_len);
        room[..PACKET].copy_from_slice(bytemuck::bytes_of(&head));
        room[PACKET..used].copy_from_slice(&packet.bytes[..packet.len]);
        self.len += len;
        true
    }

    /// By what records of usual packets are added, for all of `taps`; what it leaves free,
    /// `advance` is to be told.
    #[inline(always)]
    pub(super) fn usual_packets(&mut self, taps: u32) -> UsualPackets<'_> {
        let bytes = self.bytes.get_mut(self.len..).unwrap_or_default();
        UsualPackets::new(bytes, taps)
    }

    /// Keeps what was added, so that so many bytes are free.
    #[inline(always)]
    pub(super) fn advance(&mut self, free: usize) {
        self.len = self.bytes.len() - free;
    }

    /// All records, in their order.
    pub fn records(&self) -> Records<'_> {
        Records(&self.bytes[..self.len])
    }

    /// Room for a record, and for what may be written behind it.
    #[inline(always)]
    fn begin(&mut self, len: usize) -> Option<&mut [u8]> {
        self.bytes.get_mut(self.len..self.len + len + SLACK)
    }
}

/// What a record of `used` bytes begins with.
#[inline(always)]
fn prefix(used: usize, kind: u8, row: u8, flags: u16) -> [u8; PREFIX] {
    // No record is longer than a message and its headers.
    let word = used as u64 | u64::from(kind) << 32 | u64::from(row) << 40 | u64::from(flags) << 48;
    word.to_le_bytes()
}

/// Copies in blocks as long as there are whole ones: their length is known when it is compiled.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    let (blocks, rest) = from.as_chunks::<BLOCK>();
    let (places, _) = to.as_chunks_mut::<BLOCK>();
    for (place, block) in places.iter_mut().zip(blocks) {
        *place = *block;
    }
    let start = blocks.len() * BLOCK;
    to[start..start + rest.len()].copy_from_slice(rest);
}

/// The records of a buffer.
pub struct Records<'b>(&'b [u8]);

impl<'b> Iterator for Records<'b> {
    type Item = Record<'b>;

    fn next(&mut self) -> Option<Record<'b>> {
        let prefix: [u8; PREFIX] = *self.0.first_chunk()?;
        let [l0, l1, l2, first_flags, kind, row, flags @ ..] = prefix;
        let used = usize::try_from(u32::from_le_bytes([l0, l1, l2, 0])).ok()?;
        let (record, rest) = self.0.split_at_checked(used.next_multiple_of(BLOCK))?;
        self.0 = rest;
        let body = record.get(PREFIX..used)?;
        match kind {
            KIND_VECTOR => Some(Record::Vector {
                received: number(body, 0),
                sent: number(body, 8),
            }),
            KIND_QUERY => {
                let len = usize::try_from(number(body, 0)).ok()?;
                let message = body.get(8..8 + len)?;
                Some(Record::Query { row, message })
            }
            KIND_REPLY => Some(Record::Reply {
                row,
                reply: reply(body, u16::from_le_bytes(flags))?,
            }),
            KIND_PACKET => Some(Record::Reply {
                row,
                reply: packet_record::read(body, first_flags, flags)?,
            }),
            _ => None,
        }
    }
}

/// Eight bytes as a number.
fn number(body: &[u8], at: usize) -> u64 {
    let bytes = body.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

fn reply(body: &[u8], flags: u16) -> Option<ReplyRecord<'_>> {
    let taps = u32::from_ne_bytes(*body.first_chunk()?);
    let cells = body.get(4..REPLY - PREFIX)?.chunks_exact(2);
    let mut numbers = cells.map(|cell| u16::from_ne_bytes([cell[0], cell[1]]));
    let [
        reply_len,
        copied,
        client_port,
        local_port,
        udp_size,
        rcode,
        query_flags,
        query_header,
    ] = std::array::from_fn(|_| numbers.next().unwrap_or_default());
    let mut ends = Ends {
        is_ipv6: flags & IPV6 != 0,
        client_port,
        local_port,
        ..Ends::UNKNOWN
    };
    let address_len = ends.address_len();
    let (client, behind) = body.get(REPLY - PREFIX..)?.split_at_checked(address_len)?;
    let (local, message) = behind.split_at_checked(address_len)?;
    ends.client[..address_len].copy_from_slice(client);
    ends.local[..address_len].copy_from_slice(local);
    Some(ReplyRecord {
        taps,
        ends,
        transport: match flags & TCP {
            0 => Transport::Udp,
            _ => Transport::Tcp,
        },
        udp_size,
        flags: QueryFlags::from_bits((query_flags & 0xff) as u8),
        query_header: query_header.to_ne_bytes(),
        rcode,
        reply_len,
        reply: message.get(..copied.into())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example<'m>(client: &str, transport: Transport, reply: &'m [u8]) -> ReplyRecord<'m> {
        let client: std::net::SocketAddr = client.parse().unwrap();
        let local = std::net::SocketAddr::new(client.ip(), 53);
        ReplyRecord {
            taps: 0x8000_0001,
            ends: Ends::new(client, local),
            transport,
            udp_size: 1232,
            flags: QueryFlags::EDNS.with(QueryFlags::SLIPPED),
            query_header: [3, 0x30],
            rcode: 23,
            reply_len: 65_535,
            reply,
        }
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let bytes: Vec<u8> = (0..=255).cycle().take(65_535).collect();
        let mut buffer = Buffer::new(0);
        let mut written = Vec::new();
        for (at, len) in [0, 1, 7, 8, 63, 64, 65, 511, 65_535]
            .into_iter()
            .enumerate()
        {
            let place = buffer.push_vector(7 + at as u64).unwrap();
            let row = u8::try_from(at).unwrap();
            assert!(buffer.push_query(row, &bytes[..len]));
            let (client, transport) = match at % 2 {
                0 => ("192.0.2.1:5353", Transport::Udp),
                _ => ("[2001:db8::1]:1", Transport::Tcp),
            };
            let reply = example(client, transport, &bytes[..len]);
            assert!(buffer.push_reply(row, &reply));
            buffer.end_vector(place, 9);
            let message = &bytes[..len];
            let (received, sent) = (7 + at as u64, 9);
            written.push(Record::Vector { received, sent });
            written.push(Record::Query { row, message });
            written.push(Record::Reply { row, reply });
        }
        assert_eq!(buffer.records().collect::<Vec<_>>(), written);
        buffer.clear();
        assert_eq!(buffer.records().next(), None);
    }

    #[test]
    fn a_full_buffer_takes_no_more_and_keeps_what_it_has() {
        let mut buffer = Buffer::new(0);
        let message = [7; 500];
        let reply = example("192.0.2.1:5353", Transport::Udp, &message);
        let mut count = 0;
        while buffer.push_reply(0, &reply) {
            count += 1;
        }
        assert!(count > BUFFER_LEN_MIN / 600, "{count}");
        assert_eq!(buffer.records().count(), count);
        assert!(!buffer.push_reply(0, &reply));
        assert_eq!(buffer.records().count(), count);
    }

    #[test]
    fn of_a_vector_without_records_nothing_is_left() {
        let mut buffer = Buffer::new(0);
        let place = buffer.push_vector(1).unwrap();
        assert!(buffer.forget_vector(place));
        assert!(buffer.is_empty());
    }
}

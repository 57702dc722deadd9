//! The record of a reply that lies in a packet: all of the packet from the IP header on.

use super::buffer::{BLOCK, KIND_PACKET, PREFIX, ReplyRecord};
use crate::packet::reply::Transport;
use crate::packet::{Query, QueryFlags, headers};
use crate::prefetch::prefetch_to_write;
use crate::telemetry::Rcode;
use bytemuck::{Pod, Zeroable};

/// Bytes of a packet's record before its headers.
pub(super) const PACKET: usize = PREFIX + 8;
/// Bytes of a short packet: its record fills three cache lines at most.
const SHORT: usize = 3 * BLOCK - PACKET;
/// How many bytes ahead memory is fetched to be written to: a vector, so that it comes while the
/// next one is answered.
const AHEAD: usize = 8192;

/// What is told of a reply that lies in a packet, behind the headers of IP and UDP.
#[derive(Clone, Copy)]
pub(super) struct PacketRecord<'m> {
    /// Who wants it.
    pub(super) taps: u32,
    /// The query that it answers.
    pub(super) query: &'m Query,
    /// From the IP header to the end of the frame's room.
    pub(super) bytes: &'m [u8],
    /// Bytes that are told of: the headers, and as much of the reply as anybody wants.
    pub(super) len: usize,
}

/// What the record of a packet begins with: the length of all, the kind, the place, the bytes of
/// headers, and what the reply does not tell of its query.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct PacketHead {
    /// The length, and in the last byte the first byte of flags in the query's header.
    used: u32,
    kind: u8,
    row: u8,
    head_len: u8,
    query_flags: u8,
    taps: u32,
    udp_size: u16,
    refusal: u8,
    header_end: u8,
}

impl PacketHead {
    /// What a record of `used` bytes begins with, of the reply to a query that was not refused.
    #[inline(always)]
    fn new(used: u32, row: u8, head_len: u8, taps: u32, query: &Query) -> Self {
        let [header, header_end] = query.header_flags;
        Self {
            used: (used | u32::from(header) << 24).to_le(),
            kind: KIND_PACKET,
            row,
            head_len,
            query_flags: query.flags.bits(),
            taps,
            udp_size: query.udp_size,
            refusal: 0,
            header_end,
        }
    }
}

impl PacketRecord<'_> {
    /// What its record begins with.
    pub(super) fn head(&self, row: u8, head_len: u8) -> PacketHead {
        // No record is longer than a message and its headers.
        let used = u32::try_from(PACKET + self.len).unwrap_or(0);
        let refusal = self.query.refusal.map_or(0, Rcode::code);
        PacketHead {
            // None of those that queries are refused with is larger.
            refusal: u8::try_from(refusal).unwrap_or(u8::MAX),
            ..PacketHead::new(used, row, head_len, self.taps, self.query)
        }
    }
}

/// Adds records of usual packets, one behind the other.
///
/// What it needs for each, it has at hand: a buffer would be looked at anew every time, as the
/// record that was just written might have changed it.
pub struct UsualPackets<'b> {
    /// What is free.
    bytes: &'b mut [u8],
    taps: u32,
}

impl<'b> UsualPackets<'b> {
    /// One that fills `bytes`, for all of `taps`.
    #[inline(always)]
    pub(super) fn new(bytes: &'b mut [u8], taps: u32) -> Self {
        Self { bytes, taps }
    }

    /// What is free still.
    #[inline(always)]
    pub(super) fn free(self) -> usize {
        self.bytes.len()
    }

    /// Adds one of `len` bytes, of which `head_len` are headers, in reply to a query that was not
    /// refused; false: they are not as few as nearly always, or there is no room.
    ///
    /// A copy of a constant length has no loop and no end to look at.
    #[inline(always)]
    pub fn push(
        &mut self,
        row: usize,
        query: &Query,
        room: &[u8],
        len: usize,
        head_len: u16,
    ) -> bool {
        let Some(from) = room.first_chunk::<SHORT>().filter(|_| len <= SHORT) else {
            return false;
        };
        let bytes = std::mem::take(&mut self.bytes);
        let Some(to) = bytes.first_chunk_mut::<{ PACKET + SHORT }>() else {
            self.bytes = bytes;
            return false;
        };
        // The reader, on another CPU, had this memory last.
        prefetch_to_write(to, AHEAD, 2);
        let used = PACKET + len;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "short packets have short headers, vectors at most 256 rows"
        )]
        let head = PacketHead::new(used as u32, row as u8, head_len as u8, self.taps, query);
        to[..PACKET].copy_from_slice(bytemuck::bytes_of(&head));
        to[PACKET..BLOCK].copy_from_slice(&from[..BLOCK - PACKET]);
        let (lines, _) = to[BLOCK..].as_chunks_mut::<BLOCK>();
        let (blocks, _) = from[BLOCK - PACKET..].as_chunks::<BLOCK>();
        lines[0] = blocks[0];
        if used > 2 * BLOCK {
            lines[1] = blocks[1];
        }
        self.bytes = &mut bytes[used.next_multiple_of(BLOCK)..];
        true
    }
}

/// What a packet's record tells. The query's first byte of flags, `head_len` and what else the
/// query had stand in the record's first word.
pub(super) fn read(
    body: &[u8],
    header: u8,
    [head_len, query_flags]: [u8; 2],
) -> Option<ReplyRecord<'_>> {
    let (numbers, packet) = body.split_at_checked(PACKET - PREFIX)?;
    let &[t0, t1, t2, t3, s0, s1, refusal, header_end] = numbers.first_chunk()?;
    let (head, reply) = packet.split_at_checked(head_len.into())?;
    let low = reply.get(3)? & 0xf;
    Some(ReplyRecord {
        taps: u32::from_ne_bytes([t0, t1, t2, t3]),
        ends: headers::ends_of(head),
        transport: Transport::Udp,
        udp_size: u16::from_ne_bytes([s0, s1]),
        flags: QueryFlags::from_bits(query_flags),
        query_header: [header, header_end],
        // Only what a query is refused with has more than four bits.
        rcode: if refusal & 0xf == low { refusal } else { low }.into(),
        reply_len: headers::payload_len(head)?,
        reply,
    })
}

#[cfg(test)]
mod tests {
    use super::super::buffer::{Buffer, Record};
    use super::*;
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};

    /// A reply of `len` bytes in its packet, with headers and what is left of the frame's room.
    fn packet(client: SocketAddr, len: u16) -> (Vec<u8>, u8) {
        let udp = [&53_u16.to_be_bytes()[..], &client.port().to_be_bytes()].concat();
        let local = "198.51.100.1".parse::<Ipv4Addr>().unwrap();
        let ip = match client.ip() {
            IpAddr::V4(to) => [&[0x45; 12][..], &local.octets(), &to.octets()].concat(),
            IpAddr::V6(to) => [&[0x60; 8][..], &to.octets(), &to.octets()].concat(),
        };
        let head = [ip, udp, (len + 8).to_be_bytes().to_vec(), vec![0; 2]].concat();
        let head_len = u8::try_from(head.len()).unwrap();
        // The low bits of its code are those of BADVERS.
        let reply = (0..len).map(|at| if at == 3 { 0x30 } else { at.to_le_bytes()[0] });
        (
            head.into_iter().chain(reply).chain([7; 200]).collect(),
            head_len,
        )
    }

    #[test]
    fn a_reply_in_its_packet_is_read_like_any_other() {
        for (client, len) in ["192.0.2.1:5353", "[2001:db8::1]:1"]
            .into_iter()
            .flat_map(|client| [12, 79, 80, 81, 99, 100, 101, 300].map(|len| (client, len)))
        {
            let (bytes, head_len) = packet(client.parse().unwrap(), len);
            for kept in [usize::from(len), 12, 40] {
                let kept = kept.min(len.into());
                let start = usize::from(head_len);
                let query = Query {
                    udp_size: 1232,
                    flags: QueryFlags::EDNS,
                    header_flags: [1, 0x20],
                    refusal: Some(Rcode::BadVers),
                    ..Query::NONE
                };
                let mut buffer = Buffer::new(0);
                let told = PacketRecord {
                    taps: 0x8000_0001,
                    query: &query,
                    bytes: &bytes,
                    len: start + kept,
                };
                assert!(buffer.push_packet(9, head_len, &told));
                assert!(buffer.push_packet(9, head_len, &told));
                let ends = headers::ends_of(&bytes[..start]);
                assert_eq!(ends.client().to_string(), client);
                let reply = ReplyRecord {
                    taps: 0x8000_0001,
                    ends,
                    transport: Transport::Udp,
                    udp_size: 1232,
                    flags: QueryFlags::EDNS,
                    query_header: [1, 0x20],
                    rcode: 16,
                    reply_len: len,
                    reply: &bytes[start..start + kept],
                };
                let record = Record::Reply { row: 9, reply };
                assert_eq!(buffer.records().collect::<Vec<_>>(), [record; 2]);
            }
        }
    }

    #[test]
    fn what_is_added_the_quick_way_reads_as_if_it_was_not() {
        let lens = [12, 40, 60, 68, 69, 100, 112, 116, 132, 133, 148, 149, 300];
        for (client, len) in ["192.0.2.1:5353", "[2001:db8::1]:1"]
            .into_iter()
            .flat_map(|client| lens.map(|len| (client, len)))
        {
            let (bytes, head_len) = packet(client.parse().unwrap(), len);
            let query = Query {
                udp_size: 1400,
                flags: QueryFlags::EDNS,
                header_flags: [3, 0x30],
                refusal: None,
                ..Query::NONE
            };
            let told = usize::from(head_len) + usize::from(len);
            let mut buffers = [Buffer::new(0), Buffer::new(0)];
            let mut packets = buffers[0].usual_packets(0x8000_0001);
            let is_short = told <= 176;
            for row in [7, 255] {
                let added = packets.push(row, &query, &bytes, told, head_len.into());
                assert_eq!(added, is_short, "{len}");
            }
            let free = packets.free();
            buffers[0].advance(free);
            for row in [7, 255] {
                let record = PacketRecord {
                    taps: 0x8000_0001,
                    query: &query,
                    bytes: &bytes,
                    len: told,
                };
                assert!(buffers[1].push_packet(row, head_len, &record));
            }
            let [quick, other] = buffers.each_ref().map(|buffer| buffer.records());
            match is_short {
                true => assert!(quick.eq(other), "{client} {len}"),
                false => assert_eq!(quick.count(), 0),
            }
        }
    }
}

//! The whole server but for the NIC: frames into a port of memory, through real turns, and out.

use crate::answers::TIME_S;
use crate::packets::{CLIENT_MAC, Packet, SERVER_MAC};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use ripples::port::mem::MemFrame;
use ripples::port::{Census, MemPort};
use ripples::querylog::{Buffer, Reader, Tap, Taps, recorder};
use ripples::simd::Level;
use ripples::snapshot::Snapshot;
use ripples::telemetry::{Counters, Tally, Totals};
use ripples::vectorloop::Turn;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Frames of a port, unless said otherwise.
const FRAME_COUNT: usize = 64;
/// Bytes of a frame.
const FRAME_SIZE: usize = 4096;

/// When every vector is received, and sent.
pub const RECEIVED_NS: u64 = 1_700_000_000_000_000_007;
/// When its replies leave.
pub const SENT_NS: u64 = RECEIVED_NS + 1;

/// The IP version of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Client and server.
    pub fn ends(self) -> [SocketAddr; 2] {
        let ends = match self {
            Self::V4 => ["198.51.100.7:40000", "192.0.2.1:53"],
            Self::V6 => ["[2001:db8::7]:40000", "[2001:db8::1]:53"],
        };
        ends.map(|end| end.parse().expect("an address"))
    }
}

/// A worker with one port, both made of memory.
pub struct Exchange {
    port: MemPort,
    turn: Turn<MemFrame>,
    tally: Tally,
    counters: Counters,
}

impl Default for Exchange {
    fn default() -> Self {
        Self::new(MemPort::ethernet(FRAME_COUNT, FRAME_SIZE))
    }
}

impl Exchange {
    /// A worker for this port.
    pub fn new(port: MemPort) -> Self {
        Self {
            port,
            turn: Turn::new(FRAME_COUNT),
            tally: Tally::default(),
            counters: Counters::default(),
        }
    }

    /// A worker that verifies checksums.
    pub fn verifying() -> Self {
        Self::new(MemPort::ethernet(FRAME_COUNT, FRAME_SIZE).verifying())
    }

    /// A worker that uses the instructions of this level.
    pub fn at_level(level: Level) -> Self {
        Self {
            turn: Turn::at_level(FRAME_COUNT, level),
            ..Self::default()
        }
    }

    /// Has every reply recorded. What is recorded, the reader tells.
    pub fn record(&mut self, tap: Tap) -> Reader {
        let (recorder, mut reader) = recorder();
        self.turn.set_recorder(recorder);
        let buffer = Some(Buffer::new(0));
        let ordered = reader.order(Arc::new(Taps::new([tap])), buffer);
        assert!(ordered.is_ok(), "the first order");
        reader
    }

    /// Receives frames, as many as there are free ones, in one turn; returns what was sent.
    pub fn frames<'f>(
        &mut self,
        frames: impl IntoIterator<Item = &'f [u8]>,
        snapshot: &Snapshot,
    ) -> Vec<Vec<u8>> {
        for frame in frames {
            self.port.inject(frame);
        }
        if let Some(recorder) = self.turn.recorder() {
            recorder.begin(|| RECEIVED_NS);
        }
        self.turn
            .run(&mut self.port, snapshot, TIME_S, &mut self.tally);
        if let Some(recorder) = self.turn.recorder() {
            recorder.end(|| SENT_NS);
        }
        self.counters.publish(&mut self.tally);
        self.port.take_sent()
    }

    /// The reply to a message in a UDP datagram; none when there was none.
    ///
    /// # Panics
    /// Where the reply is not addressed back, or its checksums are wrong.
    pub fn message(
        &mut self,
        message: &[u8],
        family: Family,
        snapshot: &Snapshot,
    ) -> Option<Vec<u8>> {
        let [client, server] = family.ends();
        let query = Packet::udp(client, server, message).frame();
        let mut sent = self.frames([&query[..]], snapshot);
        let frame = sent.pop()?;
        assert!(sent.is_empty(), "two replies to one query");
        let reply = Datagram::read(&frame).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((reply.source, reply.destination), (server, client));
        assert_eq!(
            (reply.source_mac, reply.destination_mac),
            (SERVER_MAC, CLIENT_MAC)
        );
        Some(reply.payload)
    }

    /// What was counted so far.
    pub fn totals(&self) -> Totals {
        self.counters.totals()
    }

    /// Where the port's frames are.
    pub fn census(&self) -> Census {
        self.port.census()
    }
}

/// A UDP datagram in an Ethernet frame, as etherparse reads it.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// Who sent it, on the link.
    pub source_mac: [u8; 6],
    /// Whom it is for, on the link.
    pub destination_mac: [u8; 6],
    /// Who sent it.
    pub source: SocketAddr,
    /// Whom it is for.
    pub destination: SocketAddr,
    /// What is in it.
    pub payload: Vec<u8>,
    /// Bytes of the IP packet.
    pub packet_len: usize,
}

impl Datagram {
    /// Reads a frame that a server sent: every length and checksum must be right, and the frame end
    /// with the datagram.
    pub fn read(frame: &[u8]) -> Result<Self, String> {
        let sliced = SlicedPacket::from_ethernet(frame).map_err(|error| error.to_string())?;
        let Some(TransportSlice::Udp(udp)) = &sliced.transport else {
            return Err("no UDP in the frame".into());
        };
        let header = udp.to_header();
        let (source, destination, checksum): (IpAddr, IpAddr, _) = match &sliced.net {
            Some(NetSlice::Ipv4(ip)) => {
                let ip = ip.header().to_header();
                if ip.header_checksum != ip.calc_header_checksum() {
                    return Err("the IPv4 header's checksum is wrong".into());
                }
                let checksum = header.calc_checksum_ipv4(&ip, udp.payload());
                (ip.source.into(), ip.destination.into(), checksum)
            }
            Some(NetSlice::Ipv6(ip)) => {
                let ip = ip.header().to_header();
                let checksum = header.calc_checksum_ipv6(&ip, udp.payload());
                (ip.source.into(), ip.destination.into(), checksum)
            }
            _ => return Err("no IP in the frame".into()),
        };
        if checksum.map_err(|error| error.to_string())? != header.checksum {
            return Err("the UDP checksum is wrong".into());
        }
        let payload = udp.payload();
        let start = payload.as_ptr().addr() - frame.as_ptr().addr();
        if start + payload.len() != frame.len() {
            return Err("the frame goes on behind the datagram".into());
        }
        let network_start = network_start(frame);
        let mac = |at: usize| frame[at..at + 6].try_into().expect("six bytes");
        Ok(Self {
            source_mac: mac(6),
            destination_mac: mac(0),
            source: SocketAddr::new(source, header.source_port),
            destination: SocketAddr::new(destination, header.destination_port),
            payload: payload.to_vec(),
            packet_len: frame.len() - network_start,
        })
    }
}

impl Datagram {
    /// Reads a frame that somebody sent; none where there is no datagram in it. Checksums and the
    /// link's padding do not matter.
    pub fn lax(frame: &[u8]) -> Option<Self> {
        let sliced = SlicedPacket::from_ethernet(frame).ok()?;
        let Some(TransportSlice::Udp(udp)) = &sliced.transport else {
            return None;
        };
        let [source, destination]: [IpAddr; 2] = match &sliced.net {
            Some(NetSlice::Ipv4(ip)) => [
                ip.header().source_addr().into(),
                ip.header().destination_addr().into(),
            ],
            Some(NetSlice::Ipv6(ip)) => [
                ip.header().source_addr().into(),
                ip.header().destination_addr().into(),
            ],
            _ => return None,
        };
        let mac = |at: usize| frame[at..at + 6].try_into().expect("six bytes");
        Some(Self {
            source_mac: mac(6),
            destination_mac: mac(0),
            source: SocketAddr::new(source, udp.source_port()),
            destination: SocketAddr::new(destination, udp.destination_port()),
            payload: udp.payload().to_vec(),
            packet_len: frame.len() - network_start(frame),
        })
    }
}

/// Offset of the IP header: behind the MAC addresses, the tags and the EtherType.
fn network_start(frame: &[u8]) -> usize {
    let mut at = 12;
    while matches!(frame[at..at + 2], [0x81, 0x00] | [0x88, 0xa8]) {
        at += 4;
    }
    at + 2
}

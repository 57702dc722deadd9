//! Between whom a sealed reply goes, for whoever chooses its next hop.

use super::{IPV4_LEN_MIN, IPV6_LEN, MACS_LEN, VLAN_LEN, link};
use etherparse::EtherType;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of a MAC address.
const MAC_LEN: usize = MACS_LEN / 2;

/// Between whom a packet goes, and in which VLAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// Its source.
    pub from: IpAddr,
    /// Its destination.
    pub to: IpAddr,
    /// The VLAN's number; none: it has no tag, or one that has a priority only.
    pub vlan: Option<u16>,
}

impl Course {
    /// Of a packet in a frame; none: it is none, or in a VLAN within a VLAN.
    #[inline]
    pub fn of(frame: &[u8]) -> Option<Self> {
        let (start, ethertype) = link(frame).ok()?;
        let vlan = match start - MACS_LEN - 2 {
            0 => None,
            VLAN_LEN => {
                let tag = frame.get(MACS_LEN + 2..)?.first_chunk()?;
                // The upper bits are a priority.
                Some(u16::from_be_bytes(*tag) & 0x0fff).filter(|id| *id != 0)
            }
            _ => return None,
        };
        let packet = frame.get(start..)?;
        let (from, to): (IpAddr, IpAddr) = match ethertype {
            EtherType::IPV4 => {
                let header: &[u8; IPV4_LEN_MIN] = packet.first_chunk()?;
                let end = |at: usize| header[at..].first_chunk::<4>().copied();
                (
                    Ipv4Addr::from(end(12)?).into(),
                    Ipv4Addr::from(end(16)?).into(),
                )
            }
            EtherType::IPV6 => {
                let header: &[u8; IPV6_LEN] = packet.first_chunk()?;
                let end = |at: usize| header[at..].first_chunk::<16>().copied();
                (
                    Ipv6Addr::from(end(8)?).into(),
                    Ipv6Addr::from(end(24)?).into(),
                )
            }
            _ => return None,
        };
        Some(Self { from, to, vlan })
    }
}

/// Sends a frame to the Ethernet address `mac`.
#[inline]
pub fn send_to(frame: &mut [u8], mac: [u8; MAC_LEN]) {
    if let Some(receiver) = frame.first_chunk_mut() {
        *receiver = mac;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;

    fn course(tags: &[u16], is_ipv6: bool) -> Option<Course> {
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let builder = match is_ipv6 {
            false => builder.ipv4([192, 0, 2, 1], [198, 51, 100, 2], 64),
            true => builder.ipv6([0x20; 16], [0xfd; 16], 64),
        };
        let mut frame = Vec::new();
        builder.udp(53, 4242).write(&mut frame, b"reply").unwrap();
        for &tag in tags {
            let [a, b] = tag.to_be_bytes();
            frame.splice(MACS_LEN..MACS_LEN, [0x81, 0, a, b]);
        }
        for len in 0..frame.len() {
            // Whatever is cut off, nothing is read beyond.
            let _ = Course::of(&frame[..len]);
        }
        Course::of(&frame)
    }

    #[test]
    fn both_ends_and_the_vlan_are_found() {
        let v4 = |vlan| Course {
            from: [192, 0, 2, 1].into(),
            to: [198, 51, 100, 2].into(),
            vlan,
        };
        let v6 = |vlan| Course {
            from: [0x20; 16].into(),
            to: [0xfd; 16].into(),
            vlan,
        };
        for (tags, vlan) in [(&[][..], None), (&[0x6005], Some(5)), (&[0xe000], None)] {
            assert_eq!(course(tags, false), Some(v4(vlan)));
            assert_eq!(course(tags, true), Some(v6(vlan)));
        }
        assert_eq!(course(&[5, 6], false), None);
    }

    #[test]
    fn the_receiver_is_changed_and_nothing_else() {
        let mut frame = [9; 20];
        send_to(&mut frame, [1, 2, 3, 4, 5, 6]);
        assert_eq!(frame[..6], [1, 2, 3, 4, 5, 6]);
        assert_eq!(frame[6..], [9; 14]);
        send_to(&mut frame[..3], [0; 6]);
        assert_eq!(frame[..3], [1, 2, 3]);
    }
}

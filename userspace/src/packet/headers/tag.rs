//! A VLAN tag for a frame whose own the NIC has taken off.

use super::{MACS_LEN, VLAN_LEN, link};
use etherparse::EtherType;

/// Puts the tag of VLAN `id` into a frame of `len` bytes that has none; returns its new length.
/// `room` is the frame's memory: 4 bytes more than `len`, else the frame stays as it is.
pub fn tag(room: &mut [u8], len: usize, id: u16) -> usize {
    let tagged = len + VLAN_LEN;
    let is_untagged = room
        .get(..len)
        .is_some_and(|frame| matches!(link(frame), Ok((start, _)) if start == MACS_LEN + 2));
    if !is_untagged || room.len() < tagged {
        return len;
    }
    room.copy_within(MACS_LEN..len, MACS_LEN + VLAN_LEN);
    let [a, b] = EtherType::VLAN_TAGGED_FRAME.0.to_be_bytes();
    // Priority 0: IEEE 802.1Q's default, best effort.
    let [c, d] = id.to_be_bytes();
    room[MACS_LEN..MACS_LEN + VLAN_LEN].copy_from_slice(&[a, b, c, d]);
    tagged
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::{PacketBuilder, SlicedPacket, VlanSlice};

    /// A datagram in a frame, with room behind it.
    fn frame(room: usize) -> (Vec<u8>, usize) {
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let builder = builder
            .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
            .udp(53, 4242);
        let mut frame = Vec::new();
        builder.write(&mut frame, b"payload").unwrap();
        let len = frame.len();
        frame.resize(len + room, 0xee);
        (frame, len)
    }

    #[test]
    fn an_untagged_frame_gets_the_tag_and_all_else_stays() {
        let (mut room, len) = frame(4);
        let (before, _) = frame(0);
        let tagged = tag(&mut room, len, 0x0abc);
        assert_eq!(tagged, len + 4);
        let packet = SlicedPacket::from_ethernet(&room[..tagged]).unwrap();
        let Some(VlanSlice::SingleVlan(vlan)) = packet.vlan() else {
            panic!("no tag: {room:02x?}");
        };
        assert_eq!(vlan.vlan_identifier().value(), 0x0abc);
        assert_eq!(vlan.priority_code_point().value(), 0);
        assert_eq!((&room[..12], &room[16..]), (&before[..12], &before[12..]));
    }

    #[test]
    fn a_frame_that_has_a_tag_keeps_it_and_gets_no_other() {
        let (mut room, len) = frame(8);
        let len = tag(&mut room, len, 5);
        let before = room.clone();
        assert_eq!(tag(&mut room, len, 6), len);
        assert_eq!(room, before);
    }

    #[test]
    fn a_frame_without_room_stays_as_it_is() {
        let (mut room, len) = frame(3);
        let before = room.clone();
        assert_eq!(tag(&mut room, len, 5), len);
        assert_eq!(room, before);
    }
}

//! Random frames near the border between what is ours and what is not.

use crate::packets::{DESTINATION_OPTIONS, HOP_BY_HOP, Packet};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use std::net::SocketAddr;

/// Destinations of which some are endpoints, some look like one, and some are groups.
const DESTINATIONS: [&str; 12] = [
    "192.0.2.1:53",
    "192.0.2.1:5353",
    "192.0.2.2:53",
    "198.51.100.1:53",
    "224.0.0.251:5353",
    "255.255.255.255:53",
    "[2001:db8::1]:53",
    "[2001:db8::1]:5353",
    "[2001:db8::2]:53",
    "[2001:db9::1]:53",
    "[ff02::fb]:5353",
    "[::1]:53",
];

/// Some endpoints, of none up to all that a packet of [`frames`] can be sent to.
pub fn endpoints() -> impl Strategy<Value = Vec<SocketAddr>> {
    let candidates = [&DESTINATIONS[..], &["0.0.0.0:53", "[::]:53"]].concat();
    let count = candidates.len();
    subsequence(candidates, 0..=count).prop_map(|texts| texts.into_iter().map(address).collect())
}

/// Frames with a datagram in them, most of them then damaged a little; and some of noise.
pub fn frames() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![9 => (packets(), damages()).prop_map(damaged), 1 => vec(any::<u8>(), 0..200)]
}

/// Datagrams in all the dress they can wear.
fn packets() -> impl Strategy<Value = Packet> {
    let tags = vec((select(vec![0x8100, 0x88a8, 0x9100]), any::<u16>()), 0..4);
    let options = option::weighted(0.3, vec(any::<u8>(), 0..=40));
    let fragment = option::weighted(0.1, (0..4usize, 0..4usize));
    let payload = vec(any::<u8>(), 0..100);
    (select(&DESTINATIONS[..]), payload, tags, options, fragment).prop_map(
        |(destination, payload, tags, options, fragment)| {
            let destination = address(destination);
            let source = if destination.is_ipv4() {
                "198.51.100.7:4000"
            } else {
                "[2001:db8::7]:4000"
            };
            let mut packet = Packet::udp(address(source), destination, &payload);
            for (ethertype, id) in tags {
                packet = packet.tag(ethertype, id);
            }
            packet = match options {
                Some(options) if destination.is_ipv4() => packet.ipv4_options(&options),
                Some(body) if body.len() % 2 == 0 => packet.extension(HOP_BY_HOP, &body),
                Some(body) => packet.extension(DESTINATION_OPTIONS, &body),
                None => packet,
            };
            match fragment {
                Some((start, _)) if 8 * start > payload.len() => packet,
                Some((start, 0)) => packet.fragment(8 * start..8 + payload.len()),
                Some((start, units)) => {
                    packet.fragment(8 * start..(8 * (start + units)).min(8 + payload.len()))
                }
                None => packet,
            }
        },
    )
}

/// What happens to a frame on a bad day.
#[derive(Clone, Debug)]
enum Damage {
    /// One byte becomes another one.
    Replace(Index, u8),
    /// One bit flips, among the first bytes, where the headers are.
    Flip(usize, u32),
    /// The frame ends early.
    Cut(Index),
    /// The frame ends late.
    Extend(Vec<u8>),
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let damage = prop_oneof![
        3 => (any::<Index>(), any::<u8>()).prop_map(|(index, byte)| Damage::Replace(index, byte)),
        3 => (0..70usize, 0..8u32).prop_map(|(index, bit)| Damage::Flip(index, bit)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => vec(any::<u8>(), 1..20).prop_map(Damage::Extend),
    ];
    vec(damage, 0..4)
}

fn damaged((packet, damages): (Packet, Vec<Damage>)) -> Vec<u8> {
    let mut frame = packet.frame();
    for damage in damages {
        match damage {
            Damage::Replace(index, byte) if !frame.is_empty() => {
                let index = index.index(frame.len());
                frame[index] = byte;
            }
            Damage::Flip(index, bit) if index < frame.len() => frame[index] ^= 1 << bit,
            Damage::Cut(index) => frame.truncate(index.index(frame.len() + 1)),
            Damage::Extend(bytes) => frame.extend(bytes),
            Damage::Replace(..) | Damage::Flip(..) => {}
        }
    }
    frame
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address and a port")
}

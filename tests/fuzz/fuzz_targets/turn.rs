//! Any frames through a whole turn: each is answered well or discarded, and none is lost.
//!
//! The input is frames, each behind a byte that says what it is (a whole frame, or a message to be
//! sent with IPv4 or IPv6) and its length in two bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ripples::snapshot::Snapshot;
use std::sync::LazyLock;
use tests::answers::world;
use tests::exchange::{Exchange, Family};
use tests::invariants::check_turn;
use tests::packets::Packet;

static WORLD: LazyLock<Snapshot> = LazyLock::new(world);

/// As many as a port of `Exchange` has.
const FRAMES_MAX: usize = 64;
/// Bytes of a frame in such a port.
const FRAME_SIZE: usize = 4096;
/// Bytes of Ethernet, IPv6 and UDP headers.
const HEADERS_MAX: usize = 62;

fuzz_target!(|input: &[u8]| {
    let frames = frames(input);
    let frames: Vec<_> = frames.iter().map(|frame| &frame[..]).collect();
    check_turn(&frames, &mut Exchange::default(), &WORLD).unwrap();
});

fn frames(mut input: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let [kind, high, low, rest @ ..] = input {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let (bytes, behind) = rest.split_at(len.min(FRAME_SIZE - HEADERS_MAX).min(rest.len()));
        frames.push(match kind % 3 {
            0 => bytes.to_vec(),
            1 => dressed(bytes, Family::V4),
            _ => dressed(bytes, Family::V6),
        });
        input = behind;
        if frames.len() == FRAMES_MAX {
            break;
        }
    }
    frames
}

fn dressed(message: &[u8], family: Family) -> Vec<u8> {
    let [client, server] = family.ends();
    Packet::udp(client, server, message).frame()
}

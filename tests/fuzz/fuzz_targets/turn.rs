//! A whole turn over any frames loses none, counts each once, and sends only legal replies.
//!
//! The input is cut into frames: a byte says how each is made and how long it is (in units of 8
//! bytes), the frame follows. Odd ones are messages, which get right headers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ripples::snapshot::Snapshot;
use std::sync::LazyLock;
use tests::answers::world;
use tests::exchange::{Exchange, Family};
use tests::invariants::check_turn;
use tests::packets::Packet;

/// As many frames as the port has.
const FRAMES_MAX: usize = 64;

static WORLD: LazyLock<Snapshot> = LazyLock::new(world);

fuzz_target!(|input: &[u8]| {
    let frames = frames(input);
    let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    assert_eq!(
        check_turn(&frames, &mut Exchange::default(), &WORLD),
        Ok(())
    );
});

/// The frames that an input stands for.
fn frames(mut input: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some((&how, rest)) = input.split_first()
        && frames.len() < FRAMES_MAX
    {
        let len = (usize::from(how >> 2) * 8).min(rest.len());
        let (bytes, others) = rest.split_at(len);
        frames.push(match how & 3 {
            1 => datagram(Family::V4, bytes),
            3 => datagram(Family::V6, bytes),
            _ => bytes.to_vec(),
        });
        input = others;
    }
    frames
}

/// A message with the headers of a query.
fn datagram(family: Family, message: &[u8]) -> Vec<u8> {
    let [client, server] = family.ends();
    Packet::udp(client, server, message).frame()
}

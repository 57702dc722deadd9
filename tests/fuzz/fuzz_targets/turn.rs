//! Any frames through a whole turn: each is answered well or discarded, and none is lost.
//!
//! The input is frames, each behind its length in two bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ripples::snapshot::Snapshot;
use std::sync::LazyLock;
use tests::answers::world;
use tests::exchange::Exchange;
use tests::invariants::check_turn;

static WORLD: LazyLock<Snapshot> = LazyLock::new(world);

/// As many as a port of `Exchange` has.
const FRAMES_MAX: usize = 64;
/// Bytes of a frame in such a port.
const FRAME_SIZE: usize = 4096;

fuzz_target!(|input: &[u8]| {
    check_turn(&frames(input), &mut Exchange::default(), &WORLD).unwrap();
});

fn frames(mut input: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while let [high, low, rest @ ..] = input {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let (frame, behind) = rest.split_at(len.min(FRAME_SIZE).min(rest.len()));
        frames.push(frame);
        input = behind;
        if frames.len() == FRAMES_MAX {
            break;
        }
    }
    frames
}

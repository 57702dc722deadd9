//! Any frame gets a verdict, and etherparse agrees on what is ours.
//!
//! The first byte chooses a frame of the verdict table, and the rest changes it, three bytes
//! (offset and value) at a time; where there is no such frame, the rest is the frame.
#![no_main]

use common::{FilterConfig, Verdict, classify};
use libfuzzer_sys::fuzz_target;
use std::net::SocketAddr;
use std::sync::LazyLock;
use tests::judge;
use tests::verdict_cases::{cases, endpoints};

static FRAMES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| cases().into_iter().map(|case| case.frame).collect());
static ENDPOINTS: LazyLock<Vec<SocketAddr>> = LazyLock::new(endpoints);

fuzz_target!(|input: &[u8]| {
    let config = FilterConfig::new(&ENDPOINTS).expect("the table's endpoints fit");
    let frame = frame(input);
    let is_redirected = classify(&frame[..], &config) == Verdict::Redirect;
    assert_eq!(
        is_redirected,
        judge::is_ours(&frame, &ENDPOINTS),
        "{frame:02x?}"
    );
});

/// The frame that an input stands for.
fn frame(input: &[u8]) -> Vec<u8> {
    let Some((&choice, rest)) = input.split_first() else {
        return Vec::new();
    };
    let Some(frame) = FRAMES.get(usize::from(choice)) else {
        return rest.to_vec();
    };
    let mut frame = frame.clone();
    for change in rest.chunks_exact(3) {
        let offset = usize::from(u16::from_be_bytes([change[0], change[1]]));
        match frame.get_mut(offset) {
            Some(byte) => *byte = change[2],
            // An offset behind the end cuts.
            None => frame.truncate(usize::from(change[2])),
        }
    }
    frame
}

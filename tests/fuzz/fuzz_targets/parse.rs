//! Any message: it is parsed, and if it gets a reply, that is well-formed and of legal size.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ripples::packet::reply::Transport;
use ripples::snapshot::Snapshot;
use std::sync::LazyLock;
use tests::answers::{reply, world};
use tests::invariants::{check_message, check_reply, check_truncation, is_comparable};

static WORLD: LazyLock<Snapshot> = LazyLock::new(world);

fuzz_target!(|message: &[u8]| {
    // What is longer, no datagram holds.
    if message.len() > 4096 {
        return;
    }
    let [cut, whole] =
        [Transport::Udp, Transport::Tcp].map(|transport| reply(&WORLD, message, transport));
    let (Some(cut), Some(whole)) = (&cut, &whole) else {
        assert_eq!(cut, whole, "a reply by one transport only");
        return;
    };
    check_reply(message, cut).unwrap();
    check_message(message, whole).unwrap();
    if is_comparable(message) {
        check_truncation(message, whole, cut).unwrap();
    }
});

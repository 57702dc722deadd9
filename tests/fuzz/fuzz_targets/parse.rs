//! Any message gets a reply of legal size and form, or none; by UDP and by TCP alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ripples::packet::reply::Transport;
use ripples::snapshot::Snapshot;
use std::sync::LazyLock;
use tests::answers::{reply, world};
use tests::invariants::{check_message, check_reply};

static WORLD: LazyLock<Snapshot> = LazyLock::new(world);

fuzz_target!(|message: &[u8]| {
    let cut = reply(&WORLD, message, Transport::Udp);
    let whole = reply(&WORLD, message, Transport::Tcp);
    assert_eq!(cut.is_some(), whole.is_some(), "answered by one transport only");
    if let (Some(cut), Some(whole)) = (cut, whole) {
        assert_eq!(check_reply(message, &cut), Ok(()));
        assert_eq!(check_message(message, &whole).err(), None);
    }
});

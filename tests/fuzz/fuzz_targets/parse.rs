//! Any message: it is parsed, and if it gets a reply, that is well-formed and of legal size.
#![no_main]

use hickory_proto::op::{Edns, Message};
use hickory_proto::rr::rdata::opt::EdnsCode;
use libfuzzer_sys::fuzz_target;
use ripples::packet::reply::Transport;
use ripples::snapshot::Snapshot;
use std::sync::LazyLock;
use tests::answers::{reply, world};
use tests::invariants::{check_message, check_reply, check_truncation};

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

/// Where hickory cannot read the query, the limit is not known; and a question about TCP's idle
/// timeout is answered by TCP only.
fn is_comparable(message: &[u8]) -> bool {
    let keepalive = |edns: &Edns| edns.option(EdnsCode::Keepalive).is_some();
    Message::from_vec(message).is_ok_and(|message| !message.edns.as_ref().is_some_and(keepalive))
}

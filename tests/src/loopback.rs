//! Addresses on the loopback that no other test has.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::process::id;
use std::sync::atomic::{AtomicU16, Ordering};

/// The port that goes with [`ip`]; below those that the kernel gives to clients.
pub const PORT: u16 = 5300;

/// Another address of 127.0.0.0/8 at each call, all of which the loopback has.
pub fn ip() -> Ipv4Addr {
    let [.., high, low] = id().to_be_bytes();
    Ipv4Addr::new(
        127,
        128 | high,
        low,
        u8::try_from(next() % 250 + 1).expect("below 256"),
    )
}

/// [`ip`] with its port.
pub fn address() -> SocketAddr {
    SocketAddrV4::new(ip(), PORT).into()
}

/// Another port at each call, for tests that need more than 127.0.0.0/8.
pub fn port() -> u16 {
    let [.., high, low] = id().to_be_bytes();
    let process = u16::from_be_bytes([high, low]) % 1_000;
    10_000 + 20 * process + next() % 20
}

fn next() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

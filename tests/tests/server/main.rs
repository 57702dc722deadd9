//! The `ripples` binary on kernel sockets, on the loopback. Needs no root.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod reload;
mod sockets;

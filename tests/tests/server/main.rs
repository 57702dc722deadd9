//! The `ripples` binary on kernel sockets, on the loopback. Needs no root.

mod reload;
mod sockets;

//! The `ripples` binary on kernel sockets, on the loopback. Needs no root.

mod geo;
mod guards;
mod health;
mod options;
mod reload;
mod replace;
mod resources;
mod sockets;
mod unit;

//! The `ripples` binary on kernel sockets, on the loopback. Needs no root.

mod control;
mod dist;
mod geo;
mod guards;
mod health;
mod metrics;
mod options;
mod reload;
mod replace;
mod resources;
mod siblings;
mod sockets;
mod threads;
mod unit;

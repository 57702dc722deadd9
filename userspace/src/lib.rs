//! Ripples: an authoritative DNS server that a packet crosses without entering the kernel's stack.

pub mod answer;
pub mod name;
pub mod packet;
pub mod port;
mod prefetch;
pub mod snapshot;
pub mod telemetry;
pub mod vectorloop;
pub mod zone;

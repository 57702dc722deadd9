//! Ripples: an authoritative DNS server that a packet crosses without entering the kernel's stack.

pub mod packet;
pub mod port;
pub mod tcp;
pub mod telemetry;

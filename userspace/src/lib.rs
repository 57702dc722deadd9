//! Ripples: an authoritative DNS server that a packet crosses without entering the kernel's stack.

pub mod name;
pub mod zone;

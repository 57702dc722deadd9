//! Ripples: an authoritative DNS server that a packet crosses without entering the kernel's stack.

pub mod answer;
pub mod bpf;
pub mod config;
pub mod control;
pub mod geo;
pub mod health;
pub mod idle;
pub mod manual;
pub mod name;
pub mod packet;
pub mod port;
mod prefetch;
pub mod querylog;
pub mod reflect;
pub mod routing;
mod sampler;
pub mod server;
pub mod simd;
pub mod snapshot;
pub mod sys;
pub mod tcp;
pub mod telemetry;
pub mod vectorloop;
pub mod worker;
pub mod zone;

//! The `ripples` binary between two network namespaces: real packets, over AF_XDP. Needs root.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod addresses;
mod checksums;
mod equality;
mod fallback;
mod idle;
mod kernel;
mod leaving;
mod log;
mod metrics;
mod next_hop;
mod packets;
mod queries;
mod querylog;
mod raw;
mod reload;
mod replace;
mod root_zone;
mod stage;
mod tags;
mod wire;

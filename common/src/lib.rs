//! What the kernel program and userspace must agree on.
//!
//! The kernel program decides nothing by itself: it calls [`classify`], which is compiled for the
//! kernel and for the host from this one source, and turns the [`Verdict`] into an XDP action.
#![no_std]

mod bytes;
mod classify;
mod config;
mod endpoint;
mod names;
mod network;
mod verdict;

pub use bytes::Bytes;
pub use classify::classify;
pub use config::{ENDPOINTS_MAX, FilterConfig, TooManyEndpoints};
pub use names::{CONFIG, COUNTERS, PROGRAM, QUEUES_MAX, SOCKETS};
pub use network::source;
pub use verdict::{Action, Verdict};

//! Where replies go next, as the kernel would route them: `udp.next_hop = "route"`.
//!
//! ```text
//! netlink ─► Facts ─► compile, once per interface ─► NextHops ─► the ports of its queues
//! ```
//!
//! The kernel would be asked for every reply, so what it knows is held here in the form in which
//! replies ask for it, and made anew when the kernel says that something has changed.

mod compile;
#[cfg(test)]
mod compile_tests;
mod facts;
mod link;
mod neighbour;
mod next_hops;
mod route;
mod rule;
mod subscription;

pub use compile::{Compiled, compile};
pub use facts::Facts;
pub use next_hops::{NextHop, NextHops};
pub use subscription::{Publisher, Subscription, subscribe};

/// An Ethernet address.
pub type Mac = [u8; 6];

/// An interface's number in its namespace.
pub type LinkIndex = u32;

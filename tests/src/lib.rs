//! The harness that the tests share.

pub mod answers;
pub mod binary;
pub mod client;
pub mod echo;
pub mod folder;
pub mod loopback;
pub mod netns;
pub mod redirect;
pub mod server;
pub mod stats;
pub mod tcp;

/// The zone `example` of the end-to-end tests.
pub const EXAMPLE: &str = include_str!("example.zone");

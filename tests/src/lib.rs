//! The harness that the tests share.

pub mod alloc;
pub mod tcp;

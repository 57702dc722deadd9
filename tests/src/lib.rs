//! The harness that the tests share.

pub mod alloc;
pub mod answers;
pub mod echo;
pub mod judge;
pub mod netns;
pub mod packets;
pub mod redirect;
pub mod strategies;
pub mod tcp;
pub mod verdict_cases;

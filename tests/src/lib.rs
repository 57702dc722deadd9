//! The harness that the tests share.

pub mod answers;
pub mod echo;
pub mod netns;
pub mod redirect;
pub mod tcp;

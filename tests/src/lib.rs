//! The harness that the tests share.

pub mod echo;
pub mod netns;
pub mod redirect;

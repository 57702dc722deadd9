//! The harness that the tests share.

pub mod zones;

//! The harness that the tests share.

pub mod answers;
pub mod ask;
pub mod decoded;
pub mod model;
pub mod name;
pub mod record;
pub mod worlds;

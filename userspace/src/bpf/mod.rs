//! The kernel program: loaded, attached, fed with sockets and read out. Nothing else knows aya.

mod capabilities;
mod error;
mod filter;
mod log;

pub use capabilities::missing_to_serve;
pub use error::{BpfError, Cause};
pub use filter::{AttachMode, Filter};

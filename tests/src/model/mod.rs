//! A reference resolver: RFC 1034 §4.3.2 step by step over plain maps, with the amendments of
//! RFC 2308, RFC 4035, RFC 4592, RFC 6672 and RFC 8482. Slow, simple, and without a line of the
//! server's: where both agree on random zones, both are probably right.

mod expected;
mod resolve;
mod zone;

pub use expected::Expected;
pub use resolve::{CHAIN_MAX, resolve};
pub use zone::{Rrset, World, Zone};

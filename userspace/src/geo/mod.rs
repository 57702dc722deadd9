//! Where a client is: networks → regions, in maps that the operator draws.

mod map;
mod network;
mod tree;

pub use map::{Geo, GeoMap, Region};
pub use network::Network;
pub use tree::{Located, RegionTree};

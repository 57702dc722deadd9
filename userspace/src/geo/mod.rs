//! Where a client is: networks → regions, in maps that the operator draws.

mod coordinates;
pub mod load;
mod map;
mod network;
mod tree;
mod whereabouts;

pub use coordinates::Coordinates;
pub use load::{Loaded, load};
pub use map::{Geo, GeoMap, Region};
pub use network::{Network, NetworkProblem};
pub use tree::{Located, RegionTree, TreeTooLarge};
pub use whereabouts::{Whereabouts, locate};

//! The operator's maps: each divides all clients into regions.

use super::{Located, RegionTree};
use std::net::IpAddr;

/// All maps of a generation.
#[derive(Clone, Debug, Default)]
pub struct Geo {
    /// In the order of the configuration.
    pub maps: Box<[GeoMap]>,
}

/// A map: every address is in one of its regions.
#[derive(Clone, Debug)]
pub struct GeoMap {
    /// What zones call it.
    pub name: Box<str>,
    /// Its regions, by number.
    pub regions: Box<[Region]>,
    /// Which addresses are in which.
    pub tree: RegionTree,
}

/// A region of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// What zones call it.
    pub name: Box<str>,
    /// The regions whose variants its clients get where it has none, by number, the best first.
    pub fallbacks: Box<[u16]>,
}

impl Geo {
    /// The map of this name.
    pub fn map(&self, name: &str) -> Option<&GeoMap> {
        self.maps.iter().find(|map| &*map.name == name)
    }
}

impl GeoMap {
    /// The number of the region with this name.
    pub fn region(&self, name: &str) -> Option<u16> {
        let at = self
            .regions
            .iter()
            .position(|region| &*region.name == name)?;
        u16::try_from(at).ok()
    }

    /// The region that an address is in.
    pub fn find(&self, address: IpAddr) -> Located {
        self.tree.find(address)
    }
}

//! Maps of the tests: networks in regions.

use ripples::geo::{Geo, GeoMap, Network, Region, RegionTree};

/// A map whose first region is where everybody is that no network holds.
///
/// # Panics
/// Where a network is none, or in no region.
pub fn map(name: &str, regions: &[(&str, &[&str])], networks: &[(&str, &str)]) -> GeoMap {
    let number = |wanted: &str| {
        let at = regions.iter().position(|(name, _)| *name == wanted);
        u16::try_from(at.expect("a region")).expect("few regions")
    };
    let regions: Vec<Region> = regions
        .iter()
        .map(|(name, fallbacks)| Region {
            name: (*name).into(),
            fallbacks: fallbacks.iter().map(|name| number(name)).collect(),
        })
        .collect();
    let networks = networks
        .iter()
        .map(|(text, region)| (network(text), number(region)));
    GeoMap {
        name: name.into(),
        regions: regions.into(),
        tree: tree(networks),
    }
}

/// Maps in this order.
pub fn maps(maps: impl IntoIterator<Item = GeoMap>) -> Geo {
    Geo {
        maps: maps.into_iter().collect(),
    }
}

/// A network as in `192.0.2.0/24`.
///
/// # Panics
/// Where it is none.
pub fn network(text: &str) -> Network {
    let (address, prefix_len) = text.split_once('/').expect("a prefix");
    let address = address.parse().expect("an address");
    Network::of(address, prefix_len.parse().expect("a length")).expect("a network")
}

/// The tree of these networks, all other addresses in region 0.
fn tree(networks: impl Iterator<Item = (Network, u16)>) -> RegionTree {
    RegionTree::of(0, networks).expect("few networks")
}

//! Any bytes as a database: they are refused, or every address has a region, and the tree and the
//! explanation agree on it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ripples::config::{GeoOptions, MapOptions, RegionOptions};
use ripples::geo::Coordinates;
use ripples::geo::load::Sources;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::LazyLock;

/// A map that asks for everything.
static OPTIONS: LazyLock<GeoOptions> = LazyLock::new(|| {
    let region = |name: &str| RegionOptions {
        name: name.to_owned(),
        fallbacks: Vec::new(),
    };
    let code = |code: &str, region| BTreeMap::from([(code.to_owned(), region)]);
    let nearest = Coordinates::of(50.0, 8.0).map(|here| (4, here));
    let map = MapOptions {
        name: "world".to_owned(),
        regions: ["rest", "lab", "de", "eu", "near"].map(region).into(),
        networks: Vec::new(),
        asns: BTreeMap::from([(64_512, 1)]),
        subdivisions: code("DE-HE", 2),
        countries: code("DE", 2),
        continents: code("EU", 3),
        nearest: nearest.into_iter().collect(),
    };
    GeoOptions {
        databases: vec!["fuzzed.mmdb".into()],
        maps: vec![map],
    }
});

const ADDRESSES: [&str; 6] = [
    "0.0.0.0",
    "192.0.2.1",
    "255.255.255.255",
    "::ffff:192.0.2.1",
    "2002:c000:201::1",
    "2001:db8::1",
];

fuzz_target!(|input: &[u8]| {
    let Ok(sources) = Sources::of(&OPTIONS, vec![input.to_vec()]) else {
        return;
    };
    let Ok(loaded) = sources.load() else {
        return;
    };
    for address in ADDRESSES {
        let address: IpAddr = address.parse().expect("a good address");
        let found = loaded.geo.maps[0].find(address);
        let explanation = sources.explain(address).expect("what was loaded is sound");
        assert_eq!(explanation.reasons[0].region(), found.region);
    }
});

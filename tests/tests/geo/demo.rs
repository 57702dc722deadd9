//! The demonstration's database: made from the text beside it, and with everything in its place.

use crate::judge::judge;
use crate::options;
use ripples::geo::load;
use std::path::Path;
use tests::folder::Folder;
use tests::mmdb::from_toml;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../xtask/demo");

#[test]
fn it_is_what_its_source_says_to_the_byte() {
    let source = std::fs::read_to_string(Path::new(DEMO).join("geo.toml")).unwrap();
    let database = std::fs::read(Path::new(DEMO).join("demo.mmdb")).unwrap();
    let written = from_toml(&source).unwrap().finish();
    assert!(
        written == database,
        "cargo run -p tests --bin mmdb -- xtask/demo/geo.toml xtask/demo/demo.mmdb"
    );
}

#[test]
fn the_ends_of_the_pair_and_the_documentation_are_all_over_the_world() {
    let folder = Folder::new();
    let text = format!(
        "databases = [\"{DEMO}/demo.mmdb\"]\n[geo.map.world]\ndefault = \"other\"\n\
         continent = {{ EU = \"eu\", AS = \"asia\", OC = \"asia\", SA = \"sa\", AF = \"eu\" }}\n\
         nearest = {{ us-east = [39, -77.5], us-west = [37.4, -122.1] }}\n\
         asn = {{ 64499 = \"sydney\" }}\nsubdivision = {{ GB-ENG = \"london\" }}\n"
    );
    let options = options(&folder, &text);
    assert!(judge(&options) > 100);
    let geo = load(&options).unwrap().geo;
    let map = &geo.maps[0];
    for (address, region, prefix_len) in [
        ("10.53.0.2", "eu", 25),
        ("fd53::2", "eu", 65),
        ("10.53.0.200", "us-west", 25),
        ("fd53::8000:0:0:1", "us-west", 65),
        ("192.0.2.1", "eu", 25),
        ("192.0.2.200", "london", 26),
        ("198.51.100.1", "us-east", 25),
        ("198.51.100.200", "us-west", 25),
        ("203.0.113.1", "asia", 25),
        ("203.0.113.200", "sydney", 25),
        ("2001:db8::1", "eu", 36),
        ("2001:db8:1000::1", "us-east", 36),
        ("2001:db8:5000::1", "sa", 36),
        ("2001:db8:f000::1", "other", 33),
        ("127.0.0.1", "other", 2),
    ] {
        let found = map.find(address.parse().unwrap());
        let name = &*map.regions[usize::from(found.region)].name;
        assert_eq!((name, found.prefix_len), (region, prefix_len), "{address}");
    }
}

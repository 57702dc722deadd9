//! A second opinion: the database as its own crate reads it, the rules read once more.

use maxminddb::{Reader, WithinOptions};
use ripples::config::{GeoOptions, MapOptions};
use ripples::geo::load::Sources;
use ripples::geo::{Coordinates, load};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Loads the maps, and holds the first one against its databases: for the first and the last
/// address of every network, one in the middle, and their neighbours. Returns how many addresses
/// were tried.
pub(super) fn judge(options: &GeoOptions) -> usize {
    let loaded = load(options).unwrap_or_else(|problems| panic!("{problems:?}"));
    let sources = Sources::open(options).expect("it was opened before");
    let readers = options
        .databases
        .iter()
        .map(|file| Reader::open_readfile(file).expect("sound"));
    let readers: Vec<_> = readers.collect();
    let map = &options.maps[0];
    let relevant: Vec<_> = readers
        .iter()
        .filter(|reader| is_asked(map, reader))
        .collect();
    let explicit = map
        .networks
        .iter()
        .map(|(network, _)| (network.address(), network.prefix_len()));
    let mut addresses: BTreeSet<_> = explicit.flat_map(probes).collect();
    for reader in &readers {
        addresses.extend(networks(reader).into_iter().flat_map(probes));
    }
    for &address in &addresses {
        let found = loaded.geo.maps[0].find(address);
        let (region, explicit_len) = decide(map, &relevant, address);
        assert_eq!(found.region, region, "{address}");
        let lens = relevant.iter().map(|reader| prefix_len(reader, address));
        let longest = lens.max().unwrap_or(0);
        match explicit_len {
            None if map.networks.is_empty() => assert_eq!(found.prefix_len, longest, "{address}"),
            None => assert!(found.prefix_len >= longest, "{address}"),
            Some(len) => assert!(found.prefix_len >= longest.max(len), "{address}"),
        }
        let explanation = sources.explain(address).expect("a sound database");
        assert_eq!(explanation.reasons[0].region(), region, "{address}");
    }
    addresses.len()
}

/// All networks of a database, as address and length, those below `::/96` in both families.
fn networks(reader: &Reader<Vec<u8>>) -> Vec<(IpAddr, u8)> {
    let every = WithinOptions::default().include_networks_without_data();
    let networks = reader
        .networks(every.include_aliased_networks())
        .expect("sound");
    let mut all = Vec::new();
    for network in networks {
        let network = network.expect("sound").network().expect("sound");
        all.push((network.ip(), network.prefix()));
        if let (IpAddr::V4(address), 6) = (network.ip(), reader.metadata().ip_version) {
            let inside = Ipv6Addr::from(u128::from(address.to_bits()));
            all.push((inside.into(), 96 + network.prefix()));
        }
    }
    all
}

/// The first and the last address of a network, one in the middle, and those on both sides.
fn probes((address, prefix_len): (IpAddr, u8)) -> Vec<IpAddr> {
    let (first, all): (u128, u128) = match address {
        IpAddr::V4(address) => (address.to_bits().into(), u32::MAX.into()),
        IpAddr::V6(address) => (address.to_bits(), u128::MAX),
    };
    let rest = all.checked_shr(prefix_len.into()).unwrap_or(0);
    let inside = [first, first | rest, first | (rest / 3 * 2)];
    let beside = [first.wrapping_sub(1), (first | rest).wrapping_add(1)];
    let probes = inside.into_iter().chain(beside);
    let address_of = |bits: u128| match u32::try_from(bits & all) {
        Ok(bits) if address.is_ipv4() => Ipv4Addr::from(bits).into(),
        _ => Ipv6Addr::from(bits & all).into(),
    };
    probes.map(address_of).collect()
}

/// How long a prefix the crate finds for an address, in the address's own family.
fn prefix_len(reader: &Reader<Vec<u8>>, address: IpAddr) -> u8 {
    if address.is_ipv6() && reader.metadata().ip_version == 4 {
        return 0;
    }
    let network = reader
        .lookup(address)
        .expect("sound")
        .network()
        .expect("sound");
    match network.ip().is_ipv4() == address.is_ipv4() {
        true => network.prefix(),
        false => 0,
    }
}

/// What the crate says of an address.
fn record(reader: &Reader<Vec<u8>>, address: IpAddr) -> Value {
    if address.is_ipv6() && reader.metadata().ip_version == 4 {
        return Value::Null;
    }
    let found = reader.lookup(address).expect("sound");
    found.decode().expect("sound").unwrap_or_default()
}

/// Whether a map has rules for anything that some record of the database has.
fn is_asked(map: &MapOptions, reader: &Reader<Vec<u8>>) -> bool {
    let networks = reader.networks(WithinOptions::default()).expect("sound");
    networks
        .map(|network| network.expect("sound"))
        .any(|network| {
            let record: Value = network.decode().expect("sound").unwrap_or_default();
            !map.asns.is_empty() && asn(&record).is_some()
                || !map.subdivisions.is_empty() && !subdivisions(&record).is_empty()
                || !map.countries.is_empty() && record["country"]["iso_code"].is_string()
                || !map.continents.is_empty() && record["continent"]["code"].is_string()
                || !map.nearest.is_empty() && coordinates(&record).is_some()
        })
}

/// The region of an address, and the length of the explicit network that it comes from.
fn decide(map: &MapOptions, readers: &[&Reader<Vec<u8>>], address: IpAddr) -> (u16, Option<u8>) {
    let around = map
        .networks
        .iter()
        .filter(|(network, _)| network.contains(address));
    if let Some((network, region)) = around.max_by_key(|(network, _)| network.prefix_len()) {
        return (*region, Some(network.prefix_len()));
    }
    let records: Vec<_> = readers
        .iter()
        .map(|reader| record(reader, address))
        .collect();
    let asn = records.iter().find_map(asn);
    let parts = records
        .iter()
        .map(subdivisions)
        .find(|parts| !parts.is_empty());
    let country = records
        .iter()
        .find_map(|record| record["country"]["iso_code"].as_str());
    let continent = records
        .iter()
        .find_map(|record| record["continent"]["code"].as_str());
    let part = parts
        .into_iter()
        .flatten()
        .rev()
        .find_map(|part| map.subdivisions.get(&part));
    let region = asn
        .and_then(|asn| map.asns.get(&asn))
        .or(part)
        .or_else(|| map.countries.get(country?))
        .or_else(|| map.continents.get(continent?));
    let nearest = || {
        let (latitude, longitude) = records.iter().find_map(coordinates)?;
        let here = Coordinates::of(latitude, longitude)?;
        let key = |to: &Coordinates| cosine(&here, to);
        let places = map.nearest.iter();
        let best = places.max_by(|(_, one), (_, other)| key(one).total_cmp(&key(other)));
        best.map(|(region, _)| *region)
    };
    (region.copied().or_else(nearest).unwrap_or(0), None)
}

/// The cosine of the angle between two places: another formula than the server's.
fn cosine(one: &Coordinates, other: &Coordinates) -> f64 {
    let vector = |place: &Coordinates| {
        let (north, east) = (
            place.latitude().to_radians(),
            place.longitude().to_radians(),
        );
        [
            north.cos() * east.cos(),
            north.cos() * east.sin(),
            north.sin(),
        ]
    };
    vector(one)
        .iter()
        .zip(vector(other))
        .map(|(a, b)| a * b)
        .sum()
}

fn asn(record: &Value) -> Option<u32> {
    let asn = &record["autonomous_system_number"];
    u32::try_from(asn.as_u64()?).ok()
}

fn subdivisions(record: &Value) -> Vec<String> {
    let country = record["country"]["iso_code"].as_str().unwrap_or_default();
    let parts = record["subdivisions"].as_array().into_iter().flatten();
    let codes = parts.filter_map(|part| part["iso_code"].as_str());
    codes.map(|code| format!("{country}-{code}")).collect()
}

fn coordinates(record: &Value) -> Option<(f64, f64)> {
    let number = |key: &str| record["location"][key].as_f64();
    number("latitude").zip(number("longitude"))
}
